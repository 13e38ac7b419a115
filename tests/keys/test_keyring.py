"""Keys: made once, private, useless by halves, and gone when destroyed; in either back end."""

import base64
import json
import os
import resource
import signal
import stat
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared import quotas
from shared.errors import Error
from shared.keys import Undecryptable, commitment
from shared.keys.local import FileKeyStore, open_keyring
from tests.support import ROOT
from tests.support.keyrings import rotated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ID, OTHER = "25bbfb75-e821-4338-9413-d432c6e55f85", "35bbfb75-e821-4338-9413-d432c6e55f85"
OPEN = (
    "import sys; from pathlib import Path; from shared.keys.local import open_keyring;"
    "sys.stdin.read(1);"
    "print(open_keyring(Path(sys.argv[1]), Path(sys.argv[2])).verifying_key.hex())"
)


def mode(path):
    """Give a file's permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def full_disk(size=0):
    """Let no file grow beyond some bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


@contextmanager
def expect_out_of_reach():
    """Require Error `unavailable`, whose message names no file."""
    with pytest.raises(Error) as refused:
        yield
    assert refused.value.code == "unavailable"
    assert refused.value.headers == {"Retry-After": "1"}
    assert refused.value.message == "The key store does not answer: try again."


def expect_undecryptable(ring, project_id, record):
    """Require that no data key is given."""
    with pytest.raises(Undecryptable) as refused:
        ring.open(project_id, record)
    assert str(refused.value) == ""


def test_made_at_first_use(file, ring):
    """The keyring file is its owner's alone, in a folder of its owner's alone, and whole."""
    stored = json.loads(file.read_text())
    assert mode(file) == 0o600
    assert mode(file.parent) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["keyring.json"]
    assert stored["current"] in stored["keks"]
    assert len(base64.b64decode(stored["keks"][stored["current"]])) == 32
    assert len(base64.b64decode(stored["signing_key"])) == 32
    assert len(ring.verifying_key) == 32


def test_stays_as_it_is(file, folder, ring):
    """A keyring file that is there is opened and not touched."""
    before, when = file.read_bytes(), file.stat().st_mtime_ns
    again = open_keyring(file, folder)
    assert again.verifying_key == ring.verifying_key
    assert (file.read_bytes(), file.stat().st_mtime_ns) == (before, when)


def test_no_two_alike(tmp_path, ring):
    """Another keyring has other keys."""
    other = open_keyring(tmp_path / "other.json", tmp_path / "others")
    assert other.verifying_key != ring.verifying_key


@pytest.mark.slow
def test_first_use_by_processes(file, folder):
    """Eight processes that start at once end with one keyring."""
    command = [sys.executable, "-c", OPEN, str(file), str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "cwd": ROOT}
    started = [subprocess.Popen(command, **pipes) for _ in range(8)]
    for process in started:
        process.stdin.write(b"x")
        process.stdin.flush()
    said = {process.communicate(timeout=60)[0] for process in started}
    assert [process.returncode for process in started] == [0] * 8
    assert said == {open_keyring(file, folder).verifying_key.hex().encode() + b"\n"}
    assert [path.name for path in file.parent.iterdir()] == ["keyring.json"]


def test_first_use_by_threads(file, folder):
    """Eight threads that start at once end with one keyring."""
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: open_keyring(file, folder), range(8)))
    assert len({ring.verifying_key for ring in rings}) == 1
    assert [path.name for path in file.parent.iterdir()] == ["keyring.json"]


def test_half_at_rest(folder, ring):
    """A half is a 0600 file called new until its project is known to be stored."""
    ring.create(ID, NOW)
    assert [path.name for path in folder.iterdir()] == [f"{ID}.new"]
    assert mode(folder / f"{ID}.new") == 0o600
    ring.confirm(ID)
    ring.confirm(ID)
    assert [path.name for path in folder.iterdir()] == [ID]
    assert mode(folder / ID) == 0o600


