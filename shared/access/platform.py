"""Who may call the functions that tenants may not: the event's, the schedules', the operator's.

In the cloud the caller shows an OIDC token of Google's, made for this function's address, of an
account that the settings allow. Beside an emulator the caller is this machine. Either way only
*who* calls is decided here: what is done never depends on what was sent.
"""

import ipaddress
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal

import jwt
import requests

from shared import quotas
from shared.access.tokens import unauthorized
from shared.app import App
from shared.errors import Error, unavailable
from shared.settings import Settings

Caller = Literal["event", "schedule", "seal", "admin"]
ISSUERS = ("https://accounts.google.com", "accounts.google.com")
CLAIMS = ("exp", "iat", "iss", "aud", "sub", "email", "email_verified")
MARK = "reprieve.caller"  # of the local host, in the WSGI environment: no header can set it
KEPT, PAUSE = 3600.0, 30.0  # seconds keys are kept; between two fetches, whatever is asked
LOCAL_NAMES = {"localhost", "127.0.0.1", "[::1]"}
_LOCK = threading.Lock()
_FOUND: dict[str, tuple[float, dict[str, jwt.PyJWK]]] = {}  # by address: when, and the keys
# Of a proxy's, a page's or a tenant's request.
STRANGE = {MARK, "HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_ORIGIN", "HTTP_AUTHORIZATION"}


def admit(app: App, caller: Caller, environ: Mapping[str, Any]) -> str | None:
    """Give the verified e-mail of the platform's own caller, whose request this must be.

    None where this machine calls, beside an emulator: it shows no token. Raises Error
    `unauthorized` without a token, or with one that does not hold; `forbidden` for any other
    identity; `unavailable` while the issuer's keys cannot be fetched.
    """
    settings = app.settings
    allowed = settings.callers.get(caller, frozenset())
    if settings.emulator and (not allowed or environ.get(MARK) == "host"):
        _admit_local(environ)
        return None
    return _admit_token(app, allowed, environ.get("HTTP_AUTHORIZATION", ""))


def _admit_local(environ: Mapping[str, Any]) -> None:
    """Admit the local host itself, and who calls a function alone from this machine.

    A web page is neither: it has an Origin, or (its name rebound to this machine) another Host.
    """
    if environ.get(MARK) == "host":
        return
    name = str(environ.get("HTTP_HOST", "")).lower()
    host = name.rpartition(":")[0] if name.rpartition(":")[2].isdigit() else name
    near = False
    with suppress(ValueError):  # no address at all is not this machine's
        near = ipaddress.ip_address(str(environ.get("REMOTE_ADDR", ""))).is_loopback
    if not near or host not in LOCAL_NAMES or not STRANGE.isdisjoint(environ):
        raise Error("forbidden", "This function is called by the local host alone.")


def _admit_token(app: App, allowed: frozenset[str], header: str) -> str:
    if header[:7].lower() != "bearer ":
        raise unauthorized("No token: this function is called by the platform alone.")
    claims = _claims(app.settings, header[7:].strip())
    if float(claims["exp"]) <= app.wall():
        raise unauthorized("The token has expired.")
    if claims.get("email_verified") is not True or str(claims.get("email")) not in allowed:
        raise Error("forbidden", "This identity may not call this function.")
    return str(claims["email"])


def _claims(settings: Settings, token: str) -> dict[str, Any]:
    """Verify signature, algorithm, issuer, audience and times (RFC 8725)."""
    try:
        name = str(jwt.get_unverified_header(token).get("kid", ""))
        key = _key(settings.oidc_keys, name)
        if key is None or not settings.function_url:
            raise unauthorized()
        return jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=settings.function_url,
            issuer=ISSUERS,
            leeway=quotas.CLOCK_SKEW,  # of the expiry there is none: `_admit_token`
            options={"require": list(CLAIMS), "strict_aud": True},
        )
    except (jwt.PyJWTError, TypeError, ValueError):
        raise unauthorized() from None


def _key(url: str, name: str) -> jwt.PyJWK | None:
    """Give the issuer's public key of a name, if there is one; raises Error `unavailable`.

    Fetched seldom, whatever tokens come. PyJWT's PyJWKClient asks the proxies of the environment.
    """
    with _LOCK:
        now = time.monotonic()
        at, keys = _FOUND.get(url, (-KEPT, {}))
        if now - at >= (KEPT if name in keys else PAUSE):
            keys = _fetched(url)
            _FOUND[url] = (now, keys)
        return keys.get(name)


def _fetched(url: str) -> dict[str, jwt.PyJWK]:
    try:
        with requests.Session() as session:
            session.trust_env = False  # neither a proxy nor a .netrc file
            answer = session.get(url, timeout=5, allow_redirects=False)
        answer.raise_for_status()
        rows = answer.json()["keys"]
        return {row["kid"]: jwt.PyJWK(row, "RS256") for row in rows if row.get("kty") == "RSA"}
    except (requests.RequestException, jwt.PyJWTError, KeyError, TypeError, ValueError):
        raise unavailable("The issuer's keys cannot be fetched") from None
