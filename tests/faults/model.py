"""The lifecycle as a model: what is stored, who is under way, and what must hold of it.

A state is a tuple: the clock, the projects, and the jobs between two of their steps. What a job
read is fresh until somebody else writes that document; this is how an update time works as a
precondition. `steps` has the steps; here is what holds, and why it would be broken.
"""

from typing import Any, NamedTuple

from shared.lifecycle import MOVES, Status

# A project's status, as a number; NONE: there is no such document.
NONE, ACTIVE, SOFT, HARD, FAILED = range(5)
CODES = {
    Status.ACTIVE: ACTIVE,
    Status.SOFT_DELETED: SOFT,
    Status.HARD_DELETING: HARD,
    Status.HARD_DELETION_FAILED: FAILED,
    Status.HARD_DELETED: NONE,
}
SOURCES = {verb: {CODES[status] for status in sources} for verb, (sources, _) in MOVES.items()}
TARGET = {verb: CODES[target] for verb, (_, target) in MOVES.items()}
# I14, said once more and not taken from the code.
ALLOWED = {(ACTIVE, SOFT), (SOFT, ACTIVE), (SOFT, HARD), (HARD, FAILED), (FAILED, HARD)}
ALLOWED |= {(HARD, NONE)}

NO_HALF, NEW, CONFIRMED, GONE = range(4)  # a key half in the key store; NEW: `ID.new`
ERASED, NEVER = 1, 2  # tombstones: `hard_deleted`, `never_created`
KEY, FENCE = 1, 2  # documents keys/current: the first half; what the schedule puts in its place
RETENTION = 1  # ticks of the clock
# Of a job: it read too late; its commit was applied; it has a copy; it names a former deletion.
LATE, APPLIED, TWIN, FORMER = 1, 2, 4, 8
BY_RECLAMATION = {"restore", "reclaim"}  # requests that name a deletion, not a project

REQUESTS = {"create", "write", "read", "delete", "restore", "reclaim"}
SCHEDULE = {"expire", "nudge", "fail", "retry", "settle"}


class Project(NamedTuple):
    """All that is stored about one project, and notes for the invariants."""

    status: int = NONE
    due: int = 0  # the deadline; 0 is none
    begun: int = 0  # shredding_at
    stamped: int = 0  # shredded_at
    half: int = NO_HALF
    key: int = 0  # the document keys/current, KEY or FENCE
    held: int = 0  # the resources, a bit each
    slot: int = 0  # in the region's document
    tomb: int = 0
    swept: int = 0
    events: int = 0  # on their way, or to be delivered again
    cached: int = 0  # the data key, in memory
    created: int = 0  # audit entries: of create; of deletes less restores; of the mark; of the end
    deleted: int = 0
    marked: int = 0
    erased: int = 0
    kept: int = 0  # note: what was held when the project was deleted
    away: int = 0  # note: its half is out of sight (1), or was (2)
    back: int = 0  # note: its half was put back after it was destroyed: from a copy of the disk
    deletions: int = 0  # note: 2 where there was one before the last, which somebody remembers


class Job(NamedTuple):
    """Somebody between two steps: what it does next, and what it knows."""

    kind: str
    p: int
    at: str
    fresh: int = 1  # nobody has written since what it read
    seen: int = 0  # when it read, or what
    extra: int = 0


class State(NamedTuple):
    """Everything at one instant."""

    clock: int
    projects: tuple[Project, ...]
    jobs: tuple[Job, ...] = ()


class World(NamedTuple):
    """What may happen: who acts, how many at once, how far time goes."""

    name: str
    names: str = "a"  # of the projects, a letter each
    cap: int = 1
    kinds: frozenset[str] = frozenset(REQUESTS | SCHEDULE)
    requests: int = 1
    schedules: int = 1
    workers: int = 1
    horizon: int = 2
    resources: int = 1
    events: int = 1  # that may be on their way at once
    faults: frozenset[str] = frozenset({"crash", "drop", "duplicate"})
    off: frozenset[str] = frozenset()  # guards taken out

    @property
    def start(self) -> State:
        """Nothing is stored, nobody is under way."""
        return State(0, tuple(Project() for _ in self.names))


def broken(world: World, state: State) -> str:
    """Give the invariant that a state breaks, in words; nothing when all hold."""
    projects = state.projects
    there = [p for p, project in enumerate(projects) if project.status]
    if len(there) > world.cap:
        return "I1: more projects than the cap"
    if len({world.names[p] for p in there}) < len(there):
        return "I4: two projects of one name"
    for project in projects:
        if why := _broken(project):
            return why
    return ""


def _broken(project: Project) -> str:  # noqa: C901, PLR0911, PLR0912 - one line an invariant
    status, tomb = project.status, project.tomb
    gone = project.created and not status
    if project.slot != bool(status):
        return "I2: slots and projects disagree"
    if status in (ACTIVE, SOFT):
        if project.half not in (NEW, CONFIRMED) or project.key != KEY:
            return "I8: a project that can be had back has lost its key"
        if status == SOFT and project.held != project.kept:
            return "I8: a deleted project is not what it was when it was deleted"
    if project.stamped and ((project.half != GONE and not project.back) or project.cached):
        return "I11: shredded_at is stored, and the key can still be had"
    if gone and tomb != ERASED:
        return "I5: a project is gone without its tombstone"
    if tomb and status:
        return "I5: a project lives that has a tombstone"
    if tomb == ERASED and project.half != GONE:
        return "I11: hard_deleted is visible before the key is gone"
    if tomb and (project.held or project.key == KEY):  # a fence stays, as its tombstone does
        return "I12: documents are left of a project that is gone"
    if project.created != bool(status or tomb == ERASED):
        return "I15: projects and their `create` entries disagree"
    if project.deleted != bool(status > ACTIVE or tomb == ERASED):
        return "I15: deletions and their entries disagree"
    if project.marked != bool(status > SOFT or tomb == ERASED):
        return "I15: purges begun and their entries disagree"
    if project.erased != (tomb == ERASED):
        return "I15: permanent deletions and their entries disagree"
    return ""


def unfinished(state: State) -> str:
    """Give what is wrong with a state in which nothing more will happen."""
    for project in state.projects:
        if project.status not in (NONE, ACTIVE):
            return "L1/L2: a deletion never ends"
        if project.status == ACTIVE and project.half != CONFIRMED:
            return "I23: a stored project's key half stays an orphan's"
        if project.status == NONE and project.half not in (NO_HALF, GONE):
            return "I23: an orphan key half is never destroyed"
    return ""


def shown(world: World, state: State) -> dict[str, Any]:
    """Give a state in a form to read."""
    names = ("none", "active", "soft_deleted", "hard_deleting", "hard_deletion_failed")
    projects = {
        f"{world.names[p]}{p}": {**project._asdict(), "status": names[project.status]}
        for p, project in enumerate(state.projects)
    }
    return {"clock": state.clock, **projects, "jobs": [" ".join(map(str, j)) for j in state.jobs]}
