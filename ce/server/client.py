"""The API over HTTP: tokens, pages, errors, and the server's own time.

The only module that opens a connection. It never follows a redirect (a token is for one host), and
puts no request body into an error. Each change names itself by an `Idempotency-Key`: one whose
answer is lost is sent again under it, and made once.
"""

import base64
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from ce.server import answers, bounds, place
from ce.server.addresses import LOOPBACK
from ce.server.failure import FAILED, NONE, NOT_LOGGED_IN, Failure
from ce.server.target import EMULATOR, Target
from ce.text import instant

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

Doc = dict[str, Any]

OURS = "x-reprieve-"  # what begins the headers that are not IBM's
MEDIA_TYPES = {"PUT": "application/json", "PATCH": "application/merge-patch+json"}
TIMEOUT = (5, 60)  # seconds to connect, to answer
READS, PAUSES = {"GET", "HEAD"}, (0.5, 2.5)  # seconds before a change is sent again, and again


def path(*parts: str) -> str:
    """Join path segments, each encoded whole."""
    for part in parts:
        # Clients fold `/secrets/..` into its parent: deleting it would delete the project.
        if part in {"", ".", ".."}:
            raise Failure(f"'{part}' is no name and no ID.", status=404, code=NONE)
    return "".join(f"/{quote(part, safe='', errors='surrogateescape')}" for part in parts)


def _host(url: str) -> str:
    host = urlsplit(url)
    return f"{host.hostname}:{host.port or host.scheme}"


def _strange(url: str, code: str) -> Failure:
    return Failure(f"{url} does not answer as this API does.", code=code)


