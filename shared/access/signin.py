"""Sign-in codes: a browser is signed in as an API key that it is never shown (ADR 26).

A code stands for the key it was made with, once and for quotas.SIGNIN_LIFETIME. Stored are its
SHA-256, whose it is, and a signature over that, so who writes the database alone makes none; its
text is in the answer to its creation and nowhere else. Codes, as keys and tokens, live by the
host's clock without the offset.

The live codes of a key are one document, written in the commit of each that is made or used: so
their bound is exact, whoever comes at once.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shared import evidence, forms, quotas
from shared.access import records, tokens
from shared.access.callers import own_key, require_own
from shared.app import App
from shared.calls import Answer, Call, Principal, timestamp
from shared.errors import Error
from shared.failures import tell
from shared.store import Document, Read, Write

PURPOSE = b"reprieve/signin-code/v1\n"  # of the signature: nothing else that is signed begins so
KINDS = {"key_id": str, "key": bytes, "expires_at": datetime, "signature": bytes}
Fields = Mapping[str, Any]


def create(app: App, call: Call) -> Answer:
    """Make a code of the caller's own key; its text is told once.

    Raises Error `unauthorized` where the key is gone or has changed, `already_made` for the same
    request, `quota_exceeded` when quotas.SIGNIN_CODES of the key are live, and `forbidden` to who
    was signed in by a code: its hour would go on unseen.
    """
    if call.principal.by_code:
        raise Error("forbidden", "A session that began with a sign-in code makes no codes.")
    code = secrets.token_urlsafe(32)
    now = datetime.fromtimestamp(int(app.wall()), UTC)
    expires_at = now + quotas.SIGNIN_LIFETIME
    own, where, live = own_key(call.principal), _path(code), live_of(call.principal.subject)
    once, name = evidence.Once(app, call), where.rpartition("/")[2]

    def decide(read: Read) -> tuple[list[Write], None]:
        key, at = require_own(app, call.principal, read), app.now(read)
        if once.told(read, at):
            told = "The same request made a code already, and its text is told only once"
            raise Error("already_made", f"{told}: ask for another, as a request of its own.")
        record = {"key_id": key["id"], "key": _meaning(key), "expires_at": expires_at}
        stored = Write.create(where, {**record, "signature": _signature(app, name, record)})
        codes = _room(app, read[live]) | {name: expires_at}
        listed = Write.replace(read[live], {"codes": codes, "expires_at": expires_at})
        made = evidence.of_key(app, call.origin, "signin.code", key, at)
        left = once.left(read, at, {"id": key["id"]})
        return [Write.verify(read[own]), stored, listed, made, *left], None

    paths = [own, where, live, *once.paths]
    app.store.transact(evidence.operation(call.origin), paths, decide)
    return Answer({"code": code, "expires_at": timestamp(expires_at)})


def preview(app: App, call: Call) -> Answer:
    """Tell which key a code stands for, to who has its text; nothing is used up.

    Raises Error `apikey_not_found` as `exchange` does.
    """
    where = _path(call.body["code"])
    code = _live(app, app.store.read(where)[where])
    path = records.path_of(code["key_id"])
    key = _key(app, code, app.store.read(path)[path])
    named = ("name", "account_id", "roles", "project_id")
    told = {name: key[name] for name in named if key[name] is not None}
    return Answer(told | {"expires_at": timestamp(code["expires_at"])})


def issue_token(app: App, call: Call) -> Answer:
    """Exchange an API key or a sign-in code for a token (contract section 7.1)."""
    by_code = call.body.get("grant_type") == tokens.CODE_GRANT
    return exchange(app, call) if by_code else tokens.of_key(app, call)


def exchange(app: App, call: Call) -> Answer:
    """Exchange a code for a token of its key; whoever comes first is the only one.

    Raises Error `apikey_not_found` for a code that there is not, that was used or has expired, or
    whose key is gone or is not what it was: these cannot be told apart. Where the signing key is
    out of reach it is not used up.
    """
    where = _path(call.body["code"])
    code = _live(app, app.store.read(where)[where])
    own, live = records.path_of(code["key_id"]), live_of(code["key_id"])

    def decide(read: Read) -> tuple[list[Write], Answer]:
        key = _key(app, _live(app, read[where]), read[own])
        who = key["id"], key["account_id"], frozenset(key["roles"]), key["project_id"]
        origin = replace(call.origin, principal=Principal(*who, name=key["name"]))
        used = evidence.of_key(app, origin, "signin.token", key, app.now(read))
        unlisted = _without(read[live], read[where].id)
        token = tokens.issued(app, key, tokens.CODE_GRANT)
        return [Write.delete(read[where]), Write.verify(read[own]), *unlisted, used], token

    return app.store.transact(evidence.operation(call.origin), [where, own, live], decide)


def over_at(app: App) -> datetime:
    """Give until when codes have expired that are of no use any more: by the host's clock."""
    return datetime.fromtimestamp(app.wall(), UTC) - quotas.SIGNIN_KEPT


