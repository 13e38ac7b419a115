"""The tries of one request at the store: how many, until when, and how long between them.

Where another write came first, it is tried again until the deadline; where no answer came, at most
quotas.STORE_TRIES times. Pauses double and are random (full jitter). However often a request asks
the store, all of it ends by the deadline of the request.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from shared import quotas
from shared.errors import Error, unavailable

FIRST, LONGEST = {"conflict": 0.01, "fault": 0.1}, 0.5  # seconds
_END: ContextVar[float] = ContextVar("the request's deadline", default=float("inf"))


@contextmanager
def one_request() -> Iterator[None]:
    """Give all that asks the store within this block quotas.STORE_DEADLINE seconds together."""
    token = _END.set(time.monotonic() + quotas.STORE_DEADLINE)
    try:
        yield
    finally:
        _END.reset(token)


def left() -> float:
    """Give how many seconds a single call of the store may take from now."""
    return min(quotas.STORE_DEADLINE, _END.get() - time.monotonic())


class Attempts:
    """Iterate over it: it gives the seconds that each try may take, as long as there are tries."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self._end = min(time.monotonic() + quotas.STORE_DEADLINE, _END.get())
        self._pause = 0.0
        self._failed = Counter[str]()

    def __iter__(self) -> Iterator[float]:
        while (left := self.left()) > 0 and self._failed["fault"] < quotas.STORE_TRIES:
            yield left

    def left(self) -> float:
        """Give how many seconds a try may take from now."""
        return min(self._end - time.monotonic(), quotas.STORE_TRY)

    def failed(self, why: str) -> None:
        """Note a `conflict`, another came first, or a `fault`, no answer; wait if a try is left."""
        self._failed[why] += 1
        if self._failed["fault"] < quotas.STORE_TRIES:
            self._pause = min(max(2 * self._pause, FIRST[why]), LONGEST)
            time.sleep(max(0.0, min(self._pause * self._jitter(), self._end - time.monotonic())))

    def refusal(self) -> Error:
        """Give the Error `unavailable` of a request whose tries are used up."""
        only = self._failed["conflict"] and not self._failed["fault"]
        return unavailable("Too many changes at once" if only else "The store does not answer")
