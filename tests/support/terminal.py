"""A pseudo-terminal with a program in it: what is typed, what is shown, and how it is left."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

# Makes the terminal the process's own, so that Ctrl-C reaches it, and becomes the command.
TAKE = (
    "import fcntl, os, sys, termios\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "os.execv(sys.argv[1], sys.argv[1:])\n"
)
PATIENCE = 60.0  # seconds until a test gives up: the machine may be slow


CE = (sys.executable, "-m", "ce")


class Terminal:
    """`ce`, or another program, as a process with a terminal of its own, of so many columns."""

    def __init__(
        self,
        *args: str,
        columns: int = 200,
        program: Sequence[str] = CE,
        folder: Path | None = None,
        **env: str,
    ) -> None:
        self._ours, self._its = pty.openpty()
        fcntl.ioctl(self._its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.before = termios.tcgetattr(self._its)
        self.shown, self._told = b"", 0
        # A size told by the environment would count more than the terminal's own.
        inherited = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "LINES"}}
        self.process = subprocess.Popen(
            [sys.executable, "-c", TAKE, *program, *args],
            stdin=self._its,
            stdout=self._its,
            stderr=self._its,
            start_new_session=True,
            cwd=folder,
            env={**inherited, "TERM": "xterm", **env},
        )

    def until(self, text: str) -> None:
        """Read until a text is shown."""
        end = time.monotonic() + PATIENCE
        while text.encode() not in self.shown:
            assert time.monotonic() < end, self.shown
            self._read()

    def shows(self, pattern: str) -> None:
        """Read until a regular expression is found in what is shown."""
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.shown.decode(errors="replace")):
            assert time.monotonic() < end, self.shown
            self._read()

    def until_hidden(self) -> None:
        """Wait until what is typed is not shown."""
        end = time.monotonic() + PATIENCE
        while termios.tcgetattr(self._its)[3] & termios.ECHO:
            assert time.monotonic() < end, self.shown
            self._read()

    def rest(self, until: float) -> None:
        """Read until a moment of the monotonic clock: one who types pauses."""
        while time.monotonic() < until:
            self._read()

    def type(self, text: str) -> None:
        """Type; a control character is what its key is."""
        os.write(self._ours, text.encode())

    def end(self) -> tuple[int, str]:
        """Wait for the end; give the exit code and all that was shown."""
        stop = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            if time.monotonic() > stop:
                self.process.send_signal(signal.SIGKILL)
            self._read()
        while self._read():
            pass
        self.after = termios.tcgetattr(self._its)
        self.close()
        return self.process.returncode, self.shown.decode()

    def close(self) -> None:
        """Close the window, whatever runs in it."""
        os.close(self._ours)
        os.close(self._its)

    def answer(self, *answers: str) -> tuple[int, str]:
        """Answer each prompt that comes, and wait for the end."""
        for text in answers:
            while b"> " not in self.shown[self._told :] and self.process.poll() is None:
                self._read()
            if self.process.poll() is None:
                self._told = len(self.shown)
                self.type(text)
        return self.end()

    def _read(self) -> bool:
        ready, _, _ = select.select([self._ours], [], [], 0.05)
        if ready:
            self.shown += os.read(self._ours, 65536)
        return bool(ready)
