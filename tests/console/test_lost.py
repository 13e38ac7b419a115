"""The page for addresses where nothing is."""

import re

import pytest
import requests

from tests.console.test_files import PAGES
from tests.support.pages import DESKTOP, clean, failed, in_all_looks, look

LINKS = ["/", "/", "/docs", "/openapi.json"]


def test_lost(page, watch, console_url):
    """It says so, with status 404, and leads to what there is; each link is there."""
    watch.allow(failed(404))
    answer = page.goto(f"{console_url}/no/such/place")
    assert answer.status == 404
    assert {key: answer.headers[key.lower()] for key in PAGES} == PAGES
    assert page.get_by_role("heading", level=1).text_content() == "Nothing is at this address"
    assert page.title() == "Nothing is at this address · Reprieve"
    links = page.locator("a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert links == LINKS
    for link in links:
        assert requests.get(console_url + link, timeout=30).status_code == 200
    clean(page)


@pytest.mark.slow
def test_lost_in_all_looks(page, watch, console_url):
    """It can be read in each, and in the reader's own colours."""
    watch.allow(failed(404))
    page.goto(f"{console_url}/nowhere")
    in_all_looks(page, clean)
    look(page, DESKTOP, "dark", forced=True)
    clean(page)


@pytest.mark.parametrize("path", ["/v1", "/v2", "/v2/nowhere", "/identity", "/identity/nowhere"])
def test_never_where_the_api_is(host, path):
    """Where the API's paths begin, a browser too is answered in JSON."""
    answer = requests.get(host.url + path, headers={"Accept": "text/html"}, timeout=30)
    assert answer.status_code in {401, 404, 406}
    assert re.match(r"application/json\b", answer.headers["Content-Type"])
    assert answer.json()["errors"]
