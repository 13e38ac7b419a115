"""Measures permanent deletion in bulk (`make wave`): what is due at once, and what is not due.

The wave runs against a real host. What a sweep costs is counted in requests to the store and
documents read, which are exact; its seconds are those of the emulator, which has no indexes and
looks at every project, where Firestore bills and reads only what it gives.
"""

import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from shared.lifecycle import SOFT_DELETED
from shared.store import Store, Write
from shared.upkeep import schedule
from tests.support import WEEK, Host, stand_alone, wired
from tests.support.counting import Counting

PROJECTS, SECRETS, THREADS = 100, 100, 8
WAIT = timedelta(days=3)
NOT_DUE = (0, 100, 1_000, 10_000)
LIMIT = 900.0  # seconds that all of it may take to be gone


def wave(host: Host) -> None:
    """Print how fast projects that are due at once are destroyed, by events alone."""
    account, began = host.account(), time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        projects = list(pool.map(lambda n: account.project(f"p{n}"), range(PROJECTS)))
        pairs = [(project, f"s{n}") for project in projects for n in range(SECRETS)]
        list(pool.map(lambda pair: account.secret(*pair, {"k": "v" * 256}), pairs))
        list(pool.map(account.delete, projects))
    print(f"{PROJECTS} projects of {SECRETS} secrets made in {time.monotonic() - began:.0f} s")
    host.advance(WEEK)
    began = time.monotonic()
    done = host.enforce()
    marked = time.monotonic() - began
    while host.inside.projects(account.id):
        assert time.monotonic() - began < LIMIT, "they are not all destroyed"
        time.sleep(0.5)
    spent = time.monotonic() - began
    left = host.inside.slots(account.id), host.inside.key_halves()
    assert done["expired"] == PROJECTS
    assert left == ({}, set())
    print(
        f"marked by one run of the schedule in {marked:.1f} s; all destroyed after {spent:.1f} s:"
    )
    print(f"{PROJECTS / spent:.1f} projects/s, {PROJECTS * SECRETS / spent:.0f} secrets/s")


class Reading(Counting):
    """Firestore's client, counting also the documents that queries give."""

    def __init__(self, api) -> None:
        super().__init__(api)
        self.documents = 0

    def run_query(self, *arguments, **named):
        """Ask, and count."""
        self.calls.append("run_query")
        found = list(self.api.run_query(*arguments, **named))
        self.documents += sum("document" in answer for answer in found)
        return iter(found)


def sweeps(host: Host, folder: Path) -> None:
    """Print what one run of the schedule costs beside so many projects that are not due."""
    app = wired(host.info["firestore"], folder)
    now, there = app.now(app.store.read("retention/clock")), 0
    print(f"\n{'not due':>10}{'requests':>10}{'documents':>10}{'seconds':>10}")
    for count in NOT_DUE:
        rows = [
            Write.create(
                f"projects/{uuid.uuid4()}", {"status": SOFT_DELETED, "purge_at": now + WAIT}
            )
            for _ in range(count - there)
        ]
        for start in range(0, len(rows), 400):
            app.store.commit(rows[start : start + 400])
        there = count
        reading = Reading(app.store._api)
        store = Store(reading, app.store._database, app.store._jitter, token="owner")
        began = time.monotonic()
        schedule.enforce(replace(app, store=store))
        spent = time.monotonic() - began
        print(f"{count:10}{len(reading.calls):10}{reading.documents:10}{spent:10.2f}", flush=True)


def main() -> None:
    """Measure both."""
    stand_alone()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        host = Host(home / "ce", "--firestore-port", "0", "--hub-port", "0")
        try:
            host.start(CE_PROJECTS_PER_REGION=str(PROJECTS))
            wave(host)
            (home / "own").mkdir()
            sweeps(host, home / "own")
        finally:
            host.stop()


if __name__ == "__main__":
    main()
