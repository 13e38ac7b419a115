"""What somebody does to a project who writes the database alone: sets its status or its deadline.

Nothing is done with it: it is not restored, deleted, reclaimed, expired or purged, nothing in it is
read or written, and its slot stays taken. All others go on, and put right it is whole.
"""

import json
from datetime import datetime, timedelta

import pytest

from shared import evidence, projects
from shared.errors import Error
from shared.evidence import standing
from shared.projects import reclamations
from shared.upkeep import purge, schedule
from tests.faults.planted import LONG_AGO, acts, lasting, made, require_refused, require_right
from tests.faults.test_time_faults import DAY
from tests.support import call, halves_in
from tests.support.former import everything
from tests.support.standing import planted, put, stored

STATES = ("active", "soft_deleted", "hard_deleting")
TOLD = "a project whose MAC does not hold: nothing is done with it"
PLANTED = {  # what is written, over a project in which state
    "the mark": (
        "active",
        {"status": "hard_deleting", "progress_at": LONG_AGO, "cause": "reclaim"},
    ),
    "the mark alone": ("active", {"status": "hard_deleting"}),
    "a deadline that is over": (
        "active",
        {
            "status": "soft_deleted",
            "deleted_at": LONG_AGO - timedelta(days=7),
            "purge_at": LONG_AGO,
            "reclamation_id": "0" * 36,
            "reclamation_of": LONG_AGO - timedelta(days=7),
        },
    ),
    "a failure": ("active", {"status": "hard_deletion_failed", "updated_at": LONG_AGO}),
    "an end": ("active", {"status": "hard_deleted"}),
    "an earlier deadline": ("soft_deleted", {"purge_at": LONG_AGO}),
    "a later deadline": ("soft_deleted", {"purge_at": LONG_AGO.replace(year=2099)}),
    "a later deletion": ("soft_deleted", {"deleted_at": LONG_AGO.replace(year=2099)}),
    "a restore": ("soft_deleted", {"status": "active", "purge_at": None, "deleted_at": None}),
    "a mark before the deadline": (
        "soft_deleted",
        {"status": "hard_deleting", "progress_at": LONG_AGO, "cause": "deadline"},
    ),
    "a restore of what is marked": ("hard_deleting", {"status": "active"}),
    "a key that is said to be gone": ("hard_deleting", {"shredded_at": LONG_AGO, "swept": 0}),
    "a beginning": ("hard_deleting", {"shredding_at": LONG_AGO}),
    "another who asked": ("hard_deleting", {"requested_by": "f" * 16, "requested_name": "x"}),
}


@pytest.mark.claim("T3", "a status or deadline planted in the database moves, ends, opens nothing")
@pytest.mark.parametrize("what", PLANTED)
def test_planted(app, what):
    """Whatever it says, nothing is done with it; put right it is whole."""
    state, fields = PLANTED[what]
    project = made(app, state)
    right = stored(app, project)
    planted(app, project, **fields)
    require_refused(app, project)
    put(app, project, right)
    require_right(app, project, state)


def other(value):
    """Give another value of the same type."""
    match value:
        case datetime():
            return value + timedelta(microseconds=1)
        case int():
            return value + 1
        case str():
            return value[:-1] + chr(ord(value[-1]) ^ 1)
        case None:
            return LONG_AGO


