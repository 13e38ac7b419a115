"""Key halves without a project: fenced off, destroyed by the clock, or told of and left alone."""

import json
import os
import uuid
from dataclasses import replace
from functools import partial

import pytest

from shared import projects, quotas, resources
from shared.errors import Error
from shared.kinds import SECRETS
from shared.resources import data_key_path
from shared.store import Write
from shared.upkeep import orphans, purge, rotation, schedule
from tests.faults.faulty import COMMIT, Rule, troubled
from tests.support import call, reclaim

LATER = 3601  # seconds after which a half is nobody's
BODY = {"name": "s", "format": "generic", "data": {"k": "v"}}


def halves(app):
    """Give the names of the files in the key store."""
    return {file.name for file in app.settings.key_store.glob("?" * 36 + "*")}


def now(app):
    """Give lifecycle time."""
    return app.now(app.store.read("any/thing"))


def orphaned(app, count):
    """Make so many halves that no project came of; give their ids, in order."""
    made = sorted(str(uuid.uuid4()) for _ in range(count))
    for project_id in made:
        app.keyring.create(project_id, now(app))
    return made


def enforced(app, seconds=LATER):
    """Run the schedule at a time of the clock, in seconds; give what it counted."""
    app.settings.clock_file.write_text(str(seconds))
    return {word: count for word, count in schedule.enforce(app).items() if count}


def made(app, name="p"):
    """Make a project with a secret."""
    project = projects.create(app, call(body={"name": name})).body["id"]
    resources.create(SECRETS, app, call(body=BODY, project_id=project))
    return project


def fields(app, path):
    """Give the fields of a document, None where there is none."""
    return app.store.read(path)[path].fields


