"""What `ce audit verify` does: hold an export against the log in it, offline.

The log is rebuilt from its bundles, entry by entry, and must have the root that is signed. Then
each of the account's entries must be what the log holds in its place, bound to the one before it,
and none may be missing. What a line tells is what its record says, no more and no less; of one
without a record nothing is believed. Formats are those of the auditor's file, which also reads the
notes.
"""

import json
import re
from base64 import b64decode
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ce import verify as auditor
from ce.call import Call
from ce.server import USAGE, Doc, Failure, files
from ce.text import emit
from ce.verbs.certificates import keys_of
from ce.verbs.exports import WIDTH, tiles
from ce.verbs.told import entries

LEAF, CHAIN, FIRST = b"reprieve/audit-leaf/v1\n", b"reprieve/audit-chain/v1\n", bytes(32)
FRAME = (32).to_bytes(2, "big")  # before each entry of a bundle: its length
FAILED = "FAILED: these entries are not what the log holds.\n({why})\n"
HELD = "OK: the entries are what the log holds.\n"
SHOWN = "OK: the entries that are shown are what the log holds.\n"
ERASED = "Erased     {count}: not shown, and what is told of them is not proved\n"
EXPORT = "codeengine.audit.export"  # what the export's own entry tells
need = auditor.need


class Log(NamedTuple):
    """A log as it was exported: what it is called, its entries, and who signed it."""

    origin: str
    root: bytes
    entries: list[bytes]
    seen: int  # witnesses that signed


def verify(call: Call) -> None:
    """Verify an export; exit with 1 where anything does not hold."""
    if call["dir"] is None:
        raise click.UsageError("Give DIR, the folder of an export.")
    folder, keys, kept = Path(call["dir"]), _keys(call), _kept(call)
    said = _document(folder / "export.json")
    try:
        lines, held = _verified(call, folder, said, keys, kept), True
    except OSError as error:
        why = f"Cannot read '{error.filename}' ({error.strerror})."
        raise Failure(why, exit_code=USAGE) from None
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, it does not hold
        lines, held = [FAILED.format(why=f"{type(error).__name__}: {error}")], False
    emit("".join(lines))
    click.get_current_context().exit(int(not held))


def _verified(
    call: Call, folder: Path, said: Doc, keys: list[Any], kept: re.Match[str] | None
) -> list[str]:
    need(type(said["epoch"]) is int, "the epoch is none")
    home = folder / "log" / str(said["epoch"])
    witnesses = [key for key in keys if key[2] == auditor.WITNESS]
    logs = [key for key in keys if key[2] == auditor.LOG]
    if call["key"] is None:
        trusted = (home / "keys").read_text("utf-8").splitlines()
        # What is no key would be taken for the name of a file.
        need(all(re.fullmatch(auditor.VKEY, one) for one in trusted), "a key is none")
        logs = [auditor.parsed_key(key, auditor.LOG) for key in trusted]
    log = _log(home, logs, witnesses)
    demanded = len(witnesses) if call["witnesses"] is None else call["witnesses"]
    need(log.seen >= demanded, f"{log.seen} of {demanded} witnesses demanded have signed it")
    lines = [f"Log        {log.origin}, {len(log.entries)} entries, {log.seen} witnesses\n"]
    if kept is not None:
        lines.append(_since(kept, log, logs))
    lines += _trail(entries(folder / "entries.jsonl"), said, log)
    if call["key"] is None:
        lines.append("The log's key is the export's own: compare it with one from elsewhere.\n")
    return lines


def _keys(call: Call) -> list[Any]:
    """Give the keys to trust. Raises Failure for one that is none, or of another type."""
    found = []
    for option, key in keys_of(call):
        kind = auditor.LOG if option == "--key" else auditor.WITNESS
        try:
            found.append(auditor.parsed_key(key, kind))
        except ValueError as error:
            raise Failure(f"{option}: it is no such key ({error}).", exit_code=USAGE) from None
    return found


def _kept(call: Call) -> re.Match[str] | None:
    """Give the last checkpoint of the file of --since. Raises Failure for what is no such file."""
    if call["since"] is None:
        return None
    why = "it holds something else than checkpoints"
    try:
        written = files.text(Path(call["since"]))
        kept = [*re.finditer(auditor.NOTE, written)]
        if kept and not re.sub(auditor.NOTE, "", written).strip("\n"):
            return kept[-1]
    except OSError as error:
        why = error.strerror or why
    except ValueError:
        pass
    raise Failure(f"--since: cannot read '{call['since']}' ({why}).", exit_code=USAGE)


def _log(home: Path, logs: list[Any], witnesses: list[Any]) -> Log:
    """Rebuild the log: its entries must have the root that is signed."""
    note = (home / "checkpoint").read_text("utf-8")
    text, origin, size, root, signatures = need(
        re.fullmatch(auditor.NOTE, note), "the checkpoint is not in its form"
    ).groups()[:5]
    seen = _signers(text, origin, signatures, [*logs, *witnesses])
    entries = [one for tile in tiles(int(size)) for one in _bundle((home / tile).read_bytes())]
    need(len(entries) == int(size), "a bundle is missing, or too long")
    need(_root(entries) == auditor.decoded(root, 32), "the entries have another root")
    return Log(origin, auditor.decoded(root, 32), entries, seen)


def _signers(text: str, origin: str, signatures: str, keys: list[Any]) -> int:
    """Give how many witnesses signed what one of the log's own keys signed; refuse all else."""
    found = _signed(text, signatures, keys)
    own = [key for key in keys if key[0] == origin and key[2:] in found]
    need(any(key[2] == auditor.LOG for key in own), "the log has not signed it")
    return sum(kind == auditor.WITNESS for kind, _ in found)


