"""What the tests of the local host stand on: small repositories, and a real host that loads them.

The functions of such a repository are real too, loaded through functions-framework: each records
what it got, and answers its path, or the next status of a list that a test writes.
"""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from emulator import jar, manifest
from emulator.__main__ import main
from emulator.host import Host
from emulator.log import Log
from emulator.state import State
from tests.support import ROOT

HTTP = "httpsTrigger: {}"
PRIVATE = "httpsTrigger: {invoker: [private]}"
EVENT = (
    "eventTrigger: {eventType: google.cloud.firestore.document.v1.written, "
    "eventFilterPathPatterns: {document: 'projects/{id}'}, retry: true}"
)
SCHEDULE = "scheduleTrigger: {schedule: '*/5 * * * *', retryConfig: {retryCount: 1}}"
RECORDER = """
import flask
import functions_framework

GOT, STATUSES = [], []


def record(name):
    got = flask.request
    GOT.append((name, dict(got.headers), got.get_data()))
    if STATUSES and (status := STATUSES.pop(0)) != 200:
        flask.abort(status)
    return got.path
"""
FUNCTION = """

@functions_framework.{kind}
def {name}(_):
    return record("{name}")
"""


@dataclass(frozen=True)
class Served:
    """A host, and what its functions record: (name, headers, body) each, and statuses to come."""

    root: Path
    host: Host
    got: list[tuple[str, dict[str, str], bytes]]
    statuses: list[int]


def repository(root: Path, **functions: str) -> Path:
    """Write a repository with one endpoint a keyword, its trigger the value."""
    (root / "functions").mkdir(parents=True, exist_ok=True)
    rows = "".join(f"  {n}: {{entryPoint: {n}, {trigger}}}\n" for n, trigger in functions.items())
    (root / "functions" / "functions.yaml").write_text(
        f"specVersion: v1alpha1\nendpoints:\n{rows or '    {}'}"
    )
    return root


@contextmanager
def loaded(root: Path) -> Iterator[Host]:
    """Load a repository's functions into this process, and forget its modules afterwards."""
    written, left = sys.dont_write_bytecode, set(os.environ)
    sys.dont_write_bytecode = True
    host = Host(root, manifest.read(root), Log(quiet=True))
    try:
        assert host.load() is None
        yield host
    finally:
        sys.dont_write_bytecode = written
        for name in {"FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE"} - left:
            os.environ.pop(name, None)  # the framework leaves them behind
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None)).startswith(f"{root}{os.sep}"):
                del sys.modules[name]


@contextmanager
def serving(root: Path, **functions: str) -> Iterator[Served]:
    """Load functions that record what they get, one a keyword, its trigger the value."""
    repository(root, **functions)
    bodies = [
        FUNCTION.format(name=name, kind="cloud_event" if "eventTrigger" in trigger else "http")
        for name, trigger in functions.items()
    ]
    recorder = f"recorder_{root.name}"
    (root / "functions" / f"{recorder}.py").write_text(RECORDER + "".join(bodies))
    # The host runs main.py anew for each function; what they share has to be elsewhere.
    (root / "functions" / "main.py").write_text(f"from {recorder} import {', '.join(functions)}\n")
    with loaded(root) as host:
        module = sys.modules[recorder]
        yield Served(root, host, module.GOT, module.STATUSES)


def firebase(root: Path, hosting: object) -> Path:
    """Write a repository's firebase.json."""
    (root / "firebase.json").write_text(json.dumps({"hosting": hosting}))
    return root


ANY_PORTS = [f"--{name}-port=0" for name in ("hosting", "functions", "firestore", "hub")]
MAIN = """
import os, time
import functions_framework
from google.cloud import firestore

@functions_framework.http
def hello(request):
    return str(os.getpid())

@functions_framework.http
def sleep(request):
    print("sleeping")
    time.sleep(float(request.args["s"]))
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
def sweep(request):
    return "swept"

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
  sweep: {entryPoint: sweep, scheduleTrigger: {schedule: "0 0 1 1 *"}}
  watch:
    entryPoint: watch
    eventTrigger:
      eventType: google.cloud.firestore.document.v1.written
      eventFilterPathPatterns: {document: "projects/{id}"}
"""
ACCOUNT = "  createAccount: {entryPoint: createAccount, httpsTrigger: {invoker: [private]}}\n"


class Process:
    """A host of a small repository of its own, with its own Firestore unless it is given one."""

    def __init__(self, folder, firestore=None, main=MAIN, manifest=MANIFEST + ACCOUNT):
        self.state, self.root = folder / "state", folder / "root"
        (self.root / "functions").mkdir(parents=True)
        self.main = self.root / "functions" / "main.py"
        self.main.write_text(main)
        (self.root / "functions" / "functions.yaml").write_text(manifest)
        self.options = ["--root", str(self.root), *ANY_PORTS]
        self.log, self.running = folder / "log", None
        self.env = {k: v for k, v in os.environ.items() if k != "FIRESTORE_EMULATOR_HOST"}
        self.env |= {"FIRESTORE_EMULATOR_HOST": firestore} if firestore else {}

    def start(self, *options):
        """Start it and wait for its hub.json."""
        self.running = self.begin("start", *self.options, *options)
        self.until(lambda: self.info and self.info["pid"] == self.running.pid)
        return self

    def end(self):
        """Stop it, if it runs."""
        if pid := State(self.state).pid():
            os.kill(pid, signal.SIGTERM)
            self.running.wait(20)

    def begin(self, *words):
        """Begin a command that goes on, in a session of its own."""
        with self.log.open("w") as log:
            return subprocess.Popen(
                self.command(*words),
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def run(self, *words):
        """Run one command to its end."""
        return subprocess.run(
            self.command(*words),
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def ask(self, *words):
        """Run one command in this process; the exit code and all it said."""
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            code = main([words[0], "--state", str(self.state), *words[1:]])
        return code, said.getvalue()

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

    def busy(self, seconds, answers):
        """Begin a request that takes so long; what it is answered goes into the list."""

        def call():
            with suppress(requests.RequestException):
                answers.append(self.get(f"sleep?s={seconds}").text)

        thread = threading.Thread(target=call)
        thread.start()
        self.says("sleeping")
        return thread

    def says(self, text):
        """Wait for a line in the log."""
        self.until(lambda: text in self.log.read_text())

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


def needing(path, version):
    """Write a jar whose class needs this Java, and does not run."""
    with zipfile.ZipFile(path, "w") as file:
        head = b"\xca\xfe\xba\xbe\0\0" + (version + 44).to_bytes(2, "big")
        file.writestr(jar.MAIN.replace(".", "/") + ".class", head)
    return path
