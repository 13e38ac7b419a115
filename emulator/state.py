"""The state folder: the lock, the token, the first account's key and what a running host says.

Every file in it is the user's alone (0600 in 0700), and what it holds is checked when it is read.
It must never hold a value of a secret, nor be left with a part of what is kept in it.
"""

import fcntl
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator import Refused, clock, files

FORMER, FORM = 1, 2  # of what the functions store: CE_STORE_FORM, and an export's version
HUB = "hub.json"
KEYRING, ACCOUNT, CLOCK, NOTE = "keyring.json", "credentials.json", "clock", "form.json"
LOG_KEY = "log.key"  # signs the checkpoints of the log that is in the documents, and of no other
# What is kept beside the documents, and belongs to them: names, and bytes of each at most.
KEPT = {KEYRING: 1 << 20, ACCOUNT: 1 << 16, CLOCK: clock.SIZE, NOTE: 1 << 10, LOG_KEY: 1 << 10}
KEYS, HALF = "keys", 1 << 10
MARKER = r"\.identity\.json"  # in the folder of keys, says which database they are of
_KEY = re.compile(rf"[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}(\.new)?|{MARKER}")
BEFORE, DRAFT = "before-import", "before-import.new"  # what was kept, until an import has ended
COPY = "import"  # the documents of an import, from which Firestore begins
MOST = 1 << 20  # bytes of any other file
_VARIABLE, _CONTROL = re.compile(r"[A-Z][A-Z0-9_]*"), re.compile(r"[\x00-\x1f\x7f-\x9f]")
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

    def read(self, name: str, **members: type) -> dict[str, Any] | None:
        """Read a JSON file, if it is there; it must have these members, each of its type."""
        path = self.folder / name
        try:
            found = files.document(path, files.read(path, MOST))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except Refused as refused:
            raise Refused(f"{str(refused).removesuffix('.')}: delete it.") from None
        for member, kind in members.items():
            if type(found.get(member)) is not kind:
                raise Refused(f"{path} has no {member} that can be used: delete it.")
        return found

    def write(self, name: str, data: dict[str, Any]) -> None:
        """Replace a JSON file atomically; nobody else can read it at any instant."""
        files.replace(self.folder / name, json.dumps(data, indent=2).encode() + b"\n")

    def drop(self, name: str) -> None:
        """Remove a file, if it is there."""
        (self.folder / name).unlink(missing_ok=True)

    def form(self) -> int:
        """Give the form of the store that this host is used with, as it was noted."""
        found = self.read(NOTE, form=int) or {"form": FORMER}
        if (form := found["form"]) not in (FORMER, FORM):
            raise Refused(f"{self.folder / NOTE} has no form that this version knows: {form}.")
        return int(form)

    def note_form(self, form: int | None = None) -> None:
        """Note the store's form; without one, that of a store kept elsewhere, if it is not noted.

        A folder that has a keyring and no note is of a version that knew of no forms.
        """
        former = (self.folder / KEYRING).exists()
        if form or not (self.folder / NOTE).exists():
            self.write(NOTE, {"form": form or (FORMER if former else FORM)})

    def kept(self) -> dict[str, bytes]:
        """Give what is kept beside the documents, by its name.

        What is destroyed meanwhile is not in it. Raises Refused where a file is none, or too large.
        """
        folder = self.folder / KEYS
        halves = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208 - of any number
        sizes = KEPT | {f"{KEYS}/{name}": HALF for name in sorted(halves) if is_key(name)}
        found = {}
        for name, most in sizes.items():
            with suppress(FileNotFoundError):
                found[name] = files.read(self.folder / name, most)
        return found

    def keep(self, kept: Mapping[str, bytes]) -> None:
        """Keep this instead, whole or not at all: until `settle`, `put_back` undoes it."""
        shutil.rmtree(self.folder / DRAFT, ignore_errors=True)
        State(self.folder / DRAFT).fill(self.kept())
        (self.folder / DRAFT).rename(self.folder / BEFORE)
        self.fill(kept)

    def put_back(self) -> bool:
        """Keep what was kept before an import that did not end; False if there was none."""
        before = State(self.folder / BEFORE)
        if there := before.folder.is_dir():
            self.fill(before.kept())
        self.settle()
        return there

    def settle(self) -> None:
        """Let stay what is kept: an import has ended, and nothing of it is left over."""
        shutil.rmtree(self.folder / DRAFT, ignore_errors=True)
        with suppress(FileNotFoundError):
            (self.folder / BEFORE).rename(self.folder / DRAFT)
        for name in (DRAFT, COPY):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def fill(self, kept: Mapping[str, bytes]) -> None:
        """Have exactly this beside the documents."""
        (self.folder / KEYS).mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in self.kept():
            self.drop(name)
        for name, content in kept.items():
            files.write(self.folder / name, content)

    def forget(self, *, keys: bool = True) -> None:
        """Remove what belongs to data that is gone: its halves of keys, its time, its log's key.

        The marker of the key store goes first: without it the others are not used any more. Under
        the key of a log that is gone another one would be taken for that log, cut and forged.
        """
        folder = self.folder / KEYS
        for half in (*folder.glob(".*"), *folder.glob("*")) if keys else ():
            half.unlink(missing_ok=True)
        self.drop(CLOCK)
        self.drop(LOG_KEY)

    def tokens(self) -> dict[str, Any]:
        """Give the hub's token and the events' unguessable part: drawn once, stable ever after."""
        found = self.read("tokens.json", hub=str, events=str)
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
                said = file.read(20)
        except (FileNotFoundError, NotADirectoryError):
            return None
        pid = int(said) if re.fullmatch(r"[0-9]{1,9}", said) else 0
        return pid if pid and _alive(pid) else None

    def hub(self) -> dict[str, Any]:
        """Say where the running host is."""
        found = self.read(HUB, pid=int, hub=str, token=str)
        if found is None or self.pid() != found["pid"]:
            raise self.idle()
        return found

    def environment(self) -> dict[str, str]:
        """Give the variables that a running host has for others."""
        self.hub()
        found: dict[str, str] = (self.read(HUB, env=dict) or {"env": {}})["env"]
        for name, value in found.items():  # a shell evaluates them
            sound = _VARIABLE.fullmatch(name) and isinstance(value, str)
            if not sound or _CONTROL.search(value):
                raise Refused(f"{self.folder / HUB} has no env that can be used: delete it.")
        return found

    def account(self) -> dict[str, str]:
        """Give the first account's id and key, as they were kept; nothing if there are none."""
        found = self.read(ACCOUNT, account_id=str, apikey=str)
        account = {name: found[name] for name in ("account_id", "apikey")} if found else {}
        if any(map(_CONTROL.search, account.values())):
            raise Refused(f"{self.folder / ACCOUNT} has no apikey that can be used: delete it.")
        return account

    def idle(self) -> Refused:
        """Give the refusal of what needs a host, when none runs."""
        return Refused(f"No host runs on {self.folder}: start one with 'ce emulator start'.")


def is_key(name: str) -> bool:
    """Whether a file of the folder of keys may be called so: a half of a project, or the marker."""
    return _KEY.fullmatch(name) is not None


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
