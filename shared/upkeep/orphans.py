"""Key halves without a project: settled, so that none outlives what it was made for.

A create makes the half first and the project second. Where no project came of it, or one that is
gone has its half again, out of a copy of the key store, the half is destroyed. Of one that nothing
is known of it is told, and it stays: the database may be the one that has lost something.
"""

import time
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from shared import evidence, quotas
from shared.app import App
from shared.errors import unavailable
from shared.failures import tell
from shared.resources import data_key_path
from shared.store import Write

Act = Callable[[App, Any, datetime], int]
# What there is to do: the word it is counted under, who does it, and with what.
Work = list[tuple[str, Act, Any]]

NEVER = {"never": True}  # in the place of a key's first half: the project can never be created
CURSOR = "retention/halves"  # where the search of all halves goes on


def unconfirmed(app: App, now: datetime) -> Work:
    """Find halves of which no create reported back, from a random one on.

    So what fails at the head, slowly, keeps none waiting for good. One that was made long after
    now was made before the clock was moved back.
    """
    wait = quotas.ORPHAN_AFTER
    found = app.keyring.unconfirmed(now - wait, quotas.ORPHANS, now + wait)
    first, act = int(app.random() * len(found)), _in_time(_settle)
    return [("orphans", act, project_id) for project_id in found[first:] + found[:first]]


def strays(app: App, _now: datetime) -> Work:
    """Find confirmed halves that have no project, in the pages whose turn it is."""
    stored = app.store.read(CURSOR)[CURSOR].fields or {}
    start, work = str(stored.get("next", "")), Work()
    gone, lost = _in_time(_destroy), _in_time(_tell)
    for _ in range(quotas.DUE_PAGES):
        found, start = app.keyring.confirmed(start)
        read = app.store.read(CURSOR, *(path for one in found for path in _paths(one)))
        for project_id in found:
            project, tombstone = (read[path].fields for path in _paths(project_id))
            if project is None and tombstone is not None:
                work.append(("returned", gone, project_id))
            elif project is None:
                work.append(("disagreements", lost, project_id))
        if not start:
            break
    if start != stored.get("next", ""):
        app.store.commit([Write(CURSOR, {"next": start})])
    return work


def _settle(app: App, project_id: str, _now: datetime) -> int:
    """Confirm a key half whose project is stored; destroy one whose project never will be.

    A create that is still under way is fenced off first: it makes the document of the first half,
    and so does this; the first wins. Where the project is there after all, it came between and is
    being purged again, the document with it.
    """
    (project, tombstone), key = _paths(project_id), data_key_path(project_id)
    read = app.store.read(project, tombstone, key)
    if read[project].fields is not None:
        app.keyring.confirm(project_id)
        return 1
    if read[tombstone].fields is None:
        if read[key].fields is None:
            app.store.commit([Write.create(key, NEVER)])
        if app.store.read(project)[project].fields is not None:
            return 0
        never = {"id": project_id, "status": "never_created", "erased_at": app.now(read)}
        app.store.commit([Write.create(tombstone, never)])
    app.keyring.destroy(project_id)
    app.keyring.drop(project_id)
    return 1


def _destroy(app: App, project_id: str, _now: datetime) -> int:
    """Destroy a half again, whose project has a tombstone; its purge may have come in between.

    Who writes the database alone may have planted that: without an entry of the project's end that
    this code made, the half is left alone, and told of.
    """
    there, entry = app.keyring.holds(project_id), f"audit/{project_id}.erase"
    if there and not evidence.project_ended(app, project_id, app.store.read(entry)[entry]):
        told = "a tombstone whose project nothing says was destroyed: its key half is left alone"
        tell("CRITICAL", told, project=project_id)
        raise unavailable("The project's end is not known")
    app.keyring.destroy(project_id)
    app.keyring.drop(project_id)  # all there was, where the purge ended before it did that
    if not there:
        return 0
    tell("WARNING", "the key half of a destroyed project was there again", project=project_id)
    return 1


def _tell(app: App, project_id: str, _now: datetime) -> int:
    """Tell of a half that was confirmed, and of whose project there is no trace."""
    again = app.store.read(*_paths(project_id))
    if any(document.fields is not None for document in again.documents.values()):
        return 0
    tell("ERROR", "a key half without a project, or a tombstone: left alone", project=project_id)
    return 1


def _paths(project_id: str) -> tuple[str, str]:
    return f"projects/{project_id}", f"tombstones/{project_id}"


def _in_time(act: Act) -> Act:
    """Let it be done for quotas.ORPHAN_TIME seconds from now; what is left is the next run's."""
    end = time.monotonic() + quotas.ORPHAN_TIME

    @wraps(act)
    def acted(app: App, subject: Any, now: datetime) -> int:
        return act(app, subject, now) if time.monotonic() < end else 0

    return acted
