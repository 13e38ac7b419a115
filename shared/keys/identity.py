"""The identity of a key store that no name tells from another: whose halves are in it.

A random id, in `settings/keyring` of the database and in a marker in the key store. It is noted
as `made: False`, then the marker is made, then it is noted as made: a crash in between is made
good by the next start, and of two databases that begin on one key store the second is refused.
Once it is made no marker is made again: where it is not, the key store is not there (ADR 22).
"""

import os
from contextlib import suppress
from typing import Any

from shared import quotas
from shared.keys.backends import NOT_AT_HAND, KeyStore, unfit
from shared.lifecycle import ACTIVE, SOFT_DELETED
from shared.store import NAME, Document, Store, Write

IDENTITY, MADE = "identity", "made"


def drawn() -> dict[str, Any]:
    """Give the fields of a new identity, to be committed."""
    return {IDENTITY: os.urandom(16).hex(), MADE: False}


def require(store: Store, halves: KeyStore, document: Document) -> None:
    """Require that the key store has the identity noted in a document, making what is not yet.

    Raises Error `unavailable`, after a line in the log; also where it is yet to be made, and the
    database has projects of which the key store holds no half: it is of before, and not there.
    Raises Conflict where another process notes it just now.
    """
    noted = document.contents
    if noted.get(MADE, True):  # where that is lost it was made: it is not made again
        halves.belong(noted[IDENTITY], first=False)
        return
    if not _fits(store, halves):
        why = "holds no key half of this database's projects: no key is made, used or destroyed"
        raise unfit(f"{halves} {why}", NOT_AT_HAND)
    halves.belong(noted[IDENTITY], first=True)
    store.commit([Write.update(document, {MADE: True})])


def _fits(store: Store, halves: KeyStore) -> bool:
    """Look for the halves of some projects whose halves must be there, if there are any."""
    for status in (ACTIVE, SOFT_DELETED):
        filters = (("status", "==", str(status)),)
        _, found = store.query("projects", *filters, order=NAME, limit=quotas.KEY_SAMPLE)
        if found:
            with suppress(OSError):  # it is not even there
                return any(halves.holds(project.id) for project in found)
            return False
    return True
