"""The hub: what a test or the CLI may ask of the host, and where Firestore's events arrive.

Without the token it only says where things are. It must never answer a web page, nor read the body
of a request before its token or secret, nor more of it than it can use.
"""

import hmac
import json
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from emulator import VERSION, Refused, wire
from emulator.clock import Clock
from emulator.cron import Cron
from emulator.firestore import Firestore
from emulator.host import Host
from emulator.state import State
from emulator.triggers import Triggers

SETTLE = 10.0  # seconds to wait at most: a host that stops lets a request end within 12
QUIET = 0.5  # seconds without an event: Firestore reports each write only after it answered
POLL = 0.02  # seconds
BODY = 4 * 1024 * 1024  # bytes of a body at most
EVENT = 16 * 1024 * 1024  # bytes of an event: a document of 1 MiB as it was and as it is
OPEN = {"locate", "emulators", "deliver"}  # without the token; an event's path is its own
ROUTES = Map(
    [
        Rule("/", endpoint="locate", methods=["GET"]),
        Rule("/emulators", endpoint="emulators", methods=["GET"]),
        Rule("/functions/projects/<_>/triggers/<trigger>", endpoint="deliver", methods=["POST"]),
        Rule("/status", endpoint="status", methods=["GET"]),
        Rule("/clock", endpoint="clock", methods=["GET", "PUT"]),
        Rule("/clock/advance", endpoint="advance", methods=["POST"]),
        Rule("/schedules", endpoint="pause", methods=["PUT"]),
        Rule("/schedules/<name>/run", endpoint="run", methods=["POST"]),
        Rule("/triggers", endpoint="triggers", methods=["GET", "PUT"]),
        Rule("/triggers/drop", endpoint="drop", methods=["POST"]),
        Rule("/triggers/repeat", endpoint="repeat", methods=["POST"]),
        Rule("/functions/<name>", endpoint="call", methods=["POST"]),
        Rule("/reset", endpoint="reset", methods=["POST"]),
        Rule("/export", endpoint="export", methods=["POST"]),
    ],
    strict_slashes=False,
)


class _TooLargeError(Refused):
    pass


