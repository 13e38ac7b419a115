"""Canonical JSON (RFC 8785), of what a record may have: no value has two ways to be written.

A record may have objects, arrays, texts, booleans, null and integers that every JSON reader keeps
exactly; no other numbers, for readers differ in them. Names of members are ASCII, so that the
order of their code points is the RFC's order of UTF-16 units.
"""

import json
from typing import Any

from shared.log.texts import Refused, need

LARGEST_INTEGER = 2**53 - 1  # that a double holds exactly (RFC 7493 section 2.2)
MOST_DEPTH = 32  # objects and arrays within each other
MOST_BYTES = 1 << 20  # a record is a document at most


def dump(value: Any) -> bytes:
    """Give a value in its one form; refuse what has none, such as a float or a lone surrogate."""
    _check(value, MOST_DEPTH)
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        data = written.encode()
    except UnicodeEncodeError:
        raise Refused("a text has half a character") from None
    need(len(data) <= MOST_BYTES, "the value is too large")
    return data


def load(data: bytes) -> Any:
    """Give the value that is written, if it is in its one form: else it is refused."""
    need(len(data) <= MOST_BYTES, "the value is too large")
    try:
        value = json.loads(data.decode())
    except (ValueError, RecursionError):
        raise Refused("it is no JSON") from None
    need(dump(value) == data, "the JSON is not in its one form")  # doubled members are lost by here
    return value


def _check(value: Any, depth: int) -> None:
    need(depth, "the value is too deep")
    if isinstance(value, dict):
        need(all(type(name) is str and name.isascii() for name in value), "a name is not ASCII")
        for each in value.values():
            _check(each, depth - 1)
    elif isinstance(value, list):
        for each in value:
            _check(each, depth - 1)
    elif type(value) is int:
        need(abs(value) <= LARGEST_INTEGER, "an integer is too large")
    else:
        need(value is None or type(value) in (bool, str), "a value is of no such type")
