"""Overload sheds and never collapses: rates, requests at once, bodies and heads that stall."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from select import select
from urllib.parse import urlsplit

import pytest
import requests
from flask import Request
from werkzeug.test import EnvironBuilder

from shared import quotas
from shared.access import CODE_GRANT
from shared.calls import ANYBODY, Answer, Principal
from shared.errors import Error
from shared.settings import Settings
from shared.store import Write
from shared.wire import admission, gates, serve, serving
from shared.wire.admission import Rates
from tests.functions.test_functions import running
from tests.support import GRANT, Host, until

pytestmark = pytest.mark.slow

STALLED = 40  # more than the 32 threads there once were


class Time:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self):
        """Give the seconds."""
        return self.now


def taken(rates, caller="k", rate=50.0, burst=100.0, tries=1000):
    """Give how many of these requests pass, and the wait that the first refused is told."""
    for number in range(tries):
        try:
            rates.take(caller, rate, burst)
        except Error as error:
            return number, error
    return tries, None


@pytest.mark.claim("F35", "a key has 50 requests a second and 100 at once, then 429 Retry-After")
def test_a_bucket():
    """The burst, then nothing; what time brings back, and never more than the burst."""
    clock = Time()
    rates = Rates(clock=clock)
    passed, error = taken(rates)
    assert (passed, error.code, error.status) == (100, "too_many_requests", 429)
    assert error.headers == {"Retry-After": "1"}
    for later, more in ((0.02, 1), (0.5, 25), (1, 50), (1000, 100), (0, 0)):
        clock.now += later + 1e-9
        assert taken(rates)[0] == more
    assert taken(rates, "another")[0] == 100
    assert taken(rates, "k", 0, 0)[0] == 1000
    assert taken(rates, "slow", 0.1, 0.2)[1].headers == {"Retry-After": "10"}


@pytest.mark.claim("F35", "callers beyond those remembered cost no memory")
def test_memory_is_bounded():
    """The callers that came last are remembered, and whoever keeps coming is among them."""
    rates = Rates(most=10, clock=Time())
    for number in range(1000):
        rates.take(number, 1, 5)
        if number < 5:
            rates.take("steady", 1, 5)
        else:
            assert taken(rates, "steady", 1, 5)[0] == 0
    assert len(rates._buckets) == 10


entered = partial(gates.entered, "trying a gate")


def test_a_gate_counts_who_is_inside():
    """One more than its number is refused, and whoever leaves, however, makes room."""
    with entered(2):
        with pytest.raises(ZeroDivisionError), entered(2):
            1 / 0  # noqa: B018 - it fails
        with entered(2), pytest.raises(Error) as refusal, entered(2):
            pass
        assert (refusal.value.status, refusal.value.headers) == (503, {"Retry-After": "1"})
        with entered(2), entered(0):
            pass
    with entered(2), entered(2):  # nobody is inside any more
        pass


def test_settings():
    """Production has the limits of quotas.py; beside an emulator nobody meets them."""
    cloud, local = (Settings.from_env({"FIRESTORE_EMULATOR_HOST": at}) for at in ("", "x:1"))
    assert (cloud.rate, cloud.token_rate, cloud.concurrency) == (50, 5, 64)
    assert (local.rate, local.token_rate, local.concurrency) == (1000, 1000, 64)
    assert (cloud.create_rate, local.create_rate) == (0.5, 20)
    own = Settings.from_env({"CE_RATE": "0", "CE_TOKEN_RATE": "0.5", "CE_CONCURRENCY": "3"})
    assert (own.rate, own.token_rate, own.concurrency) == (0, 0.5, 3)
    for name in ("CE_RATE", "CE_TOKEN_RATE", "CE_CREATE_RATE", "CE_CONCURRENCY"):
        for odd in ("-1", "nan", "many", "inf"):
            with pytest.raises(ValueError, match=r".") as refused:
                Settings.from_env({name: odd})
            assert odd == "many" or name in str(refused.value)


def test_whose_rate(app, monkeypatch):
    """A request counts for its key and its account; without a key for the address it is told."""
    seen = []
    monkeypatch.setattr(admission.RATES, "take", lambda *told: seen.append(told))
    cloud = replace(app, settings=replace(app.settings, emulator=None, rate=50, token_rate=5))
    spoofed = {"HTTP_X_FORWARDED_FOR": "6.6.6.6, 9.9.9.9", "REMOTE_ADDR": "10.0.0.1"}
    admission.count(cloud, Principal("key", "a", frozenset()), spoofed)
    admission.count(cloud, ANYBODY, spoofed)
    admission.count_exchange(cloud, {"apikey": "ce_0f_x"}, spoofed)
    admission.count(app, ANYBODY, spoofed)
    admission.count_exchange(cloud, {"code": "c"}, spoofed)
    admission.count_exchange(cloud, {"grant_type": CODE_GRANT, "apikey": "ce_0f_x"}, spoofed)
    assert [(who, rate) for who, rate, _ in seen] == [
        (("key", "key"), 50),
        (("account", "a"), 100),
        (("address", "9.9.9.9"), 50),
        (("0f", "9.9.9.9"), 5),
        (("address", "10.0.0.1"), 1000),
        *[(("sign-in codes", "9.9.9.9"), 5)] * 2,
    ]
    assert [burst for *_, burst in seen] == [100, 200, 100, 20, 2000, 20, 20]


@pytest.mark.claim("F35", "over its rate a key gets 429 and Retry-After; another key is served")
def test_over_the_rate(host, account):
    """Real requests to a real function with a low limit; refused ones change nothing."""
    other = host.account()
    limits = {"CE_RATE": "2", "CE_TOKEN_RATE": "1"}
    with running(host, "createProject", **limits) as url, requests.Session() as web:
        ask = lambda who, name: web.post(  # noqa: E731
            url, json={"name": name}, headers={"Authorization": f"Bearer {who.token}"}, timeout=30
        )
        answers = [ask(account, f"p{number}") for number in range(12)]
        codes = [answer.status_code for answer in answers]
        assert codes[:4] == [202] * 4
        assert 429 in codes
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["errors"][0]["code"] == "too_many_requests"
        assert int(refused.headers["Retry-After"]) >= 1
        assert ask(other, "p").status_code == 202
    assert len(host.inside.projects(account.id)) == codes.count(202)


@pytest.mark.claim("F59", "over its rate of creates an account gets 429, and makes no key half")
def test_creates(host, account):
    """With all its keys; another account is served, and what is not well formed counts not."""
    other, second = host.account(), host.account(account_id=account.id)
    before = host.inside.key_halves()
    with running(host, "createProject", CE_CREATE_RATE="0.05") as url, requests.Session() as web:

        def create(who, name):
            headers = {"Authorization": f"Bearer {who.token}"}
            return web.post(url, json={"name": name}, headers=headers, timeout=30)

        odd = [create(account, "").status_code for _ in range(5)]
        answers = [create(who, f"p{n}") for n, who in enumerate((account, second, second, account))]
        assert odd == [400] * 5
        assert [answer.status_code for answer in answers] == [202, 202, 429, 429]
        assert answers[2].json()["errors"][0]["code"] == "too_many_requests"
        assert 1 <= int(answers[2].headers["Retry-After"]) <= 20
        assert create(other, "p").status_code == 202
    assert len(host.inside.projects(account.id)) == 2
    assert len(host.inside.key_halves() - before) == 3


@pytest.mark.claim("F35", "exchanges of one key are limited apart from those of another")
def test_exchanges(host, account):
    """Twenty wrong guesses at a key are slowed down; another's key is exchanged meanwhile."""
    guess = f"ce_{account.key_id}_{'A' * 43}"
    with running(host, "issueToken", CE_TOKEN_RATE="1") as url, requests.Session() as web:

        def exchange(key):
            form = {"grant_type": GRANT, "apikey": key}
            return web.post(url, data=form, timeout=30).status_code

        codes = [exchange(guess) for _ in range(20)]
        assert codes[:4] == [400] * 4
        assert codes.count(429) > 8
        assert exchange(host.account().apikey) == 200


