"""Project keys: create, open, destroy. The only file that touches key material at rest.

A project's data key is derived from two halves. The first lies in Firestore, wrapped by the
key-encryption key; the second in a key store that keeps no history. Destroying the second half
makes every copy of the first, in whatever backup, worthless: that is shredding.

Two back ends have the protocols of `backends`: `local` (a keyring file, a folder of 0600 files) and
`cloud` (Cloud KMS, Secret Manager).
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from threading import Lock
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared import quotas
from shared.errors import Error, unavailable
from shared.keys.backends import EVER, Evidence, KeyStore, Wrapper, Wrappers, is_wrapped, unfit
from shared.keys.envelope import KEY_BYTES, Undecryptable, derive
from shared.keys.memory import Memory
from shared.keys.signing import LogKey, Signing, holds, no_log_key, public_half
from shared.keys.state import State

UNSIGNED = "Nothing can be signed now."
GENERATION = 1  # of a project's data key; bound into every envelope


def commitment(project_id: str, half: bytes) -> str:
    """Give the digest that a project's second half is told by when it is made, in hex.

    Whoever has the half, ever, can show whose it is; the digest tells nothing of it.
    """
    said = b"reprieve/key-half/v1\n" + project_id.encode() + half
    return hashlib.sha256(said).hexdigest()


@contextmanager
def _reachable() -> Iterator[None]:
    """Tell a key store or a wrapper that is out of reach as Error `unavailable`."""
    try:
        yield
    except OSError as error:
        raise unavailable("The key store does not answer") from error


class Keyring:
    """The keys of all projects, the key that signs tokens, and the state key (`state`).

    Plain data keys stay in memory for a minute at most, keyed by project and wrapped half, and are
    dropped when the project is shredded (`memory`). The signing key and the public keys are read
    when they are first needed, so who needs none need not be allowed to.

    No key is made or opened before `check` accepts the key store and the wrapper; nor destroyed
    before it accepts the key store alone, for in another one there is nothing to destroy. It raises
    Error, and then is made again after quotas.KEY_RECHECK seconds. What was accepted is looked at
    each time: a wrapper that changed, and a key store that is not the same any more, are checked
    anew.
    """

    def __init__(self, wrapper: Wrappers, halves: KeyStore, signing: Signing, state: State) -> None:
        self._wrapper, self._halves, self._signing, self.state = wrapper, halves, signing, state
        self.log_key: LogKey = no_log_key
        self._memory, self._checking = Memory(), Lock()
        self.check: Callable[[KeyStore, Wrapper | None], None] | None = None  # None: a test's
        self._accepted: Wrapper | None = None
        self._placed = False  # the key store was accepted
        self._refused: tuple[float, Error] | None = None

    @cached_property
    def signing_key(self) -> Ed25519PrivateKey:
        """The key that signs tokens and key records; raises Error `unavailable`.

        Also where the newest public key is not of it: nobody would take what it signs.
        """
        with _reachable():
            key, public = self._signing.private(), self._signing.public()
        if public_half(key) != public[0]:
            raise unfit("the newest public key is not the signing key's", UNSIGNED)
        self.verifying_keys = public  # they may have been read before the key was replaced
        return key

    @cached_property
    def verifying_keys(self) -> tuple[bytes, ...]:
        """The public halves of all signing keys that are not destroyed, the newest first.

        They verify key records. Raises Error `unavailable`.
        """
        with _reachable():
            return self._signing.public()

    @property
    def verifying_key(self) -> bytes:
        """The newest of them, in 32 bytes: it alone verifies tokens; raises Error `unavailable`."""
        return self.verifying_keys[0]

    def sign(self, message: bytes) -> bytes:
        """Give the signature of a message, which says by its beginning what it is."""
        return self.signing_key.sign(message)

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Tell whether a signing key that is not destroyed made this signature."""
        return holds(self.verifying_keys, message, signature)

    def ready(self) -> Wrapper:
        """Check, unless that is done, and give the wrapper; raises the Error of the check."""
        wrapper = self._wrapper.now()
        if self._accepts(wrapper):
            return wrapper
        if not self._checking.acquire(blocking=False):
            if self._refused:
                raise self._refused[1].again()  # nobody waits to hear whether it is better by now
            self._checking.acquire()
        try:
            if self._accepts(wrapper):  # by another thread meanwhile
                return wrapper
            if self._refused and time.monotonic() < self._refused[0]:
                raise self._refused[1].again()
            try:
                with _reachable():
                    self._halves.verify()
                    self._check(wrapper)
            except Error as error:
                self._refused = (time.monotonic() + quotas.KEY_RECHECK, error.again())
                raise
            self._accepted, self._refused = wrapper, None
        finally:
            self._checking.release()
        return wrapper

    def _accepts(self, wrapper: Wrapper) -> bool:
        return self.check is None or (self._accepted == wrapper and self._in_place())

    def _in_place(self) -> bool:
        with _reachable():
            return self.check is None or (self._placed and self._halves.ours())

    def _check(self, wrapper: Wrapper | None) -> None:
        if self.check:
            self.check(self._halves, wrapper)
        self._placed = True

    @contextmanager
    def _usable(self) -> Iterator[Wrapper]:
        """Check, and tell what is out of reach: around every use of a key-encryption key."""
        wrapper = self.ready()
        with _reachable():
            yield wrapper

    @contextmanager
    def _at_home(self) -> Iterator[None]:
        """Likewise, around a use of the key store that no other key is needed for."""
        with _reachable():
            if self.check and not self._placed:
                with suppress(Error):  # what is missing for it may be all that a start makes
                    self.ready()
            if not self._in_place():
                self._check(None)
            yield

    def create(self, project_id: str, now: datetime) -> dict[str, Any]:
        """Make a project's data key; give the fields of its document `keys/current`.

        And beside them the `commitment` to its second half.
        """
        second = os.urandom(KEY_BYTES)
        with self._usable() as wrapper:
            kek, wrapped = wrapper.wrap(os.urandom(KEY_BYTES), project_id)
            self._halves.put(project_id, second, now)
        made = {"kek": kek, "wrapped": wrapped, "generation": GENERATION, "created_at": now}
        return made | {"commitment": commitment(project_id, second)}

    def open(self, project_id: str, record: Mapping[str, Any]) -> bytes:
        """Give the data key; raises Undecryptable when a half is gone or does not fit.

        Also where the record is damaged, or not there: nothing may be sealed under what it says.
        """
        if not is_wrapped(record) or record.get("generation") != GENERATION:
            raise Undecryptable
        place = (project_id, record["wrapped"])
        key, moment = self._memory.get(place)
        if key:  # then all was ready once
            return key
        try:
            with self._usable() as wrapper:
                second = self._halves.get(project_id)
                first = wrapper.unwrap(record["kek"], record["wrapped"], project_id)
        except KeyError:
            raise Undecryptable from None
        key = derive(first + second, None, b"reprieve/v1/data-key/" + project_id.encode())
        self._memory.put(place, key, moment)
        return key

    def mark(self, project_id: str, record: Mapping[str, Any], digest: bytes) -> bytes:
        """Give what tells a digest from another, under the project's key, and ends with that key.

        So nobody without it can try values until one has this digest. Raises Undecryptable.
        """
        return derive(self.open(project_id, record), None, b"reprieve/v1/request/" + digest)

    def rewrap(self, holder: str, record: Mapping[str, Any], current: str) -> dict[str, Any]:
        """Give what changes of a record when the newest key wraps it; nothing if it does already.

        `holder` is what it was wrapped for: a project's id. `current` is the newest key, as `keks`
        has just given it. Raises Undecryptable.
        """
        if not is_wrapped(record):
            raise Undecryptable
        if record["kek"] == current:
            return {}
        with self._usable() as wrapper:
            half = wrapper.unwrap(record["kek"], record["wrapped"], holder)
            kek, wrapped = wrapper.wrap(half, holder)
        return {"kek": kek, "wrapped": wrapped}

    def keks(self) -> dict[str, datetime | None]:
        """Give the key-encryption keys, the one in use last; see Wrapper.keks."""
        with self._usable() as wrapper:
            return wrapper.keks()

    def add_kek(self, instead_of: str, now: datetime) -> None:
        """Make a new key-encryption key; see Wrapper.add."""
        with self._usable() as wrapper:
            wrapper.add(instead_of, now)

    def remove_kek(self, kek: str) -> None:
        """Destroy an old key-encryption key, which nothing may use; see Wrapper.remove."""
        with self._usable() as wrapper:
            wrapper.remove(kek)

    def holds(self, project_id: str) -> bool:
        """Tell whether the second half is there: what is not was not destroyed by who looks."""
        with self._at_home():
            return self._halves.holds(project_id)

    def destroy(self, project_id: str) -> list[Evidence]:
        """Shred: destroy the second half for good, and forget the data key.

        Gives what the key store answers when it is read back; see KeyStore.destroy.
        """
        try:
            with self._at_home():
                if not (evidence := self._halves.destroy(project_id)):
                    raise OSError("the key store shows nothing of what it destroyed")
        finally:
            self._memory.forget(project_id)
        return evidence

    def drop(self, project_id: str) -> None:
        """Take away what is left of a destroyed half; see KeyStore.drop."""
        with self._at_home():
            self._halves.drop(project_id)

    def confirm(self, project_id: str) -> None:
        """Note that a created project is stored; the schedule makes good a note that failed."""
        with suppress(OSError):
            self._halves.confirm(project_id)

    def unconfirmed(self, before: datetime, limit: int, after: datetime = EVER) -> list[str]:
        """Give projects whose creation never reported back: candidates for orphans."""
        with self._at_home():
            return self._halves.unconfirmed(before, limit, after)

    def confirmed(self, start: str) -> tuple[list[str], str]:
        """Give a page of the projects whose half is confirmed; see KeyStore.confirmed."""
        with self._at_home():
            return self._halves.confirmed(start)
