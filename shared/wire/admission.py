"""How much a process takes on: requests a second from one caller, and requests at once.

Overload is told at once and costs little; it never queues. All of it is this process's own: with
several instances a caller has the limit in each. Memory is bounded.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from shared import quotas
from shared.access import key_id
from shared.app import App
from shared.calls import ANYBODY, Principal
from shared.errors import Error, unavailable


class Rates:
    """A token bucket for each caller, of those that came last."""

    def __init__(
        self, most: int = quotas.BUCKETS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._clock = most, clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()  # level, when

    def take(self, caller: Hashable, rate: float, burst: float) -> None:
        """Count a request against `rate` a second, `burst` at once; a rate of 0 is no limit.

        Raises Error `too_many_requests`, with the whole seconds until one is free.
        """
        if not rate:
            return
        now, burst = self._clock(), max(burst, 1.0)
        with self._lock:
            level, at = self._buckets.pop(caller, (burst, now))
            level = min(burst, level + (now - at) * rate)
            enough = level >= 1
            self._buckets[caller] = (level - enough, now)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        if not enough:
            wait = str(math.ceil((1 - level) / rate))
            message = "Too many requests: try again later."
            raise Error("too_many_requests", message, headers={"Retry-After": wait})


RATES = Rates()


@contextmanager
def entered(what: str, most: int) -> Iterator[None]:
    """Be one of at most `most` at once that do this, 0 for any number.

    Raises Error `unavailable`, without waiting.
    """
    gate = _gate(what, most) if most else None
    if gate and not gate.acquire(blocking=False):
        raise unavailable("Too many requests at once")
    try:
        yield
    finally:
        if gate:
            gate.release()


@cache
def _gate(_what: str, most: int) -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(most)


def count(app: App, principal: Principal, environ: Mapping[str, Any]) -> None:
    """Count a request: of its key, or of the address it comes from where it shows none.

    Raises Error `too_many_requests`.
    """
    if principal.is_operator:
        return
    rate, unknown = app.settings.rate, principal is ANYBODY
    caller = _address(app, environ) if unknown else principal.subject
    RATES.take((unknown, caller), rate, rate * quotas.KEY_BURST)


def count_exchange(app: App, body: Mapping[str, Any], environ: Mapping[str, Any]) -> None:
    """Count an exchange of a key, apart for each address: nobody can lock another out.

    Raises Error `too_many_requests`.
    """
    rate, caller = app.settings.token_rate, (key_id(body["apikey"]), _address(app, environ))
    RATES.take(caller, rate, rate * quotas.TOKEN_BURST)


def _address(app: App, environ: Mapping[str, Any]) -> str:
    """Give the address of who calls: in the cloud, what the platform's own proxy added last."""
    forwarded = "" if app.settings.emulator else str(environ.get("HTTP_X_FORWARDED_FOR", ""))
    return forwarded.rpartition(",")[2].strip() or str(environ.get("REMOTE_ADDR", ""))
