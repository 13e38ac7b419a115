"""An export that needs no host of its own: a real keyring, two halves, an account and a clock."""

import hashlib
import json
import uuid
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from emulator import exports, firestore
from emulator.clock import Clock
from emulator.state import State
from shared.keys import local

APIKEY = f"ce_{'0' * 16}_{'x' * 43}"
PROJECT = "demo-exported"  # nothing is in it, whichever Firestore exports


def kept_by(folder: Path, halves: int = 2) -> State:
    """Make a state folder of a host that has some projects."""
    state = State(folder)
    state.prepare()
    (folder / "keys").mkdir()
    ring = local.open_keyring(folder / "keyring.json", folder / "keys")
    for _ in range(halves):
        project = str(uuid.uuid4())
        ring.create(project, datetime.now(UTC))
        ring.confirm(project)
    state.write("credentials.json", {"account_id": "a" * 32, "apikey": APIKEY})
    Clock(folder / "clock").set(3600)
    state.note_form(2)
    return state


def write(folder: Path, state: State, store: firestore.Firestore) -> Path:
    """Export it."""
    exports.write(folder, state, store, PROJECT, nullcontext())
    return folder


def listed_anew(folder: Path, **changes: object) -> None:
    """Let the manifest list whatever is there, as somebody would who wants it to be imported."""
    path = folder / exports.MANIFEST
    there = [at for at in exports.walk(folder) if at.is_file() and not at.is_symlink()]
    found = {str(at.relative_to(folder)): hashlib.sha256(at.read_bytes()) for at in there}
    hashes = {name: hash_.hexdigest() for name, hash_ in found.items() if name != path.name}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"files": hashes} | changes))
