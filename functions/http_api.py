"""The REST surface behind two Hosting rewrites, for Hosting cannot route by method.

Tokens, API keys and sign-in codes apart from all else: who issues them holds the key that signs
them, and who opens secrets (`api`) must not.
"""

import functions_framework
from flask import Request, Response

from functions import (  # noqa: F401 - they bind
    http_audit,
    http_identity,
    http_log,
    http_projects,
    http_resources,
)
from functions.binding import HANDLERS
from shared.api import operations, published
from shared.app import App
from shared.calls import Answer, Call
from shared.wire import Handler, serve


def _document(_app: App, _call: Call) -> Answer:
    """Give the OpenAPI document of the operations that tenants may call."""
    return Answer(published())


SIGNS = (
    "/identity/",
    "/v1/apikeys",
    "/v1/signin_codes",
)  # how the paths begin of what takes the signing key
PUBLIC: dict[str, Handler] = {"get_api_document": _document} | {
    name: handler for name, handler in HANDLERS.items() if not operations()[name].private
}
SIGNING = {name: PUBLIC[name] for name in PUBLIC if operations()[name].path.startswith(SIGNS)}
OPERATIONS = {name: PUBLIC[name] for name in PUBLIC.keys() - SIGNING.keys()}


@functions_framework.http
def api(request: Request) -> Response:
    """Serve every operation under its REST path, but for tokens, keys and codes."""
    return serve(request, OPERATIONS)


@functions_framework.http
def identity(request: Request) -> Response:
    """Serve the operations of tokens, keys and codes under their REST paths."""
    return serve(request, SIGNING)
