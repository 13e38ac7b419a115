"""The five verbs of every kind of resource kept in a project.

A kind is a row: its collection, how options become a body, what may be seen of it. Owns the
read-modify-write of an update; the server decides whether the version read still stands.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ce.call import Call
from ce.client import Doc, path
from ce.failure import Failure


@dataclass(frozen=True)
class Kind:
    """A collection below a project; `form` picks those of one format out of a shared one."""

    collection: str
    label: str
    read: Callable[[Call, str | None], Any]
    body: Callable[[str, Any, Doc | None], Doc]
    shown: Callable[[Call, Doc], Doc]  # as `get` shows it
    masked: Callable[[Doc], Doc]  # as everything else does
    form: str = ""
    unlisted: str = ""  # the format that only --all shows
    words: Mapping[str, str] = field(default_factory=dict)  # the command line's for the API's

    def format_of(self, call: Call) -> str:
        """Return the API's word for the format asked for."""
        word = self.form or call["format"] or ""
        return self.words.get(word, word)


def create(call: Call) -> Doc:
    """Read the values, then create."""
    kind: Kind = call.noun.kind
    form = kind.format_of(call)
    body = {"name": call["name"], **kind.body(form, kind.read(call, form), None)}
    call.say(name=call["name"], format=form)
    return kind.masked(call.client.post(_where(call), body))


def get(call: Call) -> Doc:
    """Get one."""
    kind: Kind = call.noun.kind
    call.say(name=call["name"])
    return kind.shown(call, _one(call))


def update(call: Call) -> Doc:
    """Read the values, get what is there, put both together."""
    kind: Kind = call.noun.kind
    values = kind.read(call, None)
    call.say(name=call["name"])
    current = _one(call)
    body = kind.body(current.get("format", ""), values, current)
    tag = current["entity_tag"]
    return kind.masked(call.client.put(_where(call, call["name"]), body, tag))


def delete(call: Call) -> None:
    """Delete one, if it is of the kind that was named."""
    call.confirm(name=call["name"])
    call.say(name=call["name"])
    if call.noun.kind.form:
        _one(call)
    call.client.delete(_where(call, call["name"]))


def listing(call: Call) -> Doc:
    """List them, page after page."""
    kind: Kind = call.noun.kind
    call.say()
    form = kind.format_of(call)
    params = {"format": form} if form else {}
    found = [
        kind.masked(doc)
        for doc in call.client.pages(_where(call), kind.collection, **params)
        if call["all"] or doc.get("format", "-") != kind.unlisted
    ]
    return {kind.collection: call.order(found)}


def _one(call: Call) -> Doc:
    kind: Kind = call.noun.kind
    doc = call.client.get(_where(call, call["name"]))
    if kind.form and doc["format"] != kind.form:
        raise Failure(
            f"'{call['name']}' is no {kind.label}: its format is {doc['format']}.", status=404
        )
    return doc


def _where(call: Call, *name: str) -> str:
    return path("projects", call.project["id"], call.noun.kind.collection, *name)
