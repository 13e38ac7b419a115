"""The keyring of one machine: a keyring file, and a folder with one 0600 file a project.

For development and for a single trusted host; refused in production (`app.Settings`).
Nothing here may leave a copy behind: a half is written once, overwritten, and unlinked.
"""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from shared import quotas
from shared.keys.envelope import KEY_BYTES, Undecryptable
from shared.keys.keyring import Keyring, noted
from shared.keys.signing import Signing, public_half

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def open_keyring(file: Path, folder: Path) -> Keyring:
    """Open the keyring in `file` (made at first use) over the key store in `folder`."""
    if not file.exists():
        name = _name()
        fresh = {"current": name, "keks": {name: _key()}, "signing_key": _key()}
        with suppress(FileExistsError):  # another process came first
            _save(file, fresh, os.link)
    wrapper = FileWrapper(file)
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(wrapper.identity))
    public = public_half(key), *map(base64.b64decode, wrapper.replaced)
    return Keyring(wrapper, FileKeyStore(folder), Signing(lambda: key, lambda: public))


def _key() -> str:
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def _name() -> str:
    return f"local-{secrets.token_hex(4)}"


class FileWrapper:
    """keyring.Wrapper with AES key wrap (RFC 3394) under the keys of the keyring file.

    It takes no associated data: the data key's derivation binds the half to its project. The
    file is read at each use, for another process may have rotated. One with another signing key
    is another keyring: it is refused (OSError), as is none at all.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        stored = json.loads(file.read_text())
        self.identity: str = stored["signing_key"]
        # Public halves of signing keys that were replaced: they verify key records still.
        self.replaced: list[str] = stored.get("verifying_keys", [])
        self._stored()

    def wrap(self, half: bytes, project_id: str) -> tuple[str, bytes]:  # noqa: ARG002 - protocol
        stored = self._stored()
        kek = stored["current"]
        return kek, aes_key_wrap(base64.b64decode(stored["keks"][kek]), half)

    def unwrap(self, kek: str, wrapped: bytes, project_id: str) -> bytes:  # noqa: ARG002
        keks = self._stored()["keks"]
        try:
            return aes_key_unwrap(base64.b64decode(keks[kek]), wrapped)
        except (KeyError, ValueError, InvalidUnwrap):
            raise Undecryptable from None

    def keks(self) -> dict[str, datetime | None]:
        stored = self._stored()
        old = {name: datetime.fromisoformat(at) for name, at in stored["retired"].items()}
        return {**old, stored["current"]: None}

    def add(self, instead_of: str, now: datetime) -> None:
        """Make a new current key; the file is replaced whole, or stays as it is."""
        with self._changing() as stored:
            if stored["current"] == instead_of:
                stored["retired"][instead_of] = now.isoformat()
                stored["current"] = _name()
                stored["keks"][stored["current"]] = _key()

    def remove(self, kek: str) -> None:
        with self._changing() as stored:
            del stored["retired"][kek], stored["keks"][kek]

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        """Give the content for changing; one process at a time, and what it leaves is stored."""
        with self._file.with_name(f".{self._file.name}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            stored = self._stored()
            yield stored
            if stored != self._stored():
                _save(self._file, stored, os.replace)

    def _stored(self) -> dict[str, Any]:
        """Give the content of the file, which is only ever replaced whole."""
        stored = json.loads(self._file.read_text())
        stored["keks"][stored["current"]]  # without it the keyring is damaged
        if stored["signing_key"] != self.identity:
            raise OSError("the keyring file was replaced by another keyring")
        return {"retired": {}, **stored}  # before the first rotation there are none


@dataclass(frozen=True)
class FileKeyStore:
    """A folder of 0600 files, one a project: the time it was made, a line feed, the half.

    A file is called `ID.new` until its project is known to be stored, and `ID` from then on.
    """

    folder: Path
    name = ""  # a folder may be moved

    def verify(self) -> None:
        """Accept: what is overwritten and unlinked is gone, as far as files are."""

    def put(self, project_id: str, half: bytes, created_at: datetime) -> None:
        """Write the file, and make it durable before anything refers to it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = f"{created_at.isoformat()}\n".encode() + half
        with _durable(self.folder), _durable(self.folder / f"{project_id}.new", NEW) as file:
            _write(file, content)

    def confirm(self, project_id: str) -> None:
        with suppress(FileNotFoundError):
            (self.folder / f"{project_id}.new").rename(self.folder / project_id)

    def get(self, project_id: str) -> bytes:
        for name in (project_id, f"{project_id}.new", project_id):  # it may be renamed meanwhile
            with suppress(FileNotFoundError):
                half = (self.folder / name).read_bytes().partition(b"\n")[2]
                if len(half) == KEY_BYTES:
                    return half
        raise KeyError(project_id)

    def destroy(self, project_id: str) -> None:
        """Overwrite, unlink, and read back that it is gone.

        On flash memory the old block may live on below the file system: encrypt the disk too.
        """
        self.confirm(project_id)
        file, new = self.folder / project_id, self.folder / f"{project_id}.new"
        with suppress(FileNotFoundError), _durable(self.folder):
            with _durable(file, os.O_WRONLY) as half:
                _write(half, b"\0" * os.fstat(half).st_size)
            file.unlink()
        if file.exists() or new.exists():
            raise OSError(f"the key half of {project_id} is still there")

    def unconfirmed(self, before: datetime, limit: int) -> list[str]:
        """Give projects still called new that were made before a moment, or are damaged."""
        found, long_ago = [], datetime.min.replace(tzinfo=UTC)
        for file in self.folder.glob(f"{'?' * 36}.new"):  # a project's id has 36 characters
            with suppress(FileNotFoundError, IsADirectoryError):
                note = file.read_bytes().partition(b"\n")[0].decode(errors="replace")
                if noted(note, long_ago) < before:
                    found.append(file.stem)
        return found[:limit]

    def confirmed(self, start: str) -> tuple[list[str], str]:
        """Give a page in the order of the projects' ids; the next one starts beyond its last."""
        names = sorted(file.name for file in self.folder.glob("?" * 36) if file.name > start)
        page = names[: quotas.DUE_BATCH]
        return page, page[-1] if len(names) > len(page) else ""


def _save(file: Path, stored: dict[str, Any], place: Callable[[Path, Path], object]) -> None:
    """Write a 0600 file whole or not at all; `place` moves it (os.replace) or links it (os.link).

    A link raises FileExistsError where there is a file already, and leaves that as it is.
    """
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _durable(file.parent):
        try:
            with _durable(draft, NEW) as descriptor:
                _write(descriptor, json.dumps(stored).encode())
            place(draft, file)
        finally:
            draft.unlink(missing_ok=True)


@contextmanager
def _durable(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    """Open a 0600 file, or a folder; what is done with it, or in it, then survives a power cut."""
    descriptor = os.open(path, flags, 0o600)
    try:
        yield descriptor
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(descriptor: int, content: bytes) -> None:
    """Write all of it; a full disk raises OSError and not a short count."""
    while content:
        content = content[os.write(descriptor, content) :]
