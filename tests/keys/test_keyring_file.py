"""The keyring file damaged, lost, replaced: no key is made or used, and the log says which file."""

import base64
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.errors import Error
from shared.keys.local import open_keyring
from shared.keys.local.keyring_file import FileWrapper
from tests.keys.test_keyring import ID, NOW, full_disk
from tests.support import wired, with_key
from tests.support.keyrings import rotated
from tests.upkeep.test_key_rotation import again, make, value

SECRET = "canary-in-a-keyring-file"
KEY = base64.b64encode(b"k" * 32).decode()


def whole(**changes):
    """Give the content of a keyring file, but for some members; None leaves one out."""
    stored = {"current": "a", "keks": {"a": KEY}, "signing_key": KEY, "canary": SECRET} | changes
    return json.dumps({name: given for name, given in stored.items() if given is not None})


DAMAGED = {
    "empty": "",
    "no JSON": SECRET,
    "cut short": whole()[:-30],
    "too deep": "[" * 100_000,
    "an object of nothing": "{}",
    "no object": f'["{SECRET}"]',
    "no UTF-8": b"\xff\xfe" + whole().encode(),
    "no keks": whole(keks=None),
    "keks of another type": whole(keks=[SECRET]),
    "no current": whole(current=None),
    "current of another type": whole(current=[SECRET]),
    "current unknown": whole(current="b"),
    "no signing key": whole(signing_key=None),
    "signing key no text": whole(signing_key=7),
    "no base64": whole(keks={"a": SECRET}),
    "base64 with rubbish in it": whole(keks={"a": KEY[:10] + "!\n" + KEY[10:]}),
    "a key too short": whole(keks={"a": KEY[:-8] + "="}),
    "a key too long": whole(signing_key=base64.b64encode(b"k" * 33).decode()),
    "a key no text": whole(keks={"a": KEY, "b": None}),
    "retired of another type": whole(retired=[SECRET]),
    "retired unknown": whole(retired={"b": NOW.isoformat()}),
    "retired and current": whole(retired={"a": NOW.isoformat()}),
    "retired at no time": whole(keks={"a": KEY, "b": KEY}, retired={"b": SECRET}),
    "retired without a zone": whole(keks={"a": KEY, "b": KEY}, retired={"b": "2026-11-23"}),
    "public keys of another type": whole(verifying_keys=SECRET),
    "a public key that is none": whole(verifying_keys=[SECRET]),
}


def refused(act):
    """Require Error `unavailable` of an act, which tells the client neither file nor content."""
    with pytest.raises(Error) as error:
        act()
    assert (error.value.code, error.value.headers) == ("unavailable", {"Retry-After": "5"})
    assert error.value.message == "The keys of this store are not at hand."
    assert error.value.__suppress_context__ or error.value.__context__ is None


def told(caplog, file):
    """Require one line of the log, CRITICAL, that names the file and shows nothing of it."""
    (line,) = [json.loads(record.message) for record in caplog.records]
    assert line["severity"] == "CRITICAL"
    assert str(file) in line["message"]
    assert not any(text in caplog.text for text in (SECRET, KEY[:12]))
    caplog.clear()


def uses(ring):
    """Give all that takes a key of the file."""
    record = {"kek": "a", "wrapped": b"w" * 40, "generation": 1}
    return {
        "create": lambda: ring.create(ID, NOW),
        "open": lambda: ring.open(ID, record),
        "rewrap": lambda: ring.rewrap(ID, record, "b"),
        "keks": ring.keks,
        "add": lambda: ring.add_kek("a", NOW),
        "remove": lambda: ring.remove_kek("a"),
        "sign": lambda: ring.sign(b"m"),
        "verify": lambda: ring.verifying_keys,
    }


@pytest.mark.claim("F55", "a damaged keyring file: 503, CRITICAL, the file named and not shown")
def test_damaged(file, folder, caplog, subtests):
    """Whatever is wrong with it nothing is made or used, and it stays; mended, it serves."""
    file.parent.mkdir(parents=True)
    for name, content in DAMAGED.items():
        with subtests.test(name):
            raw = content if isinstance(content, bytes) else content.encode()
            file.write_bytes(raw)
            ring = open_keyring(file, folder)
            for act in uses(ring).values():
                refused(act)
            told(caplog, file)
            assert file.read_bytes() == raw
            file.write_text(whole())
            ring.create(ID, NOW)
            ring.destroy(ID)
    assert list(folder.iterdir()) == []


def denied(*_):
    """Fail as where a file may not be read; who runs the tests may read everything."""
    raise PermissionError(13, "Permission denied")


