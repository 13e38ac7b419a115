"""Exports: a host's data, keys, first account and clock in one folder; `imports` reads them.

An export is one snapshot: nobody changes what it holds while it is taken, or it is taken again. It
is written beside its place and renamed, so that it is whole or not there. It holds the key halves
too, without which its secrets could not be read: no purge reaches into it, and importing it brings
back what was destroyed since. It must never replace or remove what is no export, nor a file that
is not of it.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emulator import VERSION, Refused, files, firestore
from emulator.state import CLOCK, KEYRING, KEYS, NOTE, State

FORMAT = "reprieve-local-host"
MANIFEST = "reprieve-export.json"
SUITES = "firebase-export-metadata.json"  # by which Firebase's suite imports the documents, too
NAME = "firestore_export"
DATA = f"{NAME}/{NAME}.overall_export_metadata"
MOST = 1 << 25  # bytes of the manifest: a line of a hundred for each of the files there can be
TAKES = 5  # snapshots that are tried
IGNORE = ".gitignore"  # `git add -A` must not commit the keys
HOLDS_KEYS = (
    "It holds every key: who can read this folder can read every secret in it. No purge reaches "
    "into it; delete it when nothing in it may come back."
)


def write(
    folder: Path,
    state: State,
    store: firestore.Firestore,
    project: str,
    alone: AbstractContextManager[None],
) -> None:
    """Export a host's data and keys to a folder; replaces an export that is there.

    `alone` keeps the host's own functions from writing. Raises Refused; then nothing was exported.
    """
    check_place(folder)
    fresh, old = _beside(folder, "new"), _beside(folder, "old")
    try:
        put_back(folder)
        _make_way(fresh)
        _make_way(old)
        fresh.mkdir(mode=0o700, parents=True)
        with _ours_alone(fresh):
            try:
                with alone:
                    _take(fresh, state, store, project)
                    check_place(folder)  # somebody may have put a file there meanwhile
                    if folder.exists():
                        folder.rename(old)
                    fresh.rename(folder)
                os.sync()  # before the former export goes
            finally:
                put_back(folder)
                with suppress(OSError):  # it is not there any more, or the next export removes it
                    _remove(fresh)
    except OSError as problem:
        raise Refused(f"No export was written to {folder}: {problem.strerror}.") from None
    try:
        _make_way(old)
    except OSError:
        raise Refused(
            f"Exported to {folder}, but the former export is still at {old}: remove it."
        ) from None


def _take(fresh: Path, state: State, store: firestore.Firestore, project: str) -> None:
    """Write the snapshot: what is kept beside the documents is the same before and after them.

    Programs beside the host may make and destroy keys meanwhile. Then all is taken again: the
    documents may need a key made since, and a half destroyed since must not be in the export.
    """
    for _ in range(TAKES):
        # A draft has a manifest from the beginning: by it the next export knows it as one of ours.
        _write_json(fresh / MANIFEST, {"format": FORMAT})
        _empty(fresh)
        kept, form = state.kept(), state.form()
        store.export(project, fresh, NAME)
        _close(fresh)
        (fresh / KEYS).mkdir(mode=0o700)
        for name in kept.keys() - {NOTE}:
            files.write(fresh / name, kept[name])
        files.write(fresh / IGNORE, b"*\n")
        where = {"version": VERSION, "path": NAME, "metadata_file": DATA}
        _write_json(fresh / SUITES, {"version": VERSION, "firestore": where})
        _write_json(fresh / MANIFEST, _manifest(fresh, project, form))
        if state.kept() == kept:
            return
    raise Refused(
        "A program beside this host makes or destroys keys all the time: nothing was exported. "
        "Stop it, or try again."
    )


def check_place(folder: Path) -> None:
    """Refuse a place that holds something else than an export, or something more."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise Refused(f"{folder} is no folder: nothing was exported.")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not _ours(folder):
        raise Refused(f"{folder} holds something else than an export: nothing was exported.")
    names = listed(folder).get("files")
    known = {MANIFEST, *(names if isinstance(names, dict) else ())}
    for path in walk(folder):
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


def listed(folder: Path) -> dict[str, Any]:
    """Read the manifest; raises OSError or Refused where there is none to read."""
    return files.document(folder / MANIFEST, files.read(folder / MANIFEST, MOST))


def walk(folder: Path) -> Iterator[Path]:
    """Give what lies in a folder and in those within, but for the folders themselves."""
    left = [folder]
    while left:
        for path in sorted(left.pop().iterdir()):
            if path.is_dir() and not path.is_symlink():
                left.append(path)
            else:
                yield path


def _ours(folder: Path) -> bool:
    """Whether the folder is an export, or a draft of one: its manifest says so."""
    try:
        return not folder.is_symlink() and listed(folder).get("format") == FORMAT
    except (OSError, Refused):
        return False


def _manifest(folder: Path, project: str, form: int) -> dict[str, Any]:
    hashes = {str(path.relative_to(folder)): _hash(path) for path in walk(folder)}
    hashes.pop(MANIFEST)
    made = datetime.now(UTC).isoformat(timespec="seconds")
    head = {"format": FORMAT, "version": form, "made_by": VERSION, "made_at": made}
    return {**head, "project": project, "about": HOLDS_KEYS, "files": hashes}


def _hash(path: Path) -> str:
    with files.opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_json(path: Path, data: dict[str, Any]) -> None:
    files.replace(path, json.dumps(data, indent=2).encode() + b"\n")


def _close(folder: Path) -> None:
    """Take from everybody else what the Firestore emulator let them read."""
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _beside(folder: Path, what: str) -> Path:
    return folder.with_name(f".{folder.name}.reprieve-{what}")


def put_back(folder: Path) -> None:
    """Put back the former export, if replacing it was cut short."""
    old = _beside(folder, "old")
    if not os.path.lexists(folder) and _ours(old):
        old.rename(folder)


def _make_way(place: Path) -> None:
    """Remove what a replacement left behind; raises Refused where it is not ours."""
    if _ours(place):
        with _ours_alone(place):
            _remove(place)
    elif place.is_dir() and not place.is_symlink() and not any(place.iterdir()):
        place.rmdir()
    elif os.path.lexists(place):
        raise Refused(f"{place} is in the way and is no export: move it. Nothing was exported.")


@contextmanager
def _ours_alone(draft: Path) -> Iterator[None]:
    """Be the one who writes or removes a draft; the kernel lets go when the process dies."""
    descriptor = os.open(draft, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"Another export is being written at {draft}: try again.") from None
        yield
    finally:
        os.close(descriptor)


def _remove(folder: Path) -> None:
    """Remove an export or a draft; its manifest last, so that what is left is known as ours."""
    _empty(folder)
    (folder / MANIFEST).unlink(missing_ok=True)
    folder.rmdir()


def _empty(folder: Path) -> None:
    """Remove all but the manifest."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != MANIFEST:
            path.unlink()