@dataclass(frozen=True)
class Hub:
    """The hub's app; each route is the method of its name."""

    host: Host
    triggers_: Triggers
    cron: Cron
    clock_: Clock
    state: State
    firestore: Firestore
    project: str
    pid: int
    addresses: dict[str, str]
    token: str
    bootstrap: Callable[[], None]
    export_: Callable[[Path, AbstractContextManager[None]], None]

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer one request."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        try:
            endpoint, arguments = ROUTES.bind_to_environ(request.environ).match()
        except HTTPException as problem:
            if isinstance(problem, MethodNotAllowed):
                allowed = {"Allow": ", ".join(sorted(problem.valid_methods or ()))}
                return wire.error(405, "method_not_allowed", "Method not allowed.", allowed)
            return wire.not_found()
        if "Origin" in request.headers and endpoint not in {"locate", "emulators"}:
            return wire.error(403, "forbidden", "The hub does not answer web pages.")
        if endpoint not in OPEN and not self._trusted(request):
            asked = {"WWW-Authenticate": "Bearer"}
            return wire.error(401, "unauthorized", "The hub wants its token.", asked)
        try:
            answer: Response = getattr(self, endpoint)(request, **arguments)
        except Refused as refused:
            large = isinstance(refused, _TooLargeError)
            status, code = (413, "payload_too_large") if large else (400, "bad_request")
            return wire.error(status, code, str(refused))
        return answer

    def _trusted(self, request: Request) -> bool:
        given = request.headers.get("Authorization", "").encode()
        return hmac.compare_digest(given, f"Bearer {self.token}".encode())

    def locate(self, _request: Request) -> Response:
        """Say who runs here."""
        host, _, port = self.addresses["hub"].rpartition(":")
        return wire.respond({"version": VERSION, "pid": self.pid, "host": host, "port": int(port)})

    def emulators(self, _request: Request) -> Response:
        """Say where everything is, as Firebase's hub does."""
        found = {}
        for name, address in self.addresses.items():
            host, _, port = address.rpartition(":")
            place = {"address": host, "family": "IPv4", "port": int(port)}
            found[name] = {"name": name, "host": host, "port": int(port), "listen": [place]}
        return wire.respond(found)

    def deliver(self, request: Request, _: str, trigger: str) -> Response:
        """Take one event from Firestore."""
        if not self.triggers_.known(trigger):
            return wire.not_found()
        self.triggers_.accept(trigger, dict(request.headers), _body(request, EVENT))
        return Response(status=204)

    def status(self, _request: Request) -> Response:
        """Say how everything is."""
        jobs = {job.name: job.due.isoformat() for job in self.cron.jobs.values()}
        return wire.respond(
            {
                "project": self.project,
                "pid": self.pid,
                "emulators": self.addresses,
                "functions": {name: found.kind for name, found in self.host.endpoints.items()},
                "clock": self._time(),
                "schedules": {"paused": self.cron.paused, "next": jobs},
                "triggers": self.triggers_.counts(),
            }
        )

    def clock(self, request: Request) -> Response:
        """Show the clock, or set it."""
        if request.method == "GET":
            return wire.respond(self._time())
        self.clock_.set(_number(request, "offset"))
        return self._moved()

    def advance(self, request: Request) -> Response:
        """Move the clock on."""
        self.clock_.advance(_number(request, "seconds"))
        return self._moved()

    def pause(self, request: Request) -> Response:
        """Let the schedules rest, or go on."""
        self.cron.pause(_flag(request, "paused"))
        return wire.respond({"paused": self.cron.paused})

    def run(self, _request: Request, name: str) -> Response:
        """Run a schedule now."""
        if name not in self.cron.jobs:
            return wire.not_found()
        answer = self.cron.run(name)
        return wire.respond({"status": answer.status, "body": answer.body.decode(errors="replace")})

    def triggers(self, request: Request) -> Response:
        """Count the deliveries; hold them, or let them go."""
        if request.method == "PUT":
            self.triggers_.hold(_flag(request, "held"))
        return wire.respond(self.triggers_.counts())

    def drop(self, _request: Request) -> Response:
        """Forget deliveries that wait."""
        self.triggers_.drop()
        return wire.respond(self.triggers_.counts())

    def repeat(self, request: Request) -> Response:
        """Deliver the last events again."""
        return wire.respond({"repeated": self.triggers_.repeat(int(_number(request, "last")))})

    def call(self, request: Request, name: str) -> Response:
        """Call any function, private ones too."""
        if name not in self.host.endpoints:
            return wire.not_found()
        answer = wire.post_json(self.host.app(name), _json(request))
        if not answer.ok and answer.content_type != "application/json":  # the framework's own page
            return wire.error(answer.status, "function_failed", f"{name} failed: its log says why.")
        return Response(answer.body, answer.status, content_type=answer.content_type)

    def reset(self, _request: Request) -> Response:
        """Forget everything but who the first account is."""
        if self.firestore.process is None:
            raise Refused(
                f"The Firestore at {self.firestore.address} is not this host's own: nothing was "
                "reset. It ends with whoever started it."
            )
        with self.host.gate.alone():  # what is half made would be lost in part
            self.triggers_.drop()
            self.state.forget()  # first: a key made meanwhile, by whoever else, would be lost
            self.firestore.clear(self.project)
            self.triggers_.drop()
            self.bootstrap()
        return wire.respond({"reset": True})

    def export(self, request: Request) -> Response:
        """Export data and keys to a folder of this machine."""
        folder = Path(str(_field(request, "folder") or ""))
        if not folder.is_absolute():
            raise Refused("folder must be an absolute path.")
        self.export_(folder, self.host.gate.alone())
        return wire.respond({"exported": str(folder)})

    def _moved(self) -> Response:
        return wire.respond({"settled": self._settle(), **self._time()})

    def _settle(self) -> bool:
        """Wait for the schedules that are due, and the events they cause; False if it goes on."""
        if not self.cron.behind():
            return True
        end, last, since = time.monotonic() + SETTLE, {"pending": 1}, 0.0
        while (now := time.monotonic()) < end:
            counts = self.triggers_.counts()
            if self.cron.behind() or counts["pending"] or counts != last:
                last, since = counts, now
            elif now - since > QUIET:
                return True
            time.sleep(POLL)
        return False

    def _time(self) -> dict[str, Any]:
        return {"offset": self.clock_.offset(), "now": self.clock_.now().isoformat()}


def _body(request: Request, most: int) -> bytes:
    """Read a body, however it comes, but never more of it than `most` bytes."""
    raw, large = bytearray(), _TooLargeError(f"The body exceeds {most} bytes.")
    if (request.content_length or 0) > most:
        raise large
    try:
        while chunk := request.stream.read(most + 1 - len(raw)):
            raw += chunk
    except Exception:  # noqa: BLE001 - of whatever server: its client sent no whole body
        raise Refused("The body does not arrive whole.") from None
    if len(raw) > most:
        raise large
    return bytes(raw)


def _json(request: Request) -> Any:
    try:
        return json.loads(_body(request, BODY) or b"{}")
    except (ValueError, RecursionError):
        raise Refused("The body is no JSON.") from None


def _field(request: Request, name: str) -> Any:
    body = _json(request)
    return body.get(name) if isinstance(body, dict) else None


def _number(request: Request, name: str) -> float:
    value = _field(request, name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Refused(f"{name} must be a number.")
    return float(value)


def _flag(request: Request, name: str) -> bool:
    value = _field(request, name)
    if not isinstance(value, bool):
        raise Refused(f"{name} must be true or false.")
    return value
