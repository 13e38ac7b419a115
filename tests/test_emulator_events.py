"""Who calls functions besides people: schedules, Firestore events, the hub."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.test import Client

from emulator import manifest, triggers
from emulator.admin import Hub
from emulator.clock import Clock
from emulator.cron import Cron
from emulator.firestore import Firestore
from emulator.log import Log
from emulator.state import State
from tests.test_emulator_serving import EVENT, SCHEDULE, FakeHost, repository


def until(condition, seconds=5.0):
    """Wait for what another thread does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def cron(tmp_path):
    """One schedule, every five minutes, with one retry."""
    host = FakeHost(manifest.read(repository(tmp_path, sweep=SCHEDULE)))
    clock = Clock(tmp_path / "clock")
    return Cron(host, clock, Log(quiet=True), paused=False), host, clock


def test_a_jump_fires_a_schedule_once(cron):
    """Eight days of missed runs collapse into one; going back fires none."""
    schedules, host, clock = cron
    before = datetime.now(UTC)
    clock.advance(8 * 86400)
    before = schedules.tick(before)
    assert schedules.tick(before) >= before
    assert [name for name, *_ in host.got] == ["sweep"]
    environ = host.got[0][1]
    assert environ["HTTP_USER_AGENT"] == "Google-Cloud-Scheduler"
    assert environ["HTTP_X_CLOUDSCHEDULER_JOBNAME"] == "sweep"
    assert environ["HTTP_X_CLOUDSCHEDULER_SCHEDULETIME"].endswith("Z")
    clock.set(0)
    schedules.tick(before)
    assert len(host.got) == 1
    assert schedules.jobs["sweep"].due < datetime.now(UTC) + timedelta(minutes=6)


def test_a_paused_schedule_makes_nothing_up(cron):
    """A test can move the clock without the sweep, and let it go on from there."""
    schedules, host, clock = cron
    schedules.pause(True)
    clock.advance(86400)
    schedules.tick(datetime.now(UTC))
    schedules.pause(False)
    schedules.tick(datetime.now(UTC))
    assert host.got == []


def test_a_failed_run_is_tried_again_as_often_as_the_manifest_says(cron):
    """One retry by the manifest: the run, one retry after seconds, then the next regular time."""
    schedules, host, clock = cron
    host.statuses = [500, 500]
    clock.advance(3600)
    schedules.tick(datetime.now(UTC))
    job = schedules.jobs["sweep"]
    assert job.due <= clock.now() + timedelta(seconds=5)
    clock.advance(5)
    schedules.tick(datetime.now(UTC))
    assert (len(host.got), job.retries) == (2, 0)
    assert job.due.minute % 5 == job.due.second == 0


@pytest.fixture
def events(tmp_path, monkeypatch):
    """One event function with retries that do not wait."""
    monkeypatch.setattr(triggers, "BACKOFF", (0.01, 0.02))
    host = FakeHost(manifest.read(repository(tmp_path, watch=EVENT)))
    return triggers.Triggers(host, Log(quiet=True), "abc"), host


def deliver(found, body=b"1", when=None):
    """Let Firestore report one event."""
    headers = {"Ce-Time": (when or datetime.now(UTC)).isoformat(), "Ce-Document": "projects/p"}
    assert found.accept("us-central1-watch-abc", headers, body)


def test_events_reach_the_function_unchanged(events):
    """Headers and bytes go through; an id nobody was given is not there."""
    found, host = events
    deliver(found, b"\x00\xff")
    until(lambda: found.counts()["delivered"] == 1)
    assert host.got[0][2] == b"\x00\xff"
    assert host.got[0][1]["HTTP_CE_DOCUMENT"] == "projects/p"
    assert not found.accept("us-central1-watch-guess", {}, b"")


def test_failed_deliveries_are_repeated_then_given_up(events):
    """Two failures and a success; then ten failures and no more."""
    found, host = events
    host.statuses = [500, 404]
    deliver(found)
    until(lambda: found.counts()["delivered"] == 1)
    host.statuses = [500] * 20
    deliver(found)
    until(lambda: found.counts()["failed"] == 1)
    assert len(host.got) == 3 + triggers.ATTEMPTS
    assert found.counts()["pending"] == 0


