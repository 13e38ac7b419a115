"""API keys as they are stored: where a record lies, and what is read there.

Every reader of `api_keys/{id}` gets the record from `of` here, so that whatever must hold of a
record before it counts is asked in one place. Decides nothing about who may see it.
"""

from typing import Any

from shared.app import App
from shared.store import Document


def path_of(key_id: str) -> str:
    """Give the path of the document that holds an API key, by the key's public id."""
    return f"api_keys/{key_id}"


def of(_app: App, document: Document) -> dict[str, Any] | None:
    """Give the record of an API key as it was read; None where there is none that counts."""
    return document.fields


def alive(app: App, document: Document) -> dict[str, Any] | None:
    """Give the record of a key that can be used now; None also for one that has expired.

    Keys live by the host's clock, as tokens do, and not by the lifecycle's.
    """
    record = of(app, document)
    expires_at = record and record.get("expires_at")
    return None if expires_at and expires_at.timestamp() <= app.wall() else record
