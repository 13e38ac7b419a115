"""The check value: a wrong key-encryption key is refused before anything is written with it.

Made at the first start of a store and kept in it, wrapped as a project's first half is. Who cannot
unwrap it has other keys than those the store was written with. Beside it stands which key store
has the second halves: in any other one nothing would be there to be destroyed.
"""

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from shared.keys.envelope import KEY_BYTES, Undecryptable
from shared.keys.keyring import Keyring, Wrapper, unfit
from shared.store import Conflict, Store, Write

PATH = "settings/keyring"
HOLDER = "check"  # what it is wrapped for, in a project id's place
SAID = "The keys of this store are not at hand."


def check(store: Store, halves: str, wrapper: Wrapper | None) -> None:
    """Require that the key store of this name is this store's, and that the wrapper has its keys.

    The first wrapper ever sets both. Raises Error `unavailable`, after a line in the log, when
    they are others.
    """
    fields = store.read(PATH)[PATH].fields
    if fields is None and wrapper:
        value = os.urandom(KEY_BYTES)
        kek, wrapped = wrapper.wrap(value, HOLDER)
        made = {"kek": kek, "wrapped": wrapped, "sha256": _digest(value), "halves": halves}
        with suppress(Conflict):  # another process comes first
            store.commit([Write.create(PATH, made)])
            return
        fields = store.read(PATH)[PATH].fields
    if fields is None:
        return
    if fields.get("halves", halves) != halves:
        raise unfit("another key store: no key is made, used or destroyed", SAID)
    if wrapper and not _fits(wrapper, fields):
        raise unfit("wrong key-encryption key: no key is used", SAID)


def rewrap(store: Store, keyring: Keyring, current: str) -> None:
    """Wrap the check value under the newest key; raises Conflict when another does so now."""
    document = store.read(PATH)[PATH]
    if document.fields and (change := keyring.rewrap(HOLDER, document.fields, current)):
        store.commit([Write.update(document, change)])


def _digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


def _fits(wrapper: Wrapper, fields: Mapping[str, Any]) -> bool:
    try:
        value = wrapper.unwrap(fields["kek"], fields["wrapped"], HOLDER)
    except Undecryptable:
        return False
    except PermissionError:  # the identity may only wrap; that the key is ours was seen before
        return True
    return bool(_digest(value) == fields["sha256"])
