"""What a request brings: its path as it was sent, its parameters, its body, strictly read."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from flask import Request

from shared import quotas
from shared.api import Operation
from shared.errors import Error, Target, invalid
from shared.wire.strict import inflate, parse_form, parse_json, parse_query, too_large

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
GZIP, UTF_8 = (["gzip"], ["x-gzip"]), {"utf-8", "utf8"}


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


def check_accept(request: Request) -> None:
    """Raise Error `not_acceptable` where JSON is not taken as an answer."""
    if request.headers.get("Accept") and not request.accept_mimetypes.quality(JSON):
        raise Error("not_acceptable", "Answers come as `application/json`.")


def check_version(parameters: Mapping[str, Any]) -> None:
    """Raise Error `invalid_field` for a version date of the API that is not known."""
    version = parameters.get("version", quotas.FIRST_VERSION)
    if not quotas.FIRST_VERSION <= version <= quotas.NEWEST_VERSION:
        known = f"must be from {quotas.FIRST_VERSION} to {quotas.NEWEST_VERSION}"
        raise invalid(Target("parameter", "version"), known)


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
    request: Request, types: set[str], asked: list[Operation], *, optional: bool
) -> tuple[bytes, Any]:
    """Give the body raw and parsed; an empty object where there is none, and where none belongs."""
    if not types:
        return b"", {}
    most = max(operation.body_bytes for operation in asked)
    raw = _raw(request, most)
    if not raw and optional:
        return b"", {}
    codings = _codings(request)
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in types or charset not in UTF_8:
        wanted = sorted(types)
        message = f"The body must be {' or '.join(f'`{name}`' for name in wanted)}, in UTF-8."
        raise Error("unsupported_media_type", message, headers={"Accept": ", ".join(wanted)})
    if codings:
        raw = inflate(raw, most)
    return raw, parse_form(raw) if request.mimetype == FORM else parse_json(raw)


def _raw(request: Request, most: int) -> bytes:
    """Read the body, however it comes, but never more of it than `most` bytes."""
    if (request.content_length or 0) > most:
        raise too_large(most)
    raw = bytearray()
    try:
        while chunk := request.stream.read(most + 1 - len(raw)):
            raw += chunk
    except Exception:  # noqa: BLE001 - of whatever server this is: its client sent no whole body
        raise Error("malformed_request", "The body does not arrive whole.") from None
    if len(raw) > most:
        raise too_large(most)
    return bytes(raw)


def _codings(request: Request) -> list[str]:
    """Give how the body is compressed: by gzip, once, or not at all (RFC 9110, section 8.4)."""
    names = request.headers.get("Content-Encoding", "").lower().split(",")
    codings = [name.strip() for name in names if name.strip()]
    if codings and codings not in GZIP:
        only = "A body may be compressed with `gzip`, once."
        raise Error("unsupported_media_type", only, headers={"Accept-Encoding": "gzip"})
    return codings
