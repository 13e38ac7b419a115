"""The folder of everything `ce` keeps, and how its files are read and written.

A file is written whole or not at all, and is its owner's alone (0600, in folders of 0700).
"""

import json
import os
from pathlib import Path
from typing import Any

from ce.server.failure import Failure


def home() -> Path:
    """Return the folder of everything `ce` keeps."""
    if given := os.environ.get("CE_HOME"):
        return Path(given).expanduser()
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "ce"


def read(path: Path) -> dict[str, Any] | None:
    """Return a JSON object; None for whatever is none."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, RecursionError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write(path: Path, text: str) -> None:
    """Write a file, whole or not at all. Raises Failure where that cannot be."""
    import tempfile  # noqa: PLC0415 - slow to import

    try:
        home().mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")  # makes it 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink()
            raise
    except OSError as error:
        raise Failure(
            f"Cannot write {path} ({error.strerror}): make room or give yourself the right to, or "
            "set CE_HOME to another folder. What it held before is unchanged."
        ) from None


def remove(path: Path) -> None:
    """Remove a file, if it is there. Raises Failure where that cannot be."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise Failure(f"Cannot remove {path} ({error.strerror}): remove it yourself.") from None
