"""`ce` in a terminal: prompts, the line of a wait, Ctrl-C, narrow windows. And in pipes."""

import json
import os
import re
import subprocess
import sys
import termios

import pytest

from ce.server import profiles
from tests.support.cli import run
from tests.support.cli_home import KEY
from tests.support.terminal import Terminal

TOKEN = (200, '{"access_token": "t"}')
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SELECTED = "Project 'x' is selected now."
ERASE = "\r\x1b[K"


def project(status, name="x"):
    """Answer with a project in this state."""
    return 200, json.dumps(found(name, status))


def found(name, status="active"):
    """Give a project."""
    made = "2026-01-01T00:00:00Z"
    return {"id": f"{name}-id", "name": name, "status": status, "created_at": made}


def test_login_asks_without_echo(other):
    """The key is asked for, not shown, and the next line of the terminal is its own."""
    answers, _ = other
    answers += [TOKEN, (200, '{"projects": []}')]
    terminal = Terminal("login")
    terminal.until("API key> ")
    terminal.until_hidden()
    terminal.type(f"{KEY}\n")
    code, shown = terminal.end()
    assert code == 0
    assert shown.startswith("API key> \r\nLogging in to http://127.0.0.1:")
    assert KEY not in shown
    assert terminal.after == terminal.before


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize(("typed", "code"), [("\x03", 130), ("\x04", 2)], ids=["Ctrl-C", "Ctrl-D"])
@pytest.mark.parametrize("args", [("login",), ("login", "--apikey", "-")])
def test_a_hidden_prompt_left_leaves_the_terminal_as_it_was(args, typed, code):
    """Echo is on again, the cursor is where a prompt belongs, and no traceback is shown."""
    terminal = Terminal(*args)
    terminal.until_hidden()
    terminal.type(typed)
    ended, shown = terminal.end()
    assert ended == code
    assert terminal.after == terminal.before
    assert terminal.after[3] & termios.ECHO
    assert shown.endswith("\r\n")
    assert not shown.endswith("\n\r\n")
    assert "Traceback" not in shown


@pytest.mark.usefixtures("other")
def test_a_question_left_is_a_no():
    """Ctrl-C at a question ends with 130 and nothing was asked of the server."""
    terminal = Terminal("profile", "delete", "other")
    terminal.until("[y/N]> ")
    terminal.type("\x03")
    code, shown = terminal.end()
    assert (code, shown.endswith("\n"), terminal.after) == (130, True, terminal.before)
    assert profiles.exists("other")


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize(("typed", "told"), [("maybe", True), ("n", False), ("", False)])
def test_an_answer_that_is_neither_is_a_no_and_says_so(typed, told):
    """Whoever answers something else learns that nothing was done."""
    done = run("profile", "delete", "other", text=f"{typed}\n")
    assert done.returncode == 1
    assert done.stderr == ("Neither yes nor no: nothing was done.\n" if told else "")
    assert profiles.exists("other")


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_a_wait_shows_that_it_goes_on(other, quiet):
    """A line turns while a wait is long, and is gone at its end; --quiet has none."""
    answers, _ = other
    answers += [TOKEN, *([project("creating")] * 5), project("active")]
    code, shown = Terminal("project", "create", "-n", "x", *quiet).end()
    assert (code, answers) == (0, [])
    assert ("Waiting for it to become active, " in shown) == (not quiet)
    if not quiet:
        assert shown.endswith(f"{ERASE}{SELECTED}\r\nOK\r\n")
        turns = shown.split(ERASE)[1:-1]
        assert {turn[0] for turn in turns} <= set("|/-\\")
        assert len(turns) > 1
    assert "\x1b[?25l" not in shown


def test_a_line_that_turns_fits_the_terminal(other):
    """A line that wrapped could not be erased: it is as short as the window is narrow."""
    answers, _ = other
    answers += [TOKEN, *([project("creating")] * 5), project("active")]
    _, shown = Terminal("project", "create", "-n", "x", columns=20).end()
    turns = shown.split(ERASE)[1:-1]
    assert {len(turn) for turn in turns} == {19}


