"""The host, with a fuse: dies before or after its nth write, as the power cut would have it.

Run in place of `python -m emulator`. It counts commits and what changes the key store's files, from
outside of the domain, from when the file named by CRASH_FILE says `N before ID` or `N after ID`.
"""

import itertools
import os
import runpy
import signal
from collections import defaultdict
from pathlib import Path

from emulator.host import Host

FUSE, KEYS = Path(os.environ["CRASH_FILE"]), Path(os.environ["CE_KEY_STORE"])
COUNTS = defaultdict(lambda: itertools.count(1))  # by fuse


def fused(write):
    """Wrap a method that writes."""

    def guarded(*args, **kwargs):
        if not FUSE.exists():
            return write(*args, **kwargs)
        at, when, fuse = FUSE.read_text().split()
        now = next(COUNTS[fuse]) == int(at)
        if now and when == "before":
            die()
        try:
            return write(*args, **kwargs)
        finally:
            if now:
                die()

    return guarded


def die():
    """Kill the whole host, worker and master, without a chance to clean up; the fuse is burnt."""
    FUSE.replace(FUSE.with_suffix(".burnt"))
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def load(host, load=Host.load):
    """Load the functions as ever, then put the fuse on what they write with."""
    fault = load(host)
    from shared.keys.local import files
    from shared.store import Store

    Store.commit = fused(Store.commit)
    files.write = fused(files.write)
    return fault


def within_keys(act):
    """Put the fuse on what a path method does in the key store, and nowhere else."""
    guarded = fused(act)

    def chosen(path, *args, **kwargs):
        return (guarded if path.parent == KEYS else act)(path, *args, **kwargs)

    return chosen


Host.load = load
Path.rename = within_keys(Path.rename)
Path.unlink = within_keys(Path.unlink)

if __name__ == "__main__":
    runpy.run_module("emulator", run_name="__main__", alter_sys=True)
