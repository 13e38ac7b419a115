"""The audit trail: one entry a change, written in the same commit as the change.

What was read, and what was denied, changes nothing: its entry is a commit of its own (`leave`).

What an entry says is its `record`, canonical JSON that is never changed: who, what, when and on
which project (contract section 9), and of what a project holds the names. It never holds a value, a
key or a body: none is ever handed to this file. A MAC under the state key tells it from what
another writer of the database planted; the other fields are its index, and prove nothing. What is
done outside of the store has an entry before it, which says `begun`, and one of its end after it.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from shared.app import App
from shared.calls import Origin, Principal
from shared.keys import RECORD
from shared.lifecycle import Project
from shared.log import Refused, dump, load
from shared.store import Document, Read, Write

TYPE = "urn:reprieve:audit:v1"
STATEMENT = "https://in-toto.io/Statement/v1"  # the `_type` of a certificate, which is a record too
SYSTEM, PLATFORM = "retention", "platform"  # who acts when nobody does; whose no project is
BEGUN, SUCCESS, FAILURE, DENIED = "begun", "success", "failure", "denied"  # outcomes
STORE, MOVED, HOST = "store", "moved", "host"  # clocks: the store's, the same moved, this machine's
About = tuple[str, str | None]  # the account's id, the project's
NOBODY: About = (PLATFORM, None)
ITSELF: Mapping[str, Any] = {
    "initiator": SYSTEM,
    "key_name": None,
    "roles": [],
    "correlation_id": None,
}
ACTION = "codeengine."  # what contract section 9 begins every action with
END: Mapping[str, Any] = {  # the index of a project's end, beside its certificate
    "action": f"{ACTION}project.erase",
    "outcome": SUCCESS,
    "initiator": SYSTEM,
}
INDEX = ("account_id", "project_id", "action", "outcome", "initiator")
NOTHING = Read(datetime.min.replace(tzinfo=UTC), {})  # what an entry alone is decided on


def operation(origin: Origin) -> str:
    """Give the path of a request's entry: where it exists, the change was made."""
    return f"audit/{origin.trace}"


def by(
    app: App, origin: Origin, action: str, project: Project, now: datetime, **more: Any
) -> Write:
    """Give the entry of what a caller asked for; its request names it.

    `action` is as in contract section 9, such as `secret.create`; `more` says which: the `names`
    of resources, an `entity_tag`, the `key` of a secret that was read.
    """
    return _entry(app, origin.trace, action, _about(project), now, **_caller(origin), **more)


def along(
    app: App, origin: Origin, action: str, project: Project, now: datetime, names: Iterable[str]
) -> list[Write]:
    """Give the entries of what a change took along, each under its request and its own name."""
    who, about = _caller(origin), _about(project)
    ids = ((f"{origin.trace}.{action}.{name}", name) for name in names)
    return [_entry(app, id_, action, about, now, **who, names=[name]) for id_, name in ids]


def by_system(
    app: App, entry_id: str, action: str, project: Project, now: datetime, **more: Any
) -> Write:
    """Give the entry of a change whose time had come; its id is of the change, not of a request.

    It names the entry of what it is the end of: the request to delete the project.
    """
    because = {"because": project.because} if project.because else {}
    return _entry(app, entry_id, action, _about(project), now, **because, **more)


def begun(app: App, origin: Origin, action: str, now: datetime, kek: str) -> Write:
    """Give the entry of a key-encryption key about to be replaced or removed: of no project."""
    entry = _entry(app, origin.trace, action, NOBODY, now, HOST, BEGUN, **_caller(origin), kek=kek)
    return Write.create(entry.path, {**(entry.fields or {}), "begun": True, "kek": kek})


def ended(app: App, origin: Origin, entry: Document, now: datetime, *, done: bool) -> list[Write]:
    """Give the writes of what came of something begun: what was read back, in an entry of its own.

    `origin` is of who read it back.
    """
    action, kek = entry.contents["action"].removeprefix(ACTION), entry.contents["kek"]
    outcome, who = SUCCESS if done else FAILURE, _caller(origin)
    end = _entry(
        app, f"{entry.id}.end", action, NOBODY, now, HOST, outcome, **who, because=entry.id, kek=kek
    )
    over = Write(entry.path, {"begun": False}, ("begun",), exists=True)
    return [over, Write.create(end.path, {**(end.fields or {}), "kek": kek})]


def of_migration(app: App, origin: Origin, now: datetime, path: str) -> Write:
    """Give the entry of a document that the operator vouched for, and that is rewritten with it."""
    entry_id = f"{origin.trace}.store.migrate.{path.replace('/', '.')}"
    return _entry(app, entry_id, "store.migrate", NOBODY, now, HOST, **_caller(origin), path=path)


def of_key(app: App, origin: Origin, action: str, key: Mapping[str, Any], now: datetime) -> Write:
    """Give the entry of an API key made, registered or deleted: which, and what it allows.

    Its project is the one the key is for, None for a key of the whole account.
    """
    about, ends = (key["account_id"], key["project_id"]), key["expires_at"]
    granted = {name: key[name] for name in ("id", "name", "roles", "project_id")}
    granted["expires_at"] = moment(ends) if ends else None
    return _entry(app, origin.trace, action, about, now, **_caller(origin), granted=granted)


