"""The `migrate` command, and what an import of the former store form goes through.

It lists what the functions would vouch for, and what they will not, and hands back what was said
yes to; they decide what that is. It must never vouch for what was not listed.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from emulator import RESEAL, SIGN, VOUCH, Refused, commands
from emulator.log import say
from emulator.state import FORM, State

Ask = Callable[[str, Any], dict[str, Any]]  # calls a private function by its name
BATCH = 20  # of what is rewritten with one call
ODD = ("changed", "failed", "refused")  # of what was not rewritten
WHAT = {SIGN: "API keys", RESEAL: "values", VOUCH: "projects"}


def found(ask: Ask, name: str) -> tuple[list[dict[str, Any]], list[str]]:
    """List all that has the former form, and the paths of what is refused, page by page."""
    items: list[dict[str, Any]] = []
    refused: list[str] = []
    start: dict[str, str] = {}
    while True:
        page = ask(name, {"step": "list", **start})
        items += page["found"]
        refused += page["refused"]
        if page.get("next") is None:
            return items, refused
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
    counts = {}
    for name in WHAT:
        items, refused = found(ask, name)
        counts[name] = rewritten(ask, name, items) + Counter(refused=len(refused))
    return f"{_told(counts)} of the former store form"


def run(state: State, *, yes: bool) -> int:
    """Show what would be vouched for, wait for a yes, and migrate the running host's store."""

    def ask(name: str, body: Any) -> dict[str, Any]:
        return dict(commands.ask(state, "POST", f"/functions/{name}", body))

    form = ask(SIGN, {"step": "list"})["form"]
    items = {name: _shown(what, *found(ask, name)) for name, what in WHAT.items()}
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
        left = sum(len(found(ask, name)[0]) for name in WHAT)
        failed = sum(count["failed"] for count in counts.values())
        if left > failed:
            say(f"{left} still have the former form: run this again, and see the host's log.")
            return 1
        if left:
            say(f"{left} cannot be read, as the host's log says, and stay refused.")
    state.write("form.json", {"form": FORM})
    say(f"Nothing has the former store form: CE_STORE_FORM may be {FORM}, which refuses it.")
    return 0


def _shown(what: str, items: list[dict[str, Any]], refused: list[str]) -> list[dict[str, Any]]:
    """Show what would be vouched for, and what cannot be; give the first."""
    for item in items:
        about = {key: value for key, value in item["about"].items() if value is not None}
        further = f" and {item['further']} further members" if item.get("further") else ""
        say(f"{what[:-1]}  {_plain(item['path'])[1:-1]}  {_plain(about)}{further}")
    for path in refused:
        never = f"not vouched for: it does not hold, and form {FORM} refuses it"
        say(f"{what[:-1]}  {_plain(path)[1:-1]}  {never}")
    return items


def _plain(told: Any) -> str:
    """Write in ASCII what whoever wrote the database chose, and a terminal is to show."""
    return json.dumps(told).replace("\x7f", "\\u007f")


def _confirmed(items: dict[str, list[Any]]) -> bool:
    if not sys.stdin.isatty():
        raise Refused("This vouches for all of the above: say so with --yes.")
    counts = [f"{len(items[name])} {what}" for name, what in WHAT.items()]
    sys.stdout.write(f"Vouch for these {_and(counts)}? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _told(counts: dict[str, Counter[str]]) -> str:
    said = []
    for name, what in WHAT.items():
        odd = {word: n for word in ODD if (n := counts[name][word])}
        more = f" ({', '.join(f'{n} {word}' for word, n in odd.items())})" if odd else ""
        said.append(f"{counts[name]['rewritten']} {what}{more}")
    return f"migrated {_and(said)}"


def _and(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"
