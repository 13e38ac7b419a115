"""The keys of one machine: the keyring file wraps, a folder keeps.

For development and for a single trusted host; refused in production (`app.Settings`). It must
never make a file or a folder anew where one was before.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.keys.keyring import Keyring
from shared.keys.local.key_store import MARKER, FileKeyStore
from shared.keys.local.keyring_file import FileWrapper
from shared.keys.local.log_key import log_key
from shared.keys.signing import Signing, public_half
from shared.keys.state import State

LOG_KEY = "log.key"  # the file's name, beside the keyring


def open_keyring(
    file: Path, folder: Path, database: str = "", begun: Callable[[], bool] = lambda: False
) -> Keyring:
    """Open the keyring in `file` (made at first use) over the key store in `folder`.

    `database` names the Firestore database that the projects are in, as `project/database`; where
    `begun` says that it has a check value, the file was there before and is not made.
    """
    wrapper = FileWrapper(file)
    wrapper.make(begun)

    def private() -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(wrapper.now().signing_key)

    def public() -> tuple[bytes, ...]:
        return public_half(private()), *wrapper.now().former_public

    def state() -> bytes:
        if key := wrapper.now().state_key:
            return key
        raise OSError("the keyring file has none, and could not be given one")

    store, signing = FileKeyStore(folder, database), Signing(private, public)
    keyring = Keyring(wrapper, store, signing, State(state))
    keyring.log_key = partial(log_key, file.with_name(LOG_KEY))
    return keyring
