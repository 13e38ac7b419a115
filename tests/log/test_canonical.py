"""Canonical JSON: each value has one form, and what has none is refused."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.log import Refused, dump, load

WHOLE = 2**53 - 1
NAMES = st.text(st.characters(max_codepoint=127))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-WHOLE, WHOLE) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=60)
@given(VALUES)
def test_a_value_has_one_form(value):
    """A value is read back as it was written; any JSON reader has the same, and no blank more."""
    data = dump(value)
    assert load(data) == json.loads(data) == value
    loose = json.dumps(value, indent=1).encode()
    if loose != data:
        with pytest.raises(Refused):
            load(loose)


def test_the_order_and_the_escapes():
    """Members are in the order of their names; only what JSON must escape is escaped."""
    value = {"b": '\x00\x1f\x7f\b\t\n\f\r"\\/é\u2028\U0001f600', "B": {}, "a1": [], "a": -0, "": 1}
    written = (
        '{"":1,"B":{},"a":0,"a1":[],'
        '"b":"\\u0000\\u001f\x7f\\b\\t\\n\\f\\r\\"\\\\/é\u2028\U0001f600"}'
    )
    assert dump(value) == written.encode()


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        1.5,
        float("nan"),
        float("inf"),
        2**53,
        -(2**53),
        "\ud800",
        {"\ud800": 1},
        {"é": 1},
        {1: 1},
        {None: 1},
        (1,),
        b"a",
        {"a": {"b": [0.1]}},
    ],
)
def test_values_without_a_form(value):
    """Floats, large integers, halves of characters, names beyond ASCII are refused."""
    with pytest.raises(Refused):
        dump(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" {}",
        b"{} ",
        b"{}\n",
        b"{}{}",
        b'{"a": 1}',
        b'{"b":1,"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b"1.0",
        b"1e3",
        b"-0",
        b"01",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"9007199254740992",
        b"1" * 5000,
        b'"\\u0061"',
        b'"\\/"',
        b'"\\u001F"',
        b'"\\ud800"',
        b'"\\ud83d\\ude00"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf{}",
        '"a"'.encode("utf-16"),
        b"'a'",
        b"[1,]",
        b"[" * 100_000,
        b"[" * 33 + b"]" * 33,
        b'{"\xc3\xa9":1}',
    ],
)
def test_other_forms(data):
    """What is no JSON, or is written in another way, is refused."""
    with pytest.raises(Refused):
        load(data)


def test_bounds():
    """A value can have 31 levels within its outermost, and a mebibyte of text."""
    deep = b"[" * 31 + b"1" + b"]" * 31
    assert dump(load(deep)) == deep
    most = b'"' + b"a" * (2**20 - 2) + b'"'
    assert dump(load(most)) == most
    with pytest.raises(Refused, match="too large"):
        load(b" " + most)
    with pytest.raises(Refused, match="too large"):
        dump("a" * 2**20)
