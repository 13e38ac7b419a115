"""What is written down of the log's formats: our vectors, and the figures of others.

`vectors/log-1/` is made by a program of its own that follows the definitions as they stand, and
shares nothing with `shared/log/` nor with the auditor's file, which are both held against it.
"""

import json
import runpy
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from shared.log import (
    FIRST,
    Key,
    Note,
    Place,
    Proof,
    Refused,
    Tile,
    chained,
    consistent,
    dump,
    entry,
    leaf,
    load,
    opened,
    root,
    tiles,
    tree,
    verified,
)

FOLDER = Path(__file__).parents[1] / "vectors" / "log-1"
A, B = (json.loads((FOLDER / f"{name}.json").read_text()) for name in ("a", "b"))
PROOF = (FOLDER / "a.tlog-proof").read_bytes()
ENTRIES = [bytes.fromhex(one["entry"]) for one in A["entries"]]
LEAVES = [leaf(one) for one in ENTRIES]
NUMBERED = [leaf(i.to_bytes(2, "big")) for i in range(257)]

# The leaves and roots that implementations of RFC 6962 are commonly tested with.
COMMON = "|00|10|2021|3031|40414243|5051525354555657|606162636465666768696a6b6c6d6e6f"
COMMON_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

# The example of the package `sumdb/note` of Go.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6"
    "KE6RyyBwJnAM=\n"
)


def test_they_are_what_is_made_today(tmp_path, monkeypatch):
    """The committed vectors are what their program makes of its seeds, byte for byte."""
    monkeypatch.setattr(sys, "argv", ["make.py", str(tmp_path)])
    runpy.run_path(str(FOLDER / "make.py"), run_name="__main__")
    made = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert made == {name: (FOLDER / name).read_bytes() for name in made}
    assert sorted(made) == ["a.json", "a.tlog-proof", "b.json"]


def test_the_entries_of_a():
    """Records in their places are the entries, each after the account's chain before it."""
    prev = FIRST
    for seq, one in enumerate(A["entries"], 1):
        place = Place.unpack(bytes.fromhex(one["extra"]))
        assert place == Place(bytes([seq - 1]) * 16, seq, prev)
        record = one["record"].encode()
        assert dump(load(record)) == record
        assert entry(place, record).hex() == one["entry"]
        prev = chained(prev, bytes.fromhex(one["entry"]))
    known = "3dd24de9c49cd5e35431af9c3d6b9fdb7ee7c2b793fcc4b983af14cb09d7cafc"
    assert A["entries"][3]["entry"] == known


def test_the_tree_of_a():
    """Its roots at each size, and each consistency proof between them, are the vector's."""
    assert [root(LEAVES[:size]).hex() for size in range(6)] == A["roots"]
    for old in range(1, 6):
        path = [bytes.fromhex(one) for one in A["consistency"][f"{old}-5"]]
        assert path == tree.consistency(old, 5, lambda start, end: root(LEAVES[start:end]))
        consistent(old, 5, root(LEAVES[:old]), root(LEAVES), path)
    assert A["roots"][3].startswith("2952ff91bf0185a0")


def test_the_proof_of_a():
    """It is read, verified under the log's key and the witness's, and written as it was."""
    proof = Proof.parse(PROOF)
    log, witness = Key.parse(A["log"]), Key.parse(A["witness"])
    assert (proof.write(), str(log), str(witness)) == (PROOF, A["log"], A["witness"])
    assert proof.extra == bytes.fromhex(A["entries"][proof.index]["extra"])
    record = A["entries"][proof.index]["record"].encode()
    found = verified(proof, entry(Place.unpack(proof.extra), record), log, [witness], 1)
    assert found.checkpoint == (log.name, 5, root(LEAVES))
    assert found.witnesses == {witness: A["time"]}
    assert opened(proof.checkpoint, log).witnesses == {}


def test_the_tree_of_b():
    """The roots, paths and tiles around the end of the first full tile are the vector's."""
    held = tiles.grown(0, NUMBERED, {}.__getitem__)
    assert {one.path: sha256(data).hexdigest() for one, data in held.items()} == B["tiles"]
    for size, known in B["roots"].items():
        assert root(NUMBERED[: int(size)]).hex() == known
    assert tiles.root(257, held.__getitem__).hex() == B["roots"]["257"]
    assert B["roots"]["257"].startswith("56dafde5bb3a6d31")
    for index, path in B["paths"].items():
        found = tiles.inclusion(int(index), 257, held.__getitem__)
        assert [one.hex() for one in found] == path


def test_the_common_tree():
    """The tree is the one that others' implementations of RFC 6962 are tested with."""
    leaves = [leaf(bytes.fromhex(one)) for one in COMMON.split("|")]
    assert [root(leaves[:size]).hex() for size in range(1, 9)] == COMMON_ROOTS


def test_gos_note():
    """A note that Go's package signed verifies, and no longer where it is changed."""
    key, note = Key.parse(GO_KEY), Note.parse(GO_NOTE.encode())
    assert (str(key), note.write().decode()) == (GO_KEY, GO_NOTE)
    assert note.verified([key]) == {key: None}
    changed = Note.parse(GO_NOTE.replace("answer", "ANSWER").encode())
    with pytest.raises(Refused, match="a signature is wrong"):
        changed.verified([key])


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(0, 273, 112), "tile/0/273.p/112"),
        (Tile(1, 1, 17), "tile/1/001.p/17"),
        (Tile(2, 0, 1), "tile/2/000.p/1"),
        (Tile(tiles.BUNDLE, 1000), "tile/entries/x001/000"),
    ],
)
def test_the_paths_of_tlog_tiles(tile, path):
    """The paths are those of the specification's examples."""
    assert (tile.path, Tile.parse(path)) == (path, tile)


def test_the_tiles_of_70000():
    """A tree of 70,000 has the tiles that the specification counts for it."""
    widths = [tiles.width(0, number, 70000) for number in range(275)]
    assert (widths.count(256), widths[273], widths[274]) == (273, 112, 0)
    assert [tiles.width(1, number, 70000) for number in range(3)] == [256, 17, 0]
    assert [tiles.width(2, number, 70000) for number in range(2)] == [1, 0]


def test_the_example_of_rfc_8785():
    """What section 3.2.2 of the RFC has, but for its numbers, is written as there."""
    value = {
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }
    written = '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert dump(value) == written.encode()
    assert load(dump(value)) == value
