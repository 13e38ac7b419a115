"""What is said and asked where something ends for good: other words than where it can come back."""

import re
import sys
from contextlib import suppress
from shlex import quote

from ce.call import Call
from ce.server import Declined, Doc, Failure, path
from ce.text import emit, hints, safe, short_date, typed
from ce.verbs.dialog import waits

HELD = re.compile(r"([a-z_]+)=([1-9][0-9]*)")  # in the header that says it
NOBODY = "Nobody can bring it back then, whoever operates the server included."
NO_TERMINAL = "Nothing was done: that is asked on a terminal alone; --force does not ask."


def which(name: str, identity: str) -> str:
    """Give the option that picks a project, for a shell; a name shown escaped cannot be pasted."""
    return f"--name {quote(name)}" if safe(name) == name else f"--id {quote(identity)}"


def confirm(call: Call, doc: Doc, *loss: str) -> None:
    """Say what is lost, and ask for the name. Raises Declined for anything else."""
    if call["force"]:
        return
    for line in loss:
        note(line)
    if not sys.stdin.isatty():
        note(NO_TERMINAL)
        raise Declined
    word = doc["name"] if safe(doc["name"]) == doc["name"] else doc["id"]
    if not typed(f"Type {word} to delete it for good> ", word):
        raise Declined


def note(line: str) -> None:
    """Say something beside the transcript, in a line on standard error."""
    emit(f"{hints(line)}\n", error=True)


def holds(call: Call, project: Doc) -> str:
    """Tell how many of each kind a project holds, in words; "" where that is not told."""
    try:
        call.client.get(path("projects", project["id"], "status_details"))
    except Failure:  # who may destroy it need not be one who may look at it
        return ""
    told = call.client.told.get("holds")
    if told is None:
        return ""
    found = (f"{count} {_kind(kind, count)}" for kind, count in HELD.findall(told))
    return ", ".join(found) or "nothing"


def losing(project: Doc, held: str) -> tuple[str, str]:
    """Say what goes with a project, and that it does not come back."""
    what = held or "what this server does not tell you"
    return f"Project '{project['name']}' holds {what}. All of it is destroyed with it.", NOBODY


def destroyed(call: Call, project: Doc, held: str) -> None:
    """Say what is destroyed."""
    is_now = "is destroyed for good" if waits(call) else "is being destroyed for good"
    note(f"Project '{project['name']}' {is_now}{f', with {held}' if held else ''}.")


def deleted(call: Call, project: Doc) -> None:
    """Say until when a deleted project can come back, and by what.

    With --force two lines are all there is, and in a log of a script they are the documented ones.
    """
    if call["force"] and not sys.stderr.isatty():
        return
    until = ""
    with suppress(Failure):
        for found in call.client.reclamations(resource_instance_id=project["id"]):
            until = f"Until {short_date(found['target_time'])} " if "target_time" in found else ""
    back = f"`ce project restore {which(project['name'], project['id'])}`"
    note(f"{until}{back} takes it back." if until else f"{back} takes it back.")


def _kind(collection: str, count: str) -> str:
    kinds = collection.replace("_", " ")
    return kinds.removesuffix("s") if count == "1" else kinds
