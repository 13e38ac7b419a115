"""One change in a project: what it is decided on, and all that its one commit holds.

A change is made anew for each try, on a fresh snapshot. Its project is the caller's and active from
the first line on; its last two writes require that the project is still as it was read, and leave
the audit entry. What a use case adds lies between.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared import evidence
from shared.access import own_key
from shared.app import App
from shared.calls import Answer, Call, Origin
from shared.errors import Error, missing
from shared.kinds import ALLOWED_OUTBOUND_DESTINATIONS, Fields, Kind, destinations
from shared.lifecycle import Project
from shared.resources import again, history, metadata, reading, sealing
from shared.resources.place import Place
from shared.resources.usage import Usage
from shared.store import Document, Read, Write

Show = Callable[[Place, App, Project, Fields, datetime], Answer]
EVERYTHING = {"type": destinations.RANGE, destinations.CIDR: str(destinations.EVERYTHING)}


def new_marks(app: App) -> dict[str, str]:
    """Make what is new of a resource at each write; to be called before the first try."""
    return {"id": app.new_id(), "entity_tag": app.new_tag(), "value_id": app.new_id()}


def first_rule(project_id: str, marks: Fields, now: datetime) -> list[Write]:
    """Give the writes of a new project's own rule: all addresses are allowed (contract 1.6)."""
    place = Place(ALLOWED_OUTBOUND_DESTINATIONS, project_id, destinations.DEFAULT)
    times = {"created_at": now, "updated_at": now}
    stored = sealing.clear({**marks, "name": place.key, **times}, EVERYTHING)
    usage = Usage(place.kind, Document(place.usage, None))
    return [Write.create(place.path, stored), *usage.write({place.key: EVERYTHING})]


@dataclass(frozen=True, slots=True)
class Change:
    """A change of what lies at a place, on what was read there."""

    app: App
    origin: Origin
    place: Place
    read: Read
    project: Project
    now: datetime
    writes: list[Write] = field(default_factory=list, repr=False)

    def resource(self, path: str = "") -> Fields:
        """Give the place's resource, or one below it, as stored; Error `resource_not_found`."""
        found = self.read[path or self.place.path].fields
        if found is None:
            raise missing()
        return found

    def opened(self, place: Place, document: Document) -> dict[str, Any]:
        """Give the whole body of one stored resource; raises Conflict if it was replaced."""
        return reading.whole(self.app, place, self.project, self.read, [document])[0]

    def usage(self, kind: Kind) -> Usage:
        """Give the usage of the place's kind, or of another one that was read."""
        return Usage(kind, self.read[self.place.beside(kind).usage])

    def put(
        self,
        body: Fields,
        own: Fields,
        revision_id: str,
        before: Fields | None = None,
        *,
        given: Fields,
        show: Show = Place.answer,
    ) -> Answer:
        """Store the resource, with all that goes along, and give the answer that shows it.

        `own` is what was made for it or is kept of it, `before` the whole of what it replaces,
        `given` what the request says of it; `show` makes the answer.
        Raises what the kind's check raises, Error `name_taken` or `quota_exceeded`.
        """
        place, kind, usage = self.place, self.place.kind, self.usage(self.place.kind)
        document, resource = self.read[place.path], {**body, **own}
        others = {key: claim for key, claim in usage.claims.items() if key != place.key}
        replaced = list(kind.check(resource, old=before, others=others, given=given) or ())
        if before is None:
            if document.fields is not None:
                taken = f"A {kind.label} of this name exists already."
                raise Error("name_taken", taken, "name")
            usage.require_room(leaving=len(replaced))
        marks = {**own, **metadata.marks(kind, body, self.now)}
        form, parts = sealing.stored(self.app, place, self.project, self.read, marks, body)
        born = {"id": revision_id, "created_at": self.now}
        stored, past = history.advance(place, form, document.fields, born)
        self.writes.extend([Write.replace(document, stored), *parts, *past])
        claim = {name: resource[name] for name in kind.claims if name in resource}
        changed = "" if before is None else place.key
        self.writes.extend(usage.write({place.key: claim}, replaced, changed))
        self.gone(kind, replaced)
        return show(place, self.app, self.project, {**stored, **resource}, self.now)

    def gone(self, kind: Kind, keys: list[str]) -> None:
        """Delete others of a kind along with the change, each with an audit entry."""
        home = self.place.beside(kind).collection
        self.writes.extend(Write.discard(f"{home}/{key}") for key in keys)
        self.told(f"{kind.audited}.delete", keys)

    def told(self, action: str, names: Iterable[str]) -> None:
        """Leave an audit entry for each of what the change takes along."""
        told = self.origin, action, self.project, self.now
        self.writes.extend(evidence.along(self.app, *told, names))


def commit(
    app: App,
    call: Call,
    place: Place,
    action: str,
    paths: Iterable[str],
    decide: Callable[[Change], Answer],
    name: str = "",
    **more: str,
) -> Answer:
    """Let `decide` make a change on what is read at the paths, and commit it; give its answer.

    `action`, `name` and `more` are the audit entry's; the name is the place's if none is given.
    Sent again under its `Idempotency-Key` it is answered as at first. Raises Error `unauthorized`
    where the caller's own key is gone, `resource_not_found` for a project that is not the caller's,
    `project_not_active`, `idempotency_key_reused`, and what `decide` raises.
    """
    origin, once = call.origin, evidence.Once(app, call, place.home)
    # The caller's own key is read and not verified: it would be one hot document for all writes.
    wanted = [own_key(origin.principal), *paths, *once.paths]

    def attempt(read: Read) -> tuple[list[Write], Answer]:
        project, now = reading.home_of(app, origin.principal, place, read)
        mark = _mark(app, place, project, read)
        if told := once.told(read, now, mark):
            return [], again.answer(app, call, place, now, told)
        change = Change(app, origin, place, read, project, now)
        answer = decide(change)
        tag = {"entity_tag": answer.entity_tag} if answer.entity_tag else {}
        about = {"names": [name or place.key], **tag, **more}
        entry = evidence.by(app, origin, action, project, now, **about)
        left = once.left(read, now, again.kept(place, answer), mark) if once.paths else []
        return [*change.writes, Write.verify(read[place.home]), entry, *left], answer

    return app.store.transact(evidence.operation(origin), [*dict.fromkeys(wanted)], attempt)


def _mark(app: App, place: Place, project: Project, read: Read) -> Callable[[bytes], bytes]:
    """Say what is kept of a request's digest: of one that may hold values, what the key makes."""
    if place.data_key not in read.documents:
        return bytes

    def mark(digest: bytes) -> bytes:
        with sealing.under_key(app, place, read):
            return app.keyring.mark(project.id, read[place.data_key].fields or {}, digest)

    return mark
