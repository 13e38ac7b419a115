"""The streams of the process, whatever it was started with: closed, full, or with nobody behind.

A closed standard input reads as ended. What cannot be written to standard output is told by one
exception; what cannot be written to standard error has nowhere to be told, and is dropped.
"""

import errno
import io
import os
import select
import sys
from typing import Any, TextIO


class Unwritten(Exception):
    """Standard output took no more: `gone` if its reader went away, else for the `reason`."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.gone = error.errno == errno.EPIPE
        self.reason = error.strerror or "closed"


class _Output(io.FileIO):
    """What is written to a stream; after a failure the rest of it is dropped."""

    def __init__(self, number: int) -> None:
        super().__init__(number, "w", closefd=False)
        self._lost = False

    def write(self, data: Any) -> int:
        try:
            while not self._lost:
                if (written := super().write(data)) is not None:
                    return written
                select.select([], [self], [])  # another program made it non-blocking
        except OSError as error:
            self._lost = True
            if self.fileno() == 1:
                raise Unwritten(error) from None
        return len(data)


def settle() -> None:
    """Make the process's streams sound; those that were put in their place stay."""
    for number, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:  # else the next file or socket opened would take its number
            os.set_inheritable(os.open(os.devnull, flags), True)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - of the process
    if sys.stdout is sys.__stdout__:
        sys.stdout = _text(1, sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text(2, sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]


def _text(number: int, old: TextIO | None) -> TextIO:
    raw = _Output(number)
    encoding = old.encoding if old else "utf-8"
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, line_buffering=raw.isatty())
