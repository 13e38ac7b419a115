"""List, get, create, update and delete for any kind."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from shared import api
from shared.app import App
from shared.calls import Answer, Call
from shared.errors import Error, Target
from shared.kinds import Fields, Kind
from shared.resources import dependents, history, readers, reading, templates
from shared.resources.change import Change, Show, commit, new_marks
from shared.resources.place import Place
from shared.store import Write

Bodies = tuple[Fields, Fields]  # of a resource: before a change, and after it


def create(kind: Kind, app: App, call: Call) -> Answer:
    """Create a resource.

    Raises Error `name_taken`, `quota_exceeded`, `project_not_active`, `resource_not_found` for a
    template that is needed and does not exist, or what `kind.check` raises.
    """
    new = new_marks(app)
    if "name" in call.body or not kind.named:
        return _create(kind, app, call, {**new, "name": call.body.get("name")})
    try:
        return _create(kind, app, call, {**new, "name": templates.name(kind, app, call.body)})
    except Error as error:
        if error.code != "name_taken":
            raise
    # Two runs within a second: the caller chose no name, so it gets one that is free.
    name = templates.name(kind, app, call.body, chance=app.new_tag()[:5])
    return _create(kind, app, call, {**new, "name": name})


def _create(kind: Kind, app: App, call: Call, own: Mapping[str, Any]) -> Answer:
    place = Place(kind, call.parameters["project_id"], own[kind.key])
    source, bound, revision_id = place.template(call.body), place.bound(call.body), app.new_id()

    def decide(change: Change) -> Answer:
        body = templates.body(change, source, call.body)
        answer = change.put(body, {**own, "created_at": change.now}, revision_id, given=call.body)
        for path in bound:
            born = {"id": revision_id, "created_at": change.now}
            change.writes.extend(history.rebind(change.read[path], own["entity_tag"], born))
        return answer

    paths = [*place.context, place.usage, place.path, *source, *bound]
    return commit(app, call, place, f"{kind.audited}.create", paths, decide)


def update(kind: Kind, app: App, call: Call) -> Answer:
    """Replace a resource (PUT) or merge into it (PATCH), if `if_match` is its entity tag or `*`.

    Raises as `changed` does, and Error `invalid_field` or `missing_field` when the merged resource
    is not whole.
    """

    def whole(change: Change, old: Fields) -> Bodies:
        if kind.update != "PATCH":
            return old["body"], api.filled(kind.schema, call.body)
        before = change.opened(change.place, change.read[change.place.path])
        return before, api.whole(kind.schema, merged(before, call.body), change.place.key)

    return changed(kind, app, call, whole)


def changed(
    kind: Kind,
    app: App,
    call: Call,
    whole: Callable[[Change, Fields], Bodies],
    show: Show = Place.answer,
) -> Answer:
    """Put another body in place of a resource's, if `if_match` is its entity tag or `*`.

    `whole` gives the body that it has and the one that it gets, of its stored form. Raises Error
    `precondition_failed`, `project_not_active`, what `whole` and what `kind.check` raises.
    """
    place = Place(kind, call.parameters["project_id"], call.parameters["name"])
    new, revision_id = new_marks(app), app.new_id()

    def decide(change: Change) -> Answer:
        old = change.resource()
        if call.parameters["if_match"] not in ("*", old["entity_tag"]):
            message = f"The {kind.label} is not at this entity tag any more: get it again."
            raise Error("precondition_failed", message, Target("header", "If-Match"))
        before, body = whole(change, old)
        kept = {name: old[name] for name in ("id", "name", "created_at")}
        own, before = {**new, **kept}, {**kept, **before}
        return change.put(body, own, revision_id, before, given=call.body, show=show)

    paths = [*place.context, place.usage, place.path]
    return commit(app, call, place, f"{kind.audited}.update", paths, decide)


def delete(kind: Kind, app: App, call: Call) -> Answer:
    """Delete a resource for good, with what depends on it. Raises Error `project_not_active`."""
    place = Place(kind, call.parameters["project_id"], call.parameters[kind.key])
    keep = bool(call.parameters.get("keep_service_access"))

    def decide(change: Change) -> Answer:
        change.resource()
        change.writes.append(Write.delete(change.read[place.path]))
        dependents.remove(change, keep_service_access=keep)
        change.writes.extend(change.usage(kind).write({}, [place.key]))
        return Answer(now=change.now)

    paths = [place.home, place.usage, place.path, *dependents.context(place)]
    return commit(app, call, place, f"{kind.audited}.delete", paths, decide)


def get(kind: Kind, app: App, call: Call) -> Answer:
    """Give a resource, its sealed members in clear, once an entry says who read them.

    Raises Error `project_not_active`.
    """
    place = Place(kind, call.parameters["project_id"], call.parameters[kind.key])
    project, now, resource = reading.one(app, call, place, place.path)
    answer = place.answer(app, project, resource, now)
    readers.noted(app, call, place, project, now, [place.key], entity_tag=answer.entity_tag)
    return answer


def listing(kind: Kind, app: App, call: Call) -> Answer:
    """Give a page of resources in the order of their keys, their sealed members in clear.

    One entry says who read those of the page. It ends at `limit` entries, or early where the next
    would take the answer over quotas.PAGE_BYTES. Raises Error `project_not_active`.
    """
    place = Place(kind, call.parameters["project_id"])
    asked = [name for name in kind.filters if name in call.parameters]
    filters = [(f"body.{name}", "==", call.parameters[name]) for name in asked]
    show = partial(place.shown, app)
    return reading.page(app, call, place, place.collection, show, *filters, order=kind.key)


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
