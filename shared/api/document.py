"""openapi.json, which `tools.openapi` makes of openapi.yaml: loaded once, and looked into.

Parsing YAML at start-up would cost a cold start most of a second.
"""

import json
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import jsonschema_rs

COMPILED = Path(__file__).with_name("openapi.json")
PUBLIC = Path(__file__).with_name("public.json")


@cache
def document(file: Path = COMPILED) -> dict[str, Any]:
    """Give the whole description, private operations included."""
    loaded: dict[str, Any] = json.loads(file.read_text())
    return loaded


published = partial(document, PUBLIC)  # what tenants may call


def validator(schema: Mapping[str, Any]) -> Any:
    """Give the validator of a schema, which may refer to any other; it quotes no value."""
    whole = {**schema, "components": {"schemas": document()["components"]["schemas"]}}
    return jsonschema_rs.Draft202012Validator(whole, mask="…")


def resolved(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what an item refers to, or the item itself."""
    if "$ref" not in item:
        return item
    found: Any = document()
    for part in item["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def named(name: str) -> Mapping[str, Any]:
    """Give a schema by its name."""
    found: Mapping[str, Any] = document()["components"]["schemas"][name]
    return found


@cache
def words() -> dict[str, str]:
    """Give the patterns that the document says in words."""
    found: dict[str, str] = {}
    left: list[Any] = [document()]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            if "x-says" in item:
                found[item["pattern"]] = item["x-says"]
            left.extend(item.values())
        elif isinstance(item, list):
            left.extend(item)
    return found
