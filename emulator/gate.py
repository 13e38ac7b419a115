"""Lets calls of functions through, and makes them wait while somebody copies what they change.

It must never wait without an end, nor keep the gate shut for whoever is gone: it ends with its
process.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from emulator import Refused

PATIENCE = 30.0  # seconds until calls in flight must have ended; a request has 10


class Gate:
    """Any number of calls at once, or one who is alone; that one's own calls go through."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside, self._alone = 0, 0  # calls in flight; the thread that wants to be alone

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Call beside others, once nobody is alone."""
        with self._changed:
            self._changed.wait_for(lambda: self._alone in {0, threading.get_ident()})
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self, seconds: float = PATIENCE) -> Iterator[None]:
        """Be alone: calls that come wait, those in flight end first.

        Raises Refused where they do not within so many seconds, or somebody else is alone.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: not self._alone, seconds):
                raise Refused("Another export or reset goes on: try again when it has ended.")
            self._alone = threading.get_ident()
        try:
            with self._changed:
                if not self._changed.wait_for(lambda: not self._inside, seconds):
                    raise Refused(
                        f"A request or an event takes longer than {seconds:.0f} s: nothing was "
                        "done. Try again when it has ended."
                    )
            yield
        finally:
            with self._changed:
                self._alone = 0
                self._changed.notify_all()
