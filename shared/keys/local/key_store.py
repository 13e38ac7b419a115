"""The key store of one machine: a folder with one 0600 file a project, and a marker beside them.

Nothing here may leave a copy behind: a half is written once, overwritten, and unlinked.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared import quotas
from shared.keys.backends import ABSENT, EVER, NOT_AT_HAND, Evidence, attested, noted, unfit
from shared.keys.envelope import KEY_BYTES
from shared.keys.local import files

MARKER = ".identity.json"


class FileKeyStore:
    """A folder of 0600 files, one a project: the time it was made, a line feed, the half.

    A file is called `ID.new` until its project is known to be stored, and `ID` from then on.
    Beside them lies the marker: the identity of the store, and the database it is of. It is read
    before each use and after it, for a disk that is not mounted looks like an empty folder.
    """

    name = ""  # a folder may be moved: its marker tells it from another

    def __init__(self, folder: Path, database: str = "") -> None:
        self.folder, self._database = folder, database
        self._owner: dict[str, str] | None = None  # None: nobody has asked for any

    def __str__(self) -> str:
        return f"the key store {self.folder}"

    def verify(self) -> None:
        """Accept: what is overwritten and unlinked is gone, as far as files are."""

    def belong(self, identity: str, *, first: bool) -> None:
        """Require the marker. It is made, and the folder with it, here and nowhere else."""
        owner = {"identity": identity, "database": self._database}
        if first:
            with suppress(FileExistsError):  # made already; or another database's
                files.save(self.folder / MARKER, owner, os.link)
        found = self._marker()
        if found != owner:
            why = _another(self.folder / MARKER, owner, found)
            raise unfit(f"{self} {why}: no key is made, used or destroyed", NOT_AT_HAND)
        self._owner = owner

    def ours(self) -> bool:
        return self._owner is not None and self._marker() == self._owner

    def put(self, project_id: str, half: bytes, created_at: datetime) -> None:
        """Write the file, and make it durable before anything refers to it."""
        content = f"{created_at.isoformat()}\n".encode() + half
        fresh = self.folder / f"{project_id}.new"
        with (
            self._required(),
            files.durable(self.folder),
            files.durable(fresh, files.NEW) as file,
        ):
            files.write(file, content)

    def confirm(self, project_id: str) -> None:
        with suppress(FileNotFoundError):
            (self.folder / f"{project_id}.new").rename(self.folder / project_id)

    def get(self, project_id: str) -> bytes:
        with self._required():
            half = self._read(project_id)
        if len(half) != KEY_BYTES:
            raise KeyError(project_id)
        return half

    def holds(self, project_id: str) -> bool:
        with self._required():
            return any(map(_there, self._places(project_id)))

    def destroy(self, project_id: str) -> list[Evidence]:
        """Overwrite, unlink, and read back that it is gone; what a link points to is left alone.

        On flash memory the old block may live on below the file system: encrypt the disk too. A
        folder keeps no time of what is gone, so there is none in the evidence.
        """
        with self._required():
            self.confirm(project_id)
            file, new = self.folder / project_id, self.folder / f"{project_id}.new"
            with suppress(FileNotFoundError), files.durable(self.folder):
                with files.durable(file, os.O_WRONLY | os.O_NOFOLLOW) as half:
                    files.write(half, b"\0" * os.fstat(half).st_size)
                file.unlink()
            if file.exists() or new.exists():
                raise OSError(f"the key half of {project_id} is still there")
        store = f"local/{self._owner['identity']}" if self._owner else "local"
        return [attested(store, "", ABSENT, "", ABSENT)]

    def drop(self, project_id: str) -> None:
        """Do nothing: nothing is left."""

    def unconfirmed(self, before: datetime, limit: int, after: datetime = EVER) -> list[str]:
        """Give projects still called new that were made before or after, or are damaged."""
        found, long_ago = [], datetime.min.replace(tzinfo=UTC)
        with self._required():
            for file in self.folder.glob(f"{'?' * 36}.new"):  # a project's id has 36 characters
                with suppress(FileNotFoundError, IsADirectoryError):
                    note = file.read_bytes().partition(b"\n")[0].decode(errors="replace")
                    if not before <= noted(note, long_ago) <= after:
                        found.append(file.stem)
        return found[:limit]

    def confirmed(self, start: str) -> tuple[list[str], str]:
        """Give a page in the order of the projects' ids; the next one starts beyond its last."""
        with self._required():
            names = sorted(file.name for file in self.folder.glob("?" * 36) if file.name > start)
        page = names[: quotas.DUE_BATCH]
        return page, page[-1] if len(names) > len(page) else ""

    def _places(self, project_id: str) -> tuple[Path, ...]:
        """Give where a half may lie, in the order to look: it may be renamed meanwhile."""
        file = self.folder / project_id
        return file, self.folder / f"{project_id}.new", file

    def _read(self, project_id: str) -> bytes:
        for file in self._places(project_id):
            with suppress(FileNotFoundError):
                half = file.read_bytes().partition(b"\n")[2]
                if len(half) == KEY_BYTES:
                    return half
        return b""

    @contextmanager
    def _required(self) -> Iterator[None]:
        """Require the store before an act and after it: meanwhile it was no other one."""
        self._look()
        yield
        self._look()

    def _look(self) -> None:
        there = self.folder.is_dir() if self._owner is None else self.ours()
        if not there:
            raise OSError("the key store is not there")

    def _marker(self) -> Any:
        """Give what the marker says; None where there is none, or it says nothing."""
        with suppress(FileNotFoundError, NotADirectoryError, RecursionError, ValueError):
            return json.loads((self.folder / MARKER).read_bytes())
        return None


def _there(file: Path) -> bool:
    """Tell whether there is a file; raises OSError where that cannot be told."""
    try:
        file.lstat()
    except FileNotFoundError:
        return False
    return True


def _another(marker: Path, owner: dict[str, str], found: Any) -> str:
    """Say of which database a key store is, or what the marker is that it lacks."""
    if not isinstance(found, dict):
        return f"is not there, or lacks its marker: {marker} must be {json.dumps(owner)}"
    name, own = found.get("database"), owner["database"]
    if name == own:
        return f"is of another database that was also called {own}"
    return f"is of the database {name}, and not of {own}"
