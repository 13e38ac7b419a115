"""What happens when nobody acts: the schedule's work, every five minutes.

What is due begins its permanent deletion; what is stuck is nudged; what keeps failing is marked,
and tried again; what was kept for requests that are sent again, and sign-in codes that nobody used,
are forgotten; slots are compared with projects; and key halves without a project are settled
(`orphans`). It takes no input, and calling it often or twice changes nothing.

Where events end with who was to be told of them, as on the local host, `wake` nudges at once.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from shared import evidence, projects, quotas
from shared.access import signin
from shared.app import App
from shared.failures import log_failure, new_trace, tell
from shared.lifecycle import HARD_DELETING, HARD_DELETION_FAILED, SOFT_DELETED
from shared.store import EVERYWHERE, Conflict, Document, Write
from shared.upkeep import orphans
from shared.upkeep.orphans import Act, Work

T = TypeVar("T")
EVER = datetime.max.replace(tzinfo=UTC)  # no time that is stored is later
WORDS = (
    *("expired", "nudged", "given_up", "retried"),
    *("forgotten", "orphans", "returned", "disagreements"),
)
HALVES = (orphans.unconfirmed, orphans.strays)  # whose work is done several at once


def enforce(app: App) -> dict[str, int]:
    """Do what is due, and count it.

    Nothing that fails delays anything else: it is logged, and counted under `failed`.
    """
    now = app.now(app.store.read("retention/clock"))  # no such document: a read of the clock
    done = dict.fromkeys((*WORDS, "failed"), 0)
    with ThreadPoolExecutor(quotas.ORPHANS_AT_ONCE) as pool:
        # What takes longest comes last: where the platform's time is over, the next run goes on.
        for find in (_due, _stuck, _failed, _regions, *HALVES, _answered):
            work, failed = _tried(find, app, now)
            done["failed"] += failed
            several = pool.map if find in HALVES else map
            for word, (count, failed) in several(partial(_did, app, now), work or ()):
                done[word] += count or 0
                done["failed"] += failed
    return done


def wake(app: App) -> dict[str, int]:
    """Nudge all that is being destroyed, however lately it went on, and count it."""
    now, found = _with_status(app, HARD_DELETING, "progress_at", EVER)
    nudged = [_tried(_nudge, app, document, now) for document in found]
    return {
        "nudged": sum(count or 0 for count, _ in nudged),
        "failed": sum(failed for _, failed in nudged),
    }


def _did(app: App, now: datetime, work: tuple[str, Act, Any]) -> tuple[str, tuple[int | None, int]]:
    word, act, subject = work
    return word, _tried(act, app, subject, now)


def _tried(act: Callable[..., T], *arguments: Any) -> tuple[T | None, int]:
    """Act; None when it failed, or when another run or the project's owner came first.

    Beside it 1 where it failed.
    """
    try:
        return act(*arguments), 0
    except Conflict:
        return None, 0
    except Exception as error:  # noqa: BLE001 - one odd document must not stop the schedule
        if getattr(error, "status", 500) < 500:
            return None, 0
        log_failure(error, new_trace(), step=getattr(act, "__name__", ""))
        return None, 1


def _due(app: App, now: datetime) -> Work:
    _, found = _with_status(app, SOFT_DELETED, "purge_at", now)
    return [("expired", _moved("expire"), document) for document in found]


def _stuck(app: App, _now: datetime) -> Work:
    """Find what stands still: to be nudged, or given up after a day without progress."""
    work: Work = []
    now, found = _with_status(app, HARD_DELETING, "progress_at", EVER)
    for document in found:
        since = document.contents["progress_at"], document.contents.get("nudged_at")
        if since[0] <= now - quotas.FAIL_AFTER:
            work.append(("given_up", _moved("fail"), document))
        elif all(_over(moment, quotas.NUDGE_AFTER, now) for moment in since):
            work.append(("nudged", _nudge, document))
    return work


def _failed(app: App, _now: datetime) -> Work:
    now, found = _with_status(app, HARD_DELETION_FAILED, "updated_at", EVER)
    due = [one for one in found if _over(one.contents["updated_at"], quotas.RETRY_AFTER, now)]
    return [("retried", _moved("retry"), document) for document in due]


def _over(since: Any, wait: timedelta, now: datetime) -> bool:
    """Tell whether a wait is over: also one that never began, or begins at a time to come.

    Such a time was stored before the clock was moved back, and may never come. What is no time
    somebody else wrote.
    """
    return not isinstance(since, datetime) or not now - wait < since <= now


def _answered(app: App, now: datetime) -> Work:
    """Give what is forgotten, by its collection, and until when that expired; codes first: few.

    Codes live by the host's clock, as keys do, answers by the lifecycle's. All of it has
    quotas.FORGET_TIME seconds.
    """
    used = signin.over_at(app)
    ends = {"signin_codes": used, "signin_keys": used, f"{EVERYWHERE}/operations": now}
    stop = time.monotonic() + quotas.FORGET_TIME
    return [("forgotten", _forget, (where, until, stop)) for where, until in ends.items()]


def _regions(app: App, _now: datetime) -> Work:
    """Find some regions, from a random one on: with time, every one has its turn."""
    start = f"{int(app.random() * 16**8):08x}"
    most = quotas.REGIONS_CHECKED
    _, found = app.store.query("regions", order="key", after=start, limit=most)
    if len(found) < most:  # past the last one comes the first
        _, first = app.store.query("regions", order="key", limit=most - len(found))
        found += [region for region in first if region.id <= start]
    return [("disagreements", _disagrees, region) for region in found]


def _moved(verb: str) -> Callable[[App, Document, datetime], int]:
    def act(app: App, document: Document, _now: datetime) -> int:
        projects.move(app, document.id, verb, call=None)
        return 1

    return act


def _with_status(
    app: App, status: str, field: str, until: datetime
) -> tuple[datetime, list[Document]]:
    """Find projects of a status whose time in `field` is not after `until`, the longest due first.

    The time given with them is not before that at which any of them was written. Page by page, so
    that those which cannot be moved and stay at the head keep nobody waiting.
    """
    filters = (("status", "==", status), (field, "<=", until))
    found: list[Document] = []
    for _ in range(quotas.DUE_PAGES):
        after = (found[-1].contents[field], found[-1].id) if found else None
        limit = quotas.DUE_BATCH
        time, page = app.store.query("projects", *filters, order=field, after=after, limit=limit)
        found += page
        if len(page) < limit:
            break
    return app.now(time), found


def _nudge(app: App, document: Document, now: datetime) -> int:
    """Touch a project, so that an event is sent for it again; its day has begun by now."""
    evidence.require_ours(app, document)
    progress_at = min(document.contents["progress_at"], now)
    app.store.commit([Write.update(document, {"nudged_at": now, "progress_at": progress_at})])
    return 1


def _forget(app: App, what: tuple[str, datetime, float], _now: datetime) -> int:
    """Delete what expired until then and is of no use any more, page by page, until it must stop.

    As fast as it comes, whoever fills it.
    """
    (collection, until, stop), forgotten = what, 0
    while time.monotonic() < stop:
        _, found = app.store.query(
            collection,
            ("expires_at", "<=", until),
            order="expires_at",
            limit=quotas.SWEEP_BATCH,
            weigh=lambda record: record.contents.get("size", 0),  # what one commit may delete
        )
        if not found:
            break
        app.store.commit(map(Write.delete, found))  # but for one that is taken anew just now
        forgotten += len(found)
    return forgotten


def _disagrees(app: App, region: Document, _now: datetime) -> int:
    """Compare a region's slots with its projects; give 1, and say so, if they differ."""
    account, _, name = region.id.partition(".")
    slots = region.contents.get("slots", {})
    filters = (("account_id", "==", account), ("region", "==", name))
    limit = len(slots) + app.settings.projects_per_region
    _, found = app.store.query("projects", *filters, order="name", limit=limit)
    held = {document.id: document.contents["name"] for document in found}
    again = app.store.read(region.path)[region.path]
    if held == slots or again.update_time != region.update_time:
        return 0
    tell("ERROR", "slots disagree", region=region.id)
    return 1
