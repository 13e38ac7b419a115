"""The worker's side of `start`: loads the functions and wires everything that calls them.

It runs after the fork, and again whenever a worker is replaced. It must never show the API key.
"""

import json
import os
import sys
import time
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator import (
    ACCOUNT,
    KEYS,
    SIGN,
    VERSION,
    Refused,
    banner,
    exports,
    files,
    firestore,
    hosting,
    manifest,
    migration,
    server,
    wire,
)
from emulator.admin import Hub
from emulator.clock import Clock
from emulator.cron import Cron
from emulator.host import Host
from emulator.log import Log
from emulator.state import FORM, HUB, State
from emulator.triggers import Triggers

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


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
    data: Path | None = None  # the export to begin with
    export: Path | None = None  # where to export on exit


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
    began: float
    form: str  # of the store, where the environment says it: then it stays so
    deaths: list[float] = field(default_factory=list)  # of workers: the next one is forked with it

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
        first, started = self.state.read(HUB) is None, time.monotonic()
        os.environ.update(self._environment())  # the store's form may have been raised since
        sys.path.insert(0, str(self.options.root))
        host, waiting = (
            Host(self.options.root, self.endpoints, self.log),
            firestore.Waiting(self.store),
        )
        with self.log.waiting("functions", f"loading {len(self.endpoints)}"):
            fault = host.load()  # while Firestore boots
        if fault:
            self.log.fault("functions", f"{fault.where}  {fault.why}")
            if first:
                sys.exit(server.BOOT_FAILED)
        else:
            self.log.note("functions", banner.loaded(self.endpoints, started), mark="✔")
        try:
            if first and self.store.process:
                with self.log.waiting("firestore", "starting"):
                    waiting.done()
                self.log.note("firestore", self.store.ready(waiting.answered))
            return self._wire(host, first, waiting.answered)
        except Refused as refused:
            self.log.fault("emulators", str(refused))
        except OSError as problem:
            self.log.fault("emulators", files.said(problem))
        sys.exit(server.BOOT_FAILED)

    def _wire(self, host: Host, first: bool, answered: float) -> "WSGIApplication":
        tokens, clock = self.state.tokens(), Clock(self.state.folder / "clock")
        triggers = Triggers(host, self.log, tokens["events"])
        cron = Cron(host, clock, self.log, paused=not self.options.schedule)
        with self.log.waiting("emulators", "registering triggers and the first account"):
            triggers.register(self.store.address, self.options.project)
            self._fits(host, first)
            self._first_account(host, first)
        if self.store.process and not self.form and self.state.form() < FORM:
            self._migrate(host)
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
            export_=self._export_to,
        )
        told = self._hub_file(tokens["hub"])
        if offset := clock.offset():
            self.log.note("clock", f"{offset:+.0f}s from real time")
        if first:
            spent = [time.monotonic() - since for since in (self.began, answered)]
            said = banner.ready(self.addresses, told["env"], *spent)
            self.log.block(said, message="ready", **self.addresses)
        self.state.settle()  # all that could fail has not
        self.state.write(HUB, told)  # who waits for it finds all that was said
        host.watch()
        cron.start()
        if not first or not self.store.process or self.options.data:  # else the store is empty
            cron.wake(self.deaths)
        apps: dict[str, WSGIApplication] = {
            "hosting": hosting.app(self.site, host.app),
            "functions": server.functions(host, self.options.project),
            "hub": hub,
        }
        numbered = {_port(self.addresses[name]): (name, app) for name, app in apps.items()}
        return server.app(numbered, self.log)

    def _export_to(self, folder: Path, alone: AbstractContextManager[None]) -> None:
        exports.refuse_kept_elsewhere(self.state, own_firestore=self.store.process is not None)
        exports.write(folder, self.state, self.store, self.options.project, alone)

    def _fits(self, host: Host, first: bool) -> None:
        """Refuse an import whose keys are not those of its documents."""
        if first and self.store.begins and KEYS in host.endpoints:
            answer = wire.post_json(host.app(KEYS), {"step": "list"})
            if not answer.ok:
                raise Refused(
                    f"{self.store.begins} is damaged: its keys are not those of its documents "
                    f"({KEYS} answered {answer.status}). Nothing was imported."
                )

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
        answer = wire.post_json(host.app(ACCOUNT), self.state.account())
        if not answer.ok:
            raise Refused(f"{ACCOUNT} answered {answer.status}: {_said(answer.body)}")
        made = json.loads(answer.body) | {"url": f"http://{self.addresses['hosting']}"}
        self.state.write("credentials.json", made)

    def _migrate(self, host: Host) -> None:
        """Give what was imported of the former store form the newest, and demand it from then on.

        Who imports an export vouches for it: it is their own, and was not changed since.
        """

        def ask(name: str, body: Any) -> dict[str, Any]:
            answer = wire.post_json(host.app(name), body)
            if not answer.ok:
                raise Refused(f"{name} answered {answer.status}: the store keeps its form")
            return dict(json.loads(answer.body))

        if SIGN not in host.endpoints:
            return
        try:
            with self.log.waiting("import", "migrating the store"):
                told = migration.whole(ask)
        except Refused as refused:  # the next start of a worker tries again
            self.log.fault("import", str(refused))
            return
        self.state.note_form(FORM)
        os.environ.update(self._environment())
        host.renew()
        self.log.note("import", told, mark="✔")

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
            "exports": bool(self.options.export),
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
            "CE_STORE_FORM": self.form or str(self.state.form()),
        }


def _said(body: bytes) -> str:
    """Give what an answer says: the messages of an error of ours, or how any other begins."""
    with suppress(ValueError, LookupError, TypeError):
        return " ".join(str(error["message"]) for error in json.loads(body)["errors"])
    return body.decode(errors="replace").strip()[:300]


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
