"""Faults of a whole host: contention, slowness, signals, descriptors, bugs, a bad network."""

import os
import resource
import signal
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import requests

from shared import projects
from shared.errors import Error
from tests.faults.hosts import loaded, troubled_host, wire, worker
from tests.support import call, until
from tests.support.memory import Server
from tools import attackers, attacks

pytestmark = pytest.mark.slow

CALLS = ("batch_get_documents", "commit", "run_query")
HUNG = 30  # seconds that no request may take; by its own deadline it ends after 10


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    """A host with a script under it."""
    with troubled_host(tmp_path_factory.mktemp("bad")) as host:
        yield host


@pytest.fixture
def owner(bad):
    """An account of it, on a day without faults."""
    bad.script()
    account = bad.account()
    assert account.token
    yield account
    bad.script()


def with_status(answers, status):
    """Give the answers of a status, by number."""
    return {n: a for n, a in list(answers) if a is not None and a.status_code == status}


@pytest.mark.claim("F8", "40 clients on one region, 90 % of commits aborted: the exact cap, no 500")
def test_a_storm_of_aborts(bad, owner):
    """Each create is answered by success, the refusal that is due, or 503 with Retry-After."""
    storm = {"on": "commit", "do": "before", "error": "Aborted", "share": 0.9, "lasting": 5}
    bad.script(storm)
    with ThreadPoolExecutor(40) as pool:
        named = [{"name": f"p{number}"} for number in range(40)]
        answers = list(pool.map(lambda body: owner.call("POST", "/v2/projects", body), named))
    counts = Counter(answer.status_code for answer in answers)
    assert set(counts) <= {202, 403, 503}, counts
    assert all("Retry-After" in a.headers for a in answers if a.status_code == 503)
    assert len(bad.inside.slots(owner.id)) == counts[202] <= 20
    bad.script()
    rest = [owner.call("POST", "/v2/projects", {"name": f"q{n}"}).status_code for n in range(20)]
    assert counts[202] + Counter(rest)[202] == 20
    assert set(rest) <= {202, 403}
    assert set(bad.inside.slots(owner.id)) == set(bad.inside.projects(owner.id))


@pytest.mark.claim("F35", "a store that is half a second late per call breaks nothing")
def test_a_slow_store(bad, owner):
    """Ten clients at once, each in its project: all succeed, well within the deadline."""
    made = [owner.project() for _ in range(10)]
    bad.script(*({"on": name, "do": "delay", "seconds": 0.5} for name in CALLS))

    def one(number):
        started = time.monotonic()
        body = {"name": f"s{number}", "format": "generic", "data": {"k": "v"}}
        path = f"/v2/projects/{made[number]['id']}/secrets"
        put = owner.call("POST", path, body).status_code
        got = owner.call("GET", f"{path}/s{number}").status_code
        return put, got, time.monotonic() - started

    with ThreadPoolExecutor(10) as pool:
        done = list(pool.map(one, range(10)))
    assert {(put, got) for put, got, _ in done} == {(201, 200)}
    assert max(spent for _, _, spent in done) < HUNG


@pytest.mark.claim("F35", "a store that hangs is told as 503 within the deadline")
def test_a_store_that_hangs(bad, owner):
    """A read or a commit that takes longer than a request may: 503, and no effect."""
    project = owner.project()
    bad.script({"on": "commit", "do": "delay", "seconds": 60})
    started = time.monotonic()
    answer = owner.call("DELETE", f"/v2/projects/{project['id']}")
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert time.monotonic() - started < HUNG
    bad.script()
    assert owner.status(project) == "active"


@pytest.mark.claim("F35", "however often a request asks a slow store, it ends by its deadline")
def test_a_request_that_asks_often(bad, owner):
    """A list whose values lie in parts asks three times: each in time, all together too late."""
    project = owner.project()
    owner.secret(project, "large", {"k": "x" * 1_000_000})
    bad.script(*({"on": name, "do": "delay", "seconds": 4.5} for name in CALLS))
    started = time.monotonic()
    answer = owner.call("GET", f"/v2/projects/{project['id']}/secrets")
    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "1")
    assert time.monotonic() - started < HUNG
    assert answer.json()["errors"][0]["message"] == "The store does not answer: try again."


