"""Key stores and keyring files of real hosts: a disk that goes and comes back, a host beside it."""

import json
import os
import subprocess
import sys

import pytest

from shared.keys.local import MARKER
from tests.faults.hosts import troubled_host
from tests.support import ROOT, WEEK, Host, halves_in, until

pytestmark = pytest.mark.slow

PORTS = ("--firestore-port", "0", "--hub-port", "0")


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A host whose Firestore outlives it, with a key store of its own."""
    with troubled_host(tmp_path_factory.mktemp("own")) as host:
        yield host


def busy(answer):
    """Require 503, with a time to come back at."""
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True), answer.text


@pytest.mark.claim("F51", "over HTTP: a disk that goes and comes back takes nothing with it")
@pytest.mark.parametrize("mounted", [False, True], ids=["no folder", "an empty folder"])
@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
def test_a_disk_that_is_away(own, mounted, restarted):
    """Creates and reads are 503, the purge waits; when it is back all is there, or destroyed."""
    own.set_clock(0)
    account, keys = own.account(), own.inside.keys
    kept, doomed, late = (account.project() for _ in range(3))
    for project in (kept, doomed, late):
        account.secret(project, "s", {"k": "v"})
    account.delete(late)
    own.quiet()
    disk = keys.rename(keys.with_name("disk"))
    if mounted:
        keys.mkdir()
    if restarted:
        own.stop()
        own.again()
    try:
        own.advance(WEEK + 1)
        assert own.enforce()["expired"] >= 1
        account.destroy(doomed)
        busy(account.call("POST", "/v2/projects", {"name": "new"}))
        if restarted:  # nobody has its key in memory
            busy(account.call("GET", f"/v2/projects/{kept['id']}/secrets/s"))
        assert [account.status(project) for project in (doomed, late)] == ["hard_deleting"] * 2
        assert (list(keys.iterdir()) if mounted else keys.exists()) in ([], False)
    finally:
        if mounted:
            keys.rmdir()
        disk.rename(keys)
    assert str(keys) in own.log()
    for _ in range(2):
        own.advance(901)
        own.enforce()
    for project in (doomed, late):
        account.gone(project)
    assert halves_in(keys) & {p["id"] for p in (kept, doomed, late)} == {kept["id"]}
    path = f"/v2/projects/{kept['id']}/secrets/s"
    until(lambda: account.call("GET", path).status_code == 200, 30)
    assert account.got(path)["data"] == {"k": "v"}
    until(lambda: account.call("POST", "/v2/projects", {"name": "new"}).status_code == 202, 30)


@pytest.mark.claim("F52", "a second host on a key store destroys nothing of the first one's")
def test_a_second_host(own, tmp_path):
    """It says at its start whose it is; its creates are 503, its schedule takes no half."""
    account, keys = own.account(), own.inside.keys
    project = account.project()
    account.secret(project, "s", {"k": "v"})
    (keys / project["id"]).rename(keys / f"{project['id']}.new")
    before = {file.name: file.read_bytes() for file in keys.iterdir()}
    second = Host(tmp_path / "second", *PORTS).start(CE_KEY_STORE=str(keys))
    try:
        said = json.loads((keys / MARKER).read_text())["identity"]
        assert f"the key store {keys} is of another database that was also called" in second.log()
        assert said not in second.log()
        other = second.account()
        busy(other.call("POST", "/v2/projects", {"name": "p"}))
        second.set_clock(2 * 3600)
        assert second.enforce()["orphans"] == 0
        assert {file.name: file.read_bytes() for file in keys.iterdir()} == before
    finally:
        second.stop()
    assert account.got(f"/v2/projects/{project['id']}/secrets/s")["data"] == {"k": "v"}


@pytest.mark.claim("F55", "a start says which keyring file is damaged, and leaves it as it is")
def test_a_damaged_keyring_file(tmp_path):
    """Plainly, in two lines, without what is in it; the host ends with 1."""
    state = tmp_path / "emulator"
    state.mkdir(mode=0o700)
    file = state / "keyring.json"
    file.write_text("canary-in-a-keyring-file")
    command = [sys.executable, "-m", "emulator", "start", "--state", str(state), "--no-schedule"]
    ports = ("--hosting-port", "0", "--functions-port", "0", *PORTS)
    done = subprocess.run(
        [*command, *ports],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    shown = done.stdout + done.stderr
    assert done.returncode == 1, shown
    assert f"the keyring file {file} is damaged (it is no JSON)" in shown
    assert "createAccount answered 503: The keys of this store are not at hand." in shown
    assert "canary" not in shown
    assert file.read_text() == "canary-in-a-keyring-file"


def test_reset(tmp_path):
    """A reset host begins on a fresh key store; what was made before and after is told apart."""
    host = Host(tmp_path, *PORTS).start()
    try:
        keys, first = host.inside.keys, host.account()
        first.project()
        before = (keys / MARKER).read_bytes()
        assert host.hub("POST", "/reset") == {"reset": True}
        assert not list(keys.iterdir())
        again = host.account()
        project = again.project()
        again.secret(project, "s", {"k": "v"})
        assert (keys / MARKER).read_bytes() != before
        assert halves_in(keys) == {project["id"]}
        again.destroy(project)
        again.gone(project)
        assert halves_in(keys) == set()
    finally:
        host.stop()