def denied(app: App, origin: Origin, verb: str, project_id: str | None, **more: Any) -> Write:
    """Give the entry of what a caller may not do, of its own account, whatever it asked about.

    `verb` is what it lacked, such as `project.purge`. Nothing was read, so the time is this host's.
    """
    moved, about = app.offset(), (origin.principal.account, project_id)
    now = datetime.fromtimestamp(app.wall(), UTC) + moved
    clock, who = MOVED if moved else HOST, _caller(origin)
    return _entry(app, origin.trace, verb, about, now, clock, DENIED, **who, **more)


def leave(app: App, entry: Write) -> None:
    """Commit an entry alone, by one round trip; where the answer is lost, the entry tells.

    Raises Error `unavailable` where it is not known to be there.
    """
    app.store.transact(entry.path, (), lambda _: ([entry], None), first=NOTHING)


def of_end(app: App, project: Project, now: datetime, statement: Mapping[str, Any]) -> Write:
    """Give the entry of a project's end: its record is the certificate itself, a statement."""
    index = {"account_id": project.account_id, "project_id": project.id}
    index |= END
    return _stored(app, f"{project.id}.erase", statement, index, now)


def name_digest(project: Project) -> str | None:
    """Give the digest of a project's name under its salt, in hex; None where it has no salt."""
    if project.name_salt is None:
        return None
    name = unicodedata.normalize("NFC", project.name).encode()
    return hashlib.sha256(b"reprieve/name/v1\n" + project.name_salt + name).hexdigest()


def of_trail(app: App, origin: Origin, action: str, about: About, now: datetime) -> Write:
    """Give the entry of what a caller does with the trail itself, or a project's."""
    return _entry(app, origin.trace, action, about, now, **_caller(origin))


def genuine(app: App, entry: Mapping[str, Any]) -> bool:
    """Tell whether this code made the record of a stored entry; raises Error `unavailable`."""
    salt, record = entry.get("salt"), entry.get("record")
    if not isinstance(salt, bytes) or not isinstance(record, bytes):
        return False
    return app.keyring.state.holds(RECORD, salt + record, entry.get("mac"))


def said(app: App, document: Document) -> dict[str, Any] | None:
    """Give what a stored entry says of itself, where this code made its record under this id.

    That is its index (INDEX) and its time `at`, as text: of a certificate, which is a project's
    end, as of an audit record. None for all else. Raises Error `unavailable`.
    """
    if not genuine(app, document.fields or {}):
        return None
    try:
        record = load(document.contents["record"])
        told = _of_end(record) if record["_type"] == STATEMENT else record
        index = {name: told[name] for name in (*INDEX, "at")}
        return index if told["id"] == document.id else None
    except (Refused, KeyError, TypeError):
        return None


def _of_end(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a certificate says as an audit record would."""
    predicate = statement["predicate"]
    project, at = predicate["project"], predicate["timeline"]["erased"]
    about = {"account_id": project["account"], "project_id": project["id"]}
    return {"id": f"{project['id']}.erase", **about, **END, "at": at}


def moment(time: datetime) -> str:
    """Give a time in UTC as RFC 3339, to the microsecond."""
    return f"{time:%Y-%m-%dT%H:%M:%S.%f}Z"


def _about(project: Project) -> About:
    return project.account_id, project.id


def _caller(origin: Origin) -> dict[str, Any]:
    """Tell who: a key by its id, with the name and the roles that it has at the time.

    The operator also by the e-mail that the platform verified.
    """
    who: Principal = origin.principal
    email = {"email": who.email} if who.email else {}
    named = {"initiator": who.subject, "key_name": who.name, "roles": sorted(who.roles)}
    return {**named, "correlation_id": origin.trace, **email}


def _entry(
    app: App,
    entry_id: str,
    action: str,
    about: About,
    now: datetime,
    clock: str = "",
    outcome: str = SUCCESS,
    **more: Any,
) -> Write:
    """Give the write of an entry. It must be the first of its id: so a change happens once."""
    index = {"account_id": about[0], "project_id": about[1], "action": f"{ACTION}{action}"}
    said = {
        "_type": TYPE,
        "id": entry_id,
        **index,
        "at": moment(now),
        "outcome": outcome,
        "clock": clock or (MOVED if app.offset() else STORE),
        **ITSELF,
        **more,
    }
    index |= {"outcome": outcome, "initiator": said["initiator"]}
    return _stored(app, entry_id, said, index, now)


def _stored(
    app: App, entry_id: str, said: Mapping[str, Any], index: Mapping[str, Any], now: datetime
) -> Write:
    """Give the write of a record, with what shows that it is genuine, and its index."""
    record, salt = dump(said), app.new_salt()
    proof = {"record": record, "salt": salt, "mac": app.keyring.state.mac(RECORD, salt + record)}
    return Write.create(f"audit/{entry_id}", {**proof, **index, "at": now, "pending": True})
