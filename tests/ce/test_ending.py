"""What ends for good is asked in other words than what can come back, and said when it is done."""

import json
import subprocess
import sys

import pytest

from tests.support.cli import matches, run
from tests.support.terminal import Terminal

HELD = "1 secret, 2 config maps, 1 allowed outbound destination"
LOSS = (
    f"Project 'myproject' holds {HELD}. All of it is destroyed with it.",
    "Nobody can bring it back then, whoever operates the server included.",
)
ASKS = "Type myproject to delete it for good> "
HARD = ("project", "delete", "-n", "myproject", "--hard")
DESTROYED = f"Project 'myproject' is destroyed for good, with {HELD}."


@pytest.fixture
def full(mine):
    """A project that holds something, selected."""
    mine("secret", "create", "-n", "s", "-l", "A=b")
    for name in ("a", "b"):
        mine("configmap", "create", "-n", name, "-l", "A=b")
    return mine


def status(ce):
    """Give the status of the project; nothing where it is gone."""
    found = json.loads(ce("project", "list", "-o", "json"))["projects"]
    return "".join(project["status"] for project in found)


@pytest.mark.parametrize("deleted", [False, True], ids=["active", "soft deleted"])
def test_a_name_is_typed(full, deleted):
    """What it holds, that nobody brings it back, and its name: any other answer does nothing."""
    args, says = HARD, "Deleting project `myproject`"
    if deleted:
        full("project", "delete", "-n", "myproject", "-f")
        args = ("reclamation", "delete", "-n", "myproject")
        says = "Hard deleting project 'myproject'..."
    kept = status(full)
    code, shown = Terminal(*args).answer("y\n")
    said = "That is another word: nothing was done."
    assert (code, shown.splitlines()) == (1, [*LOSS, f"{ASKS}y", said])
    assert status(full) == kept
    code, shown = Terminal(*args).answer("myproject\n")
    lines = [line.rpartition("\x1b[K")[2] for line in shown.splitlines()]
    assert (code, lines) == (0, [*LOSS, f"{ASKS}myproject", says, DESTROYED, "OK"])
    assert status(full) == ""


def test_without_a_terminal_nothing_is_done(full):
    """Neither the name nor a yes in a pipe destroys; --force does, and says what."""
    for text in ("", "y\n", "myproject\n"):
        done = run(*HARD, text=text)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.splitlines()[-1].startswith("Nothing was done: ")
        assert status(full) == "active"
    done = run(*HARD, "--force")
    assert (done.returncode, done.stdout) == (0, "Deleting project `myproject`\nOK\n")
    assert done.stderr == f"{DESTROYED}\n"
    assert status(full) == ""


def test_a_soft_delete_says_how_it_comes_back(full):
    """Until when, and by which command; with --force in a terminal alone."""
    back = "Until {STAMP} `ce project restore --name myproject` takes it back.\n"
    delete, restore = ("project", "delete", "-n", "myproject"), ("restore", "-n", "myproject")
    done = run(*delete, text="y\n")
    assert done.returncode == 0
    matches(back, done.stderr)
    full("project", *restore)
    command = [sys.executable, "-m", "ce", *delete, "--force"]
    done = subprocess.run(command, input="", capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("Deleting project `myproject`\nOK\n", "")
    full("project", *restore)
    code, shown = Terminal(*delete, "--force").end()
    lines = [line.rpartition("\x1b[K")[2] for line in shown.splitlines()]
    assert (code, lines[0], lines[2]) == (0, "Deleting project `myproject`", "OK")
    matches(back, f"{lines[1]}\n")
    assert status(full) == "soft_deleted"


@pytest.mark.usefixtures("ce")
def test_one_s_own_key(account):
    """The key in use is deleted by its name alone, and then a new one is needed."""
    asks = "Type first to delete it for good> "
    code, shown = Terminal("apikey", "delete", "first").answer("y\n")
    key, nobody, asked, _ = shown.splitlines()
    assert (code, asked) == (1, f"{asks}y")
    assert key.startswith("API key 'first' is the one of the environment (CODE_ENGINE_URL): ")
    assert nobody == LOSS[1]
    assert run("apikey", "delete", "first", text="first\n").returncode == 1
    assert account.call("GET", "/v2/projects").status_code == 200
    done = run("apikey", "delete", "first", "--force")
    assert (done.returncode, done.stdout) == (0, "Deleting API key 'first'...\nOK\n")
    assert done.stderr.startswith("That was the key of the environment (CODE_ENGINE_URL). Set ")
    assert run("project", "list").returncode == 4


def test_what_cannot_be_told_is_not_made_up(other):
    """A server that does not say what a project holds is no reason to say that it holds nothing."""
    answers, _ = other
    project = {"id": "i", "name": "\x1b[2J", "status": "soft_deleted"}
    answers += [
        (200, '{"access_token": "t"}'),
        (200, json.dumps(project)),
        (200, "{}"),
    ]
    code, shown = Terminal("reclamation", "delete", "--id", "i").answer("no\n")
    assert (code, answers) == (1, [])
    assert "holds what this server does not tell you. All of it is destroyed" in shown
    assert "Type i to delete it for good> " in shown
