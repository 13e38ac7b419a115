"""What a change in a project is answered when it is sent again: what it was at first.

Of the first answer all is kept but what the kind seals, and what is large. That is what the request
says, which is the same, or what the resource still is: no value is stored twice, or outlives its
resource, and who changes a little leaves no copy of much.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared import api, quotas
from shared.app import App
from shared.calls import Answer, Call
from shared.errors import Error
from shared.kinds import Fields
from shared.resources import readers, reading
from shared.resources.place import Place


def kept(place: Place, answer: Answer) -> dict[str, Any]:
    """Give what is kept of an answer: as text, for then it is the same to the letter."""
    body, sealed = answer.body or {}, place.kind.sealed
    hidden = [name for name, value in body.items() if value and (name in sealed or _large(value))]
    clear = {name: value for name, value in body.items() if name not in hidden}
    return {"body": json.dumps(clear, ensure_ascii=False), "hidden": hidden}


def answer(app: App, call: Call, place: Place, now: datetime, kept: Fields) -> Answer:
    """Give the answer again; raises Error `conflict` where nothing knows all of it any more."""
    body, hidden, kind = json.loads(kept["body"]), kept["hidden"], place.kind
    if not body:
        return Answer(now=now)
    there = place.beside(kind, body[kind.key])
    if hidden:
        body |= _said(there, call, hidden) or _still(app, call, there, body, hidden)
    tag, location = body.get("entity_tag"), there.href(app, there.key)
    shown = api.shown(kind.schema, body) if hidden else body
    return Answer(shown, entity_tag=tag, now=now, location=location)


def _large(value: Any) -> bool:
    return len(json.dumps(value, ensure_ascii=False).encode()) > quotas.KEPT_BYTES


def _said(place: Place, call: Call, hidden: list[str]) -> Fields:
    """Give the hidden members as the request says them; none unless it alone decides them all."""
    said = [call.body.get(name) for name in hidden]
    merged = place.kind.update == "PATCH" and any(isinstance(value, Mapping) for value in said)
    if place.template(call.body) or merged or not all(said):
        return {}
    whole = api.filled(place.kind.schema, call.body)
    return {name: whole[name] for name in hidden}


def _still(app: App, call: Call, place: Place, body: Fields, hidden: list[str]) -> Fields:
    """Give them out of the resource, if it is what it was when it was answered."""
    try:
        project, now, resource = reading.one(app, call, place, place.path)
    except Error as error:
        if error.code != "resource_not_found":
            raise
    else:
        shown = place.shown(app, project, resource)
        if {**shown, **body} == shown:
            readers.noted(app, call, place, project, now, [place.key])
            return {name: shown[name] for name in hidden}
    since = f"The same request was carried out, and its {place.kind.label} has changed since"
    raise Error("conflict", f"{since}, or is gone: get it.")
