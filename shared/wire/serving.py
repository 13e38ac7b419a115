"""From an HTTP request to a use case and back. No rule of the domain lives here.

`serve` parses, authenticates, asks whether the caller may, checks against openapi.yaml, calls,
and answers; it catches everything, so no framework's error page ever goes out.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

from flask import Request, Response, abort

from shared.access import Caller, admit, authenticate, require
from shared.api import Operation, operations, route
from shared.app import App, get_app
from shared.calls import ANYBODY, OPERATOR, Answer, Call, Origin, Principal
from shared.errors import Error, invalid
from shared.failures import contained, log_failure, new_trace
from shared.store import one_request
from shared.wire.admission import (
    count,
    count_create,
    count_exchange,
    holding,
    reading,
    unknown_counted,
    working,
)
from shared.wire.answers import refusal, response
from shared.wire.denials import Asked, on_record
from shared.wire.requests import (
    asked_for,
    body_of,
    check_accept,
    check_head,
    check_version,
    parameters_of,
    path_of,
)

Handler = Callable[[App, Call], Answer]
POST = {"Allow": "POST"}
EXCHANGES = {"issue_token", "preview_signin_code"}  # to look at a code is to try one


def serve(request: Request, handlers: Mapping[str, Handler]) -> Response:
    """Answer a request for one of the operations that have a handler here.

    A request at `/` calls the function by name: POST with one JSON object that merges path,
    query, header and body members. Any other path is the operation's REST path.
    """
    trace = new_trace()
    try:
        with unknown_counted(request.environ, get_app):
            return _answered(request, handlers, trace)
    except Error as error:
        return refusal(error, trace)
    except Exception as error:  # noqa: BLE001 - the last resort, and it must hold
        log_failure(error, trace)
        return refusal(Error("internal", "Internal error."), trace)
    finally:  # what is unread stays so: the framework would take it all into memory
        request.stream = io.BytesIO()


@contextmanager
def platform(caller: Caller, request: Request) -> Iterator[App]:
    """Run an event's or a schedule's function for its own caller alone; any other is refused.

    Raises Failed when the function fails, and werkzeug's HTTPException with the refusal.
    """
    trace = new_trace()
    with contained():
        try:
            app = get_app()
            with unknown_counted(request.environ, get_app):
                admit(app, caller, request.environ)
            refused = None
        except Error as error:
            refused = refusal(error, trace)
    if refused is not None:
        abort(refused)
    with contained():
        yield app


def _answered(request: Request, handlers: Mapping[str, Handler], trace: str) -> Response:
    check_head(request.environ)
    asked = _asked(request, handlers)
    app = get_app()
    # Before anything of a stranger's body is parsed; and a refusal counts: it may cost an entry.
    principal = _principal(app, request, asked.operations)
    count(app, principal, request.environ)
    with on_record(app, Origin(principal, trace), asked, request.environ):
        _check_any_role(principal, asked.operations)
        check_accept(request, asked.operations)
        return _carried_out(app, request, handlers, asked, principal, trace)


def _asked(request: Request, handlers: Mapping[str, Handler]) -> Asked:
    """Give what is asked for, as the address says it.

    Raises Error `resource_not_found` or `method_not_allowed`.
    """
    path = path_of(request.environ)
    known = [operations()[name] for name in handlers] if path == "/" else []
    if len({operation.function for operation in known}) != 1:
        operation, given = route(handlers, request.method, path)
        return Asked([operation], {**given})
    if request.method != "POST":
        raise Error("method_not_allowed", "A function is called with POST.", headers=POST)
    return Asked(known, {}, by_name=True)


def _carried_out(
    app: App,
    request: Request,
    handlers: Mapping[str, Handler],
    asked: Asked,
    principal: Principal,
    trace: str,
) -> Response:
    """Read the body and carry out what is asked for, as far as the process has room."""
    announced = request.content_length or request.headers.get("Transfer-Encoding")
    with holding(app, principal, request.environ) as hold:
        with reading(app, principal, request.environ) if announced else nullcontext():
            size, body = body_of(request, asked.operations, hold, by_name=asked.by_name)
        operation = _chosen(request, asked, body)
        _check_role(principal, operation)
        with working(app, principal, request.environ) as place, one_request(place.outside):
            parameters, body = operation.checked(asked.given, body, size)
            check_version(parameters)
            if operation.id in EXCHANGES:
                count_exchange(app, body, request.environ)
            if operation.id == "create_project":
                count_create(app, principal)
            call = Call(principal, parameters, body, trace, operation.id)
            answer = handlers[operation.id](app, call)
            return response(app, operation, parameters, answer, trace)


def _chosen(request: Request, asked: Asked, body: Any) -> Operation:
    """Give the one operation that is asked for; all its parameters are known then.

    By name they are members of the body, and are taken out of it.
    """
    if not asked.by_name:
        (operation,) = asked.operations
        asked.given |= parameters_of(request, operation)
        return operation
    if not isinstance(body, dict):
        raise invalid("body", "must be of type object")
    operation = asked_for(asked.operations, body)
    asked.operations = [operation]
    asked.given = {p.key: body.pop(p.key) for p in operation.parameters if p.key in body}
    return operation


def _principal(app: App, request: Request, asked: list[Operation]) -> Principal:
    """Give who calls; raises Error `unauthorized` unless one of the operations takes anybody."""
    if any(operation.private for operation in asked):
        return replace(OPERATOR, email=admit(app, "admin", request.environ))
    closed = not app.settings.log_public and any(operation.closable for operation in asked)
    if not closed and any(operation.permission is None for operation in asked):
        return ANYBODY
    return authenticate(app, request.headers.get("Authorization"))


def _check_any_role(principal: Principal, asked: list[Operation]) -> None:
    """Raise Error `forbidden` where each of the operations would: which one it is, no body says."""
    refused = None
    for operation in asked:
        try:
            return _check_role(principal, operation)
        except Error as error:
            refused = refused or error
    if refused:
        raise refused
    return None


def _check_role(principal: Principal, operation: Operation) -> None:
    if operation.permission:
        require(principal, operation.permission)
