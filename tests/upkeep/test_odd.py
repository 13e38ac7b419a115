"""What should not happen, and must do no harm when it does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from google.api_core import exceptions

from shared import projects, quotas, resources
from shared.errors import Error
from shared.kinds import SECRETS
from shared.projects import instances, reclamations, slots
from shared.resources import history
from shared.store import Conflict, Document, Store, Write
from shared.upkeep import purge, schedule
from tests.support import call, halves_in, paths_below, reclaim

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Lossy(Store):
    """A store whose first commit is applied, but reported as a conflict."""

    lost = False

    def commit(self, changes, **within):
        """Commit, and lose the first answer."""
        super().commit(changes, **within)
        if not self.lost:
            self.lost = True
            raise Conflict


def lossy(app):
    """Give the domain over a store that loses its first answer."""
    old = app.store
    return replace(app, store=Lossy(old._api, old._database, old._jitter, token="owner"))


def test_a_create_whose_answer_was_lost(app):
    """It finds its own claim, tells success, and keeps the key."""
    over = lossy(app)
    made = projects.create(over, call(body={"name": "p"})).body
    assert over.store.lost
    on = {"project_id": made["id"]}
    body = {"name": "s", "format": "generic", "data": {"k": "v"}}
    resources.create(SECRETS, app, call(body=body, **on))
    assert resources.get(SECRETS, app, call(name="s", **on)).body["data"] == {"k": "v"}
    assert len(projects.listing(app, call()).page.entries) == 1
    assert (app.settings.key_store / made["id"]).exists()


def test_a_refused_create_leaves_its_key_half_to_the_schedule(app):
    """Who lost the race for a name destroys nothing; an hour later the schedule does."""
    other = projects.create(app, call(body={"name": "p"})).body["id"]
    region = slots.region_path("a" * 32, app.settings.region)
    app.store.commit([Write(region, {}, mask=[slots._slot(other)])])

    class Late(Store):
        """A store in which somebody takes the name just before the first commit."""

        taken = False

        def commit(self, changes, **within):
            """Let the other be first."""
            if not self.taken:
                self.taken = True
                claim = {"slots": {other: "p"}}
                super().commit([Write(region, claim, mask=[slots._slot(other)])])
            super().commit(changes, **within)

    old = app.store
    late = replace(app, store=Late(old._api, old._database, old._jitter, token="owner"))
    with pytest.raises(Error) as refused:
        projects.create(late, call(body={"name": "p"}))
    assert refused.value.code == "name_taken"
    assert len(halves_in(app.settings.key_store)) == 2
    app.settings.clock_file.write_text("3601")
    assert schedule.enforce(app)["orphans"] == 1
    assert halves_in(app.settings.key_store) == {other}


@pytest.mark.parametrize(
    "odd",
    [
        {"status": "soft_deleted", "purge_at": LONG_AGO},
        {"status": "hard_deleting", "progress_at": LONG_AGO},
        {"status": "hard_deletion_failed", "updated_at": LONG_AGO},
    ],
)
def test_an_odd_project_delays_no_other(app, odd):
    """It is counted as failed; what is due is done."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    projects.delete(app, call(id=project))
    app.store.commit([Write.create("projects/odd", odd)])
    app.store.commit([Write.create("regions/odd", {"key": "odd", "slots": None})])
    app.settings.clock_file.write_text(str(8 * 24 * 3600))
    done = schedule.enforce(app)
    assert done["expired"] == 1
    assert done["failed"] >= 1
    path = f"projects/{project}"
    assert app.store.read(path)[path].fields["status"] == "hard_deleting"


@pytest.mark.claim("L3", "projects that can never be moved keep no other waiting")
def test_many_odd_projects_delay_no_other(app, monkeypatch):
    """More than one query finds, all due for longer: what is due behind them is done."""
    monkeypatch.setattr(quotas, "DUE_BATCH", 3)
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    projects.delete(app, call(id=project))
    for number in range(10):
        odd = {"status": "soft_deleted", "purge_at": LONG_AGO + timedelta(seconds=number)}
        app.store.commit([Write.create(f"projects/odd-{number}", odd)])
    app.settings.clock_file.write_text(str(8 * 24 * 3600))
    done = schedule.enforce(app)
    assert (done["expired"], done["failed"]) == (1, 10)


def test_a_key_store_out_of_reach_delays_no_project(app):
    """The schedule marks what is due although it cannot list key halves."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    projects.delete(app, call(id=project))
    keys = app.settings.key_store
    keys.rename(keys.with_name("moved"))
    keys.write_text("")
    app.settings.clock_file.write_text(str(8 * 24 * 3600))
    assert schedule.enforce(app)["expired"] == 1


@pytest.mark.parametrize("read", ["get", "listing"])
def test_a_lost_part_is_told_and_not_waited_for(app, read):
    """A value of which a part is gone for good is an internal error, at once."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    on = {"project_id": project}
    body = {"name": "s", "format": "generic", "data": {"k": "x" * 1_000_000}}
    resources.create(SECRETS, app, call(body=body, **on))
    parts = [p for p in paths_below(app.store, f"projects/{project}", 99) if "/parts/" in p]
    app.store.commit([Write.discard(parts[0])])
    with pytest.raises(Error) as told:
        getattr(resources, read)(SECRETS, app, call(name="s", **on))
    assert told.value.code == "internal"


