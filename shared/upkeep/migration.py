"""Migration to the newest form: key records signed, values sealed anew, projects given a MAC.

The operator's alone, and private functions, for whoever signs must open no secret: `sign` for API
keys, `reseal` for values, `vouch` for projects. Each has two steps. `list` names, page by page,
what has the former form, with the digest of what a signature, an envelope or a MAC will vouch for;
and what is refused, since nothing can be vouched for in it. `rewrite` takes paths with the digests
that the operator said yes to, and rewrites what still is as it was listed. What to do is seen in
the store alone: it may stop anywhere, go on, and run twice.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from shared import evidence, forms, quotas
from shared.access import records
from shared.app import App
from shared.calls import Answer, Call, timestamp
from shared.errors import invalid
from shared.failures import log_failure
from shared.keys import Undecryptable, is_former
from shared.kinds import BY_COLLECTION
from shared.lifecycle import ACTIVE, SOFT_DELETED, Project, Status
from shared.resources import data_key_path, sealing
from shared.store import NAME, Conflict, Document, Write

Item = dict[str, Any]
DAMAGED = Undecryptable, AttributeError, LookupError, TypeError, ValueError
WORDS = ("rewritten", "unchanged", "changed", "failed")  # what becomes of what was vouched for
HELD = (ACTIVE, SOFT_DELETED)  # what is being destroyed needs no new envelope
KEY = re.compile(r"api_keys/[A-Za-z0-9]{1,64}")
PROJECT = re.compile(r"projects/[0-9a-f-]{36}")
VALUE = re.compile(r"(projects/([0-9a-f-]{36}))/([a-z_]+)/[^/]+(?:/revisions/[^/]+)?")
# What a body says is to be run, and with what.
SHOWN = (
    *("image_reference", "image_secret", "run_commands", "run_arguments", "runtime"),
    *("output_image", "output_secret", "source_url", "source_secret", "format"),
)
ABOUT, TIMES = ("account_id", "name", "roles", "project_id"), ("created_at", "expires_at")
STANDING = ("account_id", "region", "name", "status")
MOMENTS = ("created_at", "deleted_at", "purge_at", "restored_at", "shredding_at", "shredded_at")


class Page(NamedTuple):
    """A page of a list: what has the former form, the paths of what is refused, and the next."""

    found: list[Item]
    refused: list[str]
    start: str | None


def sign(app: App, call: Call) -> Answer:
    """Take one step of signing the records of API keys. Raises Error `invalid_field`."""
    return _step(app, call, _list_keys, _sign)


def reseal(app: App, call: Call) -> Answer:
    """Take one step of sealing values anew, beside what is clear. Raises Error `invalid_field`."""
    return _step(app, call, _list_values, _reseal)


def vouch(app: App, call: Call) -> Answer:
    """Take one step of giving projects their MAC. Raises Error `invalid_field`."""
    return _step(app, call, _list_projects, _vouch)


def _step(
    app: App,
    call: Call,
    look: Callable[[App, str], Page],
    rewrite: Callable[[App, Call, str, str], str],
) -> Answer:
    form = {"form": app.settings.store_form}
    if call.body["step"] == "list":
        found, refused, start = look(app, call.body.get("start", ""))
        more = {"next": start} if start else {}
        return Answer({**form, "found": found, "refused": refused, **more})
    if app.settings.store_form == forms.NEWEST:  # whatever has the former form now was planted
        raise invalid("step", "is `list` from the newest store form on: nothing is vouched for")
    counts: Counter[str] = Counter()
    for path, digest in call.body.get("vouched", {}).items():
        try:
            counts[rewrite(app, call, path, digest)] += 1
        except Conflict:  # somebody else wrote it just now: it has the newest form, or is gone
            counts["changed"] += 1
        except DAMAGED as error:  # one that is must not stop the others
            log_failure(error, call.trace, path=path)
            counts["failed"] += 1
    return Answer(form | {word: counts[word] for word in WORDS})


def _told(
    app: App, documents: Iterable[Document], tell: Callable[[App, Document], Item | None]
) -> tuple[list[Item], list[str]]:
    """Give what is listed of documents, and the paths of those that nothing can be vouched for."""
    found, refused = [], []
    for document in documents:
        try:
            item = tell(app, document)
        except DAMAGED:
            refused.append(document.path)
        else:
            found += [item] if item else []
    return found, refused


def _list_keys(app: App, start: str) -> Page:
    return _page(app, "api_keys", start, _key)


def _list_projects(app: App, start: str) -> Page:
    return _page(app, "projects", start, _project)


def _page(app: App, of: str, start: str, tell: Callable[[App, Document], Item | None]) -> Page:
    most = quotas.MIGRATED_KEYS
    _, page = app.store.query(of, order=NAME, after=start or None, limit=most)
    return Page(*_told(app, page, tell), page[-1].id if len(page) == most else None)


def _key(app: App, document: Document) -> Item | None:
    """Give what is listed of a key's record, where it has the former form."""
    key, said = document.contents, records.said(document)
    if "signature" in key and records.of(app, document):
        return None
    if said is None or "signature" in key or not KEY.fullmatch(document.path):
        raise ValueError("no record of a key, or one whose signature does not hold")
    times = {name: timestamp(key[name]) for name in TIMES if key[name] is not None}
    about = {name: key[name] for name in ABOUT} | times
    forms.canonical(about)  # it can be told: what is not signed may be of any type
    return {"path": document.path, "digest": _digest(said), "about": about}


