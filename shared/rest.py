"""The wire: from an HTTP request to a use case and back. No rule of the domain lives here.

`serve` parses, authenticates, asks whether the caller may, checks against openapi.yaml, calls,
and answers; it catches everything, so no framework's error page ever goes out.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from typing import Any
from urllib.parse import quote, urlencode

from flask import Request, Response, abort
from werkzeug.exceptions import HTTPException

from shared import callers, quotas
from shared.admission import READING, WORKING, count, count_exchange
from shared.app import ANYBODY, OPERATOR, Answer, App, Call, Page, Principal, get_app
from shared.attempts import one_request
from shared.auth import authenticate, require
from shared.bodies import inflate, parse_form, parse_json, parse_query, too_large
from shared.errors import Error, Target
from shared.failures import contained, log_failure, new_trace
from shared.routes import route
from shared.schema import Operation, operations

Handler = Callable[[App, Call], Answer]
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
GZIP, UTF_8 = (["gzip"], ["x-gzip"]), {"utf-8", "utf8"}
POST = {"Allow": "POST"}
PAGES = {404: "resource_not_found", 405: "method_not_allowed"}
# An answer is data for a program: nothing of it is to be drawn, kept, or read by another page.
ALWAYS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
SECURE = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}


def serve(request: Request, handlers: Mapping[str, Handler], *names: str) -> Response:
    """Answer a request for one of the operations named; for any of the handlers' if none is.

    A request at `/` calls the function by name: POST with one JSON object that merges path,
    query, header and body members. Any other path is the operation's REST path.
    """
    trace = new_trace()
    chosen = {name: handlers[name] for name in names} if names else handlers
    try:
        return _answered(request, chosen, trace)
    except Error as error:
        return _refusal(error, trace)
    except Exception as error:  # noqa: BLE001 - the last resort, and it must hold
        log_failure(error, trace)
        return _refusal(Error("internal", "Internal error."), trace)
    finally:  # what is unread stays so: the framework would take it all into memory
        request.stream = io.BytesIO()


@contextmanager
def platform(caller: callers.Caller, request: Request) -> Iterator[App]:
    """Run an event's or a schedule's function for its own caller alone; any other is refused.

    Raises Failed when the function fails, and werkzeug's HTTPException with the refusal.
    """
    trace = new_trace()
    with contained():
        try:
            app = get_app()
            callers.admit(app, caller, request.environ)
            refusal = None
        except Error as error:
            refusal = _refusal(error, trace)
    if refusal is not None:
        abort(refusal)
    with contained():
        yield app


def page(problem: HTTPException) -> Response:
    """Say in our form what the framework refuses by itself."""
    allow = {name: value for name, value in problem.get_headers() if name == "Allow"}
    code = PAGES.get(problem.code or 0, "malformed_request")
    return _refusal(Error(code, "The function takes no such request.", headers=allow), new_trace())


def _answered(request: Request, handlers: Mapping[str, Handler], trace: str) -> Response:
    path = _path(request.environ)
    known = [operations()[name] for name in handlers] if path == "/" else []
    by_name = len({operation.function for operation in known}) == 1
    if by_name:
        if request.method != "POST":
            raise Error("method_not_allowed", "A function is called with POST.", headers=POST)
        asked = known
    else:
        operation, given = route(handlers, request.method, path)
        asked = [operation]
    app = get_app()
    principal = _principal(app, request, asked)  # before anything of a stranger's body is parsed
    count(app, principal, request.environ)
    _check_accept(request)
    types = {name for operation in asked for name in operation.media_types}
    if by_name:
        types.add(JSON)
    optional = by_name or not asked[0].body_required
    with READING.entered(quotas.BODIES if _has_body(request) else 0):
        raw, body = _body(request, types, asked, optional=optional)
    if by_name:
        if not isinstance(body, dict):
            raise Error("invalid_field", "`body` must be of type object.", Target("field", "body"))
        operation = _asked_for(known, body)
        given = {p.key: body.pop(p.key) for p in operation.parameters if p.key in body}
    else:
        given |= _given(request, operation)
    _check_role(principal, operation)
    with WORKING.entered(app.settings.concurrency), one_request():
        parameters, body = operation.checked(given, body, len(raw))
        _check_version(parameters)
        if operation.id == "issue_token":
            count_exchange(app, body, request.environ)
        answer = handlers[operation.id](app, Call(principal, parameters, body, trace))
        return _response(app, operation, parameters, answer, trace)


def _path(environ: Mapping[str, Any]) -> str:
    """Give the path as it was sent, without the query: decoded, `%2F` would look like `/`."""
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if target is None:  # a server that says neither: an encoded slash is lost
        return quote(environ["PATH_INFO"].encode("latin-1"))
    path = str(target).partition("?")[0]
    if not path.startswith("/"):  # the absolute form (RFC 9112, section 3.2.2)
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path


def _asked_for(known: list[Operation], merged: Mapping[str, Any]) -> Operation:
    """Give the most demanding operation whose required parameters are all there."""
    ranked = sorted(known, key=lambda operation: len(operation.required), reverse=True)
    return next((op for op in ranked if op.required <= merged.keys()), ranked[-1])


def _principal(app: App, request: Request, asked: list[Operation]) -> Principal:
    """Give who calls; raises Error `unauthorized` unless one of the operations takes anybody."""
    if any(operation.private for operation in asked):
        callers.admit(app, "admin", request.environ)
        return OPERATOR
    if any(operation.permission is None for operation in asked):
        return ANYBODY
    principal = authenticate(app, request.headers.get("Authorization"))
    if len(asked) == 1:
        _check_role(principal, asked[0])
    return principal


def _check_role(principal: Principal, operation: Operation) -> None:
    if operation.permission:
        require(principal, operation.permission)


def _has_body(request: Request) -> bool:
    return bool(request.content_length or request.headers.get("Transfer-Encoding"))


def _check_accept(request: Request) -> None:
    if request.headers.get("Accept") and not request.accept_mimetypes.quality(JSON):
        raise Error("not_acceptable", "Answers come as `application/json`.")


def _check_version(parameters: Mapping[str, Any]) -> None:
    version = parameters.get("version", quotas.FIRST_VERSION)
    if not quotas.FIRST_VERSION <= version <= quotas.NEWEST_VERSION:
        known = f"`version` must be from {quotas.FIRST_VERSION} to {quotas.NEWEST_VERSION}."
        raise Error("invalid_field", known, Target("parameter", "version"))


def _given(request: Request, operation: Operation) -> dict[str, Any]:
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
                once = f"`{parameter.name}` may be given once."
                raise Error("invalid_field", once, Target("parameter", parameter.name))
            given[parameter.key] = first
    return given


def _body(
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


def _response(
    app: App, operation: Operation, parameters: Mapping[str, Any], answer: Answer, trace: str
) -> Response:
    body = answer.body
    if answer.page is not None:
        body = _page(app, operation, parameters, answer.page)
    headers = {f"X-Reprieve-{name}": value for name, value in answer.told.items()}
    if answer.entity_tag:
        headers["ETag"] = answer.entity_tag  # unquoted, as IBM's clients send it back
    if answer.location and operation.method == "POST":
        headers["Location"] = answer.location
    if answer.now:
        headers["X-Reprieve-Now"] = answer.now.astimezone(UTC).isoformat()
    return _json(operation.status, body, trace, headers)


def _page(
    app: App, operation: Operation, parameters: Mapping[str, Any], page: Page
) -> dict[str, Any]:
    """Give a list's body: links with scheme and host, filters kept (contract section 5)."""
    link = app.settings.endpoint + operation.path.format_map(parameters)
    query = {
        parameter.name: parameters[parameter.key]
        for parameter in operation.parameters
        if parameter.place == "query" and parameter.key in parameters and parameter.key != "start"
    }
    body: dict[str, Any] = {
        "limit": parameters["limit"],
        "first": {"href": f"{link}?{urlencode(query)}"},
    }
    if page.next is not None:
        following = urlencode(query | {"start": page.next})
        body["next"] = {"href": f"{link}?{following}", "start": page.next}
    return body | {page.key: page.entries}


def _refusal(error: Error, trace: str) -> Response:
    if error.code == "apikey_not_found":  # the identity service's own form (contract 7.1)
        context = {"requestId": trace, "requestType": "incoming.Identity_Token"}
        code, message = "BXNIM0415E", error.message
        form = {"errorCode": code, "errorMessage": message, "context": context}
        return _json(error.status, form, trace, error.headers)
    body = {"errors": error.entries(), "trace": trace, "status_code": error.status}
    return _json(error.status, body, trace, error.headers)


def _json(status: int, body: Any, trace: str, headers: Mapping[str, str]) -> Response:
    text = b"" if body is None else json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    named = {"X-Global-Transaction-ID": trace, **ALWAYS, **_secure(), **headers}
    return Response(text, status, headers=named, content_type=JSON)


def _secure() -> Mapping[str, str]:
    """Give what is said besides where the API is reached by https (RFC 6797, section 7.2)."""
    try:
        return SECURE if get_app().settings.endpoint.startswith("https:") else {}
    except Exception:  # noqa: BLE001 - a process that is not wired still answers
        return {}
