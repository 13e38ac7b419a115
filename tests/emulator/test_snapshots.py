"""An export is one snapshot, whoever writes meanwhile; and whole or not there, whoever dies.

The functions and the key store are the real ones. What happens in the midst of an export happens
while Firestore is asked for its documents.
"""

import json
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from emulator import Refused, commands, exports, firestore
from emulator.gate import Gate
from emulator.state import State
from shared.keys import local
from tests.support import ROOT, Account, Host, until
from tests.support.exported import kept_by, write

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Meanwhile(firestore.Firestore):
    """The shared host's Firestore; something happens each time before it has exported."""

    happens = staticmethod(lambda: None)

    def export(self, project, folder, name):
        """Export, and let it happen."""
        super().export(project, folder, name)
        self.happens()


@pytest.fixture
def store(host):
    """A Firestore beside which something happens."""
    return Meanwhile(host.info["firestore"])


@pytest.mark.claim("F63", "what a program beside the host destroys or rotates is taken again")
def test_what_moves_is_taken_again(store, tmp_path):
    """The export has the keys there are when it ends: none destroyed, all that data may need."""
    state = kept_by(tmp_path / "state")
    keys, todo = state.folder / "keys", [1, 2]
    gone = next(keys.glob("?" * 36 + "*")).name

    def happens():
        step = todo.pop() if todo else 0
        if step == 2:
            local.FileKeyStore(keys).destroy(gone)
        if step == 1:
            wrapper = local.FileWrapper(state.folder / "keyring.json")
            wrapper.now().add([*wrapper.now().keks()][-1], NOW)
            local.FileKeyStore(keys).put("0" * 8 + gone[8:], b"h" * 32, NOW)

    store.happens = happens
    folder = write(tmp_path / "saved", state, store)
    assert todo == []
    there = {path.name: path.read_bytes() for path in (folder / "keys").iterdir()}
    assert there == {path.name: path.read_bytes() for path in keys.iterdir()}
    assert gone not in there
    assert len(json.loads((folder / "keyring.json").read_text())["keks"]) == 2


def test_what_never_rests_is_not_exported(store, tmp_path):
    """It is said, and the former export stays."""
    state = kept_by(tmp_path / "state")
    folder = write(tmp_path / "saved", state, store)
    before = (folder / exports.MANIFEST).read_bytes()
    moved = iter(range(100))
    store.happens = lambda: (state.folder / "clock").write_text(str(next(moved)))
    with pytest.raises(Refused, match="all the time: nothing was exported"):
        write(folder, state, store)
    assert (folder / exports.MANIFEST).read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["saved", "state"]


@pytest.mark.claim("F63", "writes wait while the snapshot is taken, and never without an end")
def test_who_is_alone():
    """Calls in flight end first, those that come wait; nobody waits for what does not end."""
    gate, said, ends = Gate(), [], threading.Event()

    def call(name):
        with gate.shared():
            said.append(name)
            ends.wait(5)

    def alone(seconds):
        with gate.alone(seconds):
            with gate.shared():  # one's own calls go through
                said.append("alone")
            time.sleep(0.05)
            said.append("still alone")

    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(call, "first")
        until(lambda: said == ["first"], 5)
        with pytest.raises(Refused, match="takes longer than 0 s: nothing was done"):
            alone(0.05)
        copies = [pool.submit(alone, 5)]
        until(lambda: gate._alone, 5)
        with pytest.raises(Refused, match="Another export or reset goes on"):
            alone(0.05)
        calls = [pool.submit(call, "second") for _ in range(2)]
        time.sleep(0.05)
        assert said == ["first"]
        ends.set()
        for done in (first, *copies, *calls):
            done.result(5)
    assert said == ["first", "alone", "still alone", "second", "second"]


def begin(folder, *options):
    """Start a host on a state folder of its own."""
    return Host(folder, "--firestore-port", "0", "--hub-port", "0", *options).start()


def lives(account, ends, gone):
    """Create projects and destroy them; note when each was seen to be gone."""
    while not ends.is_set():
        project = account.project()
        account.secret(project, "s", {"k": project["id"]})
        account.destroy(project)
        account.gone(project)
        gone[project["id"]] = time.monotonic()


def rotates(host, ends):
    """Rotate the keys, again and again."""
    while not ends.is_set():
        assert commands.keys(State(host.state), "rotate") == 0


@pytest.mark.slow
@pytest.mark.claim("F63", "under creates, purges and rotations: nothing destroyed, all that opens")
def test_exports_under_load(tmp_path):
    """No export has a half of a project whose end came before; the last one opens all it has."""
    host, ends, gone = begin(tmp_path / "one"), threading.Event(), {}
    try:
        owner = host.account()
        kept = [owner.project()["id"] for _ in range(5)]
        for project in kept:
            owner.secret({"id": project}, "s", {"k": project})
        with ThreadPoolExecutor(4) as pool:
            work = [pool.submit(lives, host.account(), ends, gone) for _ in range(3)]
            work.append(pool.submit(rotates, host, ends))
            try:
                for turn in range(5):
                    began, folder = time.monotonic(), tmp_path / f"saved-{turn}"
                    assert commands.export(State(host.state), folder) == 0
                    halves = {path.stem for path in (folder / "keys").glob("?" * 36 + "*")}
                    assert {*kept} <= halves
                    assert not {name for name in halves if gone.get(name, began) < began}
                until(lambda: gone, 60)
            finally:
                ends.set()
            for done in work:
                done.result(60)
    finally:
        host.stop()
    host = begin(tmp_path / "two", "--import", str(folder))
    try:
        owner = Account(host, owner.id, owner.apikey)
        for project in kept:
            assert owner.got(f"/v2/projects/{project}/secrets/s")["data"] == {"k": project}
    finally:
        host.stop()


KILLED = """
import os, sys, time
from pathlib import Path
from tests.support.exported import kept_by, write
from tests.emulator.test_snapshots import Meanwhile
home, address, at = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
store = Meanwhile(address)

def stops(*_):
    print("now", flush=True)
    time.sleep(60)

if at == "documents":
    store.happens = stops
elif at == "between":
    renamed = Path.rename
    Path.rename = lambda path, to: (renamed(path, to), str(to).endswith("-old") and stops())
elif at == "after":
    os.sync = stops
write(home / "saved", kept_by(home / "state"), store)
"""


@pytest.mark.slow
@pytest.mark.claim("F64", "killed in the midst: the former export or the new one, and the next one")
def test_killed_in_the_midst(host, store, tmp_path, subtests):
    """While the documents are written, between the renames, before the former one goes."""
    for at in ("documents", "between", "after"):
        with subtests.test(at):
            home = tmp_path / at
            state = kept_by(home / "former")
            former = write(home / "saved", state, store) / exports.MANIFEST
            before = former.read_bytes()
            words = [sys.executable, "-c", KILLED, str(home), host.info["firestore"], at]
            with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE) as process:
                assert process.stdout.readline() == b"now\n"
                if at == "documents":
                    with pytest.raises(Refused, match="Another export is being written"):
                        write(home / "saved", state, store)
                process.send_signal(signal.SIGKILL)
            exports.put_back(home / "saved")
            assert (former.read_bytes() == before) == (at != "after")
            write(home / "saved", state, store)
            left = sorted(path.name for path in home.iterdir())
            assert left == ["former", "saved", "state"]