def _signed(text: str, lines: str, keys: list[Any]) -> set[tuple[int, bytes]]:
    """Give which keys, by type and key, signed a text; refuse a known key's wrong signature."""
    found = set()
    for _, name, written in (line.split(" ") for line in lines.splitlines()):
        data = auditor.decoded(written)
        for *_, kind, public in [key for key in keys if key[:2] == (name, data[:4])]:
            need(len(data) == auditor.SIZES[kind], "a signature is of another size")
            time = int.from_bytes(data[4:-64], "big")
            head = f"cosignature/v1\ntime {time}\n" if kind == auditor.WITNESS else ""
            Ed25519PublicKey.from_public_bytes(public).verify(data[-64:], (head + text).encode())
            found.add((kind, public))
    return found


def _since(kept: re.Match[str], log: Log, logs: list[Any]) -> str:
    """Hold the log against a checkpoint that was kept: it must be the beginning of this one."""
    text, origin, size, root, signatures = kept.groups()[:5]
    need(origin == log.origin, "the checkpoint that was kept is of another log")
    _signers(text, origin, signatures, logs)
    need(int(size) <= len(log.entries), "the log was longer: entries are gone")
    before = _root(log.entries[: int(size)])
    need(before == auditor.decoded(root, 32), "the log is another than it was")
    return f"Since      {size} entries, which are the beginning of these\n"


def _bundle(data: bytes) -> list[bytes]:
    size = len(FRAME) + 32
    cut = [data[at : at + size] for at in range(0, len(data), size)]
    need(len(cut) <= WIDTH, "a bundle is too long")
    fits = all(len(one) == size and one.startswith(FRAME) for one in cut)
    need(fits, "a bundle is not in its form")
    return [one[len(FRAME) :] for one in cut]


def _root(entries: Iterable[bytes]) -> bytes:
    """Give the root of the tree of entries (RFC 9162, section 2.1)."""
    full: list[tuple[int, bytes]] = []  # full subtrees, the largest first: height, root
    for entry in entries:
        height, here = 0, sha256(b"\x00" + entry).digest()
        while full and full[-1][0] == height:
            here, height = sha256(b"\x01" + full.pop()[1] + here).digest(), height + 1
        full.append((height, here))
    if not full:
        return sha256(b"").digest()
    _, root = full.pop()
    while full:
        root = sha256(b"\x01" + full.pop()[1] + root).digest()
    return root


def _trail(found: list[Doc], said: Doc, log: Log) -> list[str]:
    """Hold each entry against the log; of a whole account none may be missing."""
    covered = [one for one in found if one["index"] is not None and one["epoch"] == said["epoch"]]
    covered = [one for one in covered if one["index"] < len(log.entries)]
    covered.sort(key=lambda one: one["seq"])
    shown = [one for one in found if one["record"] is not None]
    own = next((one for one in shown if one["id"] == said["entry"] and one in covered), None)
    if own is None or own["action"] != EXPORT:
        raise ValueError("the entry of the export is not in the log")
    _scoped(shown, own, said)
    whole = own["project_id"] is None
    _chained(covered, log, whole=whole)
    erased = sum(one["record"] is None for one in covered)
    waiting = len(found) - len(covered)
    whose = "of the account" if whole else "of one project"
    whose += ", none missing" if whole and not erased else ""
    whose += f"; {waiting} more wait, or cannot be shown"
    whose += ": they are not proved" if waiting else ""
    return [
        f"Entries    {len(covered) - erased} {whose}\n",
        *([ERASED.format(count=erased)] if erased else []),
        f"Export     is entry {own['index']} of the log, number {own['seq']}\n",
        SHOWN if erased else HELD,
    ]


def _scoped(shown: list[Doc], own: Doc, said: Doc) -> None:
    """Refuse entries that are not of whom the export's own is, and an export.json that lies."""
    whose = ["account_id"] if own["project_id"] is None else ["account_id", "project_id"]
    for one in shown:
        need(all(one[name] == own[name] for name in whose), f"{one['id']!a} is another's")
    fits = said["project"] == own["project_id"] and said.get("at", own["at"]) == own["at"]
    need(fits, "export.json tells otherwise than the entry of the export")


def _chained(covered: list[Doc], log: Log, *, whole: bool) -> None:
    """Refuse an entry that is another than the log's; of a whole account, one that is missing."""
    chain, last = FIRST, 0
    for number, one in enumerate(covered, 1):
        entry, prev = log.entries[one["index"]], bytes.fromhex(one["prev"])
        need(one["seq"] > last, f"entry {last} is there twice")
        if whole:
            need(one["seq"] == number, f"entry {number} of the account is missing")
            need(prev == chain, f"entry {number} of the account does not follow the one before")
        if one["record"] is None:
            need(one["status"] == "erased", f"entry {one['seq']} is {one['status']!a}")
        else:
            _same(one, entry, prev)
        chain, last = sha256(CHAIN + prev + entry).digest(), one["seq"]
    # What has no record is in its place by the one after it alone.
    need(not whole or covered[-1]["record"] is not None, "the last entry has no record")


def _same(one: Doc, entry: bytes, prev: bytes) -> None:
    record = b64decode(one["record"], validate=True)
    place = bytes.fromhex(one["salt"]) + one["seq"].to_bytes(8, "big") + prev
    need(sha256(LEAF + place + record).digest() == entry, f"the log has another {one['id']!a}")


def _document(file: Path) -> Doc:
    try:
        found = json.loads(file.read_bytes())
        if isinstance(found, dict) and found.keys() >= {"entry", "project", "epoch"}:
            return found
    except OSError as error:
        raise Failure(f"Cannot read '{file}' ({error.strerror}).", exit_code=USAGE) from None
    except ValueError:
        pass
    raise Failure(f"'{file}' is of no export.", exit_code=USAGE)
