"""What a terminal shows while a command waits: one line on standard error, gone afterwards.

It hides no cursor, changes no mode and starts no thread, so whatever ends the command leaves the
terminal as it was. Nothing of it is written to a file or a pipe.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle

from ce.text.render import safe

FRAMES = "|/-\\"
FRAME, DELAY = 0.1, 0.4  # seconds: of a frame, and until the first: most waits are over by then
ERASE = "\r\x1b[K"


@contextmanager
def spinner(doing: str, *, quiet: bool) -> Iterator[Callable[[float], None]]:
    """Give how a wait is to sleep, for so many seconds: meanwhile the line turns."""
    began, frames, shown = time.monotonic(), cycle(FRAMES), False
    on = not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def pause(seconds: float) -> None:
        nonlocal shown
        end = time.monotonic() + seconds
        while (left := end - (now := time.monotonic())) > 0:
            if on and now - began >= DELAY:
                line = f"{next(frames)} Waiting {safe(doing)}, {int(now - began)}s"
                shown = True  # before it is: Ctrl-C may come between
                # A line that wraps cannot be erased.
                _write(ERASE + line[: shutil.get_terminal_size().columns - 1])
            time.sleep(min(left, FRAME) if on else left)

    try:
        yield pause
    finally:
        if shown:
            _write(ERASE)


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