@pytest.mark.parametrize("env", [{"TERM": "dumb"}])
def test_a_dumb_terminal_shows_nothing_that_moves(other, env):
    """What cannot erase a line is shown none."""
    answers, _ = other
    answers += [TOKEN, *([project("creating")] * 5), project("active")]
    code, shown = Terminal("project", "create", "-n", "x", **env).end()
    assert (code, shown) == (0, f"Creating project 'x'...\r\n{SELECTED}\r\nOK\r\n")


def test_ctrl_c_ends_a_wait(other):
    """It ends with 130, the line is gone, and the terminal is as it was."""
    answers, _ = other
    answers += [TOKEN, *([project("creating")] * 1000)]
    terminal = Terminal("project", "create", "-n", "x")
    terminal.until("Waiting ")
    terminal.type("\x03")
    code, shown = terminal.end()
    assert code == 130
    assert terminal.after == terminal.before
    said = shown.rpartition(f"{ERASE}\r\n")[2]
    assert (said[:13], said.count("\n")) == ("Interrupted: ", 1)
    assert "Traceback" not in shown


def test_a_wait_is_silent_beside_a_terminal(other):
    """A log of a CI system has no line that turns."""
    answers, _ = other
    answers += [TOKEN, *([project("creating")] * 5), project("active")]
    done = process("project", "create", "-n", "x")
    assert (done.stdout, done.stderr) == ("Creating project 'x'...\nOK\n", f"{SELECTED}\n")


def process(*args, **env):
    """Run `ce` beside a terminal, with both streams in pipes."""
    return subprocess.run(
        [sys.executable, "-m", "ce", *args],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
    )


LONG = "a-name-that-is-rather-long-for-such-a-window" * 3


def test_what_does_not_fit_is_told_below_one_another(other):
    """A table too wide for the window becomes a block for each row, with all that is in it."""
    answers, _ = other
    listed = (200, json.dumps({"projects": [found(LONG), found("short")]}))
    answers += [TOKEN, listed, TOKEN, listed]
    code, narrow = Terminal("quota", columns=60).end()
    assert code == 0
    assert f"Name:          {LONG}\r\nStatus:        active\r\n" in narrow
    assert "\r\n\r\nName:          short\r\n" in narrow
    code, wide = Terminal("quota", columns=500).end()
    assert "\r\nName  " in wide
    assert f"\r\n{LONG}  active  " in wide


def test_a_pipe_has_room_for_everything(other):
    """Beside a terminal a table is a table, whole, however narrow the window is said to be."""
    answers, _ = other
    answers += [TOKEN, (200, json.dumps({"projects": [found(LONG)]}))]
    done = process("quota", COLUMNS="20")
    assert f"\n{LONG}  active  " in done.stdout


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize(
    "args", [("--help",), ("project",), ("target",), ("login", "x"), ("help", "exit-codes")]
)
@pytest.mark.parametrize("env", [{}, {"NO_COLOR": "1"}])
def test_nothing_is_coloured(args, env):
    """Output is plain in a terminal, with NO_COLOR and without."""
    _, shown = Terminal(*args, **env).end()
    assert shown
    assert not COLOUR.search(shown)


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("args", [("--help",), ("help", "secret", "create"), ("help", "quota")])
def test_help_is_never_cut(args):
    """No text of help ends in three dots because the window is narrow."""
    for columns in (40, 200):
        _, shown = Terminal(*args, columns=columns).end()
        assert not re.search(r"[a-z]\.\.\.\r", shown)
        words = " ".join(shown.split())
        if args == ("--help",):
            assert "and how to free it now." in words


def test_a_reader_that_leaves_is_no_error(other):
    """`ce ... | head` ends without a traceback."""
    answers, _ = other
    answers += [TOKEN, (200, json.dumps({"projects": [found(f"p{n}") for n in range(3000)]}))]
    command = f"'{sys.executable}' -m ce quota | head -1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout == "Getting project slots...\n"
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
