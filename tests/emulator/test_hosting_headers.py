"""The headers of firebase.json, as the local host sends them: each once, and the API's its own."""

import pytest
import requests

from emulator import hosting
from tests.console.test_files import PAGES, POLICY
from tests.support import ROOT

PATHS = ("/", "/index.html", "/app/app.js", "/app/vendor/preact-htm.js", "/docs", "/docs/docs.js")
API = ("/v2/projects", "/v1/reclamations", "/identity/token", "/openapi.json", "/v2", "/v1")


@pytest.mark.parametrize("path", ["/.env", "/.git/config", "/app/.cache/of/it", "/%2egit/config"])
def test_what_is_hidden_is_not_served(path):
    """Neither a hidden file nor what lies in a hidden folder is part of the site."""
    site = hosting.read(ROOT, lambda _: True)
    assert any(pattern.fullmatch(path.replace("%2e", ".")) for pattern in site.ignore)


def rules():
    """Give the rules of firebase.json, as the local host reads them."""
    return hosting.read(ROOT, lambda _: True).headers


@pytest.mark.parametrize("path", [*PATHS, *API, "/docs/", "/nowhere", "/app/", "/app/nowhere"])
def test_no_header_comes_twice(path):
    """Rules that match a path together share no key: this host sends both, Firebase the last."""
    keys = [key.lower() for match, pairs in rules() if match.fullmatch(path) for key, _ in pairs]
    assert sorted(keys) == sorted(set(keys))


@pytest.mark.parametrize("path", PATHS)
def test_pages(host, path):
    """A page, and what it loads, has the policy, and is asked for anew each time."""
    answer = requests.get(host.url + path, timeout=30)
    assert answer.status_code == 200
    assert {key: answer.headers.get(key) for key in PAGES} == PAGES
    assert answer.headers["Cache-Control"] == "no-cache"
    again = {"If-None-Match": answer.headers["ETag"]}
    assert requests.get(host.url + path, headers=again, timeout=30).status_code == 304


@pytest.mark.parametrize("path", API)
def test_the_api_keeps_its_own(host, path):
    """An answer of the API says what it said: no-store, and a policy that allows nothing."""
    raw = requests.get(host.url + path, timeout=30).headers
    assert raw["Cache-Control"] == "no-store"
    assert raw["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert raw["Content-Security-Policy"] != POLICY
