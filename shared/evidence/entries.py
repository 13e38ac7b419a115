"""The audit trail: one entry a change, written in the same commit as the change.

An entry says who, what, when and on which project (contract section 9), and of what a project
holds the name. It never holds a value, a key or a body: none is ever handed to this file.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from shared.calls import Origin
from shared.lifecycle import Project
from shared.store import Write

SYSTEM = "retention"  # who acts when nobody does
About = Mapping[str, str | None]  # the account's id, the project's
NOBODY: About = {"account_id": None, "project_id": None}


def operation(origin: Origin) -> str:
    """Give the path of a request's entry: where it exists, the change was made."""
    return f"audit/{origin.trace}"


def by(origin: Origin, action: str, project: Project, now: datetime, name: str = "") -> Write:
    """Give the entry of a change that a caller asked for; its request names it.

    `action` is as in contract section 9, such as `secret.create`; `name` is the resource's.
    """
    named = {"name": name} if name else {}
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


def by_operator(origin: Origin, action: str, now: datetime, kek: str) -> Write:
    """Give the entry of a key-encryption key replaced or removed: it is about no project."""
    return _entry(origin.trace, action, NOBODY, now, **_caller(origin), kek=kek)


def of_migration(origin: Origin, now: datetime, paths: list[str]) -> Write:
    """Give the entry of what the operator vouched for, by its paths in the store."""
    return _entry(origin.trace, "store.migrate", NOBODY, now, **_caller(origin), paths=paths)


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
    fields = {"action": f"codeengine.{action}", **about, "at": now, "outcome": "success", **who}
    return Write.create(f"audit/{entry_id}", fields)
