"""A worker of the local host that dies: what it was told of goes on with the next one."""

import os
import signal
from contextlib import suppress

import pytest
import requests

from shared.store import Write
from tests.faults.hosts import worker
from tests.support import Host, until

pytestmark = pytest.mark.slow

MANY, BATCH = 3000, 400


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A host with a Firestore of its own, whose schedules rest."""
    host = Host(tmp_path_factory.mktemp("own"), "--firestore-port", "0", "--hub-port", "0").start()
    yield host
    host.stop()


def kill(host):
    """Kill the worker as the kernel would, and wait for the next."""
    dead = worker(host)
    os.kill(dead, signal.SIGKILL)
    until(lambda: worker(host) not in (0, dead))


def serves(host):
    """Tell whether a worker answers: who came as the one before it died has no answer."""
    with suppress(requests.ConnectionError):
        return requests.get(host.url, timeout=30).ok
    return False


def filled(host, project):
    """Put many documents into a project, as many secrets would."""
    home = f"projects/{project['id']}/secrets"
    for first in range(0, MANY, BATCH):
        numbers = range(first, min(first + BATCH, MANY))
        host.inside.store.commit(
            [Write.create(f"{home}/s{n}", {"name": f"s{n}", "size": 100}) for n in numbers]
        )


@pytest.mark.claim("F68", "events that die with the local host's worker are sent again at once")
def test_events_of_a_killed_worker(own):
    """An event that the worker held is lost with it: the next one wakes what waits for it."""
    account = own.account()
    doomed, kept, deleted = (account.project() for _ in range(3))
    account.delete(deleted)
    own.hold()
    account.destroy(doomed)
    until(lambda: own.hub("GET", "/triggers")["held"])
    kill(own)
    account.gone(doomed)
    assert (account.status(kept), account.status(deleted)) == ("active", "soft_deleted")


@pytest.mark.claim("F68", "what kills each worker that is woken for it leaves time to serve")
def test_workers_that_die_again_and_again(tmp_path):
    """The more have died of late the later the next one wakes anything: in between it serves."""
    host = Host(tmp_path, "--firestore-port", "0", "--hub-port", "0").start()
    try:
        for _ in range(6):
            woken = host.log().count("enforceRetention  wake")
            kill(host)
            until(lambda: serves(host))
        assert host.account().project()
        assert host.log().count("enforceRetention  wake") == woken
    finally:
        host.stop()


@pytest.mark.claim(
    "F68", "a purge of 3,000 documents ends though its worker is killed again and again"
)
def test_a_large_purge_of_killed_workers(own):
    """Killed at three places in the midst of it; nobody moves the clock, and no schedule runs."""
    account = own.account()
    project = account.project()
    filled(own, project)
    path = f"projects/{project['id']}"
    account.destroy(project)
    for least in (1, 800, 1600):
        until(lambda least=least: own.inside.document(path).get("swept", 0) >= least, 60)
        kill(own)
    until(lambda: own.inside.document(path) is None, 60)
    assert own.inside.document(f"tombstones/{project['id']}")["swept"] >= MANY
    assert own.inside.below(path) == {}
