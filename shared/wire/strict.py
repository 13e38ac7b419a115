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

BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def inflate(raw: bytes, most: int) -> bytes:
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


def parse_json(raw: bytes) -> Any:
    """Parse UTF-8 JSON (RFC 8259): no duplicate names, no NaN, no lone surrogates, no abyss."""
    if raw.startswith(codecs.BOM_UTF8):
        raise _malformed("The body begins with a byte order mark.")
    try:
        text = raw.decode()
        _check_depth(text)
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float
        )
        if "\\u" in text:  # an escape is the only way to a surrogate without its other half
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError:
        raise _malformed("The body is not UTF-8.") from None
    except UnicodeEncodeError:
        raise _malformed("The body holds half of a surrogate pair.") from None
    except ValueError:
        raise _malformed("The body is not JSON.") from None
    return value


def parse_form(raw: bytes) -> dict[str, str]:
    """Parse a URL-encoded form, each name once."""
    if BAD_ESCAPE.search(raw):
        raise _malformed("The form holds a percent sign that escapes nothing.")
    try:
        return _object(parse_qsl(raw.decode(), keep_blank_values=True, errors="strict"))
    except ValueError:
        raise _malformed("The body is not a form in UTF-8.") from None


def parse_query(raw: bytes) -> dict[str, list[str]]:
    """Parse a query into the values of each name."""
    if BAD_ESCAPE.search(raw):
        raise _malformed("The query holds a percent sign that escapes nothing.")
    try:
        return parse_qs(raw.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        raise _malformed("The query is not in UTF-8.") from None


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
    outside_strings = text.replace("\\\\", "").replace('\\"', "").split('"')[::2]
    for character in "".join(outside_strings):
        if character in "[{":
            depth += 1
            if depth > quotas.JSON_DEPTH:
                raise _malformed(f"The body is nested deeper than {quotas.JSON_DEPTH}.")
        elif character in "]}":
            depth -= 1
