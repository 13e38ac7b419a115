"""Files that hold keys: whole or not there, their owner's alone, and durable once written.

Nothing here reads what it writes, or leaves a copy of it behind.
"""

import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def save(file: Path, stored: Mapping[str, Any], place: Callable[[Path, Path], object]) -> None:
    """Write a file of JSON; see `put`."""
    put(file, json.dumps(stored).encode(), place)


def put(file: Path, content: bytes, place: Callable[[Path, Path], object]) -> None:
    """Write a 0600 file whole or not at all; `place` moves it (os.replace) or links it (os.link).

    Its folder is made. A link raises FileExistsError where there is a file already, and leaves
    that as it is.
    """
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with durable(file.parent):
        try:
            with durable(draft, NEW) as descriptor:
                write(descriptor, content)
            place(draft, file)
        finally:
            draft.unlink(missing_ok=True)


@contextmanager
def durable(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    """Open a 0600 file, or a folder; what is done with it, or in it, then survives a power cut."""
    descriptor = os.open(path, flags, 0o600)
    try:
        yield descriptor
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write(descriptor: int, content: bytes) -> None:
    """Write all of it; a full disk raises OSError and not a short count."""
    while content:
        content = content[os.write(descriptor, content) :]
