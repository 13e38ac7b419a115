"""The folder of everything `ce` keeps, and how its files are read and written.

A file is written whole or not at all, and is its owner's alone (0600, in folders of 0700).
"""

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

from ce.server.failure import USAGE, Failure


def home() -> Path:
    """Return the folder of everything `ce` keeps.

    Raises Failure where there is no home, and where what CE_HOME names cannot be one.
    """
    try:
        if given := os.environ.get("CE_HOME"):
            return _folder(Path(given).expanduser())
        base = os.environ.get("XDG_CONFIG_HOME")
        return (Path(base) if base else Path.home() / ".config") / "ce"
    except RuntimeError:
        raise Failure(
            "There is no home folder to keep anything in: set CE_HOME to a folder.",
            exit_code=USAGE,
        ) from None


def _folder(path: Path) -> Path:
    """Give a folder, or what is not there yet and can become one."""
    why = ""
    try:
        if not stat.S_ISDIR(path.stat().st_mode):
            why = "which is no folder"
        elif not os.access(path, os.R_OK | os.X_OK):
            why = "which you may not read"
    except FileNotFoundError:
        pass
    except OSError as error:
        why = f"which can be no folder ({error.strerror})"
    if why:
        raise Failure(f"CE_HOME names '{path}', {why}: set it to a folder.", exit_code=USAGE)
    return path


def text(path: Path) -> str:
    """Read a file's text, which an editor may have marked.

    Raises OSError; for what is no file too: a pipe would be waited for.
    """
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), encoding="utf-8-sig") as file:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no file", str(path))
        return file.read()


def read(path: Path) -> dict[str, Any] | None:
    """Return a JSON object; None for whatever is none."""
    try:
        found = json.loads(text(path))
    except (OSError, RecursionError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write(path: Path, content: str) -> None:
    """Write a file, whole or not at all. Raises Failure where that cannot be."""
    import tempfile  # noqa: PLC0415 - slow to import

    try:
        home().mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")  # makes it 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(content)
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
