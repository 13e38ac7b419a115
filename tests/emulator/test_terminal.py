"""The local host on a terminal: spinners, banner, colours, Ctrl-C; and what a file gets instead."""

import io
import os
import pty
import signal
import subprocess
import threading
from contextlib import suppress

import pytest

from emulator import terminal
from emulator.log import Log
from tests.support.emulator import ROOT, Process
from tests.support.terminal import Terminal

pytestmark = pytest.mark.slow

CTRL_C = "\x03"
PLAIN = dict.fromkeys(("FIRESTORE_EMULATOR_HOST", "NO_COLOR", "CI"), "")  # as if they were unset


class Shown(Terminal):
    """A host started on a pseudo-terminal."""

    def __init__(self, host, **env):
        words = host.command("start", *host.options)
        super().__init__(program=words, columns=100, folder=ROOT, **PLAIN | env)
        host.running = self.process


def processes(host):
    """Give the processes that run for a host."""
    shown = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True
    ).stdout
    return [line for line in shown.splitlines() if str(host.root) in line]


def javas(host):
    """Give the Firestore emulators that run for a host."""
    return [line for line in processes(host) if "--rules" in line]


@pytest.fixture
def host(tmp_path):
    """A small host with rules of its own, by which its Firestore is known; not started."""
    process = Process(tmp_path)
    process.log.touch()
    (process.root / "firestore.rules").write_text("rules_version = '2';\n")
    (process.root / "firebase.json").write_text('{"firestore": {"rules": "firestore.rules"}}')
    yield process
    process.end()


@pytest.mark.slow
def test_a_start_and_its_end_on_a_terminal(host):
    """Spinners while it waits, a banner, coloured lines; one Ctrl-C stops all of it."""
    shown = Shown(host)
    shown.shows(r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]  functions: loading 7 \(\d+s\)")
    shown.shows(r"✔  All emulators ready!")
    shown.shows(r"Ready in \d+\.\ds, \d+\.\ds after Firestore answered")
    shown.shows(r"Press Ctrl-C to stop")
    host.until(lambda: host.info)  # it is written once all is said
    assert host.get("hello").ok
    shown.shows(r"hello +GET /hello +\x1b\[32m200\x1b\[0m +\d+ms")
    assert len(javas(host)) == 1
    shown.type(CTRL_C)
    shown.shows(r"stopping; Ctrl-C again stops at once")
    code, text = shown.end()
    assert (code, text.endswith("i  emulators: stopped\r\n")) == (0, True)
    assert (javas(host), host.info) == ([], None)


@pytest.mark.slow
def test_a_second_ctrl_c_does_not_wait(host):
    """A request that hangs keeps nobody; Firestore goes too."""
    shown = Shown(host)
    shown.shows(r"Press Ctrl-C to stop")
    host.until(lambda: host.info)  # it is written once all is said
    thread = threading.Thread(target=lambda: _quietly(host, "sleep?s=30"))
    thread.start()
    shown.shows(r"sleeping")
    shown.type(CTRL_C)
    shown.shows(r"stopping")
    shown.type(CTRL_C)
    code, text = shown.end()
    assert (code, "stopped" in text) == (1, False)
    host.until(lambda: not javas(host))
    thread.join()


def _quietly(host, name):
    with suppress(Exception):
        host.get(name)


@pytest.mark.slow
def test_ctrl_c_while_it_boots(host):
    """It ends in peace, and Firestore with it."""
    shown = Shown(host)
    shown.shows(r"functions: loading|firestore: starting")
    assert len(javas(host)) == 1
    shown.type(CTRL_C)
    code, text = shown.end()
    assert (code, "Traceback" in text) == (0, False)
    assert text.endswith("i  emulators: stopped\r\n")
    assert javas(host) == []


@pytest.mark.slow
def test_a_terminal_that_is_closed_ends_the_host(host):
    """Nothing is left running; and with NO_COLOR nothing but text was ever shown."""
    shown = Shown(host, NO_COLOR="1")
    shown.shows(r"Press Ctrl-C to stop")
    host.until(lambda: host.info)  # it is written once all is said
    assert host.get("hello").ok
    shown.shows(r"hello +GET /hello +200 +\d+ms")
    assert b"\x1b" not in shown.shown
    assert b"i  firestore: starting\r\n" in shown.shown
    shown.close()
    assert shown.process.wait(30) == 0
    assert (javas(host), host.info) == ([], None)


@pytest.mark.slow
def test_a_host_that_is_killed_while_it_boots_leaves_nothing(host):
    """Neither Firestore nor the worker that waits for it, so the next start need not wait."""
    host.running = host.begin("start", *host.options)
    host.until(lambda: javas(host))
    host.running.kill()
    host.running.wait()
    host.until(lambda: not processes(host))


@pytest.mark.slow
def test_nohup_outlives_its_terminal(host):
    """Whoever has a hang-up ignored gets it ignored."""
    host.running = subprocess.Popen(
        ["nohup", *host.command("start", *host.options)],
        env=host.env,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    host.until(lambda: host.info)
    host.running.send_signal(signal.SIGHUP)
    assert host.get("hello").ok
    host.running.terminate()
    assert host.running.wait(30) == 0


@pytest.mark.parametrize(
    ("env", "lively"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),  # no-color.org: only when it is not empty
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "CI": "true"}, False),
        ({"TERM": "dumb"}, False),
        ({}, False),
    ],
)
def test_who_gets_spinners(env, lively):
    """A terminal of somebody who did not ask for plain lines; never a file."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as tty:
        assert terminal.lively(tty, env) == lively
    os.close(master)
    assert not terminal.lively(io.StringIO(), env)


def test_lines_stand_in_columns_and_are_whole(capsys):
    """Name, path, status and time begin where those above do; what is long is never cut."""
    log, path = Log(), "GET /v2" + "/segment" * 40
    log.call("api", "GET /v2/projects", 200, 0.0123)
    log.call("onProjectWritten", "written projects/" + "a" * 36, 404, 12.3)
    log.call("api", path, 200, 0)
    first, second, long = capsys.readouterr().out.splitlines()
    assert first.index("  200  ") == second.index("  404  ")
    assert (first[-9:], second[-9:]) == ("     12ms", "  12300ms")
    assert path in long


def test_lines_go_above_a_spinner(capsys, monkeypatch):
    """What is said meanwhile is not overwritten, and in the end the spinner is gone."""
    monkeypatch.setattr(terminal, "TURN", 0.01)
    log = Log(lively=True)
    with log.waiting("a", "waiting") as tell:
        tell("half")
        log.note("b", "meanwhile")
    shown = capsys.readouterr().out
    assert "i  b: meanwhile\n" in shown
    assert shown.endswith(terminal.CLEAR)
