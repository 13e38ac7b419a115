"""Identity over HTTP: tokens for keys, and the first key of an account."""

import functions_framework
from flask import Request, Response

from shared import auth
from shared.rest import serve

OPERATIONS = {"issue_token": auth.issue_token}
PRIVATE = {"create_account": auth.create_account}


@functions_framework.http
def issueToken(request: Request) -> Response:
    """Exchange an API key for a token: POST /identity/token."""
    return serve(request, OPERATIONS, "issue_token")


@functions_framework.http
def createAccount(request: Request) -> Response:
    """Make an account with its first key. Private: for the operator alone."""
    return serve(request, PRIVATE, "create_account")
