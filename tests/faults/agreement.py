"""The invariants that a ledger and a snapshot of the store must agree on, after each step."""

from tests.faults.drivers import CAP, Snapshot
from tests.faults.ledger import (
    ACTIVE,
    CANARY,
    FAILED,
    GONE,
    HARD,
    KINDS,
    SOFT,
    Ledger,
    Project,
)
from tests.support import dump

DATA_KEY = "keys/current"


def agree(ledger: Ledger, now: Snapshot, region: str) -> None:
    """Check every invariant; each failure names the one that broke."""
    slots, stored = region_slots(ledger, now, region), now.of("projects")
    assert len(stored) <= CAP, "I1: more projects than the cap"
    assert slots == ledger.held(), "I2/I4: slots and projects disagree"
    assert len(set(slots.values())) == len(slots), "I4: two projects of one name"
    assert stored.keys() == ledger.held().keys(), "I15: there are other projects than entries say"
    tombs = {i for i, f in now.of("tombstones").items() if f["status"] == GONE}
    gone = {p.id for p in ledger.projects.values() if p.status == GONE}
    assert tombs == gone, "I5: tombstones are not those of the projects that are gone"
    for project in ledger.projects.values():
        if project.status == GONE:
            _ended(project, now)
        else:
            _lives(project, now, wrote=project.id in ledger.written)
    shown = [p for p, f in now.documents.items() if any(map(CANARY.search, dump(f)))]
    assert not shown, "I9: a secret is stored in clear"


def region_slots(ledger: Ledger, now: Snapshot, region: str) -> dict[str, str]:
    """Give the slots of the account's region."""
    return now.of("regions").get(f"{ledger.account}.{region}", {}).get("slots", {})


def _lives(project: Project, now: Snapshot, *, wrote: bool) -> None:
    stored = now.of("projects")[project.id]
    told = stored["status"], stored["name"]
    assert told == (project.status, project.name), "I14: a status moved without its entry"
    assert stored["purge_at"] == project.purge_at or project.status not in (ACTIVE, SOFT), (
        "the deadline is not seven days after the deletion"
    )
    assert stored["reclamation_id"] == project.reclamation, "I24: it is another deletion's"
    below, half = now.below(project.id), now.halves.get(project.id)
    if project.status in (ACTIVE, SOFT):
        _intact(project, below, half, wrote=wrote)
    elif project.marked is None:
        project.marked = len(below.keys() | project.below.keys() if not wrote else below) - 1
    if project.status in (HARD, FAILED):
        fresh = {path for path in below if path not in project.below}
        assert wrote or not fresh, "I12: something appears after the mark"
        if stored.get("shredded_at") is not None:
            assert half is None, "I11: shredded_at is stored, and the key half is there"
        else:
            assert wrote or below == project.below, "I10: documents go before the key"
        project.progress_at = stored["progress_at"]
    project.below = below


def _intact(project: Project, below, half: bytes | None, *, wrote: bool) -> None:
    """An active or soft-deleted project has all that it ever was given."""
    home = f"projects/{project.id}/"
    assert half, "I8: a project that can be had back has lost its key half"
    assert project.half in (b"", half), "I8: the key half is another one"
    project.half = half
    assert home + DATA_KEY in below, "I8: a project that can be had back has lost its key"
    if project.below and not wrote:
        assert below == project.below, "I8/I22: what a project holds changed, and nobody asked"
    for collection in KINDS:
        tags = {
            path.rpartition("/")[2]: fields["entity_tag"]
            for path, fields in below.items()
            if path.removeprefix(home).count("/") == 1 and path.startswith(home + collection + "/")
        }
        wanted = {n: thing.tag for (c, n), thing in project.things.items() if c == collection}
        assert tags == wanted, f"I15: the {collection} are not those that the entries say"
        count = below.get(f"{home}usage/{collection}", {}).get("count", 0)
        assert count == len(wanted), f"the count of {collection} is wrong"


def _ended(project: Project, now: Snapshot) -> None:
    """A project that is gone has left its tombstone, and nothing else."""
    tomb = now.of("tombstones")[project.id]
    assert not now.below(project.id), "I12: documents are left of a project that is gone"
    assert project.id not in now.halves, "I11: hard_deleted is visible before the key is gone"
    assert tomb["reclamation_id"] == project.reclamation, "I24: the tombstone has forgotten it"
    times = [tomb[name] for name in ("created_at", "deleted_at", "shredded_at", "erased_at")]
    assert times == sorted(times), "I13: the tombstone's times are out of order"
    assert tomb["swept"] == project.marked, "I20: the tombstone's count is not what was there"
    if project.half:
        kept = [path for path, fields in now.documents.items() if project.half in dump(fields)]
        assert not kept, "a destroyed key half is in the store"
