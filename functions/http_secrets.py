"""Secrets over HTTP: the functions whose identity may unwrap a project's key."""

import functions_framework
from flask import Request, Response

from functions.http_resources import operations_of
from shared.kinds import SECRETS
from shared.rest import serve

OPERATIONS = operations_of(SECRETS)


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