@pytest.mark.parametrize("confirmed", [False, True])
def test_round_trip(vault, confirmed):
    """A project's key is the same in every process, confirmed or not, and 32 bytes long."""
    ring = vault.ring
    record = ring.create(ID, NOW)
    if confirmed:
        ring.confirm(ID)
    key = ring.open(ID, record)
    assert len(key) == 32
    assert vault.again().open(ID, record) == key == ring.open(ID, record)
    assert vault.again().verifying_key == ring.verifying_key
    assert record.pop("commitment") == commitment(ID, vault.half(ID))
    assert record.keys() == {"kek", "wrapped", "generation", "created_at"}
    assert (record["generation"], record["created_at"]) == (1, NOW)


def test_the_record_holds_no_key(vault):
    """What goes into Firestore is neither the key, nor a half in clear, nor the other half."""
    record = vault.ring.create(ID, NOW)
    half = vault.half(ID)
    assert len(half) == 32
    assert vault.ring.open(ID, record) not in record["wrapped"]
    assert half not in record["wrapped"]
    assert len(record["wrapped"]) >= 40


def test_keys_differ(vault):
    """Every project has its own key."""
    ring, names = vault.ring, [f"{ID[:-2]}{n}" for n in range(9)]
    assert len({ring.open(name, ring.create(name, NOW)) for name in names}) == 9


@pytest.mark.parametrize("cached", [False, True])
def test_destroyed(vault, cached):
    """After destruction nothing opens, not even from memory, and no half is left."""
    ring = vault.ring
    record = ring.create(ID, NOW)
    ring.confirm(ID)
    if cached:
        ring.open(ID, record)
    ring.destroy(ID)
    expect_undecryptable(ring, ID, record)
    assert vault.halves() == set()


def test_destroyed_before_it_was_confirmed(vault):
    """A half whose project never came to be is destroyed like any other."""
    record = vault.ring.create(ID, NOW)
    vault.ring.destroy(ID)
    expect_undecryptable(vault.ring, ID, record)
    assert vault.halves() == set()


def test_destroying_overwrites(folder, ring, tmp_path):
    """The bytes of a half are overwritten before the file is unlinked."""
    ring.create(ID, NOW)
    ring.confirm(ID)
    os.link(folder / ID, tmp_path / "witness")
    size = (folder / ID).stat().st_size
    ring.destroy(ID)
    assert (tmp_path / "witness").read_bytes() == b"\0" * size


@pytest.mark.parametrize("times", [1, 2, 3])
def test_destroying_again(vault, times):
    """Destroying what is destroyed, or never was, succeeds, and touches no other project."""
    ring = vault.ring
    record = ring.create(OTHER, NOW)
    ring.create(ID, NOW)
    for _ in range(times):
        ring.destroy(ID)
    ring.destroy("never")
    assert ring.open(OTHER, record)
    assert vault.halves() == {OTHER}


def test_destroying_without_a_folder(folder, ring):
    """Where there is no key store nothing is destroyed, and no folder is made."""
    folder.rmdir()
    for act in (ring.destroy, ring.holds, lambda name: ring.create(name, NOW)):
        with expect_out_of_reach():
            act(ID)
    assert not folder.exists()


@pytest.mark.parametrize(
    "damage", [lambda half: half[:0], lambda half: half[:-1], lambda half: half * 2]
)
def test_damaged_second_half(vault, damage):
    """A half that was cut or grew gives no key, or at least not the project's."""
    ring = vault.ring
    record = ring.create(ID, NOW)
    key = ring.open(ID, record)
    ring._memory._kept.clear()
    vault.damage(ID, damage)
    found = key
    with suppress(Undecryptable):
        found = None
        found = ring.open(ID, record)
    assert found != key


def test_half_with_line_feeds(folder):
    """A half is bytes: line feeds in it are part of it."""
    store = FileKeyStore(folder)
    half = b"\n\n" + b"x" * 29 + b"\n"
    store.put(ID, half, NOW)
    assert store.get(ID) == half


