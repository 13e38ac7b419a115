"""The local host as a process: started twice, killed, stopped, hosting functions that misbehave."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).parents[1]
ANY_PORTS = [f"--{name}-port=0" for name in ("hosting", "functions", "firestore", "hub")]
MAIN = """
import os, time
import functions_framework
from google.cloud import firestore

@functions_framework.http
def hello(request):
    return "hello"

@functions_framework.http
def sleep(request):
    time.sleep(1)
    return "slept"

@functions_framework.http
def die(request):
    os._exit(9)

@functions_framework.http
def write(request):
    firestore.Client().document("projects/p").set({"n": 1})
    return "written"

@functions_framework.cloud_event
def watch(event):
    assert event["document"] == "projects/p"

@functions_framework.http
def createAccount(request):
    body = request.get_json()
    return {"account_id": "a", "apikey": body.get("apikey", f"key-{os.getpid()}")}, 201
"""
MANIFEST = """
specVersion: v1alpha1
endpoints:
  hello: {entryPoint: hello, httpsTrigger: {}}
  sleep: {entryPoint: sleep, httpsTrigger: {}}
  die: {entryPoint: die, httpsTrigger: {}}
  write: {entryPoint: write, httpsTrigger: {}}
  createAccount: {entryPoint: createAccount, httpsTrigger: {invoker: [private]}}
  watch:
    entryPoint: watch
    eventTrigger:
      eventType: google.cloud.firestore.document.v1.written
      eventFilterPathPatterns: {document: "projects/{id}"}
"""


class Process:
    """A host of a small repository of its own."""

    def __init__(self, folder):
        self.state, self.root = folder / "state", folder / "root"
        (self.root / "functions").mkdir(parents=True)
        (self.root / "functions" / "main.py").write_text(MAIN)
        (self.root / "functions" / "functions.yaml").write_text(MANIFEST)
        self.options = ["--root", str(self.root), *ANY_PORTS]
        self.log = folder / "log"

    def start(self):
        """Start it and wait for its hub.json."""
        with self.log.open("w") as log:
            command = self.command("start", *self.options)
            self.running = subprocess.Popen(
                command, cwd=ROOT, env=environment(), stdout=log, stderr=log, start_new_session=True
            )
        self.until(lambda: self.info and self.info["pid"] == self.running.pid)
        return self

    def run(self, *words):
        """Run one command to its end."""
        return subprocess.run(
            self.command(*words),
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def command(self, name, *words):
        """Give the command line."""
        return [sys.executable, "-m", "emulator", name, "--state", str(self.state), *words]

    @property
    def info(self):
        """What hub.json says, if it is there."""
        with suppress(FileNotFoundError):
            return json.loads((self.state / "hub.json").read_text())
        return None

    def get(self, name):
        """Call a function by its name."""
        return requests.get(f"{self.info['functions']}/{name}", timeout=10)

    def until(self, condition, seconds=60):
        """Wait; show the host's log if it is in vain."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def firestore_answers(self, address):
        """Whether the Firestore emulator is there."""
        with suppress(requests.RequestException):
            return requests.get(f"http://{address}/", timeout=2).text.strip() == "Ok"
        return False


def environment():
    """Give ours, without an emulator of somebody else's."""
    return {name: value for name, value in os.environ.items() if name != "FIRESTORE_EMULATOR_HOST"}


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """One host for the tests that leave it running."""
    process = Process(tmp_path_factory.mktemp("host")).start()
    yield process
    process.running.send_signal(signal.SIGTERM)
    assert process.running.wait(30) == 0
    assert "stopped" in process.log.read_text()
    assert process.info is None


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


def test_a_project_that_could_be_real_is_refused(host):
    """Only demo- projects."""
    assert "demo-" in host.run("start", "--project", "production").stderr


def test_events_arrive(host):
    """A write through a function comes back as an event."""
    assert host.get("write").text == "written"
    host.until(lambda: "delivered 1" in host.run("triggers", "show").stdout)


def test_a_worker_that_dies_is_replaced(host):
    """The others are back within seconds, events too, with the key the first account had."""
    key = json.loads((host.state / "credentials.json").read_text())["apikey"]
    with suppress(requests.RequestException):
        host.get("die")
    assert host.get("hello").text == "hello"
    assert "died, starting another" in host.log.read_text()
    assert json.loads((host.state / "credentials.json").read_text())["apikey"] == key
    assert host.info["pid"] == host.running.pid


def test_commands_ask_the_running_host(host):
    """The environment, the status, the clock: from another terminal."""
    exports = host.run("env").stdout
    assert f"export CODE_ENGINE_URL={host.info['hosting']}/v2\n" in exports
    assert "export CODE_ENGINE_APIKEY=key-" in exports
    assert json.loads(host.run("status").stdout)["project"] == "demo-reprieve"
    assert "(+604800s)" in host.run("clock", "advance", "7d").stdout
    assert "(+601200s)" in host.run("clock", "advance", "-1h").stdout
    assert host.run("reset").stdout == "reset\n"
    assert "(+0s)" in host.run("clock", "show").stdout
    done = host.run("exec", "--", "sh", "-c", "echo $CE_HUB_STATE; exit 7")
    assert (done.returncode, done.stdout.strip()) == (7, str(host.state))


def test_exec_brings_its_own_host(tmp_path):
    """It starts one, runs the command against it, stops it, and gives the command's code."""
    process = Process(tmp_path)
    show = "import os; print(os.environ['FIRESTORE_EMULATOR_HOST']); exit(5)"
    done = process.run("exec", *process.options, "--", sys.executable, "-c", show)
    assert done.returncode == 5, done.stderr
    assert not process.firestore_answers(done.stdout.strip())
    assert process.run("status").returncode == process.run("stop").returncode == 1


def test_a_killed_host_leaves_nothing_running(tmp_path):
    """After kill -9 Firestore is gone and the same folder starts again."""
    process = Process(tmp_path).start()
    firestore = process.info["firestore"]
    process.running.kill()
    process.running.wait()
    process.until(lambda: not process.firestore_answers(firestore), 10)
    assert process.run("status").returncode == 1
    process.start()
    assert process.run("stop").stdout == "stopped\n"
    assert process.running.wait(10) == 0


def test_a_broken_file_at_start_is_one_line(tmp_path):
    """It names file and line, and nothing is left running."""
    process = Process(tmp_path)
    (process.root / "functions" / "main.py").write_text("\ndef (\n")
    done = process.run("start", *process.options)
    assert done.returncode == 1
    assert "functions/main.py:2  SyntaxError" in done.stdout
    assert process.run("status").returncode == 1
