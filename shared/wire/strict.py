"""Bodies and queries of requests, parsed strictly: what two could read differently is refused.

Every refusal is Error `malformed_request`, but for what is too large; none repeats what was sent.
"""

import codecs
import json
import re
import zlib
from math import isinf
from typing import Any, NoReturn
from urllib.parse import parse_qs, parse_qsl

from shared import quotas
from shared.errors import Error

Bytes = bytes | bytearray
BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def inflate(raw: Bytes, most: int) -> bytes:
    """Decompress a body of one gzip member, which may hold at most `most` bytes.

    Raises Error `payload_too_large`, before more than that is in memory.
    """
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)  # 16: with gzip's header and checksum
    try:
        body = stream.decompress(raw, most + 1)
    except zlib.error:
        raise _malformed("The body is not gzip.") from None
    if len(body) > most:
        raise too_large(most)
    if not stream.eof:
        raise _malformed("The gzip body is cut short.")
    if stream.unused_data:
        raise _malformed("The gzip body is followed by something else.")
    return body


def too_large(most: int) -> Error:
    """Give the error for a body of more than `most` bytes."""
    return Error("payload_too_large", f"The body may hold at most {most} bytes.")


def parse_json(raw: Bytes) -> Any:
    """Parse UTF-8 JSON (RFC 8259): no duplicate names, no NaN, no lone surrogates, no abyss."""
    if raw.startswith(codecs.BOM_UTF8):
        raise _malformed("The body begins with a byte order mark.")
    _check_bounds(raw)
    try:
        value = json.loads(
            raw.decode(), object_pairs_hook=_object, parse_constant=_constant, parse_float=_float
        )
        if b"\\u" in raw:  # an escape is the only way to a surrogate without its other half
            _encode_strings(value)
    except UnicodeDecodeError:
        raise _malformed("The body is not UTF-8.") from None
    except UnicodeEncodeError:
        raise _malformed("The body holds half of a surrogate pair.") from None
    except ValueError:
        raise _malformed("The body is not JSON.") from None
    return value


def parse_form(raw: Bytes) -> dict[str, str]:
    """Parse a URL-encoded form, each name once."""
    _check_pairs(raw, "form")
    try:
        return _object(parse_qsl(raw.decode(), keep_blank_values=True, errors="strict"))
    except ValueError:
        raise _malformed("The body is not a form in UTF-8.") from None


def parse_query(raw: bytes) -> dict[str, list[str]]:
    """Parse a query into the values of each name."""
    _check_pairs(raw, "query")
    try:
        return parse_qs(raw.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        raise _malformed("The query is not in UTF-8.") from None


def _check_pairs(raw: Bytes, what: str) -> None:
    if raw.count(b"&") >= quotas.PAIRS:
        raise _malformed(f"The {what} holds more than {quotas.PAIRS} pairs.")
    if BAD_ESCAPE.search(raw):
        raise _malformed(f"The {what} holds a percent sign that escapes nothing.")


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


def _encode_strings(value: Any) -> None:
    """Raise UnicodeEncodeError for half of a surrogate pair, in a string at whatever depth."""
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, dict):
        for name, item in value.items():
            name.encode()
            _encode_strings(item)
    elif isinstance(value, list):
        for item in value:
            _encode_strings(item)


def _check_bounds(raw: Bytes) -> None:
    """Refuse what would cost more to parse than any body is worth, before anything is made of it.

    Whole passes over the bytes, and no pieces but those of a bounded number of strings: where the
    parser stops at a fault, all before it was within the bounds.
    """
    plain = raw
    if b"\\" in raw:  # without these two, every quote left begins or ends a string
        plain = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    if plain.count(b'"') > 2 * quotas.JSON_STRINGS:
        raise _malformed(f"The body holds more than {quotas.JSON_STRINGS} strings.")
    # What is left of an escape is a byte at least: of two, or of the six of `\u0001`.
    saved = plain.count(b"\\") + 4 * plain.count(b"\\u")
    if (len(raw) + len(plain)) // 2 - saved > quotas.JSON_TEXT_BYTES:
        most = f"The body may hold at most {quotas.JSON_TEXT_BYTES} bytes, escapes undone."
        raise Error("payload_too_large", most)
    structure = b"".join(plain.split(b'"')[::2])
    if len(structure) > quotas.JSON_STRUCTURE_BYTES:
        most = f"may hold at most {quotas.JSON_STRUCTURE_BYTES} bytes outside strings"
        raise _malformed(f"The body {most}.")
    _check_depth(structure)


def _check_depth(structure: bytes) -> None:
    """Refuse deep nesting before the parser recurses."""
    depth = 0
    for byte in structure:
        if byte in b"[{":
            depth += 1
            if depth > quotas.JSON_DEPTH:
                raise _malformed(f"The body is nested deeper than {quotas.JSON_DEPTH}.")
        elif byte in b"]}":
            depth -= 1
