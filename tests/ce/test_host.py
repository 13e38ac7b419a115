"""`ce` against the running host: the documented transcripts."""

import json
import re
import subprocess
import sys

import pytest

from tests.support.cli import matches


def selected(mine):
    """Give the id of the selected project."""
    return mine("project", "current", "-o", "jsonpath={.guid}").strip()


def test_project_create_selects(ce):
    """A new project is selected, unless told otherwise."""
    said = ce("project", "create", "--name", "myproject")
    assert said == "Creating project 'myproject'...\nOK\n"
    ce("proj", "create", "-n", "other", "--ns")
    matches(
        "Getting the current project context...\nOK\n\n"
        "Name:    myproject\nID:      {ID}\nRegion:  us-south\n",
        ce("project", "current"),
    )
    assert ce("project", "select", "-n", "other") == "Selecting project 'other'...\nOK\n"
    assert ce("project", "current", "-o", "jsonpath={.name}") == "other"


def test_project_list(mine):
    """The list has the documented columns, by name or by age, soft-deleted projects included."""
    mine("project", "create", "-n", "zebra", "--no-select")
    mine("project", "delete", "-n", "zebra", "-f")
    matches(
        "Getting projects...\nOK\n\n"
        "Name       ID   Status        Selected  Tags  Region    Resource Group  Age\n"
        "myproject  {ID}  active        true            us-south  default         {AGE}\n"
        "zebra      {ID}  soft deleted  false           us-south  default         {AGE}\n",
        mine("project", "list"),
    )
    for order, names in {"name": "myproject zebra", "age": "zebra myproject"}.items():
        assert mine("project", "list", "-s", order, "-o", "jsonpath={.projects[*].name}") == names
    assert mine("project", "list", "-r", "eu-de", "-q").count("\n") == 1


def test_project_get(mine):
    """One project is shown line by line, and as a document with its guid."""
    project = selected(mine)
    matches(
        "Getting project 'myproject'...\nOK\n\n"
        "Name:  myproject\nID:  {ID}\nCRN:  crn:v1:bluemix:public:codeengine:us-south:a/@:{ID}::\n"
        "Status:  active\nEnabled:  true\nApplication Private Visibility Supported:  false\n"
        "Selected:  true\nRegion:  us-south\nResource Group:  default\n"
        "Age:  {AGE}\nCreated:  {LONG}\nUpdated:  {LONG}\n\nConnectivity:\n"
        "  Inbound - Context-based restrictions for the data plane:\n"
        "  Enforcement status:  none\n  Public internet:  unknown\n"
        "  IBM Cloud private network:  unknown\n",
        re.sub(r"a/[^:]*:", "a/@:", mine("project", "get", "--name", "myproject")),
    )
    document = json.loads(mine("project", "get", "--guid", project, "-o", "json"))
    assert (document["guid"], document["id"]) == (project, project)
    assert mine("project", "get", "--id", project, "-o", "jsonpath-as-json={.name}") == (
        '[\n  "myproject"\n]\n'
    )
    assert "name: myproject\n" in mine("project", "get", "--id", project, "-o", "yaml")


