"""The signing key and its public halves: tokens and key records are signed by the one, by Ed25519.

Who verifies holds public keys alone: only who signs ever asks for the private one.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared import quotas


class Signing(NamedTuple):
    """Where the keys are read; both raise OSError when they are out of reach."""

    private: Callable[[], Ed25519PrivateKey]  # the newest
    public: Callable[[], tuple[bytes, ...]]  # of all that are not destroyed, the newest first


class LogKey(Protocol):
    """Reads the key that signs the log's checkpoints: the sealer's alone, who asks each time."""

    def __call__(self, *, first: bool) -> Ed25519PrivateKey:
        """Give the key; `first` says that nothing was signed by it yet. Raises OSError."""
        ...


def no_log_key(*, first: bool) -> Ed25519PrivateKey:  # noqa: ARG001 - as LogKey
    """Say that there is none, as for all but the sealer."""
    raise OSError("there is no log key")


def public_half(key: Ed25519PrivateKey) -> bytes:
    """Give the public half of a signing key, in 32 bytes."""
    return key.public_key().public_bytes_raw()


@lru_cache(maxsize=quotas.TOKEN_CACHE_ENTRIES)
def holds(keys: tuple[bytes, ...], message: bytes, signature: bytes) -> bool:
    """Tell whether one of these public keys verifies a signature."""
    return any(_verifies(key, message, signature) for key in keys)


def _verifies(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True