@pytest.mark.claim("F48", "a bug in a handler or in the client's thread: 500 with a trace only")
def test_a_bug(bad, owner):
    """The exception's text is in no answer and in no log line of ours; the process lives on."""
    project, pid = owner.project(), worker(bad)
    bad.script({"on": "batch_get_documents", "do": "before", "error": "crash"})
    answer = owner.call("GET", f"/v2/projects/{project['id']}")
    body = answer.json()
    assert (answer.status_code, body["errors"][0]["code"]) == (500, "internal")
    assert "canary" not in answer.text
    lines = [line for line in bad.log().splitlines() if body["trace"] in line]
    assert len(lines) == 1
    assert "RuntimeError" in lines[0]
    assert "canary" not in bad.log()
    bad.script({"on": "batch_get_documents", "do": "thread", "error": "crash"})
    assert owner.status(project) == "active"
    assert worker(bad) == pid


@pytest.mark.claim("F45", "SIGTERM under load loses no acknowledged write")
def test_a_stop_under_load(bad, owner):
    """What was answered is there after the restart; requests in flight were finished."""
    project = owner.project()
    path = f"/v2/projects/{project['id']}/config_maps"

    def put(number):
        return owner.call("POST", path, {"name": f"c{number}", "data": {"n": str(number)}})

    with loaded(put) as answers:
        until(lambda: len(with_status(answers, 201)) > 12)
        bad.stop(signal.SIGTERM)
        until(lambda: None in {answer for _, answer in list(answers)[-6:]})  # nobody is there
    statuses = {answer.status_code for _, answer in answers if answer is not None}
    assert statuses <= {201, 403, 503}  # 403: the quota of the kind; 503: a slow machine
    bad.again()
    found = owner.got(f"{path}?limit=100")["config_maps"]
    assert {f"c{n}" for n in with_status(answers, 201)} <= {entry["name"] for entry in found}
    refused = with_status(answers, 403) | with_status(answers, 503)
    assert not {f"c{n}" for n in refused} & {entry["name"] for entry in found}
    assert (
        len(found)
        == owner.host.inside.document(f"projects/{project['id']}/usage/config_maps")["count"]
    )


@pytest.mark.claim("F45", "a worker that was stopped for a while goes on where it was")
def test_a_worker_that_sleeps(bad, owner):
    """Requests wait or are cut; afterwards every acknowledged write is there, once."""
    pid = worker(bad)
    with loaded(lambda n: owner.call("POST", "/v2/projects", {"name": f"p{n}"})) as answers:
        until(lambda: with_status(answers, 202))
        os.kill(pid, signal.SIGSTOP)
        time.sleep(2)
        os.kill(pid, signal.SIGCONT)
        until(lambda: with_status(answers, 403))
    made = [answer.json()["id"] for answer in with_status(answers, 202).values()]
    assert sorted(made) == sorted(bad.inside.slots(owner.id))
    assert len(made) == 20


@pytest.mark.claim("F46", "out of file descriptors a host recovers by itself, and loses nothing")
def test_few_descriptors(bad, owner):
    """More idle connections than descriptors are left: afterwards it serves as before."""
    project, pid = owner.project(), worker(bad)
    used = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - no folder of ours
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 10, usual[1]))
    host, _, port = bad.url.rpartition("/")[2].partition(":")
    with ExitStack() as idle:
        for _ in range(60):
            idle.enter_context(socket.create_connection((host, int(port)), 5))
        assert _asked(bad) in {None, 200, 503}
    until(lambda: _asked(bad) == 200)
    assert worker(bad) == pid
    resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
    assert owner.status(project) == "active"
    assert owner.project()


@pytest.mark.alone
@pytest.mark.claim("F46", "out of file descriptors with nobody to send away, the worker goes on")
def test_no_descriptors_and_nobody_waits(bad, owner):
    """All are with requests that are worked on: it accepts nobody for a while, and does nothing."""
    pid, begun = worker(bad), attacks.write_begun(owner.token)
    used = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - no folder of ours
    usual, server = resource.prlimit(pid, resource.RLIMIT_NOFILE), Server(pid)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 10, usual[1]))
    with attackers.Stalled(bad.url, begun, 30):
        until(lambda: server.mark() or _asked(bad) is None)
        assert server.spent < 0.5  # of the 3 s in which nobody was accepted
    until(lambda: _asked(bad) == 200)
    assert worker(bad) == pid
    resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)


def _asked(host):
    try:
        return requests.get(f"{host.url}/openapi.json", timeout=3).status_code
    except requests.RequestException:
        return None


