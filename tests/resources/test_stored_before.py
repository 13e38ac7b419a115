"""What is refused now, and is stored from a time when it was taken, is read and deleted as ever."""

from dataclasses import replace

import pytest

from shared import projects, resources
from shared.errors import Error
from shared.kinds import Kind, table
from shared.projects import names
from tests.support import call

MINE = {"format": "registry", "data": {"username": "u", "password": "p", "server": " a\nb "}}
DAEMON = {"image_reference": "icr.io/a/b", "run_mode": "daemon", "scale_retry_limit": 5}
STORED = {
    "a key that is a folder": (table.SECRETS, {"format": "generic", "data": {".": "a", "..": "b"}}),
    "one of a config map": (table.CONFIG_MAPS, {"data": {".": "a", "..": "b"}}),
    "a server in two lines": (table.SECRETS, MINE),
    "a daemon that tries again": (table.JOBS, DAEMON),
    "a probe with two lines": (
        table.APPS,
        {"image_reference": "icr.io/a/b", "probe_liveness": {"type": "http", "path": "/a\nb"}},
    ),
}


@pytest.fixture
def home(app):
    """The id of a project."""
    return projects.create(app, call(body={"name": "p"})).body["id"]


@pytest.mark.parametrize(("kind", "body"), STORED.values(), ids=STORED)
def test_a_resource(app, home, kind, body):
    """It is told whole, alone and in a list, and goes; made anew it is refused."""
    at = {"project_id": home, "name": "r"}
    unchecked = replace(kind, check=Kind("", "").check)
    resources.create(unchecked, app, call(body={"name": "r", **body}, project_id=home))
    found = resources.get(kind, app, call(**at)).body
    assert found.items() >= (body | {"name": "r"}).items() or kind is table.APPS
    (entry,) = resources.listing(kind, app, call(project_id=home)).page.entries
    assert entry == found
    if kind is table.APPS:
        assert found["probe_liveness"]["path"] == "/a\nb"
    else:
        with pytest.raises(Error) as refused:
            resources.create(kind, app, call(body={"name": "s", **body}, project_id=home))
        assert (refused.value.code, refused.value.status) == ("invalid_field", 400)
    resources.delete(kind, app, call(**at))
    with pytest.raises(Error, match="not found"):
        resources.get(kind, app, call(**at))


@pytest.mark.parametrize("name", [" ", "   ", " a", "a ", " a b "])
def test_a_project(app, monkeypatch, name):
    """One whose name has blanks at its ends is listed and deleted; none is created so."""
    with pytest.raises(Error) as refused:
        projects.create(app, call(body={"name": name}))
    assert refused.value.message == "`name` must not begin or end with a blank."
    with monkeypatch.context() as before:
        before.setattr(names, "checked", lambda name: name)
        made = projects.create(app, call(body={"name": name})).body
    assert made["name"] == name
    assert projects.get(app, call(id=made["id"])).body == made
    assert [one["name"] for one in projects.listing(app, call()).page.entries] == [name]
    projects.delete(app, call(id=made["id"]))
    assert projects.get(app, call(id=made["id"])).body == made | {"status": "soft_deleted"}
