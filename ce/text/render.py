"""Text for people: ages, dates, tables, blocks, and what a terminal may safely be shown.

Pure, except that the `emit`s write. Nothing is ever truncated, and no control character is ever
printed: names and values may hold escape sequences that would rewrite the screen.
"""

import json
import math
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TextIO

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400
LAYOUT = "\n\t"
JOINERS = "\u200c\u200d"  # scripts and emoji need them, and they move nothing


def age(seconds: float) -> str:
    """Write a duration as Kubernetes' HumanDuration does."""
    s = max(0, int(seconds))
    for limit, big, small in (
        (2 * MINUTE, None, (1, "s")),
        (10 * MINUTE, (MINUTE, "m"), (1, "s")),
        (3 * HOUR, None, (MINUTE, "m")),
        (8 * HOUR, (HOUR, "h"), (MINUTE, "m")),
        (2 * DAY, None, (HOUR, "h")),
        (8 * DAY, (DAY, "d"), (HOUR, "h")),
        (2 * YEAR, None, (DAY, "d")),
        (8 * YEAR, (YEAR, "y"), (DAY, "d")),
    ):
        if s < limit:
            whole, rest = divmod(s, big[0]) if big else (0, s)
            low = rest // small[0]
            high = f"{whole}{big[1]}" if big else ""
            return high if big and low == 0 else f"{high}{low}{small[1]}"
    return f"{s // YEAR}y"


def instant(text: str) -> datetime:
    """Read an RFC 3339 time, nanoseconds and all."""
    return datetime.fromisoformat(text).astimezone(UTC)


def long_date(text: str) -> str:
    """Write `Mon, 30 Jun 2025 18:16:12 +0200`, in the local zone and in English always."""
    from email.utils import format_datetime  # noqa: PLC0415 - slow to import

    return format_datetime(instant(text).astimezone())


def short_date(text: str) -> str:
    """Write `2021-03-10T18:44:18-05:00`, in the local zone."""
    written = instant(text).astimezone().isoformat(timespec="seconds")
    return written.removesuffix("+00:00") + "Z" if written.endswith("+00:00") else written


def span(seconds: int) -> str:
    """Write a duration as Go does: `10m0s`."""
    hours, rest = divmod(seconds, HOUR)
    minutes, left = divmod(rest, MINUTE)
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{head}{left}s"


def width(text: str) -> int:
    """Count the columns a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth  # noqa: PLC0415 - slow to import, rarely needed

    columns = int(wcswidth(text))
    return columns if columns >= 0 else len(text)


def words(status: str) -> str:
    """Write a status as people read it."""
    return status.replace("_", " ")


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out columns, left-aligned, two spaces apart; too wide for the terminal, as blocks."""
    lines = [tuple(headings), *(tuple(safe(cell) for cell in row) for row in rows)]
    widths = [max(width(line[i]) for line in lines) for i in range(len(headings))]
    if len(lines) > 1 and sum(widths) + 2 * (len(widths) - 1) > _room():
        blocks = (block(zip(headings, line, strict=True)) for line in lines[1:])
        return "\n\n".join(blocks)
    return "\n".join(
        "  ".join(
            cell + " " * (room - width(cell)) for cell, room in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def _room() -> float:
    """Count the columns of the terminal; files and pipes have room for whatever comes."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else math.inf


def block(pairs: Iterable[tuple[str, str | Sequence[str] | None]], indent: int = 2) -> str:
    """Lay out `Key:  value` lines, or lines below a key; what the API did not give is left out."""
    given = [(f"{key}:", value) for key, value in pairs if value is not None]
    room = max((width(key) for key, _ in given), default=0) + 2
    lines = []
    for key, value in given:
        if isinstance(value, str):
            lines.append(key.ljust(room) + safe(value) if value else key)
        else:
            lines += [key, *((" " * indent + line).rstrip() for line in value)]
    return "\n".join(lines)


def safe(text: str, keep: str = "") -> str:
    """Write control, format and unassigned characters as escapes, those of JSON."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char
        if char.isprintable()
        or char in keep
        or char in JOINERS
        or unicodedata.category(char) == "Zs"
        else json.dumps(char)[1:-1]
        for char in text
    )


def emit(text: str, *, error: bool = False) -> None:
    """Write lines; newlines and tabs are layout, anything else unprintable is shown escaped.

    Into files and pipes too: they are looked at on a terminal later.
    """
    _write(safe(text, LAYOUT), sys.stderr if error else sys.stdout)


def emit_document(text: str) -> None:
    """Write a document: a program gets it as it is, in UTF-8 whatever the locale is.

    A terminal gets it as it gets all else, and a prompt on a line of its own after it.
    """
    if sys.stdout.isatty():
        emit(text if text.endswith("\n") else f"{text}\n")
        return
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    _write(text, sys.stdout)


def _write(text: str, stream: TextIO) -> None:
    stream.write(text)
    stream.flush()
