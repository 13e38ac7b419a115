"""Loads every function of the manifest into one process, and again when a file changes.

A file that does not load leaves what served before in place. It must never let one function
take another down.
"""

import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import functions_framework
from functions_framework import _function_registry

from emulator import manifest, wire
from emulator.gate import Gate
from emulator.log import Log
from emulator.manifest import Endpoint

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BINDS = "functions"  # imports what is watched beside it, and is never imported by it
WATCHED = (BINDS, "shared")
POLL = 0.3  # seconds


@dataclass(frozen=True)
class Fault:
    """Why the functions do not load, and where."""

    file: Path
    where: str
    why: str


@dataclass(frozen=True)
class Table:
    """The functions being served; replaced whole, never changed."""

    apps: dict[str, "WSGIApplication"] = field(default_factory=dict)
    homes: dict[str, Path] = field(default_factory=dict)
    broken: dict[str, Fault] = field(default_factory=dict)


class Host:
    """The functions of one repository, each a WSGI app."""

    def __init__(self, root: Path, endpoints: list[Endpoint], log: Log) -> None:
        self.root = root
        self.endpoints = {endpoint.name: endpoint for endpoint in endpoints}
        self.gate = Gate()  # all calls of functions pass it
        self._log = log
        self._table = Table()
        self._seen: dict[Path, int] = {}
        self._stale: set[str] = set()  # folders that have changed since what is served was loaded

    def app(self, name: str) -> "WSGIApplication":
        """Give the function's app, or one that says why the function does not load."""
        table = self._table
        if fault := table.broken.get(name):
            return wire.error(500, "internal", f"{name} does not load: see {fault.where}.")
        return table.apps[name]

    def public(self, name: str) -> bool:
        """Whether callers on the hosting and functions ports may know of the function."""
        return name in self.endpoints and self.endpoints[name].public

    def load(self) -> Fault | None:
        """Load all functions anew and serve them; on a fault go on with what served before."""
        seen = dict(self._files())  # what changes from here on, even meanwhile, loads again
        self._stale |= {self._folder(path) for path, _ in self._seen.items() ^ seen.items()}
        self._seen = seen
        previous = self._modules()
        # The first time, what whoever started us has imported (and wrapped, for a test) stays.
        for name, module in previous.items() if self._table.apps else ():
            if self._folder(Path(str(module.__file__))) in self._stale | {BINDS}:
                del sys.modules[name]
        apps = {}
        try:
            for endpoint in self.endpoints.values():
                apps[endpoint.name] = _guarded(self._load(endpoint), self.gate)
        except (Exception, SystemExit) as problem:  # noqa: BLE001 - the user's file may do anything
            for name in self._modules():
                del sys.modules[name]
            sys.modules.update(previous)
            fault, old = self._fault(problem), self._table
            broken = {
                name: fault
                for name in self.endpoints
                if name not in old.apps or old.homes[name] == fault.file
            }
            self._table = Table(old.apps, old.homes, broken)
            return fault
        self._table = Table(apps, self._homes())
        self._stale.clear()
        return None

    def renew(self) -> Fault | None:
        """Load all functions anew, so that they read their settings again."""
        self._stale |= set(WATCHED)
        return self.load()

    def watch(self) -> None:
        """Reload on change, for as long as the process lives."""
        threading.Thread(target=self._watch, name="reload", daemon=True).start()

    def _load(self, endpoint: Endpoint) -> "WSGIApplication":
        # The framework remembers the last function's type here, and would give it to the next.
        os.environ.pop(_function_registry.FUNCTION_SIGNATURE_TYPE, None)
        path = list(sys.path)
        try:
            create_app: Any = functions_framework.create_app  # it has no types
            app: WSGIApplication = create_app(
                target=endpoint.entry_point, source=str(self.root / "functions" / "main.py")
            )
        finally:
            sys.path[:] = path  # it appends functions/ once a function
        return app

    def _homes(self) -> dict[str, Path]:
        """Find the file that defines each function; main.py only passes names on."""
        modules, homes = self._modules(), {}
        main = modules.pop("main", None)
        for endpoint in self.endpoints.values():
            function = getattr(main, endpoint.entry_point)
            home = (m for m in modules.values() if getattr(m, endpoint.entry_point, 0) is function)
            homes[endpoint.name] = Path(str(getattr(next(home, main), "__file__", None)))
        return homes

    def _modules(self) -> dict[str, ModuleType]:
        folders = [str(self.root / folder) + os.sep for folder in WATCHED]
        return {
            name: module
            for name, module in list(sys.modules.items())
            if any(str(getattr(module, "__file__", None)).startswith(path) for path in folders)
        }

    def _folder(self, path: Path) -> str:
        return path.relative_to(self.root).parts[0]

    def _fault(self, problem: BaseException) -> Fault:
        file, line = str(self.root / "functions" / "main.py"), 0
        for frame in traceback.extract_tb(problem.__traceback__):
            if any(Path(frame.filename).is_relative_to(self.root / name) for name in WATCHED):
                file, line = frame.filename, frame.lineno or 0
        message: Any = problem
        if isinstance(problem, SyntaxError) and problem.filename:
            file, line, message = problem.filename, problem.lineno or 0, problem.msg
        shown = Path(file).relative_to(self.root) if Path(file).is_relative_to(self.root) else file
        return Fault(Path(file), f"{shown}:{line}", f"{type(problem).__name__}: {message}")

    def _watch(self) -> None:
        while True:
            time.sleep(POLL)
            if not (changed := self._seen.items() ^ dict(self._files()).items()):
                continue
            names = {path.name for path, _ in changed}
            if manifest.FILE in names:
                self._log.note("functions", f"{manifest.FILE} changed: start anew for it to count")
            self._reload(", ".join(sorted(name.partition(".")[0] for name in names)))

    def _reload(self, changed: str) -> None:
        # Two saves within a second look alike to a .pyc file, so reloads neither write one.
        sys.dont_write_bytecode = True
        started = time.monotonic()
        if fault := self.load():
            self._log.fault("functions", f"{fault.where}  {fault.why}")
        else:
            spent = round((time.monotonic() - started) * 1000)
            self._log.note("functions", f"reloaded {changed} in {spent}ms", mark="✔")

    def _files(self) -> Iterator[tuple[Path, int]]:
        for folder in WATCHED:
            for path in (self.root / folder).rglob("*"):
                if path.suffix in {".py", ".json"} or path.name == manifest.FILE:
                    try:
                        yield path, path.stat().st_mtime_ns
                    except FileNotFoundError:
                        continue


def _guarded(app: "WSGIApplication", gate: Gate) -> "WSGIApplication":
    """Keep a function from ending the host by its exit, and out while somebody is alone."""

    def run(environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        try:
            with gate.shared():
                return app(environ, start_response)
        except SystemExit:
            answer = wire.error(500, "internal", "The function tried to exit.")
            return answer(environ, start_response)

    return run
