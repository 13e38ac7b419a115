"""The sequencer: what waits is put into the log, a batch a commit, and the result is signed.

One document, `log/state`, says how far the log goes; every commit requires it as it was read, with
each entry, chain and tile that it changes. So of two sealers at once one comes first, a commit is
there whole or not at all, and a run that died anywhere is gone on with by the next: an entry waits
(`pending`) or has its numbers, never both. The order is that of an entry's time and id within a
batch; that it waits is what counts, so clocks may move as they like.
"""

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from shared import quotas
from shared.app import App
from shared.audit import batch, signing, stored
from shared.audit.stored import CHECKPOINT, STATE, Broken, Chain, Head, Published
from shared.failures import tell
from shared.log import Refused
from shared.store import NAME, Conflict, Document, Read, Write

WORDS = "sealed", "refused", "overtaken", "published"
DAMAGED = "the log's documents do not fit together: nothing is sealed or signed"
ASIDE = "an account's chain is none: its entries wait, and the others are sealed"


class Waiting(NamedTuple):
    """Entries that wait, the head and the checkpoint beside them."""

    read: Read
    entries: list[Document]


def seal(app: App) -> Mapping[str, int]:
    """Seal what waits, sign what is committed, and count it; nothing is written where none waits.

    Raises Error `unavailable` where the store, or the state key, does not answer.
    """
    done, aside, after = Counter(dict.fromkeys(WORDS, 0)), set[str](), None
    end = time.monotonic() + quotas.SEAL_TIME
    try:
        found = _waiting(app)
        _warn(found)
        while found.entries and time.monotonic() < end:
            try:
                done.update(_sealed(app, found, aside))
                after = found.entries[-1].id if aside else None  # on beyond what waits on
            except Broken as broken:
                aside.update(broken.paths)
                for path in broken.paths:
                    tell("CRITICAL", ASIDE, path=path)
            except Conflict:  # another run came first, or an entry was written
                done["overtaken"] += 1
                time.sleep(app.random() * quotas.SEAL_JITTER)
            if not app.settings.emulator:
                time.sleep(quotas.SEAL_PAUSE)
            found = _waiting(app, after)  # after the commit: what is signed is read back here
        done["published"] += signing.publish(app, found.read)
    except Refused as damage:
        tell("CRITICAL", DAMAGED, why=str(damage))
    return done


def _waiting(app: App, after: str | None = None) -> Waiting:
    """Read from beyond an id; raises Refused where the log is shorter than what was signed."""
    pending, limit = ("pending", "==", True), quotas.SEAL_BATCH
    for _ in range(quotas.SEAL_LOOKS):  # the public emulator may tear a read
        read, entries = app.store.read_beside(
            (STATE, CHECKPOINT), "audit", pending, order=NAME, after=after, limit=limit
        )
        found = Waiting(read, entries)
        signed = Published.of(found.read[CHECKPOINT])
        if signed is None or signed.size <= Head.of(found.read[STATE]).tree.size:
            return found
    raise Refused("the log is shorter than what was signed")


def _warn(found: Waiting) -> None:
    waited = stored.waited(found.entries, found.read.time)
    if waited > quotas.SEAL_LATE:
        tell(
            "ERROR", "entries of the audit trail waited long to be sealed", seconds=f"{waited:.0f}"
        )


def _sealed(app: App, found: Waiting, aside: Collection[str] = ()) -> dict[str, int]:
    """Seal a batch, but of the accounts whose chains are put aside nothing.

    Raises Conflict where anything of it is not as it was read, Broken for further such chains.
    """
    judged = [(entry, batch.sound(app, entry)) for entry in found.entries]
    if refused := [entry for entry, is_sound in judged if not is_sound]:
        _refuse(app, refused)
    sound = [entry for entry, is_sound in judged if is_sound and _chain(entry) not in aside]
    if sound:
        app.store.commit(_writes(app, Head.of(found.read[STATE]), sound))
    return {"sealed": len(sound), "refused": len(refused)}


def _refuse(app: App, entries: Sequence[Document]) -> None:
    """Let what this code did not write wait no more: told first, so that no crash keeps it back."""
    for entry in entries:
        tell("CRITICAL", "an audit entry that this code did not write: not sealed", path=entry.path)
    app.store.commit([Write.update(entry, {"pending": "refused"}) for entry in entries])


def _chain(entry: Document) -> str:
    return stored.account(entry.contents["account_id"])


def _writes(app: App, head: Head, entries: Sequence[Document]) -> list[Write]:
    """Give all that one commit holds; raises Conflict where the log has gone on meanwhile.

    Raises Broken for accounts whose chains are none.
    """
    edge, accounts = batch.edge(head), {_chain(entry) for entry in entries}
    read = app.store.read(STATE, *sorted(accounts), *(edge[tile] for tile in edge))
    if Head.of(read[STATE]) != head:
        raise Conflict
    if broken := [path for path in accounts if not _holds(read[path])]:
        raise Broken(broken)
    return batch.writes(head, entries, read)


def _holds(document: Document) -> bool:
    try:
        Chain.of(document)
    except Refused:
        return False
    return True
