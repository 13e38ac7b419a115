"""List, get, create, replace and delete for any kind: what a project holds.

Each use case reads everything it needs in one round trip and commits in a second. Every write
requires, in its own commit, that the project is still active; so nothing appears in a project
after the purge has begun.
"""

from collections.abc import Mapping
from datetime import datetime
from itertools import accumulate
from typing import Any

from shared import audit, quotas, sealing, writes
from shared.app import Answer, App, Call, Page, timestamp
from shared.auth import owned
from shared.errors import Error, Target, missing
from shared.kinds import Kind
from shared.lifecycle import require_active
from shared.writes import Document, Read

Fields = dict[str, Any]
INCOMPLETE = Error("internal", "A part of a stored value is missing.")


def create(kind: Kind, app: App, call: Call) -> Answer:
    """Create a resource.

    Raises Error `name_taken`, `quota_exceeded`, `project_not_active`, or what `kind.check` raises.
    """
    resource = _fresh(kind, app, call) | {"id": app.new_id(), "name": call.body["name"]}
    kind.check(resource, None)
    place = _Place(kind, call.parameters["project_id"], resource["name"])

    def decide(read: Read) -> tuple[list[writes.Write], Answer]:
        project, now = place.project(read, app, call)
        count = (read[place.usage].fields or {}).get("count", 0)
        if read[place.path].fields is not None:
            taken = f"A {kind.noun} of this name exists already."
            raise Error("name_taken", taken, Target("field", "name"))
        if count >= quotas.RESOURCES_PER_PROJECT[kind.collection]:
            limit = f"The project holds {count} {kind.collection}, and no more fit in: delete one."
            raise Error("quota_exceeded", limit)
        stored, parts = place.stored(app, read, resource | {"created_at": now})
        commit = [
            writes.create(place.path, stored),
            *parts,
            writes.replace(read[place.usage], {"count": count + 1}),
            *place.witnesses(read, call, f"{kind.noun}.create", now),
        ]
        return commit, _answer(kind, app, project, resource | {"created_at": now}, now)

    return app.store.transact([*place.context, place.usage, place.path], decide)


def replace(kind: Kind, app: App, call: Call) -> Answer:
    """Replace all fields of a resource, if `if_match` is its entity tag or `*`.

    Raises Error `precondition_failed`, `project_not_active`, or what `kind.check` raises.
    """
    place = _Place(kind, call.parameters["project_id"], call.parameters["name"])
    body = _fresh(kind, app, call)

    def decide(read: Read) -> tuple[list[writes.Write], Answer]:
        project, now = place.project(read, app, call)
        old = place.resource(read)
        if call.parameters["if_match"] not in ("*", old["entity_tag"]):
            message = f"The {kind.noun} is not at this entity tag any more: get it again."
            raise Error("precondition_failed", message, Target("header", "If-Match"))
        kind.check(body, old)
        resource = body | {name: old[name] for name in ("id", "name", "created_at")}
        stored, parts = place.stored(app, read, resource)
        commit = [
            writes.replace(read[place.path], stored),
            *parts,
            *map(writes.discard, sealing.part_paths(place.path, old)),
            *place.witnesses(read, call, f"{kind.noun}.update", now),
        ]
        return commit, _answer(kind, app, project, resource, now)

    return app.store.transact([*place.context, place.path], decide)


def delete(kind: Kind, app: App, call: Call) -> Answer:
    """Delete a resource for good. Raises Error `project_not_active`."""
    place = _Place(kind, call.parameters["project_id"], call.parameters["name"])

    def decide(read: Read) -> tuple[list[writes.Write], Answer]:
        _, now = place.project(read, app, call)
        old = place.resource(read)
        count = (read[place.usage].fields or {}).get("count", 0)
        commit = [
            writes.delete(read[place.path]),
            *map(writes.discard, sealing.part_paths(place.path, old)),
            writes.replace(read[place.usage], {"count": count - 1}),
            *place.witnesses(read, call, f"{kind.noun}.delete", now),
        ]
        return commit, Answer(now=now)

    return app.store.transact([*place.context, place.usage, place.path], decide)


def get(kind: Kind, app: App, call: Call) -> Answer:
    """Give a resource with its sealed fields. Raises Error `project_not_active`."""
    place = _Place(kind, call.parameters["project_id"], call.parameters["name"])
    for _ in range(quotas.PART_READS):
        read = app.store.read(*place.context, place.path)
        project, now = place.project(read, app, call)
        stored = place.resource(read)
        sealed = _sealed(app, [read[place.path]])
        if sealed is not None:  # else it was replaced between the two reads
            resource = place.opened(app, read, stored, sealed[place.name])
            return _answer(kind, app, project, resource, now)
    raise INCOMPLETE


