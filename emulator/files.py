"""Reads files that somebody else may have written: an export, the state folder.

Only a regular file is read, through no link, and no more of it than it can rightly hold. Whatever
is wrong with one is a Refused that names it. It must never wait for a file.
"""

import errno
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

from emulator import Refused

FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
NO_FILE = {errno.ELOOP, errno.ENXIO, errno.EISDIR}  # opening a link, a socket, a folder


@contextmanager
def opened(path: Path, most: int | None = None) -> Iterator[BufferedReader]:
    """Open a regular file to be read; raises OSError, or Refused where it is none, or too large."""
    try:
        descriptor = os.open(path, FLAGS)
    except OSError as problem:
        if problem.errno in NO_FILE:
            raise Refused(f"{path} is no regular file.") from None
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise Refused(f"{path} is no regular file.")
        if most is not None and found.st_size > most:
            raise Refused(f"{path} exceeds {most} bytes.")
        with open(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def read(path: Path, most: int) -> bytes:
    """Read a regular file of at most so many bytes; raises OSError, or Refused."""
    with opened(path, most) as file:
        return file.read(most)


def document(path: Path, content: bytes) -> dict[str, Any]:
    """Give the JSON object that was read from a file; raises Refused where it is none.

    Strictly JSON (RFC 8259): in UTF-8, each name once, no NaN, no number or text that cannot be
    written again.
    """
    try:
        found = json.loads(content.decode(), object_pairs_hook=_once)
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise Refused(f"{path} is no JSON.") from None
    if not isinstance(found, dict):
        raise Refused(f"{path} is no JSON object.")
    return found


@contextmanager
def formed(path: Path) -> Iterator[None]:
    """Say of what was read that it has not the form it must have."""
    try:
        yield
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as problem:
        why = " ".join(f"{type(problem).__name__}: {problem}"[:200].split())
        raise Refused(f"{path} has not the form it must have ({why}).") from None


def write(path: Path, content: bytes) -> None:
    """Write a new file, for its owner only; raises OSError, also where there is one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
        file.write(content)


def replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; nobody else can read it at any instant."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    write(fresh, content)
    fresh.replace(path)


def said(problem: OSError) -> str:
    """Say what the system refused, and of which file."""
    where = f"{problem.filename}: " if problem.filename else ""
    return f"{where}{problem.strerror or problem}."


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found
