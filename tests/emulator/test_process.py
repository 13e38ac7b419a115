"""The local host as a process: started twice, killed, stopped, hosting functions that misbehave."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from emulator import Refused, commands, ports
from emulator.__main__ import main
from emulator.state import State
from tests.support.emulator import MAIN, MANIFEST, ROOT, Process

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """One host for the tests that leave it running; in the end it is told to stop."""
    process = Process(tmp_path_factory.mktemp("host")).start()
    firestore = process.info["firestore"]
    yield process
    assert process.run("stop").stdout == "stopped\n"
    assert process.running.wait(30) == 0
    assert "stopped" in process.log.read_text()
    assert process.info is None
    assert not process.firestore_answers(firestore)


@pytest.fixture
def beside(host, tmp_path):
    """A second host, not started, that uses the Firestore of the first; stopped afterwards."""
    process = Process(tmp_path, host.info["firestore"])
    yield process
    process.end()


@pytest.fixture
def alone(tmp_path):
    """A host with a Firestore of its own; stopped afterwards, whatever happened."""
    process = Process(tmp_path).start()
    yield process
    process.end()


def test_a_second_start_says_who_runs(host):
    """One live host a state folder."""
    second = host.run("start", *host.options)
    assert (second.returncode, second.stdout) == (1, "")
    assert f"pid {host.running.pid}" in second.stderr


def test_a_taken_port_says_by_whom(host):
    """The owner and the flag are named, before anything runs."""
    port = host.info["functions"].rpartition(":")[2]
    options = [*host.options, "--state", str(host.state) + "2", "--functions-port", port]
    done = host.run("start", *options)
    assert done.returncode == 1
    assert f"Port {port} for functions is taken" in done.stderr
    assert "--functions-port" in done.stderr
    if sys.platform == "linux":
        assert f"another host (pid {host.running.pid}, " in done.stderr
        assert f"--state {host.state} " in done.stderr
        assert "'ce emulator stop'" in done.stderr


def test_events_arrive(host):
    """A write through a function comes back as an event, and can be delivered again."""
    assert host.get("write").text == "written"
    host.until(lambda: "pending 0  delivered 1" in host.ask("triggers", "show")[1])
    assert host.ask("triggers", "repeat") == (0, "repeated 1\n")
    host.until(lambda: "pending 0  delivered 2" in host.ask("triggers", "show")[1])


def test_a_worker_that_dies_is_replaced(host):
    """The others are back within seconds, events too, with the key the first account had."""
    key = json.loads((host.state / "credentials.json").read_text())["apikey"]
    with suppress(requests.RequestException):
        host.get("die")
    assert host.get("hello").ok
    assert "died, starting another" in host.log.read_text()
    assert json.loads((host.state / "credentials.json").read_text())["apikey"] == key
    assert host.info["pid"] == host.running.pid


def test_a_worker_that_dies_while_a_file_is_broken(host):
    """The next one says where, answers 500, and serves again once the file is mended."""
    worker, good = int(host.get("hello").text), host.main.read_text()
    host.main.write_text("def (\n" + good)
    host.says("functions/main.py:1  SyntaxError")
    os.kill(worker, signal.SIGKILL)
    host.says("account: createAccount answered 500")
    answer = host.get("hello")
    assert (answer.status_code, "functions/main.py:1" in answer.text) == (500, True)
    host.main.write_text(good)
    host.says("reloaded main")
    assert host.get("hello").ok


def test_a_damaged_clock_is_said_and_ends_nothing(host):
    """The schedules go on when the file is gone, and commands say which one it is."""
    (host.state / "clock").write_text("soon")
    host.says("schedules: Refused: ")
    code, said = host.ask("clock", "show")
    assert (code, "delete it" in said) == (1, True)
    (host.state / "clock").unlink()
    assert "(+0s)" in host.ask("clock", "show")[1]


def test_commands_ask_the_running_host(host):
    """The environment, the status, the clock, the schedules, the events: from another terminal."""
    exports = host.run("env").stdout
    assert f"export CODE_ENGINE_URL={host.info['hosting']}/v2\n" in exports
    assert "export CODE_ENGINE_APIKEY=key-" in exports
    assert f"export CE_HUB_STATE={host.state}\n" in exports
    code, made = host.ask("account", "create")
    told, *lines = made.splitlines()
    assert (code, told) == (0, "# account a; its key is not shown again")
    names = [[line.partition("=")[0] for line in text] for text in (lines, exports.splitlines())]
    assert names[0] == names[1]
    for words in (["--json"], ["-o", "json"]):
        assert json.loads(host.ask("status", *words)[1])["project"] == "demo-reprieve"
    status = host.ask("status")[1]
    assert "\nfunctions       7 (4 http, 1 schedule, 1 event, 1 private)\n" in status
    assert re.search(r"\nschedule sweep  \d{4}-01-01T00:00:00\+00:00\n", status)
    assert host.ask("clock", "advance") == (
        1,
        "'clock advance' takes a span of time: 7d, 36h, 90s or -1h.\n",
    )
    assert "(+129600s)" in host.ask("clock", "set", "36h")[1]
    assert "(+734400s)" in host.ask("clock", "advance", "7d")[1]
    assert "(+730800s)" in host.run("clock", "advance", "-1h").stdout
    assert host.ask("clock", "set", "99999d") == (
        1,
        "The clock moves by at most a hundred years.\n",
    )
    assert host.ask("schedule", "pause") == (0, "paused\n")
    assert "  (paused)\nevents " in host.ask("status")[1]
    assert host.ask("schedule", "run", "sweep") == (0, "sweep  200  swept\n")
    for words in ([], ["nope"]):
        said = (1, "Name one of the schedules there are: sweep.\n")
        assert host.ask("schedule", "run", *words) == said
    assert host.ask("schedule", "resume") == (0, "resumed\n")
    for action in ("hold", "drop", "release"):
        assert host.ask("triggers", action)[1].startswith("held 0  pending 0  ")
    assert host.ask("reset") == (0, "reset\n")
    assert "(+0s)" in host.ask("clock", "show")[1]


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (("sh", "-c", "echo $CE_HUB_STATE; exit 7"), 7, "@\n"),
        (("sh", "-c", "kill -9 $$"), 137, ""),
        (("/nowhere/at/all",), 127, "/nowhere/at/all: no such command\n"),
        (("/etc/passwd",), 126, "/etc/passwd: cannot be run\n"),
    ],
)
def test_exec_runs_against_the_running_host(host, command, code, said):
    """The command gets the host's environment, and its code is ours."""
    done = host.run("exec", "--", *command)
    assert (done.returncode, done.stdout + done.stderr) == (
        code,
        said.replace("@", str(host.state)),
    )


