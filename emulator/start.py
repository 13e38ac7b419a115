"""The `start` command: takes the ports, starts Firestore, wires the host, says it is ready.

Everything that can be refused is refused before anything runs. It must never run against a
project that could be real.
"""

import io
import json
import os
import re
import resource
import signal
import socket
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator import (
    ACCOUNT,
    VERSION,
    Refused,
    banner,
    firestore,
    hosting,
    manifest,
    ports,
    server,
    wire,
)
from emulator.admin import Hub
from emulator.clock import Clock
from emulator.cron import Cron
from emulator.host import Host
from emulator.log import LEVELS, Log, libraries
from emulator.state import State
from emulator.triggers import Triggers

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PROJECT = re.compile(r"demo-[a-z0-9-]{1,25}")
EXPORTED = (  # what `env` of a former host leaves in a shell, and would mislead the next
    "FIRESTORE_EMULATOR_HOST",
    "CE_ENDPOINT",
    "CE_KEYRING",
    "CE_KEY_STORE",
    "CE_CLOCK_FILE",
)


@dataclass(frozen=True)
class Options:
    """What `start` was asked."""

    root: Path
    project: str
    hosting_port: int
    functions_port: int
    firestore_port: int
    hub_port: int
    threads: int
    schedule: bool


def run(options: Options, state: State, log: Log) -> int:
    """Host everything until stopped; the exit code."""
    if not PROJECT.fullmatch(options.project):
        raise Refused(f"Project {options.project!r} may be real: a local one begins with `demo-`.")
    level = os.environ.get("CE_LOG_LEVEL", "").lower()
    if level and level not in LEVELS:
        raise Refused(f"CE_LOG_LEVEL is one of {', '.join(sorted(LEVELS))}.")
    endpoints = manifest.read(options.root)
    public = {endpoint.name for endpoint in endpoints if endpoint.public}
    site = hosting.read(options.root, public.__contains__)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if level:
        libraries(level)
    # What crashes, Firestore included, leaves no picture of its memory behind.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what functions print appears in time
    with ExitStack() as last:
        state.prepare()
        last.enter_context(state.held())
        state.drop("hub.json")
        last.callback(state.drop, "hub.json")
        bound = _bind(options)
        log.note("emulators", f"project {options.project} - nothing leaves this machine")
        _disown(state, log)
        if (moved := ports.number(bound["hosting"])) != options.hosting_port != 0:
            log.note("hosting", f"port {options.hosting_port} is taken, using {moved}")
        store = _firestore(options, state, ports.number(bound["hub"]), log)
        last.callback(store.stop)
        running = Running(options, state, log, store, _addresses(bound, store), endpoints, site)
        running.prepare()
        sockets = list(bound.values())
        code = server.serve(sockets, options.threads, running.boot, store.alive, log, level)
        if not store.alive():
            log.fault("firestore", f"ended by itself: see {state.folder / 'firestore.log'}")
    log.note("emulators", "stopped")
    return code


