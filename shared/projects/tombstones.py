"""Tombstones: what is remembered of projects that are permanently deleted, and what is told of it.

One is looked for only after a miss, and then for every id alike, known or not: so neither words nor
round trips tell another account's project, or its end, from what never was.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from shared.access import own_key, owned
from shared.app import App
from shared.calls import Call, timestamp
from shared.errors import Error, missing
from shared.lifecycle import DEADLINE, RECLAIM, Project
from shared.projects.account import readables
from shared.store import NAME, Document, Read


@contextmanager
def explained(find: Callable[[], Project]) -> Iterator[None]:
    """Let the 404 of what is done within say how the project ended, if `find` knows.

    `find` gives a tombstone, or raises what is to be answered instead.
    """
    try:
        yield
    except Error as error:
        if error.code != missing().code:
            raise
    else:
        return
    raise _destroyed(find())


def of_project(app: App, call: Call, project_id: str) -> Project:
    """Give the tombstone of the caller's project. Raises Error `resource_not_found`."""
    path = f"tombstones/{project_id}"
    return owned(app, call.principal, app.store.read(path, own_key(call.principal)), path)


def of_reclamation(app: App, call: Call, wanted: str) -> Project:
    """Give the tombstone of the caller's project that a deletion ended, by its reclamation.

    Version 0.1.0 noted none in a tombstone: there it is the project's own id. Raises Error
    `resource_not_found`.
    """
    noted = ("reclamation_id", "==", wanted)  # its index is automatic, which ends with the name
    key, path = own_key(call.principal), f"tombstones/{wanted}"
    beside, found = app.store.read_beside([key, path], "tombstones", noted, order=NAME, limit=1)
    document = found[0] if found else beside[path]
    read = Read(beside.time, {key: beside[key], document.path: document})
    ended = owned(app, call.principal, read, document.path)
    if ended.reclamation_id != wanted:
        raise missing()
    return ended


def of_account(
    app: App, call: Call, limit: int, after: str | None
) -> tuple[datetime, list[Project]]:
    """Give the read time and up to `limit` tombstones that a caller may see, by id from `after`.

    The indexes are automatic: equalities alone, in the order of the ids.
    """
    account, one = call.principal.account, call.principal.project
    if one is None:
        about = ("account_id", "==", account), ("region", "==", app.settings.region)

        def ask(**how: Any) -> tuple[datetime, list[Document]]:
            return app.store.query("tombstones", *about, order=NAME, **how)

        return readables(ask, limit, after, lambda document: document.id)
    path, key = f"tombstones/{one}", own_key(call.principal)
    read = app.store.read(path, key)
    try:
        return read.time, [owned(app, call.principal, read, path)][: one > (after or "")]
    except Error as error:
        if error.code != missing().code:
            raise
        return read.time, []


def _destroyed(project: Project) -> Error:
    """Say of what is not found when it was destroyed, and why, as far as that is remembered."""
    why = ""
    if project.cause == DEADLINE:
        why = " (deadline)"
    elif project.cause == RECLAIM:
        why = f" (asked for with the API key `{project.requested_by}`)"
    when = f"was destroyed for good on {timestamp(project.updated_at)}{why}"
    said = f"{missing().message} Project `{project.id}` {when}; nothing can bring it back."
    if project.because:  # version 0.1.0 noted none, and made no certificate
        said += f" `ce certificate get {project.id}` gets its certificate."
    return Error(missing().code, said)
