"""What the log's texts are made of, each in one form alone: lines, numbers, base64.

A decoder that is lenient lets bytes change that a signature does not cover: so each value here is
read, written again, and compared. Nothing that is refused is quoted.
"""

import re
from base64 import b64decode, b64encode

LARGEST = 2**63 - 1  # of sizes, indices and times; C2SP has uint64, and no log comes near it
MOST_BYTES = 1 << 16  # of a note or a proof; with 32 signatures and 63 hashes it has 12 kB

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")  # all but LF
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


class Refused(ValueError):
    """What was given is not in its form, exceeds a bound, or does not verify."""


def need(holds: object, why: str) -> None:
    """Raise Refused, saying why, unless something holds."""
    if not holds:
        raise Refused(why)


def text(data: bytes) -> str:
    """Give the text of a note or a proof: UTF-8, no control character but LF, of bounded size."""
    need(len(data) <= MOST_BYTES, "the text is too large")
    try:
        read = data.decode()
    except UnicodeDecodeError:
        raise Refused("the text is not UTF-8") from None
    need(not _CONTROL.search(read), "the text has a control character")
    return read


def number(written: str) -> int:
    """Give a decimal number of 0 to LARGEST, written without a sign or a leading zero."""
    need(_DECIMAL.fullmatch(written), "a number is not decimal, or begins with a zero")
    value = int(written)
    need(value <= LARGEST, "a number is too large")
    return value


def encoded(data: bytes) -> str:
    """Give the base64 of bytes: the standard alphabet, padded (RFC 4648 section 4)."""
    return b64encode(data).decode()


def decoded(written: str, size: int | None = None) -> bytes:
    """Give the bytes of a base64, of which there are `size`; refuse all but its one form.

    Spare bits that are set, blanks, or a padding too many decode to the same bytes elsewhere.
    """
    try:
        data = b64decode(written)
    except ValueError:
        raise Refused("it is no base64") from None
    need(encoded(data) == written, "a base64 is not in its one form")
    need(size is None or len(data) == size, "a base64 is of another size")
    return data
