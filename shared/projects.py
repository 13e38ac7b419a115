"""Projects: create, list, get, delete, and every move of their lifecycle.

Names and slots of a region are one document, claimed and released in the same commit as the
project changes; every move is a compare-and-set on the project document.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from shared import audit, lifecycle, outbound, sealing, writes
from shared.app import Answer, App, Call, Page, timestamp
from shared.auth import owned
from shared.errors import Error, Target, missing
from shared.lifecycle import Status
from shared.writes import Document, Read

Fields = Mapping[str, Any]
Check = Callable[[Fields], None]
DEFAULT_GROUP = "default" + 25 * "0"  # the resource group of those who name none (32 characters)
# Categories of characters that are invisible or change what is around them; and those that
# Unicode lets a renderer leave out (Default_Ignorable_Code_Point) in other categories.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


class _Full(Exception):  # noqa: N818 - a state of the region, told by `_full`
    """No slot of the region is free."""


def region_path(account: str, region: str) -> str:
    """Give the path of the document that holds the slots and names of a region."""
    return f"regions/{account}.{region}"


def slot(project_id: str) -> str:
    """Give the field path of a project's slot in its region."""
    return f"slots.`{project_id}`"


def create(app: App, call: Call) -> Answer:
    """Create a project: claim a slot and the name, make its key, store it, in one commit.

    Raises Error `invalid_field`, `name_taken`, or `quota_exceeded` with what holds the slots.
    """
    project = _fresh(app, call)
    project_id, name = project["id"], project["name"]
    region = region_path(project["account_id"], project["region"])
    key: dict[str, Any] = {}
    rule = outbound.minted(app)

    def decide(read: Read) -> tuple[list[writes.Write], Answer]:
        now = app.now(read)
        project.update(created_at=now, updated_at=now)
        body = present(app, project)
        answer = Answer(body, now=now, location=body["href"])
        slots = (read[region].fields or {}).get("slots", {})
        if name in slots.values():
            taken = "A project of this name exists already, perhaps soft deleted."
            raise Error("name_taken", taken, Target("field", "name"))
        if len(slots) >= app.settings.projects_per_region:
            raise _Full
        if not key:  # made once, after the first read that leaves room for it; if the create is
            # refused after all, the schedule destroys it, for a lost answer may hide a success
            key.update(app.keyring.create(project_id, now))
        commit = [
            _claim(read[region], project_id, name),
            writes.create(f"projects/{project_id}", project),
            writes.create(sealing.data_key_path(project_id), key),
            *outbound.rule(app, read, project_id, rule, now),
            writes.absent(f"tombstones/{project_id}"),
            audit.by(call, "project.create", project, now),
        ]
        return commit, answer

    try:
        answer = app.store.transact(audit.operation(call), [region], decide)
    except _Full:
        raise _full(app, call) from None
    app.keyring.confirm(project_id)
    return answer


def _fresh(app: App, call: Call) -> dict[str, Any]:
    """Give the fields of a new project, but for its times."""
    return {
        "id": app.new_id(),
        "name": _checked_name(call.body["name"]),
        "account_id": call.principal.account,
        "region": app.settings.region,
        "resource_group_id": call.body.get("resource_group_id") or DEFAULT_GROUP,
        "tags": call.body.get("tags", []),
        "subdomain": app.new_subdomain(),  # for life: addresses of what it holds are made of it
        "status": Status.ACTIVE.value,
        "deleted_at": None,
        "purge_at": None,
    }


def _claim(region: Document, project_id: str, name: str) -> writes.Write:
    """Give the write that takes a slot and a name, if the region is as it was read."""
    return writes.Write(
        region.path,
        {"key": region.id, "slots": {project_id: name}},
        mask=["key", slot(project_id)],
        exists=region.fields is not None,
        update_time=region.update_time,
    )


def get(app: App, call: Call) -> Answer:
    """Give a project in whatever state it is."""
    path = f"projects/{call.parameters['id']}"
    read = app.store.read(path)
    return Answer(present(app, owned(read[path], call.principal)), now=app.now(read))


def listing(app: App, call: Call) -> Answer:
    """Give a page of the account's projects by name, soft-deleted ones included."""
    limit = call.parameters["limit"]
    time, found = of_account(app, call, limit + 1, call.parameters.get("start"))
    entries = [present(app, project) for project in found[:limit]]
    next_key = entries[-1]["name"] if len(found) > limit else None
    told = {"Region": app.settings.region}
    if call.principal.project is None:  # a key for one project does not see what holds the others
        told["Project-Slots"] = str(app.settings.projects_per_region)
    return Answer(page=Page("projects", entries, next_key), now=app.now(time), told=told)


def delete(app: App, call: Call) -> Answer:
    """Soft delete a project. Raises Error `project_not_active` if it is not active."""
    return Answer(now=move(app, call, "delete")[1])


