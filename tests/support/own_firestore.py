"""A Firestore emulator of a test's own, for hosts that come and go over the same data."""

from pathlib import Path

from emulator import firestore
from emulator.log import Log


def start(port: int, hub: str, log_file: Path, log: Log) -> firestore.Firestore:
    """Start one and wait until it answers; who started it stops it."""
    started = firestore.launch(port, hub, log_file, log)
    try:
        firestore.wait(started)
    except BaseException:
        started.stop()
        raise
    return started