def listing(kind: Kind, app: App, call: Call) -> Answer:
    """Give a page of resources by name, with their sealed fields.

    A page ends at `limit` entries, or early where their values pass quotas.PAGE_BYTES.
    Raises Error `project_not_active`.
    """
    place = _Place(kind, call.parameters["project_id"], "")
    filters = [("format", "==", form) for form in [call.parameters.get("format")] if form]
    limit = call.parameters["limit"]
    for _ in range(quotas.PART_READS):
        read = app.store.read(*place.context)
        project, now = place.project(read, app, call)
        _, found = app.store.query(
            f"projects/{place.project_id}/{kind.collection}",
            *filters,
            order="name",
            after=call.parameters.get("start"),
            limit=limit + 1,
            weigh=_size,
        )
        shown = _page_of(found, limit)
        sealed = _sealed(app, shown)
        if sealed is not None:  # else one was replaced between the two reads
            fields = [document.fields or {} for document in shown]
            opened = [place.opened(app, read, one, sealed[one["name"]]) for one in fields]
            entries = [_present(kind, app, project, resource) for resource in opened]
            next_key = entries[-1]["name"] if len(found) > len(shown) else None
            return Answer(page=Page(kind.collection, entries, next_key), now=now)
    raise INCOMPLETE


def _size(document: Document) -> int:
    return int((document.fields or {})["size"])


def _page_of(found: list[Document], limit: int) -> list[Document]:
    """Give those that fit on a page; at least one, so that the pages come to an end."""
    sizes = accumulate(_size(document) for document in found)
    passed = next((n for n, size in enumerate(sizes, 1) if size > quotas.PAGE_BYTES), limit)
    return found[: min(passed, limit)]


class _Place:
    """Where a resource lies, and what around it a use case reads in the same round trip."""

    def __init__(self, kind: Kind, project_id: str, name: str) -> None:
        self.kind = kind
        self.project_id = project_id
        self.name = name
        self.home = f"projects/{project_id}"
        self.path = f"{self.home}/{kind.collection}/{name}"
        self.usage = f"{self.home}/usage/{kind.collection}"
        self.key = sealing.data_key_path(project_id)
        self.context = (self.home, self.key)

    def project(self, read: Read, app: App, call: Call) -> tuple[Fields, datetime]:
        """Give the caller's active project, and the time of the decision."""
        project = owned(read[self.home], call.principal)
        require_active(project)
        return project, app.now(read)

    def resource(self, read: Read) -> Fields:
        """Give the resource as stored; raises Error `resource_not_found`."""
        fields = read[self.path].fields
        if fields is None:
            raise missing()
        return fields

    def stored(self, app: App, read: Read, resource: Fields) -> tuple[Fields, list[writes.Write]]:
        """Give the resource as it is stored, its sealed fields in an envelope, and the parts."""
        project, key = read[self.home].fields or {}, read[self.key].fields or {}
        sealed = sealing.seal(app.keyring, project, key, self.kind, resource)
        stored = {name: value for name, value in resource.items() if name not in self.kind.sealed}
        return stored, sealing.split(self.path, stored, sealed)

    def opened(self, app: App, read: Read, stored: Mapping[str, Any], sealed: bytes) -> Fields:
        """Give a stored resource with its sealed fields in clear."""
        project, key = read[self.home].fields or {}, read[self.key].fields or {}
        values = sealing.unseal(app.keyring, project, key, self.kind, stored, sealed)
        return {**stored, **values}

    def witnesses(self, read: Read, call: Call, action: str, now: datetime) -> list[writes.Write]:
        """Give the writes that every change makes: the project as read, and the audit entry."""
        project = read[self.home]
        return [writes.verify(project), audit.by(call, action, project.fields or {}, now)]


def _fresh(kind: Kind, app: App, call: Call) -> Fields:
    """Give the members of a body that the kind keeps, with what is minted for each write."""
    kept = {name: call.body[name] for name in kind.fields if name in call.body}
    return {**kept, "entity_tag": app.new_tag(), "value_id": app.new_id()}


def _sealed(app: App, found: list[Document]) -> dict[str, bytes] | None:
    """Give the envelope of each resource by name; None if a part vanished since it was read."""
    parts = {doc.path: sealing.part_paths(doc.path, doc.fields) for doc in found}
    wanted = [part for paths in parts.values() for part in paths]
    read = app.store.read(*wanted).documents if wanted else {}
    if any(document.fields is None for document in read.values()):
        return None
    return {
        doc.id: b"".join((read[part].fields or {})["bytes"] for part in parts[doc.path])
        or (doc.fields or {})["sealed"]
        for doc in found
    }


def _answer(kind: Kind, app: App, project: Fields, resource: Fields, now: datetime) -> Answer:
    body = _present(kind, app, project, resource)
    return Answer(body, entity_tag=body["entity_tag"], now=now, location=body["href"])


def _present(kind: Kind, app: App, project: Fields, resource: Fields) -> Fields:
    home = f"{app.settings.endpoint}/v2/projects/{project['id']}"
    return {
        "id": resource["id"],
        "name": resource["name"],
        "project_id": project["id"],
        "region": project["region"],
        "href": f"{home}/{kind.collection}/{resource['name']}",
        "created_at": timestamp(resource["created_at"]),
        "entity_tag": resource["entity_tag"],
        **{name: resource[name] for name in kind.fields if name in resource},
        **kind.present(resource),
    }
