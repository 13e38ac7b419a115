"""Runs the public Firestore emulator as our child, or uses the one that is already there.

It must never outlive the host, and never stop a process it did not start.
"""

import os
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import requests

from emulator import Refused, children, jar, wire
from emulator.log import Log
from emulator.ports import free

START = 60.0  # seconds until it must answer
EXPORT = 60.0  # seconds an export of everything may take; writes wait for it
REACH = 10.0  # seconds until one that is already there must answer
# The quick compiler alone: boot and first requests take half the time, later ones no longer.
JVM = ("-XX:+IgnoreUnrecognizedVMOptions", "-XX:TieredStopAtLevel=1", "-Duser.language=en")


@dataclass
class Firestore:
    """An emulator's address, and its process if it is ours."""

    address: str
    process: subprocess.Popen[bytes] | None = None
    name: str = "the emulator"
    began: float = 0.0
    log_file: Path = Path(os.devnull)
    begins: Path | None = None  # the export it begins with
    owner: int = field(default_factory=os.getpid)

    def alive(self) -> bool:
        """Whether it still runs: to a worker, whether the host does that it ends with."""
        if self.process is None:
            return True
        if os.getpid() != self.owner:
            return os.getppid() == self.owner
        return self.process.poll() is None

    def ready(self, answered: float | None = None) -> str:
        """Say that it answers, and how long it took."""
        spent = (answered or time.monotonic()) - self.began
        return f"{self.name} on {self.address}, ready in {spent:.1f}s"

    def says(self) -> str:
        """Give the end of its log."""
        tail = "\n".join(self.log_file.read_text(errors="replace").splitlines()[-8:])
        return f"its log says ({self.log_file}):\n{tail}"

    def ended(self) -> Refused:
        """Give the refusal of a start at which it ended before it answered."""
        if self.begins:
            return Refused(
                f"{self.begins} is damaged: Firestore ended over its documents, and says why in "
                f"{self.log_file}. Nothing was imported."
            )
        return Refused(f"The Firestore emulator ended at once; {self.says()}")

    def kill(self) -> None:
        """End it if it is ours; its data is in memory, so there is nothing to wait for."""
        if self.process is not None:
            self.process.kill()

    def stop(self) -> None:
        """End it if it is ours, and wait until it has."""
        self.kill()
        if self.process is not None:
            self.process.wait()

    def clear(self, project: str) -> None:
        """Delete every document."""
        url = f"http://{self.address}/emulator/v1/projects/{project}/databases/(default)/documents"
        try:
            wire.session().delete(url, timeout=60).raise_for_status()
        except requests.RequestException as problem:
            raise Refused(f"Firestore could not be cleared ({type(problem).__name__}).") from None

    def export(self, project: str, folder: Path, name: str) -> None:
        """Write every document to `folder`/`name`, in the form it can begin with."""
        body = {
            "database": f"projects/{project}/databases/(default)",
            "export_directory": str(folder),
            "export_name": name,
        }
        url = f"http://{self.address}/emulator/v1/projects/{project}:export"
        try:
            wire.session().post(url, json=body, timeout=EXPORT).raise_for_status()
        except requests.RequestException as problem:
            raise Refused(f"Firestore did not export ({type(problem).__name__}).") from None


def external(address: str) -> Firestore:
    """Use the emulator that FIRESTORE_EMULATOR_HOST names."""
    deadline = time.monotonic() + REACH
    while not _answers(address):
        if time.monotonic() > deadline:
            raise Refused(
                f"FIRESTORE_EMULATOR_HOST={address} does not answer: start that emulator, or "
                "unset the variable and this host starts its own."
            )
        time.sleep(0.2)
    return Firestore(address)


def launch(
    port: int,
    hub: str,
    log_file: Path,
    log: Log,
    rules: Path | None = None,
    data: Path | None = None,
) -> Firestore:
    """Start our own; `rules` bind all but servers, `data` is an export it begins with."""
    began = time.monotonic()
    found = jar.find(log)
    with log.waiting("firestore", "looking for Java"):
        java = jar.find_java(found)
    command = [java, *JVM, "-cp", str(found), jar.MAIN]
    command += ["--host=127.0.0.1", f"--port={port}", f"--websocket_port={free()}"]
    command += [f"--rules={rules}"] if rules else []
    command += [f"--seed_from_export={data}"] if data else []
    process = children.spawn([*command, f"--functions_emulator={hub}"], log_file, log_file.parent)
    return Firestore(f"127.0.0.1:{port}", process, found.name, began, log_file)


class Waiting(threading.Thread):
    """Waits beside other work until it answers, and knows when it did."""

    def __init__(self, firestore: Firestore) -> None:
        super().__init__(name="firestore", daemon=True)
        self._firestore = firestore
        self._refused: Refused | None = None
        self.answered = 0.0
        self.start()

    def run(self) -> None:
        """Wait."""
        try:
            wait(self._firestore)
        except Refused as refused:
            self._refused = refused
        self.answered = time.monotonic()

    def done(self) -> None:
        """Come back when it answers; raises Refused when it does not."""
        self.join()
        if self._refused:
            raise self._refused


def wait(firestore: Firestore) -> None:
    """Wait until one that was started answers; may be called where its process is not a child."""
    deadline = time.monotonic() + START
    while not _answers(firestore.address):
        if not firestore.alive():
            raise firestore.ended()
        if time.monotonic() > deadline:
            raise Refused(
                f"The Firestore emulator did not answer within {START:.0f}s; {firestore.says()}"
            )
        time.sleep(0.05)


def _answers(address: str) -> bool:
    try:
        answer = wire.session().get(f"http://{address}/", timeout=2)
    except requests.RequestException:
        return False
    return answer.ok and answer.text.strip() == "Ok"
