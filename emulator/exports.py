"""Exports: a host's data, keys, first account and clock in one folder, and back.

An export is written beside its place and renamed, so that it is whole or not there. It holds the
key halves too, without which its secrets could not be read: no purge reaches into it, and
importing it brings back what was destroyed since. It must never replace or remove what is no
export, nor a file that is not of it, and never be imported in part.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emulator import VERSION, Refused, firestore
from emulator.state import FORM, FORMER, State

FORMAT = "reprieve-local-host"
MANIFEST = "reprieve-export.json"
SUITES = "firebase-export-metadata.json"  # by which Firebase's suite imports the documents, too
NAME = "firestore_export"
DATA = f"{NAME}/{NAME}.overall_export_metadata"
KEYRING, KEYS, ACCOUNT, CLOCK = "keyring.json", "keys", "credentials.json", "clock"
IGNORE = ".gitignore"  # `git add -A` must not commit the keys
HOLDS_KEYS = (
    "It holds every key: who can read this folder can read every secret in it. No purge reaches "
    "into it; delete it when nothing in it may come back."
)


@dataclass(frozen=True)
class Export:
    """One that was checked."""

    folder: Path
    project: str
    made_at: str
    form: int  # of the store: the manifest's version

    @property
    def data(self) -> Path:
        """The file Firestore begins with."""
        return self.folder / DATA


def write(folder: Path, state: State, store: firestore.Firestore, project: str) -> None:
    """Export a host's data and keys to a folder; replaces an export that is there."""
    check_place(folder)
    fresh, old = _beside(folder, "new"), _beside(folder, "old")
    try:
        _put_back(folder)
        _make_way(fresh)
        _make_way(old)
        fresh.mkdir(mode=0o700, parents=True)
        try:
            _fill(fresh, state, store, project)
            check_place(folder)  # somebody may have put a file there meanwhile
            _replace(folder, fresh, old)
        finally:
            with suppress(OSError):  # it is not there any more, or the next export removes it
                _remove(fresh)
    except OSError as problem:
        raise Refused(f"No export was written to {folder}: {problem.strerror}.") from None


def _fill(fresh: Path, state: State, store: firestore.Firestore, project: str) -> None:
    # A draft has a manifest from the beginning: by it the next export knows it as one of ours.
    _write_json(fresh / MANIFEST, {"format": FORMAT})
    _write_bytes(fresh / IGNORE, b"*\n")
    form = state.form()  # before the data: a migration may end meanwhile, and none goes back
    # Keys first and last: whatever is in the data, its half is in one of the two.
    _copy_halves(state, fresh)
    store.export(project, fresh, NAME)
    _copy_halves(state, fresh)
    _close(fresh)
    for name in (KEYRING, ACCOUNT, CLOCK):
        if (state.folder / name).exists():
            _copy(state.folder / name, fresh / name)
    where = {"version": VERSION, "path": NAME, "metadata_file": DATA}
    _write_json(fresh / SUITES, {"version": VERSION, "firestore": where})
    _write_json(fresh / MANIFEST, _manifest(fresh, project, form))


def check(folder: Path, project: str) -> Export:
    """Read an export and check that it is whole, ours and of this project."""
    found = _read(folder)
    if found.get("format") != FORMAT:
        raise Refused(f"{folder} is no export of this host: {MANIFEST} says nothing of one.")
    if (form := found.get("version")) not in (FORMER, FORM):
        raise Refused(
            f"{folder} was made by another version (format {form}; this one reads {FORMER} and "
            f"{FORM}): import it with the version that made it."
        )
    _check_files(folder, found.get("files"))
    if (other := found.get("project")) != project:
        raise Refused(f"{folder} is of project {other}: add '--project {other}'.")
    return Export(folder, project, str(found.get("made_at")), form)


def restore(export: Export, state: State) -> None:
    """Give the state folder the keys, the account and the clock of an export."""
    for name in (KEYRING, ACCOUNT, CLOCK):
        state.drop(name)
    (state.folder / KEYS).mkdir(mode=0o700, exist_ok=True)
    for path in _files(export.folder):
        inside = path.relative_to(export.folder)
        if inside.parts[0] in {KEYRING, ACCOUNT, CLOCK, KEYS}:
            _copy(path, state.folder / inside)
    state.note_form(export.form)


def check_place(folder: Path) -> None:
    """Refuse a place that holds something else than an export, or something more."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise Refused(f"{folder} is no folder: nothing was exported.")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not _ours(folder):
        raise Refused(f"{folder} holds something else than an export: nothing was exported.")
    listed = _listed(folder).get("files")
    known = {MANIFEST, *(listed if isinstance(listed, dict) else ())}
    for path in _files(folder):
        if (name := str(path.relative_to(folder))) not in known:
            raise Refused(
                f"{folder} also holds {name}, which is not of the export there: move it "
                "elsewhere, or export to another folder. Nothing was exported."
            )


def refuse_kept_elsewhere(state: State, *, own_firestore: bool) -> None:
    """Refuse where data or keys are not this host's own: only a part could be exported."""
    given = [] if own_firestore else ["FIRESTORE_EMULATOR_HOST"]
    for name, path in (("CE_KEYRING", KEYRING), ("CE_KEY_STORE", KEYS), ("CE_CLOCK_FILE", CLOCK)):
        if os.environ.get(name, ours := str(state.folder / path)) != ours:
            given.append(name)
    if os.environ.get("CE_DATABASE", "(default)") != "(default)":
        given.append("CE_DATABASE")
    if given:
        raise Refused(
            f"{' and '.join(given)} names what is kept elsewhere: an export or import would hold "
            "only a part. Unset it first."
        )


