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
    assert words.endswith(f"{why} `ce certificate get {selected['id']}` gets its certificate.")
    reason = f"Resource not found. {words}"
    assert document == selected | {"status": "not_found", "reason": reason}
    for command, options in BY_ID.items():
        said = mine(*command.split(), "--id", selected["id"], *options, code=1)
        assert f"FAILED\n{reason}\n" in said
    assert reason in mine("project", "current", code=1)
    unknown = mine("project", "get", "--id", NOWHERE, code=1)
    assert "FAILED\nResource not found.\n" in unknown


@pytest.mark.parametrize("by", ["variable", "file"])
def test_a_project_that_is_named(ce, account, by, tmp_path, monkeypatch):
    """Of a name that is not the selected one's the ID and the state are looked up, or its lack."""
    project = account.project("named")
    source = {"variable": "CODE_ENGINE_PROJECT", "file": f"{tmp_path}/.ce.toml"}[by]
    monkeypatch.chdir(tmp_path)

    def name(word):
        if by == "variable":
            monkeypatch.setenv("CODE_ENGINE_PROJECT", word)
        else:
            (tmp_path / ".ce.toml").write_text(f"project = '{word}'")

    name("named")
    said = f"\nProject:         named ({project['id']})\nProject From:    {source}\n"
    assert f"{said}Project Status:  active\n" in ce("target")
    account.delete(project)
    assert f"{said}Project Status:  soft deleted until 20" in ce("target")
    name("none")
    said = f"\nProject:         none\nProject From:    {source}\n"
    assert f"{said}Project Status:  there is no project of this name\n" in ce("target")
    found = json.loads(ce("target", "-o", "json"))["project"]
    assert (found["name"], found["status"]) == ("none", "not_found")
    assert "id" not in found


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
    monkeypatch.setenv("CODE_ENGINE_PROJECT", "another")
    assert "\nProject Status:  unknown: Cannot reach 127.0.0.1:1" in run("target").stdout
