"""Soak: mixed load at half of what the host can take, with a restart in the middle (`make soak`).

Clients act at fixed times, whether or not the last answer came soon: a stall counts against
every request that should have been sent meanwhile. Each keeps a ledger of what was acknowledged,
and every value read is compared with it; at the end all of them are.
"""

import argparse
import math
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from emulator import ports
from emulator.log import Log
from tests.support import Account, Host, own_firestore, stand_alone, told

CLIENTS, NAMES = 8, 20
CALIBRATION = 15.0  # seconds at full speed, to know what half of it is
MIX = {  # of a hundred requests
    "read": 40,
    "write": 30,
    "list": 10,
    "list projects": 7,
    "remove": 6,
    "config map": 5,
    "restore": 1,
    "replace": 1,
}


class Client:
    """One account with a project and secrets in it, and what it knows of them."""

    def __init__(self, account: Account, number: int) -> None:
        self.account, self.random = account, random.Random(number)
        self.ledger: dict[str, set[str | None]] = {}  # name: the values it may have
        self.spent: list[tuple[float, float, str]] = []  # when, seconds, what went wrong
        self.project = account.project()["id"]
        self.deleted = False  # and not restored yet: the host stopped in between

    def act(self, due: float) -> None:
        """Make one request of the mix that was due at some time, and note what came of it."""
        (verb,) = self.random.choices(list(MIX), list(MIX.values()))
        verb = "restore" if self.deleted else verb
        try:
            wrong = getattr(self, verb.replace(" ", "_"))()
        except OSError as error:  # also while the host's address is not written
            wrong = type(error).__name__
        self.spent.append((due, time.monotonic() - due, wrong and f"{verb}: {wrong}"))

    def _call(self, method, path, body=None, *, good, **named):
        answer = self.account.call(method, path, body, **named)
        return answer, "" if answer.status_code in good else told.told(answer)

    def _secret(self):
        name = f"s{self.random.randrange(NAMES)}"
        return name, f"/v2/projects/{self.project}/secrets", self.ledger.setdefault(name, {None})

    def read(self):
        """Read a secret, which must be what was written last."""
        name, path, known = self._secret()
        answer, wrong = self._call("GET", f"{path}/{name}", good=(200, 404))
        return wrong or ("" if value_of(answer) in known else "another value")

    def write(self):
        """Create or replace a secret."""
        name, path, known = self._secret()
        value, before = self.random.randbytes(256).hex(), set(known)
        known.add(value)
        body = {"format": "generic", "data": {"k": value}}
        if None in before:
            answer, wrong = self._call("POST", path, {"name": name, **body}, good=(201, 409))
        else:
            match = {"headers": {"If-Match": "*"}}
            answer, wrong = self._call("PUT", f"{path}/{name}", body, good=(200, 404), **match)
        if answer.status_code < 300:
            self.ledger[name] = {value}
        elif not wrong:  # nothing was done, and that tells what was before
            self.ledger[name] = before - {None} if answer.status_code == 409 else {None}
        elif answer.status_code < 500:  # nothing was done, and that tells nothing
            self.ledger[name] = before
        return wrong or ("" if self.ledger[name] else "there is what nobody wrote")

    def remove(self):
        """Delete a secret."""
        name, path, known = self._secret()
        known.add(None)
        _, wrong = self._call("DELETE", f"{path}/{name}", good=(202, 404))
        self.ledger[name] = known if wrong else {None}
        return wrong

    def list(self):
        """List the secrets."""
        _, path, _ = self._secret()
        return self._call("GET", path, good=(200,))[1]

    def list_projects(self):
        """List the projects."""
        return self._call("GET", "/v2/projects", good=(200,))[1]

    def config_map(self):
        """Create a config map and delete it."""
        path = f"/v2/projects/{self.project}/config_maps"
        body = {"name": "c", "data": {"k": "v"}}
        wrong = self._call("POST", path, body, good=(201, 409))[1]
        return wrong or self._call("DELETE", f"{path}/c", good=(202, 404))[1]

    def restore(self):
        """Delete the project and restore it: all must be there."""
        path, self.deleted = f"/v2/projects/{self.project}", True
        wrong = self._call("DELETE", path, good=(202, 409))[1]
        wrong = wrong or self._end(self.project, "restore")
        self.deleted = bool(wrong)
        return wrong

    def replace(self):
        """Destroy the project before its time, and go on in a new one."""
        old, named = self.project, {"name": f"p{self.random.randrange(10**9)}"}
        answer, wrong = self._call("POST", "/v2/projects", named, good=(202,))
        if wrong:
            return wrong
        self.project, self.ledger = told.body(answer, 202)["id"], {}
        wrong = self._call("DELETE", f"/v2/projects/{old}", good=(202, 409))[1]
        return wrong or self._end(old, "reclaim")

    def _end(self, project, action):
        """Restore or reclaim a project that was deleted, by the reclamation of its deletion."""
        query = f"/v1/reclamations?resource_instance_id={project}"
        answer, wrong = self._call("GET", query, good=(200,))
        if wrong:
            return wrong
        found = told.body(answer, 200)["resources"]
        if not found:
            return "a deletion without a reclamation"
        path = f"/v1/reclamations/{found[0]['id']}/actions/{action}"
        return self._call("POST", path, {}, good=(200, 409))[1]

    def differences(self):
        """Give how many secrets are not what they were left as."""
        path, wrong = f"/v2/projects/{self.project}/secrets", 0
        for name, known in self.ledger.items():
            wrong += value_of(self.account.call("GET", f"{path}/{name}")) not in known
        return wrong


