"""The tokens that API keys are exchanged for: issued here, and verified.

A key is stored as the SHA-256 of its high-entropy text; a token is a JWT signed with the
keyring's Ed25519 key, and with nothing else.
"""

import hashlib
import hmac
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared import quotas
from shared.access import records
from shared.app import App
from shared.calls import Answer, Call, Principal
from shared.errors import Error

ISSUER, AUDIENCE = "urn:reprieve:identity", "urn:reprieve:api"
SCOPE, GRANT = "ibm openid", "urn:ibm:params:oauth:grant-type:apikey"  # contract section 7.1
CODE_GRANT = "urn:reprieve:grant:signin-code"  # ours: of a browser that `ce open` signs in
GONE = "The API key of this token is gone or has changed: log in again."
HEADER = {"alg": "EdDSA", "typ": "at+jwt"}  # one algorithm, one type (RFC 8725, RFC 9068)


def unauthorized(message: str = "The token is not valid.") -> Error:
    """Give the error for a request whose sender is not known."""
    return Error("unauthorized", message, headers={"WWW-Authenticate": "Bearer"})


def authenticate(app: App, header: str | None) -> Principal:
    """Give the principal of an `Authorization` header, with or without `Bearer`.

    Raises Error `unauthorized` unless signature, algorithm, type, issuer, audience and times hold
    (RFC 8725). The host that issued it may be ahead by quotas.CLOCK_SKEW; it ends by this one's
    clock, and on the second.
    """
    if not header:
        raise unauthorized("No token: send `Authorization: Bearer TOKEN`.")
    token = header[7:] if header[:7].lower() == "bearer " else header
    principal, issued, expiry = _verified(app.keyring.verifying_key, token.strip())
    if expiry <= app.wall():
        raise unauthorized("The token has expired.")
    if records.too_old(app, issued):
        raise unauthorized("The token was issued before those that are still valid.")
    if issued < app.ended.get(principal, 0):
        raise unauthorized(GONE)
    return principal


def end(app: App, principal: Principal) -> Error:
    """Note that a key is gone, or is not what its token says; give the error of that token.

    What was issued before and says the same is refused from now on, by this process, without asking
    the store again: so it draws on nobody's rate but that of the address it comes from. What says
    otherwise is of the key as it is now, even where a host whose clock is behind issued it.
    """
    app.ended.pop(principal, None)
    app.ended[principal] = int(app.wall())
    if len(app.ended) > quotas.TOKEN_CACHE_ENTRIES:
        app.ended.popitem(last=False)
    return unauthorized(GONE)


@lru_cache(maxsize=quotas.TOKEN_CACHE_ENTRIES)
def _verified(public_key: bytes, token: str) -> tuple[Principal, float, float]:
    """Verify once; give who it is of, when it was issued, and until when it holds."""
    try:
        if jwt.get_unverified_header(token) != HEADER:
            raise unauthorized()
        claims = jwt.decode(
            token,
            Ed25519PublicKey.from_public_bytes(public_key),
            algorithms=[HEADER["alg"]],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=quotas.CLOCK_SKEW,  # of the expiry there is none: `authenticate`
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
        account, roles, project = _account(claims), claims["roles"], claims.get("project")
        if not isinstance(roles, list) or not isinstance(project, str | None):
            raise unauthorized()
        if not all(isinstance(role, str) for role in roles):
            raise unauthorized()
        by_code = claims.get("grant_type") == CODE_GRANT
        who = claims["sub"], account, frozenset(roles), project
        principal = Principal(*who, by_code=by_code, name=records.name_of(claims))
        return principal, float(claims["iat"]), float(claims["exp"])
    except jwt.ExpiredSignatureError:
        raise unauthorized("The token has expired.") from None
    except (jwt.PyJWTError, KeyError, OverflowError, TypeError, ValueError):
        raise unauthorized() from None


def _account(claims: Mapping[str, Any]) -> str:
    """Give the account of a token, which IBM's clients have as `account.bss`.

    Version 0.1.0 signed the text alone. Nobody issues that any more, and no token lives longer
    than quotas.TOKEN_LIFETIME: an hour after an upgrade there is none.
    """
    account = claims["account"]
    bss = account["bss"] if isinstance(account, dict) else account
    if not isinstance(bss, str):
        raise unauthorized()
    return bss


def _for_ibm(record: Mapping[str, Any], grant: str) -> dict[str, Any]:
    """Give the claims that IBM's clients cast without a look: Terraform's provider, for one.

    No `email`: nobody has one. `roles`, `sub` and `project` are what is verified here.
    """
    identity = f"iam-ServiceId-{record['id']}"
    return {
        "id": identity,
        "iam_id": identity,
        "account": {"valid": True, "bss": record["account_id"], "frozen": False},
        "scope": SCOPE,
        "grant_type": grant,
    }


def of_key(app: App, call: Call) -> Answer:
    """Exchange an API key for a token (contract section 7.1).

    Raises Error `apikey_not_found` for a key that does not exist, is not the one stored or was made
    before `CE_KEYS_SINCE`, which cannot be told apart; and, told to who has the key's whole text,
    for one that has expired.
    """
    text = call.body["apikey"]
    path = records.path_of(key_id(text))
    record = records.accepted(app, app.store.read(path)[path]) or {}
    if not hmac.compare_digest(digest(text), record.get("sha256", b"")):
        raise Error("apikey_not_found", "Provided API key could not be found.")
    if records.expired(app, record):
        raise Error("apikey_not_found", "Provided API key has expired.")
    return issued(app, record, GRANT)


def issued(app: App, record: Mapping[str, Any], grant: str) -> Answer:
    """Give a token of a key as its record says it is; `grant` is what was exchanged for it.

    It lives for quotas.TOKEN_LIFETIME, and never longer than its key.
    """
    now = int(app.wall())
    expiration = now + int(quotas.TOKEN_LIFETIME.total_seconds())
    if expires_at := record["expires_at"]:  # no token outlives its key
        expiration = min(expiration, int(expires_at.timestamp()))
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": record["id"],
        "name": record["name"],
        "iat": now,
        "exp": expiration,
        **_for_ibm(record, grant),
        "roles": record["roles"],
        **({"project": record["project_id"]} if record["project_id"] is not None else {}),
    }
    token = jwt.encode(claims, app.keyring.signing_key, HEADER["alg"], headers=HEADER)
    return Answer(
        {
            "access_token": token,
            "refresh_token": "not_supported",
            "token_type": "Bearer",
            "expires_in": expiration - now,
            "expiration": expiration,
            "scope": SCOPE,
        }
    )


def key_id(text: str) -> str:
    """Give the public part of a key `ce_ID_SECRET`; of any other text, one that does not exist."""
    parts = text.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[1].isalnum() and parts[1].isascii() else "unknown"


def digest(text: str) -> bytes:
    """Give what is stored of a key's text: its SHA-256, enough for 256 random bits."""
    return hashlib.sha256(text.encode()).digest()
