"""Seals the fields of a resource that may carry secrets, and opens them again.

The fields go into one envelope, bound to account, region, project, key generation, kind, name
and a value id minted for each write. What exceeds a document is cut into `parts` below it: the
one authentication tag covers the whole, so parts cannot be dropped, reordered or mixed.
"""

import json
from collections.abc import Mapping
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
) -> bytes:
    """Give the envelope of a resource's sealed values; `record` is the project's keys/current."""
    key = keyring.open(project["id"], record)
    return crypto.seal(key, msgpack.packb(dict(values)), _place(project, record, kind, stored))


def unseal(
    keyring: Keyring, project: Fields, record: Fields, kind: Kind, stored: Fields, sealed: bytes
) -> dict[str, Any]:
    """Give the sealed values of a resource; raises crypto.Undecryptable."""
    key = keyring.open(project["id"], record)
    plain = crypto.open_sealed(key, sealed, _place(project, record, kind, stored))
    values: dict[str, Any] = msgpack.unpackb(plain)
    return values


def _place(project: Fields, record: Fields, kind: Kind, stored: Fields) -> bytes:
    return crypto.binding(
        project["account_id"],
        project["region"],
        project["id"],
        str(record["generation"]),
        kind.collection,
        stored["name"],
        stored["value_id"],
    )


def part_paths(path: str, stored: Fields | None) -> list[str]:
    """Give the paths of the parts that a stored resource has; none for most."""
    if stored is None:
        return []
    return [f"{path}/parts/{stored['value_id']}-{n}" for n in range(stored.get("parts", 0))]


def split(path: str, stored: dict[str, Any], sealed: bytes) -> list[writes.Write]:
    """Put the envelope into the stored resource, or into parts whose writes are given.

    Notes in it how many bytes both come to.
    """
    size = quotas.SEALED_PART_BYTES
    clear = len(json.dumps(stored["body"], ensure_ascii=False).encode())
    stored["size"] = len(sealed) + clear
    if len(sealed) <= size and stored["size"] <= quotas.DOCUMENT_BYTES:
        stored |= {"sealed": sealed, "parts": 0}
        return []
    chunks = [sealed[start : start + size] for start in range(0, len(sealed), size)]
    stored |= {"sealed": None, "parts": len(chunks)}
    paths = part_paths(path, stored)
    return [
        writes.create(part, {"bytes": chunk}) for part, chunk in zip(paths, chunks, strict=True)
    ]
