"""Seals the fields of a resource that may carry secrets, and opens them again.

The fields become one text that is cut into chunks, each sealed by itself and bound to account,
region, project, key generation, kind, name, a value id minted for each write, the format, its
number and whether it is the last: no chunk can be moved, dropped, reordered or mixed. One chunk
lies in the resource's document where it fits; else the chunks are `parts` below it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgpack

from shared import crypto, quotas, writes
from shared.keyring import Keyring
from shared.kinds import Kind

Fields = Mapping[str, Any]


def data_key_path(project_id: str) -> str:
    """Give the path of the document that holds the first half of a project's data key."""
    return f"projects/{project_id}/keys/current"


def seal(
    keyring: Keyring, project: Fields, record: Fields, kind: Kind, stored: Fields, values: Fields
) -> list[bytes]:
    """Give the envelopes of a resource's sealed values; `record` is the project's keys/current."""
    key = keyring.open(project["id"], record)
    plain, size = msgpack.packb(dict(values)), quotas.SEALED_PART_BYTES
    chunks = [plain[start : start + size] for start in range(0, len(plain), size)]
    places = _places(project, record, kind, stored, len(chunks))
    return [crypto.seal(key, *pair) for pair in zip(chunks, places, strict=True)]


def unseal(
    keyring: Keyring,
    project: Fields,
    record: Fields,
    kind: Kind,
    stored: Fields,
    sealed: Sequence[bytes],
) -> dict[str, Any]:
    """Give the sealed values of a resource from all its envelopes; raises crypto.Undecryptable."""
    key = keyring.open(project["id"], record)
    places = _places(project, record, kind, stored, len(sealed))
    pairs = zip(sealed, places, strict=True)
    plain = b"".join(crypto.open_sealed(key, envelope, place) for envelope, place in pairs)
    values: dict[str, Any] = msgpack.unpackb(plain)
    return values


def _places(
    project: Fields, record: Fields, kind: Kind, stored: Fields, chunks: int
) -> list[bytes]:
    """Give what each chunk of a value is bound to."""
    whole = (
        project["account_id"],
        project["region"],
        project["id"],
        str(record["generation"]),
        kind.collection,
        stored["name"],
        stored["value_id"],
        stored["body"].get("format", ""),
    )
    last = chunks - 1
    return [crypto.binding(*whole, str(n), "last" * (n == last)) for n in range(chunks)]


def part_paths(path: str, stored: Fields | None) -> list[str]:
    """Give the paths of the parts that a stored resource has; none for most."""
    if stored is None:
        return []
    return [f"{path}/parts/{stored['value_id']}-{n}" for n in range(stored.get("parts", 0))]


def split(path: str, stored: dict[str, Any], sealed: Sequence[bytes]) -> list[writes.Write]:
    """Put the envelope into the stored resource, or all into parts whose writes are given.

    Notes in it how many bytes they and the body come to.
    """
    clear = len(json.dumps(stored["body"], ensure_ascii=False).encode())
    stored["size"] = sum(map(len, sealed)) + clear
    if len(sealed) == 1 and stored["size"] <= quotas.DOCUMENT_BYTES:
        stored |= {"sealed": sealed[0], "parts": 0}
        return []
    stored |= {"sealed": None, "parts": len(sealed)}
    paths = part_paths(path, stored)
    return [writes.create(part, {"bytes": one}) for part, one in zip(paths, sealed, strict=True)]