def asked(app, act=lambda: None):
    """Give the answer to a request that does this, served in this process, and whether it ran."""
    ran = []

    def handler(_app, _call):
        act()
        ran.append(1)
        return Answer({})

    owner = Principal("key", "a" * 32, frozenset({"administrator"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "get_app", lambda: app)
        patch.setattr(serving, "authenticate", lambda *_: owner)
        environ = EnvironBuilder(path="/v2/projects/00000000-0000-4000-8000-000000000000")
        given = Request(environ.get_environ())
        return serve(given, {"get_project": handler}), bool(ran)


@pytest.mark.claim("F35", "a process with as much as it takes refuses the next at once: 503")
def test_too_many_at_once(app):
    """While as many are worked on as may be, the next is told to wait, and not begun."""
    small = replace(app, settings=replace(app.settings, concurrency=2))
    with gates.entered("working", 2):
        assert (asked(small)[0].status_code, asked(small)[1]) == (200, True)
        with gates.entered("working", 2):
            answer, ran = asked(small)  # at once: who waited would wait for itself
    assert (answer.status_code, answer.headers["Retry-After"], ran) == (503, "1", False)
    assert asked(small)[1]


@pytest.mark.claim(
    "F35", "a request that waits for its turn at a document has no place in the gate"
)
def test_a_turn_is_waited_for_outside(app):
    """Meanwhile the one place there is is another's; afterwards it takes it again."""
    small = replace(app, settings=replace(app.settings, concurrency=1))
    path, waits = "counts/one", threading.Event()

    def fought():
        waits.set()
        decide = lambda read: ([Write.replace(read[path], {"n": 1})], None)  # noqa: E731
        app.store.transact("entries/one", [path], decide)

    with ThreadPoolExecutor(1) as pool, app.store._turns.one() as turn:
        turn.take([path], time.monotonic() + 60)
        first = pool.submit(asked, small, fought)
        assert waits.wait(10)
        until(lambda: asked(small)[1])
        assert not first.done()
        turn.end()
        answer, ran = first.result(20)
    assert (answer.status_code, ran) == (200, True)


def connected(url):
    """Connect to an address as its bytes go."""
    address = urlsplit(url)
    return socket.create_connection((address.hostname, address.port), timeout=60)


@contextmanager
def stalled(account, count):
    """Hold requests whose bodies begin and do not go on, all of them being read."""
    head = (
        "POST /v2/projects HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {account.token}\r\nContent-Length: 50\r\n\r\n{{"
    )
    with ExitStack() as last:
        held = [last.enter_context(connected(account.host.url)) for _ in range(count)]
        for connection in held:
            connection.sendall(head.encode())
        yield held


def unanswered(held):
    """Tell whether these connections are all still waited for."""
    return select(held, [], [], 0)[0] == []


def answer_to(connection):
    """Read one answer to its end."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.slow
@pytest.mark.claim("F46", "40 stalled bodies hold up no other client, and end after 30 s")
def test_stalled_bodies(host, account):
    """Another client reads and writes at once meanwhile; what stalls is refused in time."""
    other, started = host.account(), time.monotonic()
    with stalled(account, STALLED) as held:
        project = other.project()
        assert other.status(project) == "active"
        assert account.got("/v2/projects")["projects"] == []
        assert unanswered(held)
        heads = [answer_to(connection)[:12] for connection in held]
    assert set(heads) == {b"HTTP/1.1 400"}
    assert time.monotonic() - started > 29  # and less than the minute of `connected`


@pytest.mark.claim("F46", "bodies beyond those that are read at once are refused at once")
def test_more_stalled_bodies_than_are_read(account):
    """The surplus gets 503; who sends no body is served, and all are once the stalled are gone."""
    with stalled(account, quotas.BODIES) as held:
        post = lambda body: account.call("POST", "/v2/projects", body)  # noqa: E731
        until(lambda: post({}).status_code == 503)  # all have a thread now
        answer = post({"name": "p"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert account.call("GET", "/v2/projects").status_code == 200
        assert unanswered(held)
        for connection in held:
            connection.shutdown(socket.SHUT_WR)  # their bodies end: too short
        assert {answer_to(connection)[:12] for connection in held} == {b"HTTP/1.1 400"}
    assert account.call("POST", "/v2/projects", {"name": "p"}).status_code == 202


@pytest.mark.slow
@pytest.mark.claim("F46", "clients that do not take their answers hold up nobody")
def test_answers_that_are_not_taken(tmp_path):
    """More of them than there are threads, with 6 MB each: the host goes on to serve the others."""
    few = ("--firestore-port", "0", "--hub-port", "0", "--threads", "4")
    slow = Host(tmp_path, *few).start()
    try:
        account = slow.account()
        project, large = account.project(), {"k": "x" * 1_000_000, "l": "x" * 1_000_000}
        for number in range(3):  # together more than two sockets' buffers hold
            account.secret(project, f"s{number}", large)
        ask = f"GET /v2/projects/{project['id']}/secrets HTTP/1.1\r\nHost: localhost\r\n"
        with ExitStack() as last:
            for _ in range(6):
                held = last.enter_context(deaf(slow.url))
                held.sendall(f"{ask}Authorization: {account.token}\r\n\r\n".encode())
            time.sleep(2)  # the first have had a thread each, and their answers are not taken
            until(lambda: served(slow), 10)
    finally:
        slow.stop()


def deaf(url):
    """Connect to an address, with as good as no room for an answer."""
    address, connection = urlsplit(url), socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((address.hostname, address.port))
    return connection


def served(host):
    """Tell whether a host answers within a moment."""
    with suppress(requests.RequestException):
        return requests.get(f"{host.url}/openapi.json", timeout=5).status_code == 200
    return False


@pytest.mark.slow
@pytest.mark.claim("F46", "40 stalled heads hold up no other client, and end after 10 s")
def test_stalled_heads(host, account):
    """A head that begins and does not end is cut off, also where a byte comes now and then."""
    stop = threading.Event()
    with ExitStack() as last:
        held = [last.enter_context(connected(host.url)) for _ in range(STALLED)]
        for connection in held:
            connection.sendall(b"GET /v2/projects HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ")

        def trickle():
            while not stop.wait(0.5):
                try:
                    held[0].sendall(b"a")
                except OSError:
                    return

        drip = threading.Thread(target=trickle)
        drip.start()
        last.callback(drip.join, 10)
        last.callback(stop.set)
        assert account.call("GET", "/v2/projects").status_code == 200
        assert unanswered(held)
        for connection in held:
            ended(connection)


def ended(connection):
    """Wait until a connection is closed by the other side."""
    try:
        while connection.recv(65_536):
            pass
    except ConnectionResetError:
        return
