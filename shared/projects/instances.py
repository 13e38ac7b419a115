"""Resource instances: projects as the resource controller shows them (contract section 2.2).

An instance is no document of its own: it is a project under its GUID or its CRN, and after its
permanent deletion what the tombstone remembers, in the state `removed`.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from shared import quotas
from shared.access import own_key, owned
from shared.app import App
from shared.calls import Answer, Call, timestamp
from shared.errors import missing
from shared.lifecycle import Project, Status
from shared.projects import tombstones
from shared.projects.account import of_account
from shared.projects.projects import crn, move

Fields = Mapping[str, Any]
PATH = "/v2/resource_instances"
STATES: dict[str, str] = {  # by status
    Status.ACTIVE: "active",
    Status.SOFT_DELETED: "pending_reclamation",
    Status.HARD_DELETING: "removed",  # nothing takes it back
    Status.HARD_DELETION_FAILED: "failed",
    Status.HARD_DELETED: "removed",
}
SHOWN = {"active", "provisioning"}  # by a list that is asked for no state
# Of a list's parameters; the others are members, and filter.
NO_FILTERS = {"limit", "start", "state", "updated_from", "updated_to"}
# The form alone: account and region must be the project's own (`_require_meant`).
UUID = "[0-9a-z]{8}(?:-[0-9a-z]{4}){3}-[0-9a-z]{12}"
BURIED = re.compile(rf"tombstones/({UUID})")  # where a page starts: no name of a project has a /
CRN = re.compile(rf"crn:v1:bluemix:public:codeengine:[a-z0-9-]+:a/[0-9a-z]+:({UUID})::")


def listing(app: App, call: Call) -> Answer:
    """Give a page of the account's instances by name; without `state` only those in use.

    Of those that are removed, what the tombstones remember comes last: by id, for it has no name.
    """
    asked, limit = call.parameters, call.parameters["limit"]
    time, found, more = _looked_through(app, call)
    chosen = [instance for instance in map(show, found) if _wanted(instance, asked)]
    entries, following = chosen[:limit], ""
    if len(chosen) > limit or more:
        last = entries[-1] if len(chosen) > limit else show(found[-1])
        start = last.get("name", f"tombstones/{last['guid']}")
        query = urlencode({**asked, "start": start})
        following = f"{app.settings.endpoint}{PATH}?{query}"
    # On the last page `next_url` is empty and not null: IBM's typed clients demand a string.
    body = {"rows_count": len(entries), "next_url": following, "resources": entries}
    return Answer(body, now=app.now(time))


def get(app: App, call: Call) -> Answer:
    """Give an instance in whatever state its project is, permanently deleted included."""
    project_id = _guid(call)
    project, tombstone = f"projects/{project_id}", f"tombstones/{project_id}"
    read = app.store.read(project, tombstone, own_key(call.principal))
    path = project if read[project].fields is not None else tombstone
    found = owned(app, call.principal, read, path)
    _require_meant(call, found)
    return Answer(show(found), now=app.now(read))


def delete(app: App, call: Call) -> Answer:
    """Soft delete the project; `recursive` changes nothing, for what it holds goes with it.

    Raises Error `project_not_active` if it is not active.
    """
    project_id, meant = _guid(call), partial(_require_meant, call)

    def ended() -> Project:
        found = tombstones.of_project(app, call, project_id)
        meant(found)
        return found

    with tombstones.explained(ended):
        project = move(app, project_id, "delete", call=call, check=meant)
    return Answer(now=project.updated_at)


def show(project: Project) -> dict[str, Any]:
    """Give the answer's form of an instance, of a project or of a tombstone."""
    identity, active = crn(project), project.status == Status.ACTIVE
    deleted = project.deleted_at or (None if active else project.updated_at)
    known = project.status != Status.HARD_DELETED  # a tombstone has no name, group or tags
    members = {
        "id": identity,
        "guid": project.id,
        "crn": identity,
        "url": f"{PATH}/{quote(identity, safe='')}",
        "name": project.name if known else None,
        "account_id": project.account_id,
        "region_id": project.region,
        "resource_group_id": project.resource_group_id if known else None,
        "resource_id": "codeengine",
        "type": "service_instance",
        "state": STATES[project.status],
        "last_operation": _last_operation(project),
        "tags": project.tags if known else None,
        "created_at": timestamp(project.created_at),
        "updated_at": timestamp(project.updated_at),
        "deleted_at": timestamp(deleted) if deleted else None,
        # the time at which it was scheduled; the deadline is the reclamation's `target_time`
        "scheduled_reclaim_at": timestamp(deleted) if deleted else None,
        "restored_at": timestamp(project.restored_at) if project.restored_at else None,
    }
    return {name: value for name, value in members.items() if value is not None}


def _looked_through(app: App, call: Call) -> tuple[datetime, list[Project], bool]:
    """Give the read time, a page's worth of what to choose from, and whether there may be more.

    Projects are read before tombstones: one that ends in between is found in both, and shown once.
    """
    most, start = quotas.RECLAMATIONS, call.parameters.get("start")
    removed = call.parameters.get("state") == "removed"
    if removed and start and (buried := BURIED.fullmatch(start)):
        time, ended = tombstones.of_account(app, call, most, buried[1])
        return time, ended, len(ended) == most
    time, found = of_account(app, call, most, start)
    if not removed or len(found) == most:
        return time, found, len(found) == most
    _, ended = tombstones.of_account(app, call, most - len(found), None)
    more, there = len(found) + len(ended) == most, {project.id for project in found}
    return time, [*found, *(one for one in ended if one.id not in there)], more


def _last_operation(project: Project) -> dict[str, Any]:
    """Give the last operation: each is decided at once, so there is nothing to poll or cancel."""
    created = project.status == Status.ACTIVE and project.restored_at is None
    failed = project.status == Status.HARD_DELETION_FAILED
    return {
        "type": "create" if created else "reclamation",
        "async": False,
        "state": "failed" if failed else "succeeded",
        "description": f"The project is {project.status.replace('_', ' ')}.",
        "cancelable": False,
        "poll": False,
    }


def _wanted(instance: Fields, asked: Fields) -> bool:
    """Tell whether an instance passes the filters; dates are compared as far as they are told."""
    states = {asked["state"]} if "state" in asked else SHOWN
    since, until = asked.get("updated_from", ""), asked.get("updated_to", "9")
    return (
        instance["state"] in states
        and all(instance.get(name) == asked[name] for name in asked.keys() - NO_FILTERS)
        and since <= instance["updated_at"]
        and instance["updated_at"][: len(until)] <= until
    )


def _guid(call: Call) -> str:
    """Give the project's id out of a GUID or a CRN; raises Error 404 for a CRN of no project."""
    given = str(call.parameters["id"])
    if not given.startswith("crn:"):
        return given
    if not (found := CRN.fullmatch(given)):
        raise missing()
    return found[1]


def _require_meant(call: Call, project: Project) -> None:
    """Raise Error 404 unless the CRN that was asked for, if one was, is the project's own."""
    given = call.parameters["id"]
    if given.startswith("crn:") and given != crn(project):
        raise missing()
