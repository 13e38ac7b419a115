"""Starts the host's children, Firestore above all, and the host that `exec` brings.

None must outlive the process that started it, nor be a program of the folder one stands in.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

PR_SET_PDEATHSIG = 1


def program(name: str) -> str | None:
    """Find a program in PATH, but for what PATH has of the folder one stands in."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return shutil.which(name, path=os.pathsep.join(filter(os.path.isabs, folders)))


def spawn(
    command: list[str], log_file: Path, folder: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, which Ctrl-C does not reach but our end does."""
    prepare = partial(_die_with, os.getpid()) if sys.platform == "linux" else None
    log_file.unlink(missing_ok=True)  # whatever it is, a pipe that nobody reads even
    with log_file.open("xb") as file:
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
