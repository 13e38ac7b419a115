"""Reclamations: deleted projects as the resource controller shows them (contract section 2.2).

A reclamation is no document of its own: it is a project that is deleted, under the same id.
"""

from typing import Any

from shared import quotas
from shared.app import App
from shared.calls import Answer, Call, timestamp
from shared.lifecycle import Project, Status
from shared.projects.account import of_account
from shared.projects.projects import move, present

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
    """Restore a soft-deleted project.

    Raises Error `project_not_restorable` at and after the deadline, or in another state.
    """
    project = move(app, call.parameters["id"], "restore", origin=call.origin)
    return Answer(show(app, project), now=project.updated_at)


def reclaim(app: App, call: Call) -> Answer:
    """Begin the permanent deletion of a project without waiting for its deadline.

    Raises Error `project_not_deletable` when it has begun already.
    """
    project = move(app, call.parameters["id"], "reclaim", "retry", origin=call.origin)
    return Answer(show(app, project), now=project.updated_at)


def show(app: App, project: Project) -> dict[str, Any]:
    """Give the answer's form of a reclamation; `target_time` is the end of the retention."""
    shown = present(app, project)
    purge_at, updated_at = project.purge_at, project.updated_at
    return {
        "id": shown["id"],
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
