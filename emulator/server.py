"""Serves the three ports from one worker process, and tells them apart.

Functions are loaded in the worker, after the fork: gRPC does not survive one. A worker that dies
is replaced. It must never log a query string, a header or a body.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote_to_bytes

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer
from gunicorn.http import wsgi

from emulator import wire
from emulator.heads import LONGEST_LINE
from emulator.host import Host
from emulator.log import Log
from emulator.worker import IDLE, SERVER, Worker

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

GRACE = 12  # seconds a request in flight may still take: a request's deadline is 10
BOOT_FAILED = Arbiter.WORKER_BOOT_ERROR
STOPS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}


class Store(Protocol):
    """What the functions cannot do without; it ends with us."""

    def alive(self) -> bool:
        """Whether it still runs."""
        ...

    def kill(self) -> None:
        """End it, now; called from a signal's handler."""
        ...


class _Application(BaseApplication):  # type: ignore[misc]
    def __init__(
        self,
        settings: dict[str, Any],
        boot: Callable[[], "WSGIApplication"],
        stopping: Callable[[], None],
    ) -> None:
        self._settings, self._boot, self.stopping = settings, boot, stopping
        super().__init__()

    def load_config(self) -> None:
        config: Any = self.cfg
        for name, value in self._settings.items():
            config.set(name, value)

    def load(self) -> "WSGIApplication":
        # Ctrl-C reaches the whole process group; only the arbiter may act on it.
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        # Until there is something to finish, a stop need not wait for us.
        serving = signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        app = self._boot()
        signal.signal(signal.SIGTERM, serving)
        return app


class _Arbiter(Arbiter):  # type: ignore[misc]
    def __init__(self, application: _Application, store: Store) -> None:
        self.stopping, self._store = False, store
        super().__init__(application)

    def init_signals(self) -> None:
        """Take the signals, but not a hang-up that whoever started us wants ignored (nohup)."""
        ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        super().init_signals()
        if ignored:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def signal(self, sig: int, frame: Any) -> None:
        """Stop on the first signal, at once on the second; gunicorn's others are not for us.

        This stays the handler after the workers have stopped, while data is exported.
        """
        if sig in STOPS:
            if self.stopping:
                self.kill_workers(signal.SIGKILL)
                self._store.kill()
                os._exit(1)
            self.stopping = True
            super().signal(signal.SIGTERM, frame)

    def handle_term(self) -> None:
        """Say that the first signal was heard, and begin to stop."""
        self.app.stopping()
        super().handle_term()

    def murder_workers(self) -> None:
        """Once a second: a host that cannot serve any more stops, and says so with its code."""
        if not self._store.alive():
            self.stopping = True
            raise HaltServer("unhealthy", 1)


def _unsaid(_worker: Any, _request: Any) -> None:
    """Say nothing of a request that begins: gunicorn's own would log its path as it came."""


def serve(
    sockets: Sequence[socket.socket],
    threads: int,
    boot: Callable[[], "WSGIApplication"],
    store: Store,
    log: Log,
    deaths: list[float],
    level: str = "",
) -> int:
    """Serve until stopped, or until the store is gone; the exit code.

    `deaths` gets a time of `time.monotonic` for each worker that dies; `level` is that of what
    gunicorn says.
    """

    def died(arbiter: _Arbiter, worker: Any) -> None:
        if not arbiter.stopping:
            deaths.append(time.monotonic())
            log.fault("functions", f"the worker (pid {worker.pid}) died, starting another")

    def stopping() -> None:
        log.note("emulators", "stopping; Ctrl-C again stops at once")

    settings = {
        "bind": [f"fd://{bound.detach()}" for bound in sockets],
        "worker_class": Worker,
        "limit_request_line": LONGEST_LINE,
        "workers": 1,
        "threads": threads,
        "timeout": 0,  # a laptop that slept is no hung worker
        "graceful_timeout": GRACE,
        "keepalive": IDLE,
        "forwarded_allow_ips": "",  # nobody may say where a request came from
        "control_socket_disable": True,
        "loglevel": level or "critical",
        "child_exit": died,
        "pre_request": _unsaid,
        "sendfile": False,  # it would wait for who takes nothing
    }
    wsgi.SERVER = SERVER
    Worker.fault = partial(log.fault, "emulators")
    parent, code = os.getpid(), 0
    try:
        _Arbiter(_Application(settings, boot, stopping), store).run()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except HaltServer as halt:  # a worker that did not boot while we were stopping already
        code = halt.exit_status
    if os.getpid() != parent:  # a worker's end unwinds through here too: what follows is not its
        sys.stdout.flush()
        os._exit(code)
    return min(code, 1)


def app(ports: dict[int, tuple[str, "WSGIApplication"]], log: Log) -> "WSGIApplication":
    """Hand each request to its port's app, and print a line for it."""

    def serve_request(environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        started, status = time.monotonic(), 500

        def start(line: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal status
            status = int(line.split(" ", 1)[0])
            return start_response(line, headers, exc_info)

        environ[wire.CALLER] = "port"  # what comes over the network is not the host's own
        port, target = ports[int(environ["SERVER_PORT"])]
        what = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        if wire.foreign(environ):
            target = wire.error(403, "forbidden", "This host answers to 127.0.0.1 and localhost.")
        try:
            return target(environ, start)
        finally:
            if port != "hub":
                name = environ.get("reprieve.function", port)
                log.call(name, what, status, time.monotonic() - started)

    return serve_request


def functions(host: Host, project: str) -> "WSGIApplication":
    """Make the functions port's app: `/{name}` and `/{project}/{region}/{name}`."""

    def serve_function(environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        path, mark, query = wire.target(environ).partition("?")
        _, *parts = path.split("/")
        if len(parts) > 2 and not host.public(parts[0]) and parts[0] == project:
            known = host.endpoints.get(parts[2])
            parts = parts[2:] if known and parts[1] in known.regions else [""]
        if not host.public(parts[0]):
            return wire.not_found()(environ, start_response)
        environ["reprieve.function"] = parts[0]
        rest = "/" + "/".join(parts[1:])
        environ["PATH_INFO"] = unquote_to_bytes(rest.encode("latin-1")).decode("latin-1")
        environ["RAW_URI"] = environ["REQUEST_URI"] = rest + mark + query
        return host.app(parts[0])(environ, start_response)

    return serve_function