def test_first_half_of_another_project(vault):
    """A wrapped half moved to another project gives the key of neither, or none at all."""
    ring = vault.ring
    record, other = ring.create(ID, NOW), ring.create(OTHER, NOW)
    keys = {ring.open(ID, record), ring.open(OTHER, other)}
    with suppress(Undecryptable):  # which of the two is the back end's
        assert ring.open(OTHER, record) not in keys
    assert len(keys) == 2


def test_both_halves_of_another_project(folder, ring):
    """Even with both halves moved, a project's key opens nothing for another."""
    record = ring.create(ID, NOW)
    (folder / OTHER).write_bytes((folder / f"{ID}.new").read_bytes())
    assert ring.open(OTHER, record) != ring.open(ID, record)


@pytest.mark.parametrize(
    "change",
    [
        {"kek": "unknown"},
        {"wrapped": b""},
        {"wrapped": b"x" * 39},
        {"wrapped": b"x" * 40},
        {"wrapped": b"x" * 48},
    ],
)
def test_damaged_record(vault, change):
    """A record with an unknown key-encryption key or damaged bytes gives no key."""
    expect_undecryptable(vault.ring, ID, vault.ring.create(ID, NOW) | change)


@pytest.mark.claim("T1", "a data key's record changed in any bit opens nothing")
def test_flipped_record(vault):
    """No byte of a wrapped half can be changed."""
    record = vault.ring.create(ID, NOW)
    for position in range(len(record["wrapped"])):
        flipped = bytearray(record["wrapped"])
        flipped[position] ^= 1
        expect_undecryptable(vault.ring, ID, record | {"wrapped": bytes(flipped)})


@pytest.mark.claim("F29", "halves under another key-encryption key are not opened")
def test_wrong_key_encryption_key(vault):
    """Under another key-encryption key of the same name nothing is unwrapped."""
    record = vault.ring.create(ID, NOW)
    vault.other_material()
    expect_undecryptable(vault.again(), ID, record)


def test_older_key_encryption_key(vault):
    """After a rotation, what was wrapped before still opens, and new halves use the new key."""
    ring = vault.ring
    record = ring.create(ID, NOW)
    key = ring.open(ID, record)
    new = rotated(ring)
    assert new != record["kek"]
    again = vault.again()
    assert again.open(ID, record) == key
    assert again.create(OTHER, NOW)["kek"] == new
    changed = record | ring.rewrap(ID, record, new)
    assert (changed["kek"], changed["wrapped"] == record["wrapped"]) == (new, False)
    assert again.open(ID, changed) == key
    assert ring.rewrap(ID, changed, new) == {}


def test_put_where_no_folder_can_be(file, tmp_path):
    """A key store that cannot be written is unavailable."""
    (tmp_path / "blocked").write_text("")
    ring = open_keyring(file, tmp_path / "blocked" / "keys")
    with expect_out_of_reach():
        ring.create(ID, NOW)


@pytest.mark.claim("F22", "a key half that is not written whole is none: the create fails")
def test_put_on_a_full_disk(ring):
    """A half that cannot be written whole is no half: the create fails."""
    ring.create(OTHER, NOW)
    with full_disk(), expect_out_of_reach():
        ring.create(ID, NOW)


@pytest.mark.claim("F22", "a key half of which a part fits is none: the create fails")
def test_put_on_an_almost_full_disk(ring):
    """A half of which only a part fits on the disk is no half: the create fails."""
    ring.create(OTHER, NOW)
    with full_disk(40), expect_out_of_reach():
        ring.create(ID, NOW)


def test_put_twice(vault):
    """A half that is there is never overwritten."""
    ring = vault.ring
    record = ring.create(ID, NOW)
    key = ring.open(ID, record)
    with expect_out_of_reach():
        ring.create(ID, NOW)
    assert vault.again().open(ID, record) == key