def _sign(app: App, call: Call, path: str, digest: str) -> str:
    if not KEY.fullmatch(path):
        raise invalid("vouched", "must name API keys")
    document = app.store.read(path)[path]
    if document.fields is None or "signature" in document.fields:
        return "unchanged"
    said = records.said(document)
    if said is None or _digest(said) != digest:
        return "changed"
    signature = records.signed(app, document.fields)["signature"]
    app.store.commit([Write.update(document, {"signature": signature}), _entry(app, call, path)])
    return "rewritten"


def _project(app: App, document: Document) -> Item | None:
    """Give what is listed of a project, where it has no MAC.

    One that is not of its form, or has a MAC that does not hold, is none to be vouched for.
    """
    fields, said = document.contents, evidence.meaning(document)
    if evidence.holds(app, document):
        return None
    if evidence.MAC in fields or not PROJECT.fullmatch(document.path):
        raise ValueError("no project, or one whose MAC does not hold")
    if not all(isinstance(fields[name], str) for name in STANDING):
        raise ValueError("a project whose names are none")
    about = {name: fields[name] for name in STANDING}
    about |= {name: timestamp(fields[name]) for name in MOMENTS if fields.get(name) is not None}
    Status(fields["status"])
    return {"path": document.path, "digest": _digest(said), "about": about}


def _vouch(app: App, call: Call, path: str, digest: str) -> str:
    """Give one project its MAC, and change nothing else of it."""
    if not PROJECT.fullmatch(path):
        raise invalid("vouched", "must name projects")
    document = app.store.read(path)[path]
    if document.fields is None or evidence.MAC in document.fields:
        return "unchanged"
    if _digest(evidence.meaning(document)) != digest:
        return "changed"
    app.store.commit([evidence.moved(app, document, {}), _entry(app, call, path)])
    return "rewritten"


def _list_values(app: App, start: str) -> Page:
    """Give what has the former form in a page of one project, and where to go on.

    `start` is a project's path, for the one after it, or that of the last document looked at.
    """
    home = "/".join(start.split("/")[:2])
    if start == home:
        after = home.partition("/")[2] or None
        _, projects = app.store.query("projects", order=NAME, after=after, limit=1)
        if not projects:
            return Page([], [], None)
        home, start = projects[0].path, ""
        if projects[0].contents.get("status") not in HELD:
            return Page([], [], home)
    page = app.store.below(home, quotas.MIGRATED_VALUES, after=start or home, weigh=_bytes)
    if not page:
        return Page([], [], home)
    return Page(*_told(app, filter(_is_sealed, page), _value), page[-1].path)


def _value(app: App, document: Document) -> Item | None:
    """Give what is listed of a value, where it has the former form."""
    if not document.path.isprintable():
        raise ValueError("a name that no resource has")
    body, envelopes = document.contents["body"], _envelopes(app, document)[1]
    if not any(map(is_former, envelopes)):
        return None
    about = {name: body[name] for name in SHOWN if body.get(name)}
    digest = _digest(forms.canonical(body), *envelopes)
    further = len(body) - len(about)
    return {"path": document.path, "digest": digest, "about": about, "further": further}


def _reseal(app: App, call: Call, path: str, digest: str) -> str:
    """Seal one value anew, in its place: no entity tag changes, and no answer."""
    place = VALUE.fullmatch(path)
    kind = BY_COLLECTION.get(place[3]) if place else None
    if place is None or kind is None or not kind.sealed:
        raise invalid("vouched", "must name what has sealed members")
    home, key = place[1], data_key_path(place[2])
    read = app.store.read(home, key, path)
    document, owner = read[path], read[home].fields
    if document.fields is None or owner is None or owner["status"] not in HELD:
        return "unchanged"
    parts, envelopes = _envelopes(app, document)
    if not any(map(is_former, envelopes)):
        return "unchanged"
    if _digest(forms.canonical(document.fields["body"]), *envelopes) != digest:
        return "changed"
    project, record = Project.of(owner), read[key].fields or {}
    anew = sealing.reseal(app.keyring, project, record, kind, document.fields, envelopes)
    whole = {"sha256": sealing.digest(*anew)} | ({} if parts else {"sealed": anew[0]})
    pairs = zip(parts, map(sealing.part, anew))  # noqa: B905 - one that has no parts has one
    again = [Write.replace(*pair) for pair in pairs]
    app.store.commit([*again, Write.update(document, whole), _entry(app, call, path)])
    return "rewritten"


def _entry(app: App, call: Call, path: str) -> Write:
    """Give the entry of what is rewritten, for the commit that does so."""
    return evidence.of_migration(app, call.origin, datetime.fromtimestamp(app.wall(), UTC), path)


def _envelopes(app: App, document: Document) -> tuple[list[Document], list[bytes]]:
    """Give the parts that the value of a resource lies in, if any, and its envelopes."""
    paths = sealing.part_paths(document.path, document.fields)
    if not paths:
        return [], [document.contents["sealed"]]
    read = app.store.read(*paths)
    return [read[part] for part in paths], [read[part].contents["bytes"] for part in paths]


def _is_sealed(document: Document) -> bool:
    """Tell whether this is a resource, or a revision, of a kind that has sealed members."""
    place = VALUE.fullmatch(document.path)
    kind = BY_COLLECTION.get(place[3]) if place else None
    return bool(kind and kind.sealed)


def _bytes(document: Document) -> int:
    fields = document.fields or {}
    return len(fields.get("sealed") or fields.get("bytes") or b"")


def _digest(*said: bytes) -> str:
    """Give a digest of all these: another order or another cut is another digest."""
    each = b"".join(hashlib.sha256(one).digest() for one in said)
    return hashlib.sha256(each).hexdigest()
