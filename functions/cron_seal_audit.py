"""The log's schedule, every minute: what the audit trail has gained is sealed and signed."""

import functions_framework
from flask import Request, Response, abort, jsonify

from shared import audit
from shared.wire import platform


@functions_framework.http
def sealAudit(request: Request) -> Response:
    """Seal the audit trail: POST /, by the scheduler; what it sends is not read.

    Answers with what was done, and with 204 where there was nothing to do.
    """
    if request.method != "POST" or request.path != "/":  # a health probe seals nothing
        abort(404)
    with platform("seal", request) as app:
        done = audit.seal(app)
    return jsonify(done) if any(done.values()) else Response(status=204)
