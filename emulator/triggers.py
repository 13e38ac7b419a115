"""Firestore events: registers triggers with the emulator, queues deliveries, calls functions.

Delivery is at least once while the host lives, in no order, as in production. It must never
read what an event says; it carries bytes.
"""

import hmac
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests

from emulator import Refused, wire
from emulator.host import Host
from emulator.log import Log
from emulator.manifest import Endpoint, Event

ATTEMPTS = 10
BACKOFF = (1.0, 60.0)  # seconds: the first pause, and the longest
PARALLEL = 4
REGISTER = 60.0  # seconds Firestore may take for a trigger: it has just started, perhaps slowly
REMEMBERED = 1000  # deliveries that can be repeated


@dataclass
class Delivery:
    """One event on its way to one function."""

    endpoint: Endpoint
    headers: dict[str, str]
    body: bytes
    attempts: int = 0

    @property
    def what(self) -> str:
        """Say what happened, for the terminal."""
        verb = self.headers.get("Ce-Type", "event").rpartition(".")[2]
        return f"{verb} {self.headers.get('Ce-Document', '')}"


@dataclass
class Counts:
    """What became of the deliveries since the host started, or was reset."""

    pending: int = 0
    delivered: int = 0
    failed: int = 0


@dataclass
class Held:
    """Deliveries kept back for a test."""

    on: bool = False
    deliveries: list[Delivery] = field(default_factory=list)


class Triggers:
    """Every event function's queue."""

    def __init__(self, host: Host, log: Log, secret: str) -> None:
        self._host, self._log = host, log
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(PARALLEL, "trigger")
        self._counts, self._held = Counts(), Held()
        self._recent: deque[Delivery] = deque(maxlen=REMEMBERED)
        # The id is the path of the delivery: nobody who cannot guess it can fake an event.
        self._endpoints = {
            f"{endpoint.regions[0]}-{endpoint.name}-{secret}": endpoint
            for endpoint in host.endpoints.values()
            if isinstance(endpoint.trigger, Event)
        }

    def register(self, firestore: str, project: str) -> None:
        """Tell the Firestore emulator what to report; saying it again changes nothing."""
        url = f"http://{firestore}/emulator/v1/projects/{project}/eventarcTrigger"
        for trigger_id, endpoint in self._endpoints.items():
            event = endpoint.trigger
            assert isinstance(event, Event)  # noqa: S101 - for the type checker
            wanted = {
                "eventType": event.type,
                "database": event.database,
                "namespace": event.namespace,
                "document": {"value": event.document, "matchType": event.match},
            }
            named = {"eventarcTriggerId": trigger_id}
            try:
                answer = wire.session().post(url, params=named, json=wanted, timeout=REGISTER)
            except requests.RequestException as problem:
                raise Refused(
                    f"Firestore took no trigger of {endpoint.name} ({type(problem).__name__})."
                ) from None
            if not answer.ok:
                raise Refused(f"Firestore refused the trigger of {endpoint.name}: {answer.text}")

    def known(self, trigger_id: str) -> bool:
        """Whether there is such a trigger: who names it knows the secret."""
        given = trigger_id.encode()
        return any(hmac.compare_digest(given, known.encode()) for known in self._endpoints)

    def accept(self, trigger_id: str, headers: dict[str, str], body: bytes) -> None:
        """Queue one event of a trigger that is known."""
        self._queue(Delivery(self._endpoints[trigger_id], headers, body))

    def hold(self, held: bool) -> None:
        """Keep deliveries back, or let them all go, in the order they came."""
        with self._lock:
            kept, self._held = self._held.deliveries, Held(on=held)
            if held:
                self._held.deliveries = kept
                return
        for delivery in kept:
            self._queue(delivery)

    def drop(self) -> None:
        """Lose every event that is held."""
        with self._lock:
            self._held.deliveries = []

    def repeat(self, last: int) -> int:
        """Deliver the last events again; the number there were."""
        with self._lock:
            again = list(self._recent)[-last:] if last > 0 else []
        for old in again:
            self._queue(Delivery(old.endpoint, old.headers, old.body))
        return len(again)

    def counts(self) -> dict[str, int]:
        """How many deliveries there are of each kind."""
        with self._lock:
            return {"held": len(self._held.deliveries), **vars(self._counts)}

    def _queue(self, delivery: Delivery) -> None:
        with self._lock:
            if self._held.on:
                self._held.deliveries.append(delivery)
                return
            self._counts.pending += 1
        self._pool.submit(self._attempt, delivery)

    def _attempt(self, delivery: Delivery) -> None:
        status, started = 500, time.monotonic()
        delivery.attempts += 1
        try:
            app = self._host.app(delivery.endpoint.name)
            status = wire.call(app, headers=delivery.headers, body=delivery.body).status
        finally:
            spent = time.monotonic() - started
            self._log.call(delivery.endpoint.name, delivery.what, status, spent)
            self._settle(delivery, ok=200 <= status < 300)

    def _settle(self, delivery: Delivery, *, ok: bool) -> None:
        event: Any = delivery.endpoint.trigger
        if ok:
            with self._lock:
                self._recent.append(delivery)
            self._count(pending=-1, delivered=1)
        elif event.retry and delivery.attempts < ATTEMPTS:
            pause = min(BACKOFF[0] * 2 ** (delivery.attempts - 1), BACKOFF[1])
            timer = threading.Timer(pause, self._again, [delivery])
            timer.daemon = True
            timer.start()
        else:
            self._count(pending=-1, failed=1)
            self._log.fault(
                delivery.endpoint.name,
                f"gave up on {delivery.what} after {delivery.attempts} attempt(s)",
            )

    def _again(self, delivery: Delivery) -> None:
        self._count(pending=-1)
        self._queue(delivery)

    def _count(self, **changes: int) -> None:
        with self._lock:
            for name, change in changes.items():
                setattr(self._counts, name, getattr(self._counts, name) + change)
