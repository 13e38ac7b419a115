"""How the vectors of the log's formats are made: from seeds, by the definitions and nothing else.

    .venv/bin/python tests/vectors/log-1/make.py FOLDER

It shares no code with what the vectors are for, and is as plain as RFC 6962 section 2.1 is: each
tree is computed anew from all of its leaves. `tests/log/test_vectors.py` runs it again.
"""

import base64
import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN, WITNESS, TIME = "ce.example.com/v1/log/1", "witness.example.net/w1", 1796000000
LOG_KEY, WITNESS_KEY = (
    Ed25519PrivateKey.from_private_bytes(bytes(range(start, start + 32))) for start in (0, 32)
)
ACTIONS = ("log.begin", "project.create", "secret.create", "secret.read", "project.erase")
INDEX = 3  # of the entry that the proof is for


def hashed(*parts: bytes) -> bytes:
    """Give SHA-256 of joined bytes."""
    return sha256(b"".join(parts)).digest()


def split(leaves: list[bytes]) -> int:
    """Give the largest power of two below how many there are."""
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return half


def root(leaves: list[bytes]) -> bytes:
    """Give MTH of RFC 6962 section 2.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashed()
    half = split(leaves)
    return hashed(b"\x01", root(leaves[:half]), root(leaves[half:]))


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """Give PATH of section 2.1.1."""
    if len(leaves) == 1:
        return []
    half = split(leaves)
    if index < half:
        return [*path(index, leaves[:half]), root(leaves[half:])]
    return [*path(index - half, leaves[half:]), root(leaves[:half])]


def consistency(old: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """Give SUBPROOF of section 2.1.2."""
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    half = split(leaves)
    if old <= half:
        return [*consistency(old, leaves[:half], whole), root(leaves[half:])]
    return [*consistency(old - half, leaves[half:], False), root(leaves[:half])]


def text(data: bytes) -> str:
    """Give the base64 of bytes."""
    return base64.b64encode(data).decode()


def key(name: str, kind: int, private: Ed25519PrivateKey) -> tuple[bytes, str]:
    """Give the id of a key, and its vkey."""
    typed = bytes([kind]) + private.public_key().public_bytes_raw()
    id_ = hashed(name.encode(), b"\n", typed)[:4]
    return id_, f"{name}+{id_.hex()}+{text(typed)}"


def entries() -> list[dict[str, Any]]:
    """Give the entries of vector A: five of one account."""
    made, prev = [], bytes(32)
    for i, action in enumerate(ACTIONS):
        record = json.dumps(
            {"_type": "urn:reprieve:audit:v1", "action": action, "n": i}, separators=(",", ":")
        )
        place = bytes([i]) * 16 + (i + 1).to_bytes(8, "big") + prev
        entry = hashed(b"reprieve/audit-leaf/v1\n", place, record.encode())
        made.append({"record": record, "extra": place.hex(), "entry": entry.hex()})
        prev = hashed(b"reprieve/audit-chain/v1\n", prev, entry)
    return made


def checkpoint(leaves: list[bytes]) -> str:
    """Give the checkpoint of a tree, signed by the log and cosigned by the witness."""
    said = f"{ORIGIN}\n{len(leaves)}\n{text(root(leaves))}\n"
    log = key(ORIGIN, 1, LOG_KEY)[0] + LOG_KEY.sign(said.encode())
    seen = WITNESS_KEY.sign(f"cosignature/v1\ntime {TIME}\n{said}".encode())
    witness = key(WITNESS, 4, WITNESS_KEY)[0] + TIME.to_bytes(8, "big") + seen
    return f"{said}\n— {ORIGIN} {text(log)}\n— {WITNESS} {text(witness)}\n"


def vector_a() -> tuple[dict[str, Any], str]:
    """Give what there is of vector A: its figures, and the proof of one entry."""
    made = entries()
    leaves = [hashed(b"\x00", bytes.fromhex(one["entry"])) for one in made]
    figures = {
        "log": key(ORIGIN, 1, LOG_KEY)[1],
        "witness": key(WITNESS, 4, WITNESS_KEY)[1],
        "time": TIME,
        "entries": made,
        "roots": [root(leaves[:size]).hex() for size in range(6)],
        "consistency": {
            f"{old}-5": [one.hex() for one in consistency(old, leaves)] for old in range(1, 6)
        },
    }
    extra = text(bytes.fromhex(made[INDEX]["extra"]))
    lines = ["c2sp.org/tlog-proof@v1", f"extra {extra}", f"index {INDEX}"]
    lines += map(text, path(INDEX, leaves))
    return figures, "\n".join([*lines, "", checkpoint(leaves)])


def vector_b() -> dict[str, Any]:
    """Give what there is of vector B: entries that are their index in two bytes, big-endian."""
    leaves = [hashed(b"\x00", i.to_bytes(2, "big")) for i in range(257)]
    tiles = {
        "tile/0/000": b"".join(leaves[:256]),
        "tile/0/001.p/1": leaves[256],
        "tile/1/000.p/1": root(leaves[:256]),
    }
    return {
        "roots": {size: root(leaves[:size]).hex() for size in (1, 255, 256, 257)},
        "paths": {i: [one.hex() for one in path(i, leaves)] for i in (0, 255, 256)},
        "tiles": {name: hashed(tile).hex() for name, tile in tiles.items()},  # their SHA-256
    }


def main(folder: Path) -> None:
    """Write the vectors into a folder."""
    figures, proof = vector_a()
    (folder / "a.tlog-proof").write_text(proof)
    for name, value in (("a.json", figures), ("b.json", vector_b())):
        (folder / name).write_text(json.dumps(value, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
