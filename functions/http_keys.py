"""Key-encryption keys over HTTP: their rotation, the operator's alone."""

import functions_framework
from flask import Request, Response

from shared import key_rotation
from shared.rest import serve

PRIVATE = {"rotate_keys": key_rotation.rotate}


@functions_framework.http
def rotateKeys(request: Request) -> Response:
    """Take one step of a rotation of the key-encryption key. Private: for the operator alone."""
    return serve(request, PRIVATE, "rotate_keys")
