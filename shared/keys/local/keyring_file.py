"""The keyring file of one machine: key-encryption keys, signing key and state key, in JSON.

It is read at each use, for another process may have rotated, and only ever replaced whole. One
that is damaged, or is another keyring's, gives no key: the log names the file, and nothing of it.
"""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from shared.errors import Error
from shared.failures import tell
from shared.keys.backends import NOT_AT_HAND, refusal
from shared.keys.envelope import KEY_BYTES, Undecryptable
from shared.keys.local import files


@dataclass(frozen=True, repr=False)
class FileKeys:
    """keyring.Wrapper of what the file held at one time, by AES key wrap (RFC 3394).

    It takes no associated data: the data key's derivation binds the half to its project.
    """

    raw: bytes
    file: Path = field(compare=False)
    current: str = field(compare=False)
    by_name: Mapping[str, bytes] = field(compare=False)
    retired: Mapping[str, datetime] = field(compare=False)
    signing_key: bytes = field(compare=False)
    former_public: tuple[bytes, ...] = field(compare=False)  # of signing keys that were replaced
    state_key: bytes = field(compare=False)

    @classmethod
    def of(cls, raw: bytes, file: Path) -> "FileKeys":
        """Read the content of a file; raises ValueError, in words that tell nothing of it."""
        try:
            stored = json.loads(raw)
        except (ValueError, RecursionError):
            raise ValueError("it is no JSON") from None
        keks = _member(stored, "keks", dict)
        current = _member(stored, "current", str)
        retired = _member(stored, "retired", dict) if "retired" in stored else {}
        former = _member(stored, "verifying_keys", list) if "verifying_keys" in stored else []
        if current not in keks or not retired.keys() <= keks.keys() - {current}:
            raise ValueError("it names a key that it does not have")
        return cls(
            raw,
            file,
            current,
            {name: _key(text) for name, text in keks.items()},
            {name: _time(text) for name, text in retired.items()},
            _key(_member(stored, "signing_key", str)),
            tuple(map(_key, former)),
            _key(stored["state_key"]) if "state_key" in stored else b"",
        )

    def wrap(self, half: bytes, project_id: str) -> tuple[str, bytes]:  # noqa: ARG002 - protocol
        return self.current, aes_key_wrap(self.by_name[self.current], half)

    def unwrap(self, kek: str, wrapped: bytes, project_id: str) -> bytes:  # noqa: ARG002
        try:
            return aes_key_unwrap(self.by_name[kek], wrapped)
        except (KeyError, ValueError, InvalidUnwrap):
            raise Undecryptable from None

    def keks(self) -> dict[str, datetime | None]:
        return {**self.retired, self.current: None}

    def add(self, instead_of: str, now: datetime) -> None:
        """Make a new current key; the file is replaced whole, or stays as it is."""
        with self.changing() as stored:
            if stored["current"] == instead_of:
                stored["retired"][instead_of] = now.isoformat()
                stored["current"] = _new_name()
                stored["keks"][stored["current"]] = _new_key()

    def remove(self, kek: str) -> None:
        with self.changing() as stored:
            del stored["retired"][kek], stored["keks"][kek]

    @contextmanager
    def changing(self) -> Iterator[dict[str, Any]]:
        """Give the content for changing; one process at a time, and what it leaves is stored."""
        with self.file.with_name(f".{self.file.name}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            raw = self.file.read_bytes()
            try:
                FileKeys.of(raw, self.file)
            except ValueError as error:
                raise OSError(f"the keyring file is damaged: {error}") from None
            before = json.loads(raw)
            stored = {"retired": {}, **json.loads(raw)}  # before the first rotation there are none
            yield stored
            if stored != before:
                files.save(self.file, stored, os.replace)


class FileWrapper:
    """The file, and who has opened it: one with another signing key is another keyring."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._last: FileKeys | None = None
        self._said = ""  # what was wrong with it when it was last told

    def make(self, begun: Callable[[], bool]) -> None:
        """Make the file at its first use; one that is there stays, whatever it holds.

        But for the state key, which it gets where it has none: version 0.1.0 made none. Nor is a
        lost one made anew, where its use has `begun`: it would sign what ends with it.
        """
        if os.path.lexists(self._file):
            self._complete()
            return
        if begun():
            return
        name = _new_name()
        keys = {"signing_key": _new_key(), "state_key": _new_key()}
        fresh = {"current": name, "keks": {name: _new_key()}, **keys}
        try:
            with suppress(FileExistsError):  # another process came first
                files.save(self._file, fresh, os.link)
        except OSError as error:
            self._refuse(f"cannot be made ({error.strerror})")

    def _complete(self) -> None:
        with suppress(Error, OSError):  # who needs a key is told what is wrong
            if not (keys := self.now()).state_key:
                with keys.changing() as stored:
                    stored.setdefault("state_key", _new_key())

    def now(self) -> FileKeys:
        """Give the keys that the file has now; raises Error `unavailable` where it has none."""
        last = self._last
        try:
            raw = self._content()
            if last and last.raw == raw:
                return last
            keys = FileKeys.of(raw, self._file)
        except ValueError as error:
            raise self._refuse(f"is damaged ({error})") from None
        except OSError as error:
            raise self._refuse(f"cannot be read ({error.strerror})") from None
        if last and keys.signing_key != last.signing_key:
            raise self._refuse("was replaced by another keyring")
        self._last, self._said = keys, ""
        return keys

    def _content(self) -> bytes:
        if self._file.exists() and not self._file.is_file():
            raise ValueError("it is no file")  # nobody waits for a pipe to be written
        return self._file.read_bytes()

    def _refuse(self, why: str) -> Error:
        """Say once in the log what is wrong; give the error."""
        if why != self._said:
            tell("CRITICAL", f"the keyring file {self._file} {why}: no key is made or used")
            self._said = why
        return refusal(NOT_AT_HAND)


def _member(stored: Any, name: str, kind: type) -> Any:
    if not isinstance(stored, dict) or not isinstance(stored.get(name), kind):
        raise ValueError(f"it has no `{name}` of the right kind")  # noqa: TRY004 - damaged content
    return stored[name]


def _key(text: Any) -> bytes:
    """Read a key, 32 bytes in base64; raises ValueError where it is none."""
    with suppress(TypeError, ValueError):
        key = base64.b64decode(text, validate=True)
        if len(key) == KEY_BYTES:
            return key
    raise ValueError("a key in it is not 32 bytes in base64")


def _time(text: Any) -> datetime:
    with suppress(TypeError, ValueError):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo:
            return moment
    raise ValueError("a time in it is none")


def _new_key() -> str:
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def _new_name() -> str:
    return f"local-{secrets.token_hex(4)}"
