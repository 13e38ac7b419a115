"""The check value: a wrong key-encryption key is refused before anything is written with it.

Made at the first start of a store and kept in it, wrapped as a project's first half is. Who cannot
unwrap it has other keys than those the store was written with. Beside it stands which key store
has the second halves, by its name or its identity: in any other one nothing would be there to be
destroyed.
"""

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from shared import quotas
from shared.keys import identity
from shared.keys.backends import NOT_AT_HAND, KeyStore, Wrapper, is_wrapped, unfit
from shared.keys.envelope import KEY_BYTES, Undecryptable
from shared.keys.keyring import Keyring
from shared.store import Conflict, Store, Write

PATH = "settings/keyring"
HOLDER = "check"  # what it is wrapped for, in a project id's place


def check(store: Store, halves: KeyStore, wrapper: Wrapper | None) -> None:
    """Require that the key store is this store's, and that the wrapper has its keys.

    The first wrapper ever sets both. Raises Error `unavailable`, after a line in the log, when
    they are others, and OSError when the key store is out of reach.
    """
    for _ in range(quotas.KEY_CHECKS):
        with suppress(Conflict):  # another process comes first
            if _settled(store, halves, wrapper):
                return
    raise OSError("what is to be checked changes all the time")


def _settled(store: Store, halves: KeyStore, wrapper: Wrapper | None) -> bool:
    """Check what is stored; where something of it is yet to be, store that, and give False."""
    document = store.read(PATH)[PATH]
    fields, named = document.fields, halves.name != ""
    if fields is None:
        return _begun(store, halves.name, wrapper)
    if fields.get("halves", halves.name) != halves.name:
        raise unfit("another key store: no key is made, used or destroyed", NOT_AT_HAND)
    if wrapper and not _fits(wrapper, fields):
        raise unfit("wrong key-encryption key: no key is used", NOT_AT_HAND)
    if not named and identity.IDENTITY not in fields:  # of before there were any
        store.commit([Write.update(document, identity.drawn())])
        return False
    if not named:
        identity.require(store, halves, document)
    return True


def _begun(store: Store, named: str, wrapper: Wrapper | None) -> bool:
    """Store the first check value, if who asks has keys."""
    if wrapper:
        whose = {} if named else identity.drawn()
        store.commit([Write.create(PATH, {**_made(wrapper), "halves": named, **whose})])
        return False
    if not named:
        raise unfit("the key store is not known yet: no key is destroyed", NOT_AT_HAND)
    return True  # who may only destroy finds what there is by that name


def exists(store: Store) -> bool:
    """Tell whether a keyring was used with this store; raises Error `unavailable`."""
    return store.read(PATH)[PATH].fields is not None


def rewrap(store: Store, keyring: Keyring, current: str) -> None:
    """Wrap the check value under the newest key; raises Conflict when another does so now."""
    document = store.read(PATH)[PATH]
    if document.fields and (change := keyring.rewrap(HOLDER, document.fields, current)):
        store.commit([Write.update(document, change)])


def _made(wrapper: Wrapper) -> dict[str, Any]:
    value = os.urandom(KEY_BYTES)
    kek, wrapped = wrapper.wrap(value, HOLDER)
    return {"kek": kek, "wrapped": wrapped, "sha256": _digest(value)}


def _digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()


def _fits(wrapper: Wrapper, fields: Mapping[str, Any]) -> bool:
    if not is_wrapped(fields):
        return False
    try:
        value = wrapper.unwrap(fields["kek"], fields["wrapped"], HOLDER)
    except Undecryptable:
        return False
    except PermissionError:  # the identity may only wrap; that the key is ours was seen before
        return True
    return bool(_digest(value) == fields.get("sha256"))
