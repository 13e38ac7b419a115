"""The whole REST surface behind one Hosting rewrite: Hosting cannot route by method."""

import functions_framework
from flask import Request, Response

from functions import http_identity, http_projects, http_resources  # noqa: F401 - they bind
from functions.binding import HANDLERS
from shared.api import operations, published
from shared.app import App
from shared.calls import Answer, Call
from shared.wire import Handler, serve


def _document(_app: App, _call: Call) -> Answer:
    """Give the OpenAPI document of the operations that tenants may call."""
    return Answer(published())


OPERATIONS: dict[str, Handler] = {"get_api_document": _document} | {
    name: handler for name, handler in HANDLERS.items() if not operations()[name].private
}


@functions_framework.http
def api(request: Request) -> Response:
    """Serve every operation under its REST path."""
    return serve(request, OPERATIONS)
