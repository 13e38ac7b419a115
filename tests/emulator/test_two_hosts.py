"""Two hosts of one user: a shell that has the variables of the first never lends them the second.

Neither starting, nor exporting, nor `reset` of the second touches what is the first one's.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emulator import commands, shell
from emulator.__main__ import main
from emulator.state import State
from tests.support import Account, Host, told

CE = Path(sys.executable).with_name("ce")
ANY = ("--firestore-port", "0", "--hub-port", "0")
SAID = "This shell has variables of another host, that on {}: they are ignored"


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The first host, with a project and a secret of its first account, and its exports."""
    home = tmp_path_factory.mktemp("first")
    host = Host(home, *ANY).start()
    account = owner(host)
    account.secret(account.project("kept"), "s", {"k": "v"})
    yield host
    host.stop()


def owner(host):
    """Give the first account of a host."""
    known = json.loads((host.state / "credentials.json").read_text())
    return Account(host, known["account_id"], known["apikey"])


def exports(host):
    """Give what `eval "$(ce emulator env)"` sets."""
    return commands.environment(State(host.state))


def unharmed(first):
    """Require that everything of the first host is as it was."""
    account = owner(first)
    (project,) = account.got("/v2/projects")["projects"]
    secret = account.got(f"/v2/projects/{project['id']}/secrets/s")
    assert (project["name"], secret["data"]) == ("kept", {"k": "v"})


def run(home, env, *words):
    """Run a command of `ce emulator` with this state, in a shell that has these variables."""
    command = [CE, "emulator", *words]
    env = {**os.environ, **env, "CE_HOME": str(home)}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_every_export_is_known(first):
    """What a host exports is what another one drops: a new variable has to be in the list."""
    assert {*exports(first)} == {*shell.EXPORTS}


@pytest.mark.slow
@pytest.mark.parametrize("unset", [(), (shell.OWNER,), (shell.OWNER, "CE_KEYRING")])
def test_a_second_host_is_one_of_its_own(first, tmp_path, unset):
    """Started with the first one's exports, all or some, it has its own store, keys and account."""
    lent = {name: value for name, value in exports(first).items() if name not in unset}
    second = Host(tmp_path / "second", *ANY, "--quiet")
    try:
        second.start(**lent)
        assert SAID.format(first.state) in second.log()
        ours = exports(second)
        alike = {name for name in shell.EXPORTS if ours[name] == exports(first)[name]}
        assert alike == {
            *("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"),
            *("CODE_ENGINE_AUTH_TYPE", "RESOURCE_CONTROLLER_AUTH_TYPE", "CE_STORE_FORM"),
        }
        owner(second).project("other")
        done = run(second.home, lent, "export", str(tmp_path / "saved"))
        assert (done.returncode, SAID.format(first.state) in done.stderr) == (0, True)
        done = run(second.home, lent, "reset")
        assert (done.returncode, done.stdout) == (0, "reset\n"), done.stderr
        assert told.body(owner(second).call("GET", "/v2/projects"), 200)["projects"] == []
        unharmed(first)
    finally:
        second.stop()


@pytest.mark.slow
def test_exec_brings_a_host_of_its_own(first, tmp_path):
    """Its command gets nothing of the first; what was ignored is said by `exec` itself."""
    script = "import os, json; print(json.dumps(dict(os.environ)))"
    options = ("--quiet", *ANY, "--hosting-port", "0", "--functions-port", "0")
    done = run(tmp_path, exports(first), "exec", *options, "--", sys.executable, "-c", script)
    assert (done.returncode, SAID.format(first.state) in done.stderr) == (0, True), done.stderr
    got, theirs = json.loads(done.stdout), exports(first)
    assert got["CE_HUB_STATE"] == str(tmp_path / "emulator")
    for name in {*shell.LEADS, *shell.LOGINS, "CODE_ENGINE_URL"} - {"CE_STORE_FORM"}:
        assert got[name] != theirs[name]
    unharmed(first)


@pytest.mark.slow
def test_a_firestore_that_is_not_ours_is_not_reset(first, tmp_path):
    """One that was named on purpose is used, which is said; what is in it is not ours to delete."""
    second = Host(tmp_path / "second", *ANY, "--quiet")
    address = first.info["firestore"]
    try:
        with pytest.raises(AssertionError, match=r"keyring\.json cannot be read"):
            second.start(FIRESTORE_EMULATOR_HOST=address)  # it has signed nothing that is there
        shutil.copy(first.state / "keyring.json", second.state)
        second.start(FIRESTORE_EMULATOR_HOST=address)
        assert f"The Firestore at {address} is used, and none of this host's own." in second.log()
        done = run(second.home, {}, "reset")
        assert done.returncode == 1
        assert "is not this host's own: nothing was reset" in done.stderr
        unharmed(first)
    finally:
        second.stop()


ASKED = (
    ("status",),
    ("stop",),
    ("reset",),
    ("export", "x"),
    ("clock", "show"),
    ("keys", "list"),
    ("account", "create"),
    ("schedule", "pause"),
    ("triggers", "show"),
)


@pytest.mark.parametrize("words", ASKED)
def test_every_command_says_whom_it_is_about(first, tmp_path, monkeypatch, capsys, words):
    """Each asks the host of its own folder alone; where none runs there, nobody is asked."""
    for name, value in exports(first).items():
        monkeypatch.setenv(name, value)
    assert main([words[0], "--state", str(tmp_path), *words[1:]]) == 1
    said = capsys.readouterr().err
    assert SAID.format(first.state) in said
    assert f"No host runs on {tmp_path}" in said
    unharmed(first)


def test_env_and_the_host_s_own_variables_say_nothing(first, tmp_path, monkeypatch, capsys):
    """What is meant to point the shell elsewhere, and the host that the shell points to."""
    for name, value in exports(first).items():
        monkeypatch.setenv(name, value)
    assert main(["env", "--state", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("No host runs on ")
    assert main(["status", "--state", str(first.state)]) == 0
    assert capsys.readouterr().err == ""


def test_doctor_tells(first, tmp_path, monkeypatch, capsys):
    """One warning, instead of one that another host's Firestore would be used."""
    for name, value in exports(first).items():
        monkeypatch.setenv(name, value)
    main(["doctor", "--state", str(tmp_path), "-o", "json"])
    found = json.loads(capsys.readouterr().out)["checks"]
    (row,) = [row for row in found if row["check"] == "environment"]
    assert row["found"] == f"variables of another host are set, that on {first.state}"


def test_whose_variables_they_are(tmp_path):
    """A path in another host's folder is that host's; a folder that is no host's is anybody's."""
    state = State(tmp_path / "own")
    other = tmp_path / "other"
    other.mkdir()
    path = {"CE_KEY_STORE": str(other / "keys"), "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"}
    assert shell.left(state, path) is None
    (other / "tokens.json").touch()
    (other / "lock").touch()
    assert shell.left(state, path) == shell.Left(other, ("CE_KEY_STORE",))
    (other / "hub.json").write_text(json.dumps({"env": path}))
    names = ("FIRESTORE_EMULATOR_HOST", "CE_KEY_STORE")
    assert shell.left(state, path) == shell.Left(other, names)
    (other / "hub.json").write_text("{")
    assert shell.left(state, path) == shell.Left(other, ("CE_KEY_STORE",))
    assert shell.left(State(other), path) is None
    assert shell.without(state, {**path, "PATH": "/"}) == {"PATH": "/"}
    assert shell.without(State(other), path) == path
