"""The projects that a caller may see: one by its id, or all in this region that its key is for.

And what is told of one beside itself: nothing runs, so of its network there is nothing.
"""

from datetime import datetime
from typing import Any

from shared.access import own_key, owned, require
from shared.app import App
from shared.calls import Answer, Call
from shared.errors import Error
from shared.lifecycle import ACTIVE, Project
from shared.resources import counts, each, usage_paths

Found = tuple[datetime, list[Project]]  # the time of the reading, and the projects


def one(app: App, call: Call, project_id: str) -> tuple[datetime, Project]:
    """Give the time of the reading and the caller's project, in whatever state it is."""
    path = f"projects/{project_id}"
    read = app.store.read(path, own_key(call.principal))
    return app.now(read), owned(app, call.principal, read, path)


def of_account(app: App, call: Call, limit: int, after: str | None) -> Found:
    """Give the read time and up to `limit` of the caller's projects, by name beyond `after`."""
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
    return time, [Project.of(document.contents) for document in found]


def _only(app: App, call: Call, project_id: str, after: str | None) -> Found:
    """Give the one project of a key, if it exists here and its name is beyond `after`."""
    path = f"projects/{project_id}"
    read = app.store.read(path, own_key(call.principal))
    try:
        project = owned(app, call.principal, read, path)
    except Error as error:
        if error.code != "resource_not_found":
            raise
        return read.time, []  # it is gone, or of another region
    return read.time, [project] if after is None or project.name > after else []


def egress_ips(app: App, call: Call) -> Answer:
    """Give the addresses from which a project's workloads call others: there are none."""
    now, _ = one(app, call, call.parameters["project_id"])
    return Answer({"private": [], "public": []}, now=now)


def status_details(app: App, call: Call) -> Answer:
    """Give what a project's status does not say (contract 1.5), and beside it what it holds."""
    project_id = call.parameters["project_id"]
    path = f"projects/{project_id}"
    read = app.store.read(path, own_key(call.principal), *usage_paths(project_id))
    project = owned(app, call.principal, read, path)
    held = counts(read, project_id)
    unknown = {"inbound_public": "unknown", "inbound_private": "unknown"}
    body = {
        "project": "enabled" if project.status == ACTIVE else "disabled",
        "domain": "unknown",
        "vpe": "unknown",
        "vpe_not_enabled": True,
        "cbr": {"data_plane": {"enforcement": "none", **unknown}},
    }
    told = {"Holds": ", ".join(f"{collection}={count}" for collection, count in held.items())}
    return Answer(body, now=app.now(read), told=told)


def contents(app: App, call: Call) -> Answer:
    """Give how many resources of each kind a project holds, in whatever state it is.

    With `names`, each of them too, without what it holds; which takes `entity.list`: Error
    `forbidden` without it.
    """
    if names := call.parameters.get("names"):
        require(call.principal, "entity.list")
    project_id = call.parameters["project_id"]
    path = f"projects/{project_id}"
    read = app.store.read(path, own_key(call.principal), *usage_paths(project_id))
    owned(app, call.principal, read, path)
    held: dict[str, Any] = {**counts(read, project_id)}
    if names:
        held["resources"] = each(app, project_id, held)
    return Answer(held, now=app.now(read))
