"""AES-GCM as envelopes use it, against Wycheproof's known attacks on implementations of it."""

import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from shared.keys import envelope

FILE = Path(__file__).parents[1] / "vectors" / "wycheproof-aes-gcm.json"
OURS = {"keySize": envelope.KEY_BYTES * 8, "ivSize": envelope.NONCE_BYTES * 8}
OURS["tagSize"] = envelope.TAG_BYTES * 8
SIZES = ("keySize", "ivSize", "tagSize")


def vectors():
    """Give all vectors, each with the sizes of its group."""
    groups = json.loads(FILE.read_text())["testGroups"]
    sizes = [{name: group[name] for name in SIZES} for group in groups]
    pairs = zip(groups, sizes, strict=True)
    return [{**test, "sizes": size} for group, size in pairs for test in group["tests"]]


def read(test, *names):
    """Give members of a vector as bytes."""
    return [bytes.fromhex(test[name]) for name in names]


MINE = [test for test in vectors() if test["sizes"] == OURS]


def test_there_are_vectors():
    """The committed file is whole, and some of it is of our sizes."""
    assert len(vectors()) == json.loads(FILE.read_text())["numberOfTests"] == 316
    assert len(MINE) == 66
    assert {test["result"] for test in MINE} == {"valid", "invalid"}


@pytest.mark.claim("keys.1", "AES-256-GCM passes Wycheproof's vectors of our key and nonce sizes")
def test_vectors(subtests):
    """What is valid seals and opens as written; what is not does not open."""
    for test in MINE:
        with subtests.test(str(test["tcId"])):
            as_written(test)


def as_written(test):
    """Seal and open what a vector has."""
    key, nonce, aad, plain, sealed, tag = read(test, "key", "iv", "aad", "msg", "ct", "tag")
    cipher = envelope.AESGCM(key)  # the class that envelopes are sealed with
    if test["result"] == "valid":
        assert cipher.encrypt(nonce, plain, aad) == sealed + tag
        assert cipher.decrypt(nonce, sealed + tag, aad) == plain
    else:
        with pytest.raises(InvalidTag):
            cipher.decrypt(nonce, sealed + tag, aad)
