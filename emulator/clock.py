"""The movable clock: real time plus an offset kept in one small file.

The functions read the same file (CE_CLOCK_FILE). It must never move the machine's own clock.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from emulator import Refused, files

SIZE = 64  # bytes of the file at most
LIMIT = 100 * 366 * 86400  # seconds; keeps every date that follows a legal one


@dataclass(frozen=True)
class Clock:
    """Real time, moved by the seconds in `path`."""

    path: Path

    def offset(self) -> float:
        """Seconds ahead of real time; none while the file does not exist."""
        try:
            return read(files.read(self.path, SIZE))
        except (FileNotFoundError, NotADirectoryError):
            return 0.0
        except ValueError:
            raise Refused(f"{self.path} holds no number of seconds; delete it.") from None

    def now(self) -> datetime:
        """Give the time as the functions see it."""
        return datetime.now(UTC) + timedelta(seconds=self.offset())

    def set(self, seconds: float) -> float:
        """Move to `seconds` from real time, atomically: readers see the old offset or the new."""
        if not _legal(seconds):
            raise Refused("The clock moves by at most a hundred years.")
        files.replace(self.path, f"{seconds!r}\n".encode())
        return seconds

    def advance(self, seconds: float) -> float:
        """Move `seconds` on from where the clock is."""
        return self.set(self.offset() + seconds)


def read(content: bytes) -> float:
    """Give the seconds that a clock's file holds; raises ValueError where it holds none."""
    seconds = float(content.decode("ascii"))
    if not _legal(seconds):
        raise ValueError
    return seconds


def _legal(seconds: float) -> bool:
    return math.isfinite(seconds) and abs(seconds) <= LIMIT