@pytest.mark.slow
@pytest.mark.claim("F57", "2,000 key halves that no project came of are gone after one run")
def test_thousands(app, record_property):
    """By the clock alone: none before an hour, all of them after it, and no other's."""
    project = made(app)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: None)  # while they are made
        orphaned(app, 2000)
    assert enforced(app, LATER // 2) == {}
    assert enforced(app) == {"orphans": 2000}
    assert halves(app) == {project}
    assert enforced(app) == {}
    record_property("said", "2,000 in one run")


@pytest.mark.claim("F57", "halves that cannot be destroyed keep no other waiting")
def test_what_fails_at_the_head(app):
    """Wherever a run begins, the others are gone after it; these are tried again by the next."""
    stay, *_ = orphaned(app, 30)
    rule = Rule("destroy", "before", about=stay, error="down")
    there, script = troubled(replace(app, random=lambda: 0.0), rule)
    assert enforced(there) == {"orphans": 29, "failed": 1}
    script.set()
    assert enforced(there) == {"orphans": 1}
    assert halves(app) == set()


@pytest.mark.claim("F71", "a key half made under a clock that is moved back is settled as well")
def test_a_clock_moved_back(app):
    """Its time may never come: by an hour it counts as long ago, and less may be of a neighbour."""
    app.settings.clock_file.write_text(str(8 * 24 * LATER))
    orphaned(app, 2)
    app.settings.clock_file.write_text(str(LATER // 2))
    orphaned(app, 1)
    assert enforced(app, 0) == {"orphans": 2}
    assert len(halves(app)) == 1


def test_a_run_has_its_time(app, monkeypatch):
    """What is not begun in time is left to the next run, which may begin elsewhere."""
    all_of_them = set(orphaned(app, 9))
    with monkeypatch.context() as patched:
        patched.setattr(quotas, "ORPHAN_TIME", 0.0)
        assert enforced(app) == {}
    heads = set()
    for chance in (0.0, 0.5, 0.999):
        work = orphans.unconfirmed(replace(app, random=lambda n=chance: n), now(app))
        subjects = [subject for _, _, subject in work]
        assert set(subjects) == all_of_them
        assert len(subjects) == 9
        heads.add(subjects[0])
    assert len(heads) == 3
    assert enforced(app) == {"orphans": 9}


@pytest.mark.claim("F57", "a create that is an hour late makes no project: it was fenced off")
def test_a_late_create(app):
    """The schedule settles its half before it commits: it is told to come again."""
    app.store._jitter = lambda: 0.0
    late = Rule(COMMIT, "meanwhile", about="/keys/current", last=1, other=lambda: enforced(app))
    with pytest.raises(Error) as refused:
        projects.create(troubled(app, late)[0], call(body={"name": "p"}))
    assert (refused.value.status, "Retry-After" in refused.value.headers) == (503, True)
    assert halves(app) == set()
    (tombstone,) = app.store.query("tombstones", order="__name__", limit=9)[1]
    assert tombstone.fields["status"] == "never_created"
    assert fields(app, data_key_path(tombstone.id)) == orphans.NEVER
    assert app.store.query("projects", order="__name__", limit=9)[1] == []
    again = made(app)
    assert halves(app) == {again}
    assert rotation.rotate(app, call(body={"step": "list"})).body["projects"].keys()


def overtaken(app, *steps):
    """Let the schedule settle a half while its create, and more, comes between: after its read."""
    app.settings.clock_file.write_text("0")
    project = made(app)
    kept = app.store.below(f"projects/{project}", 99)
    home, region = fields(app, f"projects/{project}"), f"regions/{'a' * 32}.{app.settings.region}"
    half = app.settings.key_store / project
    half.rename(half.with_suffix(".new"))
    below = [document.path for document in kept]
    away = [Write.discard(path) for path in (*below, f"projects/{project}")]
    app.store.commit([*away, Write.discard(region)])  # it is yet to be created

    def create():
        claim = {"key": region.partition("/")[2], "slots": {project: "p"}}
        back = [Write.create(document.path, document.fields) for document in kept]
        app.store.commit([*back, Write.create(f"projects/{project}", home), Write(region, claim)])
        for step in steps:
            step(app, project)

    first = Rule(COMMIT, "meanwhile", about=data_key_path(project), last=1, other=create)
    return project, enforced(troubled(app, first)[0])


def settled(app, project):
    """Let the purge go on to its end, and require that nothing is left but one tombstone."""
    ended(app, project)
    assert fields(app, f"tombstones/{project}")["status"] == "hard_deleted"
    assert fields(app, f"projects/{project}") is None
    assert halves(app) == set()


@pytest.mark.claim("F57", "a create that comes between keeps its key, a purge its tombstone")
def test_overtaken(app, subtests):
    """The schedule has read no project; by its commit there is one, or it is being purged again."""
    step = purge.advance
    with subtests.test("created"):
        project, done = overtaken(app)
        assert done == {}
        on = {"project_id": project, "name": "s"}
        assert resources.get(SECRETS, app, call(**on)).body["data"] == {"k": "v"}
        assert enforced(app) == {"orphans": 1}  # confirmed
        assert halves(app) == {project}
        reclaim(app, project)
        settled(app, project)
    with subtests.test("shredded"):
        project, done = overtaken(app, reclaim, step, step)
        assert done == {}
        assert fields(app, data_key_path(project)) == orphans.NEVER
        for asked in ({"step": "list"}, {"step": "rewrap"}):
            assert "next" not in rotation.rotate(app, call(body=asked)).body
        settled(app, project)
        assert fields(app, data_key_path(project)) is None  # swept with the rest
    with subtests.test("erased"):
        project, done = overtaken(app, reclaim, step, step, step, step)
        assert done == {}
        settled(app, project)


@pytest.mark.parametrize("after", [1, 2])
def test_cut_short(app, after):
    """A run that ends after its first or second commit is gone on with by the next."""
    (project,) = orphaned(app, 1)
    failing = Rule(COMMIT, "before", first=after, error="PermissionDenied")
    assert enforced(troubled(app, failing)[0]) == {"failed": 1}
    assert halves(app) == {f"{project}.new"}
    assert enforced(app) == {"orphans": 1}
    assert (halves(app), enforced(app)) == (set(), {})


@pytest.mark.claim("F57", "a destroyed project's key half, put back, is destroyed again")
def test_a_half_that_is_back(app, caplog):
    """Confirmed or not, out of a copy of the key store; it is told, and the living keep theirs."""
    kept, gone = made(app), [made(app, name) for name in "ab"]
    copies = {project: (app.settings.key_store / project).read_bytes() for project in gone}
    for project in gone:
        reclaim(app, project)
        ended(app, project)
    for project, suffix in zip(gone, ("", ".new"), strict=True):
        (app.settings.key_store / f"{project}{suffix}").write_bytes(copies[project])
    assert enforced(app) == {"returned": 1, "orphans": 1}
    assert halves(app) == {kept}
    (line,) = [json.loads(record.message) for record in caplog.records if record.name == "reprieve"]
    assert (line["severity"], line["project"]) == ("WARNING", gone[0])
    assert enforced(app) == {}


def ended(app, project):
    """Purge a project to its end."""
    while purge.advance(app, project) != "nothing":
        pass


def test_a_purge_that_comes_between(app, caplog):
    """The half was found, and its purge ended before it was looked at: nothing was back."""
    project = made(app)
    reclaim(app, project)
    found, _ = app.keyring.confirmed("")
    ended(app, project)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(app.keyring, "confirmed", lambda _: (found, ""))  # as it was
        assert (found, enforced(app)) == ([project], {})
    assert [record for record in caplog.records if record.name == "reprieve"] == []


@pytest.mark.claim(
    "F57", "a confirmed key half without a trace of its project is told of, and kept"
)
def test_a_half_that_nothing_is_known_of(app, caplog):
    """The database may be what was lost: nothing is destroyed on its word."""
    (project,) = orphaned(app, 1)
    app.keyring.confirm(project)
    assert enforced(app) == {"disagreements": 1}
    (line,) = [json.loads(record.message) for record in caplog.records if record.name == "reprieve"]
    assert (line["severity"], line["project"]) == ("ERROR", project)
    assert halves(app) == {project}


def test_all_halves_have_their_turn(app, monkeypatch):
    """A run looks at some; the next goes on from there, and after the last begins anew."""
    monkeypatch.setattr(quotas, "DUE_BATCH", 2)
    monkeypatch.setattr(quotas, "DUE_PAGES", 2)
    all_of_them = orphaned(app, 9)
    for project in all_of_them:
        app.keyring.confirm(project)
    look = partial(orphans.strays, app, now(app))
    seen = [[subject for _, _, subject in look()] for _ in range(4)]
    assert seen == [all_of_them[:4], all_of_them[4:8], all_of_them[8:], all_of_them[:4]]
    assert fields(app, orphans.CURSOR) == {"next": all_of_them[3]}


def test_a_project_that_comes_between(app, caplog):
    """What has a project by the time it is told of is not told of."""
    (project,) = orphaned(app, 1)
    app.keyring.confirm(project)
    ((word, act, subject),) = orphans.strays(app, now(app))
    app.store.commit([Write.create(f"projects/{project}", {"id": project})])
    assert (word, act(app, subject, now(app))) == ("disagreements", 0)
    assert caplog.records == []