def test_exec_passes_a_signal_on(host, tmp_path):
    """Whoever ends `exec` ends the command."""
    up = tmp_path / "up"
    running = subprocess.Popen(
        host.command("exec", "--", "sh", "-c", f"touch {up}; exec sleep 60"), env=host.env, cwd=ROOT
    )
    host.until(up.exists)
    running.terminate()
    assert running.wait(10) == 128 + signal.SIGTERM


@pytest.mark.slow
def test_exec_outlives_its_terminal_under_nohup(beside, tmp_path):
    """Whoever has a hang-up ignored gets it ignored: by `exec`, its host and the command."""
    up, go = tmp_path / "up", tmp_path / "go"
    wait = f"touch {up}; n=0; until [ -e {go} ] || [ $((n+=1)) -gt 600 ]; do sleep 0.1; done"
    words = beside.command("exec", *beside.options, "--", "sh", "-c", f"{wait}; exit 7")
    with beside.log.open("w") as log:
        running = subprocess.Popen(
            ["nohup", *words],
            cwd=ROOT,
            env=beside.env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    state = State(beside.state)
    beside.until(lambda: state.pid() or running.poll() is not None)
    os.killpg(running.pid, signal.SIGHUP)  # while the host starts
    beside.until(lambda: up.exists() or running.poll() is not None)
    os.killpg(running.pid, signal.SIGHUP)  # while the command runs
    go.touch()
    assert (running.wait(60), state.pid()) == (7, None), beside.log.read_text()


def test_without_a_host_it_is_said_what_to_do(tmp_path, capsys):
    """By `stop` as by `status`."""
    for name in ("stop", "status"):
        assert main([name, "--state", str(tmp_path)]) == 1
        said = f"No host runs on {tmp_path}: start one with 'ce emulator start'.\n"
        assert capsys.readouterr().err == said


@pytest.mark.slow
def test_exec_says_why_its_host_did_not_start(beside):
    """Only demo- projects are hosted: any other could be real."""
    done = beside.run("exec", "--project", "production", "--", "true")
    assert (done.returncode, done.stdout) == (1, "")
    assert "The host did not start" in done.stderr
    assert "begins with 'demo-'" in done.stderr


@pytest.mark.slow
def test_ctrl_c_while_functions_load(beside):
    """It ends `exec` and the host it had begun to start, in peace, even if they do not load."""
    beside.main.write_text("import time\nprint('loading')\ntime.sleep(1)\n")
    running = beside.begin("exec", *beside.options, "--", "true")
    log = beside.state / "host.log"
    beside.until(lambda: log.exists() and "loading" in log.read_text())
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 130
    assert "Traceback" not in log.read_text() + beside.log.read_text()
    assert State(beside.state).pid() is None


@pytest.mark.slow
def test_a_killed_host_leaves_nothing_running(alone, host):
    """After kill -9 Firestore is gone, and `exec` on the same folder brings a host of its own."""
    firestore = alone.info["firestore"]
    alone.running.kill()
    alone.running.wait()
    alone.until(lambda: not alone.firestore_answers(firestore), 10)
    assert alone.ask("status")[0] == alone.ask("stop")[0] == 1
    alone.env["FIRESTORE_EMULATOR_HOST"] = host.info["firestore"]
    show = (
        "import os, requests; print(requests.get(os.environ['CE_ENDPOINT']).status_code); exit(5)"
    )
    done = alone.run("exec", *alone.options, "--", sys.executable, "-c", show)
    assert (done.returncode, done.stdout) == (5, "404\n"), done.stderr
    assert alone.ask("status")[0] == 1


@pytest.mark.slow
def test_a_host_without_its_firestore_stops(alone):
    """It cannot serve any more, says why, and ends with 1."""
    command = ["ps", "-A", "-o", "pid=,ppid=,comm="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    (firestore,) = (
        int(pid)
        for pid, parent, name in rows
        if int(parent) == alone.running.pid and Path(name).name == "java"
    )
    os.kill(firestore, signal.SIGKILL)
    assert alone.running.wait(20) == 1
    assert "firestore: ended by itself" in alone.log.read_text()
    assert alone.info is None


@pytest.mark.slow
def test_a_stop_lets_a_request_end(beside):
    """What is in flight is answered, and signals that mean nothing here change nothing."""
    beside.start()
    beside.running.send_signal(signal.SIGUSR1)
    answers = []
    request = beside.busy(1, answers)
    beside.running.send_signal(signal.SIGTERM)
    assert beside.running.wait(20) == 0
    request.join()
    assert answers == ["slept"]


@pytest.mark.slow
def test_a_second_ctrl_c_ends_at_once(beside):
    """Nobody has to wait for a request that hangs."""
    beside.start()
    answers = []
    request = beside.busy(30, answers)

    def ended():  # signals that come while it has not seen the first are one
        beside.running.send_signal(signal.SIGINT)
        return beside.running.poll() is not None

    beside.until(ended)
    assert beside.running.returncode == 1
    request.join()
    assert answers == []


@pytest.mark.slow
def test_a_host_that_does_not_stop_is_killed(beside, monkeypatch):
    """After a while `stop` does not ask any more."""
    monkeypatch.setattr(commands, "STOP", 0.2)
    request = beside.start().busy(20, [])
    with pytest.raises(Refused, match="was killed"):
        commands.stop(State(beside.state))
    assert beside.running.wait(10) == -signal.SIGKILL
    request.join()


@pytest.mark.slow
def test_what_a_start_says(beside, host):
    """A port that moved, a clock that is not real time, an account that nobody makes."""
    (beside.root / "functions" / "functions.yaml").write_text(MANIFEST)
    beside.state.mkdir()
    (beside.state / "clock").write_text("60")
    taken = host.info["hosting"].rpartition(":")[2]
    beside.start("--hosting-port", taken, "--log-format", "json")
    said = [json.loads(line) for line in beside.log.read_text().splitlines()]
    text = "\n".join(line["message"] for line in said)
    for part in (
        f"firestore: using {host.info['firestore']}",
        f"hosting: port {taken} is taken, using ",
        "clock: +60s from real time",
        "no createAccount: no account was made",
        "functions: 6 (4 http, 1 schedule, 1 event) loaded",
    ):
        assert part in text
    assert said[-1]["hosting"] == beside.info["hosting"].removeprefix("http://")
    assert "CODE_ENGINE_APIKEY" not in beside.ask("env")[1]
    none = (1, "The host's functions.yaml has no createAccount.\n")
    assert beside.ask("account", "create") == none


@pytest.mark.slow
def test_ports_are_those_of_firebase_json(beside):
    """Without a flag the file says where; what it does not name is any free port."""
    chosen = {name: ports.free() for name in ("functions", "hub")}
    emulators = {name: {"host": "127.0.0.1", "port": port} for name, port in chosen.items()}
    (beside.root / "firebase.json").write_text(json.dumps({"emulators": emulators}))
    beside.options = ["--root", str(beside.root)]
    beside.start()
    for name, port in chosen.items():
        assert beside.info[name] == f"http://127.0.0.1:{port}"


@pytest.mark.slow
def test_a_file_saved_while_functions_load_is_loaded(beside):
    """What is served is never older than what was saved last."""
    save = "late = pathlib.Path(__file__).with_name('late.json')\nlate.exists() or late.touch()\n"
    beside.main.write_text(f"import pathlib\n{save}{MAIN}")
    beside.start().says("reloaded late")
    assert beside.get("hello").ok


BROKEN = {
    "a file": ("\ndef (\n", "functions/main.py:2  SyntaxError"),
    "the account": (MAIN.replace("body = ", "1 / 0; body = "), "createAccount answered 500"),
}


@pytest.mark.parametrize(("main", "said"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_at_start_is_one_line(beside, main, said):
    """It names what and where, and nothing is left running."""
    beside.main.write_text(main)
    done = beside.run("start", *beside.options)
    assert done.returncode == 1
    assert said in done.stdout
    assert beside.ask("status")[0] == 1


def test_a_log_level_that_is_none(beside):
    """It is refused before anything runs, with those there are."""
    beside.env["CE_LOG_LEVEL"] = "loud"
    done = beside.run("start", *beside.options)
    assert (done.returncode, "is one of critical, debug" in done.stderr) == (1, True)
