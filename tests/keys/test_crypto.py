"""Envelopes: what opens is exactly what was sealed, in its place, under its key; all else is not.

`vectors/envelope-v1.json` and `-v2` pin the byte formats. They are made by running this file, and
none changes: a new format has a new version byte.
"""

import json
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.keys import Undecryptable, binding, envelope, open_sealed, seal

VECTORS = Path(__file__).parents[1] / "vectors"
FILES = {bytes([n]): VECTORS / f"envelope-v{n}.json" for n in (1, 2)}
KEY, AAD = bytes(range(32)), binding("account", "region", "project")
PLAIN = b"What nobody else may read."
PARTS = st.lists(st.text(max_size=8), max_size=6)
seal_with = envelope._seal_with
KEYS = st.binary(min_size=32, max_size=32)
CASES = {
    "a value": (b"\x11" * 32, KEY, PLAIN, AAD),
    "an empty value": (b"\x22" * 32, KEY, b"", AAD),
    "one byte": (bytes(32), bytes(32), b"\0", binding("a")),
    "unicode": (b"\x33" * 32, b"\xff" * 32, "Grüße, 秘密 🗝".encode(), binding("ä", "", "🗝")),
    "a whole place": (
        bytes(range(32, 64)),
        bytes(range(64, 96)),
        b"\x81\xa4data\x81\xa1k\xa1v",
        binding("a" * 32, "us-south", "25bbfb75-e821-4338-9413-d432c6e55f85", "1", "secrets", "s"),
    ),
    "two blocks and a half": (b"\x44" * 32, KEY, b"0123456789abcdef" * 2 + b"01234567", AAD),
}


def vectors(version):
    """Give the vectors of a version as they are to be committed."""
    return [
        {
            "name": name,
            "salt": salt.hex(),
            "data_key": key.hex(),
            "plaintext": plain.hex(),
            "aad": aad.hex(),
            "envelope": seal_with(salt, key, plain, aad, version).hex(),
        }
        for name, (salt, key, plain, aad) in CASES.items()
    ]


COMMITTED = {v: json.loads(f.read_text()) if f.exists() else [] for v, f in FILES.items()}
ALL = [(version, vector) for version, vectors in COMMITTED.items() for vector in vectors]


def expect_refusal(key, envelope, aad):
    """Require that nothing opens, and that the refusal tells nothing."""
    with pytest.raises(Undecryptable) as refused:
        open_sealed(key, envelope, aad)
    assert str(refused.value) == ""
    assert refused.value.args == ()
    assert refused.value.__cause__ is None


def test_vectors_are_all_there():
    """The committed vectors are exactly the cases above, so none can be lost."""
    for version in FILES:
        assert [vector["name"] for vector in COMMITTED[version]] == list(CASES)


@pytest.mark.parametrize(
    ("version", "vector"), ALL, ids=[f"v{version[0]} {vector['name']}" for version, vector in ALL]
)
def test_vector(version, vector):
    """No format of an envelope changes: sealing gives these bytes, and they open."""
    salt, key, plain, aad, envelope = (
        bytes.fromhex(vector[name]) for name in ("salt", "data_key", "plaintext", "aad", "envelope")
    )
    assert seal_with(salt, key, plain, aad, version) == envelope
    assert open_sealed(key, envelope, aad) == plain
    assert envelope[:33] == version + salt
    assert len(envelope) == 1 + 32 + len(plain) + 16


@given(key=KEYS, plain=st.binary(max_size=4096), parts=PARTS)
def test_round_trip(key, plain, parts):
    """What is sealed opens unchanged, and does not show."""
    envelope = seal(key, plain, binding(*parts, "end"))
    assert open_sealed(key, envelope, binding(*parts, "end")) == plain
    assert len(plain) < 8 or plain not in envelope


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 900 * 1024, 2 * 1024 * 1024 + 1])
def test_sizes(size):
    """An envelope is 49 bytes longer than what it holds, at any size."""
    plain = b"x" * size
    envelope = seal(KEY, plain, AAD)
    assert len(envelope) == size + 49
    assert open_sealed(KEY, envelope, AAD) == plain


def test_sealing_twice_differs():
    """Each envelope has its own salt, and so its own key and nonce."""
    sealed = {seal(KEY, PLAIN, AAD) for _ in range(100)}
    assert len(sealed) == 100
    assert len({envelope[1:33] for envelope in sealed}) == 100
    assert len({envelope[33:] for envelope in sealed}) == 100


