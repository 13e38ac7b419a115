"""The API's description and the page that draws it, over HTTP: whole, and from this host alone."""

import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
import requests

from shared.api import operations
from shared.api.document import COMPILED
from tests.support import ROOT
from tools.openapi import published

FOLDER = ROOT / "console" / "docs"
POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "connect-src": ["'self'"],
    "worker-src": ["blob:"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'none'"],
}


class Page(HTMLParser):
    """What a page refers to, and what of it a strict policy would not let run."""

    def __init__(self, text):
        super().__init__()
        self.links, self.scripts, self.inline, self.handlers = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note the addresses of a tag."""
        named = dict(attrs)
        self.links += [named[key] for key in ("src", "href", "action") if key in named]
        self.handlers += [key for key in named if key.startswith("on")]
        if tag == "script":
            (self.scripts if "src" in named else self.inline).append(named.get("src"))


def get(host, path, **headers):
    """GET a path of the host, as anybody."""
    return requests.get(host.url + path, headers=headers, timeout=30, allow_redirects=False)


def policy(answer):
    """Give the directives of an answer's Content-Security-Policy."""
    rows = answer.headers["Content-Security-Policy"].split(";")
    return {name: values for name, *values in map(str.split, rows)}


def test_document(host):
    """Anybody may read the description: what is compiled, without what is private."""
    answer = get(host, "/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == published(json.loads(COMPILED.read_text()))
    told = {
        spec["operationId"]
        for item in answer.json()["paths"].values()
        for method, spec in item.items()
        if method != "parameters"
    }
    assert told == {name for name, operation in operations().items() if not operation.private}
    for word in ("/internal/", "create_account", "AccountPrototype", "x-private"):
        assert word not in answer.text


def test_document_refers_to_what_it_has():
    """Nothing that is referred to was left out, and nothing is left that nobody refers to."""
    whole = published(json.loads(COMPILED.read_text()))
    text = json.dumps(whole)
    referred = set(re.findall(r'"\$ref": "#/components/(\w+)/([^"]+)"', text))
    there = {(section, name) for section, items in whole["components"].items() for name in items}
    assert referred == {row for row in there if row[0] != "securitySchemes"}


@pytest.mark.parametrize("open_to_all", [True, False])
def test_private_operations_are_not_published(open_to_all):
    """A path without a public operation goes, with its schemas; a shared schema stays."""
    private = {"x-private": True, "responses": {"200": {"$ref": "#/components/responses/a"}}}
    public = {"responses": {"200": {"schema": {"$ref": "#/components/schemas/Kept"}}}}
    document = {
        "paths": {"/a": {"parameters": [], "post": private}, "/b": {"get": public}},
        "components": {
            "securitySchemes": {"token": {}},
            "responses": {"a": {"schema": {"$ref": "#/components/schemas/Gone"}}},
            "schemas": {
                "Gone": {"$ref": "#/components/schemas/Kept"},
                "Kept": {"properties": {"$ref": {}, "i": {"$ref": "#/components/schemas/In"}}},
                "In": {},
            },
        },
    }
    if open_to_all:
        document["paths"]["/a"]["get"] = public
    made = published(document)
    assert list(made["paths"]) == (["/a", "/b"] if open_to_all else ["/b"])
    assert "post" not in made["paths"].get("/a", {})
    assert made["components"] == {
        "securitySchemes": {"token": {}},
        "responses": {},
        "schemas": {name: document["components"]["schemas"][name] for name in ("Kept", "In")},
    }


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/docs/index.html", "/"])
def test_pages(host, path):
    """The pages ask this host alone, run no script within them, and say so to the browser."""
    answer = get(host, path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert policy(answer) == POLICY
    page = Page(answer.text)
    assert page.inline == page.handlers == []
    assert all(re.match(r"/(?!/)|data:,$", link) for link in page.links)
    for link in page.links:
        if link.startswith("/"):
            assert get(host, link).status_code == 200, link
    assert not re.search(r"https?:|url\(|@import", answer.text)


def test_the_page_draws_the_document(host):
    """The page loads the renderer, then our few lines, which name the document."""
    assert Page(get(host, "/docs").text).scripts == ["/docs/redoc.standalone.js", "/docs/docs.js"]
    for script in ("/docs/redoc.standalone.js", "/docs/docs.js"):
        answer = get(host, script)
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert policy(answer) == POLICY
    ours = (FOLDER / "docs.js").read_text()
    assert '"/openapi.json"' in ours
    assert not re.search(r"https?:|//\w", ours)


def test_front_page_leads_there(host):
    """The first page leads to the documentation, and so does README.md."""
    assert {"/docs", "/openapi.json"} <= set(Page(get(host, "/").text).links)
    assert "/docs" in (ROOT / "README.md").read_text()


def test_renderer_is_the_one_named():
    """The vendored file is that of the licence beside it, and its logo is no one's address."""
    raw = (FOLDER / "redoc.standalone.js").read_bytes()
    licence = (FOLDER / "redoc.standalone.js.LICENSE.txt").read_text()
    published_sum, own_sum = re.findall(r"\b[0-9a-f]{64}\b", licence)
    assert hashlib.sha256(raw).hexdigest() == own_sum
    logo = b'src:"data:,"'
    assert raw.count(logo) == 1
    assert b"cdn." not in raw
    undone = raw.replace(logo, b'src:"https://cdn.redoc.ly/redoc/logo-mini.svg"')
    assert hashlib.sha256(undone).hexdigest() == published_sum
    assert "The MIT License" in licence
