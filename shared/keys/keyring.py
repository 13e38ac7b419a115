"""Project keys: create, open, destroy. The only file that touches key material at rest.

A project's data key is derived from two halves. The first lies in Firestore, wrapped by the
key-encryption key; the second in a key store that keeps no history. Destroying the second half
makes every copy of the first, in whatever backup, worthless: that is shredding.

Two back ends have both protocols: `local` (a keyring file, a folder of 0600 files) and `cloud`
(Cloud KMS, Secret Manager).
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from threading import Lock
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared import quotas
from shared.errors import Error, unavailable
from shared.keys.envelope import KEY_BYTES, Undecryptable, derive
from shared.keys.memory import Memory
from shared.keys.signing import Signing, holds, public_half
from shared.log import tell

UNSIGNED = "Nothing can be signed now."
GENERATION = 1  # of a project's data key; bound into every envelope


class Wrapper(Protocol):
    """Wraps the first halves, under key-encryption keys that never leave it.

    Raises OSError when it is out of reach.
    """

    def wrap(self, half: bytes, project_id: str) -> tuple[str, bytes]:
        """Give the name of the key-encryption key used, and the wrapped half."""

    def unwrap(self, kek: str, wrapped: bytes, project_id: str) -> bytes:
        """Give the half; raises Undecryptable if the key or the bytes are wrong.

        PermissionError (an OSError) says that this identity may wrap and not unwrap.
        """

    def keks(self) -> dict[str, datetime | None]:
        """Give the key-encryption keys there are, and since when each is not used for new ones.

        The one that is used for new ones, None, comes last.
        """

    def add(self, instead_of: str, now: datetime) -> None:
        """Make a new key for what is wrapped from now on, unless `instead_of` is not it any more.

        So two who rotate at once make one key. What older keys wrapped can be unwrapped still.
        """

    def remove(self, kek: str) -> None:
        """Destroy an old key; raises KeyError when it is none, or is the one in use."""


class KeyStore(Protocol):
    """Keeps the second halves, and no history of them. Raises OSError when it is out of reach."""

    name: str  # what tells it from another one, for good; empty where nothing does

    def verify(self) -> None:
        """Raise Error `unavailable`, after a line in the log, if it would keep what it destroys."""

    def put(self, project_id: str, half: bytes, created_at: datetime) -> None:
        """Keep the half of a new project, durably."""

    def get(self, project_id: str) -> bytes:
        """Give the half; raises KeyError when it does not exist (any more)."""

    def destroy(self, project_id: str) -> None:
        """Destroy the half and read back that it is gone; destroying it twice succeeds."""

    def confirm(self, project_id: str) -> None:
        """Note that the project is stored: its half is no orphan. May be repeated."""

    def unconfirmed(self, before: datetime, limit: int) -> list[str]:
        """Give up to `limit` projects made before a moment whose half is not confirmed."""

    def confirmed(self, start: str) -> tuple[list[str], str]:
        """Give a page of the projects whose half is confirmed, and where the next one starts.

        For the first page `start` is empty, and so is what is given after the last.
        """


def newest(keks: Mapping[str, datetime | None]) -> str:
    """Give the key-encryption key that new halves are wrapped under."""
    return [*keks][-1]


def unfit(why: str, message: str) -> Error:
    """Say in the log why no key may be used; give the error, which says less of it."""
    tell("CRITICAL", why)
    return Error("unavailable", message, headers={"Retry-After": "5"})


def noted(text: str, otherwise: datetime) -> datetime:
    """Give the time that a half's note says; `otherwise` if the note is damaged, or cut short."""
    with suppress(ValueError):
        made = datetime.fromisoformat(text)
        return made if made.tzinfo else otherwise
    return otherwise


@contextmanager
def _reachable() -> Iterator[None]:
    """Tell a key store or a wrapper that is out of reach as Error `unavailable`."""
    try:
        yield
    except OSError as error:
        raise unavailable("The key store does not answer") from error


