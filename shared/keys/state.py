"""The state key: by it the code tells what it wrote in the store from what others planted there.

Each purpose has a key of its own, derived from it (HKDF, RFC 5869), for an HMAC-SHA-256 (RFC 2104)
of a message. Nothing is encrypted under it, and it opens nothing.
"""

import hashlib
import hmac
from collections.abc import Callable

from shared.errors import unavailable
from shared.failures import tell
from shared.keys.envelope import derive

RECORD, LIFECYCLE = b"reprieve/audit-record/v1", b"reprieve/lifecycle/v1"  # purposes


class State:
    """Makes MACs and compares them; `read` gives the key, 32 bytes, or raises OSError.

    It is read once, when it is first needed; that it cannot be is told once.
    """

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read
        self._key, self._told = b"", False
        self._keys: dict[bytes, bytes] = {}  # by purpose

    def mac(self, purpose: bytes, message: bytes) -> bytes:
        """Give the MAC of a message, 32 bytes; raises Error `unavailable`."""
        if purpose not in self._keys:
            self._key = self._key or self._had()
            self._keys[purpose] = derive(self._key, None, purpose)
        return hmac.digest(self._keys[purpose], message, hashlib.sha256)

    def holds(self, purpose: bytes, message: bytes, mac: object) -> bool:
        """Tell whether this is the MAC of a message; raises Error `unavailable`."""
        return isinstance(mac, bytes) and hmac.compare_digest(self.mac(purpose, message), mac)

    def _had(self) -> bytes:
        try:
            key = self._read()
        except OSError as error:
            if not self._told:
                tell("CRITICAL", f"the state key cannot be read ({error}): nothing is believed")
            self._told = True
            raise unavailable("The key store does not answer") from error
        self._told = False
        return key
