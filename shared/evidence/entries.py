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


def operation(origin: Origin) -> str:
    """Give the path of a request's entry: where it exists, the change was made."""
    return f"audit/{origin.trace}"


def by(origin: Origin, action: str, project: Project, now: datetime, name: str = "") -> Write:
    """Give the entry of a change that a caller asked for; its request names it.

    `action` is as in contract section 9, such as `secret.create`; `name` is the resource's.
    """
    named = {"name": name} if name else {}
    return _entry(origin.trace, action, now, **_about(project), **_caller(origin), **named)


def along(
    origin: Origin, action: str, project: Project, now: datetime, names: Iterable[str]
) -> list[Write]:
    """Give the entries of what a change took along, each under its request and its own name."""
    said = _about(project) | _caller(origin)
    ids = ((f"{origin.trace}.{action}.{name}", name) for name in names)
    return [_entry(id_, action, now, **said, name=name) for id_, name in ids]


def by_system(entry_id: str, action: str, project: Project, now: datetime) -> Write:
    """Give the entry of a change whose time had come; its id is of the change, not of a request."""
    return _entry(entry_id, action, now, **_about(project), initiator=SYSTEM)


def by_operator(origin: Origin, action: str, now: datetime, kek: str) -> Write:
    """Give the entry of a key-encryption key replaced or removed: it is about no project."""
    return _entry(origin.trace, action, now, **_caller(origin), kek=kek)


def of_key(origin: Origin, action: str, key: Mapping[str, Any], now: datetime) -> Write:
    """Give the entry of an API key made or deleted: which, and what it allows.

    Its project is the one the key is for, None for a key of the whole account.
    """
    about = {name: key[name] for name in ("account_id", "project_id", "roles")}
    return _entry(origin.trace, action, now, **_caller(origin), **about, api_key_id=key["id"])


def _about(project: Project) -> dict[str, Any]:
    return {"account_id": project.account_id, "project_id": project.id}


def _caller(origin: Origin) -> dict[str, Any]:
    return {"initiator": origin.principal.subject, "correlation_id": origin.trace}


def _entry(entry_id: str, action: str, now: datetime, **said: Any) -> Write:
    """Give the write of an entry. It must be the first of its id: so a change happens once."""
    nobody = {"account_id": None, "project_id": None}
    fields = {"action": f"codeengine.{action}", **nobody, "at": now, "outcome": "success", **said}
    return Write.create(f"audit/{entry_id}", fields)
