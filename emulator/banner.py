"""What `start` says when everything is ready.

It must never show the API key: the CLI finds it by itself.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from emulator.manifest import Event, Http, Schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emulator.manifest import Endpoint

KINDS = {Http: "http", Event: "event", Schedule: "schedule"}


def loaded(endpoints: Sequence[Endpoint], started: float) -> str:
    """Say how many functions there are, and how long they took."""
    kinds = Counter(KINDS[type(endpoint.trigger)] for endpoint in endpoints)
    each = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    spent = time.monotonic() - started
    return f"{len(endpoints)} ({each}) loaded in {spent:.1f}s, reloading on change"


def ready(addresses: dict[str, str]) -> str:
    """Everything a newcomer needs next."""
    places = [(name.capitalize(), addresses[name]) for name in ("hosting", "functions")]
    places.append(("Firestore", addresses["firestore"]))
    host, _, port = addresses["hub"].rpartition(":")
    return "\n".join(
        [
            "",
            *_box(
                "✔  All emulators ready! It is now safe to connect your app.",
                f"i  Console and API  http://{addresses['hosting']}",
            ),
            *_table([("Emulator", "Host:Port"), *places]),
            f"  Emulator Hub host: {host} port: {port}",
            "",
            "Use it from another terminal:",
            '    eval "$(ce emulator env)"    # CODE_ENGINE_*, IBMCLOUD_*, ...',
            "    ce project create --name demo",
            "Press Ctrl-C to stop. Data lives in memory; the API key is kept.",
            "",
        ]
    )


def _box(*lines: str) -> list[str]:
    wide = max(map(len, lines))
    rows = [f"│ {line:<{wide}} │" for line in lines]
    return [f"┌{'─' * (wide + 2)}┐", *rows, f"└{'─' * (wide + 2)}┘"]


def _table(rows: Sequence[tuple[str, str]]) -> list[str]:
    left, right = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [f"│ {name:<{left}} │ {place:<{right}} │" for name, place in rows]
    edges = [f"{a}{'─' * (left + 2)}{b}{'─' * (right + 2)}{c}" for a, b, c in ("┌┬┐", "├┼┤", "└┴┘")]
    return [edges[0], lines[0], edges[1], *lines[1:], edges[2]]
