"""The table of moves, walked whole: what is legal when, what a move writes, and its refusals."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import lifecycle
from shared.errors import STATUS, Error
from shared.lifecycle import MOVES, RETENTION, Project, Status
from tests.support import project_of

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
RECLAMATION, ANOTHER = (
    "9f0c6f5e-0d3e-4d57-8e0f-2f6b1f0a7c11",
    "1b7a4a58-7a1b-4b43-9a3e-0c1f4d9e2a22",
)
PASSED = "Cannot restore the project: its time for restoring has passed."

# Written out by hand, not derived from MOVES: (verb, status it leaves) -> status it reaches.
LEGAL = {
    ("delete", "active"): "soft_deleted",
    ("restore", "soft_deleted"): "active",
    ("expire", "soft_deleted"): "hard_deleting",
    ("reclaim", "soft_deleted"): "hard_deleting",
    ("erase", "hard_deleting"): "hard_deleted",
    ("fail", "hard_deleting"): "hard_deletion_failed",
    ("retry", "hard_deletion_failed"): "hard_deleting",
}
VERBS = ("delete", "restore", "expire", "reclaim", "erase", "fail", "retry")
STATUSES = ("active", "soft_deleted", "hard_deleting", "hard_deletion_failed", "hard_deleted")
CODES = {
    "delete": "project_not_active",
    "restore": "project_not_restorable",
    "expire": "project_not_deletable",
    "reclaim": "project_not_deletable",
    "erase": "project_not_deletable",
    "fail": "project_not_deletable",
    "retry": "project_not_deletable",
}
CLAIMED = {"claimed_at": NOW, "attempts": 1}
STAMPS = {
    "delete": {
        "deleted_at": NOW,
        "purge_at": NOW + timedelta(days=7),
        "reclamation_id": RECLAMATION,
        "reclamation_of": NOW,
    },
    "restore": {"deleted_at": None, "purge_at": None, "restored_at": NOW, "restores": [NOW]},
    "expire": {"progress_at": NOW, "nudged_at": None, "cause": "deadline", **CLAIMED},
    "reclaim": {"progress_at": NOW, "nudged_at": None, "cause": "reclaim", **CLAIMED},
    "retry": {"progress_at": NOW, "nudged_at": None, "attempts": 1},
    "erase": {},
    "fail": {},
}
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds the zone


def project(status, purge_at=None):
    """Give a project in a state; one that is deleted has its deadline."""
    return project_of(status=Status(status), purge_at=purge_at)


def move(subject, verb, now, reclamation_id=RECLAMATION):
    """Move a project; a deletion by this reclamation, unless told of another."""
    return lifecycle.move(subject, verb, now, reclamation_id)


def legal(verb, subject, now):
    """Tell whether a move is legal."""
    try:
        move(subject, verb, now)
    except Error:
        return False
    return True


def within(verb):
    """Give a deadline under which time alone does not forbid `verb` at NOW."""
    return NOW if verb == "expire" else NOW + TICK


def test_tables_name_the_same_verbs_and_states():
    """MOVES holds exactly the verbs and states that are walked below."""
    assert set(MOVES) == set(VERBS)
    assert {status.value for status in Status} == set(STATUSES)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("verb", VERBS)
def test_move(verb, status):
    """A move reaches the state of the table, or is refused with the code of its verb."""
    subject = project(status, within(verb))
    if target := LEGAL.get((verb, status)):
        assert move(subject, verb, NOW).status == target
    else:
        with pytest.raises(Error) as refused:
            move(subject, verb, NOW)
        assert refused.value.code == CODES[verb]
        assert refused.value.status == STATUS[CODES[verb]] == 409
        said = f"Cannot {verb} the project: its status is `{status}`."
        assert refused.value.message == said
    assert subject == project(status, within(verb))


@pytest.mark.parametrize("verb", VERBS)
def test_stamps(verb):
    """A move writes its state, its time and its stamps, and nothing else."""
    source = next(status for known, status in LEGAL if known == verb)
    earlier = {"updated_at": NOW - TICK, "nudged_at": NOW - TICK}
    if source != "active":
        earlier["deleted_at"] = NOW - TICK
    before = replace(project(source, within(verb)), **earlier)
    written = move(before, verb, NOW).changes(before)
    expected = {"status": LEGAL[verb, source], "updated_at": NOW, **STAMPS[verb]}
    assert written == expected
    assert type(written["status"]) is str


@pytest.mark.parametrize("status", ["", "deleting", "ACTIVE", "inactive"])
@pytest.mark.parametrize("verb", VERBS)
def test_unknown_status(verb, status):
    """A project in a state nobody knows is read and told, and is not moved at all."""
    odd = Project.of(project("active").born() | {"status": status})
    assert odd.status == status
    with pytest.raises(ValueError, match="not a valid Status"):
        move(odd, verb, NOW)
    with pytest.raises(Error):
        lifecycle.require_active(odd)


@pytest.mark.parametrize("verb", ["restore", "expire"])
def test_a_deadline_that_is_lost(verb):
    """A project that is soft deleted without its deadline is neither restored nor destroyed."""
    with pytest.raises(ValueError, match="has no deadline"):
        move(project("soft_deleted"), verb, NOW)


def test_restored_often():
    """A project remembers the last 32 times it was restored; of version 0.1.0 the last alone."""
    subject, times = project("active"), [NOW + n * TICK for n in range(40)]
    for time in times:
        deleted = move(subject, "delete", time)
        assert deleted.restores == subject.restores
        subject = move(deleted, "restore", time)
    assert [*subject.restores] == times[-32:]
    former = replace(project("soft_deleted", NOW), restored_at=NOW - RETENTION)
    assert [*move(former, "restore", NOW - TICK).restores] == [NOW - RETENTION, NOW - TICK]


def test_under_a_moved_clock():
    """Where the clock was moved, either way, a project is marked for good."""
    subject = project("active")
    assert lifecycle.marked(subject, timedelta(0)) == subject
    for offset in (TICK, -TICK):
        moved = lifecycle.marked(subject, offset)
        assert moved.changes(subject) == {"test": True}
        back = move(move(moved, "delete", NOW), "restore", NOW)
        assert lifecycle.marked(back, timedelta(0)).test


def test_stored_and_read_again():
    """A project is read as it was stored; what is not told of it has not happened."""
    subject = project("active")
    stored = subject.born()
    assert Project.of(stored) == subject
    assert "restored_at" not in stored
    deleted = move(subject, "delete", NOW)
    assert Project.of(stored | deleted.changes(subject)) == deleted
    assert deleted.changes(deleted) == {}


def test_a_deletion_has_a_reclamation_of_its_own():
    """It is born by the deletion, stays until the next one, and no move else has a part in it."""
    fresh = project("active")
    assert fresh.born()["reclamation_id"] is None
    deleted = move(fresh, "delete", NOW)
    restored = move(deleted, "restore", NOW)
    again = move(restored, "delete", NOW, ANOTHER)
    ended = move(move(move(again, "reclaim", NOW, ""), "fail", NOW, ""), "retry", NOW, "")
    ids = [one.reclamation_id for one in (deleted, restored, again, ended)]
    assert ids == [RECLAMATION, RECLAMATION, ANOTHER, ANOTHER]
    with pytest.raises(ValueError, match="a deletion has a reclamation"):
        lifecycle.move(fresh, "delete", NOW)


FORMER = {"reclamation_id": ANOTHER, "reclamation_of": NOW - TICK}  # of a deletion before


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("noted", [{}, {"reclamation_id": None, "reclamation_of": None}, FORMER])
@pytest.mark.parametrize("deleted_at", [NOW, None])
def test_what_was_deleted_by_version_0_1_0(status, noted, deleted_at):
    """A deletion that noted no reclamation has its project's id, whatever one before it noted."""
    stored = {**project(status).born(), "deleted_at": deleted_at}
    del stored["reclamation_id"], stored["reclamation_of"]
    read = Project.of(stored | noted)
    if status == "active":
        assert read.reclamation_id == noted.get("reclamation_id")
        assert move(read, "delete", NOW).reclamation_id == RECLAMATION
    else:
        assert read.reclamation_id == read.id