@pytest.mark.parametrize("verb", ["open", "destroy"])
def test_store_that_is_no_folder(file, folder, ring, verb):
    """A key store that cannot be read is unavailable, and not empty."""
    record = ring.create(ID, NOW)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_text("")
    fresh = open_keyring(file, folder)
    with expect_out_of_reach():
        fresh.open(ID, record) if verb == "open" else fresh.destroy(ID)


def test_half_that_cannot_be_unlinked(folder, ring):
    """What is still there after destroying is told, not passed over."""
    ring.create(ID, NOW)
    ring.confirm(ID)
    (folder / ID).unlink()
    (folder / ID).mkdir()
    with expect_out_of_reach():
        ring.destroy(ID)


def test_unconfirmed(vault):
    """Halves older than a moment are given while their project is not known to be stored."""
    ring = vault.ring
    for number, age in enumerate((3, 2, 1)):
        ring.create(numbered(number), NOW - age * HOUR)
    ring.confirm(numbered(0))
    found = {
        hours: sorted(ring.unconfirmed(NOW - hours * HOUR, 10)) for hours in (0, 1, 1.5, 2, 2.5)
    }
    first, second = numbered(1), numbered(2)
    assert found == {0: [first, second], 1: [first], 1.5: [first], 2: [], 2.5: []}


def test_confirmed(vault, monkeypatch):
    """Page by page all whose project is stored; what is new, or no half, is not among them."""
    monkeypatch.setattr(quotas, "DUE_BATCH", 2)
    for number in range(6):
        vault.ring.create(numbered(number), NOW)
        if number:
            vault.ring.confirm(numbered(number))
    found, start = vault.ring.confirmed("")
    assert len(found) == 2
    while start:
        page, start = vault.ring.confirmed(start)
        found += page
    assert sorted(found) == [numbered(number) for number in range(1, 6)]


def numbered(number):
    """Give the id of a project that is its number."""
    return str(uuid.UUID(int=number))


@pytest.mark.parametrize("name", [".new", "..new", "__x__.new", "d.new", f"{'d' * 36}.new"])
def test_what_is_no_half(folder, ring, name):
    """What else lies in the folder, a folder of its own included, is left alone."""
    ring.create(OTHER, NOW - 2 * HOUR)
    (folder / name).mkdir()
    assert ring.unconfirmed(NOW - HOUR, 10) == [OTHER]


@pytest.mark.parametrize("content", [b"", b"2", b"2026-11", b"2026-11-2"])
def test_unconfirmed_half_written(folder, ring, content):
    """A file that a crash cut short is an orphan at once."""
    ring.create(OTHER, NOW)
    (folder / f"{ID}.new").write_bytes(content)
    assert ring.unconfirmed(NOW - HOUR, 10) == [ID]


@pytest.mark.parametrize(
    "content",
    [
        *(b"2026-11-23", b"2026-11-23T1", b"2026-11-23T12", b"2026-11-23T12:00:00+0"),
        *(b"rubbish of some length\n", b"\xff" * 30, b"\0" * 65),
    ],
)
def test_unconfirmed_cut_within_its_time(folder, ring, content):
    """A file cut within its time, or damaged, does not stop the others from being found."""
    ring.create(OTHER, NOW - 2 * HOUR)
    (folder / f"{ID}.new").write_bytes(content)
    assert OTHER in ring.unconfirmed(NOW - HOUR, 10)


def test_unconfirmed_limit(vault):
    """No more are given than asked for."""
    for number in range(7):
        vault.ring.create(numbered(number), NOW)
    assert len(vault.ring.unconfirmed(NOW + HOUR, 5)) == 5


def test_unconfirmed_without_a_project(vault):
    """Where no project was ever made, there is none to settle."""
    assert vault.ring.unconfirmed(NOW, 10) == []


def test_paths_of_a_project_stay_inside(folder):
    """The key store's files lie in its folder and nowhere else."""
    FileKeyStore(folder).put(ID, b"h" * 32, NOW)
    assert {path.parent for path in Path(folder).rglob("*")} == {folder}