def value_of(answer):
    """Give the value of a secret that was read; None where there is no such secret."""
    found = told.body(answer, 200, 404)
    return found["data"]["k"] if answer.status_code == 200 else None


def run(clients: list[Client], seconds: float, rate: float = 0.0) -> float:
    """Let all act for a while, `rate` times a second in all (0: without a pause); give the rate."""
    began, counts = time.monotonic(), [0] * len(clients)

    def drive(number: int) -> None:
        due = began + number / rate if rate else 0.0
        while (now := time.monotonic()) < began + seconds:
            if rate and due > now:
                time.sleep(min(due - now, 1))
                continue
            clients[number].act(due if rate else now)
            counts[number] += 1
            due += len(clients) / rate if rate else 0.0

    threads = [threading.Thread(target=drive, args=[n]) for n in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - began)


class Restart:
    """Stops the host in the middle and starts it again; watches its memory."""

    def __init__(self, host: Host, env: dict[str, str], at: float) -> None:
        self.host, self.env, self.at = host, env, at
        self.down = (math.inf, math.inf)
        self.memory: list[tuple[float, float]] = []  # when, MiB
        self._done, self._thread = threading.Event(), threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        ended = False
        while not self._done.wait(1):
            with suppress(OSError, ValueError, KeyError):
                self.memory.append((time.monotonic(), resident(self.host.info["pid"])))
            if not ended and time.monotonic() >= self.at:
                self.down = (time.monotonic(), math.inf)
                self.host.stop()
                self.host.start(**self.env)
                self.down, ended = (self.down[0], time.monotonic()), True


def resident(pid: int) -> float:
    """Give the MiB that a process and those below it hold."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20 + sum(map(resident, map(int, below)))


def grown(memory: list[tuple[float, float]], begin: float, end: float) -> str:
    """Say how memory went between two times: medians of the second minute on, and of the last."""
    inside = [mib for at, mib in memory if begin <= at <= end]
    part = max(1, len(inside) // 6)
    first, last = statistics.median(inside[part : 2 * part]), statistics.median(inside[-part:])
    return f"{first:.0f} -> {last:.0f} MiB"


def sort(wrong: str) -> str:
    """Give what went wrong, without the trace of one request."""
    return wrong.partition(", trace ")[0]


def report(clients: list[Client], watch: Restart, began: float) -> int:
    """Print what was seen; give how much of it must not be."""
    start, up = watch.down
    rows = [row for client in clients for row in client.spent if row[0] >= began]
    apart = [row for row in rows if row[0] + row[1] >= start and row[0] <= up]
    usual = [row for row in rows if not (row[0] + row[1] >= start and row[0] <= up)]
    spent = sorted(second for _, second, _ in usual)
    for name, part in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)):
        print(f"{name:24}{spent[int(len(spent) * part)] * 1e3:10.1f} ms")
    shown = {sort(wrong): wrong for *_, wrong in usual if wrong}  # the last of each sort
    errors = Counter(sort(wrong) for *_, wrong in usual if wrong)
    print(f"{'requests':24}{len(rows):10}\n{'errors':24}{errors.total():10}")
    for name, count in errors.items():
        print(f"{count:34}  {shown[name]}")
    lost = Counter(sort(wrong) for *_, wrong in apart if wrong)
    print(
        f"{'restart':24}{up - start:10.1f} s, {len(apart)} requests due, {lost.total()} unanswered"
    )
    print(f"{'memory before it':24}{grown(watch.memory, began, start):>20}")
    print(f"{'memory after it':24}{grown(watch.memory, up, time.monotonic()):>20}")
    wrong = sum(client.differences() for client in clients)
    held = sum(len(client.ledger) for client in clients)
    print(f"{'secrets not as left':24}{wrong:10}  of {held}")
    return errors.total() + wrong + sum("another" in what or "nobody" in what for what in lost)


def main() -> None:
    """Run it for some minutes; exit with 1 if anything went wrong outside of the restart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    seconds = parser.parse_args().minutes * 60
    stand_alone()
    with tempfile.TemporaryDirectory() as folder:
        home, hub = Path(folder), ports.free()
        store = own_firestore.start(
            ports.free(), f"127.0.0.1:{hub}", home / "store.log", Log(quiet=True)
        )
        fixed = {
            "--hub-port": hub,
            "--hosting-port": ports.free(),
            "--functions-port": ports.free(),
        }
        options = [str(word) for pair in fixed.items() for word in pair]
        host = Host(home / "ce", *options)
        env = {"FIRESTORE_EMULATOR_HOST": store.address, "CE_KEY_STORE": str(home / "keys")}
        try:
            host.start(**env)
            clients = [Client(host.account(), number) for number in range(CLIENTS)]
            full = run(clients, CALIBRATION)
            print(f"{'at full speed':24}{full:10.0f} requests/s, {CLIENTS} clients")
            began = time.monotonic()
            print(f"{'asked':24}{full / 2:10.0f} requests/s, for {seconds / 60:g} min", flush=True)
            with Restart(host, env, began + seconds / 2) as watch:
                got = run(clients, seconds, full / 2)
            print(f"{'answered':24}{got:10.0f} requests/s")
            sys.exit(report(clients, watch, began) > 0)
        finally:
            host.stop()
            store.stop()


if __name__ == "__main__":
    main()
