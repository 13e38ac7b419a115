"""The API's description and the page that draws it, over HTTP: whole, and from this host alone."""

import hashlib
import json
import re

import pytest
import requests

from shared.api import operations
from shared.api.document import COMPILED
from tests.console.test_files import PAGES, Page
from tests.support import ROOT
from tools.openapi import published

FOLDER = ROOT / "console" / "docs"


def get(host, path, **headers):
    """GET a path of the host, as anybody."""
    return requests.get(host.url + path, headers=headers, timeout=30, allow_redirects=False)


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


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/docs/index.html", "/", "/index.html"])
def test_pages(host, path):
    """Each page, and each file that it names, is there under the one policy, and never kept."""
    answer = get(host, path)
    assert answer.headers["Content-Type"].startswith("text/html")
    for found in (answer, *(get(host, link) for link in Page(answer.text).links if link[0] == "/")):
        assert (found.status_code, found.url) == (200, found.url)
        if found.url.endswith("/openapi.json"):  # the API's own answer, as all of them
            assert found.headers["Content-Security-Policy"] != PAGES["Content-Security-Policy"]
            assert found.headers["Cache-Control"] == "no-store"
        else:
            assert {key: found.headers[key] for key in PAGES} == PAGES
            assert found.headers["Cache-Control"] == "no-cache"
        assert "," not in found.headers["Cache-Control"]  # from one rule, not two


def test_front_page_leads_there(host):
    """The first page leads to the documentation, and so does README.md."""
    assert 'href="/docs"' in get(host, "/").text
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
