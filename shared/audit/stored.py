"""What the log is in the store: its head, its checkpoint, its tiles, and each account's chain.

All of it is read whole and checked: what does not fit together is Refused, and nothing goes on
from there.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple, TypeGuard

from shared.errors import Error, unavailable
from shared.failures import tell
from shared.log import ED25519, FIRST, HASH, LARGEST, Frontier, Key, Refused, Tile, tiles
from shared.store import Document, Read

EPOCH = 1  # of the log that begins where there is none
STATE, CHECKPOINT = "log/state", "log/checkpoint"
FRAMED = 2 + HASH  # bytes of an entry in a bundle, with its length before it


class Broken(Exception):
    """The chains of some accounts are none; `paths` says where. Those of others may go on."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Keep the paths."""
        super().__init__()
        self.paths = sorted(paths)


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
        numbers, hashed = (found.get("epoch"), found.get("size")), found.get("frontier")
        if not all(map(is_number, numbers)) or not isinstance(hashed, bytes):
            raise Refused("the log's state is none")
        head = cls(found["epoch"], Frontier(found["size"], tuple(tiles.hashes(hashed))))
        if head.tree.root != found.get("root"):
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
        """Read it, if there is one. Raises Refused, also for a key that is not of its log."""
        if document.fields is None:
            return None
        epoch, size, text, keys = (document.fields.get(name) for name in cls._fields)
        if not is_number(epoch) or not is_number(size):
            raise Refused("the log's checkpoint is of no size")
        if not isinstance(text, str) or not isinstance(keys, list):
            raise Refused("the log's checkpoint is none")
        origin = text.partition("\n")[0]
        if not keys or not all(_is_key(key, origin) for key in keys):
            raise Refused("the log's keys are none of its own")
        return cls(epoch, size, text, keys)


class Chain(NamedTuple):
    """An account's entries so far: how many, and what comes before the next."""

    seq: int = 0
    chain: bytes = FIRST

    @classmethod
    def of(cls, document: Document) -> "Chain":
        """Read it; that of an account without entries where there is none. Raises Refused."""
        if document.fields is None:
            return cls()
        seq, chain = (document.fields.get(name) for name in cls._fields)
        if not is_number(seq) or not is_hash(chain):
            raise Refused("an account's chain is none")
        return cls(seq, chain)


def is_number(value: object) -> TypeGuard[int]:
    """Tell whether a stored value is a size, an index or the like: no bool, no float."""
    return type(value) is int and 0 <= value <= LARGEST


def is_hash(value: object) -> TypeGuard[bytes]:
    """Tell whether a stored value is a hash."""
    return isinstance(value, bytes) and len(value) == HASH


def _is_key(value: object, origin: str) -> bool:
    """Tell whether a stored value is the vkey of a log of this name."""
    try:
        key = Key.parse(value) if isinstance(value, str) else None
    except Refused:
        return False
    return key is not None and (key.name, key.kind) == (origin, ED25519)


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


def published(document: Document) -> Published | None:
    """Give the newest checkpoint to who reads; raises Error `unavailable` where it is none."""
    try:
        return Published.of(document)
    except Refused as damage:
        raise unreadable(damage) from None


def unreadable(damage: Refused) -> Error:
    """Give the error for what of the log cannot be given out, after a line that says why."""
    tell("CRITICAL", "the log's documents do not fit together: not given out", why=str(damage))
    return unavailable("The log cannot be read")


def waited(documents: Iterable[Document], now: datetime) -> float:
    """Give the seconds that the longest has waited of some documents, by the store's own clock."""
    return max(((now - one.written_at).total_seconds() for one in documents), default=0.0)
