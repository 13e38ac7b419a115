"""Values as they are stored: each comes back as it was, through the store and the encoding."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.store import Write, values
from shared.store.values import decode, encode
from tests.store.test_store import NOW, fields

# Firestore reserves names of the form __x__.
NAMES = st.text(min_size=1, max_size=12).filter(lambda name: name[:2] != "__")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=40)
    | st.binary(max_size=40)
    | st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
)
# An array holds no arrays: Firestore's own rule.
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.dictionaries(NAMES, inner, max_size=3)
        | st.lists(SCALARS | st.dictionaries(NAMES, SCALARS, max_size=2), max_size=3)
    ),
    max_leaves=8,
)
EDGES = {
    "null": None,
    "true": True,
    "false": False,
    "zero": 0,
    "largest": 2**63 - 1,
    "smallest": -(2**63),
    "float": 1.5,
    "float that is whole": 2.0,
    "infinity": float("inf"),
    "text": "",
    "unicode": "\u00e9 e\u0301 秘密 😀 \0 \n \u2028 \ufeff",
    "bytes": bytes(range(256)),
    "no bytes": b"",
    "time": NOW,
    "first time": datetime(1, 1, 1, tzinfo=UTC),
    "last microsecond": datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    "before 1970": datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    "empty map": {},
    "empty list": [],
    "nested": {"a": {"b": {"c": [{"d": []}, {}]}}},
    "list of all": [None, True, 1, 1.5, "a", b"b", NOW, {}],
    "odd names": {"a.b": 1, "`": 2, "a b": 3, "é": 4, "\\": 5},
}


@pytest.mark.parametrize("value", EDGES.values(), ids=EDGES)
def test_value(db, value):
    """Every value comes back as it was, of the type it was."""
    db.commit([Write.create("c/d", {"v": value})])
    (found,) = fields(db, "c/d")
    assert found == {"v": value}
    assert type(found["v"]) is type(value)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.dictionaries(NAMES, VALUES, max_size=4))
def test_any_values(db, values):
    """Any fields come back as they were, through the store."""
    db.commit([Write("c/d", values)])
    assert fields(db, "c/d") == [values]


@given(written=st.dictionaries(st.text(max_size=12), VALUES, max_size=4))
def test_encoding(written):
    """Any fields come back as they were, through the encoding alone."""
    message = values.Document()
    encode(written, message.fields)
    assert decode(message.fields) == written


@pytest.mark.parametrize("value", [{1}, object(), 1j, ({"a": {2}},), range(3)])
def test_what_is_not_stored(value):
    """A value of another type is a mistake of ours, and named by its type alone."""
    with pytest.raises(TypeError, match="is not stored"):
        encode({"v": value}, values.Document().fields)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_what_is_no_64_bit_number(number):
    """A number beyond 64 bits is never stored as another."""
    with pytest.raises(ValueError, match="range"):
        encode({"v": number}, values.Document().fields)


def test_time_in_another_zone(db):
    """A time is an instant: it comes back in UTC."""
    there = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    db.commit([Write.create("c/d", {"v": there})])
    assert fields(db, "c/d") == [{"v": there}]
    assert fields(db, "c/d")[0]["v"].tzinfo is UTC