class Keyring:
    """The keys of all projects, and the key that signs tokens.

    Plain data keys stay in memory for a minute at most, keyed by project and wrapped half, and are
    dropped when the project is shredded (`memory`). The signing key and the public keys are read
    when they are first needed, so who needs none need not be allowed to.

    No key is made or opened before `check` accepts the key store, by its name, and the wrapper;
    nor destroyed before it accepts the key store alone, for in another one there is nothing to
    destroy. It raises Error, and then is made again after quotas.KEY_RECHECK seconds.
    """

    def __init__(self, wrapper: Wrapper, halves: KeyStore, signing: Signing) -> None:
        self._wrapper, self._halves, self._signing = wrapper, halves, signing
        self._memory, self._checking = Memory(), Lock()
        self.check: Callable[[str, Wrapper | None], None] | None = None  # None: it has accepted
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

    def ready(self) -> None:
        """Check, unless that is done; raises the Error of the check."""
        if self.check is None:
            return
        if not self._checking.acquire(blocking=False):
            if self._refused:
                raise self._refused[1].again()  # nobody waits to hear whether it is better by now
            self._checking.acquire()
        try:
            if self.check is None:  # by another thread meanwhile
                return
            if self._refused and time.monotonic() < self._refused[0]:
                raise self._refused[1].again()
            try:
                with _reachable():
                    self._halves.verify()
                    self.check(self._halves.name, self._wrapper)
            except Error as error:
                self._refused = (time.monotonic() + quotas.KEY_RECHECK, error.again())
                raise
            self.check = None
        finally:
            self._checking.release()

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """Check, and tell what is out of reach: around every use of a key-encryption key."""
        self.ready()
        with _reachable():
            yield

    def create(self, project_id: str, now: datetime) -> dict[str, Any]:
        """Make a project's data key; give the fields of its document `keys/current`."""
        with self._usable():
            kek, wrapped = self._wrapper.wrap(os.urandom(KEY_BYTES), project_id)
            self._halves.put(project_id, os.urandom(KEY_BYTES), now)
        return {"kek": kek, "wrapped": wrapped, "generation": GENERATION, "created_at": now}

    def open(self, project_id: str, record: Mapping[str, Any]) -> bytes:
        """Give the data key; raises Undecryptable when a half is gone or does not fit."""
        place = (project_id, record["wrapped"])
        key, moment = self._memory.get(place)
        if key:  # then all was ready once
            return key
        try:
            with self._usable():
                second = self._halves.get(project_id)
                first = self._wrapper.unwrap(record["kek"], record["wrapped"], project_id)
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
        if record["kek"] == current:
            return {}
        with self._usable():
            half = self._wrapper.unwrap(record["kek"], record["wrapped"], holder)
            kek, wrapped = self._wrapper.wrap(half, holder)
        return {"kek": kek, "wrapped": wrapped}

    def keks(self) -> dict[str, datetime | None]:
        """Give the key-encryption keys, the one in use last; see Wrapper.keks."""
        with self._usable():
            return self._wrapper.keks()

    def add_kek(self, instead_of: str, now: datetime) -> None:
        """Make a new key-encryption key; see Wrapper.add."""
        with self._usable():
            self._wrapper.add(instead_of, now)

    def remove_kek(self, kek: str) -> None:
        """Destroy an old key-encryption key, which nothing may use; see Wrapper.remove."""
        with self._usable():
            self._wrapper.remove(kek)

    def destroy(self, project_id: str) -> None:
        """Shred: destroy the second half for good, and forget the data key."""
        try:
            if check := self.check:
                check(self._halves.name, None)
            with _reachable():
                self._halves.destroy(project_id)
        finally:
            self._memory.forget(project_id)

    def confirm(self, project_id: str) -> None:
        """Note that a created project is stored; the schedule makes good a note that failed."""
        with suppress(OSError):
            self._halves.confirm(project_id)

    def unconfirmed(self, before: datetime, limit: int) -> list[str]:
        """Give projects whose creation never reported back: candidates for orphans."""
        with _reachable():
            return self._halves.unconfirmed(before, limit)

    def confirmed(self, start: str) -> tuple[list[str], str]:
        """Give a page of the projects whose half is confirmed; see KeyStore.confirmed."""
        with _reachable():
            return self._halves.confirmed(start)
