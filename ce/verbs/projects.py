"""What the verbs of `project` and `reclamation` ask of the API.

A reclamation is one deletion of a project, with an id of its own: restore and reclaim look it up.
Deadlines are the server's: nothing here computes when a project ends.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import click

from ce.call import Call
from ce.server import FAILED, Doc, Failure, path, place, target
from ce.text import emit, words
from ce.verbs import ending, quota
from ce.verbs.dialog import confirm, ordered, say, wait

ACTIVE = frozenset({"active"})
GONE = frozenset({"gone", "hard_deleted"})
DELETED = GONE | {"soft_deleted", "hard_deleting"}
# What to ask for to have all instances: without a state a list is of those in use.
STATES: tuple[dict[str, str], ...] = ({}, {"state": "pending_reclamation"})
BEYOND_DELETE = DELETED | {"hard_deletion_failed"}  # only reclaim is left to do
# What is said of a project, by its status, where a reclaim failed after its deletion.
SOFT = (
    "is soft deleted, not destroyed: run the command again, or take it back with "
    "'ce project restore'"
)
NOT_DESTROYED = {
    "soft_deleted": f"{SOFT}.",
    "hard_deletion_failed": "is deleted, not destroyed: run the command again.",
    "active": "was restored meanwhile: nothing was destroyed.",
}
UNKNOWN = f"{SOFT}. Its status could not be read: it may be on its way out all the same."


def create(call: Call) -> Doc:
    """Create, wait until active, select."""
    say(call, name=call["name"])
    tags = {"tags": [*call["tag"]]} if call["tag"] else {}
    group = {"resource_group_id": found} if (found := call.client.target.group) else {}
    try:
        project = call.client.post("/projects", {"name": call["name"], **tags, **group})
    except Failure as failure:
        told = {"quota_exceeded": quota.refusal, "name_taken": quota.taken}.get(failure.code)
        if told is None:
            raise
        raise told(call, failure) from None
    if project["status"] != "active":
        project |= _await(call, project, "for it to become active", ACTIVE)
    if not call["no_select"]:
        try:
            target.select(call.client.target, project)
        except Failure as failure:
            made = f"Project '{project['name']}' was made, and is not selected."
            raise failure.saying(made, *failure.messages, exit_code=FAILED) from None
        ending.note(f"Project '{project['name']}' is selected now.")
        emit(place.overridden(project), error=True)
    return described(project)


def get(call: Call) -> Doc:
    """Get one project."""
    project = find(call)
    say(call, name=project["name"])
    found = described(project)
    return found if call["output"] else {**found, **_beside(call, project["id"])}


def current(call: Call) -> Doc:
    """Get the project that commands act in, and say what names it."""
    say(call)
    found = call.client.project
    document = described(call.client.get(path("projects", found["id"])))
    ending.note(f"It comes from {found['from']}.")
    return document


def select(call: Call) -> None:
    """Select an active project for the commands to come."""
    project = find(call)
    say(call, name=project["name"])
    if project["status"] != "active":
        hint = "; 'ce project restore' takes it back" if project["status"] == "soft_deleted" else ""
        state = words(project["status"])
        raise Failure(f"Project '{project['name']}' is {state}, not active{hint}.")
    target.select(call.client.target, project)
    emit(place.overridden(project), error=True)


def listing(call: Call) -> Doc:
    """List projects, soft-deleted ones too: they hold slots and names."""
    say(call)
    found = ordered(call, _wanted(call, call.client.pages("/projects", "projects")))
    return {"projects": found if call["output"] else _tagged(call, found)}


def delete(call: Call) -> None:
    """Soft-delete; with --hard, destroy at once and for good."""
    project = find(call)
    if call["hard"]:
        _require_purge(call)
        with _destroying(call, project):
            if project["status"] in BEYOND_DELETE:  # as after a run that got no further
                _reclaim(call, project)
            else:
                call.client.delete(path("projects", project["id"]))
                _reclaim_deleted(call, project)
        return
    confirm(call, name=project["name"])
    say(call, name=project["name"])
    call.client.delete(path("projects", project["id"]))
    _await(call, project, "for it to be soft deleted", DELETED)
    ending.deleted(call, project)


def restore(call: Call) -> None:
    """Take a soft-deleted project back."""
    project = find(call)
    say(call, name=project["name"])
    call.client.reclamation_action(_reclamation(call, project)["id"], "restore")
    _await(call, project, "for it to become active", ACTIVE)


def reclaim(call: Call) -> None:
    """Destroy a soft-deleted project for good."""
    project = find(call)
    if project["status"] not in BEYOND_DELETE:
        raise Failure(
            f"Project '{project['name']}' is {words(project['status'])}, so it has no reclamation; "
            "run 'ce project delete' to delete it.",
            status=404,
        )
    with _destroying(call, project):
        _reclaim(call, project)


def get_reclamation(call: Call) -> Doc:
    """Get the reclamation of one project."""
    project = find(call)
    say(call, name=project["name"])
    return _joined(_reclamation(call, project), project)


def list_reclamations(call: Call) -> Doc:
    """List reclamations with the projects they are of."""
    say(call)
    projects = {project["id"]: project for project in call.client.pages("/projects", "projects")}
    found = [
        _joined(reclamation, projects.get(reclamation["resource_instance_id"], {}))
        for reclamation in call.client.reclamations()
    ]
    return {"resources": ordered(call, _wanted(call, found), since="project_created_at")}


def find(call: Call) -> Doc:
    """Find the project by exactly one of name and id."""
    name, identity = call["name"], call["id"]
    if (name is None) == (identity is None):
        raise click.UsageError("Give exactly one of --name and --id.")
    if identity is not None:
        return call.client.get(path("projects", identity))
    return named(call, name)


def named(call: Call, name: str) -> Doc:
    """Find the project of a name."""
    for project in call.client.pages("/projects", "projects"):
        if project["name"] == name:
            return project
    raise Failure(f"Project '{name}' was not found; 'ce project list' shows them all.", status=404)


def _reclamation(call: Call, project: Doc) -> Doc:
    """Give the reclamation of the deletion that a project is in."""
    found = call.client.reclamations(resource_instance_id=project["id"])
    if not found:
        raise Failure(
            f"Project '{project['name']}' is {words(project['status'])}, not soft deleted; "
            "'ce reclamation list' shows those that are."
        )
    return found[0]


def _require_purge(call: Call) -> None:
    """Look before the delete whether the reclaim after it will be allowed."""
    from ce.server import advice  # noqa: PLC0415 - few commands need it

    if call.client.roles.isdisjoint(advice.ROLES["project.purge"]):
        message = "Your roles do not include `project.purge`: nothing was deleted."
        raise Failure(message, status=403, code="forbidden")


def _reclaim(call: Call, project: Doc) -> None:
    """Begin to destroy what is deleted, unless that has begun."""
    if project["status"] != "hard_deleting":
        call.client.reclamation_action(_reclamation(call, project)["id"], "reclaim")


def _reclaim_deleted(call: Call, project: Doc) -> None:
    """Begin to destroy what was deleted a moment ago; where that fails, say what it is now."""
    try:
        _reclaim(call, {**project, "status": "soft_deleted"})
    except Failure as failure:
        status = _status(call, project)
        if status in {"hard_deleting", "gone"}:  # by another, or by a call whose answer was lost
            return
        is_now = f"Project '{project['name']}' {NOT_DESTROYED.get(status, UNKNOWN)}"
        raise Failure(is_now, *failure.messages) from None


def _status(call: Call, project: Doc) -> str:
    """Give the status of a project as it is now; nothing where that cannot be had."""
    try:
        return str(call.client.get(path("projects", project["id"]))["status"])
    except Failure as failure:
        return "gone" if failure.status == 404 else ""


@contextmanager
def _destroying(call: Call, project: Doc) -> Iterator[None]:
    """Say what is lost and ask; after it was begun forget a selection of it, and see it gone."""
    held = ending.holds(call, project)
    ending.confirm(call, project, *ending.losing(project, held))
    say(call, name=project["name"])
    yield
    if (selected := target.selected(call.client.target)) and selected["id"] == project["id"]:
        target.select(call.client.target, None)
    _await(call, project, "for it to be gone", GONE)
    ending.destroyed(call, project, held)


def _await(call: Call, project: Doc, doing: str, goal: frozenset[str]) -> Doc:
    latest: Doc = {}

    def status() -> str:
        try:
            latest.update(call.client.get(path("projects", project["id"])))
        except Failure as failure:
            if failure.status != 404:
                raise
            if not goal & GONE:
                raise Failure(f"Project '{project['name']}' is gone for good.") from None
            return "gone"
        return str(latest["status"])

    wait(call, doing, status, goal)
    return latest


def _beside(call: Call, identity: str) -> Doc:
    """Give what the API tells of a project elsewhere than in the project."""
    instance = call.client.get(path("resource_instances", identity))
    return {
        "tags": instance.get("tags"),
        "updated_at": instance["updated_at"],
        "details": call.client.get(path("projects", identity, "status_details")),
        "egress_ips": call.client.get(path("projects", identity, "egress_ips")),
    }


def _tagged(call: Call, projects: Iterable[Doc]) -> list[Doc]:
    """Add the tags, which the API tells of a project's instance alone."""
    tags = {
        instance["guid"]: instance["tags"]
        for state in STATES
        for instance in _instances(call, **state)
        if "tags" in instance
    }
    return [{**project, "tags": tags.get(project["id"], [])} for project in projects]


def _instances(call: Call, **params: str) -> Iterator[Doc]:
    while True:
        page = call.client.get("/resource_instances", **params)
        yield from page["resources"]
        query = parse_qs(urlsplit(page["next_url"]).query)
        if "start" not in query:
            return
        params["start"] = query["start"][0]


def _wanted(call: Call, found: Iterable[Doc]) -> list[Doc]:
    regions = set((call["regions"] or "").replace(",", " ").split())
    return [doc for doc in found if not regions or doc.get("region") in regions]


def _joined(reclamation: Doc, project: Doc) -> Doc:
    names = {key: project.get(key, "") for key in ("name", "status", "region")}
    created = project.get("created_at", reclamation["created_at"])
    return {**reclamation, **names, "project_created_at": created}


def described(project: Doc) -> Doc:
    """Add the member that only the documented command line has."""
    return {**project, "guid": project["id"]}
