"""The project, its states, the table of moves between them, and the deadline. Pure: the heart.

A move takes a project and the store's time, and gives the project as it is after; it reads no
clock and touches no store. At any instant exactly one of `restore` and `expire` is legal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from shared import quotas
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
    "reclaim": (frozenset({SOFT_DELETED}), HARD_DELETING),
    "erase": (frozenset({HARD_DELETING}), HARD_DELETED),
    "fail": (frozenset({HARD_DELETING}), HARD_DELETION_FAILED),
    "retry": (frozenset({HARD_DELETION_FAILED}), HARD_DELETING),
}

DEADLINE, RECLAIM = "deadline", "reclaim"  # why a project is destroyed, by the move that marks it
CAUSES = {"expire": DEADLINE, "reclaim": RECLAIM}
REFUSAL = {"delete": "project_not_active", "restore": "project_not_restorable"}


class Asked(NamedTuple):
    """Who asked for a move, and in which audit entry."""

    entry: str  # its id
    key: str  # the id of the API key
    name: str | None  # the key's, at the time


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project as it is stored; None is the time of what has not happened.

    Of one that is permanently deleted there is what its tombstone remembers: no name, group or
    tags. Times are UTC, and the store's.
    """

    id: str
    account_id: str
    region: str
    status: str  # a Status; in the store it may have been edited into something else
    created_at: datetime
    updated_at: datetime
    name: str = ""
    resource_group_id: str = ""
    tags: Sequence[str] = ()
    subdomain: str = ""  # for life: the addresses of what it holds are made of it
    deleted_at: datetime | None = None
    purge_at: datetime | None = None  # computed once, at its deletion
    reclamation_id: str | None = None  # of its last deletion; another deletion has another
    reclamation_of: datetime | None = None  # the `deleted_at` of the deletion that has that id
    restored_at: datetime | None = None
    cause: str | None = None  # of its permanent deletion: DEADLINE or RECLAIM
    # who asked for its deletion, or for its end at once: key, its name, the audit entry
    requested_by: str | None = None
    requested_name: str | None = None
    because: str | None = None
    progress_at: datetime | None = None  # of its permanent deletion
    nudged_at: datetime | None = None
    shredding_at: datetime | None = None  # its key half was found, and may be gone since
    shredded_at: datetime | None = None
    swept: int = 0  # documents destroyed so far
    # what its end is proved with, and told in its certificate
    key_commitment: str | None = None  # to the second half of its key; form 1 made none
    name_salt: bytes | None = None  # of its name's digest; where form 1 made none, since a move
    test: bool = False  # its clock was moved at a move, or in its purge; for good
    restores: Sequence[datetime] = ()  # when; the last quotas.RESTORES
    claimed_at: datetime | None = None  # the mark
    attempts: int = 0  # how often its permanent deletion was begun
    evidence: Sequence[Mapping[str, Any]] = ()  # of its key half, as it was first destroyed
    swept_at: datetime | None = None  # the last documents so far
    sweep_digest: str = 64 * "0"  # over what was swept, in hex
    swept_kinds: Mapping[str, int] = field(default_factory=dict)  # how many, by collection
    digested: int = 0  # how many of them told the digest of what was in them

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Project":
        """Read a project, or its tombstone, as stored.

        A deletion that version 0.1.0 made noted no reclamation, and left what a former one had
        noted: it has the project's id for one, until it ends.
        """
        known = {name: stored[name] for name in NAMES & stored.keys()}
        noted = stored.get("reclamation_of")
        if stored["status"] != ACTIVE and (not noted or noted != stored.get("deleted_at")):
            known["reclamation_id"] = stored["id"]
        changed = stored.get("updated_at") or stored["erased_at"]
        return cls(**known | {"updated_at": changed})

    def born(self) -> dict[str, Any]:
        """Give what is stored of a new project; all else comes with its moves."""
        return {name: getattr(self, name) for name in BORN} | {"status": str(self.status)}

    def changes(self, before: "Project") -> dict[str, Any]:
        """Give the fields in which it differs from what it was."""
        now = self.whole()
        return {name: value for name, value in now.items() if value != getattr(before, name)}

    def whole(self) -> dict[str, Any]:
        """Give all of it as it is stored."""
        return {name: getattr(self, name) for name in NAMES} | {"status": str(self.status)}


