"""Whose turn it is at documents that are fought for: one request of this process at a time.

Where commits come in each other's way, all but one of them are work for nothing. So who was
overtaken waits for a turn at what it writes, and who comes later and reads it waits too, before
it asks for anything. That is for speed alone: preconditions decide, also between processes.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class _Queue:
    """Those who want one document."""

    def __init__(self) -> None:
        self.turn = threading.RLock()  # a request that asks within another is of the same thread
        self.wanted = 0


class Turns:
    """The documents that are fought for, and who waits for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: dict[str, _Queue] = {}

    @contextmanager
    def one(self) -> Iterator["Turn"]:
        """Give what a request takes its turn with; at its end the next one's turn has come."""
        turn = Turn(self)
        try:
            yield turn
        finally:
            turn.end()

    def fought(self, paths: Iterable[str]) -> list[str]:
        """Give those of the documents that somebody waits for or has a turn at."""
        with self._lock:
            return [path for path in paths if path in self._queues]

    def join(self, path: str) -> _Queue:
        """Want a document."""
        with self._lock:
            queue = self._queues.setdefault(path, _Queue())
            queue.wanted += 1
            return queue

    def go(self, path: str, queue: _Queue) -> None:
        """Want it no more; where nobody does, it is forgotten."""
        with self._lock:
            queue.wanted -= 1
            if not queue.wanted:
                del self._queues[path]


class Turn:
    """The documents at which it is one request's turn."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._held: dict[str, _Queue] = {}

    def take(self, paths: Iterable[str], until: float) -> bool:
        """Wait for one's turn at all of these, and no others; False if it has not come in time.

        `until` is a time of `time.monotonic`. All take them in one order: nobody waits in a circle.
        """
        wanted = sorted(paths)
        if wanted == list(self._held):
            return True
        self.end()
        for path in wanted:
            queue = self._turns.join(path)
            if not queue.turn.acquire(timeout=max(0.0, until - time.monotonic())):
                self._turns.go(path, queue)
                return False
            self._held[path] = queue
        return True

    def end(self) -> None:
        """Let the next one have its turn."""
        while self._held:
            path, queue = self._held.popitem()
            queue.turn.release()
            self._turns.go(path, queue)
