"""What the log is in the store: its head, its checkpoint, its tiles, and each account's chain.

All of it is read whole and checked: what does not fit together is Refused, and nothing goes on
from there.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from shared.log import FIRST, HASH, Frontier, Refused, Tile, tiles
from shared.store import Document, Read

EPOCH = 1  # of the log that begins where there is none
STATE, CHECKPOINT = "log/state", "log/checkpoint"
FRAMED = 2 + HASH  # bytes of an entry in a bundle, with its length before it


class Head(NamedTuple):
    """The log as far as it is committed."""

    epoch: int = EPOCH
    tree: Frontier = Frontier()

    @classmethod
    def of(cls, document: Document) -> "Head":
        """Read it; an empty log where there is none. Raises Refused."""
        if document.fields is None:
            return cls()
        found = document.fields
        try:
            hashes = tuple(tiles.hashes(found["frontier"]))
            head = cls(found["epoch"], Frontier(found["size"], hashes))
            root = found["root"]
        except (AttributeError, KeyError, TypeError):
            raise Refused("the log's state is none") from None
        if head.tree.root != root:
            raise Refused("the log's state has another root")
        return head

    @property
    def fields(self) -> dict[str, Any]:
        """What is stored of it."""
        frontier = b"".join(self.tree.hashes)
        return {
            "epoch": self.epoch,
            "size": self.tree.size,
            "root": self.tree.root,
            "frontier": frontier,
        }


class Published(NamedTuple):
    """The newest checkpoint that was signed, and the keys that the log's are verified with."""

    epoch: int
    size: int
    text: str  # the signed note
    keys: list[str]  # vkeys, the newest last

    @classmethod
    def of(cls, document: Document) -> "Published | None":
        """Read it, if there is one."""
        found = document.fields
        return cls(*(found[name] for name in cls._fields)) if found else None


class Chain(NamedTuple):
    """An account's entries so far: how many, and what comes before the next."""

    seq: int = 0
    chain: bytes = FIRST

    @classmethod
    def of(cls, document: Document) -> "Chain":
        """Read it; that of an account without entries where there is none."""
        found = document.fields
        return cls(found["seq"], found["chain"]) if found else cls()


def account(account_id: str) -> str:
    """Give the path of an account's chain."""
    return f"log_accounts/{account_id}"


def tile_path(epoch: int, tile: Tile) -> str:
    """Give the path of the document that has a tile, and all that it was before."""
    level = "e" if tile.level == tiles.BUNDLE else tile.level
    return f"log_tiles/{epoch}.{level}.{tile.number}"


def part(document: Document, tile: Tile) -> bytes:
    """Give a tile's bytes: of one that has grown since the first ones. Raises Refused."""
    size = tile.width * (FRAMED if tile.level == tiles.BUNDLE else HASH)
    held = (document.fields or {}).get("bytes")
    if not isinstance(held, bytes) or len(held) < size:
        raise Refused("a tile is not there, or is cut short")
    return held[:size]


def held(read: Read, epoch: int) -> tiles.Read:
    """Give the tiles of a batch."""
    return lambda tile: part(read[tile_path(epoch, tile)], tile)


def needed(ask: Callable[[tiles.Read], object]) -> list[Tile]:
    """Give the tiles that are asked for, whatever is in them."""
    asked: list[Tile] = []

    def noted(tile: Tile) -> bytes:
        asked.append(tile)
        return bytes(tile.width * HASH)

    ask(noted)
    return asked


def edge(size: int) -> list[Tile]:
    """Give the tiles at a tree's end that are not full, one a level at most, from the leaves up."""
    found, level = [], 0
    while size:
        number, width = divmod(size, tiles.WIDTH)
        found += [Tile(level, number, width)] if width else []
        size, level = number, level + 1
    return found


def frontier(size: int, read: tiles.Read) -> Frontier:
    """Give the frontier that the tiles at a tree's end say: each level has some of its hashes."""
    levels = [Frontier().append(tiles.hashes(read(tile))).hashes for tile in edge(size)]
    return Frontier(size, tuple(one for level in reversed(levels) for one in level))


def bundles(size: int, entries: Iterable[bytes], read: tiles.Read) -> dict[Tile, bytes]:
    """Give the bundles that come or change, whole, when a log of a size gets further entries."""
    number, width = divmod(size, tiles.WIDTH)
    data = read(Tile(tiles.BUNDLE, number, width)) if width else b""
    data += b"".join(tiles.bundle([one]) for one in entries)
    most = tiles.WIDTH * FRAMED
    cut = [data[at : at + most] for at in range(0, len(data), most)]
    return {Tile(tiles.BUNDLE, n, len(one) // FRAMED): one for n, one in enumerate(cut, number)}


def waited(documents: Iterable[Document], now: datetime) -> float:
    """Give the seconds that the longest has waited of some documents, by the store's own clock."""
    return max(((now - one.written_at).total_seconds() for one in documents), default=0.0)
