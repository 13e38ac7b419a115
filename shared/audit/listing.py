"""An account's audit trail as the account reads it: entries by time, the oldest first.

What is told of an entry is what its record says, if its MAC holds and the index beside it says the
same: who writes the database alone can neither change an entry unseen nor move one into another
account's list. A key for one project is shown that project's entries alone, so it cannot tell
whether one is missing. No entry holds a value, hence no list does.
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared import api, evidence
from shared.access import own_key, require_own
from shared.app import App
from shared.audit.proofs import proof_of
from shared.calls import Answer, Call, Page, Raw
from shared.errors import Error, Target, invalid, missing
from shared.failures import tell
from shared.resources import fitting
from shared.store import Document, Filter, Read, Write

Fields = Mapping[str, Any]
SEALED, WAITING, REFUSED, ERASED, FORMER = "sealed", "waiting", "refused", "erased", "former"
INDEX = ("account_id", "project_id", "action", "outcome", "initiator")
EQUAL = ("action", "initiator")  # parameters that are fields
POSITION = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)\.([A-Za-z0-9][\w.:-]*)", re.ASCII)
TEXT, UNKEPT = "text/plain; charset=utf-8", "no-store"  # a proof's type; what no cache keeps
AROUND = 1024  # bytes of an entry in an answer, beside what its record gives: at most


def listing(app: App, call: Call) -> Answer:
    """Give a page of the account's entries by time and id; of one project's key, of that project.

    Raises Error `unauthorized` where the caller's own key is gone, `invalid_field` for a time that
    is none or a position that no page gave.
    """
    principal, limit = call.principal, call.parameters["limit"]
    read, found = app.store.read_beside(
        [own_key(principal)],
        "audit",
        *_filters(call),
        order="at",
        after=_after(call),
        limit=limit + 1,
        weigh=_weight,
    )
    require_own(app, principal, read)
    shown = list(fitting(found[:limit], _weight))
    following = _position(shown[-1]) if len(found) > len(shown) else None
    entries = [told(app, document) for document in shown]
    return Answer(page=Page("audit_entries", entries, following), now=app.now(read))


def export(app: App, call: Call) -> Answer:
    """Leave an entry of an export that begins: who reads the trail afterwards must find it there.

    Raises Error `unauthorized` where the caller's own key is gone.
    """
    own, about = own_key(call.principal), (call.principal.account, call.principal.project)

    def decide(read: Read) -> tuple[list[Write], Answer]:
        require_own(app, call.principal, read)
        now = app.now(read)
        entry = evidence.of_trail(app, call.origin, "audit.export", about, now)
        return [entry], Answer({"id": call.trace, "at": evidence.moment(now)}, now=now)

    return app.store.transact(evidence.operation(call.origin), [own], decide)


def proof(app: App, call: Call) -> Answer:
    """Give the proof that the log holds an entry of the account, or of the one project of a key.

    Raises Error `resource_not_found`, also for what this service did not write or has erased, and
    `not_sealed` while it waits.
    """
    principal, path = call.principal, f"audit/{call.parameters['id']}"
    read = app.store.read(own_key(principal), path)
    require_own(app, principal, read)
    fields = read[path].fields
    if fields is None or fields.get("account_id") != principal.account:
        raise missing()
    if principal.project not in (None, fields.get("project_id")):
        raise missing()
    if status_of(app, read[path]) not in (SEALED, WAITING):
        raise missing()
    return proved(app, read, path)


def proved(app: App, read: Read, path: str) -> Answer:
    """Give the proof of an entry that was read; raises Error `not_sealed` while it waits."""
    told = proof_of(app, read[path].contents)
    return Answer(raw=Raw(told, TEXT, UNKEPT), now=app.now(read))


def told(app: App, document: Document) -> dict[str, Any]:
    """Give an entry as it is answered: what it says, the bytes that say it, and its place."""
    fields = document.contents
    status = status_of(app, document)
    said = _said(fields.get("record")) if status in (SEALED, WAITING) else {}
    record = fields.get("record") if said else None
    index = {name: fields.get(name) for name in INDEX} | {"at": evidence.moment(fields["at"])}
    about = said if said.get("_type") == evidence.TYPE else _former(fields, status)
    place = {name: fields.get(name) for name in ("seq", "epoch")} | {"index": fields.get("n")}
    form = {**index, **about, "id": document.id, **place, "status": status}
    form["record"] = b64encode(record).decode() if record else None
    form |= {name: _hex(fields.get(name)) for name in ("salt", "prev")}
    return api.shown("AuditEntry", form)


def status_of(app: App, document: Document) -> str:
    """Tell how far an entry is: sealed in the log, or else why not.

    `refused` is one that this code did not write, or not so: it is told as CRITICAL. One of a
    former version has no record; nor has one whose record's time was over, which is in the log.
    """
    fields = document.contents
    if fields.get("record") is None:
        return ERASED if fields.get("n") is not None else FORMER
    if fields.get("pending") == REFUSED or not _holds(app, document):
        tell("CRITICAL", "an audit entry that this service did not write", path=document.path)
        return REFUSED
    return WAITING if fields.get("n") is None else SEALED


def _holds(app: App, document: Document) -> bool:
    """Tell whether the record is ours, of this id, and what the index beside it says."""
    fields = document.contents
    if not evidence.genuine(app, fields):
        return False
    said = _said(fields["record"])
    if said.get("_type") == evidence.TYPE:
        at = evidence.moment(fields["at"]) == said.get("at")
        return at and said.get("id") == document.id and _same(fields, said, *INDEX)
    project = said.get("predicate", {}).get("project", {})
    named = {"account_id": project.get("account"), "project_id": project.get("id")}
    return document.id == f"{project.get('id')}.erase" and _same(fields, named, *named)


def _same(fields: Fields, said: Fields, *names: str) -> bool:
    return all(fields.get(name) == said.get(name) for name in names)


def _said(record: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(record)
    return said


def _former(fields: Fields, status: str) -> dict[str, Any]:
    """Give what the fields of an entry of version 0.1.0 say, which had no record."""
    if status != FORMER:
        return {}
    names = {"names": [fields["name"]]} if "name" in fields else {}
    return {name: value for name, value in fields.items() if name != "at"} | names


def _hex(value: bytes | None) -> str | None:
    return value.hex() if value else None


def _weight(document: Document) -> int:
    """Give how large an entry may be in an answer: its record, what that says, and the rest."""
    return AROUND + 3 * len(document.contents.get("record") or b"")


def _filters(call: Call) -> list[Filter]:
    asked, scope = call.parameters, call.principal.project
    filters: list[Filter] = [("account_id", "==", call.principal.account)]
    project = asked.get("project_id", scope)
    if project is not None:  # no entry is of the project "": another's are as if there were none
        filters.append(("project_id", "==", project if scope in (None, project) else ""))
    filters += [(name, "==", asked[name]) for name in EQUAL if name in asked]
    times = (("since", ">="), ("until", "<"))
    return filters + [("at", how, _time(asked[name], name)) for name, how in times if name in asked]


def _time(text: str, name: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):  # a day or an hour that no calendar has
        raise invalid(Target("parameter", name), "must be a time that there is") from None


def _position(document: Document) -> str:
    return f"{evidence.moment(document.contents['at'])}.{document.id}"


def _after(call: Call) -> tuple[datetime, str] | None:
    """Give where a page begins. Raises Error for what no page gave: else it would begin anew."""
    start = call.parameters.get("start")
    if not start:
        return None
    if found := POSITION.fullmatch(start):
        return _time(found[1], "start"), found[2]
    raise Error(
        "invalid_field",
        "`start` must be what the page before gave.",
        Target("parameter", "start"),
    )
