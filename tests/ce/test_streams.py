"""Streams and documents: `ce` as a process whose input or output is closed, full or read by nobody.

None of it ends in a traceback, and what was changed by then is told.
"""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.support.cli import run

CE = f"{sys.executable} -m ce"
ACTING = re.compile(r"Acting in project '[^']+'\.\n")
FULL = "Cannot write to standard output: No space left on device.\n"
MADE = "The change was made all the same: look before you run the command again.\n"


def shell(line, **more):
    """Run a line of the shell in which `ce` stands for this one; give code, output, errors."""
    words = ["bash", "-c", f'set -o pipefail; ce() {{ {CE} "$@"; }}; {line}']
    done = subprocess.run(words, capture_output=True, check=False, timeout=20, **more)
    error = ACTING.sub("", done.stderr.decode())
    assert "Traceback" not in error
    assert "Exception ignored" not in error
    return done.returncode, done.stdout.decode(), error


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize(
    ("line", "ended"),
    [
        ("ce version > /dev/full", (1, "", FULL)),
        ("ce --help > /dev/full", (1, "", FULL)),
        ("ce secret > /dev/full", (1, "", FULL)),
        ("ce version >&-", (1, "", "Cannot write to standard output: Bad file descriptor.\n")),
        ("ce help exit-codes | true", (141, "", "")),
        ("ce --help | true", (141, "", "")),
        ("ce project destroy 2>&-", (2, "", "")),
        ("ce project destroy 2> /dev/full", (2, "", "")),
        ("ce version <&- 2>&-", (0, "version:  v0.1.0\n", "")),
    ],
)
def test_output_that_is_lost(line, ended):
    """The code says so, and standard error where there is one."""
    assert shell(line) == ended


@pytest.mark.usefixtures("nobody")
def test_a_terminal_that_is_gone():
    """Its error is told as any other."""
    ours, theirs = os.openpty()
    os.close(ours)
    done = subprocess.run(
        [*CE.split(), "version"], stdout=theirs, stderr=-1, text=True, check=False
    )
    os.close(theirs)
    said = "Cannot write to standard output: Input/output error.\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_a_change_that_could_not_be_told(mine):
    """Where the first line fails nothing is done; after the change it is said that it was made."""
    assert shell("ce cm create -n a -l K=1 > /dev/full") == (1, "", FULL)
    assert shell("ce cm create -n b -l K=1 -o json > /dev/full") == (1, "", MADE + FULL)
    assert shell("ce cm create -n c -l K=1 -o json | true") == (141, "", MADE)
    assert shell("ce cm list -o json | true") == (141, "", "")
    assert mine("cm", "list", "-o", "jsonpath={.config_maps[*].name}") == "b c"


def test_a_key_that_could_not_be_shown_is_deleted_again(ce):
    """Nobody has its text, so nobody could use it, or know that it is there."""
    gone = "The API key was made and could not be shown: it was deleted again.\n"
    assert shell("ce apikey create a > /dev/full") == (1, "", FULL)
    assert shell("ce apikey create a -o json > /dev/full") == (1, "", gone + FULL)
    assert shell("ce apikey create a -o json | true") == (141, "", gone)
    assert ce("apikey", "list", "-o", "jsonpath={.apikeys[*].name}") == "first"


def test_a_closed_input_is_no_answer(mine):
    """Nor is one that cannot be read."""
    mine("cm", "create", "-n", "a", "-l", "K=1")
    for line in ("ce cm delete -n a <&-", "ce cm delete -n a 0> /dev/null"):
        code, _, error = shell(line)
        assert (code, error) == (1, "No answer: nothing was done; --force does not ask.\n")
    code, _, error = shell("ce secret create -n a -f K=- 0> /dev/null")
    assert (code, "cannot read '-': Bad file descriptor." in error) == (2, True)
    assert mine("cm", "list", "-o", "jsonpath={.config_maps[*].name}") == "a"


@pytest.mark.slow
def test_documents_are_utf_8(mine, monkeypatch):
    """Whatever the locale is; the text for people has escapes for what that cannot say."""
    mine("cm", "create", "-n", "a", "-l", "K=tide \u2014 \u6f6e")
    for name, value in {"PYTHONIOENCODING": "cp1252", "LC_ALL": "C"}.items():
        monkeypatch.setenv(name, value)
        assert json.loads(shell("ce cm get -n a -o json")[1])["data"]["K"] == "tide \u2014 \u6f6e"
        assert "K: tide \u2014 \u6f6e\n" in shell("ce cm get -n a -o yaml")[1]
        assert shell("ce cm get -n a -o jsonpath={.data.K}")[1] == "tide \u2014 \u6f6e"
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert "tide \\u2014 \\u6f6e" in shell("ce cm get -n a")[1]


def test_jsonpath_is_exact(mine, subtests):
    """Nothing is added to a value, and a key needs no quotes whatever it is called."""
    names = ("where", "1pass", "8a-b", "len", "parent", "5", "-x", "true")
    values = {name: f"v-{name}" for name in names} | {"dot.ted": "d", "empty": "", "line": "tide\n"}
    literals = [word for name, value in values.items() for word in ("-l", f"{name}={value}")]
    mine("secret", "create", "-n", "s", *literals)
    for name, value in values.items():
        with subtests.test(name):
            path = name.replace(".", "\\.")
            for form in (f"{{.data.{path}}}", f"data.{path}", f"{{$.data.{path}}}"):
                assert mine("secret", "get", "-n", "s", "-d", "-o", f"jsonpath={form}") == value


@pytest.mark.usefixtures("nobody")
def test_no_home(monkeypatch, tmp_path):
    """Without a home folder CE_HOME is asked for; one that cannot be written is named."""
    said = "There is no home folder to keep anything in: set CE_HOME to a folder.\n"
    monkeypatch.setenv("CE_HOME", "~nobody-of-this-name/ce")
    assert run("target").stderr == f"FAILED\n{said}"
    done = run("emulator", "status")
    assert (done.returncode, done.stderr) == (2, f"FAILED\n{said}")
    (tmp_path / "file").touch()
    for home, why in (
        ("/dev/null", "which is no folder"),
        (f"{tmp_path}/file", "which is no folder"),
        (f"{tmp_path}/file/ce", "which can be no folder (Not a directory)"),
    ):
        monkeypatch.setenv("CE_HOME", home)
        for words in (("logout",), ("target",), ("project", "list"), ("emulator", "status")):
            done = run(*words)
            said = f"FAILED\nCE_HOME names '{home}', {why}: set it to a folder.\n"
            assert (done.returncode, done.stderr) == (2, said)
    monkeypatch.setenv("CE_HOME", "/proc")  # a folder in which nobody can make a file
    done = run("login", "--url", "http://127.0.0.1:1", "--apikey", "-", text="ce_a_b")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)


@pytest.mark.parametrize("file", ["active", "profiles/other.json"])
def test_a_pipe_in_place_of_a_file(unreachable, nobody, file):  # noqa: ARG001 - logged in there
    """It is not waited for."""
    (nobody / file).unlink()
    os.mkfifo(nobody / file)
    code, _, error = shell("ce project list -q")
    assert (code, error.startswith("FAILED\n")) == (4, True)
