"""List, get, create, update and delete for any kind: what a project holds.

Each use case reads everything it needs in one round trip and commits in a second. Every write
requires, in its own commit, that the project is still active; so nothing appears in a project
after the purge has begun.
"""

from collections.abc import Mapping
from typing import Any

from shared import audit, cascades, revisions, schema, templates, writes
from shared.app import Answer, App, Call, Page
from shared.errors import Error, Target
from shared.kinds import Kind
from shared.places import Fields, Place
from shared.writes import Read


def create(kind: Kind, app: App, call: Call) -> Answer:
    """Create a resource.

    Raises Error `name_taken`, `quota_exceeded`, `project_not_active`, `resource_not_found` for a
    template that is needed and does not exist, or what `kind.check` raises.
    """
    minted = _minted(app)
    if "name" in call.body or not kind.named:
        return _create(kind, app, call, {**minted, "name": call.body.get("name")})
    try:
        return _create(kind, app, call, {**minted, "name": templates.name(kind, app, call.body)})
    except Error as error:
        if error.code != "name_taken":
            raise
    # Two runs within a second: the caller chose no name, so it gets one that is free.
    name = templates.name(kind, app, call.body, chance=app.new_tag()[:5])
    return _create(kind, app, call, {**minted, "name": name})


def _create(kind: Kind, app: App, call: Call, minted: Fields) -> Answer:
    place = Place(kind, call.parameters["project_id"], minted[kind.key])
    source = templates.source(kind, place, call.body)
    bound = revisions.bound_app(place, call.body)
    revision_id = app.new_id()

    def decide(read: Read) -> tuple[list[writes.Write], Answer]:
        project, now = place.project(read, app, call)
        body = templates.body(app, place, read, source, call.body)
        resource = {**body, **minted, "created_at": now}
        usage = place.usage(read)
        replaced = list(kind.check(resource, None, usage.others(place.key)))
        if read[place.path].fields is not None:
            taken = f"A {kind.label} of this name exists already."
            raise Error("name_taken", taken, Target("field", "name"))
        usage.require_room(leaving=len(replaced))
        stored, parts = place.stored(app, read, {**minted, "created_at": now}, body)
        own = {"id": revision_id, "created_at": now}
        kept = revisions.keep(place, stored, None, own)  # notes them in what is stored
        commit = [
            writes.create(place.path, stored),
            *parts,
            *kept,
            *revisions.bind(read, bound, minted["entity_tag"], own),
            *usage.write({place.key: resource}, replaced),
            *place.without(call, project, now, replaced),
            *[writes.verify(read[path]) for path in source if read[path].fields is not None],
            *place.witnesses(read, call, "create", now),
        ]
        return commit, place.answer(app, project, {**stored, **resource}, now)

    paths = [*place.context, place.usage_path, place.path, *source, *bound]
    return app.store.transact(audit.operation(call), paths, decide)


def update(kind: Kind, app: App, call: Call) -> Answer:
    """Replace a resource (PUT) or merge into it (PATCH), if `if_match` is its entity tag or `*`.

    Raises Error `precondition_failed`, `project_not_active`, `invalid_field` or `missing_field`
    when the merged resource is not whole, or what `kind.check` raises.
    """
    place = Place(kind, call.parameters["project_id"], call.parameters["name"])
    prototype = f"{kind.schema}Prototype"
    minted, revision_id = _minted(app), app.new_id()

    def decide(read: Read) -> tuple[list[writes.Write], Answer]:
        project, now = place.project(read, app, call)
        old = place.resource(read)
        if call.parameters["if_match"] not in ("*", old["entity_tag"]):
            message = f"The {kind.label} is not at this entity tag any more: get it again."
            raise Error("precondition_failed", message, Target("header", "If-Match"))
        before = old["body"]
        body = call.body
        if kind.update == "PATCH":
            before = place.opened(app, read, read[place.path])
            body = schema.whole(prototype, merged(before, body), place.key)
        else:
            body = schema.filled(prototype, body)
        kept = {name: old[name] for name in ("id", "name", "created_at")}
        resource = {**body, **minted, **kept}
        usage = place.usage(read)
        replaced = list(kind.check(resource, {**kept, **before}, usage.others(place.key)))
        stored, parts = place.stored(app, read, {**minted, **kept}, body)
        history = revisions.keep(place, stored, old, {"id": revision_id, "created_at": now})
        commit = [
            writes.replace(read[place.path], stored),
            *parts,
            *history,
            *usage.write({place.key: resource}, replaced, changed=place.key),
            *place.without(call, project, now, replaced),
            *place.witnesses(read, call, "update", now),
        ]
        return commit, place.answer(app, project, {**stored, **resource}, now)

    paths = [*place.context, place.usage_path, place.path]
    return app.store.transact(audit.operation(call), paths, decide)


def delete(kind: Kind, app: App, call: Call) -> Answer:
    """Delete a resource for good, with what depends on it. Raises Error `project_not_active`."""
    place = Place(kind, call.parameters["project_id"], call.parameters[kind.key])
    others = cascades.context(place, call.parameters["project_id"])

    def decide(read: Read) -> tuple[list[writes.Write], Answer]:
        _, now = place.project(read, app, call)
        place.resource(read)
        commit = [
            writes.delete(read[place.path]),
            *cascades.delete(app, call, place, read, now),
            *place.usage(read).write({}, [place.key]),
            *place.witnesses(read, call, "delete", now),
        ]
        return commit, Answer(now=now)

    paths = [place.home, place.usage_path, place.path, *others]
    return app.store.transact(audit.operation(call), paths, decide)


def get(kind: Kind, app: App, call: Call) -> Answer:
    """Give a resource, its sealed members in clear. Raises Error `project_not_active`."""
    place = Place(kind, call.parameters["project_id"], call.parameters[kind.key])
    project, now, resource = place.one(app, call, place.path)
    return place.answer(app, project, resource, now)


def listing(kind: Kind, app: App, call: Call) -> Answer:
    """Give a page of resources in the order of their keys, their sealed members in clear.

    A page ends at `limit` entries, or early where their values pass quotas.PAGE_BYTES.
    Raises Error `project_not_active`.
    """
    place = Place(kind, call.parameters["project_id"])
    filters = [
        (f"body.{name}", "==", call.parameters[name])
        for name in kind.filters
        if name in call.parameters
    ]
    found = place.page(app, call, place.collection, *filters, order=kind.key)
    entries = [place.shown(app, found.project, resource) for resource in found.resources]
    return Answer(page=Page(kind.collection, entries, found.next), now=found.now)


def merged(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7396): null removes, objects merge, all else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    whole = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            whole.pop(name, None)
        else:
            whole[name] = merged(whole.get(name), value)
    return whole


def _minted(app: App) -> Fields:
    """Mint what is new at each write; before the first try, so that all tries come to the same."""
    return {"id": app.new_id(), "entity_tag": app.new_tag(), "value_id": app.new_id()}
