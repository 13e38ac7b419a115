"""Who calls functions besides people: schedules, Firestore events, the hub."""

import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests
from werkzeug.test import Client

from emulator import Refused, admin, triggers
from emulator.admin import Hub
from emulator.clock import Clock
from emulator.cron import Cron
from emulator.firestore import Firestore
from emulator.log import Log
from emulator.state import State
from tests.support import until
from tests.support.emulator import EVENT, PRIVATE, SCHEDULE, serving


@pytest.fixture
def cron(tmp_path):
    """One schedule, every five minutes, with one retry."""
    with serving(tmp_path, sweep=SCHEDULE) as served:
        clock = Clock(tmp_path / "clock")
        yield Cron(served.host, clock, Log(quiet=True), paused=False), served, clock


def test_a_jump_fires_a_schedule_once(cron):
    """Eight days of missed runs collapse into one; going back fires none."""
    schedules, served, clock = cron
    before = datetime.now(UTC)
    clock.advance(8 * 86400)
    before = schedules.tick(before)
    assert schedules.tick(before) >= before
    assert [name for name, *_ in served.got] == ["sweep"]
    headers = served.got[0][1]
    assert headers["User-Agent"] == "Google-Cloud-Scheduler"
    assert headers["X-Cloudscheduler-Jobname"] == "sweep"
    assert headers["X-Cloudscheduler-Scheduletime"].endswith("Z")
    clock.set(0)
    schedules.tick(before)
    assert len(served.got) == 1
    assert schedules.jobs["sweep"].due < datetime.now(UTC) + timedelta(minutes=6)


def test_a_paused_schedule_makes_nothing_up(cron):
    """A test can move the clock without the sweep, and let it go on from there."""
    schedules, served, clock = cron
    schedules.pause(True)
    clock.advance(86400)
    schedules.tick(datetime.now(UTC))
    schedules.pause(False)
    schedules.tick(datetime.now(UTC))
    assert served.got == []


def test_a_failed_run_is_tried_again_as_often_as_the_manifest_says(cron):
    """One retry by the manifest: the run, one retry after seconds, then the next regular time."""
    schedules, served, clock = cron
    served.statuses[:] = [500, 500]
    clock.advance(3600)
    schedules.tick(datetime.now(UTC))
    job = schedules.jobs["sweep"]
    assert job.due <= clock.now() + timedelta(seconds=5)
    clock.advance(5)
    schedules.tick(datetime.now(UTC))
    assert (len(served.got), job.retries) == (2, 0)
    assert job.due.minute % 5 == job.due.second == 0


@pytest.fixture
def events(tmp_path, monkeypatch):
    """One event function with retries that do not wait."""
    monkeypatch.setattr(triggers, "BACKOFF", (0.01, 0.02))
    with serving(tmp_path, watch=EVENT) as served:
        yield triggers.Triggers(served.host, Log(quiet=True), "abc"), served


def deliver(found, body=b"1"):
    """Let Firestore report one event."""
    headers = {
        "Ce-Id": uuid.uuid4().hex,
        "Ce-Source": "//firestore.googleapis.com/projects/demo-x/databases/(default)",
        "Ce-Specversion": "1.0",
        "Ce-Type": "google.cloud.firestore.document.v1.written",
        "Ce-Time": datetime.now(UTC).isoformat(),
        "Ce-Document": "projects/p",
        "Content-Type": "application/protobuf",
    }
    found.accept("us-central1-watch-abc", headers, body)


def test_events_reach_the_function_unchanged(events):
    """Headers and bytes go through; an id nobody was given is not there."""
    found, served = events
    deliver(found, b"\x00\xff")
    until(lambda: found.counts()["delivered"] == 1)
    assert served.got[0][2] == b"\x00\xff"
    assert served.got[0][1]["Ce-Document"] == "projects/p"
    assert found.known("us-central1-watch-abc")
    assert not found.known("us-central1-watch-guess")


