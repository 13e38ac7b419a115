"""How many resources of a kind a project holds, and what they claim: one document for all. Pure.

Whoever creates or deletes one writes this document as it was read, in the same commit: so the
count is exact, and what must hold across all of a kind is decided on all of them.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from shared import forms, quotas
from shared.errors import Error
from shared.kinds import Fields, Kind
from shared.store import Document, Write


class Usage:
    """The usage of one kind as it was read."""

    def __init__(self, kind: Kind, document: Document) -> None:
        fields = document.fields or {}
        self.kind = kind
        self.count: int = fields.get("count", 0)
        self.claims: Mapping[str, Fields] = fields.get("claims", {})
        self._document = document

    def require_room(self, leaving: int = 0) -> None:
        """Raise Error `quota_exceeded` if one more does not fit in (contract section 8)."""
        limit = quotas.RESOURCES_PER_PROJECT[self.kind.collection]
        if self.count - leaving >= limit:
            kinds = self.kind.collection.replace("_", " ")
            held = f"The project holds {self.count} {kinds}, and no more fit in: delete one."
            raise Error("quota_exceeded", held)

    def witness(self) -> Write:
        """Give the write that requires that nothing was added or removed meanwhile.

        Where there is no document yet it makes one that says so: of two at once, one repeats.
        """
        document = self._document
        if document.fields is None:
            return Write.create(document.path, self._fields(0, {}))
        return Write.verify(document)

    def write(
        self, added: Mapping[str, Fields], removed: Iterable[str] = (), changed: str = ""
    ) -> list[Write]:
        """Give the write that adds resources, by key with what they claim, and removes others.

        `changed` is the key among the added that is there already. No change, no write.
        """
        gone = set(removed)
        kept = {key: claim for key, claim in self.claims.items() if key not in gone}
        kept.update(added)
        count = self.count + len(added.keys() - {changed}) - len(gone)
        same = count == self.count and (not self.kind.claims or kept == self.claims)
        return [] if same else [Write.replace(self._document, self._fields(count, kept))]

    def _fields(self, count: int, claims: Mapping[str, Fields]) -> dict[str, Any]:
        held = {"count": count, **({"claims": claims} if self.kind.claims else {})}
        return held | {"sha256": hashlib.sha256(forms.canonical(held)).digest()}