@pytest.mark.claim("T3", "each field that decides a project's life counts, and each bit of its MAC")
@pytest.mark.parametrize("state", STATES)
def test_each_field(app, state, subtests):
    """Changed, taken away, of another type: it does not hold; nor does a MAC with a bit off."""
    project = made(app, state)
    if state == "hard_deleting":
        assert [purge.advance(app, project) for _ in range(2)] == ["begin", "shred"]
    right = stored(app, project)
    edits = {f"{name} changed": {name: other(right.get(name))} for name in standing.FIELDS}
    edits |= {f"{name} gone": {name: None} for name in standing.FIELDS if right.get(name)}
    edits |= {f"{name} as a list": {name: [right.get(name)]} for name in standing.FIELDS}
    for bit in range(0, 256, 5):
        flipped = bytearray(right["mac"])
        flipped[bit // 8] ^= 1 << bit % 8
        edits[f"bit {bit} of the MAC"] = {"mac": bytes(flipped)}
    edits |= {f"the MAC {odd!r}": {"mac": odd} for odd in (None, b"", bytes(32), "x", 0, [])}
    document = app.store.read(f"projects/{project}")[f"projects/{project}"]
    assert evidence.ours(app, document)
    for name, edit in edits.items():
        with subtests.test(name):
            fields = right | edit
            assert not evidence.holds(app, type(document)(document.path, fields))
    outside = {
        "updated_at": LONG_AGO,
        "nudged_at": LONG_AGO,
        "progress_at": LONG_AGO,
        "tags": ["x"],
    }
    assert evidence.holds(app, type(document)(document.path, right | outside))


WRONG = {
    "changed": lambda right, _: right | {"purge_at": LONG_AGO},
    "without a MAC": lambda right, _: {k: v for k, v in right.items() if k != "mac"},
    "with no MAC": lambda right, _: right | {"mac": None},
    "with a MAC of zeros": lambda right, _: right | {"mac": bytes(32)},
    "with another's MAC": lambda right, another: right | {"mac": another["mac"]},
    "another's, whole": lambda _, another: another,
    "another's, but for the id": lambda right, another: another | {"id": right["id"]},
    "another's, named as this one": lambda right, another: (
        another | {"id": right["id"], "name": right["name"], "mac": right["mac"]}
    ),
}


@pytest.mark.claim("T3", "a MAC taken away, or of another project, holds nowhere; others go on")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("how", WRONG)
def test_swapped(app, how, state):
    """Two projects' documents and MACs are swapped; a third one's deadline passes as ever."""
    project, another = made(app, state), made(app, "soft_deleted", "q")
    right, beside = stored(app, project), stored(app, another)
    put(app, project, WRONG[how](right, beside))
    if how == "another's, whole":
        put(app, another, right)
    else:
        reclamations.restore(app, call(project_id=another))
        projects.delete(app, call(id=another))
    before = lasting(app)
    for act in acts(app, project).values():
        with pytest.raises(Error) as refused:
            act()
        assert refused.value.code in ("unavailable", "resource_not_found")
    assert purge.advance(app, project) in ("refused", "nothing")
    assert lasting(app) == before
    app.settings.clock_file.write_text(str(8 * DAY))
    done = schedule.enforce(app)
    assert done["expired"] == (how != "another's, whole")
    assert (done["nudged"], done["given_up"], done["retried"]) == (0, 0, 0)
    assert stored(app, project) == before[f"projects/{project}"]
    assert {project, another} <= halves_in(app.settings.key_store)
    put(app, project, right)
    app.settings.clock_file.write_text("0")
    require_right(app, project, state)


@pytest.mark.claim("T3", "what is refused is told as CRITICAL, by the project's id and no value")
def test_what_is_told(app, caplog):
    """One line a refusal; the slot stays taken, and what it is is still shown."""
    project = made(app, "soft_deleted")
    planted(app, project, purge_at=LONG_AGO)
    caplog.clear()
    with pytest.raises(Error) as refused:
        reclamations.restore(app, call(project_id=project))
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "5"})
    (line,) = map(json.loads, caplog.messages)
    assert line == {"severity": "CRITICAL", "message": TOLD, "project": project}
    caplog.clear()
    app.settings.clock_file.write_text(str(8 * DAY))
    assert schedule.enforce(app)["failed"] == 1
    critical = [line for line in map(json.loads, caplog.messages) if line["severity"] == "CRITICAL"]
    assert critical == [{"severity": "CRITICAL", "message": TOLD, "project": project}]
    assert projects.get(app, call(id=project)).body["status"] == "soft_deleted"
    with pytest.raises(Error) as refused:
        projects.create(app, call(body={"name": "p"}))
    assert refused.value.code == "name_taken"


@pytest.mark.claim(
    "T3", "a key said to be shredded makes no tombstone: no step of a purge is taken"
)
def test_no_tombstone(app):
    """With everything planted that a purge would have noted, it is still not ended."""
    project = made(app)
    stamps = {"shredding_at": LONG_AGO, "shredded_at": LONG_AGO, "progress_at": LONG_AGO}
    mark = {"status": "hard_deleting", "deleted_at": LONG_AGO, "cause": "deadline"}
    planted(app, project, **mark, **stamps, swept=9)
    for _ in range(4):
        assert purge.advance(app, project) == "refused"
    assert everything(app).keys().isdisjoint({f"tombstones/{project}"})
    assert project in halves_in(app.settings.key_store)
