"""Reads functions/functions.yaml, Firebase's own manifest: what is deployed, and its trigger.

Whatever this host does not support is refused by name; it must never guess or skip.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from cronsim import CronSim, CronSimError

from emulator import Refused, files

FIRESTORE = "google.cloud.firestore.document.v1."
EVENTS = {FIRESTORE + verb for verb in ("written", "created", "updated", "deleted")}
FILE = "functions.yaml"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


@dataclass(frozen=True)
class Http:
    """Called over HTTP; a private one only from the hub."""

    private: bool


@dataclass(frozen=True)
class Event:
    """Called when a document changes."""

    type: str
    database: str
    namespace: str
    document: str
    match: str
    retry: bool


@dataclass(frozen=True)
class Schedule:
    """Called by the clock."""

    cron: str
    zone: str
    retries: int


@dataclass(frozen=True)
class Endpoint:
    """One deployed function."""

    name: str
    entry_point: str
    regions: tuple[str, ...]
    trigger: Http | Event | Schedule

    @property
    def public(self) -> bool:
        """Whether it may be reached on the hosting and functions ports."""
        return self.kind == "http"

    @property
    def kind(self) -> str:
        """What it is called in the terminal: http, private, event or schedule."""
        private = isinstance(self.trigger, Http) and self.trigger.private
        return "private" if private else type(self.trigger).__name__.lower()


def read(root: Path) -> list[Endpoint]:
    """Every function that functions.yaml deploys."""
    path = root / "functions" / FILE
    with files.formed(path):
        return _read(path)


def _read(path: Path) -> list[Endpoint]:
    try:
        manifest = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise Refused(f"{path} does not exist: give the repository with --root.") from None
    except yaml.YAMLError as problem:
        raise Refused(f"{path} is no YAML: {' '.join(str(problem).split())}") from None
    if not isinstance(manifest, dict) or manifest.get("specVersion") != "v1alpha1":
        raise Refused(f"{path} must say specVersion v1alpha1.")
    return [_endpoint(name, row) for name, row in (manifest.get("endpoints") or {}).items()]


def _endpoint(name: Any, row: dict[str, Any]) -> Endpoint:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise Refused(f"{name!r} is no name for a function.")
    if row.get("platform", "gcfv2") != "gcfv2":
        raise Refused(f"{name}: platform {row['platform']} is not supported here, only gcfv2.")
    triggers = [key for key in row if key.endswith("Trigger")]
    if len(triggers) != 1 or triggers[0] not in _READERS:
        raise Refused(
            f"{name}: trigger {' and '.join(triggers) or '(none)'} is not supported here, "
            f"only one of {', '.join(_READERS)}."
        )
    region = row.get("region", ["us-central1"])
    return Endpoint(
        name=name,
        entry_point=row["entryPoint"],
        regions=(region,) if isinstance(region, str) else tuple(region),
        trigger=_READERS[triggers[0]](name, row[triggers[0]] or {}),
    )


def _http(name: str, row: dict[str, Any]) -> Http:
    _only(name, "httpsTrigger", row, {"invoker"})
    invoker = row.get("invoker", ["public"])
    if invoker not in (["public"], ["private"], "public", "private"):
        raise Refused(f"{name}: invoker {invoker} is not supported here, only public or private.")
    return Http(private="private" in invoker)


def _event(name: str, row: dict[str, Any]) -> Event:
    known = {"eventType", "eventFilters", "eventFilterPathPatterns", "retry", "region"}
    _only(name, "eventTrigger", row, known)
    if row.get("eventType") not in EVENTS:
        raise Refused(f"{name}: event type {row.get('eventType')} is not supported here.")
    exact, patterns = row.get("eventFilters") or {}, row.get("eventFilterPathPatterns") or {}
    _only(name, "eventFilters", exact, {"database", "namespace", "document"})
    _only(name, "eventFilterPathPatterns", patterns, {"document"})
    documents = [filters["document"] for filters in (exact, patterns) if "document" in filters]
    if len(documents) != 1:
        raise Refused(f"{name}: the trigger must name one document or one pattern of documents.")
    return Event(
        type=row["eventType"],
        database=exact.get("database", "(default)"),
        namespace=exact.get("namespace", "(default)"),
        document=documents[0],
        match="PATH_PATTERN" if patterns else "EXACT",
        retry=row.get("retry", False),
    )


def _schedule(name: str, row: dict[str, Any]) -> Schedule:
    _only(name, "scheduleTrigger", row, {"schedule", "timeZone", "retryConfig"})
    cron, zone = str(row.get("schedule")), row.get("timeZone") or "Etc/UTC"
    if not _five_fields(cron):
        raise Refused(f"{name}: schedule {cron!r} is not supported here, only five cron fields.")
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise Refused(f"{name}: there is no time zone {zone!r}.") from None
    retry = row.get("retryConfig") or {}
    _only(name, "retryConfig", retry, {"retryCount"})
    return Schedule(cron, zone, retry.get("retryCount", 0))


def _five_fields(cron: str) -> bool:
    try:
        next(CronSim(cron, datetime.now(UTC)))
    except (CronSimError, StopIteration):
        return False
    return len(cron.split()) == 5


def _only(name: str, where: str, row: dict[str, Any], known: set[str]) -> None:
    if unknown := sorted(row.keys() - known):
        raise Refused(f"{name}: {where}.{unknown[0]} is not supported here.")


_READERS: dict[str, Callable[[str, dict[str, Any]], Http | Event | Schedule]] = {
    "httpsTrigger": _http,
    "eventTrigger": _event,
    "scheduleTrigger": _schedule,
}
