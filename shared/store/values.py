"""Firestore's values to Python's and back: None, bool, int, float, str, bytes, time, dict, list.

Works on the plain protobuf classes below the client's wrappers, at a third of their cost.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud.firestore_v1.types import document, firestore, query, write

from shared.store import writes

Filter = tuple[str, str, Any]  # a field, how it is compared, and with what
OPERATORS = {"==": 5, "<": 1, "<=": 2, ">=": 4}  # StructuredQuery.FieldFilter.Operator
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The plain class of each wrapper used here and in `store` and `events`.
Value: Any = type(document.Value.pb(document.Value()))
Document: Any = type(document.Document.pb(document.Document()))
Write: Any = type(write.Write.pb(write.Write()))
Query: Any = type(query.StructuredQuery.pb(query.StructuredQuery()))
BatchGet: Any = type(firestore.BatchGetDocumentsRequest.pb(firestore.BatchGetDocumentsRequest()))
Commit: Any = type(firestore.CommitRequest.pb(firestore.CommitRequest()))
RunQuery: Any = type(firestore.RunQueryRequest.pb(firestore.RunQueryRequest()))


def plain(wrapper: Any) -> Any:
    """Give the plain protobuf message inside one of the client's wrappers."""
    return type(wrapper).pb(wrapper)


def encode(fields: Mapping[str, Any], into: Any) -> None:
    """Put Python values into a protobuf map of Firestore values."""
    for name, value in fields.items():
        _encode(value, into[name])


def encode_write(name: str, change: writes.Write, into: Any) -> None:
    """Put a write, of the document of this full name, into a protobuf write."""
    if change.fields is None:
        into.delete = name
    else:
        into.update.name = name
        encode(change.fields, into.update.fields)
    if change.mask is not None:
        into.update_mask.SetInParent()
        into.update_mask.field_paths.extend(change.mask)
    if change.update_time is not None:
        into.current_document.update_time.CopyFrom(change.update_time)
    elif change.exists is not None:
        into.current_document.exists = change.exists


def restrict(query: Any, filters: Iterable[Filter], fields: Iterable[str]) -> None:
    """Let a query give only what matches all `filters`; of that only `fields`, if there are any."""
    for field, operator, value in filters:
        test = query.where.composite_filter.filters.add().field_filter
        test.field.field_path = field
        test.op = OPERATORS[operator]
        test.value.CopyFrom(value_of(value))
        query.where.composite_filter.op = 1  # AND
    for field in fields:
        query.select.fields.add(field_path=field)


def begin(query: Any, value: Any, name: str) -> None:
    """Let a query begin beyond a value of its order, None for no value.

    Of documents of one value, which come in the order of their names, beyond that of this one.
    """
    if value is not None:
        query.start_at.values.append(value_of(value))
    if name and value is not None:
        query.order_by.add(field={"field_path": "__name__"}, direction=1)
    if name:
        query.start_at.values.add(reference_value=name)


def value_of(value: Any) -> Any:
    """Give one Firestore value."""
    encoded = Value()
    _encode(value, encoded)
    return encoded


def _encode(value: Any, into: Any) -> None:  # noqa: C901 - one branch a type, nothing else
    match value:
        case None:
            into.null_value = 0
        case bool():
            into.boolean_value = value
        case int():
            into.integer_value = value
        case float():
            into.double_value = value
        case str():
            into.string_value = value
        case bytes():
            into.bytes_value = value
        case datetime():
            into.timestamp_value.FromDatetime(value)
        case Mapping():
            into.map_value.SetInParent()
            encode(value, into.map_value.fields)
        case list() | tuple():
            into.array_value.SetInParent()
            for item in value:
                _encode(item, into.array_value.values.add())
        case _:
            raise TypeError(f"a {type(value).__name__} is not stored")


def decode(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give the Python values of a protobuf map of Firestore values."""
    return {name: _decode(value) for name, value in fields.items()}


def _decode(value: Any) -> Any:
    match value.WhichOneof("value_type"):
        case "null_value" | None:
            return None
        case "timestamp_value":
            return moment(value.timestamp_value)
        case "map_value":
            return decode(value.map_value.fields)
        case "array_value":
            return [_decode(item) for item in value.array_value.values]
        case kind:
            return getattr(value, kind)


def moment(timestamp: Any) -> datetime:
    """Give a protobuf timestamp as a time in UTC, exact to the microsecond, Firestore's unit."""
    return EPOCH + timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1000)
