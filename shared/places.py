"""Where a resource lies, what is read beside it, and its form in the store.

A stored resource is what is minted for it (id, name, times, entity tag, value id), `body` (the
members that may stand in clear) and, for kinds with sealed members, their envelope. Owns the way
into that form and out of it; decides nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from typing import Any

from shared import audit, quotas, schema, sealing, writes
from shared.app import Answer, App, Call, timestamp
from shared.auth import owned
from shared.crypto import Undecryptable
from shared.errors import Error, missing, unavailable
from shared.kinds import Kind
from shared.lifecycle import require_active
from shared.store import Conflict
from shared.usage import Usage, usage_path
from shared.writes import Document, Read

Fields = dict[str, Any]


class _Patience:
    """How often a value in parts is read anew: it may have been replaced between two reads."""

    def __init__(self) -> None:
        self._seen: list[list[Any]] = []

    def spend(self, found: list[Document]) -> None:
        """Take note of what was found without all of its parts.

        Raises Error `internal` where it is the same quotas.PART_READS times in a row, for then a
        part is lost, and `unavailable` where others replaced it quotas.PART_TRIES times.
        """
        self._seen.append([document.update_time for document in found])
        if self._seen[-quotas.PART_READS :] == [self._seen[-1]] * quotas.PART_READS:
            raise Error("internal", "A part of a stored value is missing.")
        if len(self._seen) == quotas.PART_TRIES:
            raise unavailable("Too many changes at once")


@dataclass(frozen=True, slots=True)
class Found:
    """A page of resources, the project they are in, and the key to go on from."""

    project: Fields
    now: datetime
    resources: list[Fields] = field(repr=False)
    next: str | None


class Place:
    """Where a resource lies, and what around it a use case reads in the same round trip."""

    def __init__(self, kind: Kind, project_id: str, key: str = "") -> None:
        self.kind = kind
        self.key = key
        self.home = f"projects/{project_id}"
        self.collection = f"{self.home}/{kind.collection}"
        self.path = f"{self.collection}/{key}"
        self.usage_path = usage_path(project_id, kind.collection)
        self.data_key = sealing.data_key_path(project_id)
        self.context = (self.home, self.data_key) if kind.sealed else (self.home,)

    def project(self, read: Read, app: App, call: Call) -> tuple[Fields, datetime]:
        """Give the caller's active project, and the time of the decision."""
        project = owned(read[self.home], call.principal)
        require_active(project)
        return project, app.now(read)

    def usage(self, read: Read) -> Usage:
        """Give the usage of the place's kind."""
        return Usage(self.kind, read[self.usage_path])

    def resource(self, read: Read) -> Fields:
        """Give the resource as stored; raises Error `resource_not_found`."""
        fields = read[self.path].fields
        if fields is None:
            raise missing()
        return fields

    def stored(
        self, app: App, read: Read, minted: Mapping[str, Any], body: Mapping[str, Any]
    ) -> tuple[Fields, list[writes.Write]]:
        """Give the resource as it is stored, and the writes of the parts of its envelope."""
        clear = {name: value for name, value in body.items() if name not in self.kind.sealed}
        stored = {**minted, "body": clear}
        if not self.kind.sealed:
            return stored, []
        values = {name: body[name] for name in self.kind.sealed if name in body}
        project, key = read[self.home].fields or {}, read[self.data_key].fields or {}
        try:
            sealed = sealing.seal(app.keyring, project, key, self.kind, stored, values)
        except Undecryptable:
            if self._unmoved(app, read):
                raise
            raise Conflict from None  # its key went with the project
        return stored, sealing.split(self.path, stored, sealed)

    def bodies(self, app: App, read: Read, found: Sequence[Document]) -> list[Fields] | None:
        """Give the whole bodies of stored resources; None if a part or key vanished meanwhile."""
        kept = [document.fields or {} for document in found]
        if not self.kind.sealed:
            return [fields["body"] for fields in kept]
        parts = [sealing.part_paths(_holder(document.path), document.fields) for document in found]
        wanted = [part for paths in parts for part in paths]
        more = app.store.read(*wanted).documents if wanted else {}
        if any(document.fields is None for document in more.values()):
            return None
        project, key = read[self.home].fields or {}, read[self.data_key].fields or {}
        bodies = []
        for fields, paths in zip(kept, parts, strict=True):
            chunks = [(more[part].fields or {})["bytes"] for part in paths]
            sealed = chunks or [fields["sealed"] or b""]
            try:
                values = sealing.unseal(app.keyring, project, key, self.kind, fields, sealed)
            except Undecryptable:
                if self._unmoved(app, read):
                    raise
                return None  # its key went with the project
            bodies.append({**fields["body"], **values})
        return bodies

    def _unmoved(self, app: App, read: Read) -> bool:
        """Tell whether the project is still as it was read: its key cannot have been destroyed."""
        return app.store.read(self.home)[self.home] == read[self.home]

    def opened(self, app: App, read: Read, document: Document) -> Fields:
        """Give the whole body of one stored resource; raises Conflict if a part vanished."""
        bodies = self.bodies(app, read, [document])
        if bodies is None:
            raise Conflict
        return bodies[0]

    def one(self, app: App, call: Call, path: str) -> tuple[Fields, datetime, Fields]:
        """Give the project, the time, and the whole resource at a path of the place.

        Raises Error `resource_not_found`, also when the place's own resource is not there.
        """
        patience = _Patience()
        while True:
            read = app.store.read(*self.context, self.path, path)
            project, now = self.project(read, app, call)
            self.resource(read)
            fields = read[path].fields
            if fields is None:
                raise missing()
            bodies = self.bodies(app, read, [read[path]])
            if bodies is not None:  # else it was replaced between the two reads
                return project, now, {**fields, **bodies[0]}
            patience.spend([read[path]])

    def page(
        self, app: App, call: Call, collection: str, *filters: tuple[str, str, Any], order: str
    ) -> Found:
        """Give a page of a collection, in the order of a field that is each document's name.

        It ends at `limit` entries, or early where their values pass quotas.PAGE_BYTES. Raises
        Error `resource_not_found` if the place's own resource is not there.
        """
        limit = call.parameters["limit"]
        patience = _Patience()
        while True:
            read, found = app.store.read_beside(
                [*self.context, *([self.path] if self.key else [])],
                collection,
                *filters,
                order=order,
                after=call.parameters.get("start"),
                limit=limit + 1,
                weigh=_size,
            )
            project, now = self.project(read, app, call)
            if self.key:
                self.resource(read)
            page = _page_of(found, limit)
            bodies = self.bodies(app, read, page)
            if bodies is not None:  # else one was replaced between the two reads
                pairs = zip(page, bodies, strict=True)
                resources = [{**(document.fields or {}), **body} for document, body in pairs]
                return Found(
                    project, now, resources, page[-1].id if len(found) > len(page) else None
                )
            patience.spend(page)

    def witnesses(self, read: Read, call: Call, verb: str, now: datetime) -> list[writes.Write]:
        """Give the writes that every change makes: the project as read, and the audit entry."""
        project = read[self.home]
        action = f"{self.kind.audited}.{verb}"
        return [writes.verify(project), audit.by(call, action, project.fields or {}, now, self.key)]

    def without(
        self, call: Call, project: Fields, now: datetime, keys: list[str]
    ) -> list[writes.Write]:
        """Give the writes that delete others of the place's kind along with a change."""
        gone = [writes.discard(f"{self.collection}/{key}") for key in keys]
        return [*gone, *audit.along(call, f"{self.kind.audited}.delete", project, now, keys)]

    def answer(self, app: App, project: Fields, resource: Fields, now: datetime) -> Answer:
        """Give the answer that shows one resource."""
        body = self.shown(app, project, resource)
        tag, location = body.get("entity_tag"), self.href(app, resource[self.kind.key])
        return Answer(body, entity_tag=tag, now=now, location=location)

    def href(self, app: App, key: str) -> str:
        """Give the address of a resource of the place's kind."""
        return f"{app.settings.endpoint}/v2/{self.collection}/{key}"

    def shown(self, app: App, project: Fields, resource: Fields) -> Fields:
        """Give the answer's form of a resource: what all have, its body, what is computed."""
        members = {
            **resource,
            "project_id": project["id"],
            "region": project["region"],
            "href": self.href(app, resource[self.kind.key]),
            "resource_type": self.kind.resource_type,
            "created_at": timestamp(resource["created_at"]),
            **self.kind.present(resource, project),
        }
        return schema.shown(self.kind.schema, members)


def _size(document: Document) -> int:
    return int((document.fields or {}).get("size", 0))


def _page_of(found: list[Document], limit: int) -> list[Document]:
    """Give those that fit on a page; at least one, so that the pages come to an end."""
    sizes = accumulate(_size(document) for document in found)
    passed = next((n for n, size in enumerate(sizes, 1) if size > quotas.PAGE_BYTES), limit)
    return found[: min(passed, limit)]


def _holder(path: str) -> str:
    """Give the path of the resource that a document belongs to: a revision's is its app's."""
    return path.partition("/revisions/")[0]
