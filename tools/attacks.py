"""Attacks a host of its own, and prints what its other clients get meanwhile.

`python -m tools.attacks NAME...` plays those named, without a name all, against production's rates.
Each is a row of `ATTACKS`: what it is called, and what plays it against a running host and says
what it measured. Attackers and neighbours come from addresses of their own in 127.0.0.0/8, which
Linux gives without being asked; elsewhere they have to be set up.
"""

import http.client
import json
import multiprocessing
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from shared import quotas
from tests.support import GRANT, Account, Host, stand_alone

SECONDS = 12.0  # a neighbour asks for so long, which is more than a head may take
WITHIN = 2.0  # seconds in which 95 of a hundred of its requests must be answered
PACE = 0.25  # seconds between two rounds of a neighbour's: well below any rate
STALLED = 400  # connections that send one byte each, and wait
BODIES = 64  # connections that send a part of a body each, and wait: what a process reads at once
WRITERS, KEYS, TOKENS = 100, 20, 600  # threads at one secret; keys of an account; false tokens
ATTACKER, NEIGHBOUR = "127.0.0.2", "127.0.0.3"
MANY = tuple(f"127.0.1.{number}" for number in range(1, 101))  # addresses of one attacker
RATES = {"CE_RATE": str(quotas.KEY_RATE), "CE_TOKEN_RATE": str(quotas.TOKEN_RATE)}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}

BEGUN = "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200\r\nContent-Type: {}\r\n"
LOGIN = f"{BEGUN.format('/identity/token', FORM['Content-Type'])}\r\ngrant_type=".encode()

Request = tuple[str, str, bytes, dict[str, str]]  # method, path, body, headers


