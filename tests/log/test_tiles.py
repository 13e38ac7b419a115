"""Tiles: what is read of them is what the leaves give, with few of them read."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.log import EMPTY, Proof, Refused, Tile, consistent, included, leaf, root, tiles, tree
from shared.log.tiles import BUNDLE, bundle, grown, hashes, unbundled, width

LARGE = 100_000
EXAMPLES = settings(deadline=None, max_examples=40)
LEAVES = [leaf(n.to_bytes(2, "big")) for n in range(600)]


class Held:
    """Tiles as a log keeps them: each once, whole; a narrower one is its beginning."""

    def __init__(self, *batches):
        """Append batches of leaves, one after the other."""
        self.tiles, self.read, self.size = {}, [], 0
        for batch in batches:
            for tile, data in grown(self.size, batch, self).items():
                before = self.tiles.get(tile[:2], b"")
                assert data.startswith(before)  # a tile is only appended to
                self.tiles[tile[:2]] = data
            self.size += len(batch)

    def __call__(self, tile):
        """Give a tile as wide as it is asked for."""
        self.read.append(tile)
        return self.tiles[tile[:2]][: tile.width * 32]


@pytest.fixture(scope="module")
def leaves():
    """The hashes of 100,000 entries."""
    return [leaf(n.to_bytes(4, "big")) for n in range(LARGE)]


@pytest.fixture(scope="module")
def large(leaves):
    """The tiles of 100,000 entries, of which there came 200 at a time at last."""
    return Held(leaves[:90_000], *(leaves[at : at + 200] for at in range(90_000, LARGE, 200)))


@EXAMPLES
@given(st.lists(st.integers(0, 600), max_size=6), st.data())
def test_tiles_are_the_leaves(cuts, data):
    """However a log grows, roots and proofs from its tiles are those from its leaves."""
    at = sorted({0, *cuts, data.draw(st.integers(1, 600))})
    held = Held(*(LEAVES[start:end] for start, end in pairwise(at)))
    size = held.size
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))

    def ranges(start, end):
        return root(LEAVES[start:end])

    assert tiles.root(size, held) == root(LEAVES[:size])
    assert tiles.root(old, held) == root(LEAVES[:old])  # the narrower tiles are there, too
    path = tiles.inclusion(index, size, held)
    assert path == tree.inclusion(index, size, ranges)
    assert included(index, size, LEAVES[index], path) == root(LEAVES[:size])
    assert tiles.consistency(old, size, held) == tree.consistency(old, size, ranges)
    assert {tile: len(data) // 32 for tile, data in held.tiles.items()} == {
        (level, number): width(level, number, size)
        for level in range(3)
        for number in range(4)
        if width(level, number, size)
    }


def test_the_tiles_of_a_large_log(leaves, large):
    """100,000 entries are 394 tiles of 3.2 MB, and their root is that of the leaves."""
    assert len(large.tiles) == 394
    assert sum(map(len, large.tiles.values())) == 32 * (LARGE + LARGE // 256 + 1) == 3_212_512
    assert tiles.root(LARGE, large) == root(leaves)


@pytest.mark.parametrize("index", [0, 255, 256, 65_535, 65_536, 99_839, 99_999])
def test_a_proof_in_a_large_log(leaves, large, index):
    """A proof has 17 hashes at most, less than 2 kB, and is made of 6 tiles at most."""
    large.read.clear()
    path = tiles.inclusion(index, LARGE, large)
    assert len(path) <= 17
    assert len(large.read) == len(set(large.read)) <= 6
    assert included(index, LARGE, leaves[index], path) == tiles.root(LARGE, large)
    note = b"ce.example.com/v1/log/1\n100000\n" + b"A" * 43 + b"=\n\n" + "— n ".encode()
    proof = Proof(index, tuple(path), note + b"A" * 92 + b"\n", bytes(56))
    assert len(proof.write()) < 2000


def test_the_longest_proof_in_a_large_log(large):
    """The first entry's path has 17 hashes: a log of 2^17 entries has no longer one."""
    assert len(tiles.inclusion(0, LARGE, large)) == 17


@pytest.mark.parametrize("old", [1, 256, 65_536, 65_537, 90_000, 99_999, LARGE])
def test_growth_of_a_large_log(leaves, large, old):
    """Each size it had is shown to be its beginning, from few tiles."""
    large.read.clear()
    path = tiles.consistency(old, LARGE, large)
    assert len(set(large.read)) <= 7
    consistent(old, LARGE, root(leaves[:old]), tiles.root(LARGE, large), path)


@EXAMPLES
@given(st.integers(-1, 63), st.integers(0, 2**63 - 1), st.integers(1, 256))
def test_a_path_is_its_tile(level, number, width):
    """Each tile has one path, which names it."""
    tile = Tile(level, number, width)
    assert Tile.parse(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/0/00",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/x000/000",
        "tile/0/000/000",
        "tile/0/x001/x000",
        "tile/0/1000",
        "tile/0/000.p/0",
        "tile/0/000.p/00",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p/",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/\u0660/000",
        "tile/0/\u0660\u0660\u0660",
        "tile/entries/000.q/1",
        "tile/Entries/000",
        "tile/0/x009/x223/x372/x036/x854/x775/808",
        "tile/0/x001/x000/x000/x000/x000/x000/x000/000",
    ],
)
def test_other_paths(path):
    """A path that is written in another way, or beyond any log, names no tile."""
    with pytest.raises(Refused, match=r"^no tile has such a (path|number)$|^a number"):
        Tile.parse(path)


@EXAMPLES
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_bundles(entries):
    """A bundle gives back its entries; cut, longer, or of another number it is refused."""
    data = bundle(entries)
    assert unbundled(data, len(entries)) == entries
    for wrong in (data[:-1], data + b"\x00"):
        with pytest.raises(Refused, match="a bundle"):
            unbundled(wrong, len(entries))
    with pytest.raises(Refused, match="a bundle is cut short"):
        unbundled(data, len(entries) + 1)
    with pytest.raises(Refused, match="a bundle has something after its entries"):
        unbundled(data, len(entries) - 1)


def test_a_bundle_of_the_logs_entries():
    """An entry of 32 bytes takes 34, so a full bundle has 8,704."""
    assert len(bundle([EMPTY] * 256)) == 34 * 256
    assert bundle([b"ab", b""]) == b"\x00\x02ab\x00\x00"


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (lambda: bundle([]), "a bundle has 1 to 256 entries"),
        (lambda: bundle([b""] * 257), "a bundle has 1 to 256 entries"),
        (lambda: bundle([bytes(65536)]), "an entry is too long"),
        (lambda: hashes(bytes(33)), "a tile is of another size"),
        (lambda: tiles.root(-1, bytes), "a tree has no such size"),
        (lambda: tiles.root(2**63, bytes), "a tree has no such size"),
        (lambda: tiles.root(2, lambda _: bytes(96)), "a tile is of another size"),
        (lambda: grown(2, [EMPTY], lambda _: bytes(32)), "a tile is of another size"),
        (lambda: tiles.inclusion(2, 2, bytes), "the tree has no such leaf"),
        (lambda: tiles.consistency(3, 2, bytes), "the tree was never larger"),
    ],
)
def test_refusals(act, why):
    """What is no tile, bundle or tree is refused, and told why."""
    with pytest.raises(Refused, match=f"^{why}$"):
        act()


def test_a_bundle_takes_its_level():
    """A bundle is as wide as the tile of level 0 beside it."""
    assert width(BUNDLE, 1, 300) == width(0, 1, 300) == 44
    assert bundle([bytes(65535)])[:2] == b"\xff\xff"
