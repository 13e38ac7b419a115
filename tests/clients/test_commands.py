"""Command lines as people type them (`tools/commands.tsv`), in a shell, at the running host."""

from collections import Counter

import pytest

from tests.support import ROOT
from tools import commands

ROWS = commands.rows()
# One of each rule; without a set-up, which is a process more, where there is such a one.
ONE = {row.rule: row for row in sorted(ROWS, key=lambda row: not row.setup)}


@pytest.fixture(scope="module")
def typist(host, tmp_path_factory):
    """Type as a fresh account with one project."""
    return commands.Typist(host, tmp_path_factory.mktemp("typist") / "here")


def test_the_table():
    """Every rule has rows and says how to take it out; a row's name is its own."""
    assert {row.rule for row in ROWS} == commands.RULES.keys()
    assert Counter(row.id for row in ROWS).most_common(1)[0][1] == 1
    assert len(ROWS) >= 100


def test_cuts_are_of_the_code():
    """What takes a rule out is there to be taken out, whichever rules are looked at this time."""
    for cut in (cut for cuts in commands.RULES.values() for cut in cuts):
        assert (ROOT / cut.file).read_text().count(cut.text) == 1, cut


@pytest.mark.parametrize("rule", commands.RULES)
def test_a_row_of_each_rule(typist, rule):
    """One line of each rule ends as the table says; `make full` types the others."""
    assert typist.faults(ONE[rule]) == []


@pytest.mark.slow
def test_every_row(host, tmp_path):
    """Every line ends as the table says: its exit code, what it prints, what the API then holds."""
    assert commands.failing(commands.Typist(host, tmp_path / "here"), ROWS) == {}


@pytest.mark.slow
@pytest.mark.parametrize("rule", commands.RULES)
def test_each_rule_is_held_by_rows(host, tmp_path, rule):
    """Without the code of a rule, rows of it fail."""
    for cut, failed, _ in commands.held(host, tmp_path, rule):
        assert failed, cut


def test_what_differs_is_said(typist):
    """A row that ends otherwise is told by what it does, without which no row would fail."""
    typed = "echo sesame; echo no >&2; exit 3"
    row = commands.Row("x", "", "", typed, "0", "^$", "^$", "apps/x {} ;; apps/x absent")
    assert typist.faults(row) == [
        "exits with 3: no\n",
        "standard output is not as '^$': 'sesame\\n'",
        "standard error is not as '^$': 'no\\n'",
        "prints what nobody may see",
        "apps/x is not there",
    ]
    assert "the set-up exits with 9" in typist.faults(row._replace(setup="exit 9"))[0]
