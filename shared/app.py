"""What every use case is handed: settings, store, keyring, time, chance. Wired once, frozen.

What decides on time or chance is handed it from here, so that a test can hand in its own.
"""

import ctypes
import os
import random
import secrets
import string
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial

from shared import quotas
from shared.calls import Principal
from shared.errors import Error, unavailable
from shared.failures import tell
from shared.keys import Keyring, check_value, open_local
from shared.settings import Settings
from shared.store import Read, Store

CLOCK_MOST = timedelta(days=100 * 366)  # the local host moves it no further
MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD in glibc's malloc.h


def _subdomain() -> str:
    """Make a random subdomain: 12 lower-case letters and digits, a letter first (contract 1.6)."""
    rest = (secrets.choice(string.ascii_lowercase + string.digits) for _ in range(11))
    return secrets.choice(string.ascii_lowercase) + "".join(rest)


@dataclass(frozen=True, slots=True)
class App:
    """The parts of one deployment."""

    settings: Settings
    store: Store
    keyring: Keyring
    wall: Callable[[], float] = time.time  # seconds since 1970: for tokens and keys only
    new_id: Callable[[], str] = field(default=lambda: str(uuid.uuid4()))
    # an entity tag: lower-case letters and digits only (contract section 0)
    new_tag: Callable[[], str] = field(default=lambda: secrets.token_hex(8))
    new_subdomain: Callable[[], str] = _subdomain
    new_salt: Callable[[], bytes] = field(default=lambda: os.urandom(16))  # so many bytes
    random: Callable[[], float] = random.random
    # whose tokens were found to be of no key, and when: what `access` remembers, those found last
    ended: OrderedDict[Principal, int] = field(default_factory=OrderedDict, repr=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> "App":
        """Connect the parts that the settings name.

        Raises ValueError in production without the cloud's keyring: the local one is not fit.
        Raises Error `unavailable` where the keyring file is missing and the store does not answer.
        """
        where = settings.project, settings.emulator, random.random, settings.database
        connected = cache(partial(Store.connect, *where))
        keyring = _keyring(settings, lambda: check_value.exists(connected()))
        store = connected()
        keyring.check = partial(check_value.check, store)
        return cls(settings, store, keyring)

    def now(self, read: Read | datetime) -> datetime:
        """Give lifecycle time: the read time of the snapshot decided on, plus the offset."""
        return (read.time if isinstance(read, Read) else read) + self.offset()

    def offset(self) -> timedelta:
        """Give how far the local host's clock has been moved; nothing in production.

        Raises Error `unavailable`, after a line in the log, for a file that does not say: at a
        time that is not meant, a project could be destroyed too early.
        """
        file = self.settings.clock_file
        if file is None or not os.path.lexists(file):
            return timedelta(0)
        with suppress(OSError, ValueError, OverflowError):
            if file.is_file():  # nobody waits for a pipe to be written
                moved = timedelta(seconds=float(file.read_bytes()))
                if abs(moved) <= CLOCK_MOST:
                    return moved
        tell("CRITICAL", f"the clock file {file} holds no number of seconds; delete it")
        raise unavailable("The clock of this host says no time")


def _keyring(settings: Settings, begun: Callable[[], bool]) -> Keyring:
    store = f"{settings.project}/{settings.database}"
    if settings.cloud_keys:
        from shared.keys import cloud  # noqa: PLC0415 - slow to import, and no part of a local start

        keyring = cloud.open_keyring(settings.cloud_keys, store, settings.google)
        if settings.log_key:
            keyring.log_key = cloud.open_log_key(settings.log_key, settings.google)
        return keyring
    if settings.emulator and settings.keyring and settings.key_store:
        return open_local(settings.keyring, settings.key_store, store, begun)
    raise ValueError(
        "CE_KMS_KEY, CE_KEY_SECRETS, CE_SIGNING_KEY and CE_STATE_KEY are not set, nor "
        "FIRESTORE_EMULATOR_HOST, "
        "CE_KEYRING and CE_KEY_STORE, and the local keyring is refused in production. On one "
        'machine run `ce emulator start`, then `eval "$(ce emulator env)"`.'
    )


def _give_back_memory() -> None:
    """Have the memory of large values go back to the system as soon as they are freed.

    glibc would learn from the first of them to keep such, up to 64 MiB for each thread (mallopt(3),
    M_MMAP_THRESHOLD). Where there is no mallopt nothing changes.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(MMAP_THRESHOLD, quotas.LARGE_BYTES)


@cache
def get_app() -> App:
    """Give this process's App, wired at the first call and not at import.

    With keys that are not this store's, or out of reach, every use of a key is refused.
    """
    _give_back_memory()
    app = App.from_settings(Settings.from_env(os.environ))
    with suppress(Error):  # it is logged, and the check is made again before a key is used
        app.keyring.ready()
    return app
