"""The verbs of every kind of resource kept in a project.

What a kind is stands in its row (`ce.rows.Kind`). Owns the read-modify-write of an update; the
server decides whether the version read still stands.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from ce.body import flag, place_in
from ce.call import Call
from ce.rows import Kind
from ce.server import NONE, Doc, Failure, path
from ce.text import words
from ce.verbs import references
from ce.verbs.dialog import confirm, ordered, say, say_where, tell, wait, waits

NO_RUNTIME = "no_runtime_attached"  # the reason of what is stored and not run
MEMBER = re.compile(r"`(([a-z_]+)(\.[a-z_]+)?(\.\d+)?)[a-z_.0-9]*`")


def create(call: Call) -> Doc:
    """Read the values, then create, and wait as told."""
    kind: Kind = call.noun.kind
    form = kind.format_of(call)
    body = kind.body(form, kind.read(call, form), None)
    say_where(call)
    confirm(call)
    return _created(call, body, {}, form)


def resubmit(call: Call) -> Doc:
    """Make one like another, with what is given in the place of what that one had."""
    kind: Kind = call.noun.kind
    values = kind.read(call, None)
    say_where(call)
    if call["name"]:
        say(call)
    source = call.client.get(_where(call, call["jobrun"]))
    template = source.get(kind.template)
    if template and call.given.intersection(kind.inherited):
        raise Failure(f"It takes its variables from '{template}': remove them there.")
    left_out = kind.fixed if template else ()
    copied = {m: source[m] for m in kind.copied if m in source and m not in left_out}
    return _created(call, copied | kind.body("", values, source), source)


def get(call: Call) -> Doc:
    """Get one, and what is shown beside it."""
    kind: Kind = call.noun.kind
    key = str(call[kind.key])
    say(call, owner=_owner(key))
    found = kind.shown(call, _one(call, key))
    return found if call["output"] or not kind.related else {**found, **_related(call, key)}


def update(call: Call) -> Doc:
    """Read the values, get what is there, put both together, and wait as told."""
    kind: Kind = call.noun.kind
    name = call["name"]
    values = kind.read(call, None)
    if not (values or kind.renewed):
        raise click.UsageError("Nothing to update: give an option.")
    say_where(call)
    confirm(call)
    say(call)
    current = _one(call, name)
    body = kind.body(current.get("format", ""), values, current)
    references.check(call, body, current)
    with _told_in_options(kind, body):
        tag = current["entity_tag"]
        found = call.client.change(kind.update, _where(call, name), body, tag)
    return kind.masked(_settled(call, found))


def delete(call: Call) -> None:
    """Delete one, if it is of the kind that was named; or all of one owner."""
    kind: Kind = call.noun.kind
    key = call[kind.key]
    owner = next((option for option in kind.filters if option in call.given), None)
    if (key is None) == (owner is None):
        options = ", ".join(map(flag, (kind.key, *kind.filters)))
        raise click.UsageError(f"Give exactly one of {options}.")
    say_where(call)
    if owner is not None:
        _delete_all(call, owner)
        return
    confirm(call)
    say(call)
    if kind.form:
        _one(call, key)
    call.client.delete(_where(call, key))
    gone = frozenset({"gone"})
    wait(call, "for it to be gone", lambda: _presence(call, key), gone)


def listing(call: Call) -> Doc:
    """List them, page after page, and what is shown beside each."""
    kind: Kind = call.noun.kind
    say(call)
    given = {query: call[option] for option, query in kind.filters.items() if call[option]}
    params = {query: kind.words.get(word, word) for query, word in given.items()}
    if kind.form:
        params["format"] = kind.form
    with _told_in_options(kind, {}):
        found = [kind.masked(doc) for doc in _pages(call, params) if kind.listed(call, doc)]
    if kind.related and not kind.related.below and not call["output"]:
        runs = [*_all(call, kind.related.collection)]
        by = kind.related.by
        found = [doc | _newest(run for run in runs if run.get(by) == doc["name"]) for doc in found]
    return {kind.collection: ordered(call, found)}


def runtimes(call: Call) -> Doc:
    """List what a function can be written for."""
    return call.client.get("/function_runtimes")


def _created(call: Call, body: Doc, source: Doc, form: str = "") -> Doc:
    kind: Kind = call.noun.kind
    # What takes a member away from what is there leaves it out of what is new.
    body = {member: value for member, value in body.items() if value is not None}
    named = {"name": call["name"]} if call["name"] else {}
    if named or kind.key != "name":  # else the API makes a name up, and we tell it then
        say(call, format=form)
    references.check(call, body, source)
    with _told_in_options(kind, body):
        doc = call.client.post(_home(call, kind.collection), {**named, **body})
    say(call, format=form, name=doc.get("name", ""))
    return kind.masked(_settled(call, doc))


def _settled(call: Call, doc: Doc) -> Doc:
    """Wait until it is as it will be; what nothing runs is that already, and says so."""
    kind: Kind = call.noun.kind
    if not kind.done or not waits(call):
        return doc
    found, asked = dict(doc), False

    def status() -> str:
        nonlocal asked
        if asked:
            found.update(call.client.get(_where(call, doc["name"])))
        asked = True
        return NO_RUNTIME if _reason(found) == NO_RUNTIME else str(found["status"])

    wait(call, f"for {kind.label} '{doc['name']}'", status, kind.done | {NO_RUNTIME})
    if _reason(found) == NO_RUNTIME:
        stays = f"{kind.label.capitalize()} '{doc['name']}' stays '{words(found['status'])}'"
        if kind.ends:
            raise Failure(f"{stays}: it is stored, and no runtime is attached to run it.")
        tell(call, f"{stays}: it is stored, and no runtime is attached.\n")
    return found


def _reason(doc: Doc) -> str | None:
    return (doc.get("status_details") or {}).get("reason")


@contextmanager
def _told_in_options(kind: Kind, body: Doc) -> Iterator[None]:
    """Tell a refusal in the words of the command line: by its options, not by members."""

    def option(found: re.Match[str]) -> str:
        whole, home, _, index = found.groups()
        entries = body.get(home)
        if index and isinstance(entries, list):
            entry = dict(enumerate(entries)).get(int(index[1:]))
            if isinstance(entry, dict):
                return place_in(entry, found[0].strip("`").rpartition(".")[2]) or found[0]
        member = whole if whole in kind.flags else home
        return kind.flags.get(member, found[0])

    try:
        yield
    except Failure as failure:
        told = [MEMBER.sub(option, message) for message in failure.messages]
        raise failure.saying(*told) from None


def _presence(call: Call, key: str) -> str:
    return "there" if call.client.exists(_where(call, key)) else "gone"


def _delete_all(call: Call, option: str) -> None:
    kind: Kind = call.noun.kind
    owner = call[option]
    question = f"Are you sure you want to delete all {kind.label}s of {option} '{{{option}}}'?"
    confirm(call, f"{question} [y/N]> ")
    found = [*_pages(call, {kind.filters[option]: owner})]
    if not found:
        raise Failure(f"There is no {kind.label} of {option} '{owner}'.", status=404, code=NONE)
    for doc in found:
        call.said = False
        say(call, name=doc["name"])
        call.client.delete(_where(call, doc["name"]))


def _one(call: Call, key: str) -> Doc:
    kind: Kind = call.noun.kind
    doc = call.client.get(_where(call, key))
    if kind.form and doc["format"] != kind.form:
        said = f"'{key}' is no {kind.label}: its format is {doc['format']}."
        raise Failure(said, status=404, code=NONE)
    return doc


def _related(call: Call, name: str) -> Doc:
    """Give what is shown beside one: all of it, and the newest."""
    related = call.noun.kind.related
    if related.below:
        where = _where(call, name) + path(related.collection)
        return _newest(call.client.pages(where, related.collection))
    return _newest(_all(call, related.collection, {related.by: name}))


def _newest(found: Iterable[Doc]) -> Doc:
    ordered = sorted(found, key=lambda doc: (doc["created_at"], doc["name"]), reverse=True)
    return {"related": ordered, "newest": ordered[0]} if ordered else {}


def _pages(call: Call, params: Mapping[str, str]) -> Iterator[Doc]:
    kind: Kind = call.noun.kind
    if not kind.within:
        yield from _all(call, kind.collection, params)
        return
    owner = call[kind.owner]
    home = _home(call, kind.within)
    owners = [call.client.get(home + path(owner))] if owner else _all(call, kind.within)
    for one in owners:
        where = home + path(one["name"], kind.collection)
        latest = one["status_details"].get("latest_created_revision")
        for doc in call.client.pages(where, kind.collection):
            yield doc if call["output"] else {**doc, "latest": doc["name"] == latest}


def _all(call: Call, collection: str, params: Mapping[str, Any] | None = None) -> Iterator[Doc]:
    return call.client.pages(_home(call, collection), collection, **(params or {}))


def _home(call: Call, collection: str) -> str:
    return path("projects", call.client.project["id"], collection)


def _where(call: Call, key: str) -> str:
    kind: Kind = call.noun.kind
    if not kind.within:
        return _home(call, kind.collection) + path(key)
    if not (owner := _owner(key)):
        raise Failure(f"'{key}' is no name of a {kind.label}.", status=404, code=NONE)
    return _home(call, kind.within) + path(owner, kind.collection, key)


def _owner(key: str) -> str:
    """Give what begins the name of what belongs to another: `myapp-00001` is of `myapp`."""
    return key.rpartition("-")[0]
