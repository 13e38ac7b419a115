"""Seals the fields of a resource that may carry secrets, and opens them again.

The fields become one text that is cut into chunks, each sealed by itself and bound to account,
region, project, key generation, kind, name, a value id made for each write, the format, its
number and whether it is the last: no chunk can be moved, dropped, reordered or mixed. It is bound
to the digest of the clear fields beside it too: whoever changes those writes a value anew. One
chunk lies in the resource's document where it fits; else the chunks are `parts` below it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgpack

from shared import forms, quotas
from shared.app import App
from shared.keys import Keyring, Undecryptable, binding, is_former, open_sealed, seal
from shared.kinds import Fields, Kind
from shared.lifecycle import Project
from shared.resources.place import Place
from shared.store import Conflict, Document, Read, Write

UNNUMBERED = "0"  # the number of a resource's version, until versions are kept
Stored = tuple[dict[str, Any], list[Write]]  # a stored form, and the writes that go with it


class Replaced(Conflict):
    """A part of a value, or the key of its project, is gone since the resource was read."""

    def __init__(self, found: Iterable[Document]) -> None:
        super().__init__()
        self.versions = [document.update_time for document in found]


def stored(
    app: App, place: Place, project: Project, read: Read, own: Fields, body: Fields
) -> Stored:
    """Give a resource as it is stored, and the writes of the parts of its envelope.

    `own` is what was made for it or is kept of it. Raises as `under_key` does.
    """
    if not place.kind.sealed:
        return clear(own, body), []
    record = read[place.data_key].fields or {}
    with under_key(app, place, read):
        form, envelopes = lock(app.keyring, project, record, place.kind, own, body)
    return _laid(place.path, form, envelopes)


def clear(own: Fields, body: Fields) -> dict[str, Any]:
    """Give a resource that seals nothing as it is stored."""
    return {**own, "body": body, "sha256": digest(forms.canonical(body))}


def digest(*said: bytes) -> bytes:
    """Give the SHA-256 that is noted of what is written: what the sweep of its project tells."""
    return hashlib.sha256(b"".join(said)).digest()


@contextmanager
def under_key(app: App, place: Place, read: Read, found: Iterable[Document] = ()) -> Iterator[None]:
    """Raise Replaced where the project's key went with the project, as a purge has it.

    While the project is as it was read its key cannot have been destroyed: Undecryptable stays.
    """
    try:
        yield
    except Undecryptable:
        if app.store.read(place.home)[place.home] == read[place.home]:
            raise
        raise Replaced(found) from None


def lock(
    keyring: Keyring, project: Project, record: Fields, kind: Kind, own: Fields, body: Fields
) -> tuple[dict[str, Any], list[bytes]]:
    """Give the stored form of a resource but for its values, and their envelopes.

    `record` is the project's keys/current. Raises Undecryptable where the project's key is gone.
    """
    plainly = {name: value for name, value in body.items() if name not in kind.sealed}
    values = {name: body[name] for name in kind.sealed if name in body}
    stored = {**own, "body": plainly}
    plain, size = msgpack.packb(values), quotas.SEALED_PART_BYTES
    chunks = [plain[start : start + size] for start in range(0, len(plain), size)]
    key = keyring.open(project.id, record)
    places = _places(project, record, kind, stored, [False] * len(chunks))
    return stored, _sealed(key, chunks, places)


def _laid(path: str, form: Fields, envelopes: Sequence[bytes]) -> Stored:
    """Lay the envelope into the resource itself, or all of it in parts; with their bytes noted."""
    size = sum(map(len, envelopes)) + len(json.dumps(form["body"], ensure_ascii=False).encode())
    noted = {"size": size, "sha256": digest(*envelopes)}
    if len(envelopes) == 1 and size <= quotas.DOCUMENT_BYTES:
        return {**form, **noted, "sealed": envelopes[0], "parts": 0}, []
    whole = {**form, **noted, "sealed": None, "parts": len(envelopes)}
    pairs = zip(part_paths(path, whole), map(part, envelopes), strict=True)
    return whole, [Write.create(*pair) for pair in pairs]


def part(envelope: bytes) -> dict[str, bytes]:
    """Give a part of a value as it is stored."""
    return {"bytes": envelope, "sha256": digest(envelope)}


def unlock(
    keyring: Keyring,
    project: Project,
    record: Fields,
    kind: Kind,
    stored: Fields,
    envelopes: Sequence[bytes],
    form: int = forms.NEWEST,
) -> dict[str, Any]:
    """Give the whole body of a resource from all its envelopes; raises Undecryptable.

    Envelopes of version 1, which say nothing of the clear fields, open while `form` is the former.
    """
    former = [*map(is_former, envelopes)]
    if any(former) and form == forms.NEWEST:
        raise Undecryptable
    key = keyring.open(project.id, record)
    places = _places(project, record, kind, stored, former)
    plain = b"".join(_opened(key, envelopes, places))
    if any(former):
        forms.accepted("envelope v1")
    return {**stored["body"], **msgpack.unpackb(plain)}


def reseal(
    keyring: Keyring,
    project: Project,
    record: Fields,
    kind: Kind,
    stored: Fields,
    envelopes: Sequence[bytes],
) -> list[bytes]:
    """Give envelopes of the newest form for all those of a value; raises Undecryptable."""
    key, former = keyring.open(project.id, record), [*map(is_former, envelopes)]
    chunks = _opened(key, envelopes, _places(project, record, kind, stored, former))
    return _sealed(key, chunks, _places(project, record, kind, stored, [False] * len(former)))


def _sealed(key: bytes, chunks: Iterable[bytes], places: Iterable[bytes]) -> list[bytes]:
    return [seal(key, *pair) for pair in zip(chunks, places, strict=True)]


def _opened(key: bytes, envelopes: Iterable[bytes], places: Iterable[bytes]) -> list[bytes]:
    return [open_sealed(key, *pair) for pair in zip(envelopes, places, strict=True)]


def _places(
    project: Project, record: Fields, kind: Kind, stored: Fields, former: Sequence[bool]
) -> list[bytes]:
    """Give what each chunk of a value is bound to; `former` says which are of envelope v1."""
    whole = (
        project.account_id,
        project.region,
        project.id,
        str(record["generation"]),
        kind.collection,
        stored["name"],
        stored["value_id"],
        stored["body"].get("format", ""),
    )
    more = hashlib.sha256(forms.canonical(stored["body"])).hexdigest(), UNNUMBERED
    last = len(former) - 1
    numbered = enumerate(former)
    return [
        binding(*whole, str(n), "last" * (n == last), *(() if old else more)) for n, old in numbered
    ]


def part_paths(path: str, stored: Fields | None) -> list[str]:
    """Give the paths of the parts that a stored resource has; none for most."""
    if stored is None:
        return []
    holder = path.partition("/revisions/")[0]  # the parts of a revision are its app's
    return [f"{holder}/parts/{stored['value_id']}-{n}" for n in range(stored.get("parts", 0))]


def unshared(path: str, forms: Iterable[Fields], stored: Fields) -> list[str]:
    """Give the paths of the parts of former forms that neither `stored` nor its history has."""
    shared = {stored["value_id"], *(entry["value_id"] for entry in stored.get("history", ()))}
    gone = (part_paths(path, form) for form in forms if form["value_id"] not in shared)
    return list(dict.fromkeys(part for paths in gone for part in paths))
