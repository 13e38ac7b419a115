"""What is said of a selected project that was deleted, or destroyed, since it was selected."""

import json

import pytest

from ce.server import target
from tests.support.cli import run

NOWHERE = "00000000-0000-4000-8000-000000000000"
BY_ID = {
    "project get": (),
    "project restore": (),
    "project delete": ("--force",),
    "project select": (),
    "reclamation get": (),
    "reclamation restore": (),
    "reclamation delete": ("--force",),
}


def shown(ce):
    """Give the line of the selected project's status, and the project in the document."""
    lines = dict(line.partition(":")[::2] for line in ce("target").splitlines())
    document = json.loads(ce("target", "-o", "json"))
    project = document["project"]
    assert project.pop("from")
    return lines.get("Project Status", "").strip(), project


def test_until_it_is_gone_and_after(mine, account):
    """`ce target` says what it is; by its id every command says when it was destroyed, and why."""
    selected = target.selected(target.current())
    assert shown(mine) == ("active", selected | {"status": "active"})
    account.delete(selected)
    (found,) = account.got("/v1/reclamations")["resources"]
    until = found["target_time"]
    assert shown(mine) == (
        f"soft deleted until {until}",
        selected | {"status": "soft_deleted", "until": until},
    )
    account.action(selected, "reclaim")
    account.gone(selected)
    words, document = shown(mine)
    assert words.startswith(f"Project `{selected['id']}` was destroyed for good on 20")
    why = f"(asked for with the API key `{account.key_id}`); nothing can bring it back."
    assert words.endswith(why)
    reason = f"Resource not found. {words}"
    assert document == selected | {"status": "not_found", "reason": reason}
    for command, options in BY_ID.items():
        said = mine(*command.split(), "--id", selected["id"], *options, code=1)
        assert f"FAILED\n{reason}\n" in said
    assert reason in mine("project", "current", code=1)
    unknown = mine("project", "get", "--id", NOWHERE, code=1)
    assert "FAILED\nResource not found.\n" in unknown


@pytest.mark.usefixtures("mine")
def test_without_a_server(monkeypatch):
    """The target is shown all the same, and why its project's status is not."""
    monkeypatch.setenv("CODE_ENGINE_URL", "http://127.0.0.1:1/v2")
    monkeypatch.setenv("CODE_ENGINE_AUTH_URL", "http://127.0.0.1:1")
    nowhere = target.current()
    target.select(nowhere, None)  # it is of this machine, whatever the port
    assert "Project Status" not in run("target").stdout  # none is selected: nobody is asked
    target.select(nowhere, {"id": NOWHERE, "name": "p"})
    done = run("target")
    assert done.returncode == 0
    assert "\nProject Status:  unknown: Cannot reach 127.0.0.1:1 (ConnectionError)." in done.stdout
    document = json.loads(run("target", "-o", "json").stdout)["project"]
    assert (document["name"], document["status"]) == ("p", "unknown")
