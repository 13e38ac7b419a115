"""The Merkle tree of RFC 6962 section 2.1 and RFC 9162 section 2.1: roots, proofs, verification.

Leaves are hashed with 00 before them and nodes with 01, so neither can be taken for the other. A
tree of n leaves splits at the largest power of two below n; all that follows comes from that:

1. A range that begins where a split puts it is made of *full* subtrees of 2^h leaves, from the
   largest to the smallest (`full`); its root folds theirs from the right (`folded`).
2. An inclusion path has, from the leaf up, the root of the other side of each split.
3. A consistency path does the same for the old tree's last leaf, and begins with the root of the
   range that both trees have, unless that is the old tree itself, whose root is known.

Proofs ask for roots of ranges by a function: it may have leaves, or tiles. Verification has only
hashes; it follows RFC 9162 sections 2.1.3.2 and 2.1.4.2.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256

from shared.log.texts import LARGEST, need

HASH = 32  # bytes
MOST_HASHES = 63  # in a path: a tree of 2^63 leaves has no more
EMPTY = sha256(b"").digest()  # the root of a tree without leaves

Ranges = Callable[[int, int], bytes]  # the root of the leaves from a start up to an end


def leaf(entry: bytes) -> bytes:
    """Give the hash of an entry."""
    return sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Give the hash of two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """Give the root of a tree by the hashes of its leaves."""
    return Frontier().append(leaves).root


def full(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Give the full subtrees of a range, from the left: where each starts, and its height."""
    while start < end:
        height = (end - start).bit_length() - 1
        yield start, height
        start += 1 << height


def folded(hashes: Sequence[bytes]) -> bytes:
    """Give the root of what is made of these full subtrees, the largest first."""
    return reduce(lambda right, left: node(left, right), reversed(hashes)) if hashes else EMPTY


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree that can grow: its size, and the roots of its full subtrees, the largest first.

    There are as many as the size has bits set, so at most 63. Refuses any other number.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        need(0 <= self.size <= LARGEST, "a tree has no such size")
        need(len(self.hashes) == self.size.bit_count(), "a frontier does not fit its size")
        _sized(self.hashes)

    def append(self, leaves: Iterable[bytes]) -> "Frontier":
        """Give the tree with the hashes of further leaves at its end."""
        size, hashes = self.size, list(self.hashes)
        for here in leaves:
            _sized([here])
            hashes.append(here)
            for _ in range(((size + 1) & ~size).bit_length() - 1):  # full pairs it completes
                right = hashes.pop()
                hashes.append(node(hashes.pop(), right))
            size += 1
        return Frontier(size, tuple(hashes))

    @property
    def root(self) -> bytes:
        """The root of the whole tree."""
        return folded(self.hashes)


def inclusion(index: int, size: int, ranges: Ranges) -> list[bytes]:
    """Give the path of a leaf in a tree of a size: hashes from its sibling up to the root."""
    need(0 <= index < size <= LARGEST, "the tree has no such leaf")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = _split(start, end)
        if index < middle:
            path.append(ranges(middle, end))
            end = middle
        else:
            path.append(ranges(start, middle))
            start = middle
    return path[::-1]


def consistency(old: int, new: int, ranges: Ranges) -> list[bytes]:
    """Give the path that shows a tree to be the beginning of a larger one.

    It is empty where the old one has no leaf, or all.
    """
    need(0 <= old <= new <= LARGEST, "the tree was never larger")
    path, start, end = [], 0, new
    while 0 < old < end:
        middle = _split(start, end)
        if old <= middle:
            path.append(ranges(middle, end))
            end = middle
        else:
            path.append(ranges(start, middle))
            start = middle
    if start:  # else what is left is the old tree
        path.append(ranges(start, end))
    return path[::-1]


def included(index: int, size: int, here: bytes, path: Sequence[bytes]) -> bytes:
    """Give the root of a tree that holds a leaf's hash at an index, by its path.

    Nothing is proved until that is compared with a root that is trusted. Refuses an index outside
    of the tree, and a path that is longer or shorter than such a tree's.
    """
    need(0 <= index < size <= LARGEST, "the tree has no such leaf")
    _sized([here, *path])
    first, last = index, size - 1
    for other in path:
        need(last, "the path is too long")
        if first & 1 or first == last:
            here = node(other, here)
            first, last = _risen(first, last)
        else:
            here = node(here, other)
        first, last = first >> 1, last >> 1
    need(not last, "the path is too short")
    return here


def consistent(old: int, new: int, before: bytes, after: bytes, path: Sequence[bytes]) -> None:
    """Refuse, unless a tree of a size and root is the beginning of a larger or equal one."""
    need(0 <= old <= new <= LARGEST, "the tree was never larger")
    _sized([before, after, *path])
    if old in (0, new):
        need(not path, "the path is too long")
        need(before == (after if old else EMPTY), "a tree is not the beginning of the other")
        need(old < new or after == before, "a tree is not the beginning of the other")
        return
    need(path, "the path is too short")
    hashes = [before, *path] if old & (old - 1) == 0 else path
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    was = now = hashes[0]
    for other in hashes[1:]:
        need(last, "the path is too long")
        if first & 1 or first == last:
            was, now = node(other, was), node(other, now)
            first, last = _risen(first, last)
        else:
            now = node(now, other)
        first, last = first >> 1, last >> 1
    need(not last, "the path is too short")
    need(was == before and now == after, "a tree is not the beginning of the other")


def _split(start: int, end: int) -> int:
    """Give where the tree over a range splits: after the largest power of two below its size."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def _risen(first: int, last: int) -> tuple[int, int]:
    """Go up where there is no sibling to the right: at the tree's edge, or where all are left."""
    while first and not first & 1:
        first, last = first >> 1, last >> 1
    return first, last


def _sized(hashes: Iterable[bytes]) -> None:
    need(all(len(one) == HASH for one in hashes), "a hash is of another size")
