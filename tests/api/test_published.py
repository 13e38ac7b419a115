"""The API's description as anybody may read it: whole, without what is private."""

import json
import re

import pytest
import requests

from shared.api import operations
from shared.api.document import COMPILED
from shared.errors import STATUS
from tools.codes import codes
from tools.openapi import published


def test_document(host):
    """Anybody may read the description: what is compiled, without what is private."""
    answer = requests.get(f"{host.url}/openapi.json", timeout=30)
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


def test_codes():
    """The description tells each code that the API answers with, its status and when; by status."""
    entry = json.loads(COMPILED.read_text())["components"]["schemas"]["Error"]["properties"]
    told = entry["errors"]["items"]["properties"]["code"]["x-codes"]
    assert told == codes()
    assert {row["code"]: row["status"] for row in told}.items() >= STATUS.items()
    assert [row["status"] for row in told] == sorted(row["status"] for row in told)
    assert all(row["when"] for row in told)