@dataclass(frozen=True)
class Running:
    """A host with its ports and its Firestore; boots its functions, in the worker."""

    options: Options
    state: State
    log: Log
    store: firestore.Firestore
    addresses: dict[str, str]
    endpoints: list[manifest.Endpoint]
    site: hosting.Site

    def prepare(self) -> None:
        """Set what the functions read when they load."""
        os.environ.update(self._environment())
        own = {"CE_KEYRING": "keyring.json", "CE_KEY_STORE": "keys"}
        for name, path in own.items():
            os.environ.setdefault(name, str(self.state.folder / path))
        os.environ.setdefault("CE_ENDPOINT", f"http://{self.addresses['hosting']}")
        os.environ["FUNCTIONS_EMULATOR"] = "true"
        os.environ.pop("GOOGLE_APPLICATION_CREDENTIALS", None)
        # gRPC and requests would send calls to this machine through a proxy.
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"

    def boot(self) -> "WSGIApplication":
        """Load the functions and everything that calls them; the app of all three ports."""
        first, started = self.state.read("hub.json") is None, time.monotonic()
        sys.path.insert(0, str(self.options.root))
        host = Host(self.options.root, self.endpoints, self.log)
        if fault := host.load():
            self.log.fault("functions", f"{fault.where}  {fault.why}")
            if first:
                sys.exit(server.BOOT_FAILED)
        else:
            self.log.note("functions", banner.loaded(self.endpoints, started), mark="✔")
        try:
            return self._wire(host, first)
        except Refused as refused:
            self.log.fault("emulators", str(refused))
            sys.exit(server.BOOT_FAILED)

    def _wire(self, host: Host, first: bool) -> "WSGIApplication":
        tokens, clock = self.state.tokens(), Clock(self.state.folder / "clock")
        triggers = Triggers(host, self.log, tokens["events"])
        triggers.register(self.store.address, self.options.project)
        cron = Cron(host, clock, self.log, paused=not self.options.schedule)
        self._first_account(host, first)
        hub = Hub(
            host=host,
            triggers_=triggers,
            cron=cron,
            clock_=clock,
            state=self.state,
            firestore=self.store,
            project=self.options.project,
            pid=os.getppid(),
            addresses=self.addresses,
            token=tokens["hub"],
            bootstrap=lambda: self._bootstrap(host),
        )
        told = self._hub_file(tokens["hub"])
        if offset := clock.offset():
            self.log.note("clock", f"{offset:+.0f}s from real time")
        if first:
            said = banner.ready(self.addresses, told["env"])
            self.log.block(said, message="ready", **self.addresses)
        self.state.write("hub.json", told)  # who waits for it finds all that was said
        host.watch()
        cron.start()
        apps: dict[str, WSGIApplication] = {
            "hosting": hosting.app(self.site, host.app),
            "functions": server.functions(host, self.options.project),
            "hub": hub,
        }
        numbered = {_port(self.addresses[name]): (name, app) for name, app in apps.items()}
        return server.app(numbered, self.log)

    def _first_account(self, host: Host, first: bool) -> None:
        try:
            self._bootstrap(host)
        except Refused as refused:
            if first:
                raise
            self.log.fault("account", str(refused))  # a file may be broken while a worker restarts

    def _bootstrap(self, host: Host) -> None:
        """Make the first account, or register its key again: the key outlives the data."""
        if ACCOUNT not in host.endpoints:
            self.log.note("account", f"functions.yaml has no {ACCOUNT}: no account was made")
            return
        known = self.state.read("credentials.json") or {}
        same = {name: known[name] for name in ("account_id", "apikey") if name in known}
        answer = wire.post_json(host.app(ACCOUNT), same)
        if not answer.ok:
            said = answer.body.decode(errors="replace").strip()[:300]
            raise Refused(f"{ACCOUNT} answered {answer.status}: {said}")
        made = json.loads(answer.body) | {"url": f"http://{self.addresses['hosting']}"}
        self.state.write("credentials.json", made)

    def _hub_file(self, token: str) -> dict[str, Any]:
        origin = f"http://{self.addresses['hosting']}"
        return {
            "version": VERSION,
            "pid": os.getppid(),
            "project": self.options.project,
            **{
                str(name): f"http://{self.addresses[name]}"
                for name in ("hub", "hosting", "functions")
            },
            "firestore": self.store.address,
            "token": token,
            "env": {
                **self._environment(),
                **{name: os.environ[name] for name in ("CE_KEYRING", "CE_KEY_STORE")},
                "CE_ENDPOINT": os.environ["CE_ENDPOINT"],
                "CE_HUB_STATE": str(self.state.folder),
                "CODE_ENGINE_URL": f"{origin}/v2",
                "CODE_ENGINE_AUTH_TYPE": "iam",
                "CODE_ENGINE_AUTH_URL": origin,
                "RESOURCE_CONTROLLER_URL": origin,
                "RESOURCE_CONTROLLER_AUTH_TYPE": "iam",
                "RESOURCE_CONTROLLER_AUTH_URL": origin,
                "IBMCLOUD_CODE_ENGINE_API_ENDPOINT": f"{origin}/v2",
                "IBMCLOUD_IAM_API_ENDPOINT": origin,
            },
        }

    def _environment(self) -> dict[str, str]:
        return {
            "FIRESTORE_EMULATOR_HOST": self.store.address,
            "GOOGLE_CLOUD_PROJECT": self.options.project,
            "GCLOUD_PROJECT": self.options.project,
            "CE_CLOCK_FILE": str(self.state.folder / "clock"),
        }


def _disown(state: State, log: Log) -> None:
    """Ignore the exports of a former host of this folder."""
    if (named := os.environ.get("CE_HUB_STATE")) and Path(named).resolve() == state.folder:
        found = [name for name in EXPORTED if os.environ.pop(name, None)]
        if found:
            log.note("emulators", f"ignoring what a former host exported: {', '.join(found)}")


def _bind(options: Options) -> dict[str, socket.socket]:
    bound = {
        "functions": ports.bind(options.functions_port, "functions", "--functions-port"),
        "hub": ports.bind(options.hub_port, "the hub", "--hub-port"),
    }
    return bound | {"hosting": ports.bind_next(options.hosting_port)}


def _firestore(options: Options, state: State, hub: int, log: Log) -> firestore.Firestore:
    if address := os.environ.get("FIRESTORE_EMULATOR_HOST"):
        log.note(
            "firestore",
            f"using {address}; events need it to have been started with "
            f"--functions_emulator=127.0.0.1:{hub}",
        )
        return firestore.external(address)
    port = ports.check(options.firestore_port, "Firestore", "--firestore-port")
    state.forget(keys="CE_KEY_STORE" not in os.environ)  # Firestore's own data was in memory
    rules = hosting.rules(options.root)
    return firestore.start(port, f"127.0.0.1:{hub}", state.folder / "firestore.log", log, rules)


def _addresses(bound: dict[str, socket.socket], store: firestore.Firestore) -> dict[str, str]:
    found = {name: f"127.0.0.1:{ports.number(bound[name])}" for name in ("hosting", "functions")}
    return found | {"firestore": store.address, "hub": f"127.0.0.1:{ports.number(bound['hub'])}"}


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