def test_unknown_verb():
    """A verb nobody knows is a mistake of ours, not a refusal."""
    with pytest.raises(KeyError):
        move(project("active"), "resurrect", NOW)


@pytest.mark.parametrize(
    ("late", "verb"),
    [
        (-timedelta(days=7), "restore"),
        (-timedelta(seconds=1), "restore"),
        (-TICK, "restore"),
        (timedelta(0), "expire"),
        (TICK, "expire"),
        (timedelta(seconds=1), "expire"),
        (timedelta(days=1), "expire"),
        (timedelta(days=3650), "expire"),
    ],
)
def test_edge(late, verb):
    """Around the deadline exactly one of restore and expire is legal."""
    subject = project("soft_deleted", NOW)
    found = [word for word in ("restore", "expire") if legal(word, subject, NOW + late)]
    assert found == [verb]


@given(deadline=MOMENTS, now=MOMENTS)
def test_edge_at_any_time(deadline, now):
    """At any instant exactly one of restore and expire is legal."""
    subject = project("soft_deleted", deadline)
    assert legal("restore", subject, now) == (now < deadline)
    assert legal("expire", subject, now) == (now >= deadline)


@given(deadline=MOMENTS, hours=st.integers(-14, 14))
def test_edge_in_any_zone(deadline, hours):
    """The deadline is an instant: the zone a time is written in changes nothing."""
    local = deadline.astimezone(timezone(timedelta(hours=hours)))
    subject = project("soft_deleted", deadline)
    assert legal("expire", subject, local)
    assert legal("restore", subject, local - TICK)


