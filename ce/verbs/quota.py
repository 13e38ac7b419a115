"""What holds each project slot of a region, when each frees itself, and the commands for it.

The limit and the region are what the server says: nothing here has twenty built in, and no
deadline is computed here.
"""

from collections import Counter
from collections.abc import Mapping
from shlex import quote

from ce.call import Call
from ce.rows import as_table, date, seconds, text, worded
from ce.server import Client, Doc, Failure, target
from ce.text import short_date, words
from ce.verbs.dialog import say
from ce.verbs.ending import which

# By status: when it frees its slot by itself, the command to free it, and the one to keep it.
# Of a project in use that is the deletion that can be taken back: seven days it holds its slot on.
NEVER = ("never: it is in use", "ce project delete {which}", "")
RECLAIM = "ce reclamation delete {which}"
ENDS: Mapping[str, tuple[str, str, str]] = {
    "soft_deleted": ("{left}, at {date}", RECLAIM, "ce project restore {which}"),
    "hard_deleting": ("soon: it is being destroyed", "", ""),
    "hard_deletion_failed": ("soon: its destruction is tried again", RECLAIM, ""),
}
SOME = 5  # slots shown where a create is refused: what failed must stay in sight
NEXT = ("hard_deleting", "hard_deletion_failed", "soft_deleted")  # the order in which slots free


def get(call: Call) -> Doc:
    """List what holds the slots of the region."""
    say(call)
    call.client = Client(target.current(call["region"] or ""))
    return document(call)


def document(call: Call) -> Doc:
    """Give the slots as a document, the next to be free first."""
    client = call.client
    held = [*client.pages("/projects", "projects")]
    region, asked = client.told.get("region", client.target.region), call["region"]
    if asked and asked != region:
        raise Failure(
            f"{client.target.url} serves {region or 'one region, and does not say which'}, not "
            f"{asked}: 'ce profile use NAME' or 'ce login --url URL --profile NAME' goes to "
            "another address."
        )
    ends = {}
    if any(project["status"] == "soft_deleted" for project in held):
        found = (one for one in client.reclamations() if "target_time" in one)
        ends = {one["resource_instance_id"]: one["target_time"] for one in found}
    limit = client.told.get("project-slots", "")
    known = {"limit": int(limit), "free": max(0, int(limit) - len(held))} if limit else {}
    names = Counter(project["name"] for project in held)
    slots = sorted((_slot(project, names, ends) for project in held), key=_order)
    return {"region": region, "held": len(held), **known, "slots": slots}


def refusal(call: Call, failure: Failure) -> Failure:
    """Tell the refusal of a project for which there is no slot: what holds them."""
    try:
        found = document(call)
    except Failure:
        return failure  # who may create and not look is told what the server said
    if found.get("free"):
        said = "All project slots were held, and one has been freed since: run it again."
    else:
        said = f"No slot is free for a project in region {found['region']}: free one, or wait."
    told = failure.saying(said)
    told.code, told.detail = "", view(call, found | {"slots": found["slots"][:SOME]})
    if found["held"] > SOME:
        told.detail += f"\n\n'ce quota' shows all {found['held']}."
    return told


def taken(call: Call, failure: Failure) -> Failure:
    """Tell the refusal of a project's name: what frees it, if a deleted project holds it."""
    try:
        slots = document(call)["slots"]
    except Failure:
        return failure
    held = next((slot for slot in slots if slot["name"] == call["name"]), None)
    if held is None or held["status"] not in ENDS:
        return failure
    told = failure.saying(f"A project that is {words(held['status'])} holds this name.")
    told.code = ""
    ways = {
        "To take it back:                        ": held.get("restore"),
        "To destroy it for good, and free it:    ": held["command"],
    }
    told.detail = "\n".join(way + command for way, command in ways.items() if command)
    return told


def view(call: Call, found: Doc) -> str:
    """Show how many slots are held, and by what."""
    return f"{headline(found)}\n\n{SLOTS(call, found)}" if found["slots"] else headline(found)


def headline(found: Doc) -> str:
    """Say how many slots are held, and of how many where the server told."""
    where = f"region {found['region']}" if found["region"] else "this region"
    if "limit" in found:
        return f"Slots held in {where}: {found['held']} of {found['limit']}."
    return (
        f"Slots held in {where} that this key sees: {found['held']}. How many there are is told to "
        "a key of the whole account."
    )


def _slot(project: Doc, names: Mapping[str, int], ends: Mapping[str, str]) -> Doc:
    _, *commands = ENDS.get(project["status"], NEVER)
    command, restore = (line.format(which=_which(project, names)) for line in commands)
    frees = {"frees_at": ends[project["id"]]} if project["id"] in ends else {}
    kept = {key: project[key] for key in ("name", "id", "status", "created_at")}
    back = {"restore": restore} if restore else {}
    return {**kept, **frees, "command": command, **back}


def _which(project: Doc, names: Mapping[str, int]) -> str:
    """Give the option that picks a project, for a shell: its name, if that is its alone."""
    name, identity = project["name"], project["id"]
    return which(name, identity) if names[name] == 1 else f"--id {quote(identity)}"


def _order(slot: Doc) -> tuple[int, str, str]:
    rank = NEXT.index(slot["status"]) if slot["status"] in NEXT else len(NEXT)
    return rank, slot.get("frees_at", ""), slot["name"]


def _frees(call: Call, slot: Doc) -> str:
    when = slot.get("frees_at")
    words = ENDS.get(slot["status"], NEVER)[0]
    if when is None:
        return words if "{" not in words else "at its deadline"
    return words.format(left=f"in {seconds(call, when, 1)}", date=short_date(when))


SLOTS = as_table(
    "slots",
    {
        "Name": text("name"),
        "Status": worded("status"),
        "Held Since": date("created_at"),
        "Frees Itself": _frees,
        "To Free It": text("command"),
        "To Keep It": text("restore"),
    },
)