def test_failed_deliveries_are_repeated_then_given_up(events):
    """Two failures and a success; then ten failures and no more."""
    found, served = events
    served.statuses[:] = [500, 404]
    deliver(found)
    until(lambda: found.counts()["delivered"] == 1)
    served.statuses[:] = [500] * 20
    deliver(found)
    until(lambda: found.counts()["failed"] == 1)
    assert len(served.got) == 3 + triggers.ATTEMPTS
    assert found.counts()["pending"] == 0


def test_what_needs_no_retry_is_delivered_once(tmp_path):
    """Without `retry` in the manifest a delivery that fails is given up."""
    with serving(tmp_path, watch=EVENT.replace("true", "false")) as served:
        found = triggers.Triggers(served.host, Log(quiet=True), "abc")
        served.statuses[:] = [500]
        deliver(found)
        until(lambda: found.counts()["failed"] == 1)
        assert len(served.got) == 1


def test_a_store_that_knows_no_triggers_is_refused(host, events):
    """It is one sentence at the start, not an event that never comes."""
    found, _ = events
    with pytest.raises(Refused, match="trigger of watch"):
        found.register(host.functions.removeprefix("http://"), "demo-hub")
    with pytest.raises(Refused, match="took no trigger of watch"):
        found.register("127.0.0.1:1", "demo-hub")


def test_events_can_be_held_dropped_and_repeated(events):
    """A test decides when an event arrives, whether, and how often."""
    found, served = events
    found.hold(True)
    deliver(found, b"1")
    deliver(found, b"2")
    assert (found.counts()["held"], served.got) == (2, [])
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
def hub(host, tmp_path):
    """A hub over three functions and a database of its own, a client of it, and its boots."""
    made, boots, log = f"demo-hub-{uuid.uuid4().hex[:8]}", [], Log(quiet=True)
    state, clock = State(tmp_path / "state"), Clock(tmp_path / "state" / "clock")
    state.prepare()

    def export(folder, alone):
        with alone:
            boots.append(folder.name)

    with serving(tmp_path, f=PRIVATE, watch=EVENT, sweep=SCHEDULE) as served:
        app = Hub(
            host=served.host,
            triggers_=triggers.Triggers(served.host, log, "abc"),
            cron=Cron(served.host, clock, log, paused=True),
            clock_=clock,
            state=state,
            firestore=Firestore(host.info["firestore"], host.process),
            project=made,
            pid=1,
            addresses={"hub": "127.0.0.1:4400"},
            token="t",
            bootstrap=lambda: boots.append(made),
            export_=export,
        )
        yield Client(app), app, served, boots


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
    client, _, served, _ = hub
    assert ask(client, "PUT", "/clock", {"offset": 60}).json["offset"] == 60
    assert ask(client, "POST", "/clock/advance", {"seconds": -10}).json["offset"] == 50
    assert ask(client, "GET", "/clock").json["now"] > datetime.now(UTC).isoformat()
    assert ask(client, "PUT", "/schedules", {"paused": True}).json == {"paused": True}
    assert ask(client, "POST", "/schedules/sweep/run").json == {"status": 200, "body": "/"}
    assert ask(client, "PUT", "/triggers", {"held": True}).json["held"] == 0
    assert ask(client, "POST", "/triggers/drop").json["pending"] == 0
    assert ask(client, "POST", "/triggers/repeat", {"last": 3}).json == {"repeated": 0}
    assert ask(client, "POST", "/functions/f", {"a": 1}).text == "/"
    assert json.loads(served.got[-1][2]) == {"a": 1}
    status = ask(client, "GET", "/status").json
    assert status["functions"] == {"f": "private", "watch": "event", "sweep": "schedule"}
    assert (status["schedules"]["paused"], status["triggers"]["held"]) == (True, 0)


