"""Revisions in the store: what an app was after each write (contract section 4.2).

A revision is the app's stored form at that write; both share the one envelope. The active
revision and the latest one before it are kept, older ones are deleted in the same commit.
"""

from typing import Any

from shared.kinds import Fields
from shared.resources.place import Place
from shared.resources.sealing import Stored, part_paths, unshared
from shared.store import Conflict, Document, Write

KEPT = 2  # revisions of an app: the active one and the latest inactive one


def revision_name(app_name: str, number: int) -> str:
    """Give the name of an app's revision: `myapp-00001` is the first."""
    return f"{app_name}-{number:05}"


def advance(place: Place, stored: dict[str, Any], old: Fields | None, own: Fields) -> Stored:
    """Give a new stored form with its history, and the writes that keep it and forget the old.

    `own` is the revision's id and time. A kind without revisions only forgets the old envelope.
    """
    if place.kind.revised:
        return _revised(place.path, stored, old or {}, own)
    gone = unshared(place.path, [old] if old else [], stored)
    return stored, [*map(Write.discard, gone)]


def rebind(document: Document, entity_tag: str, own: Fields) -> list[Write]:
    """Give the writes that make a revision of an app as it is, under a fresh entity tag."""
    if (old := document.fields) is None:  # a binding may name an app that does not exist yet
        return []
    stored, writes = _revised(
        document.path, {**old, "entity_tag": entity_tag, "updated_at": own["created_at"]}, old, own
    )
    return [*writes, Write.replace(document, stored)]


def _revised(path: str, form: Fields, old: Fields, own: Fields) -> Stored:
    past = old.get("history", [])
    gone, kept = past[: 1 - KEPT], past[1 - KEPT :]
    number = old.get("revision", 0) + 1
    entry = {"revision": number, **{name: form[name] for name in ("value_id", "parts")}}
    stored = {**form, "revision": number, "history": [*kept, entry]}
    name = revision_name(form["name"], number)
    revision = {key: value for key, value in stored.items() if key != "history"}
    # The form before goes with its envelope where its revision was deleted already.
    forgotten = [*gone, old] if old else gone
    paths = [*_paths(path, form, gone), *unshared(path, forgotten, stored)]
    return stored, [
        Write.create(f"{path}/revisions/{name}", revision | {"revision_name": name, **own}),
        *map(Write.discard, paths),
    ]


def _paths(path: str, app: Fields, entries: list[Fields]) -> list[str]:
    names = (revision_name(app["name"], entry["revision"]) for entry in entries)
    return [f"{path}/revisions/{name}" for name in names]


def forget(document: Document, number: int) -> list[Write]:
    """Give the writes that delete one revision of an app, which must be as it was read.

    Raises Conflict where a torn read gave a revision that the app no longer has.
    """
    stored, path = document.contents, document.path
    gone = [entry for entry in stored["history"] if entry["revision"] == number]
    if not gone:
        raise Conflict
    history = [entry for entry in stored["history"] if entry not in gone]
    paths = [*_paths(path, stored, gone), *unshared(path, gone, {**stored, "history": history})]
    return [Write.update(document, {"history": history}), *map(Write.discard, paths)]


def all_of(path: str, stored: Fields) -> list[str]:
    """Give the paths of all that lies below a resource: its parts, revisions and their parts."""
    past = stored.get("history", [])
    parts = [part for form in (stored, *past) for part in part_paths(path, form)]
    return [*dict.fromkeys(parts), *_paths(path, stored, past)]
