"""Answers held against openapi.json: status, headers, schema with its formats, and no more.

`check` finds the operation by the request's method and path, so whoever sends a request can have
its answer held without saying what it was.
"""

import json
import re
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs

from shared.api.document import COMPILED

DOCUMENT = json.loads(COMPILED.read_text())
TRACE = re.compile(r"codeengine-api-[0-9a-f]{32}")


def resolved(schema: Any) -> Any:
    """Give a schema, or a response, with a reference followed."""
    while "$ref" in schema:
        found = DOCUMENT
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


@cache
def validator(text: str) -> Any:
    """Give a validator of a schema, written as JSON; it checks formats too."""
    whole = {**json.loads(text), "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def problems(schema: Any, value: Any) -> list[str]:
    """Give what is wrong with a value, members that its schema does not declare included."""
    errors = validator(json.dumps(schema)).iter_errors(value)
    return [error.message for error in errors] + list(undeclared(schema, value))


def undeclared(schema: Any, value: Any, where: str = "") -> list[str]:
    """Give the places of members, at any depth, that a schema does not declare."""
    schema = resolved(schema)
    if isinstance(value, list):
        items = schema.get("items", {})
        return [p for n, one in enumerate(value) for p in undeclared(items, one, f"{where}.{n}")]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    known = schema["properties"]
    found = [f"{where}.{name} is not declared" for name in value if name not in known]
    for name, item in value.items():
        found += undeclared(known.get(name, {}), item, f"{where}.{name}")
    return found


def _segments(parameter: re.Match[str]) -> str:
    """Give what stands in a path for a parameter: one segment, or all that are left."""
    rest = DOCUMENT["components"]["parameters"].get(parameter[1], {}).get("x-rest")
    return ".+" if rest else "[^/]+"


@cache
def patterns() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Give every path of the API, as it looks in a request, with what there is at it."""
    return [
        (re.compile(re.sub(r"\{(\w+)\}", _segments, path)), spec)
        for path, spec in sorted(DOCUMENT["paths"].items(), key=lambda row: row[0].count("{"))
    ]


def described(method: str, path: str, status: int) -> dict[str, Any]:
    """Give what the API's description says of an answer; fails where it says nothing."""
    spec = next(spec for pattern, spec in patterns() if pattern.fullmatch(path))
    said = spec[method.lower()]["responses"]
    found = said.get(str(status)) or said.get("default")
    assert found, f"{method} {path} is not said to answer {status}"
    return resolved(found)


def check(answer: Any) -> Any:
    """Require that an answer is as described, header for header; give it back."""
    method, path = answer.request.method, urlsplit(answer.request.url).path
    said = described(method, path, answer.status_code)
    what = (method, path, answer.status_code)
    if "content" in said and "application/json" not in said["content"]:
        kind = answer.headers["Content-Type"].partition(";")[0]
        assert (what, kind, bool(answer.content)) == (what, *said["content"], True)
    elif "content" in said:
        schema = said["content"]["application/json"]["schema"]
        assert (what, problems(schema, answer.json())) == (what, [])
    else:
        assert (what, answer.content) == (what, b"")
    assert set(said.get("headers", {})) <= set(answer.headers), what
    assert TRACE.fullmatch(answer.headers["X-Global-Transaction-ID"])
    return answer
