"""A host with a script under it, over a Firestore emulator that outlives it; and a bad network."""

import json
import random
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace

import requests

from emulator import ports
from emulator.log import Log
from shared.store import Store
from tests.support import Host, own_firestore


class Troubled(Host):
    """A host whose store and key store fail as a script says."""

    def script(self, *rules):
        """Put rules in force, each a dictionary of what `faulty.Rule` has."""
        draft = self.home / "script.draft"
        draft.write_text(json.dumps(rules))
        draft.replace(self.home / "script")

    def again(self):
        """Start anew, over the same data."""
        self.__dict__.pop("inside", None)
        self.start(**self.env)


@contextmanager
def troubled_host(home, **env):
    """Run a host of that kind."""
    hub = ports.free()
    home.mkdir(exist_ok=True)
    store = own_firestore.start(ports.free(), f"127.0.0.1:{hub}", home / "firestore.log", Log(True))
    fixed = ("--hub-port", str(hub), "--hosting-port", str(ports.free()))  # answers tell the latter
    host = Troubled(home, *fixed, runner=("-m", "tests.faults.faulty"))
    host.firestore = store
    host.env = {
        "FIRESTORE_EMULATOR_HOST": store.address,
        "FAULT_FILE": str(home / "script"),
        "CE_KEY_STORE": str(home / "keys"),
        **env,
    }
    try:
        yield host.start(**host.env)
    finally:
        host.stop()
        store.stop()


def worker(host):
    """Give the process that runs the functions, 0 while there is none."""
    pid = host.process.pid
    with open(f"/proc/{pid}/task/{pid}/children") as file:  # noqa: PTH123 - no file of ours
        return max(map(int, file.read().split()), default=0)


class Wire:
    """Passes a port's bytes on to a server; can be cut, or go dead without a word."""

    def __init__(self, target, port=0):
        self._target, self._ends = target, []
        self._flows = threading.Event()
        self._flows.set()
        self._listener = socket.create_server(("127.0.0.1", port))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with suppress(OSError):
            while True:
                near, far = self._listener.accept()[0], socket.create_connection(self._target)
                self._ends += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source, sink):
        with suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait(60)
                sink.sendall(data)

    def freeze(self):
        """Let nothing through, and close nothing: a half-open connection."""
        self._flows.clear()

    def thaw(self):
        """Let through what waits, and what comes."""
        self._flows.set()

    def cut(self):
        """Close every connection in the middle of what it carries."""
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends = []

    def close(self):
        """End it."""
        self.thaw()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()


@contextmanager
def wire(app):
    """Give the same domain, connected over a bad network, and the network."""
    host, _, port = app.settings.emulator.rpartition(":")
    network = Wire((host, int(port)))
    names = app.settings.project, network.address, random.random, app.settings.database
    try:
        yield replace(app, store=Store.connect(*names)), network
    finally:
        network.close()


@contextmanager
def loaded(act, threads=6):
    """Call `act(number)` in threads, over and over, while the block runs.

    Gives the answers there are so far, a pair of the number and None for a cut connection each.
    """
    end, answers, lock = threading.Event(), [], threading.Lock()

    def run(number):
        for count in range(1000):
            if end.is_set():
                return
            try:
                answer = act(number * 1000 + count)
            except requests.RequestException:
                answer = None
                time.sleep(0.05)
            with lock:
                answers.append((number * 1000 + count, answer))

    workers = [threading.Thread(target=run, args=[number]) for number in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield answers
    finally:
        end.set()
        for worker in workers:
            worker.join(60)
    assert not any(worker.is_alive() for worker in workers)
