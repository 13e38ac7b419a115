"""The schedule, every five minutes: what is due, what is stuck, and whether slots are right."""

import functions_framework
from flask import Request, Response, abort, jsonify

from shared import upkeep
from shared.wire import platform


@functions_framework.http
def enforceRetention(request: Request) -> Response:
    """Enforce retention: POST /, by the scheduler; what it sends is not read."""
    if request.method != "POST" or request.path != "/":  # a health probe runs no sweep
        abort(404)
    with platform("schedule", request) as app:
        return jsonify(upkeep.enforce(app))
