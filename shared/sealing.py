"""Seals the fields of a resource that may carry secrets, and opens them again.

The fields go into one envelope, bound to account, region, project, key generation, kind, name
and a value id minted for each write. What exceeds a document is cut into `parts` below it: the
one authentication tag covers the whole, so parts cannot be dropped, reordered or mixed.
"""

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


def seal(keyring: Keyring, project: Fields, record: Fields, kind: Kind, resource: Fields) -> bytes:
    """Give the envelope of a resource's sealed fields; `record` is the project's keys/current."""
    key = keyring.open(project["id"], record)
    values = {name: resource[name] for name in kind.sealed if name in resource}
    return crypto.seal(key, msgpack.packb(values), _place(project, record, kind, resource))


def unseal(
    keyring: Keyring, project: Fields, record: Fields, kind: Kind, resource: Fields, sealed: bytes
) -> dict[str, Any]:
    """Give the sealed fields of a resource; raises crypto.Undecryptable."""
    key = keyring.open(project["id"], record)
    plain = crypto.open_sealed(key, sealed, _place(project, record, kind, resource))
    values: dict[str, Any] = msgpack.unpackb(plain)
    return values


def _place(project: Fields, record: Fields, kind: Kind, resource: Fields) -> bytes:
    return crypto.binding(
        project["account_id"],
        project["region"],
        project["id"],
        str(record["generation"]),
        kind.collection,
        resource["name"],
        resource["value_id"],
    )


def part_paths(path: str, resource: Fields | None) -> list[str]:
    """Give the paths of the parts that a stored resource has; none for most."""
    if resource is None:
        return []
    value = resource["value_id"]
    return [f"{path}/parts/{value}-{number}" for number in range(resource["parts"])]


def split(path: str, resource: dict[str, Any], sealed: bytes) -> list[writes.Write]:
    """Put the envelope into the resource's fields, or into parts whose writes are given."""
    size = quotas.SEALED_PART_BYTES
    resource["size"] = len(sealed)
    if len(sealed) <= size:
        resource |= {"sealed": sealed, "parts": 0}
        return []
    chunks = [sealed[start : start + size] for start in range(0, len(sealed), size)]
    resource |= {"sealed": None, "parts": len(chunks)}
    paths = part_paths(path, resource)
    return [
        writes.create(part, {"bytes": chunk}) for part, chunk in zip(paths, chunks, strict=True)
    ]
