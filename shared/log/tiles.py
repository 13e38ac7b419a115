"""The tree cut into tiles (C2SP tlog-tiles): files that only grow, until they are full.

A tile of level 0 has 256 leaves' hashes, one of level L + 1 the roots of 256 full tiles of level
L; only the last of a level is partial, and none is empty. A full subtree of 2^h leaves lies in one
tile, of level h // 8: so any proof is made of a few tiles. A bundle has the entries themselves, as
many as the tile of level 0 beside it.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import NamedTuple

from shared.log import tree
from shared.log.texts import LARGEST, Refused, need, number
from shared.log.tree import HASH

WIDTH = 256  # hashes in a full tile
BITS = 8  # of an index, within a tile
TILE_BYTES = WIDTH * HASH
BUNDLE = -1  # the level of entries
MOST_LEVEL = 63  # that a path may have; a tree of LARGEST leaves has 8
LONGEST = 2**16 - 1  # bytes of an entry: its length is two bytes

_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([0-9]{1,3}))?")


class Tile(NamedTuple):
    """A tile by its place: level (or BUNDLE), number within the level, how many hashes it has."""

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """The path below the log's prefix: groups of three digits, all but the last with an x."""
        digits = f"{self.number}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        within = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
        level = "entries" if self.level == BUNDLE else self.level
        return f"tile/{level}/{within}" + (f".p/{self.width}" if self.width < WIDTH else "")

    @classmethod
    def parse(cls, path: str) -> "Tile":
        """Give the tile that a path names; refuse any path but the one that it has."""
        found = _PATH.fullmatch(path)
        if not found:
            raise Refused("no tile has such a path")
        level, within, width = found.groups()
        tile = cls(
            BUNDLE if level == "entries" else number(level),
            int(re.sub("[x/]", "", within)),
            number(width) if width else WIDTH,
        )
        need(tile.path == path and tile.width > 0, "no tile has such a path")
        need(tile.level <= MOST_LEVEL and tile.number <= LARGEST, "no tile has such a number")
        return tile


Read = Callable[[Tile], bytes]  # the bytes of a tile: 32 for each of its hashes


def width(level: int, number: int, size: int) -> int:
    """Give how many hashes a tile has in a tree of a size; 0 says that there is no such tile."""
    there = size >> BITS * max(level, 0)
    return max(0, min(WIDTH, there - number * WIDTH))


def grown(size: int, leaves: Iterable[bytes], read: Read) -> dict[Tile, bytes]:
    """Give the tiles that come or change, whole, when a tree of a size gets further leaves.

    `read` is asked for the partial tile at the end of a level, where it goes on.
    """
    level, new, changed = 0, list(leaves), {}
    while new:
        number, held = divmod(size, WIDTH)
        data = (_read(read, Tile(level, number, held)) if held else b"") + b"".join(new)
        cut = [data[at : at + TILE_BYTES] for at in range(0, len(data), TILE_BYTES)]
        for each, tile in enumerate(cut, number):
            changed[Tile(level, each, len(tile) // HASH)] = tile
        new = [tree.root(hashes(tile)) for tile in cut if len(tile) == TILE_BYTES]
        level, size = level + 1, number
    return changed


def hashes(tile: bytes) -> list[bytes]:
    """Give the hashes of a tile."""
    need(len(tile) % HASH == 0, "a tile is of another size")
    return [tile[at : at + HASH] for at in range(0, len(tile), HASH)]


def root(size: int, read: Read) -> bytes:
    """Give the root of a tree of a size."""
    need(0 <= size <= LARGEST, "a tree has no such size")
    return _ranges(size, read)(0, size)


def inclusion(index: int, size: int, read: Read) -> list[bytes]:
    """Give the path of a leaf in a tree of a size, from tiles alone."""
    return tree.inclusion(index, size, _ranges(size, read))


def consistency(old: int, new: int, read: Read) -> list[bytes]:
    """Give the path that shows a tree to be the beginning of a larger one, from tiles alone."""
    return tree.consistency(old, new, _ranges(new, read))


def _ranges(size: int, read: Read) -> tree.Ranges:
    """Give the roots of ranges of a tree of a size; each tile is read once."""
    once = cache(lambda tile: _read(read, tile))

    def subtree(start: int, height: int) -> bytes:
        level = height // BITS
        number, offset = divmod(start >> BITS * level, WIDTH)
        held = once(Tile(level, number, width(level, number, size)))
        end = offset + (1 << height - BITS * level)
        return tree.root(hashes(held[offset * HASH : end * HASH]))

    return lambda start, end: tree.folded([subtree(*one) for one in tree.full(start, end)])


def _read(read: Read, tile: Tile) -> bytes:
    held = read(tile)
    need(len(held) == tile.width * HASH, "a tile is of another size")
    return held


def bundle(entries: Sequence[bytes]) -> bytes:
    """Give the bundle of up to 256 entries: each with its length before it, in two bytes."""
    need(0 < len(entries) <= WIDTH, "a bundle has 1 to 256 entries")
    need(all(len(entry) <= LONGEST for entry in entries), "an entry is too long")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unbundled(data: bytes, width: int) -> list[bytes]:
    """Give the entries of a bundle that has so many, and nothing after them."""
    entries, at = [], 0
    for _ in range(width):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        need(at + 2 <= end <= len(data), "a bundle is cut short")
        entries.append(data[at + 2 : end])
        at = end
    need(at == len(data), "a bundle has something after its entries")
    return entries