def test_every_flipped_bit():
    """No bit of an envelope can be flipped, be it of version, salt, ciphertext or tag."""
    envelope = seal_with(b"\x11" * 32, KEY, PLAIN, AAD)
    for position in range(len(envelope) * 8):
        flipped = bytearray(envelope)
        flipped[position // 8] ^= 1 << position % 8
        expect_refusal(KEY, bytes(flipped), AAD)


def test_every_truncation():
    """No part of an envelope opens, cut at either end, and nothing can be appended."""
    envelope = seal_with(b"\x11" * 32, KEY, PLAIN, AAD)
    for length in range(len(envelope)):
        expect_refusal(KEY, envelope[:length], AAD)
        expect_refusal(KEY, envelope[length + 1 :], AAD)
    expect_refusal(KEY, envelope + b"\0", AAD)
    expect_refusal(KEY, b"\0" + envelope, AAD)


@pytest.mark.parametrize("version", [0, 1, 3, 0x31, 0x80, 0xFF])
def test_other_versions(version):
    """An envelope of another version does not open; nor does one that says it is of version 1."""
    expect_refusal(KEY, bytes([version]) + seal(KEY, PLAIN, AAD)[1:], AAD)


@pytest.mark.parametrize(
    "envelope",
    [b"", *(byte * n for byte in (b"\x01", b"\x02") for n in (1, 33, 48, 49, 4096))],
)
def test_rubbish(envelope):
    """What is no envelope does not open, however short or long."""
    expect_refusal(KEY, envelope, AAD)


@given(key=KEYS)
@example(key=KEY[:-1] + b"\0")
def test_wrong_key(key):
    """Nothing opens under another key."""
    assume(key != KEY)
    expect_refusal(key, seal(KEY, PLAIN, AAD), AAD)


@pytest.mark.parametrize(
    "aad",
    [
        b"",
        AAD[:-1],
        AAD + b"\0",
        binding("account", "region", "projecT"),
        binding("account", "regionproject"),
        binding("region", "account", "project"),
        binding("account", "region", "project", ""),
        b"accountregionproject",
    ],
)
def test_wrong_place(aad):
    """Nothing opens in another place."""
    expect_refusal(KEY, seal(KEY, PLAIN, AAD), aad)


def test_swapped_salts():
    """The salt of one envelope does not open the ciphertext of another."""
    one, other = seal(KEY, PLAIN, AAD), seal(KEY, PLAIN, AAD)
    expect_refusal(KEY, one[:33] + other[33:], AAD)


@given(one=PARTS, other=PARTS)
@example(one=["ab", "c"], other=["a", "bc"])
@example(one=["a", ""], other=["a"])
@example(one=[], other=[""])
@example(one=["\0\0\0\1a"], other=["", "a"])
@example(one=["\u00e9"], other=["e\u0301"])
def test_binding_is_unambiguous(one, other):
    """Different places give different bytes, and the same place the same."""
    assert (binding(*one) == binding(*other)) == (one == other)


def test_binding_bytes():
    """A part is its length in four bytes, then its UTF-8."""
    assert binding("ab", "", "é") == b"\0\0\0\2ab" + b"\0\0\0\0" + b"\0\0\0\2\xc3\xa9"


def test_aad_is_required():
    """Nobody can forget the place: there is no sealing and no opening without it."""
    with pytest.raises(TypeError):
        seal(KEY, PLAIN)
    with pytest.raises(TypeError):
        open_sealed(KEY, seal(KEY, PLAIN, AAD))


@pytest.mark.parametrize("length", [1, 32, 44, 255])
def test_derive(length):
    """Derivation depends on secret, salt and purpose, and gives what is asked for."""
    made = envelope.derive(KEY, b"salt", b"info", length)
    assert len(made) == length
    others = {
        envelope.derive(KEY[::-1], b"salt", b"info", length),
        envelope.derive(KEY, b"other", b"info", length),
        envelope.derive(KEY, b"salt", b"else", length),
    }
    assert made == envelope.derive(KEY, b"salt", b"info", length)
    if length > 1:
        assert made not in others


def test_derive_is_rfc_5869():
    """Test case 1 of RFC 5869, appendix A."""
    made = envelope.derive(
        b"\x0b" * 22, bytes(range(13)), bytes.fromhex("f0f1f2f3f4f5f6f7f8f9"), 42
    )
    assert made.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


if __name__ == "__main__":
    for number, file in FILES.items():
        file.write_text(json.dumps(vectors(number), indent=1) + "\n")
