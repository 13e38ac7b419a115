"""The `migrate` command, and what an import of the former store form goes through.

It lists what the functions would vouch for, and hands back what was said yes to; they decide what
that is. It must never vouch for what was not listed.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from emulator import RESEAL, SIGN, Refused, commands
from emulator.log import say
from emulator.state import FORM, State

Ask = Callable[[str, Any], dict[str, Any]]  # calls a private function by its name
BATCH = 20  # of what is rewritten with one call
WHAT = {SIGN: "API keys", RESEAL: "values"}


def found(ask: Ask, name: str) -> list[dict[str, Any]]:
    """List all that has the former form, page by page."""
    items: list[dict[str, Any]] = []
    start: dict[str, str] = {}
    while True:
        page = ask(name, {"step": "list", **start})
        items += page["found"]
        if page.get("next") is None:
            return items
        start = {"start": page["next"]}


def rewritten(ask: Ask, name: str, items: list[dict[str, Any]]) -> Counter[str]:
    """Have all of it rewritten; count what became of each."""
    counts: Counter[str] = Counter()
    for at in range(0, len(items), BATCH):
        vouched = {item["path"]: item["digest"] for item in items[at : at + BATCH]}
        done = ask(name, {"step": "rewrite", "vouched": vouched})
        counts.update({word: n for word, n in done.items() if word != "form"})
    return counts


def whole(ask: Ask) -> str:
    """Migrate all there is, as an import does; say what was done."""
    counts = {name: rewritten(ask, name, found(ask, name)) for name in WHAT}
    return f"{_told(counts)} of the former store form"


def run(state: State, *, yes: bool) -> int:
    """Show what would be vouched for, wait for a yes, and migrate the running host's store."""

    def ask(name: str, body: Any) -> dict[str, Any]:
        return dict(commands.ask(state, "POST", f"/functions/{name}", body))

    form = ask(SIGN, {"step": "list"})["form"]
    items = {name: found(ask, name) for name in WHAT}
    for name, what in WHAT.items():
        for item in items[name]:
            # In ASCII: whoever wrote the database chose these texts, and a terminal shows them.
            about = {key: value for key, value in item["about"].items() if value is not None}
            say(f"{what[:-1]}  {json.dumps(item['path'])[1:-1]}  {json.dumps(about)}")
    if any(items.values()):
        if form == FORM:
            raise Refused(
                f"The store's form is {FORM}, and these are refused: they were planted, or the "
                f"form was raised too early. Start with CE_STORE_FORM={FORM - 1} to vouch for them."
            )
        if not yes and not _confirmed(items):
            say("Nothing was changed.")
            return 1
        counts = {name: rewritten(ask, name, items[name]) for name in WHAT}
        say(_told(counts))
        left = sum(len(found(ask, name)) for name in WHAT)
        failed = sum(count["failed"] for count in counts.values())
        if left > failed:
            say(f"{left} still have the former form: run this again, and see the host's log.")
            return 1
        if left:
            say(f"{left} cannot be read, as the host's log says, and stay refused.")
    state.write("form.json", {"form": FORM})
    say(f"Nothing has the former store form: CE_STORE_FORM may be {FORM}, which refuses it.")
    return 0


def _confirmed(items: dict[str, list[Any]]) -> bool:
    if not sys.stdin.isatty():
        raise Refused("This vouches for all of the above: say so with --yes.")
    counts = " and ".join(f"{len(items[name])} {what}" for name, what in WHAT.items())
    sys.stdout.write(f"Vouch for these {counts}? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _told(counts: dict[str, Counter[str]]) -> str:
    said = []
    for name, what in WHAT.items():
        odd = [f"{counts[name][word]} {word}" for word in ("changed", "failed")]
        more = f" ({', '.join(odd)})" if counts[name]["changed"] + counts[name]["failed"] else ""
        said.append(f"{counts[name]['rewritten']} {what}{more}")
    return f"migrated {' and '.join(said)}"
