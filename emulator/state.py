"""The state folder: the lock, the token, the first account's key and what a running host says.

Every file in it is the user's alone (0600 in 0700). It must never hold a value of a secret.
"""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator import Refused

FORMER, FORM = 1, 2  # of what the functions store: CE_STORE_FORM, and an export's version
MARKER = "identity.json"  # of the functions' key store: by it they know it from another one
LINGER = 15.0  # seconds a killed host's worker may hold the lock: its requests may take 12


@dataclass(frozen=True)
class State:
    """One host's folder."""

    folder: Path

    def prepare(self) -> None:
        """Make the folder, for its owner only."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
        except OSError as problem:
            raise Refused(
                f"The state folder {self.folder} cannot be made ({problem.strerror}): set CE_HOME "
                "to a folder of your own."
            ) from None

    def read(self, name: str) -> dict[str, Any] | None:
        """Read a JSON file, if it is there."""
        try:
            found = json.loads((self.folder / name).read_text())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError:
            raise Refused(f"{self.folder / name} is damaged; delete it.") from None
        return found if isinstance(found, dict) else None

    def write(self, name: str, data: dict[str, Any]) -> None:
        """Replace a JSON file atomically; nobody else can read it at any instant."""
        path = self.folder / name
        fresh = path.with_name(f"{name}.new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600, exist_ok=False)
        fresh.write_text(json.dumps(data, indent=2) + "\n")
        fresh.replace(path)

    def drop(self, name: str) -> None:
        """Remove a file, if it is there."""
        (self.folder / name).unlink(missing_ok=True)

    def form(self) -> int:
        """Give the form of the store that this host is used with, as it was noted."""
        return int((self.read("form.json") or {}).get("form", FORMER))

    def note_form(self, form: int | None = None) -> None:
        """Note the store's form; without one, that of a store kept elsewhere, if it is not noted.

        A folder that has a keyring and no note is of a version that knew of no forms.
        """
        former = (self.folder / "keyring.json").exists()
        if form or not (self.folder / "form.json").exists():
            self.write("form.json", {"form": form or (FORMER if former else FORM)})

    def forget(self, *, keys: bool = True) -> None:
        """Remove what belongs to data that is gone: the halves of its keys, and its time.

        The marker of the key store goes first: without it the others are not used any more.
        """
        marker, halves = self.folder / "keys" / MARKER, (self.folder / "keys").glob("*")
        for half in (marker, *halves) if keys else ():
            half.unlink(missing_ok=True)
        self.drop("clock")

    def tokens(self) -> dict[str, Any]:
        """Give the hub's token and the events' unguessable part: drawn once, stable ever after."""
        found = self.read("tokens.json")
        if found is None:
            found = {"hub": secrets.token_urlsafe(32), "events": secrets.token_hex(16)}
            self.write("tokens.json", found)
        return found

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the one live host of this folder; the kernel lets go when the process dies."""
        with (self.folder / "lock").open("a+") as file:
            deadline = time.monotonic() + LINGER
            while not _lock(file.fileno()):
                if pid := self.pid():
                    raise Refused(
                        f"A host already runs on {self.folder} (pid {pid}): "
                        "stop it first with 'ce emulator stop'."
                    )
                if time.monotonic() > deadline:
                    raise Refused(f"A former host of {self.folder} is still ending: try again.")
                time.sleep(0.1)
            file.seek(0)
            file.truncate()
            file.write(str(os.getpid()))
            file.flush()
            yield

    def pid(self) -> int | None:
        """Give the live host's process id: whoever holds the lock, if it is still alive."""
        try:
            with (self.folder / "lock").open("r+") as file:
                if _lock(file.fileno()):
                    return None
                pid = int(file.read() or 0)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return pid if pid and _alive(pid) else None

    def hub(self) -> dict[str, Any]:
        """Say where the running host is."""
        found = self.read("hub.json")
        if found is None or self.pid() != found["pid"]:
            raise self.idle()
        return found

    def idle(self) -> Refused:
        """Give the refusal of what needs a host, when none runs."""
        return Refused(f"No host runs on {self.folder}: start one with 'ce emulator start'.")


def _lock(fileno: int) -> bool:
    try:
        fcntl.flock(fileno, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as problem:
        return isinstance(problem, PermissionError)  # somebody else's, and alive
    return True
