"""What has become of the selected project: asked for where a target is shown, and never required.

A target is looked at when something is wrong too: nobody waits long for this, and a server that
does not answer is no failure here.
"""

from typing import Any

from ce.call import Call
from ce.server import Client, Doc, Failure, path, target
from ce.text import words

PATIENCE = (2, 5)  # seconds to connect, to answer
MISSING = "Resource not found. "  # how the server begins to tell of what is gone


def told(where: target.Target, shown: Doc) -> Doc:
    """Add to a target what its project is now; it asks nobody where none has an id yet."""
    project = shown.get("project") or {}
    if not (identity := project.get("id")):
        return shown
    return {**shown, "project": {**project, **_now(where, identity)}}


def _now(where: target.Target, identity: str) -> dict[str, Any]:
    """Give `status`, and `until` where it is soft deleted; `reason` where it could not be told."""
    client = Client(where, PATIENCE)
    try:
        status = str(client.get(path("projects", identity)).get("status", "unknown"))
        if status != "soft_deleted":
            return {"status": status}
        (found, *_) = client.reclamations(resource_instance_id=identity) or [{}]
        return {"status": status, "until": found.get("target_time", "")}
    except Failure as failure:
        status = "not_found" if failure.status == 404 else "unknown"
        return {"status": status, "reason": " ".join(failure.messages)}


def in_words(_call: Call, shown: Doc) -> str | None:
    """Say what a selected project is now; why, where there is none any more."""
    project = shown.get("project") or {}
    if not (status := project.get("status")):
        return None
    reason, until = project.get("reason", ""), project.get("until")
    if status == "not_found" and reason.startswith(MISSING):
        return str(reason.removeprefix(MISSING))
    return words(status) + (f" until {until}" if until else f": {reason}" if reason else "")
