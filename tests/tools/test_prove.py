"""What `make prove` counts: tests, or their subtests, by claim; and whatever failed, is told."""

import pytest

from tools.prove import Claims

CASES = """
import pytest

whole = pytest.mark.claim("F2", "it holds")


@whole
@pytest.mark.parametrize("number", range(3))
def test_rows(number, record_property):
    record_property("said", f"row {number}")
    assert number != 1


@whole
def test_parts(subtests):
    for number in range(4):
        with subtests.test("part"):
            assert number != 2


@pytest.mark.claim("F10", "it holds too")
def test_good_parts(subtests, record_property):
    record_property("said", "once")
    for number in range(5):
        with subtests.test(number=number):
            pass


@pytest.mark.claim("F10", "not even begun")
def test_without(fixture_that_is_none):
    pass


def test_no_claim():
    assert False
"""
CLAIMS = """
def pytest_collection_modifyitems(items):
    for item in items:
        for mark in item.iter_markers("claim"):
            item.user_properties.append(("claim", mark.args))
"""


def test_lines(tmp_path, monkeypatch):
    """Each claim has its line: how many cases held of how many, and what the tests told."""
    (tmp_path / "test_them.py").write_text(CASES)
    (tmp_path / "conftest.py").write_text(CLAIMS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = claim\n")
    claims = Claims()
    words = ["-qs", "-p", "no:cacheprovider", "--import-mode=importlib", f"--rootdir={tmp_path}"]
    monkeypatch.chdir(tmp_path)
    code = pytest.main([*words, str(tmp_path)], plugins=[claims])
    assert code == 1
    assert list(claims.lines()) == [
        "F2        5 of 7    it holds  (row 0; row 1; row 2)",
        "F10       5 of 5    it holds too  (once)",
        "F10       0 of 1    not even begun",
    ]
    assert {name.partition("::")[2].partition(",")[0] for name in claims.failed} == {
        *("test_rows[1]", "test_parts", "test_without", "test_no_claim"),
    }
