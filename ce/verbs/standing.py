"""What has become of the project to act in: asked for where a target is shown, never required.

A target is looked at when something is wrong too: nobody waits long for this, and a server that
does not answer is no failure here.
"""

from typing import Any

from ce.call import Call
from ce.server import Client, Doc, Failure, path, place, target
from ce.text import words

PATIENCE = (2, 5)  # seconds to connect, to answer
MISSING = "Resource not found. "  # how the server begins to tell of what is gone
NONE = "there is no project of this name"
UNSET = "unset"


def known(where: target.Target) -> Doc | None:
    """Give the project as far as it is known; of a variable that is empty, that it is."""
    try:
        return place.known(where)
    except Failure as failure:
        if failure.messages != (place.EMPTY,):
            raise
        return {"from": place.VARIABLE, "status": UNSET, "reason": place.EMPTY}


def told(where: target.Target, shown: Doc) -> Doc:
    """Add to a target what its project is now; it asks nobody where none is named."""
    project = shown.get("project") or {}
    if not project or "status" in project:
        return shown
    return {**shown, "project": {**project, **_now(where, project)}}


def _now(where: target.Target, project: Doc) -> dict[str, Any]:
    """Give `status`, and `until` where it is soft deleted; `reason` where it could not be told.

    Of what has a name alone, `id` too.
    """
    client = Client(where, PATIENCE)
    if "id" not in project:
        try:
            found = place.looked_up(client, dict(project))
        except Failure as failure:
            missing = not failure.status and failure.messages[-1] == place.LIST
            status, reason = ("not_found", NONE) if missing else ("unknown", _reason(failure))
            return {"status": status, "reason": reason}
        return {"id": found["id"], **_status(client, found["id"])}
    return _status(client, project["id"])


def _status(client: Client, identity: str) -> dict[str, Any]:
    try:
        status = str(client.get(path("projects", identity)).get("status", "unknown"))
        if status != "soft_deleted":
            return {"status": status}
        (found, *_) = client.reclamations(resource_instance_id=identity) or [{}]
        return {"status": status, "until": found.get("target_time", "")}
    except Failure as failure:
        status = "not_found" if failure.status == 404 else "unknown"
        return {"status": status, "reason": _reason(failure)}


def _reason(failure: Failure) -> str:
    return " ".join(failure.messages)


def in_words(_call: Call, shown: Doc) -> str | None:
    """Say what a selected project is now; why, where there is none any more."""
    project = shown.get("project") or {}
    if not (status := project.get("status")):
        return None
    reason, until = project.get("reason", ""), project.get("until")
    if status == UNSET or reason == NONE:
        return str(reason)
    if status == "not_found" and reason.startswith(MISSING):
        return str(reason.removeprefix(MISSING))
    return words(status) + (f" until {until}" if until else f": {reason}" if reason else "")
