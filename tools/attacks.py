"""Attacks a host of its own, and prints what its other clients get meanwhile.

`python -m tools.attacks NAME...` plays those named, without a name all. Each is a row of `ATTACKS`:
what it is called, and what plays it against a running host and says what it measured.
"""

import http.client
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.support import Host, stand_alone

SECONDS = 12.0  # a neighbour asks for so long, which is more than a head may take
WITHIN = 2.0  # seconds in which 95 of a hundred of its requests must be answered
STALLED = 400  # connections that send one byte each, and wait


@dataclass(frozen=True)
class Told:
    """What a neighbour's requests took, in seconds; one that failed took forever."""

    seconds: tuple[float, ...]

    @property
    def share(self) -> float:
        """The part of them that was answered in time."""
        return sum(spent <= WITHIN for spent in self.seconds) / len(self.seconds)

    def __str__(self) -> str:
        ordered = sorted(self.seconds)
        half, most = ordered[len(ordered) // 2], ordered[-1]
        return (
            f"{len(ordered)} requests, {self.share:.0%} within {WITHIN:.0f} s; "
            f"median {half:.2f} s, slowest {most:.2f} s"
        )


def neighbour(url: str, seconds: float = SECONDS) -> Told:
    """Ask for the API's description, each time over a new connection, one after the other."""
    address, taken, end = urlsplit(url), [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        asked = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        try:
            asked.request("GET", "/openapi.json")
            fine = asked.getresponse().status == 200
        except OSError:
            fine = False
        finally:
            asked.close()
        taken.append(time.monotonic() - began if fine else float("inf"))
        time.sleep(0.05)
    return Told(tuple(taken))


def stalled_heads(host: Host, count: int = STALLED, seconds: float = SECONDS) -> Told:
    """Hold connections that send one byte of a request's head each, and no more."""
    address = urlsplit(host.url)
    with ExitStack() as last:
        for _ in range(count):
            held = socket.create_connection((address.hostname, address.port), timeout=60)
            last.enter_context(held).sendall(b"G")
        return neighbour(host.url, seconds)


ATTACKS: dict[str, Callable[[Host], Told]] = {"stalled-heads": stalled_heads}


def main() -> None:
    """Play what is named."""
    names = sys.argv[1:] or [*ATTACKS]
    if unknown := set(names) - ATTACKS.keys():
        sys.exit(f"{len(unknown)} of these is no attack: choose from {', '.join(ATTACKS)}.")
    stand_alone()
    with tempfile.TemporaryDirectory() as folder:
        host = Host(Path(folder) / "ce", "--firestore-port", "0", "--hub-port", "0")
        try:
            host.start()
            print(f"{'nobody else':<16}{neighbour(host.url, 2)}")
            for name in names:
                print(f"{name:<16}{ATTACKS[name](host)}", flush=True)
        finally:
            host.stop()


if __name__ == "__main__":
    main()