def move_by_system(app: App, project_id: str, verb: str) -> None:
    """Move a project because its time has come, without a caller (`expire`, `fail`, `retry`).

    Raises what lifecycle.move raises when another move came first.
    """
    _transition(app, project_id, (verb,), None)


def crn(project: Fields) -> str:
    """Give a project's Cloud Resource Name (contract section 1.1)."""
    account, region, project_id = project["account_id"], project["region"], project["id"]
    return f"crn:v1:bluemix:public:codeengine:{region}:a/{account}:{project_id}::"


def present(app: App, project: Fields) -> dict[str, Any]:
    """Give the answer's form of a project (contract section 1.1)."""
    return {
        "id": project["id"],
        "name": project["name"],
        "resource_group_id": project["resource_group_id"],
        "account_id": project["account_id"],
        "crn": crn(project),
        "href": f"{app.settings.endpoint}/v2/projects/{project['id']}",
        "region": project["region"],
        "resource_type": "project_v2",
        "created_at": project["created_at"].strftime("%Y-%m-%dT%H:%M:%S.%f000Z"),
        "status": project["status"],
    }


def move(
    app: App, call: Call, *verbs: str, check: Check = lambda _: None
) -> tuple[dict[str, Any], datetime]:
    """Move a caller's project by the verb that fits its status; give it and the time of the move.

    `check` may raise where the project is not the one meant. Raises what lifecycle.move raises
    for the first verb if none fits.
    """
    return _transition(app, call.parameters["id"], verbs, call, check)


def _transition(
    app: App,
    project_id: str,
    verbs: tuple[str, ...],
    call: Call | None,
    check: Check = lambda _: None,
) -> tuple[dict[str, Any], datetime]:
    """Move a project in one compare-and-set; without a caller, the system does it."""
    path, entry_id = f"projects/{project_id}", call.trace if call else app.new_id()

    def decide(read: Read) -> tuple[list[writes.Write], tuple[dict[str, Any], datetime]]:
        now = app.now(read)
        project = owned(read[path], call.principal) if call else _found(read[path])
        check(project)
        verb = lifecycle.applicable(project, verbs)
        changes = lifecycle.move(project, verb, now)
        action = f"project.{verb}"
        witness = (
            audit.by(call, action, project, now)
            if call
            else audit.entry(entry_id, action, project, now, {"initiator": audit.SYSTEM})
        )
        return [writes.update(read[path], changes), witness], (project | changes, now)

    return app.store.transact(f"audit/{entry_id}", [path], decide)


def _found(document: Document) -> dict[str, Any]:
    if document.fields is None:
        raise missing()
    return document.fields


def of_account(
    app: App, call: Call, limit: int, after: str | None
) -> tuple[datetime, list[dict[str, Any]]]:
    """Give the read time and the caller's projects in this region, by name.

    They are the account's, or the one that the caller's key is for.
    """
    if call.principal.project is not None:
        return _only(app, call, call.principal.project, after)
    time, found = app.store.query(
        "projects",
        ("account_id", "==", call.principal.account),
        ("region", "==", app.settings.region),
        order="name",
        after=after,
        limit=limit,
    )
    return time, [document.fields or {} for document in found]


def _only(
    app: App, call: Call, project_id: str, after: str | None
) -> tuple[datetime, list[dict[str, Any]]]:
    """Give the one project of a key, if it exists here and its name is beyond `after`."""
    path = f"projects/{project_id}"
    read = app.store.read(path)
    project = read[path].fields
    if project is None or project["region"] != app.settings.region:
        return read.time, []
    if after is not None and project["name"] <= after:
        return read.time, []
    return read.time, [owned(read[path], call.principal)]


def _checked_name(name: str) -> str:
    """Refuse what a reader cannot see: IBM's pattern lets every non-ASCII character through."""
    if not unicodedata.is_normalized("NFC", name):
        raise Error("invalid_field", "`name` must be in NFC.", Target("field", "name"))
    unseen = (unicodedata.category(character) in UNSEEN for character in name.replace(" ", ""))
    if any(unseen) or IGNORABLE.search(name):
        seen = "`name` must not hold control, format or other invisible characters."
        raise Error("invalid_field", seen, Target("field", "name"))
    return name


def _full(app: App, call: Call) -> Error:
    """Say which projects hold the slots, and when each frees its own."""
    _, holders = of_account(app, call, app.settings.projects_per_region, None)
    holders.sort(key=lambda project: str(project["purge_at"] or "z"))  # the next to be free first
    said = "; ".join(f"`{project['name']}` ({_held_until(project)})" for project in holders)
    head = f"All {app.settings.projects_per_region} project slots of {app.settings.region} are held"
    return Error(
        "quota_exceeded", f"{head}: {said}. Deleting one permanently frees its slot at once."
    )


def _held_until(project: Fields) -> str:
    match project["status"]:
        case Status.ACTIVE:
            return "active, until you delete it"
        case Status.SOFT_DELETED:
            return f"soft deleted, until {timestamp(project['purge_at'])}"
        case _:
            return "being destroyed"
