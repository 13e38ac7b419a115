"""The local host on a terminal: spinners, banner, colours, Ctrl-C; and what a file gets instead."""

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import threading
from contextlib import suppress

import pytest

from emulator import terminal
from emulator.log import Log
from tests.emulator_support import ROOT, Process

CTRL_C = b"\x03"
LEAD = (  # makes the terminal the one of a session of its own, as a shell's is
    "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """A host started on a pseudo-terminal: what it shows, and keys to press."""

    def __init__(self, host, **env):
        self.host, self.text, self._closed = host, "", threading.Event()
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (40, 100))
        plain = {k: v for k, v in host.env.items() if k not in {"NO_COLOR", "CI"}}
        words = host.command("start", *host.options)
        self.process = host.running = subprocess.Popen(
            [sys.executable, "-c", LEAD, *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=plain | {"TERM": "xterm"} | env,
            cwd=ROOT,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with suppress(OSError):  # the end of a terminal nobody has open any more
            while not self._closed.is_set():
                if select.select([self.master], [], [], 0.05)[0]:
                    self.text += os.read(self.master, 65536).decode(errors="replace")

    def close(self):
        """Close the window."""
        self._closed.set()
        self._reader.join()
        os.close(self.master)

    def shows(self, pattern):
        """Wait until it is shown."""
        self.host.until(lambda: re.search(pattern, self.text))

    def press(self, keys):
        """Type."""
        os.write(self.master, keys)

    def ended(self):
        """Wait for its end; the exit code."""
        code = self.process.wait(30)
        self._reader.join(10)
        return code


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


def test_a_start_and_its_end_on_a_terminal(host):
    """Spinners while it waits, a banner, coloured lines; one Ctrl-C stops all of it."""
    shown = Terminal(host)
    shown.shows(r"[⠋⠙⠹⠸]  functions: loading 7 \(0s\)")
    shown.shows(r"firestore: starting \(\d+s\)")
    shown.shows(r"✔  All emulators ready!")
    shown.shows(r"Ready in \d+\.\ds, \d+\.\ds after Firestore answered")
    shown.shows(r"Press Ctrl-C to stop")
    assert host.get("hello").ok
    shown.shows(r"hello +GET /hello +\x1b\[32m200\x1b\[0m +\d+ms")
    assert len(javas(host)) == 1
    shown.press(CTRL_C)
    shown.shows(r"stopping; Ctrl-C again stops at once")
    assert shown.ended() == 0
    assert shown.text.endswith("i  emulators: stopped\r\n")
    assert (javas(host), host.info) == ([], None)


def test_a_second_ctrl_c_does_not_wait(host):
    """A request that hangs keeps nobody; Firestore goes too."""
    shown = Terminal(host)
    shown.shows(r"Press Ctrl-C to stop")
    thread = threading.Thread(target=lambda: _quietly(host, "sleep?s=30"))
    thread.start()
    shown.shows(r"sleeping")
    shown.press(CTRL_C)
    shown.shows(r"stopping")
    shown.press(CTRL_C)
    assert shown.ended() == 1
    assert "stopped" not in shown.text
    host.until(lambda: not javas(host))
    thread.join()


def _quietly(host, name):
    with suppress(Exception):
        host.get(name)


def test_ctrl_c_while_firestore_boots(host):
    """It ends in peace, and Firestore with it."""
    shown = Terminal(host)
    shown.shows(r"firestore: starting")
    assert len(javas(host)) == 1
    shown.press(CTRL_C)
    assert shown.ended() == 0
    assert "Traceback" not in shown.text
    assert shown.text.endswith("i  emulators: stopped\r\n")
    assert javas(host) == []


def test_a_terminal_that_is_closed_ends_the_host(host):
    """Nothing is left running; and with NO_COLOR nothing but text was ever shown."""
    shown = Terminal(host, NO_COLOR="1")
    shown.shows(r"Press Ctrl-C to stop")
    assert host.get("hello").ok
    shown.shows(r"hello +GET /hello +200 +\d+ms")
    assert "\x1b" not in shown.text
    assert "i  firestore: starting\r\n" in shown.text
    shown.close()
    assert shown.process.wait(30) == 0
    assert (javas(host), host.info) == ([], None)


def test_a_host_that_is_killed_while_it_boots_leaves_nothing(host):
    """Neither Firestore nor the worker that waits for it, so the next start need not wait."""
    host.running = host.begin("start", *host.options)
    host.until(lambda: javas(host))
    host.running.kill()
    host.running.wait()
    host.until(lambda: not processes(host))


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
