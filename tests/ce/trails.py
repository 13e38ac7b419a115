"""An export of an account's trail, as `ce audit export` writes it, of a log made here."""

import base64
import hashlib
import json

from shared.log import (
    FIRST,
    Checkpoint,
    Key,
    Note,
    Place,
    Tile,
    chained,
    dump,
    entry,
    leaf,
    tiles,
)
from shared.log.tiles import BUNDLE, bundle
from tests.support.certificates import AT, LOG, ORIGIN, cosign, statement

OWN = 5  # entries of the account, the last of which is the export's
GONE = 3  # the one that is a certificate
ACCOUNT, WHEN = "a1", "2026-11-30T00:00:00.000000Z"
EVERY = 7  # one of so many entries of the log is the account's


def export(folder, size=300, times=(AT,), project=None, skip=(), **own):
    """Write an export of a log of so many entries; `skip` leaves numbers of the account out.

    `own` is what the export's own entry says otherwise.
    """
    entries, told, chain = [], [], FIRST
    for index in range(size):
        number = index // EVERY + 1
        if index % EVERY or number > OWN:
            entries.append(hashlib.sha256(index.to_bytes(4, "big")).digest())
            continue
        place = Place(bytes([number]) * 16, number, chain)
        record, said = _record(number, project)
        if number == OWN:
            record, said = record | own, said | own
        here = entry(place, dump(record))
        entries.append(here)
        if number not in skip:
            told.append(_told(record, said, place, index))
        chain = chained(chain, here)
    _write(folder, entries, told, times)
    said = {"entry": f"e{OWN}", "at": WHEN, "project": project, "epoch": 1}
    (folder / "export.json").write_text(json.dumps(said))
    return str(Key.of(ORIGIN, LOG))


def _record(number, project):
    """Give the record of an entry of the account, and what the API tells of it."""
    if number == GONE:
        about = {"id": project or "p3", "account": ACCOUNT}
        changes = {f"predicate__project__{name}": value for name, value in about.items()}
        record = statement(**changes)
        said = {"id": f"{about['id']}.erase", "account_id": ACCOUNT, "project_id": about["id"]}
        said |= {"action": "codeengine.project.erase", "outcome": "success"}
        said |= {"initiator": "retention", "at": record["predicate"]["timeline"]["erased"]}
        return record, said
    action = "audit.export" if number == OWN else "secret.create"
    said = {"_type": "urn:reprieve:audit:v1", "id": f"e{number}", "action": f"codeengine.{action}"}
    said |= {"account_id": ACCOUNT, "project_id": project, "at": WHEN, "outcome": "success"}
    said |= {"initiator": "6cf9dbfe657ab702", "key_name": "ci", "suppressed": 1}
    return said | {"email": "ops@example.com"}, said


def _told(record, said, place, index):
    """Give an entry as the API tells it."""
    return said | {
        "record": base64.b64encode(dump(record)).decode(),
        "salt": place.salt.hex(),
        "prev": place.prev.hex(),
        "seq": place.seq,
        "epoch": 1,
        "index": index,
        "status": "sealed",
    }


def _write(folder, entries, told, times):
    home = folder / "log" / "1"
    home.mkdir(parents=True)
    (folder / "entries.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in told))
    (home / "checkpoint").write_text(checkpoint(entries, times))
    (home / "keys").write_text(f"{Key.of(ORIGIN, LOG)}\n")
    for number in range(0, len(entries), 256):
        cut = entries[number : number + 256]
        file = home / Tile(BUNDLE, number // 256, len(cut)).path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bundle(cut))


def checkpoint(entries, times=()):
    """Give a signed checkpoint of entries."""
    held = tiles.grown(0, [leaf(one) for one in entries], {}.__getitem__)
    made = Checkpoint(ORIGIN, len(entries), tiles.root(len(entries), held.__getitem__))
    signed = Note.parse(made.signed(LOG))
    seen = [cosign(signed.text, number, time) for number, time in enumerate(times, 1)]
    return Note(signed.text, (*signed.signatures, *seen)).write().decode()