def test_the_clock_answers_when_what_became_due_has_run(hub, monkeypatch):
    """It waits for a schedule that is due, for a while, and says when that goes on."""
    client, app, served, _ = hub
    app.cron.pause(False)
    monkeypatch.setattr(admin, "SETTLE", 0.2)
    assert ask(client, "POST", "/clock/advance", {"seconds": 3600}).json["settled"] is False
    monkeypatch.setattr(admin, "SETTLE", 10)
    tick = threading.Timer(0.2, app.cron.tick, [datetime.now(UTC)])
    tick.start()
    assert ask(client, "PUT", "/clock", {"offset": 7200}).json["settled"] is True
    tick.join()
    assert [name for name, *_ in served.got] == ["sweep"]
    assert ask(client, "PUT", "/clock", {"offset": 0}).json["settled"] is True


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/clock", {"offset": True}),
        ("PUT", "/clock", {"offset": 1e12}),
        ("PUT", "/clock", [1]),
        ("PUT", "/triggers", {"held": "yes"}),
    ],
)
def test_hub_refuses_what_it_cannot_read(hub, method, path, body):
    """A wrong value is refused, and changes nothing."""
    client, *_ = hub
    assert ask(client, method, path, body).status_code == 400
    assert ask(client, "GET", "/clock").json["offset"] == 0
    assert ask(client, "GET", "/triggers").json["held"] == 0


def test_no_page_of_the_framework_s(hub):
    """What a function's framework says of a failure is told in the envelope."""
    client, _, served, _ = hub
    for name, status in (("watch", 400), ("f", 500)):
        served.statuses[:] = [500]
        answer = ask(client, "POST", f"/functions/{name}", {})
        (error,) = answer.json["errors"]
        assert (answer.status_code, answer.json["status_code"]) == (status, status)
        assert (error["code"], name in error["message"]) == ("function_failed", True)


def test_hub_wants_json(hub):
    """A body that is none is refused before a function sees it."""
    client, _, served, _ = hub
    headers = {"Authorization": "Bearer t"}
    for body in (b"{", b"[" * 100_000):
        assert client.post("/functions/f", data=body, headers=headers).status_code == 400
    assert served.got == []


def test_reset_forgets_everything_but_the_first_account(hub):
    """Documents, key files, held events and the clock's offset go; then the account is made."""
    client, app, _, boots = hub
    documents = (
        f"http://{app.firestore.address}/v1/projects/{app.project}/databases/(default)/documents"
    )
    owner = {"Authorization": "Bearer owner"}
    made = requests.post(f"{documents}/projects", json={"fields": {}}, headers=owner, timeout=10)
    assert made.ok, made.text
    (app.state.folder / "keys").mkdir()
    (app.state.folder / "keys" / "half").write_bytes(b"key")
    ask(client, "PUT", "/clock", {"offset": 60})
    ask(client, "PUT", "/triggers", {"held": True})
    deliver(app.triggers_)
    assert ask(client, "POST", "/reset").json == {"reset": True}
    left = requests.get(f"{documents}/projects", headers=owner, timeout=10)
    assert (left.status_code, left.json()) == (200, {})
    assert list((app.state.folder / "keys").iterdir()) == []
    assert ask(client, "GET", "/triggers").json["held"] == 0
    assert ask(client, "GET", "/clock").json["offset"] == 0
    assert boots == [app.project]


@pytest.mark.claim("F63", "calls in flight end before an export or a reset, others wait for it")
def test_who_exports_or_resets_is_alone(hub):
    """A project that is being created loses no half of its key, whatever comes between."""
    client, app, served, boots = hub
    with ThreadPoolExecutor(1) as pool:
        for path, said in (("/export", "x"), ("/reset", app.project)):
            with app.host.gate.shared():
                done = pool.submit(ask, client, "POST", path, {"folder": "/x"})
                until(lambda: app.host.gate._alone, 5)
                assert said not in boots
            assert (done.result(5).status_code, boots[-1]) == (200, said)
        with app.host.gate.alone(5):
            done = pool.submit(ask, client, "POST", "/functions/f", {})
            time.sleep(0.05)
            assert served.got == []
        assert (done.result(5).status_code, len(served.got)) == (200, 1)


def test_a_store_that_is_gone_cannot_be_reset(hub):
    """It is said, and no account is made over data that is still there."""
    client, app, _, boots = hub
    app.firestore.address = "127.0.0.1:1"
    answer = ask(client, "POST", "/reset")
    assert answer.status_code == 400
    assert "could not be cleared" in answer.json["errors"][0]["message"]
    assert boots == []
