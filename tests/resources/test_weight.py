"""What a value weighs is what it takes in an answer, to the byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import projects, quotas, resources
from shared.kinds import CONFIG_MAPS, SECRETS
from shared.resources.weight import answered
from tests.support import call

TEXT = st.text(max_size=30) | st.text('\0\x1f\x7f\x80"\\/\n\r\t\b\fa\u2028\U0001f512', max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(VALUES)
def test_weight(value):
    """As the wire writes it: without escapes but for what JSON must escape."""
    assert answered(value) == len(json.dumps(value, ensure_ascii=False).encode())


@pytest.mark.parametrize("character", [chr(number) for number in (*range(0x20), 0x22, 0x5C, 0x7F)])
def test_each_escape(character):
    """One byte may become six."""
    assert answered(character) == len(json.dumps(character, ensure_ascii=False))


@pytest.mark.parametrize("kind", [SECRETS, CONFIG_MAPS], ids=lambda kind: kind.collection)
@pytest.mark.parametrize(
    ("value", "on_a_page"), [("a" * 1900, 2), ("\0" * 300, 2), ("\0" * 900, 1)]
)
def test_a_page_ends_before_it_is_too_long(app, monkeypatch, kind, value, on_a_page):
    """What is answered counts, not what is stored; one that is too long alone is a page, too."""
    monkeypatch.setattr(quotas, "PAGE_BYTES", 5000)
    home = projects.create(app, call(body={"name": "p"})).body["id"]
    form = {"format": "generic"} if kind is SECRETS else {}
    for number in range(4):
        body = {"name": f"r{number}", "data": {"k": value}, **form}
        resources.create(kind, app, call(body=body, project_id=home))
    seen, more = [], {}
    while more is not None:
        page = resources.listing(kind, app, call(project_id=home, **more)).page
        seen.append([entry["name"] for entry in page.entries])
        assert [entry["data"] for entry in page.entries] == [{"k": value}] * on_a_page
        more = page.next and {"start": page.next}
    assert [name for names in seen for name in names] == ["r0", "r1", "r2", "r3"]
