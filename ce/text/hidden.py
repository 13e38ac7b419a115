"""A line typed at a terminal that does not show it: all of what was pasted there, or nothing.

A terminal gives a program a line at a time, and what is behind it is dropped when it shows again
what is typed: a key of many lines would be cut to its first.
"""

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 4095  # bytes of a line; of a longer one a terminal drops the end
PAUSE = 0.3  # seconds in which the next piece of a paste comes
# What a terminal puts around a paste where a program asked it to, as a shell does, and left it so.
MARKERS = (b"\x1b[200~", b"\x1b[201~")


class Cut(Exception):
    """What was typed is more than can be had of it; its text says what."""


def hidden_line(prompt: str) -> str:
    """Ask for a line that is not shown. Raises EOFError where there is none, Cut for more."""
    import termios  # noqa: PLC0415 - few commands ask

    with _terminal() as terminal:
        before = termios.tcgetattr(terminal)
        quiet = [*before]
        quiet[3] &= ~termios.ECHO
        by_piece = [*quiet]
        by_piece[3] &= ~termios.ICANON
        try:
            termios.tcsetattr(terminal, termios.TCSAFLUSH, quiet)
            os.write(terminal, prompt.encode())
            line, _, more = _line(terminal).partition(b"\n")
            # Else a last line without its end would not be told of.
            termios.tcsetattr(terminal, termios.TCSANOW, by_piece)
            more += _waiting(terminal)
        finally:
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
        os.write(terminal, b"\n")
    if _unwrapped(more).strip():
        raise Cut("more than a line was typed or pasted, and the rest would be lost")
    if len(line) >= LONGEST:
        raise Cut("a terminal takes no line as long as that whole")
    try:
        return _unwrapped(line).decode()
    except UnicodeDecodeError:
        raise Cut("what was typed is not text in UTF-8") from None


def _unwrapped(read: bytes) -> bytes:
    """Give what was typed without the markers of a paste."""
    for marker in MARKERS:
        read = read.replace(marker, b"")
    return read


@contextmanager
def _terminal() -> Iterator[int]:
    """Give the terminal that one sits at, whatever standard output and error are."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        terminal = os.dup(sys.stdin.fileno())
    try:
        yield terminal
    finally:
        os.close(terminal)


def _line(terminal: int) -> bytes:
    """Read to the end of a line. Raises EOFError where input ends without anything."""
    read = b""
    while b"\n" not in read and (piece := os.read(terminal, 65536)):
        read += piece
    if not read:
        os.write(terminal, b"\n")
        raise EOFError
    return read


def _waiting(terminal: int) -> bytes:
    """Take what else was pasted, so that no shell gets it afterwards."""
    read = b""
    while select.select([terminal], [], [], PAUSE)[0] and (piece := os.read(terminal, 65536)):
        read += piece
    return read
