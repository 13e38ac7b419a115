"""The state key: by it the code tells what it wrote in the store from what others planted there.

Each purpose has a key of its own, derived from it (HKDF, RFC 5869), for an HMAC-SHA-256 (RFC 2104)
of a message. Nothing is encrypted under it, and it opens nothing.
"""

import hashlib
import hmac
from collections.abc import Callable

from shared.errors import unavailable
from shared.keys.envelope import derive

RECORD, LIFECYCLE = b"reprieve/audit-record/v1", b"reprieve/lifecycle/v1"  # purposes


class State:
    """Makes MACs and compares them; `read` gives the key, 32 bytes, or raises OSError."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read
        self._keys: dict[bytes, bytes] = {}

    def mac(self, purpose: bytes, message: bytes) -> bytes:
        """Give the MAC of a message, 32 bytes; raises Error `unavailable`."""
        if purpose not in self._keys:
            try:
                self._keys[purpose] = derive(self._read(), None, purpose)
            except OSError as error:
                raise unavailable("The key store does not answer") from error
        return hmac.digest(self._keys[purpose], message, hashlib.sha256)

    def holds(self, purpose: bytes, message: bytes, mac: object) -> bool:
        """Tell whether this is the MAC of a message; raises Error `unavailable`."""
        return isinstance(mac, bytes) and hmac.compare_digest(self.mac(purpose, message), mac)
