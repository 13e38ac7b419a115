"""What a request brings: its path as it was sent, its parameters, its body, strictly read."""

import threading
import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any
from urllib.parse import quote

from flask import Request

from shared import quotas
from shared.api import Operation
from shared.errors import Error, Target, invalid
from shared.wire.admission import Hold
from shared.wire.strict import Bytes, inflate, parse_form, parse_json, parse_query, too_large

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
GZIP, UTF_8 = (["gzip"], ["x-gzip"]), {"utf-8", "utf8"}
PIECE = 64 * 1024  # bytes read at a time: 0.1 s of work where each is a chunk of its own
# A small body may open to 13 MiB. Its work holds the interpreter's lock anyhow: who waits here
# loses no time, and what all of them hold at once stays small.
OPENING = threading.BoundedSemaphore(quotas.OPENED)


def path_of(environ: Mapping[str, Any]) -> str:
    """Give the path as it was sent, without the query: decoded, `%2F` would look like `/`."""
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if target is None:  # a server that says neither: an encoded slash is lost
        return quote(environ["PATH_INFO"].encode("latin-1"))
    path = str(target).partition("?")[0]
    if not path.startswith("/"):  # the absolute form (RFC 9112, section 3.2.2)
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path


def asked_for(known: list[Operation], merged: Mapping[str, Any]) -> Operation:
    """Give the most demanding operation whose required parameters are all there."""
    ranked = sorted(known, key=lambda operation: len(operation.required), reverse=True)
    return next((op for op in ranked if op.required <= merged.keys()), ranked[-1])


def check_head(environ: Mapping[str, Any]) -> None:
    """Raise an Error for a head that no server in front of us need have looked at.

    `uri_too_long` for an address over quotas.ADDRESS_BYTES, `malformed_request` unless HTTP/1.1
    names one host (RFC 9112, section 3.2).
    """
    if len(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "") > quotas.ADDRESS_BYTES:
        raise Error("uri_too_long", f"The address exceeds {quotas.ADDRESS_BYTES} bytes.")
    host = environ.get("HTTP_HOST")
    if host is None and environ.get("SERVER_PROTOCOL") == "HTTP/1.1":
        raise Error("malformed_request", "The request has no `Host`.")
    if host and "," in host:  # so servers join what came twice
        raise Error("malformed_request", "The request has more than one `Host`.")


def check_accept(request: Request, asked: list[Operation]) -> None:
    """Raise Error `not_acceptable` where what the operations answer with is not taken."""
    kind = asked[0].answers  # those of one function answer alike
    if request.headers.get("Accept") and not request.accept_mimetypes.quality(kind):
        raise Error("not_acceptable", f"Answers come as `{kind}`.")


def check_version(parameters: Mapping[str, Any]) -> None:
    """Raise Error `invalid_field` for a date before the API's first version.

    One that is later than the newest stands for the newest, as clients of tomorrow send it.
    """
    if parameters.get("version", quotas.FIRST_VERSION) < quotas.FIRST_VERSION:
        raise invalid(Target("parameter", "version"), f"must be {quotas.FIRST_VERSION} or later")


def parameters_of(request: Request, operation: Operation) -> dict[str, Any]:
    """Give the operation's query and header parameters; others are ignored."""
    given: dict[str, Any] = {}
    declared = any(parameter.place == "query" for parameter in operation.parameters)
    query = parse_query(request.query_string) if declared else {}
    for parameter in operation.parameters:
        if parameter.place == "header" and parameter.name in request.headers:
            given[parameter.key] = request.headers[parameter.name]
        elif parameter.place == "query" and parameter.name in query:
            first, *others = query[parameter.name]
            if others:
                raise invalid(parameter.target, "may be given once")
            given[parameter.key] = first
    return given


def body_of(
    request: Request, asked: list[Operation], hold: Hold, *, by_name: bool
) -> tuple[int, Any]:
    """Give the body's bytes as it is open, and what it says.

    That is an empty object where there is no body, and where none belongs. `hold` is told of its
    bytes before they are read, where that is known, and raises Error `unavailable`.
    """
    types = {name for operation in asked for name in operation.media_types}
    if by_name:
        types.add(JSON)
    if not types:
        return 0, {}
    most = max(operation.body_bytes for operation in asked)
    raw: Bytes = _raw(request, most, hold)
    if not raw and (by_name or not asked[0].body_required):
        return 0, {}
    codings = _codings(request)
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in types or charset not in UTF_8:
        wanted = sorted(types)
        message = f"The body must be {' or '.join(f'`{name}`' for name in wanted)}, in UTF-8."
        raise Error("unsupported_media_type", message, headers={"Accept": ", ".join(wanted)})
    with OPENING if codings or len(raw) > quotas.PLAIN_BODY_BYTES else nullcontext():
        if codings:
            raw = inflate(raw, most)
            hold(len(raw))
        return len(raw), parse_form(raw) if request.mimetype == FORM else parse_json(raw)


def _raw(request: Request, most: int, hold: Hold) -> bytearray:
    """Read the body, however it comes, but never more of it than `most` bytes.

    Raises Error `malformed_request` where less comes than was announced: some servers hand that on
    as if it were all (PEP 3333 leaves it to them). And where it takes too much work: chunks are
    undone below us, so how small they are shows in that alone.
    """
    announced = request.content_length or 0
    if announced > most:
        raise too_large(most)
    hold(announced)
    raw, began = bytearray(), time.thread_time()
    while piece := _piece(request, min(PIECE, most + 1 - len(raw))):
        raw += piece
        hold(len(raw))
        if time.thread_time() - began > quotas.BODY_WORK:
            raise Error("malformed_request", "The body comes in too many pieces.")
    if len(raw) > most:
        raise too_large(most)
    if len(raw) < announced:
        raise _cut_short()
    return raw


def _piece(request: Request, size: int) -> bytes:
    try:
        return request.stream.read(size)
    except Exception:  # noqa: BLE001 - of whatever server this is: its client sent no whole body
        raise _cut_short() from None


def _cut_short() -> Error:
    return Error("malformed_request", "The body does not arrive whole.")


def _codings(request: Request) -> list[str]:
    """Give how the body is compressed: by gzip, once, or not at all (RFC 9110, section 8.4)."""
    names = request.headers.get("Content-Encoding", "").lower().split(",")
    codings = [name.strip() for name in names if name.strip()]
    if codings and codings not in GZIP:
        only = "A body may be compressed with `gzip`, once."
        raise Error("unsupported_media_type", only, headers={"Accept-Encoding": "gzip"})
    return codings
