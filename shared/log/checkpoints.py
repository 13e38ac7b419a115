"""Checkpoints (C2SP tlog-checkpoint): the log's word on how large its tree is, and its root.

A note of three lines, signed by the log under the name that is its first line. Lines that extend
it are refused. Witnesses (C2SP tlog-cosignature) put theirs to it once they saw that the tree only
grew: how many of them are demanded is for whoever verifies to say, as each can be taken away.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.log.notes import COSIGNATURE, ED25519, Key, Note, sign
from shared.log.texts import LARGEST, decoded, encoded, need, number
from shared.log.tree import EMPTY, HASH


class Checkpoint(NamedTuple):
    """What a log was at one time: its name, how many entries it had, and the root over them."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Give the checkpoint that a note's text is; refuse further lines."""
        lines = text.split("\n")
        need(len(lines) == 4 and lines[0] and not lines[3], "a checkpoint has three lines")
        origin, size, root, _ = lines
        return cls(origin, number(size), decoded(root, HASH)).checked()

    def checked(self) -> "Checkpoint":
        """Give it; refuse a size that no tree has, and another root for none than the empty one."""
        need(0 <= self.size <= LARGEST and len(self.root) == HASH, "no tree is like that")
        need(self.size or self.root == EMPTY, "an empty tree has another root")
        return self

    @property
    def text(self) -> str:
        """Its three lines."""
        return f"{self.origin}\n{self.size}\n{encoded(self.root)}\n"

    def signed(self, private: Ed25519PrivateKey) -> bytes:
        """Give the note of it, signed by its log: the same bytes each time."""
        return Note(self.checked().text, (sign(self.text, self.origin, private),)).write()


class Opened(NamedTuple):
    """A checkpoint that is verified, and the witnesses who cosigned it, each at its POSIX time."""

    checkpoint: Checkpoint
    witnesses: Mapping[Key, int]


def opened(data: bytes, log: Key, witnesses: Iterable[Key] = (), demanded: int = 0) -> Opened:
    """Give the checkpoint of a note, if its log signed it, and as many witnesses as demanded.

    Witnesses of the same key under two names are one. A line of a known witness that does not
    hold refuses the note, whatever is demanded.
    """
    known = set(witnesses)
    need(log.kind == ED25519, "a log's key is of another type")
    need(all(key.kind == COSIGNATURE for key in known), "a witness's key is of another type")
    note = Note.parse(data)
    signed = note.verified({log} | known)
    need(log in signed, "the log has not signed it")
    checkpoint = Checkpoint.parse(note.text)
    need(checkpoint.origin == log.name, "it is of another log")
    times = {key: time for key, time in signed.items() if time is not None}
    need(len({key.public for key in times}) >= demanded, "too few witnesses cosigned it")
    return Opened(checkpoint, times)
