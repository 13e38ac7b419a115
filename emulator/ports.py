"""Binds the host's ports on 127.0.0.1, and says who has one that is taken.

It must never bind another address: nothing of this host leaves the machine.
"""

import secrets
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from emulator import Refused, children

SHOWN = 300  # characters of a command line: enough for its program and its main arguments
PROC = Path("/proc")
TRIES = 100  # ports a movable one may move on
LOWEST = 15_000  # and up to twice that: registered or free, and never ephemeral (RFC 6335)


def bind(port: int, name: str, flag: str) -> socket.socket:
    """Bind a fixed port; 0 is any free one."""
    try:
        return _bind(port)
    except OSError:
        raise taken(port, name, flag) from None


def bind_next(port: int) -> socket.socket:
    """Bind a port that may move: the first free one from here."""
    for candidate in range(port, min(port + TRIES, 65536)) if port else [0]:
        with suppress(OSError):
            return _bind(candidate)
    raise Refused(f"No port from {port} on is free for hosting: choose one with --hosting-port.")


def free() -> int:
    """Give a port that is free now, for a process that binds it itself, a moment later.

    Below those that the kernel gives out by itself: meanwhile no connection of anybody's takes it.
    """
    for _ in range(TRIES):
        with suppress(OSError), _bind(LOWEST + secrets.randbelow(LOWEST)) as found:
            return number(found)
    with _bind(0) as found:
        return number(found)


def check(port: int, name: str, flag: str) -> int:
    """Give `port` if a child could bind it now; 0 is any free one."""
    if not port:
        return free()
    with bind(port, name, flag) as found:
        return number(found)


def number(bound: socket.socket) -> int:
    """Give the port that is bound."""
    return int(bound.getsockname()[1])


def taken(port: int, name: str, flag: str) -> Refused:
    """Say who has the port, and what to do."""
    pid, command = _owner(port)
    words = " ".join(command)
    if "-m emulator start" in words:
        by, stop = f" by another host (pid {pid}, {words})", "stop it with 'ce emulator stop'"
    else:
        by, stop = f" by pid {pid} ({words[:SHOWN]})" if pid else "", "stop that"
    return Refused(f"Port {port} for {name} is taken{by}: {stop}, or choose another with {flag}.")


def _bind(port: int) -> socket.socket:
    bound = socket.socket()
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        bound.listen()  # until somebody listens, a second process may bind the same port
    except OSError:
        bound.close()
        raise
    return bound


def _owner(port: int) -> tuple[str, list[str]]:
    """Find the process that listens on the port: /proc tells on Linux, `lsof` elsewhere."""
    if not (PROC / "net").exists():
        return _listed(port)
    inodes = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (PROC / "net" / table).read_text().splitlines()[1:]:
                row = line.split()
                if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{row[9]}]")
    for descriptor in PROC.glob("[0-9]*/fd/*") if inodes else ():
        with suppress(OSError):
            if str(descriptor.readlink()) in inodes:
                pid = descriptor.parts[2]
                return pid, (PROC / pid / "cmdline").read_text().rstrip("\0").split("\0")
    return "", []


def _listed(port: int) -> tuple[str, list[str]]:
    """Ask lsof and ps for the process that listens on the port, if they are there."""
    pid = _output("lsof", "-nP", "-t", f"-iTCP:{port}", "-sTCP:LISTEN").partition("\n")[0]
    return (pid, _output("ps", "-ww", "-o", "args=", "-p", pid).split()) if pid else ("", [])


def _output(*words: str) -> str:
    if (program := children.program(words[0])) is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - words of ours
            [program, *words[1:]], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
