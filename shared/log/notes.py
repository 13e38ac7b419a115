"""Signed notes (C2SP signed-note) and their keys: a text, an empty line, a line a signature.

A note can have signatures of many keys. Those of unknown keys are ignored; where a name and id
are known, the signature must hold, and at least one must be known: anything else refuses the note.
The text is signed with its last line feed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.log import texts
from shared.log.texts import LARGEST, Refused, decoded, encoded, need

ED25519, COSIGNATURE = 1, 4  # types of keys: of a log, and of a witness
MOST_SIGNATURES = 32  # of a note; C2SP asks for 16 at least
MOST_NAME = 255  # characters

_ID, _TIME, _PUBLIC, _SIGNATURE = 4, 8, 32, 64  # bytes
_SIZES = {ED25519: _SIGNATURE, COSIGNATURE: _TIME + _SIGNATURE}
_LINE = re.compile(r"— (\S+) (\S+)")
_VKEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+(\S+)")


class Signature(NamedTuple):
    """A line of a note: who signed, the key's id, and what the key's type makes of a text."""

    name: str
    id: bytes
    value: bytes

    def __str__(self) -> str:
        """Give the line, without its line feed."""
        return f"— {self.name} {encoded(self.id + self.value)}"


@dataclass(frozen=True, slots=True)
class Key:
    """A public key under a name: a log's (ED25519) or a witness's (COSIGNATURE)."""

    name: str
    kind: int
    public: bytes

    def __post_init__(self) -> None:
        _named(self.name)
        need(self.kind in _SIZES, "a key is of no known type")
        need(len(self.public) == _PUBLIC, "a key is of another size")

    @classmethod
    def of(cls, name: str, private: Ed25519PrivateKey, kind: int = ED25519) -> "Key":
        """Give the public key of one that signs."""
        return cls(name, kind, private.public_key().public_bytes_raw())

    @classmethod
    def parse(cls, vkey: str) -> "Key":
        """Give the key that a vkey is: NAME+ID+KEY; refuse it where the id is another key's."""
        found = _VKEY.fullmatch(vkey)
        if not found:
            raise Refused("it is no vkey")
        name, id_, written = found.groups()
        data = decoded(written, 1 + _PUBLIC)
        key = cls(name, data[0], data[1:])
        need(key.id.hex() == id_, "a vkey has the id of another key")
        return key

    @property
    def id(self) -> bytes:
        """The four bytes that signatures name it by."""
        about = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return sha256(about).digest()[:_ID]

    def __str__(self) -> str:
        """Give its vkey."""
        return f"{self.name}+{self.id.hex()}+{encoded(bytes([self.kind]) + self.public)}"

    def verify(self, text: str, value: bytes) -> int | None:
        """Refuse a signature that is not of this key over a text; give a witness's time.

        That is POSIX time in seconds; None for a log, which says none.
        """
        need(len(value) == _SIZES[self.kind], "a signature is of another size")
        time = None
        if self.kind == COSIGNATURE:
            time = int.from_bytes(value[:_TIME], "big")
            need(time <= LARGEST, "a cosignature's time is too large")
            text = cosigned(text, time)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(
                value[-_SIGNATURE:], text.encode()
            )
        except InvalidSignature:
            raise Refused("a signature is wrong") from None
        return time


class Note(NamedTuple):
    """A text, which ends with a line feed, and its signatures."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, data: bytes) -> "Note":
        """Give the note that is written; its signatures are not verified."""
        text, between, lines = texts.text(data).rpartition("\n\n")
        need(text and between, "a note has a text, an empty line, and signatures")
        return cls(text + "\n", parse_lines(lines))

    def write(self) -> bytes:
        """Give its bytes; they are in its one form, or refused."""
        data = "\n".join([self.text, *map(str, self.signatures), ""]).encode()
        need(Note.parse(data) == self, "it cannot be written as a note")
        return data

    def verified(self, keys: Iterable[Key]) -> dict[Key, int | None]:
        """Give the keys that signed it, each with the time it says, if one: at least one.

        A key counts once, however many lines it has. Refuses the note otherwise, and also where
        two keys have the same name and id.
        """
        known = {(key.name, key.id): key for key in set(keys)}
        need(len(known) == len(set(keys)), "two keys have the same name and id")
        signed: dict[Key, int | None] = {}
        for name, id_, value in self.signatures:
            if key := known.get((name, id_)):
                signed[key] = key.verify(self.text, value)
        need(signed, "no known key signed it")
        return signed


def sign(text: str, name: str, private: Ed25519PrivateKey) -> Signature:
    """Give the signature of a log over a text, the same each time."""
    return Signature(name, Key.of(name, private).id, private.sign(text.encode()))


def cosigned(text: str, time: int) -> str:
    """Give what a witness signs of a checkpoint's text at a time."""
    return f"cosignature/v1\ntime {time}\n{text}"


def parse_lines(lines: str) -> tuple[Signature, ...]:
    """Give the signatures of lines, one at least, each ending with a line feed."""
    need(lines.endswith("\n"), "a signature's line does not end")
    return tuple(_parsed(line) for line in _bounded(lines[:-1].split("\n")))


def _bounded(lines: list[str]) -> list[str]:
    need(len(lines) <= MOST_SIGNATURES, "there are too many signatures")
    return lines


def _parsed(line: str) -> Signature:
    found = _LINE.fullmatch(line)
    if not found:
        raise Refused("it is no line of a signature")
    name, written = found.groups()
    _named(name)
    data = decoded(written)
    need(len(data) > _ID, "a signature is of another size")
    return Signature(name, data[:_ID], data[_ID:])


def _named(name: str) -> None:
    fit = name.isprintable() and "+" not in name and not re.search(r"\s", name)
    need(fit and 0 < len(name) <= MOST_NAME, "no key has such a name")
