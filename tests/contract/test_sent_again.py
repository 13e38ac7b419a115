"""Whether an operation is safe to repeat: openapi.yaml and docs/api.md say the same of each."""

import re
from fnmatch import fnmatch

import pytest

from shared.api import operations
from tests.support import ROOT

SECTION = (ROOT / "docs" / "api.md").read_text().partition("\n## Sent again\n")[2]
KEY = "idempotency_key"


def rows():
    """Give the rows of the table: the operations it names, without a key, with one."""
    lines = SECTION.partition("\n## ")[0].splitlines()
    cells = [line.strip("|").split("|") for line in lines if line.startswith("| `")]
    return [(re.findall(r"`([\w*]+)`", names), bare.strip(), with_key.strip())
            for names, bare, with_key in cells]  # fmt: skip


def row_of(name):
    """Give an operation's row: the one that names it, else the one whose pattern does."""
    exact = [row for row in rows() if name in row[0]]
    found = exact or [row for row in rows() if any(fnmatch(name, one) for one in row[0])]
    assert len(found) == 1, (name, found)
    return found[0]


@pytest.mark.parametrize("operation", operations().values(), ids=lambda one: one.id)
def test_each_operation(operation):
    """What changes something takes a key, unless it is safe as it is; the table says which."""
    takes = KEY in {parameter.key for parameter in operation.parameters}
    _, bare, with_key = row_of(operation.id)
    assert takes == (with_key != "ignored")
    if not takes:
        assert bare.startswith("safe")
    if operation.method == "GET":
        assert not takes


def test_no_row_too_many():
    """Each name and pattern of the table is of some operation, for which its row is the one."""
    said = [name for names, *_ in rows() for name in names]
    told = {name for one in operations() for name in row_of(one)[0]}
    assert sorted(said) == sorted(told)
