"""Proofs that can be handed on (C2SP tlog-proof): an entry's path, and the checkpoint it leads to.

One text, from which anyone who knows the log's key verifies an entry offline. Its `extra` is not
covered by anything: here it has what the entry is computed from, and is covered by that.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.log import texts, tree
from shared.log.checkpoints import Opened, opened
from shared.log.notes import Key
from shared.log.texts import decoded, encoded, need, number

HEAD = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class Proof:
    """An entry's index, its path from the leaf up, a signed checkpoint; `extra`, if there is."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def write(self) -> bytes:
        """Give the text; it is in its one form, or refused."""
        extra = [] if self.extra is None else [f"extra {encoded(self.extra)}"]
        lines = [HEAD, *extra, f"index {self.index}", *map(encoded, self.path), "\n"]
        data = "\n".join(lines).encode() + self.checkpoint
        need(Proof.parse(data) == self, "it cannot be written as a proof")
        return data

    @classmethod
    def parse(cls, data: bytes) -> "Proof":
        """Give the proof that is written; nothing of it is verified."""
        head, between, note = texts.text(data).partition("\n\n")
        lines = head.split("\n")
        need(between and lines.pop(0) == HEAD, "it is no proof of version 1")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = decoded(lines.pop(0).removeprefix("extra "))
        need(extra != b"", "an extra is empty")
        need(lines and lines[0].startswith("index "), "a proof says no index")
        index = number(lines.pop(0).removeprefix("index "))
        need(len(lines) <= tree.MOST_HASHES, "the path is too long")
        return cls(index, tuple(decoded(line, tree.HASH) for line in lines), note.encode(), extra)


def verified(
    proof: Proof, entry: bytes, log: Key, witnesses: Iterable[Key] = (), demanded: int = 0
) -> Opened:
    """Give the checkpoint that an entry is proved to be under; refuse what does not verify."""
    found = opened(proof.checkpoint, log, witnesses, demanded)
    leaf = tree.leaf(entry)
    root = tree.included(proof.index, found.checkpoint.size, leaf, proof.path)
    need(root == found.checkpoint.root, "the log does not hold it")
    return found
