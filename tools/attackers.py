"""What attacks are made of: clients at their own addresses, crowds of them, and those who stall.

They know a host's address and nothing of what is asked there; `tools.attacks` does.
"""

import http.client
import multiprocessing
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle
from typing import Any, Self
from urllib.parse import urlsplit

ATTACKER = "127.0.0.2"

Request = tuple[str, str, bytes, dict[str, str]]  # method, path, body, headers


def timed(url: str, request: Request, source: str) -> float:
    """Give the seconds that a request takes over a new connection; one that fails takes forever."""
    began = time.monotonic()
    with suppress(OSError, http.client.HTTPException), connected(url, source) as connection:
        if answered(connection, request) < 300:
            return time.monotonic() - began
    return float("inf")


@contextmanager
def connected(url: str, source: str) -> Iterator[http.client.HTTPConnection]:
    """Give a connection to a host, from an address of this machine if one is named."""
    address = urlsplit(url)
    bound = (source, 0) if source else None
    connection = http.client.HTTPConnection(
        str(address.hostname), address.port, timeout=60, source_address=bound
    )
    try:
        yield connection
    finally:
        connection.close()


def answered(connection: http.client.HTTPConnection, request: Request) -> int:
    """Make a request, read its answer and give its status."""
    method, path, body, headers = request
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


class Crowd:
    """Threads of a process of their own that make requests, one after the other, until it ends."""

    def __init__(self, url: str, requests: Sequence[Request], seconds: float) -> None:
        context = multiprocessing.get_context("spawn")
        self._heard: Any = context.SimpleQueue()
        given = url, requests, seconds, self._heard
        self._process = context.Process(target=_crowd, args=given, daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self._heard.get()  # it has begun
        return self

    def __exit__(self, *_: object) -> None:
        self.heard: Counter[int] = self._heard.get()
        self._process.join(30)


def _crowd(url: str, requests: Sequence[Request], seconds: float, heard: Any) -> None:
    """Make each request over and over, in a thread for each, for some seconds."""
    end, counted, lock = time.monotonic() + seconds, Counter[int](), threading.Lock()

    def one(request: Request) -> None:
        while time.monotonic() < end:
            with suppress(OSError, http.client.HTTPException), connected(url, ATTACKER) as to:
                while time.monotonic() < end:
                    status = answered(to, request)
                    with lock:
                        counted[status] += 1

    threads = [threading.Thread(target=one, args=(request,)) for request in requests]
    for thread in threads:
        thread.start()
    heard.put("begun")
    for thread in threads:
        thread.join(90)
    with lock:
        heard.put(counted)


class Stalled:
    """Connections that send the beginning of a request and wait; one that ends is begun anew."""

    def __init__(
        self, url: str, sent: bytes, count: int, sources: Sequence[str] = (ATTACKER,)
    ) -> None:
        self._address, self._sent, self._count = urlsplit(url), sent, count
        self._sources = cycle(sources)
        self._stop, self._thread = threading.Event(), threading.Thread(target=self._hold)

    def __enter__(self) -> Self:
        self._held = [self._begun() for _ in range(self._count)]
        self._thread.start()
        time.sleep(1)  # all of them are being read
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)
        for held in self._held:
            held.close()

    def _begun(self) -> socket.socket:
        to = str(self._address.hostname), self._address.port
        held = socket.create_connection(to, timeout=60, source_address=(next(self._sources), 0))
        with suppress(OSError):  # refused before all of it was sent
            held.sendall(self._sent)
        held.setblocking(False)
        return held

    def _hold(self) -> None:
        while not self._stop.wait(0.1):
            for number, held in enumerate(self._held):
                with suppress(BlockingIOError, OSError):
                    held.recv(65_536)  # answered, or cut off
                    held.close()
                    self._held[number] = self._begun()
