"""The wire: from an HTTP request to a use case and back. No rule of the domain lives here.

`serve` parses, authenticates, asks whether the caller may, checks against openapi.yaml, calls,
and answers; it catches everything, so no framework's error page ever goes out.
"""

import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any
from urllib.parse import urlencode

from flask import Request, Response

from shared import quotas
from shared.app import Answer, App, Call, Page, Principal, get_app
from shared.auth import authenticate, require
from shared.bodies import parse_form, parse_json
from shared.errors import Error, Target, missing
from shared.failures import log_failure, new_trace
from shared.schema import Operation, operations, route

Handler = Callable[[App, Call], Answer]
PLATFORM = Principal("platform", "", frozenset())  # who calls what takes no token
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def serve(request: Request, handlers: Mapping[str, Handler], *names: str) -> Response:
    """Answer a request for one of the operations named; for any of the handlers' if none is.

    A request at `/` calls the function by name: POST with one JSON object that merges path,
    query, header and body members. Any other path is the operation's REST path.
    """
    trace = new_trace()
    try:
        return _answered(request, {name: handlers[name] for name in names or handlers}, trace)
    except Error as error:
        return _refusal(error, trace)
    except Exception as error:  # noqa: BLE001 - the last resort, and it must hold
        log_failure(error, trace)
        return _refusal(Error("internal", "Internal error."), trace)


def _answered(request: Request, handlers: Mapping[str, Handler], trace: str) -> Response:
    known = [operations()[name] for name in handlers]
    by_name = request.path == "/" and len({operation.function for operation in known}) == 1
    if by_name:
        if request.method != "POST":
            raise Error("method_not_allowed", "A function is called with POST.", headers=_POST)
        asked = known
    else:
        if "%2f" in request.environ.get("RAW_URI", "").partition("?")[0].lower():
            raise missing()
        operation, given = route(known, request.method, request.path)
        asked = [operation]
    app = get_app()
    principal = _principal(app, request, asked)  # before anything of a stranger's body is parsed
    _check_accept(request)
    types = {operation.media_type for operation in asked} | ({JSON} if by_name else set())
    raw = _raw(request, max(operation.body_bytes for operation in asked))
    body = _body(request, raw, types - {None}, by_name or not asked[0].body_required)
    if by_name:
        if not isinstance(body, dict):
            raise Error("invalid_field", "`body` must be of type object.", Target("field", "body"))
        operation = _asked_for(known, body)
        given = {p.key: body.pop(p.key) for p in operation.parameters if p.key in body}
    else:
        given |= _given(request, operation)
    _check_role(principal, operation)
    parameters, body = operation.checked(given, body, len(raw))
    _check_version(parameters)
    answer = handlers[operation.id](app, Call(principal, parameters, body, trace))
    return _response(app, operation, parameters, answer, trace)


_POST = {"Allow": "POST"}


def _asked_for(known: list[Operation], merged: Mapping[str, Any]) -> Operation:
    """Give the most demanding operation whose required parameters are all there."""
    ranked = sorted(known, key=lambda operation: len(operation.required), reverse=True)
    return next((op for op in ranked if op.required <= merged.keys()), ranked[-1])


def _principal(app: App, request: Request, asked: list[Operation]) -> Principal:
    """Give who calls; raises Error `unauthorized` unless one of the operations takes anybody."""
    if any(operation.permission is None for operation in asked):
        return PLATFORM
    principal = authenticate(app, request.headers.get("Authorization"))
    if len(asked) == 1:
        _check_role(principal, asked[0])
    return principal


def _check_role(principal: Principal, operation: Operation) -> None:
    if operation.permission:
        require(principal, operation.permission)


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
    for parameter in operation.parameters:
        if parameter.place == "header" and parameter.name in request.headers:
            given[parameter.key] = request.headers[parameter.name]
        elif parameter.place == "query" and parameter.name in request.args:
            values = request.args.getlist(parameter.name)
            if len(values) > 1:
                once = f"`{parameter.name}` may be given once."
                raise Error("invalid_field", once, Target("parameter", parameter.name))
            given[parameter.key] = values[0]
    return given


def _raw(request: Request, most: int) -> bytes:
    """Read the body, however it comes, but never more of it than `most` bytes."""
    raw = bytearray()
    if (request.content_length or 0) <= most:
        while chunk := request.stream.read(most + 1 - len(raw)):
            raw += chunk
        if len(raw) <= most:
            return bytes(raw)
    request.stream = io.BytesIO()  # the framework would read all the rest
    raise Error("payload_too_large", f"The body may hold at most {most} bytes.")


def _body(request: Request, raw: bytes, types: set[str | None], optional: bool) -> Any:
    """Give the parsed body; an empty object where there is none, and where none belongs."""
    if not types or (not raw and optional):
        return {}
    if request.mimetype not in types or request.headers.get("Content-Encoding"):
        wanted = " or ".join(f"`{name}`" for name in sorted(map(str, types)))
        raise Error("unsupported_media_type", f"The body must be {wanted}.")
    return parse_form(raw) if request.mimetype == FORM else parse_json(raw)


def _response(
    app: App, operation: Operation, parameters: Mapping[str, Any], answer: Answer, trace: str
) -> Response:
    body = answer.body
    if answer.page is not None:
        body = _page(app, operation, parameters, answer.page)
    headers = {}
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
    named = {"X-Global-Transaction-ID": trace, **ALWAYS, **headers}
    return Response(text, status, headers=named, content_type=JSON)
