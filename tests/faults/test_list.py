"""The lists in docs/security.md: each fault and invariant once, with the tests that prove it.

And the table in docs/erasure.md, whose lines name tests too.

`python -m tests.faults.test_list` writes the tests' names into the lists anew.
"""

import ast
import re
from collections import defaultdict
from functools import cache

import pytest

from tests.support import ROOT

PAGE = ROOT / "docs" / "security.md"
LISTS = {  # heading -> what it lists, each once and in this order
    "Faults": [
        f"F{number}" for number in (*range(1, 23), *range(26, 49), *range(51, 56), *range(57, 73))
    ],
    "Invariants": [
        *(f"I{number}" for number in range(1, 25)),
        *(f"L{number}" for number in range(1, 6)),
        *(f"S{number}" for number in range(1, 8)),
        *(f"T{number}" for number in range(1, 10)),
        *(f"R{number}" for number in range(1, 4)),
        *(f"ID{number}" for number in range(1, 9)),
        *(f"D{number}" for number in range(1, 7)),
        *(f"E{number}" for number in range(1, 6)),
    ],
}
WHY = ("Does not apply", "Not built")


def rows(heading, page=PAGE):
    """Give the rows of a list, a tuple of cells each."""
    section = page.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    return cells[2:]


@cache
def claimed():
    """Give the tests that carry a claim, by its id, as `folder/file::test`."""
    found = defaultdict(dict)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.parse(file.read_text()).body:
            for mark in getattr(node, "decorator_list", []):
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.claim":
                    found[mark.args[0].value][
                        f"{file.relative_to(ROOT / 'tests')}::{node.name}"
                    ] = 1
    return {name: list(tests) for name, tests in found.items()}


@pytest.mark.parametrize("heading", LISTS)
def test_each_once(heading):
    """Nothing is missing, nothing stands twice, and each says where, or why not."""
    found = rows(heading)
    assert [row[0] for row in found] == LISTS[heading]
    assert not [row for row in found if not all(row) or len(row) != len(found[0])]


@pytest.mark.parametrize("heading", LISTS)
def test_tests_are_those_with_the_claim(heading):
    """The tests named are exactly those that carry the claim; without one it says why."""
    for name, *_, where in rows(heading):
        named = re.findall(r"`([\w/]+\.py::\w+)`", where)
        assert named == claimed().get(name, []), name
        if not named and heading == "Faults":
            assert where.startswith(WHY), name


def test_no_claim_is_unlisted():
    """Each claim about a fault, an invariant or a threat stands in a list."""
    listed = {name for names in LISTS.values() for name in names}
    wild = {name for name in claimed() if re.fullmatch(r"[A-Z]+\d+", name)}
    assert wild <= listed


@pytest.mark.parametrize("heading", LISTS)
def test_what_else_is_named_exists(heading):
    """Other files and tests that a row points to are there."""
    exist(rows(heading))


def test_what_a_vendor_must_state():
    """Each line about erasure names a test, or two, that there are."""
    stated = rows("What a vendor must state", PAGE.with_name("erasure.md"))
    assert len(stated) > 15
    assert all("::test_" in where for *_, where in stated)
    exist(stated)


def exist(found):
    """Require that what the rows point to is there."""
    for *_, where in found:
        for file, test in re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", where):
            text = (ROOT / "tests" / file).read_text()
            assert not test or f"def {test}(" in text or f"class {test}" in text, (file, test)


def rewritten(text):
    """Give the page with the tests of today in the last cell of each row."""
    listed = {name for names in LISTS.values() for name in names}
    lines = []
    for line in text.splitlines():
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and name in listed:
            prose = re.sub(r"^(`[\w/]+\.py::\w+`[,;]? ?)+", "", cells[-1])
            tests = ", ".join(f"`{test}`" for test in claimed().get(name, []))
            cells[-1] = "; ".join(part for part in (tests, prose) if part)
            line = "| " + " | ".join([name, *cells]) + " |"  # noqa: PLW2901
        lines.append(line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text()))
