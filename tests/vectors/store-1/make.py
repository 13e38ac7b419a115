"""How `export/` and `values.json` were made: by version 0.1.0, through `ce` and the API alone.

    git checkout 7939895 && make setup    # 0.1.0, from before any change of what is stored
    .venv/bin/python make.py FOLDER       # with its two files beside it; half a minute

It was run once, and stands here to be read; a later version would make another form. It plays on
two hosts, one after the other, for a host is of one region: the second imports what the first
exported. What each answer said is kept in `values.json`: a test must find it again.
"""

import json
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import contents
from callers import ENDPOINT, PROBES, Account, Host, another, first

ABOUT = (
    "What version 0.1.0 told of the export beside this file. Every value, key and name was made "
    "up for it and opens nothing else."
)


def begin(host: Host, one: Account, two: Account) -> None:
    """Make what is destroyed by the time of the export, and what was taken back."""
    for label in ("restored", "destroyed", "reclaimed"):
        one.project(label)
    two.project("destroyed")
    one.note("restored")
    for account in (one, two):
        account.delete("destroyed")
    one.act("reclaimed", "reclaim")
    one.gone("reclaimed")
    host.ce("clock", "advance", "3d")
    one.delete("restored")
    one.act("restored", "restore")
    host.ce("clock", "advance", "4d")  # the schedule destroys what is due
    for account in (one, two):
        account.gone("destroyed")


def go_on(host: Host, one: Account, two: Account) -> None:
    """Make what is there at the export; half of it under a key-encryption key that is old."""
    for label, name in (("early", ""), ("late", ""), ("leaving", ""), ("again", "destroyed")):
        one.project(label, name)
    one.fill("early")
    listed = host.hub("POST", "/functions/rotateKeys", {"step": "list"})
    host.hub("POST", "/functions/rotateKeys", {"step": "add", "kek": listed["current"]})
    for account in (one, two):
        account.project("shop")
        account.fill("shop")
        account.project("empty")
        account.ask("DELETE", account.path("empty", "secrets/only"))
        account.note("shop", "empty")
    one.large("shop")
    two.project("early")
    one.note("early", "late", "leaving", "again", "shop")
    two.note("early")
    for account in (one, two):
        account.delete("early")
    host.ce("clock", "advance", "2d")
    one.delete("late")
    host.ce("triggers", "hold")  # the event is lost: a purge that has begun, and not gone on
    one.act("leaving", "reclaim")
    host.ce("triggers", "drop")


def keys(one: Account, two: Account) -> None:
    """Make further keys."""
    one.key("viewer", "viewer", "reader")
    one.key("editor", "editor", "writer")
    one.key("operator", "operator")
    one.key("purger", "viewer", "purge")
    one.key("manager", "manager", description="fake: no platform role")
    shop = one.projects["shop"]["id"]
    one.key("of the shop", "administrator", "manager", project_id=shop)
    one.key("until 2999", "viewer", "reader", expires_at="2999-12-31T23:59:59Z")
    soon = datetime.now(UTC) + timedelta(seconds=3)
    one.key("expired", "administrator", "manager", expires_at=soon.isoformat())
    two.key("reader", "viewer", "reader")
    time.sleep(4)


def short(value: Any) -> Any:
    """Give a value as it is kept: times as text, a large text as what it repeats."""
    match value:
        case dict():
            return {name: short(item) for name, item in sorted(value.items())}
        case list():
            return [short(item) for item in value]
        case datetime():
            return value.isoformat()
        case str() if len(value) > 10_000:
            assert value == contents.LINE * contents.LINES
            return {"repeat": contents.LINE, "times": contents.LINES}
    return value


def audited(host: Host) -> dict[str, dict[str, int]]:
    """Count the audit entries, by project and action."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in host.documents("audit").values():
        found[str(entry["project_id"])][entry["action"]] += 1
    return {project: dict(counts) for project, counts in found.items()}


def told(host: Host, one: Account, two: Account) -> dict[str, Any]:
    """Give what a test must find in the export."""
    return {
        "about": ABOUT,
        "endpoint": ENDPOINT,
        "probes": PROBES,
        "accounts": {"one": one.told(), "two": two.told()},
        "tombstones": host.documents("tombstones"),
        "regions": host.documents("regions"),
        "audit": audited(host),
    }


def play(host: Host, abroad: Path, export: Path) -> dict[str, Any]:
    """Play it all, export it, and give what a test must find."""
    with host.running("eu-de"):
        one = first(host)
        one.project("abroad")
        one.note("abroad")
        host.ce("export", str(abroad))
    with host.running("us-south", "--import", str(abroad)):
        two = another(host)
        begin(host, one, two)
        go_on(host, one, two)
        keys(one, two)
        host.ce("schedule", "pause")
        clock = host.hub("GET", "/clock")
        host.ce("export", str(export))
        return {"clock": clock["offset"], "now": clock["now"], **told(host, one, two)}


def main() -> None:
    """Write `export/` and `values.json` to a folder."""
    folder = Path(sys.argv[1]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    leading = ("CE_", "CODE_ENGINE_", "FIRESTORE_")  # to a host that a shell was given
    for name in [name for name in os.environ if name.startswith(leading)]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as home:
        found = play(Host(Path(home)), Path(home, "abroad"), folder / "export")
    text = json.dumps(short(found), indent=1, ensure_ascii=True)
    (folder / "values.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
