"""What is told of a resource without opening it: the clear members beside its envelope.

No data key is read here and no value, sealed or not: of each document only the members below leave
the store. `updated_at` and `key_count` are stamped on each write and are outside of the body; what
an older version wrote lacks them, and so does what is told of it.
"""

from datetime import datetime
from typing import Any

from shared import api
from shared.access import own_key
from shared.app import App
from shared.calls import Answer, Call, Page, timestamp
from shared.kinds import Fields, Kind
from shared.lifecycle import Project
from shared.resources import reading
from shared.resources.place import Place

# What is read of each; of the body nothing but a secret's format.
TOLD = ("id", "name", "body.format", "entity_tag", "created_at", "updated_at", "key_count")
TIMES = ("created_at", "updated_at")


def marks(kind: Kind, body: Fields, now: datetime) -> dict[str, Any]:
    """Give what a write leaves beside the envelope: when it was, and how many keys there are."""
    count = {"key_count": len(body.get("data", ()))} if kind.keyed else {}
    return {"updated_at": now, **count}


def listing(kind: Kind, app: App, call: Call) -> Answer:
    """Give a page of a kind's resources in the order of their keys, without what they hold.

    Raises Error `project_not_active`.
    """
    place, limit = Place(kind, call.parameters["project_id"]), call.parameters["limit"]
    asked = [name for name in kind.filters if name in call.parameters]
    filters = [(f"body.{name}", "==", call.parameters[name]) for name in asked]
    read, found = app.store.read_beside(
        [own_key(call.principal), place.home],
        place.collection,
        *filters,
        order=kind.key,
        after=call.parameters.get("start"),
        limit=limit + 1,
        fields=TOLD,
    )
    _, now = reading.home_of(app, call.principal, place, read)
    entries = [told(document.contents) for document in found[:limit]]
    following = found[limit - 1].id if len(found) > limit else None
    return Answer(page=Page(kind.collection, entries, following), now=now)


def told(stored: Fields, schema: str = "ResourceMetadata", **more: Any) -> dict[str, Any]:
    """Give the metadata of a resource, of its stored form: what the schema has, and is there."""
    form = {**stored.get("body", {}), **stored, **more}
    times = {name: timestamp(form[name]) for name in TIMES if name in form}
    there = {name: value for name, value in form.items() if value is not None}
    return api.shown(schema, {**there, **times})


def answer(_place: Place, _app: App, _project: Project, stored: Fields, now: datetime) -> Answer:
    """Give the answer that shows what a change made of a resource, but for what it holds."""
    return Answer(told(stored), entity_tag=stored["entity_tag"], now=now)
