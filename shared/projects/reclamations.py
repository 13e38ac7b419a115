"""Reclamations: deletions of projects as the resource controller shows them (contract 2.2).

A reclamation is no document of its own, and yet it has an id of its own: it is one deletion of a
project, is born by it, and ends by restore or reclaim. One that has ended moves nothing, and least
of all a project that has been deleted again since.
"""

from contextlib import suppress
from functools import partial
from typing import Any

from shared import evidence, quotas
from shared.access import own_key, owned
from shared.app import App
from shared.calls import Answer, Call, timestamp
from shared.errors import Error, missing
from shared.lifecycle import Project, Status
from shared.projects.account import of_account
from shared.projects.projects import move, present, repeated
from shared.projects.tombstones import explained, of_project, of_reclamation
from shared.store import NAME, Read

STATES: dict[str, str] = {  # by status
    Status.SOFT_DELETED: "SCHEDULED",
    Status.HARD_DELETING: "RECLAIMING",
    Status.HARD_DELETION_FAILED: "FAILED",
    Status.ACTIVE: "RESTORING",
}


def listing(app: App, call: Call) -> Answer:
    """Give the account's projects that are deleted, or being destroyed."""
    time, found = of_account(app, call, quotas.RECLAMATIONS, None)
    chosen = [show(app, project) for project in found if project.status != Status.ACTIVE]
    for name in ("account_id", "resource_instance_id", "resource_group_id"):
        wanted = call.parameters.get(name)
        chosen = [entry for entry in chosen if wanted in (None, entry[name])]
    return Answer({"resources": chosen}, now=app.now(time))


def restore(app: App, call: Call) -> Answer:
    """Restore a soft-deleted project, by its reclamation or, called by name, by its own id.

    Raises Error `resource_not_found` for the reclamation of no deletion, or of a former one;
    `project_not_restorable` at and after the deadline, or in another state.
    """
    if "project_id" in call.parameters:
        project_id = call.parameters["project_id"]
        with explained(partial(of_project, app, call, project_id)):
            project = move(app, project_id, "restore", call=call)
    else:
        project = _ended(app, call, "restore")
    return Answer(show(app, project), now=project.updated_at)


def reclaim(app: App, call: Call) -> Answer:
    """Begin the permanent deletion of a project without waiting for its deadline.

    Raises Error `resource_not_found` for the reclamation of no deletion, or of a former one;
    `project_not_deletable` when it has begun already, or the project was restored.
    """
    project = _ended(app, call, "reclaim", "retry")
    return Answer(show(app, project), now=project.updated_at)


def _ended(app: App, call: Call, *verbs: str) -> Project:
    """Move the project whose last deletion has the reclamation that was asked for."""
    wanted = call.parameters["id"]

    def meant(project: Project) -> None:
        """Require the same deletion, of every reading: it may have been restored, and another."""
        if project.reclamation_id != wanted:
            raise missing()

    once = evidence.Once(app, call)
    with explained(partial(of_reclamation, app, call, wanted)):
        read, project = _of(app, call, wanted, once)
        if read is None:
            return project
        return move(app, project.id, *verbs, call=call, check=meant, first=read)


def _of(app: App, call: Call, wanted: str, once: evidence.Once) -> tuple[Read | None, Project]:
    """Give the caller's project whose last deletion has a reclamation, as it was read.

    Without the reading where the same request was answered before: the project may be gone. One
    deleted under form 1 notes none, and is read by its own id. So is what is nobody's and what
    is another's: how long the refusal takes does not tell them apart.
    """
    noted = ("reclamation_id", "==", wanted)  # its index is automatic, which ends with the name
    paths, path = [own_key(call.principal), *once.paths], f"projects/{wanted}"
    beside, found = app.store.read_beside(paths, "projects", noted, order=NAME, limit=1)
    if told := repeated(app, call, once, beside):
        return None, told
    for document in found:
        read = Read(beside.time, {**beside.documents, document.path: document})
        with suppress(Error):
            return read, owned(app, call.principal, read, document.path)
    read = app.store.read(path, *paths)
    return read, owned(app, call.principal, read, path)


def show(app: App, project: Project) -> dict[str, Any]:
    """Give the answer's form of a reclamation; `target_time` is the end of the retention."""
    shown = present(app, project)
    purge_at, updated_at = project.purge_at, project.updated_at
    return {
        "id": project.reclamation_id,
        "resource_instance_id": shown["id"],
        "entity_id": shown["id"],
        "entity_type_id": "codeengine",
        "entity_crn": shown["crn"],
        "account_id": shown["account_id"],
        "resource_group_id": shown["resource_group_id"],
        "state": STATES[project.status],
        "custom_properties": {"name": shown["name"]},
        "created_at": timestamp(project.deleted_at or updated_at),
        "updated_at": timestamp(updated_at),
        **({"target_time": timestamp(purge_at)} if purge_at else {}),
    }
