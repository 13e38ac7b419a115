"""An audit entry in the log: bound to its record, its account's chain, and its place in that.

The log's entry is a hash, so that tiles, which anybody may read, tell how many there are and
nothing else: a guessed record fits none, as each has a salt of its own. Whoever is given a record
gets its `Place` too, and computes the same hash. An account's entries are numbered from 1 and each
names what came before it, so none can be missing unseen.
"""

from hashlib import sha256
from typing import NamedTuple

from shared.log.texts import LARGEST, need
from shared.log.tree import HASH

FIRST = bytes(HASH)  # what comes before an account's first entry
SALT, PLACE = 16, 56  # bytes
_LEAF, _CHAIN = b"reprieve/audit-leaf/v1\n", b"reprieve/audit-chain/v1\n"


class Place(NamedTuple):
    """Where a record stands: its salt, its number within its account, the chain before it."""

    salt: bytes
    seq: int
    prev: bytes = FIRST

    def pack(self) -> bytes:
        """Give its 56 bytes, as a proof carries them."""
        need(len(self.salt) == SALT and len(self.prev) == HASH, "a place is of another size")
        need(0 < self.seq <= LARGEST, "an account's entries are numbered from 1")
        return self.salt + self.seq.to_bytes(8, "big") + self.prev

    @classmethod
    def unpack(cls, data: bytes) -> "Place":
        """Give the place that 56 bytes say."""
        need(len(data) == PLACE, "a place is of another size")
        place = cls(data[:SALT], int.from_bytes(data[SALT:-HASH], "big"), data[-HASH:])
        place.pack()
        return place


def entry(place: Place, record: bytes) -> bytes:
    """Give what the log holds of a record in its place: 32 bytes."""
    return sha256(_LEAF + place.pack() + record).digest()


def chained(prev: bytes, entry: bytes) -> bytes:
    """Give an account's chain after an entry: what comes before its next one."""
    need(len(prev) == len(entry) == HASH, "a hash is of another size")
    return sha256(_CHAIN + prev + entry).digest()