class Client:
    """One target's API for the time of one command."""

    def __init__(
        self,
        target: Target,
        timeout: tuple[float, float] = TIMEOUT,
        project: str | None = None,
    ) -> None:
        import requests  # noqa: PLC0415 - a fifth of a second that `ce --help` need not wait
        from urllib3 import exceptions  # noqa: PLC0415 - likewise

        self.target = target
        self._timeout = timeout
        self._named = project
        self._root = target.url.removesuffix("/v2")
        self._http = requests.Session()
        # Without the environment's proxy, its certificate authorities count all the same.
        self._http.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        self._cut = requests.ConnectionError(exceptions.ProtocolError("cut off in its head"))
        # What a lost answer is then made of: one that was under way, or could not be read.
        self._unanswered = (
            exceptions.ProtocolError,
            exceptions.ReadTimeoutError,
            exceptions.DecodeError,
        )
        self._token = ""
        self.changed = False  # whether anything was, so far
        self.changing = False  # whether a change is under way, of which nobody knows the end
        self.told: dict[str, str] = {}  # the last of each header of ours, without what begins it

    @property
    def now(self) -> datetime:
        """The server's time, which on an emulator may be days ahead of ours."""
        return instant(self.told["now"]) if "now" in self.told else datetime.now(UTC)

    @cached_property
    def project(self) -> place.Project:
        """The project to act in, as it was when first asked for, or what to do to have one."""
        return place.acting(self, self._named)

    def log_in(self) -> str:
        """Exchange the key for a token; return the account in it, "" if it names none."""
        self._token = self._fetch_token()
        said = self._claim("account")
        account = said.get("bss") if isinstance(said, dict) else said  # of 0.1.0: a text
        return account if isinstance(account, str) else ""

    @property
    def roles(self) -> frozenset[str]:
        """The roles that the token names: what the server goes by; none if it names none."""
        self._token = self._token or self._fetch_token()
        found = self._claim("roles")
        return frozenset(map(str, found)) if isinstance(found, list) else frozenset()

    def _claim(self, name: str) -> Any:
        """Give what the token says under a name; None where it says nothing, or is no JWT."""
        try:
            payload = self._token.split(".")[1]
            return json.loads(base64.urlsafe_b64decode(payload + "=="))[name]
        except (IndexError, KeyError, TypeError, ValueError):
            return None

    def get(self, where: str, **params: str) -> Doc:
        """Read one document."""
        return self._call("GET", self._url(where), params=params)

    def raw(self, where: str) -> bytes:
        """Read something to the byte."""
        content: bytes = self._answered("GET", self._url(where)).content
        return content

    def pages(self, where: str, key: str, **params: str) -> Iterator[Doc]:
        """Read a list to its end, page after page."""
        while True:
            page = self.get(where, **params)
            if not isinstance(page.get(key), list):
                raise _strange(self._url(where), "")
            yield from page[key]
            start = (page.get("next") or {}).get("start")
            if not start:
                return
            if start == params.get("start"):  # the same page for ever
                raise _strange(self._url(where), "")
            params["start"] = start

    def post(self, where: str, body: Doc) -> Doc:
        """Create something."""
        return self._call("POST", self._url(where), json=body)

    def status_of(self, where: str, body: Doc, within: float) -> int:
        """Ask as one who has no token, once; give the status, 0 where none came in some seconds."""
        try:
            # An explicit no-op auth keeps ~/.netrc from adding a login of its own.
            how = {"json": body, "auth": lambda r: r, "timeout": (within / 2, within / 2)}
            return self._send("POST", self._root + where, **how).status_code
        except Failure:
            return 0

    def change(self, method: str, where: str, body: Doc, entity_tag: str) -> Doc:
        """Replace or merge something, unless it changed since it was read."""
        headers = {"If-Match": entity_tag, "Content-Type": MEDIA_TYPES[method]}
        return self._call(method, self._url(where), json=body, headers=headers)

    def exists(self, where: str) -> bool:
        """Tell whether something is there, without reading it."""
        try:
            self._call("HEAD", self._url(where))
        except Failure as failure:
            if failure.status == 404:
                return False
            self.get(where)  # a refusal of HEAD has no words
        return True

    def delete(self, where: str) -> None:
        """Delete something."""
        self._call("DELETE", self._url(where))

    def reclamations(self, **params: str) -> list[Doc]:
        """List what is soft-deleted and when it ends."""
        found: list[Doc] = self.get("/v1/reclamations", **params)["resources"]
        return found

    def reclamation_action(self, reclamation: str, action: str) -> Doc:
        """Restore or reclaim."""
        return self.post(path("v1", "reclamations", reclamation, "actions", action), {})

    def _url(self, where: str) -> str:
        """Give a whole address: what is not the target's own API says its version itself."""
        return (self._root if where.startswith("/v1/") else self.target.url) + where

    def _call(self, method: str, url: str, **rest: Any) -> Doc:
        answer = self._answered(method, url, **rest)
        body = answers.document(answer)
        if body is None:
            raise _strange(url, str(answer.status_code))
        return body

    def _answered(self, method: str, url: str, **rest: Any) -> "Response":
        ask = self._send
        if method not in READS:
            named = {"Idempotency-Key": os.urandom(16).hex()}
            ask, rest["headers"] = self._change, {**rest.get("headers", {}), **named}
        # A first 401 may only mean that the token aged while we waited.
        for _ in range(2):
            self._token = self._token or self._fetch_token()
            self.changing = method not in READS
            try:
                answer = ask(method, url, auth=self._authorise, **rest)
            except Failure:
                self.changing = False
                raise
            self.changing = False
            if answer.status_code != 401:
                break
            self._token = ""
        if not answer.ok or answer.is_redirect:
            raise answers.refusal(answer)
        self.changed |= method not in READS
        return answer

    def _change(self, method: str, url: str, **rest: Any) -> "Response":
        """Send a change, and again where its answer is lost: all within the time of one answer."""
        connect, most = self._timeout
        end, pauses, lost = time.monotonic() + most, iter(PAUSES), False
        while True:
            within = connect, max(1.0, min(most / 2, end - time.monotonic()))
            try:
                answer = self._send(method, url, timeout=within, **rest)
                if answers.is_verdict(answer, lost=lost):
                    return answer
                failure = answers.refusal(answer)
                lost = True
            except Failure as unreached:
                failure = unreached
                lost = lost or unreached.lost
            pause = next(pauses, None)
            if not lost:
                raise failure
            if pause is None or time.monotonic() + pause >= end:
                raise answers.unknown(failure)
            time.sleep(pause)

    def _send(self, method: str, url: str, **rest: Any) -> "Response":
        # By the host that is asked: a proxy cannot reach this machine, and must not see its keys.
        self._http.trust_env = urlsplit(url).hostname not in LOOPBACK
        how = {"timeout": self._timeout, "allow_redirects": False, "stream": True, **rest}
        bound = bounds.Bound(sum(how["timeout"]))
        try:
            with bound:
                answer: Response = self._http.request(method, url, **how)
                answer.raw = bounds.Counted(answer.raw)
                if not answer.content and answers.is_cut(answer):
                    raise self._cut
        except (OSError, ValueError) as error:
            # Its text may quote what was sent; its kind says enough.
            said = bounds.broken(error, bound)
            failure = self._odd(url, said) if said else self._beyond_reach(url, error)
            failure.lost = bool(said) or isinstance((*error.args, None)[0], self._unanswered)
            raise failure from None
        for name, value in answer.headers.items():
            if name.lower().startswith(OURS):
                self.told[name.lower().removeprefix(OURS)] = value
        return answer

    def _odd(self, url: str, said: str) -> Failure:
        return Failure(f"{_host(url)} {said}: 'ce target' shows the address that is asked.")

    def _beyond_reach(self, url: str, error: Exception) -> Failure:
        from ce.server import advice  # noqa: PLC0415 - only what fails needs it

        host = urlsplit(url)
        if host.scheme == "https" and (fault := advice.authorities()):
            return Failure(fault)
        local = self.target.source == EMULATOR
        hint = advice.LOCAL if local else advice.unreachable(error)
        return Failure(f"Cannot reach {_host(url)} ({type(error).__name__}). {hint}")

    def _fetch_token(self) -> str:
        form = {
            "grant_type": "urn:ibm:params:oauth:grant-type:apikey",
            "apikey": self.target.key,
            "response_type": "cloud_iam",
        }
        # An explicit no-op auth keeps ~/.netrc from adding a login of its own.
        answer = self._send(
            "POST", f"{self.target.auth_url}/identity/token", data=form, auth=lambda r: r
        )
        token = (answers.document(answer) or {}).get("access_token")
        if not answer.ok or not isinstance(token, str):
            failure = answers.refusal(answer)
            code = NOT_LOGGED_IN if answer.status_code < 500 else FAILED
            raise failure.saying(*failure.messages, exit_code=code)
        return token

    def _authorise(self, request: "PreparedRequest") -> "PreparedRequest":
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
