"""The tree: proofs verify for every index and every size, and nothing else does."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.log import EMPTY, Frontier, Refused, consistent, included, leaf, node, root, tree

LEAVES = [leaf(bytes([n % 256, n // 256])) for n in range(600)]
SIZES = st.integers(1, 600)
EXAMPLES = settings(deadline=None, max_examples=60)


@cache
def ranges(start, end):
    """Give the root of a range, from the leaves."""
    return root(LEAVES[start:end])


def holds(index, size, path, here=None):
    """Tell whether a path shows a leaf to be in the tree of a size."""
    try:
        return included(index, size, here or LEAVES[index], path) == ranges(0, size)
    except Refused:
        return False


def grows(old, new, path, before=None, after=None):
    """Tell whether a path shows that one tree is the beginning of another."""
    before, after = before or ranges(0, old), after or ranges(0, new)
    try:
        consistent(old, new, before, after, path)
    except Refused:
        return False
    return True


def spoilt(path):
    """Give a path with a hash changed, left out, doubled, cut; reversed; with one more."""
    for at, one in enumerate(path):
        yield [*path[:at], bytes([one[0] ^ 1]) + one[1:], *path[at + 1 :]]
        yield path[:at] + path[at + 1 :]
        yield [*path[:at], one, *path[at:]]
        yield [*path[:at], one[:-1], *path[at + 1 :]]
    yield path[::-1]
    yield [*path, EMPTY]
    yield [EMPTY, *path]


def test_every_index_of_small_trees():
    """Up to 24 leaves each index verifies with its path, and with no other index or size."""
    for size in range(1, 25):
        for index in range(size):
            path = tree.inclusion(index, size, ranges)
            assert holds(index, size, path)
            assert not any(
                holds(other, size, path, LEAVES[index]) for other in range(size) if other != index
            )
            assert not holds(index, size + 1, path)


def test_every_beginning_of_small_trees():
    """Up to 24 leaves each tree is shown to be the beginning of each larger one."""
    for new in range(25):
        for old in range(new + 1):
            path = tree.consistency(old, new, ranges)
            assert grows(old, new, path)
            assert (not path) == (old in (0, new))


@EXAMPLES
@given(st.data(), SIZES)
def test_inclusion(data, size):
    """A leaf verifies with its path alone: none that is changed, cut, longer or in disorder."""
    index = data.draw(st.integers(0, size - 1))
    path = tree.inclusion(index, size, ranges)
    assert holds(index, size, path)
    assert len(path) <= size.bit_length()
    assert not any(holds(index, size, other) for other in spoilt(path) if other != path)
    assert not holds(index, size, path, here=node(LEAVES[index], LEAVES[index]))


@EXAMPLES
@given(st.data(), SIZES)
def test_another_index(data, size):
    """No path verifies at another index of the tree, or outside of it."""
    index, other = (data.draw(st.integers(0, size - 1)) for _ in range(2))
    path = tree.inclusion(index, size, ranges)
    assert holds(other, size, path, LEAVES[index]) == (other == index)
    assert not holds(size, size, path, LEAVES[index])
    assert not holds(-1, size, path, LEAVES[index])


@EXAMPLES
@given(st.data(), SIZES)
def test_consistency(data, new):
    """A tree is shown to be another's beginning by its path alone, and with its roots alone."""
    old = data.draw(st.integers(0, new))
    path = tree.consistency(old, new, ranges)
    assert grows(old, new, path)
    assert not any(grows(old, new, other) for other in spoilt(path) if other != path)
    changed = leaf(b"other")
    assert not grows(old, new, path, before=changed)
    assert not grows(old, new, path, after=changed) or old == 0
    if 0 < old < new:
        assert not grows(old, new, path, before=ranges(0, new))


@EXAMPLES
@given(st.integers(0, 600), st.integers(0, 600))
def test_a_frontier_grows(first, second):
    """A tree that grows in two steps is the tree of all leaves."""
    first, second = sorted((first, second))
    grown = Frontier().append(LEAVES[:first]).append(LEAVES[first:second])
    assert grown == Frontier().append(LEAVES[:second])
    assert (grown.size, grown.root) == (second, ranges(0, second))
    assert len(grown.hashes) == second.bit_count()


def test_an_empty_tree():
    """The root of no leaf is the hash of nothing, and an empty tree is any other's beginning."""
    assert (root([]), Frontier().root) == (EMPTY, EMPTY)
    assert grows(0, 0, [], EMPTY, EMPTY)
    assert not grows(0, 0, [], EMPTY, LEAVES[0])
    assert not grows(0, 0, [], LEAVES[0], LEAVES[0])
    assert not grows(0, 5, [], LEAVES[0])
    assert not grows(0, 5, [LEAVES[0]])


def test_leaves_are_no_nodes():
    """An entry that is two hashes is another leaf than the node over them."""
    assert leaf(LEAVES[0] + LEAVES[1]) != node(LEAVES[0], LEAVES[1])


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (lambda: Frontier(-1), "a tree has no such size"),
        (lambda: Frontier(2**63, (EMPTY,)), "a tree has no such size"),
        (lambda: Frontier(3, (EMPTY,)), "a frontier does not fit its size"),
        (lambda: Frontier(1, (b"short",)), "a hash is of another size"),
        (lambda: Frontier().append([b"short"]), "a hash is of another size"),
        (lambda: tree.inclusion(3, 3, ranges), "the tree has no such leaf"),
        (lambda: tree.inclusion(-1, 3, ranges), "the tree has no such leaf"),
        (lambda: tree.inclusion(0, 2**63, ranges), "the tree has no such leaf"),
        (lambda: included(0, 2**63, EMPTY, []), "the tree has no such leaf"),
        (lambda: included(0, 1, b"short", []), "a hash is of another size"),
        (lambda: included(0, 1, EMPTY, [EMPTY]), "the path is too long"),
        (lambda: included(0, 2, EMPTY, []), "the path is too short"),
        (lambda: tree.consistency(4, 3, ranges), "the tree was never larger"),
        (lambda: tree.consistency(1, 2**63, ranges), "the tree was never larger"),
        (lambda: consistent(4, 3, EMPTY, EMPTY, []), "the tree was never larger"),
        (lambda: consistent(-1, 3, EMPTY, EMPTY, []), "the tree was never larger"),
        (lambda: consistent(3, 3, EMPTY, EMPTY, [EMPTY]), "the path is too long"),
        (lambda: consistent(1, 2, EMPTY, EMPTY, []), "the path is too short"),
        (lambda: consistent(1, 2, EMPTY, EMPTY, [EMPTY, EMPTY]), "the path is too long"),
        (lambda: consistent(1, 3, EMPTY, EMPTY, [EMPTY]), "the path is too short"),
        (lambda: consistent(1, 2, b"short", EMPTY, [EMPTY]), "a hash is of another size"),
    ],
)
def test_refusals(act, why):
    """What no tree has is refused, and told why."""
    with pytest.raises(Refused, match=f"^{why}$"):
        act()
