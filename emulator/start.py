"""The `start` command: takes the ports, starts Firestore, wires the host, says it is ready.

Everything that can be refused is refused before anything runs. It must never run against a
project that could be real.
"""

import io
import os
import re
import resource
import signal
import socket
import sys
import time
from contextlib import ExitStack, nullcontext

from emulator import (
    Refused,
    exports,
    firestore,
    hosting,
    imports,
    manifest,
    ports,
    server,
    shell,
)
from emulator.log import LEVELS, Log, libraries
from emulator.running import Options, Running
from emulator.state import COPY, FORM, HUB, State

PROJECT = re.compile(r"demo-[a-z0-9-]{1,25}")


def run(options: Options, state: State, log: Log) -> int:
    """Host everything until stopped; the exit code."""
    if not PROJECT.fullmatch(options.project):
        raise Refused(f"Project {options.project!r} may be real: a local one begins with 'demo-'.")
    level = os.environ.get("CE_LOG_LEVEL", "").lower()
    if level and level not in LEVELS:
        raise Refused(f"CE_LOG_LEVEL is one of {', '.join(sorted(LEVELS))}.")
    endpoints = manifest.read(options.root)
    public = {endpoint.name for endpoint in endpoints if endpoint.public}
    site = hosting.read(options.root, public.__contains__)
    began = time.monotonic()
    _settle_in(level)
    with ExitStack() as last:
        state.prepare()
        last.enter_context(state.held())
        state.drop(HUB)
        last.callback(state.drop, HUB)
        _give_up(state, log)  # what was killed before
        last.callback(_give_up, state, log)
        _disown(state, log)
        found = _exported(options, state)
        bound = _bind(options)
        log.note("emulators", f"project {options.project} - nothing leaves this machine")
        if (moved := ports.number(bound["hosting"])) != options.hosting_port != 0:
            log.note("hosting", f"port {options.hosting_port} is taken, using {moved}")
        store = _firestore(options, state, ports.number(bound["hub"]), log, found)
        last.callback(store.stop)
        addresses = _addresses(bound, store)
        form = os.environ.get("CE_STORE_FORM", "")
        running = Running(options, state, log, store, addresses, endpoints, site, began, form)
        running.prepare()
        sockets = list(bound.values())
        code = server.serve(
            sockets, options.threads, running.boot, store, log, running.deaths, level
        )
        log.clear()  # a worker that was stopped while it waited left its spinner
        if not store.alive():
            if state.read(HUB) is None:
                raise store.ended()
            log.fault("firestore", f"ended by itself: see {state.folder / 'firestore.log'}")
        elif code == 0 and options.export:
            code = _export(options, state, store, log)
        elif code and found and state.read(HUB) is None:
            raise Refused(f"Nothing of {found.folder} was imported: the host did not get ready.")
    log.note("emulators", "stopped")
    return code


def _settle_in(level: str) -> None:
    """Give the process the signals, the output and the limits of a host."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: sys.exit(0))  # the terminal was closed
    if level:
        libraries(level)
    # What crashes, Firestore included, leaves no picture of its memory behind.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what functions print appears in time


def _export(options: Options, state: State, store: firestore.Firestore, log: Log) -> int:
    """Export what there is after the last request; nothing that changes it runs any more."""
    assert options.export is not None  # noqa: S101 - for the type checker
    if state.read(HUB) is None:
        log.note("export", "the host was not ready yet: nothing was exported")
        return 0
    try:
        with log.waiting("export", f"writing {options.export}"):
            exports.write(options.export, state, store, options.project, nullcontext())
    except Refused as refused:
        log.fault("export", str(refused))
        return 1
    log.note("export", f"{options.export} is written. {exports.HOLDS_KEYS}", mark="✔")
    return 0


def _give_up(state: State, log: Log) -> None:
    """Undo an import that did not end."""
    if state.put_back():
        log.note("import", "it did not end: all that was kept before it is back")


def _exported(options: Options, state: State) -> imports.Export | None:
    """Check what shall be imported, and whether what shall be exported can be."""
    if options.data or options.export:
        ours = "FIRESTORE_EMULATOR_HOST" not in os.environ
        exports.refuse_kept_elsewhere(state, own_firestore=ours)
    if options.export:
        exports.refuse_within(options.export, state)
        exports.check_place(options.export)
    if options.data is None:
        return None
    return imports.take(options.data, options.project, state.folder / COPY)


def _disown(state: State, log: Log) -> None:
    """Ignore what a host left in the shell: another one's is not ours, and its own is of before."""
    found = shell.disown(state)
    if found and found.names:
        whose = "a former host" if found.folder == state.folder else "another host"
        log.note("emulators", f"ignoring what {whose} exported: {', '.join(found.names)}")


def _bind(options: Options) -> dict[str, socket.socket]:
    bound = {
        "functions": ports.bind(options.functions_port, "functions", "--functions-port"),
        "hub": ports.bind(options.hub_port, "the hub", "--hub-port"),
    }
    return bound | {"hosting": ports.bind_next(options.hosting_port)}


def _firestore(
    options: Options, state: State, hub: int, log: Log, found: imports.Export | None
) -> firestore.Firestore:
    if address := os.environ.get("FIRESTORE_EMULATOR_HOST"):
        log.note(
            "firestore",
            f"using {address}; events need it to have been started with "
            f"--functions_emulator=127.0.0.1:{hub}",
        )
        state.note_form()
        if log.quiet:
            sys.stderr.write(f"The Firestore at {address} is used, and none of this host's own.\n")
        return firestore.external(address)
    port = ports.check(options.firestore_port, "Firestore", "--firestore-port")
    rules, data = hosting.rules(options.root), found.data if found else None
    if found:
        state.keep(found.kept)
        log.note(
            "import", f"{found.folder}, made {found.made_at}: what was destroyed since is back"
        )
    else:
        state.forget(keys="CE_KEY_STORE" not in os.environ)  # Firestore's own data was in memory
        state.note_form(FORM)  # of an empty store
    log_file = state.folder / "firestore.log"
    store = firestore.launch(port, f"127.0.0.1:{hub}", log_file, log, rules, data)
    store.begins = found.folder if found else None
    return store


def _addresses(bound: dict[str, socket.socket], store: firestore.Firestore) -> dict[str, str]:
    found = {name: f"127.0.0.1:{ports.number(bound[name])}" for name in ("hosting", "functions")}
    return found | {"firestore": store.address, "hub": f"127.0.0.1:{ports.number(bound['hub'])}"}