@dataclass(frozen=True)
class Told:
    """What a neighbour's requests took, in seconds; one that failed took forever.

    `attackers` says how often what was attacked with was answered by which status, if it was.
    """

    seconds: tuple[float, ...]
    attackers: Counter[int] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """The part of them that was answered in time."""
        return sum(spent <= WITHIN for spent in self.seconds) / len(self.seconds)

    def __str__(self) -> str:
        ordered = sorted(self.seconds)
        half, most = ordered[len(ordered) // 2], ordered[-1]
        answered = ", ".join(f"{n} times {status}" for status, n in sorted(self.attackers.items()))
        return (
            f"{len(ordered)} requests, {self.share:.0%} within {WITHIN:.0f} s; "
            f"median {half:.2f} s, slowest {most:.2f} s"
            f"{answered and f'; attackers: {answered}'}"
        )


def neighbour(url: str, seconds: float = SECONDS) -> Told:
    """Ask for the API's description, each time over a new connection, one after the other."""
    taken, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        taken.append(timed(url, ("GET", "/openapi.json", b"", {}), ""))
        time.sleep(0.05)
    return Told(tuple(taken))


@dataclass
class Tenant:
    """A neighbour with an account of its own, who logs in, writes a secret and reads it."""

    url: str
    apikey: str = field(repr=False)
    secret: str  # the path of one
    headers: dict[str, str] = field(repr=False)

    @classmethod
    def at(cls, host: Host) -> "Tenant":
        """Make an account with a project and a secret in it."""
        account = host.account()
        return cls(host.url, account.apikey, secret_of(account), bearer(account.token))

    def told(
        self, seconds: float = SECONDS, source: str = NEIGHBOUR, *, logs_in: bool = True
    ) -> Told:
        """Make a round of requests every now and then, each over a new connection."""
        taken, end = [], time.monotonic() + seconds
        round_: list[Request] = [login(self.apikey)] if logs_in else []
        round_.append(written(self.secret, self.headers))
        round_.append(("GET", self.secret, b"", self.headers))
        while time.monotonic() < end:
            taken += [timed(self.url, request, source) for request in round_]
            time.sleep(PACE)
        return Told(tuple(taken))


def secret_of(account: Account) -> str:
    """Make a secret in a project of its own, and give its path."""
    project = account.project()
    account.secret(project, "s", {"k": "v"})
    return f"/v2/projects/{project['id']}/secrets/s"


def bearer(token: str) -> dict[str, str]:
    """Give the header that a token is shown in."""
    return {"Authorization": f"Bearer {token}"}


def login(apikey: str) -> Request:
    """Give the exchange of a key for a token."""
    form = {"grant_type": GRANT, "apikey": apikey}
    return "POST", "/identity/token", urlencode(form).encode(), FORM


def written(secret: str, headers: dict[str, str]) -> Request:
    """Give the replacement of a secret, whatever it was."""
    body = json.dumps({"format": "generic", "data": {"k": "w"}}).encode()
    return "PUT", secret, body, {**headers, **JSON, "If-Match": "*"}


def write_begun(token: str) -> bytes:
    """Give the beginning of a request with a token, and one byte of its body."""
    head = BEGUN.format("/v2/projects", JSON["Content-Type"])
    return f"{head}Authorization: Bearer {token}\r\n\r\n{{".encode()


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


def stalled_heads(host: Host, count: int = STALLED, seconds: float = SECONDS) -> Told:
    """Hold connections that send one byte of a request's head each, and no more."""
    address = urlsplit(host.url)
    with ExitStack() as last:
        for _ in range(count):
            held = socket.create_connection((address.hostname, address.port), timeout=60)
            last.enter_context(held).sendall(b"G")
        return neighbour(host.url, seconds)


def stalled_logins(host: Host, seconds: float = SECONDS) -> Told:
    """Without a token: begin the exchange of a key, send 11 bytes of it, and wait."""
    tenant = Tenant.at(host)
    with Stalled(host.url, LOGIN, BODIES):
        return tenant.told(seconds)


def stalled_everywhere(host: Host, seconds: float = SECONDS) -> Told:
    """The same from 100 addresses: of a neighbour with a token, for logins have no place then."""
    tenant = Tenant.at(host)
    with Stalled(host.url, LOGIN, len(MANY), MANY):
        return tenant.told(seconds, logs_in=False)


def stalled_writes(host: Host, seconds: float = SECONDS) -> Told:
    """With a token: begin to write, send one byte of a body, and wait."""
    tenant, token = Tenant.at(host), host.account().token
    with Stalled(host.url, write_begun(token), BODIES):
        return tenant.told(seconds)


def fought_secret(host: Host, seconds: float = SECONDS) -> Told:
    """Write one secret from 100 threads."""
    tenant, account = Tenant.at(host), host.account()
    write = written(secret_of(account), bearer(account.token))
    with Crowd(host.url, [write] * WRITERS, seconds + 1) as crowd:
        told = tenant.told(seconds)
    return Told(told.seconds, crowd.heard)


def many_keys(host: Host, seconds: float = SECONDS) -> Told:
    """Ask with 20 keys of one account, each as fast as it is answered."""
    tenant, account = Tenant.at(host), host.account()
    keys = [account.another_key() for _ in range(KEYS)]
    asks: list[Request] = [("GET", "/v2/projects", b"", bearer(key.token)) for key in keys]
    with Crowd(host.url, asks, seconds + 1) as crowd:
        told = tenant.told(seconds)
    return Told(told.seconds, crowd.heard)


def false_tokens(host: Host, seconds: float = SECONDS) -> Told:
    """Show tokens whose signatures do not hold, from 20 threads."""
    tenant, token = Tenant.at(host), host.account().token
    false = token[:-8] + token[-8:].swapcase()
    asks: list[Request] = [("GET", "/v2/projects", b"", bearer(false))] * KEYS
    with Crowd(host.url, asks, seconds + 1) as crowd:
        told = tenant.told(seconds)
    return Told(told.seconds, crowd.heard)


ATTACKS: dict[str, Callable[[Host], Told]] = {
    "stalled-heads": stalled_heads,
    "stalled-logins": stalled_logins,
    "stalled-everywhere": stalled_everywhere,
    "stalled-writes": stalled_writes,
    "fought-secret": fought_secret,
    "many-keys": many_keys,
    "false-tokens": false_tokens,
}


def main() -> None:
    """Play what is named."""
    names = sys.argv[1:] or [*ATTACKS]
    if unknown := set(names) - ATTACKS.keys():
        sys.exit(f"{len(unknown)} of these is no attack: choose from {', '.join(ATTACKS)}.")
    stand_alone()
    with tempfile.TemporaryDirectory() as folder:
        host = Host(Path(folder) / "ce", "--firestore-port", "0", "--hub-port", "0")
        try:
            host.start(**RATES)
            print(f"{'nobody else':<20}{Tenant.at(host).told(2)}")
            for name in names:
                print(f"{name:<20}{ATTACKS[name](host)}", flush=True)
        finally:
            host.stop()


if __name__ == "__main__":
    main()
