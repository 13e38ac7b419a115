"""What happens when nobody acts: the schedule's work, every five minutes.

What is due begins its permanent deletion; what is stuck is nudged; what keeps failing is marked,
and tried again; key halves of projects that never came to be are destroyed; and slots are
compared with projects. It takes no input, and calling it often or twice changes nothing.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from shared import projects, quotas, store
from shared.app import App
from shared.errors import Error
from shared.lifecycle import HARD_DELETING, HARD_DELETION_FAILED, SOFT_DELETED
from shared.store import Conflict, Document

log = logging.getLogger("reprieve")


def enforce(app: App) -> dict[str, int]:
    """Do what is due, and count it.

    One project that cannot be moved delays no other: it is counted under `failed`.
    """
    now = app.now(app.store.read("retention/clock"))  # no such document: a read of the clock
    done = dict.fromkeys(("expired", "nudged", "given_up", "retried", "orphans", "failed"), 0)
    for word, act, subject in _work(app, now):
        try:
            act(app, subject)
        except Conflict:
            continue  # another run, or the project's owner, came first
        except (Error, OSError) as error:
            if getattr(error, "status", 500) >= 500:
                log.error("retention: %s: %s", word, type(error).__name__)  # noqa: TRY400 - no values
                done["failed"] += 1
        else:
            done[word] += 1
    return done | {"disagreements": _disagreements(app)}


def _work(
    app: App, now: datetime
) -> Iterator[tuple[str, Callable[[App, Any], None], Document | str]]:
    """Give what there is to do: a word for it, who does it, and with what."""
    for document in _with_status(app, SOFT_DELETED, "purge_at", now):
        yield "expired", lambda app, id_: projects.enforce(app, id_, "expire"), document.id
    for document in _with_status(app, HARD_DELETING, "progress_at", now - quotas.NUDGE_AFTER):
        fields = document.fields or {}
        if fields["progress_at"] <= now - quotas.FAIL_AFTER:
            yield "given_up", lambda app, id_: projects.enforce(app, id_, "fail"), document.id
        elif _idle(fields["nudged_at"], now) >= quotas.NUDGE_AFTER:
            yield "nudged", lambda app, doc: _nudge(app, doc, now), document
    for document in _with_status(app, HARD_DELETION_FAILED, "updated_at", now - quotas.RETRY_AFTER):
        yield "retried", lambda app, id_: projects.enforce(app, id_, "retry"), document.id
    for project_id in app.keyring.unconfirmed(now - quotas.ORPHAN_AFTER, quotas.DUE_BATCH):
        yield "orphans", _settle, project_id


def _with_status(app: App, status: str, field: str, until: datetime) -> list[Document]:
    filters = (("status", "==", status), (field, "<=", until))
    return app.store.query("projects", *filters, order=field, limit=quotas.DUE_BATCH)[1]


def _idle(since: datetime | None, now: datetime) -> timedelta:
    return now - since if since else timedelta.max


def _nudge(app: App, document: Document, now: datetime) -> None:
    """Touch a project, so that an event is sent for it again."""
    app.store.commit([store.update(document, {"nudged_at": now})])


def _settle(app: App, project_id: str) -> None:
    """Confirm a key half whose project is stored; destroy one whose project never will be.

    A tombstone is written first: a create that is still under way can then not commit.
    """
    project, tombstone = f"projects/{project_id}", f"tombstones/{project_id}"
    read = app.store.read(project, tombstone)
    if read[project].fields is not None:
        app.keyring.confirm(project_id)
        return
    if read[tombstone].fields is None:
        never = {"id": project_id, "status": "never_created", "erased_at": app.now(read)}
        app.store.commit([store.create(tombstone, never), store.absent(project)])
    app.keyring.destroy(project_id)


def _disagreements(app: App) -> int:
    """Compare the slots of some regions, from a random one on, with the projects there are."""
    start = f"{int(app.random() * 16**8):08x}"
    _, regions = app.store.query("regions", order="key", after=start, limit=quotas.REGIONS_CHECKED)
    wrong = 0
    for region in regions:
        account, _, name = region.id.partition(".")
        slots = (region.fields or {}).get("slots", {})
        _, found = app.store.query(
            "projects",
            ("account_id", "==", account),
            ("region", "==", name),
            order="name",
            limit=len(slots) + app.settings.projects_per_region,
        )
        held = {document.id: (document.fields or {})["name"] for document in found}
        again = app.store.read(region.path)[region.path]
        if held != slots and again.update_time == region.update_time:
            log.error("retention: slots and projects disagree in %s", region.id)
            wrong += 1
    return wrong
