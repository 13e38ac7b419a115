"""Runs the public Firestore emulator as our child, or uses the one that is already there.

It must never outlive the host, and never stop a process it did not start.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import requests

from emulator import Refused, jar, wire
from emulator.log import Log
from emulator.ports import free

START = 60.0  # seconds until it must answer
REACH = 10.0  # seconds until one that is already there must answer
PR_SET_PDEATHSIG = 1


@dataclass
class Firestore:
    """An emulator's address, and its process if it is ours."""

    address: str
    process: subprocess.Popen[bytes] | None = None

    def alive(self) -> bool:
        """Whether it still runs, as far as it is ours to know."""
        return self.process is None or self.process.poll() is None

    def stop(self) -> None:
        """Stop it if it is ours; its data is in memory, so there is nothing to wait for."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()

    def clear(self, project: str) -> None:
        """Delete every document."""
        url = f"http://{self.address}/emulator/v1/projects/{project}/databases/(default)/documents"
        try:
            wire.session().delete(url, timeout=60).raise_for_status()
        except requests.RequestException as problem:
            raise Refused(f"Firestore could not be cleared ({type(problem).__name__}).") from None


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


def start(port: int, hub: str, log_file: Path, log: Log, rules: Path | None = None) -> Firestore:
    """Start our own and wait until it answers; `rules` bind all but servers."""
    began, found = time.monotonic(), jar.find(log)
    command = [jar.find_java(found), "-Duser.language=en", "-cp", str(found), jar.MAIN]
    command += ["--host=127.0.0.1", f"--port={port}", f"--websocket_port={free()}"]
    command += [f"--rules={rules}"] if rules else []
    address = f"127.0.0.1:{port}"
    firestore = Firestore(address, spawn([*command, f"--functions_emulator={hub}"], log_file))
    try:
        _wait(firestore, log_file)
    except BaseException:
        firestore.stop()
        raise
    log.note("firestore", f"{found.name} on {address}, ready in {time.monotonic() - began:.1f}s")
    return firestore


def spawn(
    command: list[str], log_file: Path, folder: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, which Ctrl-C does not reach but our end does."""
    prepare = partial(_die_with, os.getpid()) if sys.platform == "linux" else None
    with log_file.open("wb") as file:
        return subprocess.Popen(  # noqa: S603 - our own command line
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509 - no thread of ours runs yet
        )


def _die_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def _wait(firestore: Firestore, log_file: Path) -> None:
    deadline = time.monotonic() + START
    while not _answers(firestore.address):
        ended = not firestore.alive()
        if ended or time.monotonic() > deadline:
            tail = "\n".join(log_file.read_text(errors="replace").splitlines()[-8:])
            how = "ended at once" if ended else f"did not answer within {START:.0f}s"
            raise Refused(f"The Firestore emulator {how}; its log says ({log_file}):\n{tail}")
        time.sleep(0.05)


def _answers(address: str) -> bool:
    try:
        answer = wire.session().get(f"http://{address}/", timeout=2)
    except requests.RequestException:
        return False
    return answer.ok and answer.text.strip() == "Ok"