class Restless(Store):
    """A store in which a secret is replaced between a read of it and that of its parts."""

    replace = None
    left = 0

    def read(self, *paths, **within):
        """Replace it first, when only parts are asked for."""
        if self.left and all("/parts/" in path for path in paths):
            self.left -= 1
            self.replace()
        return super().read(*paths, **within)


@pytest.mark.parametrize("read", ["get", "listing"])
@pytest.mark.parametrize(("often", "code"), [(10, None), (99, "unavailable")])
def test_a_value_that_keeps_changing_is_waited_for(app, read, often, code):
    """Whoever reads a large value while others replace it gets it in the end, or may try again."""
    on = {"project_id": projects.create(app, call(body={"name": "p"})).body["id"]}
    body = {"format": "generic", "data": {"k": "x" * 1_000_000}}
    resources.create(SECRETS, app, call(body={"name": "s", **body}, **on))
    old = app.store
    store = Restless(old._api, old._database, old._jitter, token="owner")

    def change():
        assert resources.update(SECRETS, app, call(body=body, name="s", if_match="*", **on)).now

    store.replace, store.left = change, often
    reading = partial(getattr(resources, read), SECRETS, replace(app, store=store))
    if code is None:
        assert reading(call(name="s", **on)).now
        assert store.left == 0
        return
    with pytest.raises(Error) as told:
        reading(call(name="s", **on))
    assert told.value.code == code
    assert store.left == often - quotas.PART_TRIES


class Doomed(Store):
    """A store in which something happens right after the first read."""

    doom = None

    def _collected(self, answers):
        """Read, and let it happen, once."""
        found = super()._collected(answers)
        doom, self.doom = self.doom, None
        if doom:
            doom()
        return found


@pytest.mark.parametrize("verb", ["get", "listing", "create", "update"])
def test_a_key_destroyed_under_a_request_is_no_failure(app, verb):
    """Whoever is overtaken by a permanent deletion is told of it, not of an internal error."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    body = {"format": "generic", "data": {"k": "x" * 1_000_000}}
    resources.create(SECRETS, app, call(body={"name": "s", **body}, project_id=project))

    def shred():
        reclaim(app, project)
        assert [purge.advance(app, project) for _ in range(2)] == ["begin", "shred"]

    old = app.store
    store = Doomed(old._api, old._database, old._jitter, token="owner")
    store.doom = shred
    meant = call(
        body={"name": "t", **body} if verb == "create" else body,
        name="s",
        if_match="*",
        project_id=project,
    )
    with pytest.raises(Error) as told:
        getattr(resources, verb)(SECRETS, replace(app, store=store), meant)
    assert told.value.code == "project_not_active"


def test_a_project_that_never_came_to_be_is_no_instance(app):
    """What the schedule writes in place of one has no account, and is shown to none."""
    never = {"id": "p", "status": "never_created", "erased_at": LONG_AGO}
    app.store.commit([Write.create("tombstones/p", never)])
    with pytest.raises(Error) as told:
        instances.get(app, call(id="p"))
    assert told.value.code == "resource_not_found"


def test_a_query_that_cannot_be_answered_is_no_conflict(app):
    """A missing index or database is a failure, not somebody else's success."""

    class Unindexed:
        """Firestore's client, for which no index was made."""

        def __init__(self, api):
            self.api = api

        def __getattr__(self, name):
            return getattr(self.api, name)

        def run_query(self, *_, **__):
            """Fail as the real service does."""
            raise exceptions.FailedPrecondition("The query requires an index.")

    old = app.store
    without = Store(Unindexed(old._api), old._database, old._jitter, token="owner")
    with pytest.raises(exceptions.FailedPrecondition):
        projects.listing(replace(app, store=without), call())


def test_a_strangers_body_is_not_parsed(account, host):
    """Without a token the answer is 401 whatever the body; no time is spent on it."""
    rubbish = b'{"a": [' + b"[]," * 1000
    headers = {"Content-Type": "application/json"}
    for url in (f"{host.functions}/putSecret", f"{host.functions}/createProject"):
        answer = account.session.post(url, data=rubbish, headers=headers, timeout=30)
        assert answer.status_code == 401


def test_a_reclamation_is_listed_beyond_the_cap(app):
    """Lowering the cap hides no deleted project."""
    made = [projects.create(app, call(body={"name": f"p{n}"})).body["id"] for n in range(3)]
    for project in made:
        projects.delete(app, call(id=project))
    lower = replace(app, settings=replace(app.settings, projects_per_region=1))
    listed = reclamations.listing(lower, call()).body["resources"]
    assert [entry["resource_instance_id"] for entry in listed] == made


def test_a_revision_that_another_write_took_is_a_conflict():
    """A read may give a revision beside an app that has moved on: the delete decides anew."""
    stored = {"name": "a", "history": [{"revision": 2, "value_id": "v", "parts": 0}]}
    with pytest.raises(Conflict):
        history.forget(Document("projects/p/apps/a", stored), 1)
