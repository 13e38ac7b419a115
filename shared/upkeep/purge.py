"""Permanent deletion, after the mark: begin, shred, sweep, tombstone, in that order.

Each step is idempotent. A key half that is not there counts as destroyed only once the project
says that its destruction has begun, and that is noted only where the half was found (ADR 22).

The mark is a move of the project (`expire` by the schedule, `reclaim` by its owner). From there
`advance` takes one step a call, deciding by what it reads and never by what it is told; each
step's write triggers the event that calls it again.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import accumulate
from typing import Any, NamedTuple

from shared import evidence, lifecycle, quotas
from shared.app import App
from shared.errors import Error
from shared.failures import tell
from shared.keys import Evidence
from shared.lifecycle import HARD_DELETING, Project
from shared.projects import release
from shared.resources import data_key_path
from shared.store import Conflict, Document, Write
from shared.upkeep import certificate

REMEMBERED = (
    "id",
    "account_id",
    "region",
    "created_at",
    "deleted_at",
    "reclamation_id",
    "reclamation_of",
    "cause",
    "requested_by",
    "requested_name",
    "because",
    "shredded_at",
    "swept",
)


Shown = Sequence[Evidence]  # of the key half, by its key store


class Step(NamedTuple):
    """A step of the purge: `find` gives what it acts on, None where it is done already.

    `act` is what no commit can take back, and gives what shows that it was done; `commit` gives
    the writes that note it. A step that fails, or dies between the two, is found again and
    repeated. `tidy` comes after: what it does not do, the schedule does.
    """

    name: str
    commit: Callable[[App, Document, Sequence[Document], datetime, Shown], list[Write]]
    find: Callable[[App, Project], Sequence[Document] | None] = lambda *_: ()
    act: Callable[[App, Project], Shown] = lambda *_: ()
    says: str = ""  # in the log, as ERROR, once it is noted
    tidy: Callable[[App, Project], None] = lambda *_: None


def advance(app: App, project_id: str) -> str:
    """Take the next step of a project's permanent deletion, and name it.

    Gives `nothing` when there is none to take, and `refused` for a project that is not what this
    code made it, or where what the step creates is there: an event is not sent again for that. A
    step that another call took first is left to that call. Raises OSError or Error `unavailable`
    when the key store or the store does not answer; the step is then repeated by the next event or
    by the schedule.
    """
    path = f"projects/{project_id}"
    read = app.store.read(path)
    document, now = read[path], app.now(read)
    if document.fields is None or document.fields["status"] != HARD_DELETING:
        return "nothing"
    if not evidence.ours(app, document):
        return "refused"
    project = Project.of(document.fields)
    for step in STEPS:
        found = step.find(app, project)
        if found is not None:
            shown = step.act(app, project)
            try:
                app.store.commit(step.commit(app, document, found, now, shown))
            except Conflict:
                return _overtaken(app, document)
            step.tidy(app, project)
            if step.says:
                tell("ERROR", step.says, project=project.id)
            return step.name
    return "nothing"


def _overtaken(app: App, document: Document) -> str:
    """Tell whether another call took the step, or something stands in its way that nobody moves."""
    if app.store.read(document.path)[document.path].update_time != document.update_time:
        return "nothing"
    told = "what the next step of a purge creates is there already: somebody else wrote it"
    tell("CRITICAL", told, project=document.id)
    return "refused"


def _begun(project: Project) -> bool:
    """Tell whether the key half was found; former versions noted only that it was destroyed."""
    return project.shredding_at is not None or project.shredded_at is not None


def _lost(app: App, project: Project) -> Sequence[Document] | None:
    """Find that there is nothing to destroy, though nobody has destroyed it."""
    return None if _begun(project) or app.keyring.holds(project.id) else ()


def _failed(
    app: App, document: Document, _found: Sequence[Document], now: datetime, _shown: Shown
) -> list[Write]:
    project = Project.of(document.contents)
    after = lifecycle.marked(lifecycle.move(project, "fail", now), app.offset())
    entry_id = f"{project.id}.fail.{now:%Y%m%dT%H%M%S%f}"  # it may fail again when it is retried
    return [
        evidence.moved(app, document, after.changes(project)),
        evidence.by_system(app, entry_id, "project.fail", after, now),
    ]


def _unfound(_app: App, project: Project) -> Sequence[Document] | None:
    return None if _begun(project) else ()


def _noted(
    app: App, document: Document, _found: Sequence[Document], now: datetime, _shown: Shown
) -> list[Write]:
    return [evidence.moved(app, document, {"shredding_at": now, "progress_at": now, **_clock(app)})]


def _clock(app: App) -> dict[str, bool]:
    """Give what marks a project whose purge goes on under a moved clock."""
    return {"test": True} if app.offset() else {}


def _unshredded(_app: App, project: Project) -> Sequence[Document] | None:
    return () if project.shredded_at is None else None


def _destroy(app: App, project: Project) -> Shown:
    return app.keyring.destroy(project.id)


def _drop(app: App, project: Project) -> None:
    """Take away what is left of the half; the schedule does, where it cannot be done now."""
    with suppress(Error):
        app.keyring.drop(project.id)


def _shredded(
    app: App, document: Document, _found: Sequence[Document], now: datetime, shown: Shown
) -> list[Write]:
    stamp = {"shredded_at": now, "progress_at": now, "swept": 0, "evidence": shown, **_clock(app)}
    return [evidence.moved(app, document, stamp), Write.discard(data_key_path(document.id))]


def _children(app: App, project: Project) -> Sequence[Document] | None:
    """Give what lies below the project, in the order of paths, as much as one commit can delete."""
    home = f"projects/{project.id}"
    found = app.store.below(home, quotas.SWEEP_BATCH, "size", "sha256")
    pairs = zip(found, accumulate(map(_bytes, found)), strict=True)
    fit = [document for document, size in pairs if size <= quotas.SWEEP_BYTES]
    return fit or found[:1] or None  # it is over when nothing is found, and not before


def _bytes(document: Document) -> int:
    """Give how large a document may be: by the size it notes, which is that of all its parts.

    Where that is no number of bytes somebody else wrote it, and it may be of any size.
    """
    size, most = document.contents.get("size", 0), quotas.DOCUMENT_BYTES
    noted = type(size) is int and size >= 0 and "/parts/" not in document.path
    return min(size, most) if noted else most


def _swept(
    app: App, document: Document, found: Sequence[Document], now: datetime, _shown: Shown
) -> list[Write]:
    more = certificate.swept(Project.of(document.contents), found)
    stamp = {**more, **_clock(app), "swept_at": now, "progress_at": now}
    return [evidence.moved(app, document, stamp), *(Write.discard(each.path) for each in found)]


def _tombstone(
    app: App, document: Document, _found: Sequence[Document], now: datetime, shown: Shown
) -> list[Write]:
    """Give the writes that end a project: tombstone, certificate, slot and name freed, it gone."""
    ended = lifecycle.move(Project.of(document.contents), "erase", now)
    ended = lifecycle.marked(ended, app.offset())
    project = replace(ended, name_salt=ended.name_salt or app.new_salt())
    tombstone: dict[str, Any] = {name: getattr(project, name) for name in REMEMBERED}
    return [
        Write.create(
            f"tombstones/{project.id}",
            tombstone | {"status": str(project.status), "erased_at": now},
        ),
        Write.delete(document),
        release(project),
        *certificate.writes(app, project, shown, now),
    ]


STEPS = (
    Step("fail", _failed, find=_lost, says="a key half is missing that nobody destroyed"),
    Step("begin", _noted, find=_unfound),
    Step("shred", _shredded, find=_unshredded, act=_destroy),
    Step("sweep", _swept, find=_children),
    # Destroyed once more: a disk may have been put back; and what is read now is the evidence.
    Step("tombstone", _tombstone, act=_destroy, tidy=_drop),
)
