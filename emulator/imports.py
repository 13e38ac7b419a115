"""Imports: an export that is checked, whole, before anything of the host's own changes.

Whoever made it may have made it to do harm: only regular files of it are read, of names and sizes
that an export has, and a copy of them is what the host begins with. It must never be imported in
part, run, or write anywhere but into the state folder.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from emulator import Refused, clock, exports, files, terminal
from emulator.state import (
    ACCOUNT,
    CLOCK,
    FORM,
    FORMER,
    HALF,
    KEPT,
    KEYRING,
    KEYS,
    LOG_KEY,
    NOTE,
    is_key,
)

FILES, DEEP = 200_000, 8  # files an export may have, and folders within each other
DOCUMENTS = 1 << 31  # bytes of documents: Firestore's emulator holds them all in memory
PIECE = 1 << 20  # bytes copied at a time
NOTHING = "Nothing was imported."
_LOGIN = re.compile(r"[!-~]{1,256}")
_PEM = re.compile(
    rb"-----BEGIN PRIVATE KEY-----\n[A-Za-z0-9+/=\n]{1,256}-----END PRIVATE KEY-----\n"
)


@dataclass(frozen=True)
class Export:
    """One that was checked, and of which there is a copy."""

    folder: Path
    made_at: str
    data: Path  # the file Firestore begins with, of the copy
    kept: dict[str, bytes] = field(repr=False)  # what the state folder is to hold: keys, too


def take(folder: Path, project: str, copy: Path) -> Export:
    """Check that an export is whole, ours and of this project; copy its documents.

    Raises Refused, which names the file and what is wrong with it.
    """
    try:
        exports.put_back(folder)
        listed = _manifest(folder, project)
        with _damaged(folder):
            kept = _taken(folder, listed["files"], copy)
            _check(folder, kept)
    except OSError as problem:
        if problem.filename is None:  # writing says none
            raise Refused(f"{copy} cannot be written: {problem.strerror}. {NOTHING}") from None
        raise Refused(f"{problem.filename} cannot be read: {problem.strerror}. {NOTHING}") from None
    kept[NOTE] = json.dumps({"form": listed["version"]}).encode() + b"\n"
    return Export(folder, _shown(listed["made_at"]), copy / exports.DATA, kept)


def _manifest(folder: Path, project: str) -> dict[str, Any]:
    """Give the manifest; what it says of itself is right, the files it lists are yet to be seen."""
    try:
        with _damaged(folder):
            found = exports.listed(folder)
    except OSError:
        if not folder.is_dir():
            raise Refused(f"There is no export at {folder}.") from None
        suite = (folder / exports.SUITES).exists()
        why = "Firebase's suite made it, without the keys" if suite else "it"
        raise Refused(
            f"{folder} is no export of this host: {why} has no {exports.MANIFEST}."
        ) from None
    if found.get("format") != exports.FORMAT:
        raise Refused(
            f"{folder} is no export of this host: {exports.MANIFEST} says nothing of one."
        )
    form = found.get("version")
    if type(form) is not int or form not in (FORMER, FORM):
        raise Refused(
            f"{folder} was made by another version (format {_shown(form)}; this one reads {FORMER} "
            f"and {FORM}): import it with the version that made it."
        )
    if (other := found.get("project")) != project:
        raise Refused(f"{folder} is of project {_shown(other)}: add '--project {_shown(other)}'.")
    with _damaged(folder):
        if not _is_moment(found.get("made_at")):
            raise Refused(f"{exports.MANIFEST} does not say when it was made.")
        if not isinstance(found.get("files"), dict):
            raise Refused(f"{exports.MANIFEST} lists no files.")
    return found


def _taken(folder: Path, listed: dict[str, Any], copy: Path) -> dict[str, bytes]:
    """Give what is kept beside the documents, and copy those; each file is the one listed."""
    there = _there(folder)
    copy.mkdir(mode=0o700)
    kept, left = {}, DOCUMENTS
    for name in sorted({*listed, *there} - {exports.MANIFEST} | {exports.DATA}):
        if name not in there:
            raise Refused(f"{_shown(name)} is missing.")
        if name not in listed:
            raise Refused(f"{_shown(name)} does not belong to it.")
        if name.startswith(f"{exports.NAME}/"):
            size, digest = _copied(there[name], copy / name, left)
            left -= size
        elif most := _most(name):
            content = files.read(there[name], most)
            digest = hashlib.sha256(content).hexdigest()
            if name not in {exports.IGNORE, exports.SUITES}:
                kept[name] = content
        else:
            raise Refused(f"{_shown(name)} is no name of a file that an export has.")
        if digest != listed[name]:
            raise Refused(f"{_shown(name)} was changed.")
    return kept


def _there(folder: Path) -> dict[str, Path]:
    """Give the files that lie in an export, by their names in it."""
    there: dict[str, Path] = {}
    for path in exports.walk(folder):
        inside = path.relative_to(folder)
        if len(there) == FILES or len(inside.parts) > DEEP:
            raise Refused(f"it has more than {FILES} files, or {DEEP} folders within each other.")
        there[str(inside)] = path
    return there


def _most(name: str) -> int:
    """Give how many bytes a file of an export may have; none where none has such a name."""
    if name in {exports.IGNORE, exports.SUITES}:
        return HALF
    home, _, inside = name.rpartition("/")
    if home == KEYS:
        return HALF if is_key(inside) else 0
    return 0 if name == NOTE else KEPT.get(name, 0)


def _copied(path: Path, copy: Path, most: int) -> tuple[int, str]:
    """Copy a file of at most so many bytes; give its size and its hash."""
    size, digest = 0, hashlib.sha256()
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with files.opened(path, most) as source, copy.open("xb") as target:
        while size < most and (piece := source.read(min(PIECE, most - size))):
            size += len(piece)
            digest.update(piece)
            target.write(piece)
    return size, digest.hexdigest()


def _check(folder: Path, kept: dict[str, bytes]) -> None:
    """Refuse what is listed rightly, and could not be used."""
    for name, (fits, what) in FORMS.items():
        if name in kept and not fits(folder / name, kept[name]):
            raise Refused(f"{name} is no {what}.")
    if KEYRING not in kept and any(name.startswith(f"{KEYS}/") for name in kept):
        raise Refused(f"{KEYRING} is missing.")


def _is_keyring(path: Path, content: bytes) -> bool:
    found = files.document(path, content)
    try:
        keks, old = found["keks"], found.get("retired", {})
        used = [*keks.values(), found["signing_key"], *found.get("verifying_keys", [])]
        used += [found["state_key"]] if "state_key" in found else []  # 0.1.0 made none
        dated = all(map(_is_moment, old.values())) and {found["current"], *old} <= keks.keys()
        return dated and all(len(base64.b64decode(key, validate=True)) == 32 for key in used)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _is_account(path: Path, content: bytes) -> bool:
    found = files.document(path, content)
    login = [found.get("account_id"), found.get("apikey")]
    return all(isinstance(text, str) and _LOGIN.fullmatch(text) for text in login)


def _is_clock(_: Path, content: bytes) -> bool:
    try:
        clock.read(content)
    except ValueError:
        return False
    return True


def _is_log_key(_: Path, content: bytes) -> bool:
    return _PEM.fullmatch(content) is not None


FORMS = {
    KEYRING: (_is_keyring, "keyring"),
    ACCOUNT: (_is_account, "first account"),
    LOG_KEY: (_is_log_key, "private key in PEM"),
    CLOCK: (_is_clock, "number of seconds of at most a hundred years"),
}


def _is_moment(text: Any) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _shown(value: Any) -> str:
    """Give what somebody else wrote as a part of one line."""
    return terminal.plain(str(value)[:80], keep="")


@contextmanager
def _damaged(folder: Path) -> Iterator[None]:
    """Say of what is refused that an export is damaged, and in what."""
    try:
        yield
    except Refused as refused:
        said = str(refused).removeprefix(f"{folder}/")
        raise Refused(f"{folder} is damaged: {said} {NOTHING}") from None
