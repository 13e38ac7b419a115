"""Rotation of the key-encryption key: a new one, every project's first half under it, old ones out.

One small step a call, so that a rotation can stop anywhere and go on: what is left to do can be
seen in the store. No secret is opened or rewritten, and no project waits. The operator's alone.

A key is made and removed outside of the store, so the audit entry comes first and says `begun`.
What came of it is read back and noted, by the same call or, where that died, by a later run.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from shared import evidence, quotas
from shared.app import App
from shared.calls import Answer, Call
from shared.errors import Error, invalid, unavailable
from shared.failures import log_failure
from shared.keys import Undecryptable, check_value, newest
from shared.resources import data_key_path
from shared.store import NAME, Conflict, Document, Write, one_request

ROTATED, PRUNED = "keys.rotate", "keys.prune"


def rotate(app: App, call: Call) -> Answer:
    """Take one step: `list`, `add`, `rewrap` or `prune`; the answer says where to go on.

    Raises Error `invalid_field` for a key that cannot be removed, with the reason.
    """
    if "start" not in call.body:  # the first call of a run
        _make_good(app, call)
    return Answer(STEPS[call.body["step"]](app, call))


def _list(app: App, call: Call) -> dict[str, Any]:
    """Count the keys that a page of projects is under."""
    found, start = _page(app, call.body.get("start"))
    counts = Counter(map(_kek, found))
    return _keys(app, start) | {"projects": dict(counts)}


def _add(app: App, call: Call) -> dict[str, Any]:
    """Make a new key, unless `kek` is not the one in use any more: another came first."""
    kek = call.body.get("kek", "")
    if newest(app.keyring.keks()) == kek:
        with _on_record(app, call, ROTATED):
            app.keyring.add_kek(kek, _now(app))
    return _keys(app)


def _rewrap(app: App, call: Call) -> dict[str, Any]:
    """Wrap a page of first halves anew, and before the first page the check value."""
    start, current = call.body.get("start"), newest(app.keyring.keks())
    if start is None:
        with suppress(Conflict):  # another rotation did it just now
            check_value.rewrap(app.store, app.keyring, current)
    found, start = _page(app, start)
    counts = Counter(_rewrapped(app, call, record, current) for record in found)
    done = {word: counts[word] for word in ("rewrapped", "skipped", "failed")}
    return _keys(app, start) | done


def _rewrapped(app: App, call: Call, record: Document, current: str) -> str:
    """Wrap one half anew, if it still is as it was read; give the word to count it under."""
    try:
        change = app.keyring.rewrap(record.path.split("/")[1], record.contents, current)
        if not change:
            return "unchanged"
        app.store.commit([Write.update(record, change)])
    except Conflict:  # shredded meanwhile, or another rotation came first
        return "skipped"
    except Undecryptable as error:  # one damaged record must not stop the others
        log_failure(error, call.trace, path=record.path)
        return "failed"
    return "rewrapped"


def _prune(app: App, call: Call) -> dict[str, Any]:
    """Remove an old key that has rested, and that nothing is wrapped under: looked up here."""
    kek = call.body.get("kek", "")
    keks = app.keyring.keks()
    since = keks.get(kek)
    if since is None:
        raise invalid("kek", "is not an old key")
    if _now(app) - since < quotas.KEK_REST:
        raise invalid("kek", "has been in use until a few minutes ago")
    check = app.store.read(check_value.PATH)[check_value.PATH].fields or {}
    if check.get("kek") == kek or any(used == kek for used in _used(app)):
        raise invalid("kek", "is in use")
    with _on_record(app, call, PRUNED):
        app.keyring.remove_kek(kek)
    return _keys(app)


def _used(app: App) -> Iterator[str]:
    """Give the key of every project; raises Error `unavailable` where they are too many."""
    start = None
    for _ in range(quotas.KEK_COUNTED // quotas.REWRAP_BATCH):
        with one_request():  # each page has its own time: a call of them all has the platform's
            found, start = _page(app, start)
        yield from map(_kek, found)
        if start is None:
            return
    raise unavailable("There are too many projects to look at")


def _page(app: App, start: str | None) -> tuple[list[Document], str | None]:
    """Give the key records of a page of projects, in whatever state, and where to go on."""
    most = quotas.REWRAP_BATCH
    _, found = app.store.query("projects", order=NAME, after=start, limit=most)
    if not found:
        return [], None
    paths = [data_key_path(project.id) for project in found]
    read = app.store.read(*paths)
    # Else it is shredded, or what the schedule put there in vain (`orphans`).
    records = [read[path] for path in paths if "wrapped" in (read[path].fields or {})]
    return records, found[-1].id if len(found) == most else None


def _kek(record: Document) -> str:
    """Give the name of the key that a record is under, or what is there in its place."""
    return str(record.contents.get("kek"))


def _keys(app: App, start: str | None = None) -> dict[str, Any]:
    keks = app.keyring.keks()
    told = {"current": newest(keks), "old": [*keks][:-1]}
    return told if start is None else {**told, "next": start}


@contextmanager
def _on_record(app: App, call: Call, action: str) -> Iterator[None]:
    """Note what is begun, and how it ends. Raises Error `invalid_field` for a KeyError within."""
    begun = evidence.begun(app, call.origin, action, _now(app), call.body["kek"])
    with one_request():
        app.store.commit([begun])
    done, over = None, False
    try:
        yield
    except KeyError:  # another call came first, and has an entry of its own
        done = False
        raise invalid("kek", "is not an old key") from None
    except Error:
        over = not app.settings.cloud_keys  # what Cloud KMS did not answer, it may apply yet
        raise
    finally:
        try:
            with one_request():
                _end(app, call, app.store.read(begun.path)[begun.path], done, over=over)
        except (Conflict, Error) as error:  # what was done is done: the next run makes this good
            log_failure(error, call.trace, path=begun.path)


def _make_good(app: App, call: Call) -> None:
    """Note how that ended which earlier calls began, and did not see the end of."""
    began = ("begun", "==", True)
    with one_request():
        _, found = app.store.query("audit", began, order=NAME, limit=quotas.DUE_BATCH)
        for document in found:
            # It has just been noted, or is not one of ours.
            with suppress(Conflict, LookupError, TypeError):
                over = document.contents["at"] <= _now(app) - quotas.KEK_ACT
                done = False if _by_another(app, document) else None
                _end(app, call, document, done, over=over)


def _end(app: App, call: Call, entry: Document, done: bool | None = None, *, over: bool) -> None:
    """Note how something ended, by what is read back, unless it is known whether it is `done`.

    What is not to be seen stays `begun` until it is `over`: nobody is at it any more.
    """
    if done is None:
        keks, kek = app.keyring.keks(), entry.contents["kek"]
        seen = {ROTATED: newest(keks) != kek, PRUNED: kek not in keks}
        done = seen[entry.contents["action"].removeprefix("codeengine.")]
        if not done and not over:
            return
    app.store.commit(evidence.ended(app, call.origin, entry, _now(app), done=done))


def _by_another(app: App, entry: Document) -> bool:
    """Tell whether another entry says that it did this: no key is replaced or removed twice.

    But in Cloud KMS, where both may have been applied.
    """
    about = "kek", "==", entry.contents["kek"]
    _, found = app.store.query("audit", about, order=NAME, limit=quotas.DUE_BATCH)
    done = {"action": entry.contents["action"], "outcome": evidence.SUCCESS}
    told = any(done.items() <= other.contents.items() for other in found)
    return told and not app.settings.cloud_keys


def _now(app: App) -> datetime:
    """Give the time that keys live by: the host's, which nobody moves."""
    return datetime.fromtimestamp(app.wall(), UTC)


STEPS = {"list": _list, "add": _add, "rewrap": _rewrap, "prune": _prune}
