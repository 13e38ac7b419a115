"""Documents that somebody plants who writes the database alone, beside what the code has to see."""

import pytest

from shared import projects, quotas
from shared.store import Write
from shared.upkeep import purge, schedule
from tests.faults.planted import LONG_AGO, made
from tests.faults.test_time_faults import DAY
from tests.support import call, reclaim
from tests.support.ends import ended, said_of
from tests.support.former import everything
from tests.support.standing import stored

SIZES = [float("nan"), "x", None, True, -(10**12), 10**18, LONG_AGO]


@pytest.mark.claim("T3", "a document planted below a project is swept, and keeps no other")
@pytest.mark.parametrize("size", SIZES, ids=repr)
def test_a_planted_size(app, size):
    """Whatever it says of its size, all is swept and counted before the project ends."""
    project = made(app)
    odd = f"projects/{project}/secrets/\x1b[31mo\u0308"
    app.store.commit([Write.create(odd, {"size": size})])
    below = [path for path in everything(app) if path.startswith(f"projects/{project}/")]
    reclaim(app, project)
    assert ended(app, project)[-1] == "tombstone"
    assert not [path for path in everything(app) if path.startswith(f"projects/{project}")]
    assert said_of(app, project)["destroyed"]["documents"]["secrets"] == 2
    tombstone = everything(app)[f"tombstones/{project}"]
    assert tombstone["swept"] == len(below) - 1  # the key goes with the half


@pytest.mark.claim("T3", "what is planted where a project has its end is told, and ends nothing")
@pytest.mark.parametrize("place", ["tombstones/{}", "certificates/{}", "audit/{}.erase"])
def test_in_the_place_of_the_end(app, place, caplog):
    """The step is refused and told, not taken for another's; without what was planted it ends."""
    project = made(app, "hard_deleting")
    path = place.format(project)
    app.store.commit([Write.create(path, {"x": 1})])
    while (step := purge.advance(app, project)) != "refused":
        assert step in ("begin", "shred", "sweep")
    assert "is there already: somebody else wrote it" in caplog.text
    assert stored(app, project)["status"] == "hard_deleting"
    app.store.commit([Write.discard(path)])
    assert purge.advance(app, project) == "tombstone"


def test_a_nudge_that_is_no_time(app):
    """It keeps no other from being nudged, nor itself."""
    mine, other = made(app, "hard_deleting"), made(app, "hard_deleting", "q")
    app.store.commit([Write(f"projects/{mine}", {"nudged_at": "x"}, ("nudged_at",), exists=True)])
    app.settings.clock_file.write_text("1800")
    done = schedule.enforce(app)
    assert (done["nudged"], done["failed"]) == (2, 0)
    assert {type(stored(app, one)["nudged_at"]) for one in (mine, other)} == {type(LONG_AGO)}


def test_many_of_one_time(app, monkeypatch):
    """Those that cannot be moved, due at the very time of another, do not hide it."""
    monkeypatch.setattr(quotas, "DUE_BATCH", 2)
    victim = made(app, "soft_deleted")
    planted = {"status": "soft_deleted", "purge_at": stored(app, victim)["purge_at"]}
    app.store.commit([Write.create(f"projects/!{n}", planted) for n in range(5)])
    app.settings.clock_file.write_text(str(8 * DAY))
    assert schedule.enforce(app)["expired"] == 1
    assert stored(app, victim)["status"] == "hard_deleting"


@pytest.mark.parametrize(
    "odd", [{}, {"created_at": "x"}, {"created_at": LONG_AGO, "status": "odd"}], ids=repr
)
def test_in_a_list(app, odd, caplog):
    """What is no project is left out and told; the others are shown, page by page."""
    names = [made(app, name=name) and name for name in ("a", "c", "d")]
    of = {"account_id": "a" * 32, "region": app.settings.region, "status": "active"}
    id_ = "00000000-0000-4000-8000-000000000000"
    app.store.commit([Write.create(f"projects/{id_}", {"id": id_, "name": "b", **of, **odd})])
    shown, start = [], None
    for _ in range(3):
        page = projects.listing(app, call(limit=1, **({"start": start} if start else {}))).page
        shown += [project["name"] for project in page.entries]
        start = page.next
    assert (shown, start) == (names, None)
    assert "a stored project that cannot be read" in caplog.text
