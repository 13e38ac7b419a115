"""One of Google's REST APIs, called so that its bad day does not become ours.

A call ends within quotas.KEY_CALL seconds, tries and all. Only quotas.KEY_CALLS are under way at
once, and an API that failed quotas.KEY_FAILURES times in a row is left alone: one call in
quotas.KEY_PAUSE seconds finds out, all others are refused at once. No text of an answer or an
exception goes further than this file: it could quote what was sent, or a token.
"""

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from threading import BoundedSemaphore, Lock, Thread
from typing import Any, TypeVar

import requests
from google.auth.credentials import Credentials, TokenState
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from requests.adapters import HTTPAdapter

from shared import quotas
from shared.failures import tell

T = TypeVar("T")
Answer = dict[str, Any]
Body = Mapping[str, Any] | None
Query = Mapping[str, str | int | None] | None
BUSY = frozenset({401, 408, 429})  # and 5xx: the same call may succeed when it is made again
TOLD = frozenset({"NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "INVALID_ARGUMENT"})
CONNECT = 1.0  # seconds: a connection to Google's edge takes some hundredths
PAUSE = 0.1  # seconds before the second try, at random up to that; then twice as much
FAILURES = (requests.RequestException, GoogleAuthError, LookupError, TypeError, ValueError)
CASTAGNOLI = 0x82F63B78


class Refused(OSError):
    """An answer that no further try would change; `status` is Google's word for it."""

    def __init__(self, why: str, status: str) -> None:
        super().__init__(why)
        self.status = status


@contextmanager
def allowing(*statuses: str) -> Iterator[None]:
    """Pass over Refused with one of these statuses."""
    try:
        yield
    except Refused as refused:
        if refused.status not in statuses:
            raise


class Caller:
    """Who calls. Renews the token beside the calls: Google's library may take half a minute."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self._request = partial(Request(_session()), timeout=quotas.KEY_CALL)
        self._lock, self._renewal = Lock(), Thread()

    def headers(self, end: float) -> dict[str, str]:
        """Give the headers that say who calls; raises GoogleAuthError if there are none by `end`.

        A token that is about to expire is good while another is fetched.
        """
        if self.credentials.token_state is not TokenState.FRESH:
            with self._lock:
                if not self._renewal.is_alive():
                    self._renewal = Thread(target=self._renew, daemon=True)
                    self._renewal.start()
                renewal = self._renewal
            if self.credentials.token_state is TokenState.INVALID:
                renewal.join(max(end - time.monotonic(), 0))
                if self.credentials.token_state is TokenState.INVALID:
                    raise GoogleAuthError("no token")  # type: ignore[no-untyped-call]
        headers: dict[str, str] = {}
        self.credentials.apply(headers)  # type: ignore[no-untyped-call]
        return headers

    def _renew(self) -> None:
        with suppress(*FAILURES):  # the state tells
            self.credentials.refresh(self._request)  # type: ignore[no-untyped-call]


class Api:
    """An API by its name and address, with the identity it is called as. For threads."""

    def __init__(
        self, name: str, address: str, caller: Caller, jitter: Callable[[], float]
    ) -> None:
        self._name, self._address, self._caller, self._jitter = name, address, caller, jitter
        self._session, self._room = _session(), BoundedSemaphore(quotas.KEY_CALLS)
        self._lock, self._failures = Lock(), 0  # in a row
        self._closed_until = 0.0  # if it is failing: then one call is let through

    def call(
        self,
        method: str,
        path: str,
        read: Callable[[Answer], T],
        body: Body = None,
        query: Query = None,
        tries: int = quotas.KEY_TRIES,
    ) -> T:
        """Give what `read` makes of the answer. An answer that `read` refuses is none.

        `read` raises LookupError, TypeError or ValueError for one that is damaged. What may not
        be applied twice has one try. Raises Refused, PermissionError where this identity may not
        make the call, or a plain OSError when there was no answer: the call may have been applied
        all the same.
        """
        end = time.monotonic() + quotas.KEY_CALL
        with self._passing():
            for number in range(tries):
                with suppress(*FAILURES):
                    answer = read(self._answer(method, path, body, query, end))
                    self._failures = 0
                    return answer
                self._failed()
                pause = PAUSE * 2**number * self._jitter()
                if number + 1 == tries or self._failing() or time.monotonic() + pause >= end:
                    break
                time.sleep(pause)
        raise OSError(f"{self._name} does not answer")

    def pages(
        self, path: str, key: str, read: Callable[[Answer], T], most: int, query: Query = None
    ) -> Iterator[T]:
        """Give what `read` makes of the entries of up to `most` pages of a list."""

        def page(answer: Answer) -> tuple[list[T], str | None]:
            return [read(entry) for entry in answer.get(key, ())], answer.get("nextPageToken")

        token = None
        for _ in range(most):
            found, token = self.call("GET", path, page, query={**(query or {}), "pageToken": token})
            yield from found
            if not token:
                return

    @contextmanager
    def _passing(self) -> Iterator[None]:
        """Be one of the calls under way; raises OSError at once where there is no point in it."""
        if not self._room.acquire(blocking=False):
            raise OSError(f"too many calls of {self._name} at once")
        try:
            with self._lock:
                if self._failing() and time.monotonic() < self._closed_until:
                    raise OSError(f"{self._name} has not answered lately")
                self._closed_until = time.monotonic() + quotas.KEY_PAUSE
            yield
        finally:
            self._room.release()

    def _failing(self) -> bool:
        return self._failures >= quotas.KEY_FAILURES

    def _failed(self) -> None:
        """Note a try that failed."""
        with self._lock:
            self._failures += 1
            self._closed_until = time.monotonic() + quotas.KEY_PAUSE
            if self._failures == quotas.KEY_FAILURES:
                tell("ERROR", f"{self._name} does not answer")

    def _answer(self, method: str, path: str, body: Body, query: Query, end: float) -> Answer:
        """Make one try; raises one of FAILURES for no answer, else what `call` raises."""
        headers = self._caller.headers(end)
        seconds = max(end - time.monotonic(), 0.01)
        response = self._session.request(
            method,
            f"{self._address}/v1/{path}",
            params=query,
            json=body,
            headers=headers,
            timeout=(min(seconds, CONNECT), seconds),
            allow_redirects=False,
        )
        answer = response.json()
        if response.status_code == 200 and isinstance(answer, dict):
            return answer
        if response.status_code == 401:
            self._caller.credentials.token = None  # revoked: the next try has another
        if response.status_code in BUSY or response.status_code >= 500:
            raise ValueError
        status = answer["error"]["status"]  # else it is not Google who answers
        why = f"{self._name} refuses: {status}"
        if status not in TOLD:
            tell("WARNING", why, call=f"{method} {path}")
        self._failures = 0
        raise PermissionError(why) if status == "PERMISSION_DENIED" else Refused(why, status)


def _session() -> requests.Session:
    """Give a session that neither tries again by itself nor takes anything from outside.

    A proxy or a .netrc file of the environment would be shown the token.
    """
    session = requests.Session()
    session.trust_env = False
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=quotas.KEY_CALLS, max_retries=0))
    return session


def packed(name: str, data: bytes) -> dict[str, str]:
    """Give the members that carry bytes in JSON: themselves, and their checksum."""
    return {name: base64.b64encode(data).decode(), f"{name}Crc32c": str(crc32c(data))}


def unpacked(answer: Mapping[str, Any], name: str) -> bytes:
    """Give the bytes of a member; raises LookupError or ValueError if their checksum is wrong."""
    data = base64.b64decode(answer[name], validate=True)
    if crc32c(data) != int(answer[f"{name}Crc32c"]):
        raise ValueError
    return data


def crc32c(data: bytes) -> int:
    """Give the CRC-32C (RFC 3720, appendix B.4) of some bytes: Google's end-to-end checksum."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (CASTAGNOLI if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
