"""Project states, the table of moves between them, and the deadline. Pure.

A move takes the store's time as an argument and gives the fields to write; it reads no clock
and touches no store. At any instant exactly one of `restore` and `expire` is legal.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.errors import Error

RETENTION = timedelta(days=7)  # contract section 2.1; 168 hours, no calendar days


class Status(StrEnum):
    """The states Reprieve uses out of the contract's project statuses (section 1.3)."""

    ACTIVE = "active"
    SOFT_DELETED = "soft_deleted"
    HARD_DELETING = "hard_deleting"
    HARD_DELETION_FAILED = "hard_deletion_failed"
    HARD_DELETED = "hard_deleted"


ACTIVE, SOFT_DELETED, HARD_DELETING, HARD_DELETION_FAILED, HARD_DELETED = Status

MOVES: dict[str, tuple[frozenset[Status], Status]] = {
    "delete": (frozenset({ACTIVE}), SOFT_DELETED),
    "restore": (frozenset({SOFT_DELETED}), ACTIVE),
    "expire": (frozenset({SOFT_DELETED}), HARD_DELETING),
    "reclaim": (frozenset({ACTIVE, SOFT_DELETED}), HARD_DELETING),
    "erase": (frozenset({HARD_DELETING}), HARD_DELETED),
    "fail": (frozenset({HARD_DELETING}), HARD_DELETION_FAILED),
    "retry": (frozenset({HARD_DELETION_FAILED}), HARD_DELETING),
}

REFUSAL = {"delete": "project_not_active", "restore": "project_not_restorable"}


def move(project: Mapping[str, Any], verb: str, now: datetime) -> dict[str, Any]:
    """Give the fields that `verb` writes to `project` at `now`, the store's time.

    Raises Error `project_not_active`, `project_not_restorable` or `project_not_deletable` when
    the move is not legal: wrong state, a restore at or after `purge_at`, an expiry before it.
    """
    sources, target = MOVES[verb]
    code = REFUSAL.get(verb, "project_not_deletable")
    status = Status(project["status"])
    if status not in sources:
        raise Error(code, f"Cannot {verb} the project: its status is `{status}`.")
    if verb == "restore" and now >= project["purge_at"]:
        raise Error(code, "Cannot restore the project: its time for restoring has passed.")
    if verb == "expire" and now < project["purge_at"]:
        raise Error(code, "Cannot expire the project: it can still be restored.")
    return {"status": target.value, "updated_at": now, **_stamps(verb, now)}


def applicable(project: Mapping[str, Any], verbs: Sequence[str]) -> str:
    """Give the verb that leaves the project's status; the first if none does."""
    status = Status(project["status"])
    return next((verb for verb in verbs if status in MOVES[verb][0]), verbs[0])


def _stamps(verb: str, now: datetime) -> dict[str, Any]:
    """Give the times a move leaves behind; the deadline is computed here, once, and stored."""
    match verb:
        case "delete":
            return {"deleted_at": now, "purge_at": now + RETENTION}
        case "restore":
            return {"deleted_at": None, "purge_at": None, "restored_at": now}
        case "reclaim" | "expire" | "retry":
            return {"progress_at": now, "nudged_at": None}
        case _:
            return {}


def require_active(project: Mapping[str, Any]) -> None:
    """Raise Error `project_not_active` unless the project takes calls on what it holds.

    The wording `Project is not yet active` is what IBM's clients look for (contract section 1.2).
    """
    if project["status"] != ACTIVE:
        status = project["status"]
        message = f"Project is not yet active: its status is `{status}`."
        raise Error("project_not_active", message)