@pytest.mark.parametrize(
    ("verb", "now", "message"),
    [
        ("restore", NOW, PASSED),
        ("restore", NOW + TICK, PASSED),
        ("expire", NOW - TICK, "Cannot expire the project: it can still be restored."),
    ],
)
def test_edge_wording(verb, now, message):
    """A move refused by the clock says that it is the time, with the code of its verb."""
    with pytest.raises(Error) as refused:
        move(project("soft_deleted", NOW), verb, now)
    assert (refused.value.code, refused.value.message) == (CODES[verb], message)


@given(deleted=MOMENTS)
def test_retention(deleted):
    """The deadline is 168 hours after the deletion, to the microsecond."""
    written = move(project("active"), "delete", deleted)
    assert written.purge_at - deleted == timedelta(hours=168)
    assert written.deleted_at == written.updated_at == deleted


@pytest.mark.parametrize("policy", [timedelta(0), timedelta(days=1), timedelta(days=365)])
def test_deadline_is_computed_once(monkeypatch, policy):
    """A later change of policy moves no deadline that is set."""
    subject = move(project("active"), "delete", NOW)
    monkeypatch.setattr(lifecycle, "RETENTION", policy)
    deadline = NOW + RETENTION
    assert legal("restore", subject, deadline - TICK)
    assert not legal("expire", subject, deadline - TICK)
    assert legal("expire", subject, deadline)
    assert not legal("restore", subject, deadline)


def test_deletion_after_a_restore_begins_a_new_week():
    """A restored project keeps nothing of its first deadline."""
    subject = project("active")
    subject = move(subject, "delete", NOW)
    subject = move(subject, "restore", NOW + timedelta(days=6))
    assert subject.purge_at is None
    subject = move(subject, "delete", NOW + timedelta(days=30))
    assert subject.purge_at == NOW + timedelta(days=37)


@given(st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 10 * 24 * 3600)), max_size=12))
def test_any_history(steps):
    """No history of moves leaves a state without its deadline, or leaves the erased state."""
    subject, now = project("active"), NOW
    for verb, pause in steps:
        now += timedelta(seconds=pause)
        before = subject.status
        if legal(verb, subject, now):
            assert before != "hard_deleted"
            subject = move(subject, verb, now)
        if subject.status == "soft_deleted":
            assert subject.purge_at == subject.deleted_at + RETENTION
        if subject.status == "active":
            assert subject.purge_at is None


@pytest.mark.parametrize(
    ("status", "verbs", "fits"),
    [
        ("active", ("reclaim", "retry"), "reclaim"),
        ("soft_deleted", ("reclaim", "retry"), "reclaim"),
        ("hard_deletion_failed", ("reclaim", "retry"), "retry"),
        ("hard_deleting", ("reclaim", "retry"), "reclaim"),
        ("hard_deleted", ("reclaim", "retry"), "reclaim"),
        ("active", ("restore",), "restore"),
    ],
)
def test_fitting(status, verbs, fits):
    """The verb that leaves the state is chosen, and the first when none does."""
    assert lifecycle.applicable(project(status), verbs) == fits


def test_active_takes_calls():
    """An active project takes calls on what it holds."""
    assert lifecycle.require_active(project("active")) is None


@pytest.mark.parametrize("status", [status for status in STATUSES if status != "active"])
def test_inactive_wording(status):
    """Any other is refused in the words that IBM's clients look for."""
    with pytest.raises(Error) as refused:
        lifecycle.require_active(project(status))
    assert refused.value.code == "project_not_active"
    said = f"Project is not yet active: its status is `{status}`."
    assert refused.value.message == said
