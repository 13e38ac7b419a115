"""Bodies of requests, parsed strictly: what two parsers could read differently is refused.

Every refusal is Error `malformed_request`, and none repeats what was sent.
"""

import json
import re
from math import isinf
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from shared import quotas
from shared.errors import Error


def parse_json(raw: bytes) -> Any:
    """Parse UTF-8 JSON (RFC 8259): no duplicate names, no NaN, no lone surrogates, no abyss."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise _malformed("The body is not UTF-8.") from None
    _check_depth(text)
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float
        )
    except ValueError:
        raise _malformed("The body is not JSON.") from None
    if "\\u" in text:  # an escape is the only way to a surrogate without its other half
        _check_encodable(value)
    return value


def parse_form(raw: bytes) -> dict[str, str]:
    """Parse a URL-encoded form, each name once."""
    if re.search(rb"%(?![0-9A-Fa-f]{2})", raw):
        raise _malformed("The form holds a percent sign that escapes nothing.")
    try:
        return _object(parse_qsl(raw.decode(), keep_blank_values=True, errors="strict"))
    except ValueError:
        raise _malformed("The body is not a form in UTF-8.") from None


def _malformed(message: str) -> Error:
    return Error("malformed_request", message)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _malformed("The body names a member twice.")
    return found


def _constant(_: str) -> NoReturn:
    raise _malformed("NaN and Infinity are not JSON.")


def _float(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise _malformed("A number is too large.")
    return value


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the parser recurses; brackets within strings do not count."""
    if text.count("[") + text.count("{") <= quotas.JSON_DEPTH:
        return
    depth = 0
    for piece in _outside_strings(text):
        for character in piece:
            if character in "[{":
                depth += 1
                if depth > quotas.JSON_DEPTH:
                    raise _malformed(f"The body is nested deeper than {quotas.JSON_DEPTH}.")
            elif character in "]}":
                depth -= 1


def _outside_strings(text: str) -> list[str]:
    """Give what stands outside of string literals."""
    bare = text.replace("\\\\", "").replace('\\"', "")
    return bare.split('"')[::2]


def _check_encodable(value: Any) -> None:
    """Refuse lone surrogates: they cannot be stored as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise _malformed("The body holds half of a surrogate pair.") from None
