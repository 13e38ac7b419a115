"""The API's description as it is published: all of openapi.json but what is private."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from shared.app import Answer, App, Call
from shared.schema import COMPILED

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}  # of a path item


def api_document(_app: App, _call: Call) -> Answer:
    """Give the OpenAPI document of the operations that tenants may call."""
    return Answer(_published())


@cache
def _published() -> dict[str, Any]:
    return published(json.loads(COMPILED.read_text()))


def published(document: dict[str, Any]) -> dict[str, Any]:
    """Give a document without its private operations, and without what only they refer to."""
    paths = {}
    for path, item in document["paths"].items():
        kept = {
            name: spec
            for name, spec in item.items()
            if name not in METHODS or not spec.get("x-private", False)
        }
        if METHODS & kept.keys():
            paths[path] = kept
    document = document | {"paths": paths}
    reached: set[str] = set()
    ahead = {reference for name in document.keys() - {"components"}
             for reference in _references(document[name])}  # fmt: skip
    while ahead:
        reached |= ahead
        ahead = {deeper for one in ahead for deeper in _references(_at(document, one))} - reached
    components = {
        section: {
            name: item
            for name, item in items.items()
            if section == "securitySchemes" or f"#/components/{section}/{name}" in reached
        }
        for section, items in document["components"].items()
    }
    return document | {"components": components}


def _references(value: Any) -> Iterator[str]:
    """Give every reference within a value."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from _references(inner)


def _at(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found
