"""Files that somebody else may have written: each is believed as far as it holds what it must.

What is wrong with one is one line on standard error, which names it, and exit code 1.
"""

import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout

import pytest

from emulator import Refused, files, hosting, manifest
from emulator.__main__ import main
from emulator.clock import Clock
from emulator.state import State
from tests.emulator.test_imports import CLOCKS, ESCAPES, KINDS, NO_JSON, WRONG
from tests.support.exported import APIKEY

HUB = {"pid": os.getpid(), "hub": "http://127.0.0.1:1", "token": "t", "env": {"A": "b"}}
ACCOUNT = {"account_id": "a", "apikey": APIKEY}
# Of the right type, and yet not to be printed for a shell.
WORSE = {
    "env": [{"x; rm": "y"}, {"A": 1}, {"A": ESCAPES}, {"": ""}],
    "apikey": [ESCAPES],
    "account_id": [ESCAPES],
}


@pytest.fixture
def held(tmp_path):
    """The state folder of a host that runs, in this process, and answers nobody."""
    state = State(tmp_path / "state")
    state.prepare()
    (state.folder / "outside").write_text("dear to somebody")
    with state.held():
        state.write("hub.json", HUB)
        state.write("credentials.json", ACCOUNT)
        yield state


def shapes(path, good, *members):
    """Have a file in each shape that it must not have; give what that is."""
    for said, content in NO_JSON.items():
        path.write_bytes(content)
        yield said
    for member in members:
        for value in (*WRONG, *WORSE.get(member, ())):
            if type(value) is not type(good[member]) or value in WORSE.get(member, ()):
                path.write_text(json.dumps(good | {member: value}))
                yield f"{member} {value!r}"
    for said, make in KINDS.items():
        path.unlink()
        make(path)
        yield said
        path.rmdir() if said == "a folder" else path.unlink()
        path.touch()
    path.write_text(json.dumps(good))


def ask(state, *words):
    """Run a command in this process; the exit code and what it said."""
    said, wrong = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(wrong):
        code = main([words[0], "--state", str(state.folder), *words[1:]])
    return code, said.getvalue(), wrong.getvalue()


@pytest.mark.claim("F66", "whatever the state folder holds: one line that names the file")
def test_what_commands_read(held, subtests):
    """What a host says of itself, and the first account."""
    cases = [("hub.json", HUB, "pid", "token", "env"), ("credentials.json", ACCOUNT, *ACCOUNT)]
    for name, good, *members in cases:
        for shape in shapes(held.folder / name, good, *members):
            with subtests.test(f"{name}: {shape}"):
                code, said, wrong = ask(held, "env")
                assert (code, said, wrong.count("\n"), wrong[-1:]) == (1, "", 1, "\n")
                assert str(held.folder / name) in wrong
                assert wrong.strip().isprintable()


@pytest.mark.claim("F66", "and whatever a host reads of it")
def test_what_a_host_reads(held, subtests):
    """Tokens, the note of the form, the clock."""
    tokens, note = {"hub": "h", "events": "e"}, {"form": 2}
    for shape in shapes(held.folder / "tokens.json", tokens, *tokens):
        with subtests.test(f"tokens.json: {shape}"), pytest.raises(Refused, match=r"tokens.json"):
            held.tokens()
    for shape in shapes(held.folder / "form.json", note, "form"):
        with subtests.test(f"form.json: {shape}"), pytest.raises(Refused, match=r"form.json"):
            held.form()
    clock = Clock(held.folder / "clock")
    for content in CLOCKS:
        clock.path.write_bytes(content)
        with subtests.test(f"clock: {content!r:.20}"), pytest.raises(Refused, match="clock"):
            clock.offset()
    for said, make in KINDS.items():
        clock.path.unlink()
        make(clock.path)
        with subtests.test(f"clock: {said}"), pytest.raises((Refused, OSError)) as refused:
            clock.offset() or files.read(clock.path, 9)
        assert str(clock.path) in str(refused.value)
        clock.path.rmdir() if said == "a folder" else clock.path.unlink()
        clock.path.touch()


def test_a_lock_that_is_none(tmp_path, subtests):
    """A command says so, and waits for nothing."""
    state = State(tmp_path / "state")
    for name, make in {"a folder": os.mkdir, "a pipe": os.mkfifo}.items():
        state.prepare()
        make(state.folder / "lock")
        with subtests.test(name):
            code, said, wrong = ask(state, "status")
            assert (code, said, wrong.count("\n")) == (1, "", 1)
        (state.folder / "lock").rmdir() if name == "a folder" else (state.folder / "lock").unlink()
    for content in ("x", "9" * 30, ESCAPES):
        with State(state.folder).held():
            (state.folder / "lock").write_text(content)
            assert state.pid() is None


def test_a_repository_s_files(tmp_path, subtests):
    """What is not as it must be is told, whatever it is instead."""
    (tmp_path / "functions").mkdir()
    file = tmp_path / "functions" / "functions.yaml"
    head = "specVersion: v1alpha1\nendpoints: "
    rows = ("[1]", "{f: 1}", "{f: [x]}", "{f: {httpsTrigger: {}}}", "{f: {eventTrigger: [1]}}")
    for row in (*rows, "{f: {entryPoint: f, region: 1, httpsTrigger: {}}}", "[" * 500, "\xff"):
        file.write_bytes((head + row).encode("latin-1"))
        with (
            subtests.test(f"functions.yaml {row[:40]}"),
            pytest.raises(Refused, match=r"\.yaml|f:"),
        ):
            manifest.read(tmp_path)
    file = tmp_path / "firebase.json"
    for value in (1, "x", [1], {"public": 1}, {"rewrites": 1}, {"headers": [{"source": "a"}]}):
        file.write_text(json.dumps({"hosting": value}))
        with subtests.test(f"hosting {value}"), pytest.raises(Refused, match=r"firebase\.json"):
            hosting.read(tmp_path, bool)
    for value in ([1], {"hub": {"port": 1 << 16}}, {"hub": {"port": True}}):
        file.write_text(json.dumps({"emulators": value}))
        with subtests.test(f"emulators {value}"), pytest.raises(Refused, match=r"firebase\.json"):
            hosting.ports(tmp_path)
