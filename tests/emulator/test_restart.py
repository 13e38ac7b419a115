"""A host that starts again on its folder: what outlives the data, and what must not.

Each host here has a Firestore of its own, in memory; its functions are the real ones.
"""

import json
import shlex
import shutil
import subprocess
import sys

import pytest
import requests

from tests.support import ROOT, WEEK, Account, Host, halves_in

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A host with a Firestore of its own."""
    home = tmp_path_factory.mktemp("own")
    host = Host(home, "--firestore-port", "0", "--hub-port", "0").start()
    yield host
    host.stop()


@pytest.fixture
def first(own):
    """The first account of the host, whose key outlives the data."""
    made = json.loads((own.state / "credentials.json").read_text())
    return lambda: Account(own, made["account_id"], made["apikey"])


def again(host, **env):
    """Stop the host and start it."""
    host.stop()
    host.start(**env)


def halves(host):
    """Give what lies in the host's own key store."""
    return sorted(halves_in(host.state / "keys"))


def test_a_move_of_the_clock_returns_when_its_work_is_done(own, first):
    """Seven days later the project is gone; nobody has to wait and look again."""
    account = first()
    project = account.project()
    account.secret(project, "s", {"k": "v"})
    account.delete(project)
    own.hub("PUT", "/schedules", {"paused": False})
    try:
        own.advance(WEEK)
        assert account.status(project) == "gone"
    finally:
        own.hub("PUT", "/schedules", {"paused": True})


@pytest.mark.slow
def test_keys_and_clock_end_with_the_data(own, first):
    """The data was in memory: no half of its keys stays, nor its time; the first account does."""
    first().project("mine")
    own.set_clock(WEEK)
    assert halves(own)
    again(own)
    assert halves(own) == []
    assert own.hub("GET", "/clock")["offset"] == 0
    first().project("mine")


@pytest.mark.slow
def test_keys_are_kept_where_somebody_else_keeps_the_data(own, first, tmp_path):
    """A key store or a Firestore that was given from outside is not ours to clear."""
    first().project()
    left, outside = halves(own), tmp_path / "half"
    outside.write_bytes(b"k")
    again(own, CE_KEY_STORE=str(tmp_path))
    assert (halves(own), outside.exists()) == (left, True)
    other = Host(tmp_path / "ce", "--hub-port", "0")
    (other.state / "keys").mkdir(parents=True)
    (other.state / "keys" / "half").write_bytes(b"k")
    (other.state / "clock").write_text("60")
    shutil.copy(own.state / "keyring.json", other.state)  # without it, it would be refused
    try:
        other.start(FIRESTORE_EMULATOR_HOST=own.info["firestore"])
        assert halves(other) == ["half"]
        assert other.hub("GET", "/clock")["offset"] == 60
    finally:
        other.stop()


@pytest.mark.slow
def test_exports_of_a_former_host_mislead_nobody(own, first):
    """A shell that has evaluated `env` can start the host again, and gets a fresh one."""
    command = [sys.executable, "-m", "emulator", "env", "--state", str(own.state)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    exports = dict(shlex.split(line)[1].split("=", 1) for line in said.splitlines())
    before = own.info["firestore"]
    again(own, **exports)
    assert own.info["firestore"] != before
    assert own.info["env"]["CE_ENDPOINT"] == own.url
    assert "ignoring what a former host exported: FIRESTORE_EMULATOR_HOST, " in own.log()
    first().project()


def test_the_banner_has_the_exports_but_not_the_key(own, first):
    """What other programs need can be copied; a terminal's history holds no key."""
    shown = own.log()
    for name, value in own.info["env"].items():
        assert f"    export {name}={shlex.quote(value)}\n" in shown
    assert "'ce emulator env'" in shown
    assert f"Console and API  {own.url}   'ce open' signs you in" in shown
    assert first().apikey not in shown


def test_no_web_page_reads_the_store(host):
    """Without a server's identity Firestore's rules let nobody read, write or list."""
    base = f"http://{host.info['firestore']}/v1/projects/{host.info['project']}"
    documents = f"{base}/databases/(default)/documents"
    origin = {"Origin": "http://evil.example"}
    body = {"fields": {"a": {"stringValue": "b"}}}
    for answer in (
        requests.get(f"{documents}/api_keys", headers=origin, timeout=10),
        requests.post(f"{documents}/api_keys?documentId=x", json=body, headers=origin, timeout=10),
    ):
        assert answer.status_code == 403
