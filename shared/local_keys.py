"""The keyring of one machine: a keyring file, and a folder with one 0600 file a project.

For development and for a single trusted host; refused in production (`app.Settings`).
Nothing here may leave a copy behind: a half is written once, overwritten, and unlinked.
"""

import base64
import json
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)

from shared.crypto import KEY_BYTES, Undecryptable
from shared.keyring import Keyring


def open_keyring(file: Path, folder: Path) -> Keyring:
    """Open the keyring in `file` (made at first use) over the key store in `folder`."""
    try:
        stored = json.loads(file.read_text())
    except FileNotFoundError:
        _write_new(file, json.dumps(_fresh()).encode())
        stored = json.loads(file.read_text())
    keks = {name: base64.b64decode(kek) for name, kek in stored["keks"].items()}
    signing_key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(stored["signing_key"]))
    return Keyring(FileWrapper(keks, stored["current"]), FileKeyStore(folder), signing_key)


def _fresh() -> dict[str, object]:
    def key() -> str:
        return base64.b64encode(os.urandom(KEY_BYTES)).decode()

    name = f"local-{secrets.token_hex(4)}"
    return {"current": name, "keks": {name: key()}, "signing_key": key()}


@dataclass(frozen=True, repr=False)
class FileWrapper:
    """AES key wrap (RFC 3394) under the keys of the keyring file.

    It takes no associated data: the data key's derivation binds the half to its project.
    """

    keks: dict[str, bytes]
    current: str

    def wrap(self, half: bytes, project_id: str) -> tuple[str, bytes]:  # noqa: ARG002 - protocol
        """Wrap under the current key-encryption key."""
        return self.current, aes_key_wrap(self.keks[self.current], half)

    def unwrap(self, kek: str, wrapped: bytes, project_id: str) -> bytes:  # noqa: ARG002
        """Unwrap; raises Undecryptable for an unknown key or damaged bytes."""
        try:
            return aes_key_unwrap(self.keks[kek], wrapped)
        except (KeyError, ValueError, InvalidUnwrap):
            raise Undecryptable from None


@dataclass(frozen=True)
class FileKeyStore:
    """A folder of 0600 files, one a project: the time it was made, a line feed, the half.

    A file is called `ID.new` until its project is known to be stored, and `ID` from then on.
    """

    folder: Path

    def put(self, project_id: str, half: bytes, created_at: datetime) -> None:
        """Write the file, and make it durable before anything refers to it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = f"{created_at.isoformat()}\n".encode() + half
        new = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        _durably(self.folder / f"{project_id}.new", new, lambda fd: _write(fd, content))
        _durably(self.folder, os.O_RDONLY)

    def confirm(self, project_id: str) -> None:
        """Rename the file; a repeated call finds it done."""
        with suppress(FileNotFoundError):
            (self.folder / f"{project_id}.new").rename(self.folder / project_id)

    def get(self, project_id: str) -> bytes:
        """Read the half; raises KeyError when there is none."""
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
        file = self.folder / project_id
        with suppress(FileNotFoundError):
            _durably(file, os.O_WRONLY, lambda fd: _write(fd, b"\0" * os.fstat(fd).st_size))
            file.unlink()
            _durably(self.folder, os.O_RDONLY)
        if file.exists():
            raise OSError(f"the key half of {project_id} is still there")

    def unconfirmed(self, before: datetime, limit: int) -> list[str]:
        """Give projects still called new that were made before a moment, or are damaged."""
        found = []
        for file in self.folder.glob(f"{'?' * 36}.new"):  # a project's id has 36 characters
            with suppress(FileNotFoundError, IsADirectoryError):
                made = _time_of(file.read_bytes())
                if made is None or made < before:
                    found.append(file.stem)
        return found[:limit]


def _time_of(content: bytes) -> datetime | None:
    """Give the time a half was made; None if its file was not written to the end."""
    try:
        made = datetime.fromisoformat(content.partition(b"\n")[0].decode())
    except ValueError:
        return None
    return made if made.tzinfo else None


def _write_new(file: Path, content: bytes) -> None:
    """Write a new 0600 file whole or not at all; leave one that is already there as it is."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _durably(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, lambda fd: _write(fd, content))
    with suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()
    _durably(file.parent, os.O_RDONLY)


def _durably(file: Path, flags: int, act: Callable[[int], object] = lambda _: None) -> None:
    descriptor = os.open(file, flags, 0o600)
    try:
        act(descriptor)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(descriptor: int, content: bytes) -> None:
    """Write all of it; a full disk raises OSError and not a short count."""
    while content:
        content = content[os.write(descriptor, content) :]
