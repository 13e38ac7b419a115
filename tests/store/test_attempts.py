"""A store that fails now and then: tried again, each commit applied once, its result told."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from google.api_core import exceptions

from shared import projects, quotas, resources
from shared.errors import Error
from shared.kinds import CONFIG_MAPS
from shared.store import Store, Write, one_request
from tests.support import call

DOWN = [exceptions.ServiceUnavailable, exceptions.ResourceExhausted, exceptions.DeadlineExceeded]
METHODS = ("batch_get_documents", "run_query", "commit")


class Faulty:
    """The client over a bad line: `script` holds, for a method, what befalls its next calls.

    Each is None, or when (`before` or `after` it is applied) and which error is raised, or
    `twice`: sent again by somebody on the way, the second answer told.
    """

    def __init__(self, api):
        self.api = api
        self.script = {}
        self.calls = []

    def __getattr__(self, name):
        def ask(request, **how):
            self.calls.append(name)
            now = self.script.get(name) or []
            when, error = (now.pop(0) if now else None) or ("", None)
            if when == "before":
                raise error("told")
            answer = getattr(self.api, name)(request, **how)
            if when == "twice":
                return getattr(self.api, name)(request, **how)
            if when == "after":
                raise error("told")
            return answer

        return ask


@pytest.fixture
def faulty(app):
    """The domain over a client whose line fails as told, and that client."""
    old = app.store
    api = Faulty(old._api)
    return replace(app, store=Store(api, old._database, lambda: 0.1, token="owner")), api


@pytest.fixture
def home(faulty):
    """A project, and the calls made so far forgotten."""
    app, api = faulty
    project = projects.create(app, call(body={"name": "home"})).body["id"]
    api.calls.clear()
    return project


def everything(app, collection):
    """Give the fields of a collection's documents, by id."""
    _, found = app.store.query(collection, order="__name__", limit=100)
    return {document.id: document.fields for document in found}


def config_map(app, project):
    """Make a config map; give what is answered."""
    body = {"name": "c", "data": {"k": "v"}}
    return resources.create(CONFIG_MAPS, app, call(body=body, project_id=project)).body


LOST = {
    "lost": [("after", exceptions.DeadlineExceeded)],
    "lost twice": [("after", exceptions.ServiceUnavailable)] * 2,
    "refused, then lost": [("before", DOWN[0]), ("after", exceptions.InternalServerError)],
    "sent twice": [("twice", None)],
    "lost four times": [("before", DOWN[2])] * 3 + [("after", DOWN[2])],
    "lost at the last try": [("before", DOWN[0])] * 4 + [("after", DOWN[0])],
}


@pytest.mark.claim("F9", "a commit whose answer is lost is recognised as one's own")
@pytest.mark.parametrize("script", LOST.values(), ids=LOST)
class TestLostAnswer:
    """The commit was applied, the answer lost: one effect, one entry, the answer there would be."""

    def test_create(self, faulty, script):
        """One project, one slot, one name."""
        app, api = faulty
        api.script["commit"] = list(script)
        made = projects.create(app, call(body={"name": "p"})).body
        assert list(everything(app, "projects")) == [made["id"]]
        (region,) = everything(app, "regions").values()
        assert region["slots"] == {made["id"]: "p"}
        assert len(everything(app, "audit")) == 1
        found = projects.get(app, call(id=made["id"])).body
        assert found == made

    def test_move(self, faulty, home, script):
        """A delete that was done is told as done."""
        app, api = faulty
        api.script["commit"] = list(script)
        assert projects.delete(app, call(id=home)).now is not None
        assert everything(app, "projects")[home]["status"] == "soft_deleted"
        assert len(everything(app, "audit")) == 2

    def test_resource(self, faulty, home, script):
        """What was stored is what is answered, and counted once."""
        app, api = faulty
        api.script["commit"] = list(script)
        made = config_map(app, home)
        on = {"project_id": home, "name": "c"}
        assert resources.get(CONFIG_MAPS, app, call(**on)).body == made
        assert everything(app, f"projects/{home}/usage")["config_maps"]["count"] == 1
        api.script["commit"] = list(script)
        patch = call(body={"data": {"k": "w"}}, **on, if_match=made["entity_tag"])
        changed = resources.update(CONFIG_MAPS, app, patch).body
        assert resources.get(CONFIG_MAPS, app, call(**on)).body == changed
        api.script["commit"] = list(script)
        resources.delete(CONFIG_MAPS, app, call(**on))
        assert everything(app, f"projects/{home}/usage")["config_maps"]["count"] == 0


