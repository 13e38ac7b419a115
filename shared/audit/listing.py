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

from shared import api, evidence, forms
from shared.access import own_key, require_own
from shared.app import App
from shared.audit import stored
from shared.audit.proofs import proof_of
from shared.calls import Answer, Call, Page, Raw
from shared.errors import Error, Target, invalid, missing
from shared.evidence import INDEX
from shared.failures import tell
from shared.resources import fitting
from shared.store import Document, Filter, Read, Write

Fields = Mapping[str, Any]
SEALED, WAITING, REFUSED, ERASED, FORMER = "sealed", "waiting", "refused", "erased", "former"
EQUAL = ("action", "initiator")  # parameters that are fields
POSITION = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)\.([A-Za-z0-9][\w.:-]{0,480})", re.ASCII
)
TEXT, UNKEPT = "text/plain; charset=utf-8", "no-store"  # a proof's type; what no cache keeps
BEGIN = "0001-01-01T00:00:00.000000Z.0"  # the position before all entries that have a time
PLACE = {"seq": "seq", "epoch": "epoch", "n": "index"}  # in the store, in an answer
PLANTED = "an audit entry that this service did not write"
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
    looked = list(fitting(found[:limit], _weight))
    shown = [document for document in looked if _placed(document)]
    following = _position([*looked, *shown][-1]) if len(found) > len(looked) else None
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
    """Give an entry as it is answered: what it says, the bytes that say it, and its place.

    Of one that is erased its place alone, of one that is refused nothing but its id and time: all
    else beside them anyone may have written.
    """
    fields, status = document.contents, status_of(app, document)
    form: dict[str, Any] = dict.fromkeys((*INDEX, *PLACE.values(), "record", "salt", "prev"))
    form["at"] = _moment(fields["at"])
    if status in (SEALED, WAITING):
        said: dict[str, Any] = json.loads(fields["record"])
        index = {name: fields[name] for name in INDEX}
        form |= index if said["_type"] == evidence.STATEMENT else said
        form["record"] = b64encode(fields["record"]).decode()
        form["salt"] = fields["salt"].hex()
    if status == FORMER:
        form |= _former(fields)
    if status in (SEALED, ERASED):
        form |= {said: fields[name] for name, said in PLACE.items()}
        form["prev"] = fields["prev"].hex()
    return api.shown("AuditEntry", form | {"id": document.id, "status": status})


def status_of(app: App, document: Document) -> str:
    """Tell how far an entry is: sealed in the log, or else why not.

    `refused` is one that this code did not write, or not so: it is told as CRITICAL. One of a
    former version has no record, and is none once the store's form is the newest; nor has one whose
    record's time was over, which is in the log.
    """
    status = _status(app, document)
    if status == REFUSED:
        tell("CRITICAL", PLANTED, path=document.path)
    return status


def _status(app: App, document: Document) -> str:
    fields = document.contents
    place = [fields.get(name) for name in (*PLACE, "prev")]
    sealed = all(map(stored.is_number, place[:-1])) and stored.is_hash(place[-1])
    if not sealed and place != [None] * len(place):
        return REFUSED
    if fields.get("record") is None:
        former = app.settings.store_form == forms.FORMER and _is_former(fields)
        return ERASED if sealed else FORMER if former else REFUSED
    if fields.get("pending") == REFUSED or not _holds(app, document):
        return REFUSED
    return SEALED if sealed else WAITING


def _holds(app: App, document: Document) -> bool:
    """Tell whether the record is ours, of this id, and what the index beside it says."""
    said, fields = evidence.said(app, document), document.contents
    if said is None or not isinstance(fields.get("at"), datetime):
        return False
    here = {name: fields.get(name) for name in INDEX}
    return said == here | {"at": evidence.moment(fields["at"])}


def _is_former(fields: Fields) -> bool:
    """Tell whether fields are those of an entry of version 0.1.0: texts, and its time."""
    texts = all(isinstance(fields.get(name), str) for name in INDEX if name != "project_id")
    others = (value for name, value in fields.items() if name != "at")
    return texts and all(isinstance(value, str | int | None) for value in others)


def _former(fields: Fields) -> dict[str, Any]:
    """Give what the fields of an entry of version 0.1.0 say, which had no record."""
    names = {"names": [fields["name"]]} if "name" in fields else {}
    return {name: value for name, value in fields.items() if name != "at"} | names


def _weight(document: Document) -> int:
    """Give how large an entry may be in an answer: its record, what that says, and the rest."""
    record = document.contents.get("record")
    return AROUND + 3 * (len(record) if isinstance(record, bytes) else 0)


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


def _placed(document: Document) -> bool:
    """Tell whether an entry has a place in the list; one without is told as CRITICAL."""
    at = document.contents.get("at")
    if isinstance(at, datetime) and POSITION.fullmatch(f"{_moment(at)}.{document.id}"):
        return True
    tell("CRITICAL", PLANTED, path=document.path)
    return False


def _position(document: Document) -> str | None:
    """Give where the page after an entry begins; None where none that has a time can follow.

    The store has what is null, a boolean or a number before all times, and all else after them.
    """
    at = document.contents.get("at")
    if isinstance(at, datetime):
        return f"{_moment(at)}.{document.id}"
    return BEGIN if isinstance(at, int | float | None) else None


def _moment(time: datetime) -> str:
    """Give a time in UTC as `evidence` does, also of a year below 1000, which no record has."""
    return f"{time.isoformat(timespec='microseconds').removesuffix('+00:00')}Z"


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
