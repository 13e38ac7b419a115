"""The streams of the process, whatever it was started with: closed, full, or with nobody behind.

A closed standard input reads as ended. What cannot be written to standard output is told by one
exception; what cannot be written to standard error has nowhere to be told, and is dropped.
"""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class Unwritten(Exception):
    """Standard output took no more: `gone` if its reader went away, else for the `reason`."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.gone = error.errno == errno.EPIPE
        self.reason = error.strerror or "closed"


class _Output(io.TextIOWrapper):
    """What is written to a stream of this number; after a failure the rest of it goes nowhere."""

    def __init__(self, number: int, encoding: str) -> None:
        file = open(number, "wb", closefd=False)  # noqa: SIM115 - of the process
        super().__init__(file, encoding, line_buffering=file.isatty())
        self._number = number

    def write(self, text: str) -> int:
        with self._told():
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with self._told():
            super().flush()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._number)  # or its end would fail again
            if self._number == 1:
                raise Unwritten(error) from None


def settle() -> None:
    """Make the process's streams sound; those that were put in their place stay."""
    for number, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.set_blocking(number, True)  # another program may have left it otherwise
        except OSError:  # else the next file or socket opened would take its number
            os.set_inheritable(os.open(os.devnull, flags), True)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - of the process
    if sys.stdout is sys.__stdout__:
        sys.stdout = _Output(1, sys.stdout.encoding if sys.stdout else "utf-8")
    if sys.stderr is sys.__stderr__:
        sys.stderr = _Output(2, sys.stderr.encoding if sys.stderr else "utf-8")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
