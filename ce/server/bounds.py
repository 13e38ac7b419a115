"""What a whole answer may take in time and hold in bytes: a server that drips keeps nobody.

A timeout of a socket is one of silence: a byte a minute would be waited for without an end.
"""

import signal
import threading
from collections.abc import Iterator
from typing import Any, Self

MIB = 1024 * 1024
BYTES = 64 * MIB  # of an answer's body: a page is of 4 MiB, which JSON's escapes make 24
AGAIN = 1.0  # seconds until what did not end is told to once more


class Overdue(TimeoutError):
    """The time of an answer is up."""


class TooLarge(ValueError):
    """An answer holds more than any of the API's."""


class Bound:
    """A time in which what runs within has to end, whatever it waits for: a name, a head, a body.

    It holds in the main thread alone, where `ce` asks.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.over = False
        self._before: Any = None
        self._holds = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Self:
        if self._holds:
            self._before = signal.signal(signal.SIGALRM, self._end)
            signal.setitimer(signal.ITIMER_REAL, self.seconds, AGAIN)
        return self

    def __exit__(self, *_: object) -> None:
        if self._holds:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)

    def _end(self, *_: object) -> None:
        self.over = True
        raise Overdue


class Counted:
    """A body as it comes, which ends in TooLarge where it is larger than any of the API's."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def stream(self, size: int, *, decode_content: bool) -> Iterator[bytes]:
        """Give it piece by piece, unpacked."""
        held = 0
        for piece in self._raw.stream(size, decode_content=decode_content):
            held += len(piece)
            if held > BYTES:
                self._raw.close()
                raise TooLarge
            yield piece


def broken(error: BaseException, bound: Bound) -> str:
    """Say which bound an answer went beyond; "" where it failed otherwise."""
    if bound.over:
        return f"did not end its answer within {bound.seconds:g} seconds"
    return f"answers with more than {BYTES // MIB} MiB" if isinstance(error, TooLarge) else ""