NAMES = frozenset(each.name for each in fields(Project))
ENDING = {
    "cause",
    "requested_by",
    "requested_name",
    "because",
    "progress_at",
    "nudged_at",
    "shredding_at",
    "shredded_at",
    "swept",
    "claimed_at",
    "attempts",
    "evidence",
    "swept_at",
    "sweep_digest",
    "swept_kinds",
    "digested",
}
WHO = ("because", "requested_by", "requested_name")  # in the order of Asked
BORN = NAMES - {"restored_at", "restores"} - ENDING


def move(
    project: Project,
    verb: str,
    now: datetime,
    reclamation_id: str = "",
    asked: Asked | None = None,
) -> Project:
    """Give `project` as `verb` leaves it at `now`, the store's time.

    `reclamation_id` is that of the deletion, where `verb` is one: it is the deletion's alone.
    `asked` says who asks, if anybody does: what is deleted remembers it until it is restored, what
    is marked for permanent deletion through failure and retry.
    Raises Error `project_not_active`, `project_not_restorable` or `project_not_deletable` when
    the move is not legal: wrong state, a restore at or after `purge_at`, an expiry before it;
    ValueError in a state that nobody knows, and for a deletion without a reclamation.
    """
    sources, target = MOVES[verb]
    code = REFUSAL.get(verb, "project_not_deletable")
    if Status(project.status) not in sources:
        raise Error(code, f"Cannot {verb} the project: its status is `{project.status}`.")
    if verb == "restore" and now >= _deadline(project):
        raise Error(code, "Cannot restore the project: its time for restoring has passed.")
    if verb == "expire" and now < _deadline(project):
        raise Error(code, "Cannot expire the project: it can still be restored.")
    stamps = _stamps(verb, now, reclamation_id)
    if verb in CAUSES:
        stamps |= {"cause": CAUSES[verb], "claimed_at": now, "attempts": 1}
    elif verb == "retry":
        stamps |= {"attempts": project.attempts + 1}
    elif verb == "restore":
        stamps |= {"restores": [*_restores(project), now][-quotas.RESTORES :]}
    if verb in ("delete", "reclaim") and asked:
        stamps |= dict(zip(WHO, asked, strict=True))
    return replace(project, status=target, updated_at=now, **stamps)


def marked(project: Project, offset: timedelta) -> Project:
    """Give a project as it is under a clock moved by so much: what tells of it is a test."""
    return replace(project, test=True) if offset else project


def _restores(project: Project) -> Sequence[datetime]:
    """Give when it was restored; version 0.1.0 noted the last time alone."""
    return project.restores or ([project.restored_at] if project.restored_at else [])


def _deadline(project: Project) -> datetime:
    if project.purge_at is None:
        raise ValueError("a project is soft deleted and has no deadline")
    return project.purge_at


def applicable(project: Project, verbs: Sequence[str]) -> str:
    """Give the verb that leaves the project's status; the first if none does."""
    return next((verb for verb in verbs if project.status in MOVES[verb][0]), verbs[0])


def _stamps(verb: str, now: datetime, reclamation_id: str) -> dict[str, Any]:
    match verb:
        case "delete":  # the deadline is computed here, once, and stored
            if not reclamation_id:
                raise ValueError("a deletion has a reclamation, and is not told which")
            stamps = {"deleted_at": now, "purge_at": now + RETENTION}
            return {**stamps, "reclamation_id": reclamation_id, "reclamation_of": now}
        case "restore":  # the reclamation's id stays: who asks again is told that it has ended
            ended = {"deleted_at": None, "purge_at": None, **dict.fromkeys(WHO)}
            return {**ended, "restored_at": now}
        case "reclaim" | "expire" | "retry":
            return {"progress_at": now, "nudged_at": None}
        case _:
            return {}


def require_active(project: Project) -> None:
    """Raise Error `project_not_active` unless the project takes calls on what it holds.

    The wording `Project is not yet active` is what IBM's clients look for (contract section 1.2).
    """
    if project.status != ACTIVE:
        message = f"Project is not yet active: its status is `{project.status}`."
        raise Error("project_not_active", message)
