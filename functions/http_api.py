"""The whole REST surface behind one Hosting rewrite: Hosting cannot route by method."""

import functions_framework
from flask import Request, Response

from functions import http_identity, http_projects, http_resources, http_secrets
from shared.published import api_document
from shared.rest import Handler, serve

OPERATIONS: dict[str, Handler] = {
    **http_projects.OPERATIONS,
    **http_secrets.OPERATIONS,
    **http_resources.OPERATIONS,
    **http_identity.OPERATIONS,
    "get_api_document": api_document,
}


@functions_framework.http
def api(request: Request) -> Response:
    """Serve every operation under its REST path."""
    return serve(request, OPERATIONS)
