"""What a terminal shows while a command waits: one line on standard error, gone afterwards.

It hides no cursor and changes no mode, so whatever ends the command leaves the terminal as it was.
Nothing of it is written to a file or a pipe.
"""

import os
import shutil
import sys
import time
from types import TracebackType
from typing import Self

from ce.render import safe

FRAMES = "|/-\\"
FRAME, DELAY = 0.1, 0.4  # seconds: of a frame, and until the first: most waits are over by then
ERASE = "\r\x1b[K"


class Spinner:
    """The line of one wait, in a `with`; `pause` is how the wait sleeps."""

    def __init__(self, doing: str, *, quiet: bool) -> None:
        self._text = f"Waiting {safe(doing)}"
        self._began = time.monotonic()
        self._shown = 0
        self._on = not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._shown:
            self._write(ERASE)

    def pause(self, seconds: float) -> None:
        """Sleep, and turn meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not self._on:
                time.sleep(left)
                continue
            self._turn()
            time.sleep(min(left, FRAME))

    def _turn(self) -> None:
        spent = time.monotonic() - self._began
        if spent < DELAY:
            return
        line = f"{FRAMES[self._shown % len(FRAMES)]} {self._text}, {int(spent)}s"
        room = shutil.get_terminal_size().columns - 1  # a line that wraps cannot be erased
        self._shown += 1
        self._write(ERASE + line[:room])

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
