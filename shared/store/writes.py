"""What is read of the store and what is written to it: documents, and writes with preconditions.

Pure values. A precondition says what must still be true when the commit is applied.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
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

    @property
    def written_at(self) -> datetime:
        """When a document that is there was last written, by the store's own clock."""
        written: datetime = self.update_time.ToDatetime(tzinfo=UTC)
        return written

    @property
    def contents(self) -> dict[str, Any]:
        """The fields of a document that is known to be there; raises ValueError where it is not."""
        if self.fields is None:
            raise ValueError(f"{self.path} was read as missing: there is nothing in it to change")
        return self.fields


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

    `mask` names the fields written, as Firestore field paths; None replaces the whole document. A
    field that it names and `fields` lacks is removed.
    `exists` and `update_time` must hold of the stored document, or the commit fails. What is not
    there is not deleted: Firestore need not take that as a way to require it.
    """

    path: str
    fields: Mapping[str, Any] | None = field(repr=False)
    mask: Sequence[str] | None = None
    exists: bool | None = None
    update_time: Any = None

    def __post_init__(self) -> None:
        """Refuse the deletion of a document that must not exist."""
        if self.fields is None and self.exists is False:
            raise ValueError(f"{self.path} cannot be deleted where it must not exist")

    @property
    def changes(self) -> bool:
        """Whether it does more than to require something."""
        return self.mask != ()

    @classmethod
    def create(cls, path: str, fields: Mapping[str, Any]) -> "Write":
        """Write a document that must not exist yet."""
        return cls(path, fields, exists=False)

    @classmethod
    def replace(cls, document: Document, fields: Mapping[str, Any]) -> "Write":
        """Write the whole document, which must be as it was read (missing included)."""
        if document.fields is None:
            return cls.create(document.path, fields)
        return cls(document.path, fields, update_time=document.update_time)

    @classmethod
    def update(
        cls, document: Document, fields: Mapping[str, Any], without: Sequence[str] = ()
    ) -> "Write":
        """Write some fields of a document, which must exist as it was read; remove others."""
        mask = (*fields, *without)
        return cls(document.path, fields, mask, update_time=_version(document))

    @classmethod
    def verify(cls, document: Document) -> "Write":
        """Write nothing, but require that the document is still as it was read."""
        return cls.update(document, {})

    @classmethod
    def delete(cls, document: Document) -> "Write":
        """Delete a document, which must exist as it was read."""
        return cls(document.path, None, update_time=_version(document))

    @classmethod
    def discard(cls, path: str) -> "Write":
        """Delete a document whether or not it exists."""
        return cls(path, None)


def said(fields: Mapping[str, Any] | None) -> object:
    """Give what never changes of a document that tells of a commit: its `record`, if it has one."""
    return (fields or {}).get("record", fields)


def _version(document: Document) -> Any:
    if document.update_time is None:
        raise ValueError(f"{document.path} was read as missing: there is nothing to change")
    return document.update_time
