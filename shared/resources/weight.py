"""What a value weighs in an answer, told without writing it, and what fits on a page. Pure."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from shared import quotas

T = TypeVar("T")

# What JSON writes as a backslash and a character; any other control character takes six.
SHORT = b'"\\\b\f\n\r\t'
ESCAPED = bytes({*range(0x20), *SHORT})
PLAIN = bytes(set(range(256)) - set(ESCAPED))


def answered(value: Any) -> int:
    """Give the bytes of a value as JSON in UTF-8, as answers have it (`shared/wire/answers.py`)."""
    match value:
        case str():
            encoded = value.encode()
            escaped = encoded.translate(None, PLAIN)
            return 2 + len(encoded) + len(escaped) + 4 * len(escaped.translate(None, SHORT))
        case dict():
            pairs = (answered(name) + answered(item) for name, item in value.items())
            return sum(pairs) + max(2, 4 * len(value))  # braces; `: ` and `, ` of each but one
        case list():
            return sum(map(answered, value)) + max(2, 2 * len(value))
        case None | bool():
            return 5 if value is False else 4
        case _:
            return len(repr(value))


def fitting(items: Iterable[T], weigh: Callable[[T], int]) -> Iterator[T]:
    """Give those that fit on a page; at least one, so that the pages come to an end."""
    weight = 0
    for number, item in enumerate(items):
        weight += weigh(item)
        if number and weight > quotas.PAGE_BYTES:
            return
        yield item
