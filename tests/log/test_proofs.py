"""Proofs that are handed on: no bit of one can change and still mean the same."""

import json
from pathlib import Path

import pytest

from shared.log import Key, Note, Place, Proof, Refused, chained, entry, verified
from tests.support.certificates import PLACE, certificate, held, witness

FOLDER = Path(__file__).parents[1] / "vectors" / "log-1"
A = json.loads((FOLDER / "a.json").read_text())
VECTOR = (FOLDER / "a.tlog-proof").read_bytes()
LOG, WITNESS = Key.parse(A["log"]), Key.parse(A["witness"])
RECORD = A["entries"][3]["record"].encode()


def opened(data, record=RECORD, log=LOG, demanded=0):
    """Verify what a proof and a record say; give who has signed it, None where it is refused."""
    try:
        proof = Proof.parse(data)
        leaf = entry(Place.unpack(proof.extra or b""), record)
        return verified(proof, leaf, log, [WITNESS], demanded)
    except Refused:
        return None


def flipped(data):
    """Give data with each of its bits changed, one at a time."""
    for at in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            yield at, bytes(changed)


def test_every_bit_of_a_proof():
    """Of 4,600 changes none verifies and means the same: what is left is without its witness.

    Those changes are all in the witness's name or its key's id; demanding it refuses them, too.
    """
    whole = opened(VECTOR, demanded=1)
    assert whole.witnesses == {WITNESS: A["time"]}
    changes = list(flipped(VECTOR))
    assert len(changes) == 4600
    passed = [(at, data, found) for at, data in changes if (found := opened(data))]
    line = VECTOR.rindex(b"\xe2\x80\x94 witness") + 4
    for at, data, found in passed:
        assert (found.checkpoint, found.witnesses) == (whole.checkpoint, {})
        assert line <= at < line + len(WITNESS.name) + 1 + 6
        assert opened(data, demanded=1) is None
    assert len(passed) == 176  # the others make no name, or no base64


def test_every_bit_of_a_record():
    """No other record has this proof."""
    assert not any(opened(VECTOR, record) for _, record in flipped(RECORD))


def test_every_bit_of_a_key():
    """Under no other key, id or name the proof verifies."""
    for _, data in flipped(A["log"].encode()):
        try:
            key = Key.parse(data.decode())
        except ValueError:
            continue
        assert opened(VECTOR, log=key) is None


def test_a_proof_is_written_as_it_is_read():
    """A proof of a log of 300 is read and written, with and without an extra."""
    shown = certificate()
    proof = Proof.parse(shown.proof)
    assert proof.write() == shown.proof
    assert Proof.parse(Proof(proof.index, proof.path, proof.checkpoint).write()).extra is None
    found = verified(proof, entry(PLACE, shown.record), Key.parse(shown.key), [witness(1)], 1)
    assert (found.checkpoint.size, proof.index, len(proof.path)) == (300, 200, 9)


def lines(**changes):
    """Give the vector with lines changed, by their number; None takes one out."""
    all_lines = VECTOR.decode().split("\n")
    changed = {int(name[1:]): value for name, value in changes.items()}
    kept = [changed.get(at, line) for at, line in enumerate(all_lines)]
    return "\n".join(line for line in kept if line is not None).encode()


HASH = VECTOR.decode().split("\n")[3]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        lines(_0="c2sp.org/tlog-proof@v2"),
        lines(_0=None),
        lines(_1="extra "),
        lines(_1="extra  AAAA"),
        lines(_1="Extra AAAA"),
        lines(_1="extra AAAA=="),
        lines(_1="extra AAAAAB=="),
        lines(_2="index 03"),
        lines(_2="index +3"),
        lines(_2="index 3 "),
        lines(_2="index -0"),
        lines(_2="index"),
        lines(_2=None),
        lines(_2="index 2"),
        lines(_2="index 5"),
        lines(_2=f"index {2**63}"),
        lines(_2="index ٣"),
        lines(_3=None),
        lines(_3=f"{HASH}\n{HASH}"),
        lines(_5=f"{lines().decode().split(chr(10))[5]}\n{HASH}"),
        lines(_3=" " + HASH),
        lines(_3=HASH[:-1]),
        lines(_3=HASH[:-2] + "B="),
        lines(_3="\n".join([HASH] * 62)),
        lines(_6=None),
        lines(_6="\n"),
        VECTOR + b"\n",
        VECTOR + b" ",
        VECTOR.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + VECTOR,
        VECTOR[: VECTOR.index(b"\n\n") + 1],
    ],
)
def test_other_forms(data):
    """What is no proof, or one that is written in another way, is refused."""
    assert opened(lines())
    assert opened(data) is None


def test_the_longest_path():
    """A path of 63 hashes is read; one more is refused, before anything is computed."""
    assert len(Proof.parse(lines(_3="\n".join([HASH] * 61))).path) == 63
    with pytest.raises(Refused, match="the path is too long"):
        Proof.parse(lines(_3="\n".join([HASH] * 62)))


@pytest.mark.parametrize("extra", [b"", bytes(55), bytes(57), bytes(56)])
def test_extras_of_another_size(extra):
    """A place is 56 bytes, and an account's first entry is number 1."""
    with pytest.raises(Refused):
        Place.unpack(extra)


@pytest.mark.parametrize(
    "act",
    [
        lambda: Proof(0, (), b"no note", b"").write(),
        lambda: Proof(-1, (), b"note\n").write(),
        lambda: Proof(0, (bytes(31),), b"note\n").write(),
        lambda: Place(bytes(15), 1).pack(),
        lambda: Place(bytes(16), 0).pack(),
        lambda: Place(bytes(16), 2**63).pack(),
        lambda: Place(bytes(16), 1, bytes(31)).pack(),
        lambda: entry(Place(bytes(16), 0), b""),
        lambda: chained(bytes(31), bytes(32)),
        lambda: chained(bytes(32), bytes(33)),
    ],
)
def test_what_is_not_made(act):
    """What could not be read again is not written."""
    with pytest.raises(Refused):
        act()


def test_another_entry():
    """A proof of one record proves no other, in whatever place."""
    shown, other = held(b"{}"), held(b"[]")
    log, proof = Key.parse(shown.key), Proof.parse(shown.proof)
    assert verified(proof, entry(PLACE, shown.record), log)
    for wrong in (entry(PLACE, other.record), entry(PLACE._replace(seq=8), shown.record)):
        with pytest.raises(Refused, match="the log does not hold it"):
            verified(proof, wrong, log)


def test_two_logs_of_one_key():
    """The checkpoint of another tree does not hold this entry, though the log signed it."""
    shown, other = Proof.parse(held(b"{}").proof), Proof.parse(held(b"[]").proof)
    mixed = Proof(shown.index, shown.path, other.checkpoint, shown.extra)
    assert Note.parse(other.checkpoint) != Note.parse(shown.checkpoint)
    with pytest.raises(Refused, match="the log does not hold it"):
        verified(mixed, entry(PLACE, b"{}"), Key.parse(held(b"{}").key))
