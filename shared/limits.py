"""How much a process takes on: requests a second from one caller, and requests at once.

Overload is told at once and costs little; it never queues. All of it is this process's own: with
several instances a caller has the limit in each. Memory is bounded.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from shared import quotas
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


class Gate:
    """Lets a number of requests in at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0

    @contextmanager
    def entered(self, most: int) -> Iterator[None]:
        """Be one of at most `most`, 0 for any number; raises Error `unavailable` at once."""
        with self._lock:
            if most and self._inside >= most:
                raise unavailable("Too many requests at once")
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
