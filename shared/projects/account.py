"""The projects that a caller may see: one by its id, or all in this region that its key is for.

And what is told of one beside itself: nothing runs, so of its network there is nothing.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from shared.access import own_key, owned, require
from shared.app import App
from shared.calls import Answer, Call
from shared.errors import Error
from shared.failures import tell
from shared.lifecycle import ACTIVE, Project, Status
from shared.resources import counts, each, usage_paths
from shared.store import Document

KINDS: Mapping[str, Any] = {  # of what is told of a project
    **dict.fromkeys(("id", "account_id", "region", "name", "resource_group_id"), str),
    **dict.fromkeys(("created_at", "updated_at"), datetime),
    **dict.fromkeys(("deleted_at", "purge_at", "restored_at"), datetime | None),
}
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
    about = ("account_id", "==", call.principal.account), ("region", "==", app.settings.region)

    def ask(**how: Any) -> tuple[datetime, list[Document]]:
        return app.store.query("projects", *about, order="name", **how)

    return readables(ask, limit, after, lambda document: document.contents["name"])


def readables(
    ask: Callable[..., tuple[datetime, list[Document]]],
    limit: int,
    after: str | None,
    mark: Callable[[Document], Any],
) -> Found:
    """Give the time and up to `limit` stored projects that `ask` finds from beyond a mark.

    In the place of those that cannot be read it is asked for more.
    """
    found: list[Project] = []
    while True:
        wanted = limit - len(found)
        time, page = ask(after=after, limit=wanted)
        found += [project for project in map(readable, page) if project]
        if len(page) < wanted or len(found) == limit:
            return time, found
        after = mark(page[-1])


def readable(document: Document) -> Project | None:
    """Give a stored project of a list; None, after a line in the log, for what is no such.

    Somebody else wrote it, and the others of the list are shown all the same.
    """
    with suppress(KeyError, TypeError, ValueError):
        project = Project.of(document.contents)
        Status(project.status)
        if all(isinstance(getattr(project, name), kind) for name, kind in KINDS.items()):
            return project
    tell("CRITICAL", "a stored project that cannot be read: not listed", path=document.path)
    return None


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
