"""Firestore fails at every call site: one effect and the answer of a good day, or 503 and none.

The domain is the real one over the real emulator; the script sits between it and the wire.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace

import pytest

from shared import projects, quotas, resources
from shared.access import signin
from shared.errors import Error
from shared.kinds import SECRETS
from shared.lifecycle import HARD_DELETING
from shared.projects import reclamations
from shared.store import tries
from shared.upkeep import purge
from tests.faults.faulty import COMMIT, QUERY, READ, Rule, troubled
from tests.support import call, paths_below, reclaim

UNREACHABLE = (
    "ServiceUnavailable",
    "ResourceExhausted",
    "DeadlineExceeded",
    "InternalServerError",
)
SECRET = {"name": "s", "format": "generic", "data": {"k": "old"}}
NEW = {"format": "generic", "data": {"k": "new"}}
RECLAMATION = "5a1e7a0c-0c5d-4f0e-9a53-6f1d0b7f2f11"  # of the deletion in each world


def everything(app):
    """Give every document."""
    paths = paths_below(app.store, "", 10_000)
    return {
        path: document.fields
        for path, document in (app.store.read(*paths).documents if paths else {}).items()
    }


def world(app, state):
    """Make a project with a secret, active or soft deleted; give its id."""
    project = projects.create(app, call(body={"name": "first"})).body["id"]
    resources.create(SECRETS, app, call(body=SECRET, project_id=project))
    if state == "deleted":
        projects.delete(replace(app, new_id=lambda: RECLAMATION), call(id=project))
    return project


def _by(act):
    return lambda app, _: act(app, call(id=RECLAMATION))


def _secret(act, **parameters):
    return lambda app, project: act(SECRETS, app, call(project_id=project, **parameters))


ACTS = {  # what is asked, on a project that is active or deleted
    "create": ("active", lambda app, _: projects.create(app, call(body={"name": "second"}))),
    "delete": ("active", lambda app, project: projects.delete(app, call(id=project))),
    "restore": ("deleted", _by(reclamations.restore)),
    "reclaim": ("deleted", _by(reclamations.reclaim)),
    "expire": ("deleted", lambda app, project: projects.move(app, project, "reclaim", call=None)),
    "put": ("active", _secret(resources.create, body={**SECRET, "name": "t"})),
    "replace": ("active", _secret(resources.update, body=NEW, name="s", if_match="*")),
    "code": ("active", lambda app, _: signin.create(app, call())),
    "remove": ("active", _secret(resources.delete, name="s")),
}
FIRST = {"restore": QUERY, "reclaim": QUERY}  # how an act reads before its commit, beside READ


def shape(documents):
    """Give what documents there are of each collection, and what was audited how often."""
    kinds = sorted(
        "/".join(path.split("/")[::2]) + "/" + str((fields or {}).get("action", ""))
        for path, fields in documents.items()
    )
    states = sorted(fields["status"] for path, fields in documents.items() if "status" in fields)
    counts = {
        path.split("/")[-1]: fields["count"]
        for path, fields in documents.items()
        if "/usage/secrets" in path
    }
    slots = sum(len(fields["slots"]) for path, fields in documents.items() if "slots" in fields)
    return kinds, states, counts, slots


@pytest.fixture
def wish(app, tmp_path):
    """Give what each act leaves on a good day."""
    from tests.support import wired, with_key

    def undisturbed(name):
        fresh = with_key(wired(app.settings.emulator, tmp_path / "wish"))
        state, act = ACTS[name]
        act(fresh, world(fresh, state))
        return shape(everything(fresh))

    return undisturbed


@pytest.mark.claim("F7", "a store that fails before a write is asked again; the effect is one")
@pytest.mark.parametrize("error", UNREACHABLE)
@pytest.mark.parametrize("method", [READ, COMMIT])
@pytest.mark.parametrize("name", ["create", "restore", "replace"])
def test_failing_twice(app, wish, name, method, error):
    """Two failures and then none: the same as if there had been none."""
    state, act = ACTS[name]
    project = world(app, state)
    method = FIRST.get(name, READ) if method == READ else method
    there, script = troubled(app, Rule(method, "before", last=2, error=error))
    act(there, project)
    assert script.rules[0].met == 2
    assert shape(everything(app)) == wish(name)


@pytest.mark.claim("F7", "a store that stays away is told as 503 with Retry-After, to no effect")
@pytest.mark.parametrize("method", [READ, COMMIT])
@pytest.mark.parametrize("name", ACTS)
def test_failing_always(app, name, method, monkeypatch):
    """At most five tries with random pauses between, then a refusal; not a document differs."""
    state, act = ACTS[name]
    project = world(app, state)
    before = everything(app)
    method = FIRST.get(name, READ) if method == READ else method
    there, script = troubled(app, Rule(method, "before"))
    pauses = []
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=pauses.append)
    monkeypatch.setattr(tries, "time", clock)
    with pytest.raises(Error) as refused:
        act(there, project)
    assert (refused.value.code, "Retry-After" in refused.value.headers) == ("unavailable", True)
    assert "canary" not in refused.value.message
    assert 1 <= script.rules[0].met <= 5
    assert len(pauses) == len(set(pauses)) == script.rules[0].met - 1
    assert all(pause <= 0.1 * 2**number for number, pause in enumerate(pauses))
    assert sum(pauses) <= quotas.STORE_DEADLINE
    assert everything(app) == before


@pytest.mark.claim("F9", "a commit whose answer is lost is recognised: one effect, the same answer")
@pytest.mark.parametrize("error", ["DeadlineExceeded", "ServiceUnavailable", "Aborted"])
@pytest.mark.parametrize("name", ACTS)
def test_applied_but_lost(app, wish, name, error):
    """The commit was applied, its answer lost: the caller gets what it would have got."""
    state, act = ACTS[name]
    project = world(app, state)
    there, script = troubled(app, Rule(COMMIT, "after", last=1, error=error))
    act(there, project)
    assert script.rules[0].met == 1
    assert shape(everything(app)) == wish(name)


@pytest.mark.claim("F9", "a commit sent twice by the wire is applied once")
@pytest.mark.parametrize("name", ACTS)
def test_sent_twice(app, wish, name):
    """The second one finds its preconditions broken by the first, and that is recognised."""
    state, act = ACTS[name]
    project = world(app, state)
    there, script = troubled(app, Rule(COMMIT, "twice", last=1))
    act(there, project)
    assert script.rules[0].met == 1
    assert shape(everything(app)) == wish(name)


@pytest.mark.claim("F10", "a commit whose caller went away is whole, and nothing has to be mended")
@pytest.mark.parametrize("name", ACTS)
def test_applied_and_nobody_asks(app, wish, name):
    """The answer is lost and so is whoever waited for it: the state is the new one, whole."""
    state, act = ACTS[name]
    project = world(app, state)
    again = Rule(READ, "before", first=2)
    there, _ = troubled(app, Rule(COMMIT, "after", last=1), again, Rule(COMMIT, "before"))
    with pytest.raises(Error) as refused:
        act(there, project)
    assert refused.value.code == "unavailable"
    assert shape(everything(app)) == wish(name)


def finish(app, project):
    """Take steps as events would: every write brings one, and every failure another."""
    for _ in range(10):
        with suppress(Error):
            purge.advance(app, project)


@pytest.mark.claim("F10", "a step of the purge whose answer is lost is not taken twice")
@pytest.mark.parametrize("how", ["before", "after", "twice"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_steps_that_are_lost(app, number, how):
    """Shred, sweep or tombstone fails, or only its answer does: the end is one tombstone."""
    project = world(app, "deleted")
    reclaim(app, project)
    there, script = troubled(app, Rule(COMMIT, how, first=number, last=number))
    finish(there, project)
    assert script.rules[0].met == 1
    documents = everything(app)
    assert not any(path.startswith("projects/") for path in documents)
    actions = [fields.get("action") for fields in documents.values()]
    assert actions.count("codeengine.project.erase") == 1
    assert documents[f"tombstones/{project}"]["swept"] > 0
    assert not app.keyring._halves.folder.joinpath(project).exists()


@pytest.mark.claim("F11", "what is decided on a lagging snapshot does not commit")
@pytest.mark.parametrize("name", ["delete", "put", "replace", "remove"])
def test_stale_reads(app, name):
    """A project deleted by now is seen active, as it was a moment ago: refused anyway."""
    project = world(app, "active")
    then = app.store.read(f"projects/{project}").time
    projects.delete(app, call(id=project))
    before = everything(app)
    there, script = troubled(app, Rule(READ, "stale", last=1, at=then))
    with pytest.raises(Error) as refused:
        ACTS[name][1](there, project)
    assert (refused.value.code, script.rules[0].met) == ("project_not_active", 1)
    assert [method for method, _ in script.calls].count(COMMIT) == 1  # decided wrongly, and refused
    assert everything(app) == before


@pytest.mark.claim("F11", "a lagging snapshot of the slots lets no project in beyond the cap")
def test_stale_slots(app):
    """The region is seen with a free slot that is taken by now."""
    small = replace(app, settings=replace(app.settings, projects_per_region=2))
    then = app.store.read(f"projects/{world(small, 'active')}").time
    projects.create(small, call(body={"name": "other"}))
    there, script = troubled(small, Rule(READ, "stale", last=1, at=then))
    with pytest.raises(Error) as refused:
        ACTS["create"][1](there, "")
    assert (refused.value.code, script.rules[0].met) == ("quota_exceeded", 1)


@pytest.mark.claim("F12", "a change whose audit entry cannot be written is not made")
@pytest.mark.parametrize("name", ACTS)
def test_no_change_without_its_entry(app, name):
    """Every commit that changes something carries its entry: both arrive, or neither."""
    state, act = ACTS[name]
    project = world(app, state)
    before = everything(app)
    there, script = troubled(app, Rule(COMMIT, "before", about="/audit/"))
    with pytest.raises(Error):
        act(there, project)
    commits = [about for method, about in script.calls if method == COMMIT]
    assert commits
    assert all("/audit/" in about for about in commits)
    assert everything(app) == before


@pytest.mark.claim("F13", "an event delivered one to five times at once does its work once")
@pytest.mark.parametrize("times", [1, 2, 3, 4, 5])
def test_events_at_once(app, times):
    """Each event of a purge comes several times at once: one step each, one tombstone."""
    project = world(app, "deleted")
    reclaim(app, project)
    with ThreadPoolExecutor(times) as pool:
        for _ in range(10):
            steps = list(pool.map(lambda _: purge.advance(app, project), range(times)))
            if set(steps) == {"nothing"}:
                break
    documents = everything(app)
    assert not any(path.startswith("projects/") for path in documents)
    erased = [
        path for path, f in documents.items() if f.get("action") == "codeengine.project.erase"
    ]
    assert (len(erased), documents[f"tombstones/{project}"]["swept"]) == (1, 4)


@pytest.mark.claim("F45", "a worker that slept through a reclaim changes nothing when it wakes")
def test_a_worker_that_wakes_up(app):
    """A restore stops between its read and its commit; meanwhile the project is reclaimed."""
    project = world(app, "deleted")
    other = lambda: reclaim(app, project)  # noqa: E731
    there, script = troubled(app, Rule(COMMIT, "meanwhile", last=1, other=other))
    with pytest.raises(Error) as refused:
        reclamations.restore(there, call(project_id=project))
    assert (refused.value.code, script.rules[0].met) == ("project_not_restorable", 1)
    status = app.store.read(f"projects/{project}")[f"projects/{project}"].fields["status"]
    assert status == HARD_DELETING
