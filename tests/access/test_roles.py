"""Every operation, asked with every role for every scope, against the table in security.md."""

import re

import pytest

from shared import access
from shared.access import roles
from shared.api import operations
from tests.support import ROOT

# What a path's parameters are filled with: nothing that exists.
NOWHERE = "00000000-0000-4000-8000-000000000000"
PARTS = {"project_id": NOWHERE, "id": NOWHERE}
WIDE = {"project.create", "apikey.view", "apikey.manage"}  # what a key for one project never may


def documented():
    """Read the table of roles in docs/security.md: role to permissions."""
    text = (ROOT / "docs" / "security.md").read_text()
    head, _, *rows = re.search(r"(\| role \|.*?)\n\n", text, re.DOTALL)[1].split("\n")
    columns = [re.findall("`([a-z.]+)`", cell) for cell in cells(head)]
    found = {}
    for names, *marks in map(cells, rows):
        assert set(marks) <= {"yes", ""}
        may = {v for verbs, mark in zip(columns[1:], marks, strict=True) if mark for v in verbs}
        found |= {name.strip(): may for name in names.split(",")}
    return found


def cells(row):
    """Give the cells of a row of a table."""
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.fixture(scope="module")
def owner(host):
    """An account with a project."""
    host.set_clock(0)
    account = host.account()
    account.target = account.project()["id"]
    return account


def test_the_table_is_whole():
    """The documented table has every role and every permission that an operation asks for."""
    table = documented()
    assert {role: {*may, *roles.OWN} for role, may in access.ROLES.items()} == table
    asked = {operation.permission for operation in operations().values()} - {None}
    assert asked == set.union(*table.values())


@pytest.mark.claim("E1", "each operation, role and scope: allowed exactly as the table says")
@pytest.mark.parametrize("scope", ["account", "project"])
@pytest.mark.parametrize("role", documented())
def test_every_operation(owner, role, scope):
    """What the table allows passes the gate, and all else is 403 before anything is looked at."""
    members = {"project_id": owner.target} if scope == "project" else {}
    caller = owner.another_key(role, **members)
    allowed = documented()[role] - (WIDE if scope == "project" else set())
    seen = {}
    for operation in operations().values():
        if operation.permission is None:
            continue
        path = re.sub(r"\{(\w+)\}", lambda part: PARTS.get(part[1], "none"), operation.path)
        answer = caller.call(operation.method, path)
        seen[operation.id] = answer.status_code != 403
        assert answer.status_code not in {401, 500, 503}, operation.id
    wanted = {name: operations()[name].permission in allowed for name in seen}
    assert len(seen) > 70
    assert seen == wanted


@pytest.mark.claim("E1", "who may delete a project may not end its seven days: purge is apart")
@pytest.mark.parametrize("scope", ["account", "project"])
def test_purge_is_apart(owner, scope):
    """An editor deletes and restores; `purge` alone destroys and cannot even look."""
    project = owner.project()
    members = {"project_id": project["id"]} if scope == "project" else {}
    editor, purger = (owner.another_key(role, **members) for role in ("editor", "purge"))
    assert purger.call("DELETE", f"/v2/projects/{project['id']}").status_code == 403
    assert purger.act(project["id"], "reclaim").status_code == 404  # it is in use
    editor.delete(project)
    reclamation = editor.reclamation(project)
    for refused in (editor.act(reclamation, "reclaim"), purger.act(reclamation, "restore")):
        assert refused.status_code == 403
    assert owner.status(project) == "soft_deleted"
    assert purger.call("GET", f"/v2/projects/{project['id']}").status_code == 403
    assert purger.act(reclamation, "reclaim").status_code == 200
    owner.gone(project)


@pytest.mark.claim("E1", "a purge key of one project destroys no other, nor sees one")
def test_purge_of_another_project(owner):
    """The scope holds for the extra role too; another project is as one that is not there."""
    mine, other = owner.project(), owner.project()
    purger = owner.another_key("purge", project_id=mine["id"])
    owner.delete(other)
    theirs = owner.reclamation(other)
    answers = [purger.act(name, "reclaim") for name in (theirs, other["id"], NOWHERE)]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({str(answer.json()["errors"]) for answer in answers}) == 1
    assert owner.status(other) == "soft_deleted"
