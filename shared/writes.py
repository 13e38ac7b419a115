"""What is read of the store and what is written to it: documents, and writes with preconditions.

Pure values. A precondition says what must still be true when the commit is applied.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Document:
    """A document as read: its path, its fields (None when there is none), its update time."""

    path: str
    fields: dict[str, Any] | None = field(repr=False)
    update_time: Any = None

    @property
    def id(self) -> str:
        """The last segment of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Read:
    """Documents at one instant of the store's clock, missing ones included.

    The public emulator may tear a read that a commit overtakes; preconditions hold there too.
    """

    time: datetime
    documents: Mapping[str, Document]

    def __getitem__(self, path: str) -> Document:
        return self.documents[path]


@dataclass(frozen=True, slots=True)
class Write:
    """One write of a commit: fields to set (None: delete the document) and its precondition.

    `mask` names the fields written, as Firestore field paths; None replaces the whole document.
    `exists` and `update_time` must hold of the stored document, or the commit fails.
    """

    path: str
    fields: Mapping[str, Any] | None = field(repr=False)
    mask: Sequence[str] | None = None
    exists: bool | None = None
    update_time: Any = None


def create(path: str, fields: Mapping[str, Any]) -> Write:
    """Write a document that must not exist yet."""
    return Write(path, fields, exists=False)


def replace(document: Document, fields: Mapping[str, Any]) -> Write:
    """Write the whole document, which must be as it was read (missing included)."""
    if document.fields is None:
        return create(document.path, fields)
    return Write(document.path, fields, update_time=document.update_time)


def update(document: Document, fields: Mapping[str, Any]) -> Write:
    """Write some fields of a document, which must exist as it was read."""
    _require_found(document)
    return Write(document.path, fields, tuple(fields), update_time=document.update_time)


def verify(document: Document) -> Write:
    """Write nothing, but require that the document is still as it was read."""
    return update(document, {})


def delete(document: Document) -> Write:
    """Delete a document, which must exist as it was read."""
    _require_found(document)
    return Write(document.path, None, update_time=document.update_time)


def _require_found(document: Document) -> None:
    if document.update_time is None:
        raise ValueError(f"{document.path} was read as missing: there is nothing to change")


def discard(path: str) -> Write:
    """Delete a document whether or not it exists."""
    return Write(path, None)


def absent(path: str) -> Write:
    """Write nothing, but require that there is no such document."""
    return Write(path, None, exists=False)
