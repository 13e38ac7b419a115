"""The `exec` command: runs a command against a host, one of its own if none runs.

It must never leave that host running, nor end with another code than the command's.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from emulator import Refused, children, shell, terminal
from emulator.commands import environment
from emulator.state import HUB, State
from emulator.terminal import Spinner

BOOT = 150.0  # seconds a host may take, a first download apart
MISSING, UNUSABLE = 127, 126  # as a shell says that there is no such command, or none to run
ENDS = (signal.SIGTERM, signal.SIGHUP)  # what ends us, and so the command


def execute(state: State, start: list[str], command: list[str], own: str, *, lively: bool) -> int:
    """Run a command; the exit code is its own, 128 more than the signal that ended it.

    `start` are the words that start a host, `own` the options that need one of our own.
    """
    if shutil.which(command[0]) is None:
        there = os.path.exists(command[0])  # noqa: PTH110 - of whatever kind
        sys.stderr.write(f"{command[0]}: {'cannot be run' if there else 'no such command'}\n")
        return UNUSABLE if there else MISSING
    if pid := state.pid():
        if own:
            raise Refused(
                f"A host runs (pid {pid}), and {own} needs one of its own: stop it first."
            )
        return _child(state, command)
    for number in _heard():
        signal.signal(number, lambda got, _: sys.exit(128 + got))
    with _host(state, start, lively=lively) as host:
        code = _child(state, command)
    return code or min(host.returncode, 1)  # an export that failed is no success


def _heard() -> list[signal.Signals]:
    """Give the signals that end us: not those our caller ignores, as `nohup` does a hang-up."""
    return [number for number in ENDS if signal.getsignal(number) is not signal.SIG_IGN]


@contextmanager
def _host(state: State, start: list[str], *, lively: bool) -> Iterator[subprocess.Popen[bytes]]:
    """Start a host, and stop it in the end; Ctrl-C meanwhile stops it at once."""
    state.prepare()
    state.drop(HUB)
    file = state.folder / "host.log"
    words = [sys.executable, "-P", "-m", "emulator", "start", "--state", str(state.folder), *start]
    host = children.spawn(words, file, Path(__file__).resolve().parents[1])
    try:
        with Spinner("emulators: starting a host") if lively else nullcontext():
            _until_ready(state, host, file)
        yield host
    finally:
        host.terminate()
        try:
            host.wait()
        except (KeyboardInterrupt, SystemExit):
            host.terminate()
            host.wait()
            raise
    if host.returncode:
        sys.stderr.write(terminal.plain(_tail(file)) + "\n")


def _until_ready(state: State, host: subprocess.Popen[bytes], file: Path) -> None:
    deadline = time.monotonic() + BOOT
    while state.read(HUB) is None:
        if host.poll() is not None or time.monotonic() > deadline:
            said = _tail(file)
            gap = "\n" if "\n" in said else " "
            raise Refused(f"The host did not start ({file}):{gap}{said}")
        time.sleep(0.05)


def _tail(file: Path) -> str:
    return "\n".join(file.read_text(errors="replace").splitlines()[-8:])


def _child(state: State, command: list[str]) -> int:
    """Run the command with our signals: Ctrl-C reaches it by itself, others are passed on."""
    told = shell.without(state) | environment(state)
    try:
        child = subprocess.Popen(command, env=told)  # noqa: S603 - the user's own command
    except OSError as problem:
        sys.stderr.write(f"{command[0]}: {problem.strerror}\n")
        return UNUSABLE
    before: dict[int, Any] = {signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN)}
    for number in _heard():
        before[number] = signal.signal(number, lambda got, _: child.send_signal(got))
    code = child.wait()
    for which, handler in before.items():
        signal.signal(which, handler)
    return code if code >= 0 else 128 - code
