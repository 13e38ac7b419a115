"""Revisions: what an app was after each write (contract section 4.2).

A revision is the app's stored form at that write; both share the one envelope. The active
revision and the latest one before it are kept, older ones are deleted in the same commit.
"""

from collections.abc import Mapping
from typing import Any

from shared import sealing, writes
from shared.kinds import APPS
from shared.places import Fields, Place
from shared.store import Conflict
from shared.writes import Read

KEPT = 2  # revisions of an app: the active one and the latest inactive one


def revision_name(app_name: str, number: int) -> str:
    """Give the name of an app's revision: `myapp-00001` is the first."""
    return f"{app_name}-{number:05}"


def keep(
    place: Place, stored: Fields, old: Mapping[str, Any] | None, own: Mapping[str, Any]
) -> list[writes.Write]:
    """Give the writes that keep a new stored form as a revision, and forget what is too old.

    Notes the revisions there are in `stored`; `own` is the revision's id and time. A kind without
    revisions only forgets the envelope of the form before.
    """
    if not place.kind.revised:
        return [writes.discard(path) for path in sealing.part_paths(place.path, old)]
    return _advance(place.path, stored, old or {}, own)


def bound_app(place: Place, body: Mapping[str, Any]) -> list[str]:
    """Give the path of the app that a new binding names: a binding makes a revision of it."""
    component = body.get("component", {})
    if not place.kind.binds or component.get("resource_type") != APPS.resource_type:
        return []
    return [f"{place.home}/{APPS.collection}/{component['name']}"]


def bind(
    read: Read, paths: list[str], entity_tag: str, own: Mapping[str, Any]
) -> list[writes.Write]:
    """Give the writes that make a revision of each app as it is, under a fresh entity tag."""
    commit: list[writes.Write] = []
    for document in (read[path] for path in paths):
        if document.fields is not None:  # a binding may name an app that does not exist yet
            old = document.fields
            stored = {**old, "entity_tag": entity_tag}
            commit += _advance(document.path, stored, old, own)
            commit.append(writes.replace(document, stored))
    return commit


def _advance(
    path: str, stored: Fields, old: Mapping[str, Any], own: Mapping[str, Any]
) -> list[writes.Write]:
    history = old.get("history", [])
    gone, kept = history[: 1 - KEPT], history[1 - KEPT :]
    number = old.get("revision", 0) + 1
    entry = {name: stored[name] for name in ("value_id", "parts")}
    stored |= {"revision": number, "history": [*kept, {"revision": number, **entry}]}
    name = revision_name(stored["name"], number)
    revision = {key: value for key, value in stored.items() if key != "history"}
    # The form before goes with its envelope where its revision was deleted already.
    forgotten = [lost for one in gone for lost in _forget(path, stored, one)]
    forgotten += _unshared(path, stored, old) if old else []
    return [
        writes.create(f"{path}/revisions/{name}", revision | {"revision_name": name, **own}),
        *map(writes.discard, dict.fromkeys(forgotten)),
    ]


def _forget(path: str, app: Mapping[str, Any], gone: Mapping[str, Any]) -> list[str]:
    """Give the paths of a revision, and of its envelope if nothing else shares it."""
    name = revision_name(app["name"], gone["revision"])
    return [f"{path}/revisions/{name}", *_unshared(path, app, gone)]


def _unshared(path: str, app: Mapping[str, Any], form: Mapping[str, Any]) -> list[str]:
    """Give the paths of an envelope's parts if neither the app nor a revision has it."""
    shared = {app["value_id"], *(entry["value_id"] for entry in app["history"])}
    return [] if form["value_id"] in shared else sealing.part_paths(path, form)


def forget(document: writes.Document, stored: Mapping[str, Any], number: int) -> list[writes.Write]:
    """Give the writes that delete one revision of an app, which must be as it was read.

    Raises Conflict where a torn read gave a revision that the app no longer has.
    """
    gone = next((entry for entry in stored["history"] if entry["revision"] == number), None)
    if gone is None:
        raise Conflict
    history = [entry for entry in stored["history"] if entry is not gone]
    return [
        writes.update(document, {"history": history}),
        *map(writes.discard, _forget(document.path, {**stored, "history": history}, gone)),
    ]


def all_of(path: str, app: Mapping[str, Any]) -> list[str]:
    """Give the paths of all that an app's revisions are stored in."""
    revisions = [revision_name(app["name"], entry["revision"]) for entry in app["history"]]
    parts = [part for entry in app["history"] for part in sealing.part_paths(path, entry)]
    return [*(f"{path}/revisions/{name}" for name in revisions), *dict.fromkeys(parts)]
