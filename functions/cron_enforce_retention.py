"""The schedule, every five minutes: what is due, what is stuck, and whether slots are right."""

import functions_framework
from flask import Request, Response, abort, jsonify

from shared import upkeep
from shared.wire import platform

ACTS = {"/": upkeep.enforce, "/wake": upkeep.wake}


@functions_framework.http
def enforceRetention(request: Request) -> Response:
    """Enforce retention: POST /, by the scheduler; what it sends is not read.

    POST /wake only nudges what is being destroyed: for a host that has lost its events.
    """
    act = ACTS.get(request.path)
    if request.method != "POST" or act is None:  # a health probe runs no sweep
        abort(404)
    with platform("schedule", request) as app:
        return jsonify(act(app))