@pytest.mark.claim(
    "F46", "with 128 MiB more than idle a host serves, and refuses what is too large"
)
def test_little_memory(bad, owner):
    """The worker may not take more memory for data, and neither needs more nor ends."""
    project, pid = owner.project(), worker(bad)
    path = f"/v2/projects/{project['id']}/secrets"
    usual = resource.prlimit(pid, resource.RLIMIT_DATA)
    resource.prlimit(pid, resource.RLIMIT_DATA, (_data_of(pid) + 128 * 2**20, usual[1]))
    for number in range(8):
        body = {"name": f"s{number}", "format": "generic", "data": {"k": "x" * 1_000_000}}
        assert owner.call("POST", path, body).status_code == 201
    assert owner.call("GET", path).status_code == 200
    assert owner.call("POST", path, {"k": "x" * 14_000_000}).status_code == 413
    assert worker(bad) == pid
    resource.prlimit(pid, resource.RLIMIT_DATA, usual)


def _data_of(pid):
    """Give how much memory a process has for data, in bytes."""
    with open(f"/proc/{pid}/status") as file:  # noqa: PTH123 - no file of ours
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmData"))


@pytest.mark.claim("F42", "a network cut in the middle of a change: the whole change or 503")
@pytest.mark.parametrize("how", ["cut", "freeze"])
def test_a_network_that_breaks(app, how):
    """Connections closed, or silent, while projects are made: none is half there, none hangs."""
    with wire(app) as (there, network):
        made, refused, slowest = [], [], 0.0
        projects.create(there, call(body={"name": "warm"}))
        for number in range(4):
            breaking = threading.Timer(0.003 * number, getattr(network, how))
            thawing = threading.Timer(0.3 + 0.003 * number, network.thaw)
            started = time.monotonic()
            breaking.start()
            thawing.start()
            try:
                body = {"name": f"p{number}"}
                made.append(projects.create(there, call(body=body)).body["name"])
            except Error as error:
                refused.append(error.code)
            slowest = max(slowest, time.monotonic() - started)
            breaking.join()
            thawing.join()
    assert set(refused) <= {"unavailable"}
    assert slowest < HUNG
    region = f"regions/{'a' * 32}.{app.settings.region}"
    slots = app.store.read(region)[region].fields["slots"]
    assert {"warm", *made} <= set(slots.values())
    for project_id in slots:
        paths = (f"projects/{project_id}", f"projects/{project_id}/keys/current")
        read = app.store.read(*paths)
        assert all(read[path].fields for path in paths)


@pytest.mark.claim("F42", "a connection that went silent is given up within the deadline")
def test_a_silent_network(app):
    """Nothing comes back for good: 503 after at most ten seconds and a little."""
    with wire(app) as (there, network):
        projects.create(there, call(body={"name": "warm"}))
        network.freeze()
        started = time.monotonic()
        with pytest.raises(Error) as refused:
            projects.create(there, call(body={"name": "p"}))
        spent = time.monotonic() - started
    assert (refused.value.code, spent < HUNG) == ("unavailable", True)


@pytest.mark.claim("F14", "late events of a former life, the oldest last, change nothing")
def test_events_of_a_former_life(bad, owner):
    """A second deletion's events come first, then those of the first: the same end."""
    project = owner.project()
    other = owner.project()
    for doomed in (project, other):
        owner.delete(doomed)
    bad.quiet()
    for saved in (project, other):
        assert owner.action(saved, "restore").status_code == 200
    bad.quiet()
    bad.hold()
    owner.delete(project)
    assert owner.action(project, "reclaim").status_code == 200
    until(lambda: bad.hub("GET", "/triggers")["held"] >= 2)  # the second deletion and its end
    bad.hub("POST", "/triggers/repeat", {"last": 20})
    bad.release()
    owner.gone(project)
    bad.quiet()
    assert owner.status(other) == "active"
    actions = Counter(
        entry["action"].rpartition(".")[2]
        for path, entry in bad.inside.everything().items()
        if path.startswith("audit/") and entry["project_id"] == project["id"]
    )
    assert actions == {"create": 1, "delete": 2, "restore": 1, "reclaim": 1, "erase": 1}
    before = bad.inside.everything()
    bad.hub("POST", "/triggers/repeat", {"last": 50})
    bad.quiet()
    assert bad.inside.everything() == before
