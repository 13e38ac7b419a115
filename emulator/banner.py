"""What `start` says when everything is ready.

It must never show the API key, which only `env` prints.
"""

import time
from collections import Counter
from collections.abc import Sequence

from emulator.commands import exports
from emulator.manifest import Endpoint


def loaded(endpoints: Sequence[Endpoint], started: float) -> str:
    """Say how many functions there are, and how long they took."""
    kinds = Counter(endpoint.kind for endpoint in endpoints)
    each = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    spent = time.monotonic() - started
    return f"{len(endpoints)} ({each}) loaded in {spent:.1f}s, reloading on change"


def ready(
    addresses: dict[str, str], environment: dict[str, str], spent: float, since_firestore: float
) -> str:
    """Everything a newcomer needs next; `spent` seconds since the start, and since Firestore."""
    places = [(name.capitalize(), addresses[name]) for name in ("hosting", "functions")]
    places.append(("Firestore", addresses["firestore"]))
    host, _, port = addresses["hub"].rpartition(":")
    return "\n".join(
        [
            "",
            *_box(
                "✔  All emulators ready! It is now safe to connect your app.",
                f"i  Ready in {spent:.1f}s, {since_firestore:.1f}s after Firestore answered",
                f"i  Console and API  http://{addresses['hosting']}   'ce open' signs you in",
            ),
            *_table([("Emulator", "Host:Port"), *places]),
            f"  Emulator Hub host: {host} port: {port}",
            "",
            "From another terminal 'ce project create --name demo' reaches it by itself.",
            "Other programs need these; 'ce emulator env' prints them too:",
            *(f"    {line}" for line in exports(environment)),
            "    # and CODE_ENGINE_APIKEY, which only 'ce emulator env' prints",
            "Press Ctrl-C to stop. Data lives in memory; the API key is kept.",
            "'ce emulator export DIR' keeps the data, 'start --import DIR' goes on with it.",
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
