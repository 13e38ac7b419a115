"""A project that somebody edits who writes the database alone, and all that may be asked of it."""

from datetime import UTC, datetime

import pytest

from shared import projects, resources
from shared.errors import Error
from shared.kinds import SECRETS
from shared.projects import reclamations
from shared.upkeep import purge, schedule
from tests.faults.test_time_faults import DAY
from tests.support import call, halves_in, reclaim
from tests.support.former import everything
from tests.support.standing import stored

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BODY = {"format": "generic", "data": {"k": "v"}}


def made(app, state="active", name="p"):
    """Make a project with a secret, in a state."""
    project = projects.create(app, call(body={"name": name})).body["id"]
    resources.create(SECRETS, app, call(body={"name": "s", **BODY}, project_id=project))
    if state == "soft_deleted":
        projects.delete(app, call(id=project))
    if state == "hard_deleting":
        reclaim(app, project)
    return project


def acts(app, project):
    """Give all that a tenant may ask of a project, but to be shown what it is."""
    on = {"project_id": project}
    reclamation = stored(app, project).get("reclamation_id") or project
    return {
        "restore": lambda: reclamations.restore(app, call(**on)),
        "restore by its reclamation": lambda: reclamations.restore(app, call(id=reclamation)),
        "reclaim": lambda: reclamations.reclaim(app, call(id=reclamation)),
        "delete": lambda: projects.delete(app, call(id=project)),
        "get a secret": lambda: resources.get(SECRETS, app, call(name="s", **on)),
        "list secrets": lambda: resources.listing(SECRETS, app, call(**on)),
        "put a secret": lambda: resources.update(
            SECRETS, app, call(body=BODY, name="s", if_match="*", **on)
        ),
        "create a secret": lambda: resources.create(
            SECRETS, app, call(body={"name": "t", **BODY}, **on)
        ),
    }


def lasting(app):
    """Give all that is stored but the trail, and what the schedule notes for itself."""
    return {path: f for path, f in everything(app).items() if not path.startswith("retention/")}


def require_refused(app, project):
    """Require that whatever is asked of a project, or comes by itself, does nothing with it."""
    before, halves = lasting(app), halves_in(app.settings.key_store)
    for name, act in acts(app, project).items():
        with pytest.raises(Error) as refused:
            act()
        if refused.value.code == "unavailable":
            assert refused.value.headers == {"Retry-After": "5"}
        else:  # what is planted may name another reclamation, or none
            assert (refused.value.code, "recla" in name) == ("resource_not_found", True), name
    for days in (0, 8, 30):
        app.settings.clock_file.write_text(str(days * DAY))
        done = schedule.enforce(app)
        moved = ("expired", "nudged", "given_up", "retried", "orphans", "returned")
        assert [done[word] for word in moved] == [0] * len(moved)
        assert schedule.wake(app)["nudged"] == 0
        assert purge.advance(app, project) in ("refused", "nothing")
    app.settings.clock_file.write_text("0")
    assert lasting(app) == before
    assert halves_in(app.settings.key_store) == halves


def require_right(app, project, state):
    """Require that a project is what it was, and can be what it may."""
    if state == "hard_deleting":
        assert [purge.advance(app, project) for _ in range(2)] == ["begin", "shred"]
        return
    if state == "soft_deleted":
        reclamations.restore(app, call(project_id=project))
    assert resources.get(SECRETS, app, call(project_id=project, name="s")).body["data"] == {
        "k": "v"
    }
