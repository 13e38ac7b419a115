"""What a process took: its peak of memory, and its time of the processor."""

import os
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from tests.support.yardstick import slowness

PROC = Path("/proc")


class Server:
    """Processes that serve together; of their memory that of the largest."""

    def __init__(self, *pids: int) -> None:
        assert pids
        self.pids = pids

    @classmethod
    def at(cls, url: str) -> Self:
        """Give the two processes of functions-framework behind an address."""
        wanted = f"--port\0{urlsplit(url).port}\0".encode()
        found = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
        return cls(*(pid for pid in found if wanted in _read(pid, "cmdline")))

    def mark(self) -> None:
        """Begin to measure: forget the peak so far."""
        for pid in self.pids:
            (PROC / str(pid) / "clear_refs").write_text("5")
        self._spent, self._resident = self._time(), self._memory("VmRSS")

    @property
    def peak(self) -> int:
        """The most memory there was since the mark, in bytes."""
        return self._memory("VmHWM")

    @property
    def grown(self) -> int:
        """How much of that the mark's memory lacks."""
        return self.peak - self._resident

    @property
    def spent(self) -> float:
        """Seconds of processor since the mark, as the machine that limits are of would take.

        What others do on the machine is not in it, but for what they do to caches and clocks: see
        `slowness`.
        """
        return (self._time() - self._spent) / slowness()

    def _memory(self, name: str) -> int:
        lines = [line for pid in self.pids for line in _read(pid, "status").decode().splitlines()]
        return max(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))

    def _time(self) -> float:
        ticks = 0
        for pid in self.pids:
            ticks += sum(map(int, _read(pid, "stat").rpartition(b")")[2].split()[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")


def _read(pid: int, name: str) -> bytes:
    try:
        return (PROC / str(pid) / name).read_bytes()
    except OSError:  # it ended meanwhile
        return b""
