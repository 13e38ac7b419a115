"""Data keys in memory: for a minute at most, not many, and not beyond their destruction.

What is dropped is not overwritten. Nothing here reads a half, and nothing is kept that
could not be dropped.
"""

import time
from collections import OrderedDict
from threading import Lock, Timer

from shared import quotas

Place = tuple[str, bytes]  # a project's id and its wrapped half


class Memory:
    """Plain data keys, each for at most quotas.KEY_CACHE_LIFETIME seconds, used or not.

    A timer drops them where nobody asks for any; in a process that is frozen, when it runs again.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Place, tuple[float, bytes]] = OrderedDict()  # in order of age
        self._forgotten = 0  # how often: tells a `put` that one came between
        self._timer: Timer | None = None  # runs while anything is kept
        self._lock = Lock()

    def get(self, place: Place) -> tuple[bytes, int]:
        """Give the key, empty where there is none, and the moment that `put` asks for."""
        with self._lock:
            self._drop_old()
            _, key = self._kept.get(place, (0.0, b""))
            return key, self._forgotten

    def put(self, place: Place, key: bytes, moment: int) -> None:
        """Keep a key, unless any was forgotten since the moment: it may be the one."""
        with self._lock:
            if moment == self._forgotten:
                self._kept[place] = (time.monotonic() + quotas.KEY_CACHE_LIFETIME, key)
            self._drop_old()
            self._watch()

    def forget(self, project_id: str) -> None:
        """Drop all keys of a project, also one that is being opened."""
        with self._lock:
            self._forgotten += 1
            for place in [place for place in self._kept if place[0] == project_id]:
                del self._kept[place]

    def _drop_old(self) -> None:
        """Drop what is too old or too much."""
        while self._kept:
            place, (until, _) = next(iter(self._kept.items()))
            if time.monotonic() < until and len(self._kept) <= quotas.KEY_CACHE_ENTRIES:
                break
            del self._kept[place]

    def _watch(self) -> None:
        """Come back when the oldest is too old, if nobody does before."""
        if self._timer is not None or not self._kept:
            return
        until, _ = next(iter(self._kept.values()))
        self._timer = Timer(max(until - time.monotonic(), 0.0), self._expire)
        self._timer.daemon = True  # no process waits for it to end
        try:
            self._timer.start()
        except RuntimeError:  # no thread can be had: then nothing is kept
            self._timer = None
            self._kept.clear()

    def _expire(self) -> None:
        with self._lock:
            self._timer = None
            self._drop_old()
            self._watch()
