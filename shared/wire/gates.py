"""How much a process works on at once, and who comes in when it is too much.

A gate has places for whoever comes first: one for a request, or one for each byte of its body.
Only when they are taken does it matter who comes: a few more are kept for accounts that hold little
of the gate, and a few more for addresses that do. So nobody is held to a share while there is room,
many tenants behind one address hinder each other no more than others, and one account or one
address that takes all it can never takes all there is. It never queues: who finds no place is told
so at once.
"""

import socket
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from shared import quotas
from shared.errors import unavailable

# Of whom a request is, from the one that says most: its account, its address.
Parties = tuple[tuple[str, str], ...]


class Gate:
    """So many places, and a quarter more for those who hold few of them."""

    def __init__(self, most: int) -> None:
        self._most, self._kept = most, most // quotas.GATE_KEPT
        self._share = max(1, most // quotas.GATE_SHARE)
        self._lock = threading.Lock()
        self._held = Counter[tuple[str, str]]()
        self._inside = 0

    def enter(self, parties: Parties, places: int = 1) -> None:
        """Take places; raises Error `unavailable`, without waiting, where there are too few."""
        with self._lock:
            if not self._has_room(parties, self._inside + places):
                raise unavailable("Too many requests at once")
            self._inside += places
            self._held.update(dict.fromkeys(parties, places))

    def leave(self, parties: Parties, places: int = 1) -> None:
        """Give places back."""
        with self._lock:
            self._inside -= places
            self._held.subtract(dict.fromkeys(parties, places))
            for party in parties:
                if not self._held[party]:
                    del self._held[party]

    def _has_room(self, parties: Parties, inside: int) -> bool:
        small = [self._held[party] < self._share for party in parties]
        return (
            inside <= self._most
            or (inside <= self._most + self._kept and all(small[:1]))
            or (inside <= self._most + 2 * self._kept and all(small))
        )


class Place:
    """What one request holds of a gate, or of none."""

    def __init__(self, gate: Gate | None, parties: Parties) -> None:
        self._gate, self._parties, self._held = gate, parties, 0

    def enter(self, places: int = 1) -> None:
        """Hold so many places, if they are more than it holds; raises Error `unavailable`."""
        if self._gate and places > self._held:
            self._gate.enter(self._parties, places - self._held)
            self._held = places

    def leave(self) -> None:
        """Give back what is held."""
        if self._gate:
            self._gate.leave(self._parties, self._held)
            self._held = 0

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Give the place back while something is waited for, and take one again.

        Those who wait are bounded, too. Raises Error `unavailable` where too many do, or where
        there is no place any more.
        """
        self.leave()
        with entered("waiting", quotas.WAITING, self._parties):
            yield
        self.enter()


@contextmanager
def entered(what: str, most: int, parties: Parties = (), places: int = 1) -> Iterator[Place]:
    """Be one of at most `most` at once that do this, 0 for any number; see `Gate`.

    Raises Error `unavailable`, without waiting.
    """
    place = Place(_gate(what, most) if most else None, parties)
    place.enter(places)
    try:
        yield place
    finally:
        place.leave()


@cache
def _gate(_what: str, most: int) -> Gate:
    return Gate(most)


@contextmanager
def hurried(environ: Mapping[str, Any], seconds: float) -> Iterator[None]:
    """End the reading of a request's body after so many seconds, however slowly it comes.

    A limit on each read would begin anew with every byte. Servers name their socket in the WSGI
    environment; where none does, the platform's own limit on a request holds.
    """
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    timer = threading.Timer(seconds, _end_reading, [connection])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end_reading(connection: socket.socket | None) -> None:
    with suppress(OSError):  # it may be closed
        if connection is not None:
            connection.shutdown(socket.SHUT_RD)