@pytest.mark.claim("F7", "an error before a commit is tried five times, and has no effect then")
@pytest.mark.parametrize("error", [*DOWN, exceptions.InternalServerError])
@pytest.mark.parametrize("method", METHODS)
def test_unanswered(faulty, home, method, error):
    """Four failures are not noticed; the fifth is told, and nothing has changed."""
    app, api = faulty
    ask = {
        "batch_get_documents": lambda: projects.get(app, call(id=home)),
        "run_query": lambda: app.store.query("projects", order="name", limit=1),
        "commit": lambda: config_map(app, home),
    }[method]
    api.script[method] = [("before", error)] * quotas.STORE_TRIES
    with pytest.raises(Error) as refused:
        ask()
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})
    assert api.calls.count(method) == quotas.STORE_TRIES
    assert "config_maps" not in everything(app, f"projects/{home}/usage")
    api.script[method] = [("before", error)] * (quotas.STORE_TRIES - 1)
    assert ask()


@pytest.mark.claim("F10", "a commit that was not applied is not taken for one's own")
def test_another_came_first_meanwhile(faulty, home):
    """The commit is lost before it is applied, and somebody else takes the name: told so."""
    app, api = faulty
    api.script["commit"] = [None, ("before", exceptions.DeadlineExceeded)]
    config_map(app, home)
    with pytest.raises(Error) as refused:
        config_map(app, home)
    assert refused.value.code == "name_taken"
    assert len(everything(app, "audit")) == 2


@pytest.mark.slow
@pytest.mark.claim("F8", "a storm of ABORTED ends in an exact count, and nothing but 503 beside it")
def test_storm(faulty, home, monkeypatch):
    """Nine of ten commits are aborted, after or before they are applied; each counts once."""
    app, api = faulty
    monkeypatch.setattr(quotas, "STORE_DEADLINE", 5.0)
    storm = [("after", exceptions.Aborted), *[("before", exceptions.Aborted)] * 8, None]
    api.script["commit"] = storm * 40

    def one(number):
        body = {"name": f"c{number}", "data": {}}
        try:
            resources.create(CONFIG_MAPS, app, call(body=body, project_id=home))
        except Error as error:
            return error.status
        return 201

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(one, range(20)))
    assert set(statuses) <= {201, 503}
    stored = everything(app, f"projects/{home}/config_maps")
    count = everything(app, f"projects/{home}/usage")["config_maps"]["count"]
    assert len(stored) == count == len(everything(app, "audit")) - 1
    told = {f"c{number}" for number, status in enumerate(statuses) if status == 201}
    assert told <= stored.keys()
    assert told


def test_a_plain_commit_keeps_the_deadline(faulty, monkeypatch):
    """One try, and no longer than what is left of its request's time."""
    app, api = faulty
    real, given = api.api, []

    class Noting:
        def commit(self, request, **how):
            given.append(how["timeout"])
            return real.commit(request, **how)

    api.api = Noting()
    app.store.commit([Write("c/a", {})])
    with one_request():
        monkeypatch.setattr(quotas, "STORE_DEADLINE", 1000.0)
        app.store.commit([Write("c/b", {})])
    app.store.commit([Write("c/c", {})])
    assert given[0] == 10
    assert given[1] < 10
    assert given[2] == 1000
