"""A certificate of destruction, and a log of a few hundred entries that holds it.

What a certificate says is as the auditor's file demands it. The keys are made of fixed seeds.
"""

import copy
from functools import cache
from hashlib import sha256
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.log import (
    Checkpoint,
    Key,
    Note,
    Place,
    Proof,
    Signature,
    cosigned,
    dump,
    entry,
    leaf,
    tiles,
)
from shared.log.notes import COSIGNATURE

ORIGIN, OTHER, TEST_ORIGIN = (
    "ce.example.com/v1/log/1",
    "ce.example.com/v1/log/2",
    "test.invalid/0011/v1/log/1",
)
AT = 1796610603  # POSIX: when the project was gone
SIZE, INDEX = 300, 200
DIGEST = "5d" * 32
SALT = bytes(range(16))  # of the digest of its name, `shop`

STATEMENT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [
        {"name": "project:0b7c2a51-6f0e-4f5e-9a43-2f1d3c5b7e90", "digest": {"sha256": DIGEST}}
    ],
    "predicateType": "urn:reprieve:destruction:v1",
    "predicate": {
        "project": {
            "id": "0b7c2a51-6f0e-4f5e-9a43-2f1d3c5b7e90",
            "account": "4fa2c5b1d0e94e6f8b3a7c6d5e4f3a2b",
            "region": "eu-de",
            "crn": "crn:v1:bluemix:public:codeengine:eu-de:a/4fa2:0b7c2a51::",
            "name_digest": sha256(b"reprieve/name/v1\n" + SALT + b"shop").hexdigest(),
            "created_at": "2026-11-01T09:00:00Z",
        },
        "requested_by": {"id": "6cf9dbfe657ab702", "name": "ci"},
        "performed_by": {"identity": "purge", "version": "0.1.0"},
        "timeline": {
            "restores": ["2026-11-20T10:00:00.250000Z"],
            "deleted": "2026-11-30T02:28:05Z",
            "deadline": "2026-12-07T02:28:05Z",
            "claimed": "2026-12-07T02:30:01Z",
            "shredded": "2026-12-07T02:30:02Z",
            "swept": "2026-12-07T02:30:03Z",
            "erased": "2026-12-07T02:30:03.500000Z",
            "cause": "deadline",
        },
        "because": "codeengine-api-0b7c2a51",
        "destroyed": {
            "documents": {"config_maps": 1, "secrets": 1, "others": 3},
            "digest": DIGEST,
            "undigested": 1,
        },
        "key": {
            "algorithm": "AES-256-GCM",
            "commitment": "7f" * 32,
            "evidence": [
                {
                    "store": "projects/p/secrets/half",
                    "version": 1,
                    "state": "DESTROYED",
                    "at": "2026-12-07T02:30:02Z",
                    "read_back": "refused",
                }
            ],
            "attempts": 1,
        },
        "method": {
            "standard": "none claimed",
            "purge": "documents deleted",
            "cryptographic_erase": "one of two key halves destroyed",
            "verification": "read back",
        },
        "residual": "copies that readers made",
        "environment": {"clock": "store", "store": "firestore"},
        "test": False,
    },
}


# Under a clock that was moved, as it can be beside an emulator alone.
MOVED = {
    "predicate__test": True,
    "predicate__environment": {"clock": "moved", "store": "emulator"},
}


def statement(**changes):
    """Give the statement with members changed, each named by its path with `__` for a point.

    None takes a member out.
    """
    made = copy.deepcopy(STATEMENT)
    for path, value in changes.items():
        *within, last = path.split("__")
        place = made
        for name in within:
            place = place[name]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return made


def private(seed):
    """Give a private key by the first byte of its seed."""
    return Ed25519PrivateKey.from_private_bytes(bytes(range(seed, seed + 32)))


LOG = private(0)
WITNESSES = {f"witness.example.net/w{n}": private(32 * n) for n in (1, 2)}


def witness(number):
    """Give the public key of a witness: 1 or 2."""
    name = f"witness.example.net/w{number}"
    return Key.of(name, WITNESSES[name], COSIGNATURE)


def cosign(text, number, time):
    """Give a witness's line under a checkpoint's text."""
    key = witness(number)
    seen = WITNESSES[key.name].sign(cosigned(text, time).encode())
    return Signature(key.name, key.id, time.to_bytes(8, "big") + seen)


class Held(NamedTuple):
    """A record in a log, and what shows it."""

    record: bytes
    proof: bytes
    key: str  # the log's vkey


PLACE = Place(bytes(range(16)), 7, bytes(range(32)))


@cache
def _others():
    return tuple(leaf(bytes([n % 256]) * 32) for n in range(SIZE))


def held(record, origin=ORIGIN, times=(AT,), size=SIZE, index=INDEX, lines=None):
    """Put a record into a log of so many entries, cosigned by witness 1, 2, .. at times.

    `lines` gives other lines than the witnesses', from a checkpoint's text.
    """
    leaves = list(_others()[:size])
    leaves[index] = leaf(entry(PLACE, record))
    held = tiles.grown(0, leaves, {}.__getitem__)
    checkpoint = Checkpoint(origin, size, tiles.root(size, held.__getitem__))
    signed = Note.parse(checkpoint.signed(LOG))
    seen = [cosign(signed.text, number, time) for number, time in enumerate(times, 1)]
    more = lines(signed.text) if lines else seen
    proof = Proof(
        index,
        tuple(tiles.inclusion(index, size, held.__getitem__)),
        Note(signed.text, (*signed.signatures, *more)).write(),
        PLACE.pack(),
    )
    return Held(record, proof.write(), str(Key.of(origin, LOG)))


def certificate(origin=ORIGIN, times=(AT,), **changes):
    """Give a certificate with members changed, and its proof."""
    return held(dump(statement(**changes)), origin, times)


def on_a_test_host(record):
    """Put a record into the log of a test host, which no witness has seen."""
    return held(record, TEST_ORIGIN, ())
