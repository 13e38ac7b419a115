"""What the verbs of `audit` ask of the API: the account's trail, the oldest entry first."""

import re
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import click

from ce.call import Call
from ce.server import Doc, Failure, place
from ce.verbs import certificates, ending
from ce.verbs.dialog import say

ENTRIES = "/v1/audit_entries"
ACTION = "codeengine."  # what the API's actions begin with, and nobody types
INITIATOR = re.compile("[0-9a-f]{16}|retention")
MORE = "There are more: --since '{at}' goes on with the one that would follow."


def listing(call: Call) -> Doc:
    """List entries, page after page."""
    if call["limit"] == 0:
        raise click.UsageError("--limit: at least 1.")
    say(call)
    names = {one["id"]: one["name"] for one in call.client.pages("/projects", "projects")}
    asked = _asked(call, names)
    found = call.client.pages(ENTRIES, "audit_entries", **asked)
    limit, by = call["limit"], call["initiator"]
    if by is not None and "initiator" not in asked:
        found = (one for one in found if one.get("key_name") == by)
    shown = [*islice(found, limit)]
    more = next(found, None) if limit is not None else None
    if more is not None:
        ending.note(MORE.format(at=more["at"]))
    if call["output"]:
        return {"audit_entries": shown}
    return {"audit_entries": [{**one, "on": _on(one, names)} for one in shown]}


def _asked(call: Call, names: dict[str, str]) -> dict[str, str]:
    """Give the parameters of the list."""
    asked: dict[str, Any] = {"limit": "200", "project_id": _project(call, names)}
    for name in ("since", "until"):
        asked[name] = _moment(call, name)
    if (action := call["action"]) is not None:
        asked["action"] = ACTION + action.removeprefix(ACTION)
    if INITIATOR.fullmatch(call["initiator"] or ""):
        asked["initiator"] = call["initiator"]
    return {name: value for name, value in asked.items() if value is not None}


def _project(call: Call, names: dict[str, str]) -> str | None:
    """Give the id of the project asked for; of one that is destroyed, by its certificate."""
    wanted: str | None = call["project"]
    if wanted is None or place.ID.fullmatch(wanted):
        return wanted
    found = [id_ for id_, name in names.items() if name == wanted]
    if found:
        return found[0]
    gone = certificates.of_name(call, wanted)
    if len(gone) == 1:
        return str(gone[0]["project_id"])
    if gone:
        ids = ", ".join(f"'{one['project_id']}'" for one in gone)
        raise Failure(f"{len(gone)} destroyed projects had this name: give the ID, one of {ids}.")
    raise Failure(
        f"Project '{wanted}' was not found; 'ce project list' shows them all, 'ce certificate "
        "list' those that were destroyed.",
        status=404,
    )


def _moment(call: Call, name: str) -> str | None:
    """Give a time as the API takes it; a span is counted back from the server's own time."""
    value: timedelta | datetime | None = call[name]
    if value is None:
        return None
    try:
        time = call.client.now - value if isinstance(value, timedelta) else value
    except OverflowError:
        raise click.UsageError(f"--{name} is before all times.") from None
    # `%Y` would write a year before 1000 with fewer digits.
    return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _on(entry: Doc, names: dict[str, str]) -> str:
    """Say what an entry is about: resources, an API key, else the project."""
    about = [*entry.get("names", ()), *filter(None, [entry.get("granted", {}).get("name")])]
    project = entry.get("project_id")
    return ", ".join(about) or names.get(project or "", project or "")
