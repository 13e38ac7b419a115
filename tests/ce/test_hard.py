"""`ce project delete --hard` is a delete and then a reclaim: what it leaves wherever it stops."""

import json

import pytest

from tests.support.cli import run
from tests.support.cli_home import token

PURGE = token("editor", "purge")
RECLAMATIONS, DONE = (200, json.dumps({"resources": [{"id": "r"}]})), (200, "{}")
HELD = (200, "{}", ("X-Reprieve-Holds", "secrets=2, config_maps=1, apps=0"))
TOKEN = (200, '{"access_token": "t"}')  # one that says nothing


def project(status):
    """Answer with a project in this state."""
    return 200, json.dumps({"id": "i", "name": "x", "status": status})


DESTROYED = "Project 'x' is destroyed for good, with 2 secrets, 1 config map.\n"
HARD = ("project", "delete", "--id", "i", "--hard", "--force")


@pytest.mark.claim("E1", "a hard delete without `project.purge` deletes nothing")
@pytest.mark.parametrize("told", [TOKEN, token(), token("editor"), token("manager", "viewer")])
def test_hard_deletes_nothing_without_the_role(other, told):
    """The token's own roles are looked at before anything is sent that changes something."""
    to_come, got = other
    to_come += [told, project("active")]
    done = run(*HARD)
    assert (done.returncode, to_come) == (1, [])
    assert "`project.purge`: nothing was deleted." in done.stderr
    assert "the role administrator or purge" in done.stderr
    assert [path for path, _ in got] == ["/identity/token", "/v2/projects/i"]


@pytest.mark.parametrize(
    "answers",
    [
        [(500, '{"errors": [{"code": "internal", "message": "Ours."}]}')],  # of the list
        [(200, '{"resources": []}')],
        [RECLAMATIONS, (403, '{"errors": [{"code": "forbidden", "message": "No."}]}')],
        [RECLAMATIONS, (503, '{"errors": [{"code": "unavailable", "message": "Again."}]}')],
        [RECLAMATIONS, (401, ""), TOKEN, (401, "")],
    ],
)
@pytest.mark.parametrize("after", [project("soft_deleted"), (503, "")])
def test_hard_that_gets_half_way(other, answers, after):
    """A reclaim that fails after the delete: what is true now, exit 1, and what finishes it."""
    to_come, _ = other
    to_come += [PURGE, project("active"), HELD, (202, ""), *answers, after]
    done = run(*HARD)
    assert (done.returncode, to_come) == (1, [])
    assert "Project 'x' is soft deleted, not destroyed: run the command again" in done.stderr
    assert "OK" not in done.stdout
    assert "half done" not in done.stderr  # which is what is said of other refusals

    to_come += [PURGE, project("soft_deleted"), HELD, RECLAMATIONS, DONE, (404, "")]
    assert (run(*HARD).returncode, to_come) == (0, [])


def test_hard_of_what_is_restored_meanwhile(other):
    """Nothing was destroyed, and nobody is told to go on: somebody wants it."""
    to_come, _ = other
    refused = (409, '{"errors": [{"code": "project_not_deletable", "message": "No."}]}')
    to_come += [PURGE, project("active"), HELD, (202, ""), RECLAMATIONS, refused, project("active")]
    done = run(*HARD)
    assert (done.returncode, to_come) == (1, [])
    assert "Project 'x' was restored meanwhile: nothing was destroyed." in done.stderr
    assert "again" not in done.stderr


@pytest.mark.parametrize("statuses", [[409], [404], [502, 404]])
@pytest.mark.parametrize("after", [project("hard_deleting"), (404, "")])
def test_hard_whose_answer_is_lost(other, statuses, after):
    """Where it is being destroyed, or gone, the reclaim was done: by this call or by another."""
    to_come, _ = other
    answers = [(status, "") for status in statuses]
    to_come += [PURGE, project("active"), HELD, (202, ""), RECLAMATIONS, *answers, after]
    to_come += [(404, "")]
    done = run(*HARD)
    assert (done.returncode, to_come, done.stderr) == (0, [], DESTROYED)
    assert done.stdout == "Deleting project `x`\nOK\n"


@pytest.mark.parametrize("status", ["hard_deleting", "hard_deletion_failed"])
def test_hard_goes_on(other, status):
    """What is being destroyed is waited for; what failed is reclaimed once more."""
    to_come, _ = other
    again = [RECLAMATIONS, DONE] if status == "hard_deletion_failed" else []
    to_come += [PURGE, project(status), HELD, *again, (404, "")]
    assert (run(*HARD).returncode, to_come) == (0, [])
