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