def test_project_delete_prints_two_lines(mine):
    """The mission's promise: exactly two lines, and nothing is asked; as a user's own process."""
    project = selected(mine)
    command = [sys.executable, "-m", "ce", "project", "delete", "--name", "myproject", "--force"]
    done = subprocess.run(command, input="", capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("Deleting project `myproject`\nOK\n", "")
    assert "FAILED" in mine("project", "delete", "--name", "myproject", "--force", code=1)
    assert mine("project", "get", "--id", project, "-o", "jsonpath={.status}") == "soft_deleted"


@pytest.mark.parametrize(("answer", "left"), [("", True), ("n\n", True), ("y\n", False)])
def test_project_delete_asks(mine, answer, left):
    """Without --force it asks, and does nothing unless answered y."""
    project = selected(mine)
    said = mine("project", "delete", "-n", "myproject", text=answer, code=int(left))
    if not left:
        assert said.startswith("Are you sure you want to delete project 'myproject'? [y/N]> ")
    status = mine("project", "get", "--id", project, "-o", "jsonpath={.status}")
    assert status == ("active" if left else "soft_deleted")


def test_project_restore(mine):
    """A deleted project comes back, secrets and selection too; an active one cannot."""
    mine("secret", "create", "-n", "s", "-l", "A=b")
    mine("project", "delete", "-n", "myproject", "-f")
    assert "soft deleted" in mine("project", "select", "-n", "myproject", code=1)
    assert mine("secret", "get", "-n", "s", code=1).startswith("FAILED\n")
    assert "  soft deleted  false " in mine("project", "list")
    said = mine("project", "restore", "-n", "myproject")
    assert said == "Restoring project 'myproject'...\nOK\n"
    assert mine("secret", "get", "-n", "s", "-d", "-o", "jsonpath={.data.A}") == "b"
    assert "active, not soft deleted" in mine("project", "restore", "-n", "myproject", code=1)


@pytest.mark.parametrize("first", [False, True], ids=["active", "soft-deleted"])
def test_project_delete_hard(mine, first):
    """--hard destroys at once, whatever the project's state, and its name is free again."""
    project = selected(mine)
    if first:
        mine("project", "delete", "-n", "myproject", "-f")
    said = mine("project", "delete", "-n", "myproject", "--hard", "-f")
    assert said == "Deleting project `myproject`\nOK\n"
    assert mine("project", "get", "--id", project, code=1).startswith("FAILED\n")
    assert "No project is selected" in mine("secret", "list", code=1)
    mine("project", "create", "-n", "myproject")


def test_reclamations(mine):
    """A deleted project is listed with the time it has left, and can be destroyed with --f."""
    project = selected(mine)
    assert "active, not soft deleted" in mine("recl", "get", "--id", project, code=1)
    mine("project", "delete", "-n", "myproject", "-f", "--nw")
    matches(
        "Getting project reclamations...\nOK\nName       ID   Reclamation ID  Status        "
        "Region    Resource Group  Age    Time to Hard Deletion\n"
        "myproject  {ID}  {ID}  soft deleted  us-south  default         {AGE}  6d23h\n",
        mine("reclamation", "list"),
    )
    matches(
        "Getting project reclamation\nOK\n\nName:  myproject\nReclamation ID:  {ID}\n"
        "Status:  soft deleted\nRegion:  us-south\nResource Group:  default\nAge:  {AGE}\n"
        "Created:  {LONG}\nUpdated:  {LONG}\nTime to Hard Deletion:  6d23h\n",
        mine("recl", "get", "-n", "myproject"),
    )
    said = mine("recl", "restore", "-n", "myproject")
    assert said == "Restoring project 'myproject'...\nOK\n"
    assert "no reclamation" in mine("recl", "delete", "-n", "myproject", "-f", code=1)
    mine("project", "delete", "--id", project, "-f")
    said = mine("reclamation", "delete", "--name", "myproject", "--f")
    assert said == "Hard deleting project 'myproject'...\nOK\n"
    assert mine("recl", "list", "-q", "-o", "jsonpath={.resources[*].name}") == ""


def test_ages_run_by_the_hosts_clock(mine, host):
    """When the host's clock is moved, ages and time left move with it."""
    host.advance(3600 * 30)
    mine("project", "delete", "-n", "myproject", "-f")
    host.advance(86400 * 2)
    row = mine("recl", "list", "-q").split("\n")[1].split("  ")
    assert (row[0], row[-1]) == ("myproject", "4d23h")
    assert mine("project", "list", "-q").rstrip().endswith("3d6h")


def test_wait_gives_up(mine, host):
    """A wait that does not end in time exits 124, and what was begun goes on."""
    args = ("project", "delete", "-n", "myproject", "--hard", "-f")
    host.hold()
    try:
        assert "Timed out after 1 second" in mine(*args, "--wait-timeout", "1", code=124)
        assert mine(*args, "--no-wait") == "Deleting project `myproject`\nOK\n"
    finally:
        host.release()
    host.quiet()
    assert "was not found" in mine(*args, code=1)


def test_a_selection_that_is_gone_says_what_to_do(mine, account, host):
    """The project was destroyed elsewhere: the way to another one is in the refusal."""
    account.destroy({"id": selected(mine)})
    host.quiet()
    said = mine("secret", "list", code=1)
    assert "'myproject'" in said
    assert "'ce project select --name NAME'" in said


def test_a_wrong_key_is_not_logged_in(ce, monkeypatch):
    """An API key that is not known exits 4."""
    monkeypatch.setenv("CODE_ENGINE_APIKEY", "ce_0_no-such-key")
    said = ce("project", "list", code=4)
    assert said.startswith("FAILED\n")
    assert "no-such-key" not in said


def test_the_local_emulator_needs_no_login(ce, monkeypatch):
    """Without anything in the environment the local emulator is found by itself."""
    for name in ("CODE_ENGINE_URL", "CODE_ENGINE_AUTH_URL", "CODE_ENGINE_APIKEY"):
        monkeypatch.delenv(name)
    assert ce("project", "list").startswith("Getting projects...\nOK\n")


@pytest.mark.slow
@pytest.mark.usefixtures("ce")
def test_emulator_commands_reach_the_host(host):
    """`ce emulator` becomes the emulator's command, its state folder after the command word."""
    for args, code, said in (
        (("exec", "--", "sh", "-c", 'echo "$CE_HUB_STATE" "$1"; exit 7', "-", "-l"), 7, "@ -l\n"),
        (("clock", "advance", "0s"), 0, "(+0s)\n"),
        (("--help",), 0, "usage: ce emulator "),
        (("--help",), 0, "Run everything on this machine"),
        ((), 2, ""),
    ):
        command = [sys.executable, "-m", "ce", "emulator", *args]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert said.replace("@", str(host.state)) in done.stdout
        assert "--state" not in done.stdout + done.stderr