PUT_THERE = {
    "nothing": lambda _: None,
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link to nothing": lambda file: file.symlink_to(file.parent / "nowhere"),
}


@pytest.mark.parametrize("kind", PUT_THERE)
def test_no_file(file, folder, caplog, kind):
    """What is no file any more is refused and not made anew; put back, it serves at once."""
    ring = open_keyring(file, folder)
    before = file.rename(file.with_name("moved"))
    PUT_THERE[kind](file)
    for name, act in uses(ring).items():
        if name not in ("sign", "verify"):  # a process reads those once
            refused(act)
    told(caplog, file)
    if kind != "nothing":
        refused(lambda: open_keyring(file, folder).create(ID, NOW))
        told(caplog, file)
    assert not file.is_file()
    if file.is_dir():
        file.rmdir()
    before.rename(file)  # over what is there
    assert ring.create(ID, NOW)


def test_no_access(file, folder, caplog, monkeypatch):
    """A file that may not be read is refused."""
    ring = open_keyring(file, folder)
    with monkeypatch.context() as patched:
        patched.setattr(FileWrapper, "_content", denied)
        refused(lambda: ring.create(ID, NOW))
    told(caplog, file)
    assert ring.create(ID, NOW)


def test_half_written_keyring_never_shows(file, folder, caplog):
    """On a full disk there is no keyring rather than half of one, and the next start makes it."""
    with full_disk():
        ring = open_keyring(file, folder)
    assert "cannot be made (File too large)" in caplog.text
    refused(lambda: ring.create(ID, NOW))
    assert not file.exists()
    assert open_keyring(file, folder).verifying_key


def test_damaged_between_the_reading_and_a_rotation(file, folder, monkeypatch):
    """Who changes the file reads it again, and writes nothing over what is no keyring."""
    ring = open_keyring(file, folder)
    keys = ring.ready()
    file.write_text(SECRET)
    monkeypatch.setattr(ring, "_wrapper", type("Former", (), {"now": lambda _: keys})())
    with pytest.raises(Error) as error:
        ring.add_kek(keys.current, NOW)
    assert error.value.code == "unavailable"
    assert file.read_text() == SECRET


@pytest.fixture
def store(host, tmp_path):
    """The domain with the checks of a start, and a project with a secret."""
    app = again(with_key(wired(host.info["firestore"], tmp_path)))
    return app, make(app)


def other_bytes(file):
    """Give every key-encryption key other bytes, under its name."""
    stored = json.loads(file.read_text())
    stored["keks"] = dict.fromkeys(stored["keks"], KEY)
    file.write_text(json.dumps(stored))


@pytest.mark.claim("F55", "other bytes under a key's name are refused before anything is written")
@pytest.mark.parametrize("process", ["running", "started"])
def test_other_bytes(store, caplog, process):
    """The check value is opened with each file that is read, also by a process that runs."""
    app, project = store
    file = app.settings.keyring
    right = file.read_bytes()
    other_bytes(file)
    there = again(app) if process == "started" else app
    before = set(app.settings.key_store.iterdir())
    there.keyring._memory._kept.clear()
    for act in (lambda: make(there, "q"), lambda: value(there, project), there.keyring.keks):
        refused(act)
    (line,) = [json.loads(record.message) for record in caplog.records]
    assert line["message"] == "wrong key-encryption key: no key is used"
    assert set(app.settings.key_store.iterdir()) == before
    _, found = app.store.query("projects", order="id", limit=9)
    assert [document.id for document in found] == [project]
    file.write_bytes(right)
    if process == "started":  # who never had the right one asks again in some seconds
        there = again(app)
    assert value(there, project) == {"k": "v"}
    assert value(there, make(there, "q")) == {"k": "v"}


def test_a_rotation_by_another_process(store):
    """A file that changed rightly is taken at once, by eight threads too."""
    app, project = store
    new = rotated(again(app).keyring)
    with ThreadPoolExecutor(8) as pool:
        made = [*pool.map(lambda number: make(app, f"q{number}"), range(8))]
    records = [app.store.read(f"projects/{one}/keys/current") for one in made]
    keks = {d.fields["kek"] for read in records for d in read.documents.values()}
    assert keks == {new}
    assert value(app, project) == {"k": "v"}


def test_another_keyring_in_its_place(store, tmp_path, caplog):
    """A process that runs takes no keyring with another signing key."""
    app, _ = store
    open_keyring(tmp_path / "other.json", tmp_path)
    shutil.copy(tmp_path / "other.json", app.settings.keyring)
    refused(lambda: make(app, "q"))
    told(caplog, app.settings.keyring)
