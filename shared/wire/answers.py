"""What goes back: an answer, a page of a list, a refusal, each with the headers that all have."""

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any
from urllib.parse import urlencode

from flask import Response
from werkzeug.exceptions import HTTPException

from shared.api import Operation
from shared.app import App, get_app
from shared.calls import Answer, Page
from shared.errors import Error
from shared.failures import new_trace

JSON = "application/json"
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


def page(problem: HTTPException) -> Response:
    """Say in our form what the framework refuses by itself."""
    allow = {name: value for name, value in problem.get_headers() if name == "Allow"}
    code = PAGES.get(problem.code or 0, "malformed_request")
    return refusal(Error(code, "The function takes no such request.", headers=allow), new_trace())


def response(
    app: App, operation: Operation, parameters: Mapping[str, Any], answer: Answer, trace: str
) -> Response:
    """Give the response that tells a use case's answer, under the status of its operation."""
    body = _page(app, operation, parameters, answer.page) if answer.page else answer.body
    headers = {f"X-Reprieve-{name}": value for name, value in answer.told.items()}
    if answer.entity_tag:
        headers["ETag"] = answer.entity_tag  # unquoted, as IBM's clients send it back
    if answer.location and operation.method == "POST":
        headers["Location"] = answer.location
    if answer.now:
        headers["X-Reprieve-Now"] = answer.now.astimezone(UTC).isoformat()
    if answer.raw:
        headers["Cache-Control"] = answer.raw.kept
        return _said(operation.status, answer.raw.data, answer.raw.type, trace, headers)
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


def refusal(error: Error, trace: str) -> Response:
    """Give the response that tells an Error, in the error model (contract section 6)."""
    if error.code == "apikey_not_found":  # the identity service's own form (contract 7.1)
        context = {"requestId": trace, "requestType": "incoming.Identity_Token"}
        form = {"errorCode": "BXNIM0415E", "errorMessage": error.message, "context": context}
        return _json(error.status, form, trace, error.headers)
    body = {"errors": error.entries(), "trace": trace, "status_code": error.status}
    return _json(error.status, body, trace, error.headers)


def _json(status: int, body: Any, trace: str, headers: Mapping[str, str]) -> Response:
    text = b"" if body is None else json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    return _said(status, text, JSON, trace, headers)


def _said(status: int, data: bytes, kind: str, trace: str, headers: Mapping[str, str]) -> Response:
    named = {"X-Global-Transaction-ID": trace, **ALWAYS, **_secure(), **headers}
    return Response(data, status, headers=named, content_type=kind)


def _secure() -> Mapping[str, str]:
    """Give what is said besides where the API is reached by https (RFC 6797, section 7.2)."""
    try:
        return SECURE if get_app().settings.endpoint.startswith("https:") else {}
    except Exception:  # noqa: BLE001 - a process that is not wired still answers
        return {}
