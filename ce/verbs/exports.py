"""What `ce audit export` and `checkpoint` fetch: the account's entries, and the log of them.

An export is an entry itself. It begins with that one, waits until the log has it, and only then
reads: what was done before it must be in what is written, with no number missing.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import click

from ce.call import Call
from ce.server import FAILED, USAGE, Doc, Failure, path
from ce.verbs.dialog import say, wait
from ce.verbs.trail import ACTION, ENTRIES

EXPORTS, LOG, OWN_KEY = "/v1/audit_exports", "/v1/log", "/v1/apikeys/self"
EPOCHS = range(1, 17)  # in which a checkpoint is looked for: only the log in use has one
WIDTH = 256  # entries of a full bundle
NOTE = re.compile(r"(\S+)\n(0|[1-9][0-9]{0,18})\n(\S+)\n\n(?:— \S+ \S+\n)+")
NO_LOG = "The log has no checkpoint yet: there is one within minutes of the first entry."


def checkpoint(call: Call) -> Doc:
    """Get the newest checkpoint; with --append keep it, if the log is still the one that was."""
    say(call)
    _, note = _newest(call)
    if call["append"] is not None:
        _append(Path(call["append"]), note)
    origin, size, root = _read(note)
    return {"origin": origin, "size": size, "root": root, "checkpoint": note}


def export(call: Call) -> Doc:
    """Write the account's entries and the log to a folder, after an entry of that itself."""
    if call["dir"] is None:
        raise click.UsageError("Give DIR, a folder that is new or empty.")
    folder = _folder(Path(call["dir"]))
    say(call, name=str(folder))
    scope = call.client.get(OWN_KEY).get("scope")
    begun = call.client.post(EXPORTS, {})
    wait(
        call, "for the log to have the export", lambda: _status(call, begun), frozenset({"sealed"})
    )
    lines = [json.dumps(one, ensure_ascii=False) for one in _entries(call)]
    epoch, note = _newest(call)
    said = {"entry": begun["id"], "at": begun["at"], "project": scope, "epoch": epoch}
    home = folder / "log" / str(epoch)
    _write(folder / "entries.jsonl", "".join(f"{line}\n" for line in lines).encode())
    _write(home / "checkpoint", note.encode())
    _write(home / "keys", call.client.raw(f"{LOG}/{epoch}/keys"))
    for tile in tiles(int(_read(note)[1])):
        _write(home / tile, call.client.raw(f"{LOG}/{epoch}/{tile}"))
    from ce import verify as auditor  # noqa: PLC0415 - slow to import, and for this alone

    _write(folder / "verify.py", Path(auditor.__file__).read_bytes())
    _write(folder / "export.json", f"{json.dumps(said)}\n".encode())
    return {"entries": str(len(lines)), "size": _read(note)[1], "name": str(folder), **said}


def tiles(size: int) -> Iterator[str]:
    """Give the paths of a log's bundles of entries, the last of which may be partial."""
    for number in range(-(-size // WIDTH)):
        width = min(WIDTH, size - number * WIDTH)
        yield f"tile/entries/{_numbered(number)}" + (f".p/{width}" if width < WIDTH else "")


def _numbered(number: int) -> str:
    """Write a tile's number as paths have it: in groups of three digits (C2SP tlog-tiles)."""
    written = f"{number % 1000:03}"
    while number := number // 1000:
        written = f"x{number % 1000:03}/{written}"
    return written


def _newest(call: Call) -> tuple[int, str]:
    """Give the newest checkpoint, and the epoch of the log that it is of."""
    for epoch in EPOCHS:
        try:
            return epoch, call.client.raw(path("v1", "log", str(epoch), "checkpoint")).decode()
        except Failure as failure:
            if failure.status != 404:
                raise
        except ValueError:
            break
    raise Failure(NO_LOG)


def _read(note: str) -> tuple[str, str, str]:
    found = NOTE.fullmatch(note)
    if found is None:
        raise Failure("The log's checkpoint is none.")
    return found[1], found[2], found[3]


def _append(file: Path, note: str) -> None:
    """Add a checkpoint to a file of them. Raises Failure for a log that is another than it was."""
    try:
        if file.exists() and not file.is_file():
            raise Failure(f"'{file}' is no file: nothing was added.", exit_code=USAGE)
        kept = file.read_bytes().decode() if file.exists() else ""
        before = [*NOTE.finditer(kept)]
        if "".join(f"{one[0]}\n" for one in before) != kept:
            said = "does not hold checkpoints alone, each whole and a blank line after it"
            raise Failure(f"'{file}' {said}: nothing was added.", exit_code=USAGE)
        if before:
            _grown(before[-1], *_read(note))
        if not before or before[-1][0] != note:
            with file.open("a", encoding="utf-8") as opened:
                opened.write(f"{note}\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not in UTF-8"
        raise Failure(f"Cannot add to '{file}' ({why}).", exit_code=FAILED) from None


def _grown(before: re.Match[str], origin: str, size: str, root: str) -> None:
    """Refuse a log that cannot be one that has grown; that it is one, `audit verify` finds out."""
    if before[1] != origin:
        raise Failure(f"The log is {origin}, and was {before[1]}: keep each in a file of its own.")
    if int(size) < int(before[2]):
        raise Failure(f"The log has {size} entries, and had {before[2]}: entries are gone.")
    if size == before[2] and root != before[3]:
        raise Failure(f"The log has {size} entries, as it had, and they are others.")


def _entries(call: Call) -> Iterator[Doc]:
    return call.client.pages(ENTRIES, "audit_entries", limit="200")


def _status(call: Call, begun: Doc) -> str:
    """Tell how far the export's own entry is: sealed, once a checkpoint covers it."""
    asked = {"action": f"{ACTION}audit.export", "since": begun["at"]}
    for one in call.client.pages(ENTRIES, "audit_entries", **asked):
        if one["id"] == begun["id"]:
            if one["status"] not in {"waiting", "sealed"}:
                raise Failure("The log refuses the entry of this export.")
            covered = one["index"] is not None and one["index"] < int(_read(_newest(call)[1])[1])
            return "sealed" if covered else "waiting"
    raise Failure("The trail does not hold the entry of this export.")


def _folder(folder: Path) -> Path:
    """Give a folder that is new or empty."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise Failure(f"'{folder}' is not empty: give a new folder.", exit_code=USAGE)
    except OSError as error:
        why = f"'{folder}' can be no folder ({error.strerror})."
        raise Failure(why, exit_code=USAGE) from None
    return folder


def _write(file: Path, content: bytes) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "wb") as opened:
            opened.write(content)
    except OSError as error:
        raise Failure(f"Cannot write '{file}' ({error.strerror}).") from None
