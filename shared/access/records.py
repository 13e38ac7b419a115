"""API keys as they are stored: where a record lies, and what is read there.

Every reader of `api_keys/{id}` gets the record from `of` here, so that whatever must hold of a
record before it counts is asked in one place. Decides nothing about who may see it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared import forms
from shared.app import App
from shared.failures import tell
from shared.store import Document

PURPOSE = b"reprieve/api-key/v1\n"  # of the signature: nothing else that is signed begins so
KINDS = {
    "sha256": bytes,
    "account_id": str,
    "project_id": str | None,
    "roles": list,
    "created_at": datetime,
    "expires_at": datetime | None,
}
LONGEST_NAME = 128  # characters, as openapi.yaml has it
SIGNED = ("id", "sha256", "account_id", "roles", "project_id", "expires_at", "created_at")


def path_of(key_id: str) -> str:
    """Give the path of the document that holds an API key, by the key's public id."""
    return f"api_keys/{key_id}"


def signed(app: App, record: Mapping[str, Any]) -> dict[str, Any]:
    """Give the record as it is stored: who writes the database alone can make no such one."""
    return {**record, "signature": app.keyring.sign(message(record))}


def of(app: App, document: Document) -> dict[str, Any] | None:
    """Give the record of an API key as it was read; None where there is none that counts.

    It counts if a signing key that is not destroyed has signed it. While the store's form is the
    former one, one without a signature does too.
    """
    record = document.fields
    if record is None:
        return None
    if "signature" not in record and app.settings.store_form == forms.FORMER:
        forms.accepted("API key without a signature")
        return {**record, "name": name_of(record)}
    if _holds(app, document, record):
        return {**record, "name": name_of(record)}
    tell("CRITICAL", "an API key whose signature does not hold: refused", path=document.path)
    return None


def name_of(said: Mapping[str, Any]) -> str | None:
    """Give the name of a key, as its record or a token says it; None for what is no such name.

    It is not signed, and of no weight; but tokens and audit entries carry it.
    """
    name = said.get("name")
    fits = isinstance(name, str) and len(name) <= LONGEST_NAME and name.isprintable()
    return str(name) if fits else None


def alive(app: App, document: Document) -> dict[str, Any] | None:
    """Give the record of a key that can be used now; None also for one that has expired."""
    record = accepted(app, document)
    return None if record is None or expired(app, record) else record


def accepted(app: App, document: Document) -> dict[str, Any] | None:
    """Give the record of a key; None also for one made before `CE_KEYS_SINCE`."""
    record = of(app, document)
    if record is None or too_old(app, record["created_at"].timestamp()):
        return None
    return record


def expired(app: App, record: Mapping[str, Any]) -> bool:
    """Tell whether a key has expired: by the host's clock, as tokens, not by the lifecycle's."""
    expires_at = record["expires_at"]
    return bool(expires_at) and expires_at.timestamp() <= app.wall()


def too_old(app: App, made: float) -> bool:
    """Tell whether a key or a token is from before the moment since which they are accepted."""
    since = app.settings.keys_since
    return since is not None and made < since.timestamp()


def message(record: Mapping[str, Any]) -> bytes:
    """Give what is signed of a record: all that decides who may use it, and for what.

    Raises TypeError or ValueError for what is no record.
    """
    return PURPOSE + forms.canonical({name: _plain(record.get(name)) for name in SIGNED})


def said(document: Document) -> bytes | None:
    """Give what is signed of the record in a document; None where that is no record of a key."""
    record = document.contents
    if record.get("id") != document.id:
        return None
    if not all(isinstance(record.get(name), kind) for name, kind in KINDS.items()):
        return None  # what is signed is text: other values can read alike
    try:
        return message(record)
    except (TypeError, ValueError):
        return None


def _holds(app: App, document: Document, record: Mapping[str, Any]) -> bool:
    signature, whole = record.get("signature"), said(document)
    if whole is None or not isinstance(signature, bytes):
        return False
    return app.keyring.verifies(whole, signature)


def _plain(value: Any) -> Any:
    match value:
        case bytes():
            return value.hex()
        case datetime():
            return value.astimezone(UTC).isoformat()
    return value
