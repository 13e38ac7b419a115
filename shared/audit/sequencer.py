"""The sequencer: what waits is put into the log, a batch a commit, and the result is signed.

One document, `log/state`, says how far the log goes; every commit requires it as it was read, with
each entry, chain and tile that it changes. So of two sealers at once one comes first, a commit is
there whole or not at all, and a run that died anywhere is gone on with by the next: an entry waits
(`pending`) or has its numbers, never both. The order is that of an entry's time and id within a
batch; that it waits is what counts, so clocks may move as they like.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shared import quotas
from shared.app import App
from shared.audit import batch, signing, stored
from shared.audit.stored import CHECKPOINT, STATE, Head, Published
from shared.failures import tell
from shared.log import Refused
from shared.store import NAME, Conflict, Document, Read, Write

WORDS = "sealed", "refused", "overtaken", "published"
DAMAGED = "the log's documents do not fit together: nothing is sealed or signed"


class Waiting(NamedTuple):
    """Entries that wait, the head and the checkpoint beside them."""

    read: Read
    entries: list[Document]


def seal(app: App) -> Mapping[str, int]:
    """Seal what waits, sign what is committed, and count it; nothing is written where none waits.

    Raises Error `unavailable` where the store, or the state key, does not answer.
    """
    done = Counter(dict.fromkeys(WORDS, 0))
    end = time.monotonic() + quotas.SEAL_TIME
    try:
        found = _waiting(app)
        _warn(found)
        while found.entries and time.monotonic() < end:
            try:
                done.update(_sealed(app, found))
            except Conflict:  # another run came first, or an entry was written
                done["overtaken"] += 1
                time.sleep(app.random() * quotas.SEAL_JITTER)
            if not app.settings.emulator:
                time.sleep(quotas.SEAL_PAUSE)
            found = _waiting(app)  # after the commit: what is signed is read back here
        done["published"] += signing.publish(app, found.read)
    except Refused as damage:
        tell("CRITICAL", DAMAGED, why=str(damage))
    return done


def _waiting(app: App) -> Waiting:
    """Read; raises Refused where the log is shorter than what was signed, and stays so."""
    pending = "pending", "==", True
    paths, limit = (STATE, CHECKPOINT), quotas.SEAL_BATCH
    for _ in range(quotas.SEAL_LOOKS):  # the public emulator may tear a read
        found = Waiting(*app.store.read_beside(paths, "audit", pending, order=NAME, limit=limit))
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


def _sealed(app: App, found: Waiting) -> dict[str, int]:
    """Seal a batch; raises Conflict where anything of it is not as it was read."""
    sound = [entry for entry in found.entries if batch.sound(app, entry)]
    refused = [entry for entry in found.entries if entry not in sound]
    if refused:
        _refuse(app, refused)
    if sound:
        app.store.commit(_writes(app, Head.of(found.read[STATE]), sound))
    return {"sealed": len(sound), "refused": len(refused)}


def _refuse(app: App, entries: Sequence[Document]) -> None:
    """Let what this code did not write wait no more: told first, so that no crash keeps it back."""
    for entry in entries:
        tell("CRITICAL", "an audit entry that this code did not write: not sealed", path=entry.path)
    app.store.commit([Write.update(entry, {"pending": "refused"}) for entry in entries])


def _writes(app: App, head: Head, entries: Sequence[Document]) -> list[Write]:
    """Give all that one commit holds; raises Conflict where the log has gone on meanwhile."""
    edge = batch.edge(head)
    accounts = {stored.account(entry.contents["account_id"]) for entry in entries}
    read = app.store.read(STATE, *sorted(accounts), *(edge[tile] for tile in edge))
    if Head.of(read[STATE]) != head:
        raise Conflict
    return batch.writes(head, entries, read)
