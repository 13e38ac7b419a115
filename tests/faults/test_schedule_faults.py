"""The schedule twice at once, and alone: what it does when nothing else helps."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared import projects
from shared.upkeep import purge, schedule
from tests.faults.faulty import COMMIT, Rule, troubled
from tests.faults.test_store_faults import everything
from tests.faults.test_time_faults import HOUR, status
from tests.support import WEEK, call

pytestmark = pytest.mark.slow

DUE = 10


def due(app, count=DUE):
    """Make deleted projects, and move on to the instant they are due."""
    made = [projects.create(app, call(body={"name": f"p{n}"})).body["id"] for n in range(count)]
    for project in made:
        projects.delete(app, call(id=project))
    app.settings.clock_file.write_text(str(WEEK + 60))
    return made


def expiries(app):
    """Count the audit entries of expiries, by project."""
    return Counter(
        fields["project_id"]
        for fields in everything(app).values()
        if fields.get("action") == "codeengine.project.expire"
    )


@pytest.mark.claim("F16", "one instance's run in the midst of another's: each project moves once")
@pytest.mark.parametrize("at", [1, DUE // 2, DUE])
def test_one_run_within_another(app, at):
    """The second instance does everything between the first one's read and its nth commit."""
    made, runs = due(app), []
    rule = Rule(COMMIT, "meanwhile", first=at, last=at, other=lambda: runs.append(enforce(app)))
    there, script = troubled(app, rule)
    runs.append(enforce(there))
    assert script.rules[0].met == 1
    assert sum(run["expired"] for run in runs) == DUE
    assert [run["failed"] for run in runs] == [0, 0]
    assert expiries(app) == Counter(made)


def enforce(app):
    """Run the schedule."""
    return schedule.enforce(app)


@pytest.mark.claim("F16", "two instances at the same instant: each project moves once, ends once")
def test_two_runs_at_once(app):
    """Four at once, and the steps of the purge by two workers each: one end for each project."""
    made = due(app)
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(enforce, [app] * 4))
        assert sum(run["expired"] for run in runs) == DUE
        for _ in range(5):
            list(pool.map(lambda project: purge.advance(app, project), made * 2))
    assert expiries(app) == Counter(made)
    documents = everything(app)
    assert not any(path.startswith("projects/") for path in documents)
    erased = [f["project_id"] for f in documents.values() if str(f.get("action")).endswith("erase")]
    assert sorted(erased) == sorted(made)


@pytest.mark.claim(
    "F15", "every step's event lost once: the schedule alone brings the purge to its end"
)
def test_every_event_is_lost(app):
    """Of each step the event never comes; each time the schedule nudges, and it goes on."""
    (project,) = due(app, 1)
    now, nudged = WEEK + 60, 0
    assert enforce(app)["expired"] == 1  # and the event of this is lost
    for _ in range(10):
        now += 16 * 60
        app.settings.clock_file.write_text(str(now))
        if status(app, project) is None:
            break
        nudged += enforce(app)["nudged"]
        purge.advance(app, project)  # the nudge's event; that of this step's own write is lost
    assert status(app, project) is None
    assert nudged == 4  # begin, shred, sweep, tombstone
    assert now - WEEK < 24 * HOUR
