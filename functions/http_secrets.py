"""Secrets over HTTP: the functions whose identity may unwrap a project's key."""

from functools import partial

import functions_framework
from flask import Request, Response

from shared import resources
from shared.kinds import SECRETS
from shared.rest import serve

OPERATIONS = {
    "create_secret": partial(resources.create, SECRETS),
    "replace_secret": partial(resources.replace, SECRETS),
    "get_secret": partial(resources.get, SECRETS),
    "list_secrets": partial(resources.listing, SECRETS),
    "delete_secret": partial(resources.delete, SECRETS),
}


@functions_framework.http
def putSecret(request: Request) -> Response:
    """Create a secret (POST .../secrets), or replace it (PUT .../secrets/{name})."""
    return serve(request, OPERATIONS, "create_secret", "replace_secret")


@functions_framework.http
def getSecret(request: Request) -> Response:
    """Get a secret: GET .../secrets/{name}."""
    return serve(request, OPERATIONS, "get_secret")


@functions_framework.http
def listSecrets(request: Request) -> Response:
    """List secrets: GET .../secrets."""
    return serve(request, OPERATIONS, "list_secrets")


@functions_framework.http
def deleteSecret(request: Request) -> Response:
    """Delete a secret: DELETE .../secrets/{name}."""
    return serve(request, OPERATIONS, "delete_secret")
