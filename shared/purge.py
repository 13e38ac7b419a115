"""Permanent deletion: mark, shred, sweep, tombstone, in that order and each idempotent.

The mark is a move of the project (`projects.enforce`, `reclamations.reclaim`). From there
`advance` takes one step a call, deciding by what it reads and never by what it is told; each
step's write triggers the event that calls it again.
"""

from itertools import accumulate
from typing import Any

from shared import audit, lifecycle, quotas, sealing, writes
from shared.app import App
from shared.lifecycle import HARD_DELETING
from shared.projects import region_path, slot
from shared.store import Conflict
from shared.writes import Document


def advance(app: App, project_id: str) -> str:
    """Take the next step of a project's permanent deletion, and name it.

    Gives `nothing` when there is none to take. A step that another call took first is left to
    that call. Raises OSError or Error `unavailable` when the key store or the store does not
    answer; the step is then repeated by the next event or by the schedule.
    """
    path = f"projects/{project_id}"
    read = app.store.read(path)
    document = read[path]
    if document.fields is None or document.fields["status"] != HARD_DELETING:
        return "nothing"
    now = app.now(read)
    try:
        if document.fields.get("shredded_at") is None:
            app.keyring.destroy(project_id)
            stamp = {"shredded_at": now, "progress_at": now, "swept": 0}
            app.store.commit(
                [writes.update(document, stamp), writes.discard(sealing.data_key_path(project_id))]
            )
            return "shred"
        children = _batch(app.store.below(path, quotas.SWEEP_BATCH, "size"))
        if children:
            stamp = {"swept": document.fields["swept"] + len(children), "progress_at": now}
            app.store.commit([writes.update(document, stamp), *map(writes.discard, children)])
            return "sweep"
        app.store.commit(_tombstone(document, document.fields, now))
    except Conflict:
        return "nothing"
    return "tombstone"


def _batch(found: list[Document]) -> list[str]:
    """Give the paths of the first of these documents, as many as one commit can delete."""
    sizes = accumulate(map(_bytes, found))
    pairs = zip(found, sizes, strict=True)
    return [document.path for document, size in pairs if size <= quotas.SWEEP_BYTES]


def _bytes(document: Document) -> int:
    """Give how large a document may be: by the size it notes, which is that of all its parts."""
    most = quotas.DOCUMENT_BYTES
    return most if "/parts/" in document.path else min((document.fields or {}).get("size", 0), most)


def _tombstone(document: Document, project: dict[str, Any], now: Any) -> list[writes.Write]:
    """Give the writes that end a project: tombstone, slot and name freed, project gone."""
    changes = lifecycle.move(project, "erase", now)
    kept = ("id", "account_id", "region", "created_at", "deleted_at", "shredded_at", "swept")
    tombstone = {name: project[name] for name in kept} | {
        "status": changes["status"],
        "erased_at": now,
    }
    region = region_path(project["account_id"], project["region"])
    project_id = project["id"]
    who = {"initiator": audit.SYSTEM}
    return [
        writes.create(f"tombstones/{project_id}", tombstone),
        writes.delete(document),
        writes.Write(region, {}, mask=[slot(project_id)]),
        audit.entry(f"{project_id}.erase", "project.erase", project, now, who),
    ]