def test_events_can_be_held_dropped_and_repeated(events):
    """A test decides when an event arrives, whether, and how often."""
    found, host = events
    found.hold(True)
    deliver(found, b"1")
    deliver(found, b"2")
    assert (found.counts()["held"], host.got) == (2, [])
    found.hold(False)
    until(lambda: found.counts()["delivered"] == 2)
    assert found.repeat(1) == 1
    until(lambda: found.counts()["delivered"] == 3)
    found.hold(True)
    deliver(found)
    found.drop()
    found.hold(False)
    assert found.counts() == {"held": 0, "pending": 0, "delivered": 3, "failed": 0}


@pytest.fixture
def hub(tmp_path):
    """A hub over a fake host, and a client of it."""
    root = repository(tmp_path, f="httpsTrigger: {invoker: [private]}", watch=EVENT, sweep=SCHEDULE)
    host, log, clock = FakeHost(manifest.read(root)), Log(quiet=True), Clock(tmp_path / "clock")
    calls = []
    made = Hub(
        host=host,
        triggers_=triggers.Triggers(host, log, "abc"),
        cron=Cron(host, clock, log, paused=False),
        clock_=clock,
        state=State(tmp_path),
        firestore=type("Store", (Firestore,), {"clear": lambda _, p: calls.append(p)})(
            "127.0.0.1:1"
        ),
        project="demo-x",
        pid=1,
        addresses={"hub": "127.0.0.1:4400"},
        token="t",
        bootstrap=lambda: calls.append("bootstrap"),
    )
    return Client(made), host, calls


def ask(client, method, path, body=None, **headers):
    """Ask the hub with its token."""
    headers = {"Authorization": "Bearer t"} | headers
    return client.open(path, method=method, json=body, headers=headers)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {"Authorization": ""}, 200),
        ("GET", "/emulators", {"Authorization": ""}, 200),
        ("GET", "/status", {"Authorization": ""}, 401),
        ("GET", "/status", {"Authorization": "Bearer wrong"}, 401),
        ("GET", "/status", {}, 200),
        ("GET", "/status", {"Origin": "http://127.0.0.1:5000"}, 403),
        ("POST", "/reset", {"Origin": "null"}, 403),
        ("GET", "/reset", {}, 405),
        ("GET", "/nope", {}, 404),
        ("POST", "/functions/nope", {}, 404),
        ("POST", "/schedules/nope/run", {}, 404),
        ("POST", "/functions/projects/demo-x/triggers/guess", {"Authorization": ""}, 404),
        ("POST", "/functions/projects/demo-x/triggers/us-central1-watch-abc", {}, 204),
        ("POST", "/functions/projects/x/triggers/us-central1-watch-abc", {"Origin": "x"}, 403),
    ],
)
def test_hub_guards(hub, method, path, headers, status):
    """Without the token the hub says where things are, and to a web page not even more."""
    assert ask(hub[0], method, path, **headers).status_code == status


def test_hub_controls(hub):
    """The clock, the schedules, the events and private functions are within reach of a test."""
    client, host, calls = hub
    assert ask(client, "PUT", "/clock", {"offset": 60}).json["offset"] == 60
    assert ask(client, "POST", "/clock/advance", {"seconds": -10}).json["offset"] == 50
    assert ask(client, "GET", "/clock").json["now"] > datetime.now(UTC).isoformat()
    assert ask(client, "PUT", "/clock", {"offset": True}).status_code == 400
    assert ask(client, "PUT", "/clock", [1]).status_code == 400
    assert ask(client, "PUT", "/schedules", {"paused": True}).json == {"paused": True}
    assert ask(client, "POST", "/schedules/sweep/run").json == {"status": 200, "body": "/"}
    assert ask(client, "PUT", "/triggers", {"held": True}).json["held"] == 0
    assert ask(client, "PUT", "/triggers", {"held": "yes"}).status_code == 400
    assert ask(client, "POST", "/triggers/drop").json["pending"] == 0
    assert ask(client, "POST", "/triggers/repeat", {"last": 3}).json == {"repeated": 0}
    assert ask(client, "POST", "/functions/f", {"a": 1}).text == "/"
    assert json.loads(host.got[-1][2]) == {"a": 1}
    assert ask(client, "POST", "/reset").status_code == 200
    assert calls == ["demo-x", "bootstrap"]
    assert ask(client, "GET", "/clock").json["offset"] == 0
