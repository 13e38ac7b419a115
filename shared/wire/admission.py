"""How much a process takes on: requests a second from one caller, and requests at once.

A caller is a key and its account; without a token an address. Overload is told at once and costs
little. All of it is this process's own: with several instances a caller has the limit in each.
Memory is bounded.
"""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from shared import quotas
from shared.access import CODE_GRANT, key_id
from shared.app import App
from shared.calls import ANYBODY, Principal
from shared.errors import Error
from shared.wire.gates import Parties, Place, entered, hurried

Hold = Callable[[int], None]  # is told the bytes of a body
IPV6_PREFIX = 64  # what a site is given at least (RFC 6177)


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


RATES = Rates()


@contextmanager
def reading(app: App, principal: Principal, environ: Mapping[str, Any]) -> Iterator[None]:
    """Be one of those whose bodies are read; who shows no token has a gate apart, and little time.

    Raises Error `unavailable`, without waiting.
    """
    parties = _parties(app, principal, environ)
    with ExitStack() as last:
        if principal is ANYBODY:
            last.enter_context(entered("reading strangers", quotas.STRANGERS, parties))
            last.enter_context(hurried(environ, quotas.STRANGER_BODY))
        else:
            last.enter_context(entered("reading", quotas.BODIES, parties))
        yield


@contextmanager
def holding(app: App, principal: Principal, environ: Mapping[str, Any]) -> Iterator[Hold]:
    """Hold the bytes of a request's body until it is answered.

    What is given is told how many they are, or will be, whenever that is more than was known: it
    raises Error `unavailable`, without waiting. Of bodies up to quotas.PLAIN_BODY_BYTES only the
    number is bounded, by `reading` and `working`.
    """
    with entered("holding", quotas.HELD_BYTES, _parties(app, principal, environ), 0) as place:
        yield lambda size: place.enter(size if size > quotas.PLAIN_BODY_BYTES else 0)


def working(
    app: App, principal: Principal, environ: Mapping[str, Any]
) -> AbstractContextManager[Place]:
    """Be one of those that are worked on; who shows no token has a gate apart.

    Raises Error `unavailable`, without waiting.
    """
    parties = _parties(app, principal, environ)
    if principal is ANYBODY:
        return entered("working for strangers", quotas.STRANGERS, parties)
    return entered("working", app.settings.concurrency, parties)


def denying(
    app: App, principal: Principal, environ: Mapping[str, Any]
) -> AbstractContextManager[Place]:
    """Be one of those whose denied attempt is put on record; raises Error `unavailable`."""
    return entered("denying", quotas.DENYING, _parties(app, principal, environ))


def count(app: App, principal: Principal, environ: Mapping[str, Any]) -> None:
    """Count a request: of its key and its account, or of its address where it shows none.

    Raises Error `too_many_requests`.
    """
    rate = app.settings.rate
    if principal.is_operator:
        return
    if principal is ANYBODY:
        _take(("address", address(app, environ)), rate)
        return
    _take(("key", principal.subject), rate)  # what a key has too many of is not its account's
    _take(("account", principal.account), quotas.ACCOUNT_KEYS * rate)


@contextmanager
def unknown_counted(environ: Mapping[str, Any], app: Callable[[], App]) -> Iterator[None]:
    """Count who is refused as unknown for their address, apart from all else that comes from it.

    So who shares the address with them is not held up. Raises Error `too_many_requests` in place
    of `unauthorized`.
    """
    try:
        yield
    except Error as error:
        if error.code == "unauthorized":
            told = app()
            _take(("unknown", address(told, environ)), told.settings.rate)
        raise


def _take(caller: tuple[str, str], rate: float) -> None:
    RATES.take(caller, rate, rate * quotas.KEY_BURST)


def count_exchange(app: App, body: Mapping[str, Any], environ: Mapping[str, Any]) -> None:
    """Count an exchange of a key, apart for each address: nobody can lock another out.

    All sign-in codes of an address count as one key. Raises Error `too_many_requests`.
    """
    by_code = body.get("grant_type") == CODE_GRANT or "apikey" not in body
    exchanged = "sign-in codes" if by_code else key_id(body["apikey"])  # no id is two words
    rate, caller = app.settings.token_rate, (exchanged, address(app, environ))
    RATES.take(caller, rate, rate * quotas.TOKEN_BURST)


def count_create(app: App, principal: Principal) -> None:
    """Count a project that an account would make, whatever becomes of it: it may cost a key half.

    Raises Error `too_many_requests`.
    """
    rate = app.settings.create_rate
    RATES.take(("creates", principal.account), rate, rate * quotas.CREATE_BURST)


def address(app: App, environ: Mapping[str, Any]) -> str:
    """Give the address of who calls: in the cloud, what the platform's own proxy added last.

    Of IPv6 it is the network: whoever has one address there has 2^64.
    """
    forwarded = "" if app.settings.emulator else str(environ.get("HTTP_X_FORWARDED_FOR", ""))
    text = forwarded.rpartition(",")[2].strip() or str(environ.get("REMOTE_ADDR", ""))
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return str(ipaddress.ip_network((found, IPV6_PREFIX), strict=False))
        found = found.ipv4_mapped
    return str(found)


def _parties(app: App, principal: Principal, environ: Mapping[str, Any]) -> Parties:
    of_address = ("address", address(app, environ))
    return (("account", principal.account), of_address) if principal.account else (of_address,)
