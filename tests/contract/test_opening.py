"""What `x-opens` says is what is so: which operations open or seal a value, and which do not."""

from dataclasses import replace

import pytest

from functions import http_projects, http_resources  # noqa: F401 - they bind
from functions.binding import HANDLERS
from shared import projects
from shared.api.document import document
from shared.kinds import KINDS
from tests.support import call
from tests.support.kinds import called, requests_of

OPENS = {
    spec["operationId"]
    for path in document()["paths"].values()
    for spec in path.values()
    if isinstance(spec, dict) and spec.get("x-opens")
}
KEYED = {"open", "mark"}  # what of a keyring takes a project's key


class Noting:
    """A keyring, and which of its acts there were."""

    def __init__(self, ring):
        self.ring, self.acts = ring, []

    def __getattr__(self, name):
        self.acts.append(name)
        return getattr(self.ring, name)


@pytest.fixture
def noted(app):
    """The domain over a keyring that notes what is asked of it, and that."""
    ring = Noting(app.keyring)
    return replace(app, keyring=ring), ring


@pytest.mark.claim("E3", "what runs without the right to unwrap needs no key, of any kind")
@pytest.mark.parametrize("kind", KINDS, ids=called)
def test_of_each_kind(noted, kind):
    """Each operation of a kind opens or seals if it says so, and else asks for no project's key."""
    app, ring = noted
    on = {"project_id": projects.create(app, call(body={"name": "p"})).body["id"]}
    create, seen = f"create_{kind.noun}", {}
    asked = requests_of(kind, "none")
    # The key of what is made is known once it is: a binding's is not of its body.
    made = HANDLERS[create](app, call(body=asked[create].body, **on)).body[kind.key]
    for operation, request in requests_of(kind, made).items():
        body = request.body if operation != create else requests_of(kind, "x", 98)[create].body
        if operation not in HANDLERS:
            continue
        ring.acts.clear()
        parameters = {**call().parameters, **request.members, **on}
        HANDLERS[operation](app, replace(call(body=body), parameters=parameters))
        seen[operation] = bool(KEYED & set(ring.acts))
    assert seen == {operation: operation in OPENS for operation in asked}


def test_of_projects(noted):
    """What a project holds is counted, and listed, without a key."""
    app, ring = noted
    id_ = projects.create(app, call(body={"name": "p"})).body["id"]
    ring.acts.clear()
    names = {"get_project_contents", "get_project_status_details"}
    for name in names:
        HANDLERS[name](app, call(project_id=id_, names=True))
    assert not KEYED & set(ring.acts)
    assert not OPENS & names
