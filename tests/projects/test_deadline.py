"""The seven days: at any instant exactly one of restore and expiry is legal."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

import pytest

from shared import projects
from shared.app import App
from shared.errors import Error
from shared.projects import reclamations
from tests.support import WEEK, call

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class At(App):
    """The domain at one instant: the store's clock, standing still."""

    moment: datetime = NEVER

    def now(self, _):
        """Give the instant."""
        return self.moment


def outcome(act):
    """Give `done`, or the code of the refusal."""
    try:
        act()
    except Error as error:
        return error.code
    return "done"


@pytest.mark.claim("I6", "at any instant exactly one of restore and destruction is legal")
@pytest.mark.parametrize("first", ["restore", "expire"])
@pytest.mark.parametrize("microseconds", [-1_000_000, -1, 0, 1, 1_000_000])
def test_at_any_instant_exactly_one_is_legal(app, microseconds, first):
    """Around the deadline one of restore and expiry is refused, whichever is tried first."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    projects.delete(app, call(id=project))
    path = f"projects/{project}"
    deadline = app.store.read(path)[path].fields["purge_at"]
    parts = {field.name: getattr(app, field.name) for field in fields(app)}
    there = At(**parts, moment=deadline + timedelta(microseconds=microseconds))
    acts = {
        "restore": lambda: reclamations.restore(there, call(project_id=project)),
        "expire": lambda: projects.move(there, project, "expire", call=None),
    }
    order = [first, *(set(acts) - {first})]
    outcomes = {verb: outcome(acts[verb]) for verb in order}
    status = app.store.read(path)[path].fields["status"]
    if microseconds < 0:
        assert outcomes == {"restore": "done", "expire": "project_not_deletable"}
        assert status == "active"
    else:
        assert outcomes == {"restore": "project_not_restorable", "expire": "done"}
        assert status == "hard_deleting"


def deleted(account, seconds):
    """Soft delete a project, and set the clock to some seconds after its deadline."""
    project = account.project()
    secret = account.secret(project, "s", {"k": "v"})
    account.delete(project)
    deadline = account.host.inside.document(f"projects/{project['id']}")["purge_at"]
    account.host.set_clock((deadline - datetime.now(UTC)).total_seconds() + seconds)
    return project, secret


@pytest.mark.claim("I8", "restored a second before the deadline it is as it was")
def test_a_second_before_the_deadline_it_can_be_restored(account, host):
    """The schedule leaves it alone, and the restore brings everything back."""
    project, secret = deleted(account, -30)
    host.enforce()
    assert account.status(project) == "soft_deleted"
    host.set_clock(0)
    project, secret = deleted(account, -1)
    answer = account.action(project, "restore")
    assert (answer.status_code, account.status(project)) == (200, "active")
    host.set_clock(0)
    assert account.got(f"/v2/projects/{project['id']}/secrets/s") == secret


@pytest.mark.claim("I6", "from the deadline on a restore is refused")
@pytest.mark.parametrize("seconds", [0, 1, WEEK])
def test_from_the_deadline_on_a_restore_is_refused(account, host, seconds):
    """Even when no schedule has run; then the schedule alone destroys it."""
    project, _ = deleted(account, seconds)
    refused = account.action(project, "restore")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (
        409,
        "project_not_restorable",
    )
    assert account.status(project) == "soft_deleted"
    assert host.enforce()["expired"] >= 1
    account.gone(project)
    assert project["id"] not in host.inside.slots(account.id)


@pytest.mark.claim("I14", "a second delete does not move the deadline")
def test_a_second_delete_does_not_move_the_deadline(account, host):
    """The deadline is computed once; only a restore and a new delete make another."""
    project = account.project()
    path = f"projects/{project['id']}"
    account.delete(project)
    first = host.inside.document(path)
    host.set_clock(WEEK / 2)
    assert account.call("DELETE", f"/v2/{path}").status_code == 409
    assert host.inside.document(path) == first
    assert first["purge_at"] - first["deleted_at"] == timedelta(days=7)
    assert account.action(project, "restore").status_code == 200
    account.delete(project)
    second = host.inside.document(path)
    assert second["purge_at"] - second["deleted_at"] == timedelta(days=7)
    assert second["deleted_at"] - first["deleted_at"] >= timedelta(seconds=WEEK / 2)


@pytest.mark.claim("F19", "moving the lifecycle's clock makes no token end or live on")
def test_moving_the_clock_logs_nobody_out(account, host):
    """Tokens live by the host's own clock, not by lifecycle time."""
    project = account.project()
    host.set_clock(10 * WEEK)
    assert account.status(project) == "active"
