"""Identity over HTTP: tokens for keys, keys managed by their account, and its first key."""

import functions_framework
from flask import Request, Response

from shared import api_keys, auth
from shared.rest import serve

OPERATIONS = {
    "issue_token": auth.issue_token,
    "list_api_keys": api_keys.listing,
    "create_api_key": api_keys.create,
    "get_api_key": api_keys.get,
    "delete_api_key": api_keys.delete,
}
PRIVATE = {"create_account": api_keys.create_account}


@functions_framework.http
def issueToken(request: Request) -> Response:
    """Exchange an API key for a token: POST /identity/token."""
    return serve(request, OPERATIONS, "issue_token")


@functions_framework.http
def listApiKeys(request: Request) -> Response:
    """List the API keys of the account: GET /v1/apikeys."""
    return serve(request, OPERATIONS, "list_api_keys")


@functions_framework.http
def createApiKey(request: Request) -> Response:
    """Make an API key: POST /v1/apikeys."""
    return serve(request, OPERATIONS, "create_api_key")


@functions_framework.http
def getApiKey(request: Request) -> Response:
    """Get an API key: GET /v1/apikeys/{id}."""
    return serve(request, OPERATIONS, "get_api_key")


@functions_framework.http
def deleteApiKey(request: Request) -> Response:
    """Delete an API key: DELETE /v1/apikeys/{id}."""
    return serve(request, OPERATIONS, "delete_api_key")


@functions_framework.http
def createAccount(request: Request) -> Response:
    """Make an account with its first key. Private: for the operator alone."""
    return serve(request, PRIVATE, "create_account")
