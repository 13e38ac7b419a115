"""What a terminal can do that a file cannot: colours, and a line that turns while one waits.

It must never write an escape code to anything that is not a terminal, nor shorten what is said.
"""

import shutil
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Self, TextIO

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
TURN = 0.1  # seconds a frame stays
CLEAR = "\r\x1b[K"
RESET = "\x1b[0m"
GREEN, CYAN, YELLOW, RED = "\x1b[32m", "\x1b[36m", "\x1b[33m", "\x1b[31m"
DULL = ("NO_COLOR", "CI")  # each, when it is set to anything, asks for plain lines
WIDEST = 62  # characters of method and path: those of one project fit


def lively(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether the stream is a terminal of somebody who wants colours and spinners."""
    plain = environment.get("TERM", "dumb") == "dumb" or any(map(environment.get, DULL))
    return not plain and stream.isatty()


def paint(text: str, colour: str) -> str:
    """Give a text a colour."""
    return f"{colour}{text}{RESET}"


def plain(text: str, keep: str = "\n\t") -> str:
    """Give a text that acts on no terminal: what cannot be seen, but for `keep`, as an escape."""
    return "".join(c if c.isprintable() or c in keep else ascii(c)[1:-1] for c in text)


def room(taken: int) -> int:
    """Give the width of a column beside others that take so much, so that a line fits."""
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDEST + taken
    return max(0, min(columns - taken, WIDEST))


class Lines:
    """Standard output: whole lines, and at most one spinner below them."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._spinner = ""

    def say(self, line: str) -> None:
        """Print a line; a spinner goes on below it."""
        with self._lock:
            self._write(f"{CLEAR if self._spinner else ''}{line}\n{self._spinner}")

    def spin(self, text: str) -> None:
        """Draw the spinner, or with no text clear it away."""
        with self._lock:
            if text or self._spinner:
                self._spinner = f"{CLEAR}{text}" if text else ""
                self._write(self._spinner or CLEAR)

    def wipe(self) -> None:
        """Clear the line the cursor is in."""
        with self._lock:
            self._write(CLEAR)

    def _write(self, text: str) -> None:
        # A reader that went away (`| head`) must not take the host down.
        with suppress(OSError, ValueError):
            sys.stdout.write(text)
            sys.stdout.flush()


LINES = Lines()


class Spinner:
    """Turns below the lines until it is stopped; its thread ends with it, so that a fork may."""

    def __init__(self, text: str) -> None:
        self._text, self._since, self._done = text, time.monotonic(), threading.Event()
        self._thread = threading.Thread(target=self._turn, name="spinner", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        LINES.spin("")

    def tell(self, text: str) -> None:
        """Turn beside another text from here on."""
        self._text = text

    def _turn(self) -> None:
        turns = 0
        while not self._done.is_set():
            spent = time.monotonic() - self._since
            text = f"{FRAMES[turns % len(FRAMES)]}  {self._text} ({spent:.0f}s)"
            LINES.spin(text[: shutil.get_terminal_size().columns - 1])
            turns += 1
            self._done.wait(TURN)
