"""A project's standing: what decides its life, under a MAC that only this code can make.

Who writes the database alone can set a status or a deadline. So what moves a project, takes a step
of its destruction or works in it asks here first, and each commit that changes one of FIELDS makes
the MAC anew, with a count of such commits (`moves`). The key is the state key, which is not in the
database. A former document, put back whole, is not told here: it was true once.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared import forms
from shared.app import App
from shared.errors import Error
from shared.evidence.entries import moment, said
from shared.failures import tell
from shared.keys import LIFECYCLE
from shared.lifecycle import Project
from shared.log import dump
from shared.store import Document, Write

MOVES, MAC = "moves", "mac"  # how often one of FIELDS was changed; 32 bytes
# What the MAC is over: a name more here is one more that nobody else sets. What is None, or not
# there, is left out, so that a project from before a name came keeps its MAC.
FIELDS = (
    *("id", "account_id", "region", "name", "status"),
    *("created_at", "deleted_at", "restored_at", "purge_at"),
    *("reclamation_id", "reclamation_of", "requested_by", "requested_name", "because", "cause"),
    *("shredding_at", "shredded_at", "swept"),
    # what is told in its certificate
    *("key_commitment", "name_salt", "test", "restores", "claimed_at", "attempts", "evidence"),
    *("swept_at", "sweep_digest", "swept_kinds", "digested"),
    MOVES,
)


def born(app: App, project: Project) -> Write:
    """Give the write of a new project."""
    fresh = Document(f"projects/{project.id}", {**project.born(), MOVES: 1})
    return Write.create(fresh.path, {**fresh.contents, MAC: _mac(app, fresh)})


def moved(app: App, document: Document, changes: Mapping[str, Any]) -> Write:
    """Give the write of what changes of a project, which must be as it was read."""
    changes = {**changes, MOVES: document.contents.get(MOVES, 0) + 1}
    after = Document(document.path, {**document.contents, **changes})
    return Write.update(document, {**changes, MAC: _mac(app, after)})


def require_ours(app: App, document: Document) -> None:
    """Raise Error `unavailable`, after a line in the log, unless `ours`."""
    if not ours(app, document):
        said = "The project cannot be used until its operator has looked at it."
        raise Error("unavailable", said, headers={"Retry-After": "5"})


def ours(app: App, document: Document) -> bool:
    """Tell whether this code made a stored project what it is; where not, the log says so.

    While the store's form is the former one, one without a MAC counts as well. Raises Error
    `unavailable` where the state key is out of reach.
    """
    if MAC not in document.contents and app.settings.store_form == forms.FORMER:
        forms.accepted("project without a MAC")
        return True
    if holds(app, document):
        return True
    told = "a project whose MAC does not hold: nothing is done with it"
    tell("CRITICAL", told, project=document.id)
    return False


def ended(app: App, project_id: str, entry: Document) -> bool:
    """Tell whether this code made the entry of a project's end: a tombstone can be planted.

    The entry is `audit/{project}.erase`. While the store's form is the former one, one without a
    record counts as well.
    """
    fields = entry.fields or {}
    if "record" not in fields and app.settings.store_form == forms.FORMER:
        return True
    told = said(app, entry)
    return told is not None and entry.id == f"{project_id}.erase"


def holds(app: App, document: Document) -> bool:
    """Tell whether a stored project has the MAC that this code made; raises `unavailable`."""
    try:
        message = meaning(document)
    except ValueError:
        return False
    return app.keyring.state.holds(LIFECYCLE, message, document.contents.get(MAC))


def meaning(document: Document) -> bytes:
    """Give what the MAC is over; raises ValueError for what is no project of its path."""
    fields = document.contents
    if fields.get("id") != document.id:
        raise ValueError("a project has the id of its path")
    there = ((name, fields.get(name)) for name in FIELDS)
    return dump({name: _plain(value) for name, value in there if value is not None})


def _mac(app: App, document: Document) -> bytes:
    return app.keyring.state.mac(LIFECYCLE, meaning(document))


def _plain(value: Any) -> Any:
    """Give a value as JSON has it; of different types no two are alike."""
    match value:
        case datetime():
            return {"time": moment(value.astimezone(UTC))}
        case bytes():
            return {"bytes": value.hex()}
        case Mapping():
            return {"map": {name: _plain(item) for name, item in value.items()}}
        case list() | tuple():
            return [_plain(item) for item in value]
        case str():
            return str(value)  # of a Status its text
    return value
