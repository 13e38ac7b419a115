"""The audit trail: one entry a change, written in the same commit as the change.

An entry says who, what, when and on which project (contract section 9), and of what a project
holds the name. It never holds a value, a key or a body: none is ever handed to this file. What is
done outside of the store has its entry before it, which says `begun` until its end is read back.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from shared.calls import Origin
from shared.lifecycle import Project
from shared.store import Document, Write

SYSTEM = "retention"  # who acts when nobody does
BEGUN, SUCCESS, FAILURE = "begun", "success", "failure"  # outcomes
About = Mapping[str, str | None]  # the account's id, the project's
NOBODY: About = {"account_id": None, "project_id": None}


def operation(origin: Origin) -> str:
    """Give the path of a request's entry: where it exists, the change was made."""
    return f"audit/{origin.trace}"


def by(
    origin: Origin, action: str, project: Project, now: datetime, name: str = "", **more: str
) -> Write:
    """Give the entry of what a caller asked for; its request names it.

    `action` is as in contract section 9, such as `secret.create`; `name` is the resource's, `more`
    what else says which: the `key` of a secret that was read.
    """
    named = {"name": name, **more} if name else {}
    return _entry(origin.trace, action, _about(project), now, **_caller(origin), **named)


def along(
    origin: Origin, action: str, project: Project, now: datetime, names: Iterable[str]
) -> list[Write]:
    """Give the entries of what a change took along, each under its request and its own name."""
    who, about = _caller(origin), _about(project)
    ids = ((f"{origin.trace}.{action}.{name}", name) for name in names)
    return [_entry(id_, action, about, now, **who, name=name) for id_, name in ids]


def by_system(entry_id: str, action: str, project: Project, now: datetime) -> Write:
    """Give the entry of a change whose time had come; its id is of the change, not of a request."""
    return _entry(entry_id, action, _about(project), now, initiator=SYSTEM)


def begun(origin: Origin, action: str, now: datetime, kek: str) -> Write:
    """Give the entry of a key-encryption key about to be replaced or removed: of no project."""
    who = _caller(origin)
    return _entry(origin.trace, action, NOBODY, now, **who, kek=kek, outcome=BEGUN)


def ended(entry: Document, now: datetime, *, done: bool) -> Write:
    """Give the write of what came of something begun: what was read back, and nothing else."""
    return Write.update(entry, {"outcome": SUCCESS if done else FAILURE, "ended_at": now})


def of_migration(origin: Origin, now: datetime, path: str) -> Write:
    """Give the entry of a document that the operator vouched for, and that is rewritten with it."""
    entry_id = f"{origin.trace}.store.migrate.{path.replace('/', '.')}"
    return _entry(entry_id, "store.migrate", NOBODY, now, **_caller(origin), path=path)


def of_key(origin: Origin, action: str, key: Mapping[str, Any], now: datetime) -> Write:
    """Give the entry of an API key made, registered or deleted: which, and what it allows.

    Its project is the one the key is for, None for a key of the whole account.
    """
    about = {name: key[name] for name in ("account_id", "project_id")}
    who = {**_caller(origin), "api_key_id": key["id"], "roles": key["roles"]}
    return _entry(origin.trace, action, about, now, **who)


def _about(project: Project) -> About:
    return {"account_id": project.account_id, "project_id": project.id}


def _caller(origin: Origin) -> dict[str, Any]:
    """Tell who: a key by its id; the operator also by the e-mail that the platform verified."""
    email = {"email": origin.principal.email} if origin.principal.email else {}
    return {"initiator": origin.principal.subject, "correlation_id": origin.trace, **email}


def _entry(entry_id: str, action: str, about: About, now: datetime, **who: Any) -> Write:
    """Give the write of an entry. It must be the first of its id: so a change happens once."""
    fields = {"action": f"codeengine.{action}", **about, "at": now, "outcome": SUCCESS, **who}
    return Write.create(f"audit/{entry_id}", fields)
