"""The audit trail: one entry a change, written in the same commit as the change.

An entry says who, what, when and on which project (contract section 9), and of what a project
holds the name. It never holds a value, a key or a body.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from shared import writes
from shared.app import Call

SYSTEM = "retention"  # who acts when nobody does


def operation(call: Call) -> str:
    """Give the path of the entry of a request's change: where it exists, the change was made."""
    return f"audit/{call.trace}"


def by(
    call: Call, action: str, project: Mapping[str, Any], now: datetime, name: str | None = None
) -> writes.Write:
    """Give the entry of a change that a caller asked for; its request names it.

    `action` is as in contract section 9, such as `secret.create`; `name` is the resource's.
    """
    return entry(call.trace, action, project, now, _caller(call) | ({"name": name} if name else {}))


def along(
    call: Call, action: str, project: Mapping[str, Any], now: datetime, names: Iterable[str]
) -> list[writes.Write]:
    """Give the entries of what a change took along, each under its request and its own name."""
    return [
        entry(f"{call.trace}.{action}.{name}", action, project, now, _caller(call) | {"name": name})
        for name in names
    ]


def of_key(call: Call, action: str, key: Mapping[str, Any], now: datetime) -> writes.Write:
    """Give the entry of an API key made or deleted: which, and what it allows.

    Its project is the one the key is for, None for a key of the whole account.
    """
    about = {"account_id": key["account_id"], "id": key["project_id"]}
    granted = {"api_key_id": key["id"], "roles": key["roles"]}
    return entry(call.trace, action, about, now, _caller(call) | granted)


def _caller(call: Call) -> dict[str, Any]:
    return {"initiator": call.principal.subject, "correlation_id": call.trace}


def entry(
    entry_id: str,
    action: str,
    project: Mapping[str, Any],
    now: datetime,
    who: Mapping[str, Any],
) -> writes.Write:
    """Give the write of one entry; it must be the first of its id, so a change happens once."""
    fields = {
        "action": f"codeengine.{action}",
        "account_id": project["account_id"],
        "project_id": project["id"],
        "at": now,
        "outcome": "success",
        **who,
    }
    return writes.create(f"audit/{entry_id}", fields)