def live_of(key_id: str) -> str:
    """Give the path of the document that lists a key's live codes."""
    return f"signin_keys/{key_id}"


def ended(document: Document) -> list[Write]:
    """Give the writes that end the codes of a key whose list was read."""
    if document.fields is None:
        return []
    codes = [Write.discard(f"signin_codes/{name}") for name in _codes(document)]
    return [Write.delete(document), *codes]


def _path(code: str) -> str:
    return f"signin_codes/{hashlib.sha256(code.encode()).hexdigest()}"


def _codes(document: Document) -> dict[str, datetime]:
    """Give the codes that are listed of a key, by their ids, each with its end."""
    codes: dict[str, datetime] = (document.fields or {}).get("codes", {})
    return codes


def _room(app: App, document: Document) -> dict[str, datetime]:
    """Give a key's live codes, where there is room for one more. Raises Error `quota_exceeded`."""
    codes = {name: end for name, end in _codes(document).items() if not _over(app, end)}
    if len(codes) >= quotas.SIGNIN_CODES:
        most = f"{quotas.SIGNIN_CODES} sign-in codes of the key are not used yet"
        raise Error("quota_exceeded", f"{most}: use one, or wait until one has expired.")
    return codes


def _without(document: Document, name: str) -> list[Write]:
    """Give the write after which a code is listed no more."""
    if name not in _codes(document):
        return []
    left = {other: end for other, end in _codes(document).items() if other != name}
    return [Write.update(document, {"codes": left}) if left else Write.delete(document)]


def _live(app: App, document: Document) -> Fields:
    """Give the record of a code that can be used now. Raises Error `apikey_not_found`."""
    record = document.fields or {}
    if not record or not _holds(app, document.id, record):
        raise _unknown()
    made = record["expires_at"] - quotas.SIGNIN_LIFETIME
    if _over(app, record["expires_at"]) or records.too_old(app, made.timestamp()):
        raise _unknown()
    return record


def _key(app: App, code: Fields, document: Document) -> Fields:
    """Give the record of a code's key, if that is what it was. Raises Error `apikey_not_found`."""
    key = records.alive(app, document)
    if key is None or _meaning(key) != code["key"]:
        raise _unknown()
    return key


def _meaning(key: Fields) -> bytes:
    """Give what a code notes of its key: a digest of all that decides what the key is for."""
    return hashlib.sha256(records.message(key)).digest()


def _signature(app: App, name: str, record: Fields) -> bytes:
    return app.keyring.sign(_message(name, record))


def _message(name: str, record: Fields) -> bytes:
    key, end = record["key"].hex(), record["expires_at"].astimezone(UTC).isoformat()
    whole = {"id": name, "key_id": record["key_id"], "key": key, "expires_at": end}
    return PURPOSE + forms.canonical(whole)


def _holds(app: App, name: str, record: Fields) -> bool:
    sound = all(isinstance(record.get(member), kind) for member, kind in KINDS.items())
    if sound and app.keyring.verifies(_message(name, record), record["signature"]):
        return True
    tell("CRITICAL", "a sign-in code whose signature does not hold: refused")
    return False


def _over(app: App, end: datetime) -> bool:
    return end.timestamp() <= app.wall()


def _unknown() -> Error:
    return Error("apikey_not_found", "Provided sign-in code is unknown, was used or has expired.")
