"""The tries of one request at the store: how many, until when, and how long between them.

Where another write came first, it is tried again quotas.CONFLICT_TRIES times, and waits for its
turn out of the way of others; where no answer came, quotas.STORE_TRIES times. Pauses double and are
random (full jitter). However often a request asks the store, all of it ends by its deadline.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from shared import quotas
from shared.errors import Error, unavailable
from shared.store.turns import Turn

# Gives a block that is out of the way of other requests; raises Error `unavailable` if it is full.
Outside = Callable[[], AbstractContextManager[Any]]

FIRST, LONGEST = {"conflict": 0.01, "fault": 0.1}, 0.5  # seconds
_END: ContextVar[float] = ContextVar("the request's deadline", default=float("inf"))
_OUTSIDE: ContextVar[Outside] = ContextVar("where the request waits", default=nullcontext)


@contextmanager
def one_request(
    outside: Outside = nullcontext, seconds: float = quotas.STORE_DEADLINE
) -> Iterator[None]:
    """Give all that asks the store within this block so many seconds together.

    Where others come first, it waits in a block that `outside` gives.
    """
    end, wait = _END.set(time.monotonic() + seconds), _OUTSIDE.set(outside)
    try:
        yield
    finally:
        _END.reset(end)
        _OUTSIDE.reset(wait)


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
        self._crowded = False

    def __iter__(self) -> Iterator[float]:
        while (left := self.left()) > 0 and self._goes_on():
            yield left

    def left(self) -> float:
        """Give how many seconds a try may take from now."""
        return min(self._end - time.monotonic(), quotas.STORE_TRY)

    def failed(self, why: str) -> None:
        """Note a `conflict`, another came first, or a `fault`, no answer; wait if a try is left."""
        self._failed[why] += 1
        if self._goes_on():
            self._pause = min(max(2 * self._pause, FIRST[why]), LONGEST)
            time.sleep(max(0.0, min(self._pause * self._jitter(), self._end - time.monotonic())))

    def wait(self, turn: Turn, fought: Collection[str], *, overtaken: bool = False) -> None:
        """Wait, out of the way, for one's turn at what is fought for; `overtaken` is a conflict.

        Where too many wait already, or the turn does not come in time, no try is left.
        """
        try:
            with _OUTSIDE.get()():
                if overtaken:
                    self.failed("conflict")
                self._crowded = self._goes_on() and not turn.take(fought, self._end)
        except Error:
            self._crowded = True

    def refusal(self) -> Error:
        """Give the Error `unavailable` of a request whose tries are used up."""
        only = (self._failed["conflict"] or self._crowded) and not self._failed["fault"]
        return unavailable("Too many changes at once" if only else "The store does not answer")

    def _goes_on(self) -> bool:
        few = self._failed["conflict"] < quotas.CONFLICT_TRIES
        return few and self._failed["fault"] < quotas.STORE_TRIES and not self._crowded