def _read(folder: Path) -> dict[str, Any]:
    try:
        _put_back(folder)
        return _listed(folder)
    except ValueError:
        raise Refused(
            f"{folder} is damaged: {MANIFEST} is no JSON. Nothing was imported."
        ) from None
    except OSError:
        if not folder.is_dir():
            raise Refused(f"There is no export at {folder}.") from None
        why = "Firebase's suite made it, without the keys" if (folder / SUITES).exists() else "it"
        raise Refused(f"{folder} is no export of this host: {why} has no {MANIFEST}.") from None


def _listed(folder: Path) -> dict[str, Any]:
    """Read the manifest; raises OSError or ValueError where there is none to read."""
    found = json.loads((folder / MANIFEST).read_text())
    return found if isinstance(found, dict) else {}


def _ours(folder: Path) -> bool:
    """Whether the folder is an export, or a draft of one: its manifest says so."""
    try:
        return not folder.is_symlink() and _listed(folder).get("format") == FORMAT
    except (OSError, ValueError):
        return False


def _check_files(folder: Path, listed: Any) -> None:
    """Refuse an export some of whose files are missing, changed or added."""
    listed = listed if isinstance(listed, dict) else {}
    there = {str(path.relative_to(folder)): path for path in _files(folder)}
    for name in sorted({*listed, *there} - {MANIFEST} | {DATA}):
        if name not in there:
            fault = "is missing"
        elif name not in listed:
            fault = "does not belong to it"
        elif not (has := _hash(there[name])):
            fault = "is no file"
        elif has != listed[name]:
            fault = "was changed"
        else:
            continue
        raise Refused(f"{folder} is damaged: {name} {fault}. Nothing was imported.")


def _manifest(folder: Path, project: str, form: int) -> dict[str, Any]:
    files = {str(path.relative_to(folder)): _hash(path) for path in _files(folder)}
    files.pop(MANIFEST)
    made = datetime.now(UTC).isoformat(timespec="seconds")
    head = {"format": FORMAT, "version": form, "made_by": VERSION, "made_at": made}
    return {**head, "project": project, "about": HOLDS_KEYS, "files": files}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_symlink() or not path.is_dir())


def _hash(path: Path) -> str:
    """Give a file's hash; the empty string for a link, and for what is no file."""
    if path.is_symlink() or not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy_halves(state: State, fresh: Path) -> None:
    """Copy the halves that are not there yet, or were cut short; a half only grows.

    One that was confirmed meanwhile has a new name, and keeps its former one in the copy. One that
    was overwritten meanwhile is being destroyed: its copy stays, for the data may need it.
    """
    (fresh / KEYS).mkdir(mode=0o700, exist_ok=True)
    for half in (state.folder / KEYS).glob("*"):
        known = [fresh / KEYS / name for name in (half.stem, f"{half.stem}.new")]
        copy = next((path for path in known if path.exists()), fresh / KEYS / half.name)
        with suppress(FileNotFoundError):  # destroyed meanwhile
            content, before = half.read_bytes(), copy.read_bytes() if copy.exists() else b""
            if content != before and content.startswith(before):
                _write_bytes(copy, content)


def _copy(source: Path, target: Path) -> None:
    _write_bytes(target, source.read_bytes())


def _write_json(path: Path, data: dict[str, Any]) -> None:
    _write_bytes(path, json.dumps(data, indent=2).encode() + b"\n")


def _write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, for its owner only."""
    fresh = path.with_name(f".{path.name}.part")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600, exist_ok=False)
    fresh.write_bytes(content)
    fresh.replace(path)


def _close(folder: Path) -> None:
    """Take from everybody else what the Firestore emulator let them read."""
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _beside(folder: Path, what: str) -> Path:
    return folder.with_name(f".{folder.name}.reprieve-{what}")


def _replace(folder: Path, fresh: Path, old: Path) -> None:
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    try:
        _make_way(old)
    except OSError:
        raise Refused(
            f"Exported to {folder}, but the former export is still at {old}: remove it."
        ) from None


def _put_back(folder: Path) -> None:
    """Put back the former export, if replacing it was cut short."""
    old = _beside(folder, "old")
    if not os.path.lexists(folder) and _ours(old):
        old.rename(folder)


def _make_way(place: Path) -> None:
    """Remove what a replacement left behind; raises Refused where it is not ours."""
    if _ours(place):
        _remove(place)
    elif place.is_dir() and not place.is_symlink() and not any(place.iterdir()):
        place.rmdir()
    elif os.path.lexists(place):
        raise Refused(f"{place} is in the way and is no export: move it. Nothing was exported.")


def _remove(folder: Path) -> None:
    """Remove an export or a draft; its manifest last, so that what is left is known as ours."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != MANIFEST:
            path.unlink()
    (folder / MANIFEST).unlink(missing_ok=True)
    folder.rmdir()
