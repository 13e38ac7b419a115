"""Attacks a host of its own, and prints what its other clients get meanwhile.

`python -m tools.attacks NAME...` plays those named, without a name all, against production's rates.
Each is a row of `ATTACKS`: what it is called, and what plays it against a running host and says
what it measured. Attackers and neighbours come from addresses of their own in 127.0.0.0/8, which
Linux gives without being asked; elsewhere they have to be set up.
"""

import json
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from shared import quotas
from tests.faults.hosts import worker
from tests.support import GRANT, Account, Host, stand_alone
from tests.support.memory import Server
from tools.attackers import Crowd, Request, Stalled, timed

SECONDS = 12.0  # a neighbour asks for so long, which is more than a head may take
WITHIN = 2.0  # seconds in which 95 of a hundred of its requests must be answered
PACE = 0.25  # seconds between two rounds of a neighbour's: well below any rate
STALLED = 400  # connections that send one byte each, and wait
BODIES = 64  # connections that send a part of a body each, and wait: what a process reads at once
WRITERS, KEYS, TOKENS = 100, 20, 600  # threads at one secret; keys of an account; false tokens
NEIGHBOUR = "127.0.0.3"
MANY = tuple(f"127.0.1.{number}" for number in range(1, 101))  # addresses of one attacker
RATES = {
    "CE_RATE": str(quotas.KEY_RATE),
    "CE_TOKEN_RATE": str(quotas.TOKEN_RATE),
    "CE_CREATE_RATE": str(quotas.CREATE_RATE),
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}

BEGUN = "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200\r\nContent-Type: {}\r\n"
LOGIN = f"{BEGUN.format('/identity/token', FORM['Content-Type'])}\r\ngrant_type=".encode()


@dataclass(frozen=True)
class Told:
    """What a neighbour's requests took, in seconds; one that failed took forever.

    `attackers` says how often what was attacked with was answered by which status, if it was;
    `memory` how many bytes the worker had at most, if that was looked at.
    """

    seconds: tuple[float, ...]
    attackers: Counter[int] = field(default_factory=Counter)
    memory: int = 0

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
            f"{f'; memory: {self.memory / quotas.MIB:.0f} MiB' if self.memory else ''}"
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


def large(path: str, headers: Mapping[str, str]) -> bytes:
    """Give a request to make a secret, of as many bytes as a body may have, but for the last."""
    begun = b'{"name": "large", "format": "generic", "data": {"k": "'
    lines = {"Host": "localhost", **JSON, **headers, "Content-Length": quotas.BODY_BYTES}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + begun.ljust(quotas.BODY_BYTES - 1, b"a")


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


def large_bodies(host: Host, seconds: float = SECONDS) -> Told:
    """Send 64 bodies of 13 MiB, but for their last bytes: half of them with a token."""
    tenant, account, server = Tenant.at(host), host.account(), Server(worker(host))
    path = secret_of(account).removesuffix("/s")
    server.mark()
    with ExitStack() as last:
        for headers in (bearer(account.token), {}):
            last.enter_context(Stalled(host.url, large(path, headers), BODIES // 2))
        told = tenant.told(seconds)
    return replace(told, memory=server.peak)


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
    "large-bodies": large_bodies,
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
