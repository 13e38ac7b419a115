"""What this process takes on: the limits of `limits`, applied to who calls and from where."""

from collections.abc import Mapping
from typing import Any

from shared import quotas
from shared.app import ANYBODY, OPERATOR, App, Principal
from shared.auth import key_id
from shared.limits import Gate, Rates

RATES, READING, WORKING = Rates(), Gate(), Gate()


def count(app: App, principal: Principal, environ: Mapping[str, Any]) -> None:
    """Count a request: of its key, or of the address it comes from where it shows none.

    Raises Error `too_many_requests`.
    """
    if principal is OPERATOR:
        return
    rate, unknown = app.settings.rate, principal is ANYBODY
    caller = _address(app, environ) if unknown else principal.subject
    RATES.take((unknown, caller), rate, rate * quotas.KEY_BURST)


def count_exchange(app: App, body: Mapping[str, Any], environ: Mapping[str, Any]) -> None:
    """Count an exchange of a key, apart for each address: nobody can lock another out.

    Raises Error `too_many_requests`.
    """
    rate, caller = app.settings.token_rate, (key_id(body["apikey"]), _address(app, environ))
    RATES.take(caller, rate, rate * quotas.TOKEN_BURST)


def _address(app: App, environ: Mapping[str, Any]) -> str:
    """Give the address of who calls: in the cloud, what the platform's own proxy added last."""
    forwarded = "" if app.settings.emulator else str(environ.get("HTTP_X_FORWARDED_FOR", ""))
    return forwarded.rpartition(",")[2].strip() or str(environ.get("REMOTE_ADDR", ""))
