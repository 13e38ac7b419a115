"""What nothing matches: a page for who reads pages, the error model for programs."""

import pytest
from werkzeug.test import Client

from emulator import hosting
from tests.support.emulator import firebase

HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"  # as browsers ask
CONFIG = {
    "public": "public",
    "ignore": ["**/.*"],
    "headers": [{"source": "**", "headers": [{"key": "X-A", "value": "1"}]}],
    "rewrites": [
        {"source": "/v2/**", "function": "api"},
        {"source": "/v1/**", "function": {"functionId": "api"}},
        {"source": "/gone", "destination": "/gone.html"},
    ],
}


@pytest.fixture
def public(tmp_path):
    """The public folder, with nothing but a page for what is not there."""
    folder = tmp_path / "public"
    folder.mkdir()
    (folder / "404.html").write_text("lost")
    (folder / ".hidden").write_text("hidden")
    return folder


@pytest.fixture
def site(public):
    """The hosting port of the site; a function is never asked."""
    return Client(
        hosting.app(hosting.read(firebase(public.parent, CONFIG), {"api"}.__contains__), None)
    )


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/nope", "/gone", "/app", "/v20/a", "/.hidden", "/a/v2/x"])
def test_who_reads_pages_is_told_by_a_page(site, path, method):
    """What nothing matches is the site's 404.html, with that status, whatever the reader has."""
    answer = site.open(path, method=method, headers={"Accept": HTML, "If-None-Match": "*"})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert answer.text == ("lost" if method == "GET" else "")
    assert (answer.headers["X-A"], answer.headers["Vary"]) == ("1", "Accept")


@pytest.mark.parametrize(
    ("method", "path", "accept"),
    [
        ("GET", "/nope", None),
        ("GET", "/nope", "*/*"),
        ("GET", "/nope", "application/json"),
        ("GET", "/nope", "text/html;q=0.5, application/json"),
        ("GET", "/nope", "image/png"),
        ("POST", "/nope", HTML),
        ("GET", "/v2", HTML),
        ("GET", "/v1", HTML),
    ],
)
def test_programs_are_told_in_json(site, method, path, accept):
    """So is who does not prefer a page, and who asks where the paths of a function begin."""
    answer = site.open(path, method=method, headers={"Accept": accept} if accept else {})
    assert answer.status_code == 404
    assert answer.json["errors"][0]["code"] == "resource_not_found"


def test_a_site_without_a_page_for_it(site, public):
    """Then those who read pages are told in JSON too."""
    (public / "404.html").unlink()
    answer = site.get("/nope", headers={"Accept": HTML})
    assert (answer.status_code, answer.json["status_code"]) == (404, 404)
