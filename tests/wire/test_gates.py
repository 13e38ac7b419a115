"""Who comes into a gate when it is full, who leaves it for a while; bodies that do not come."""

import socket
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial

import pytest
import requests

from shared import quotas
from shared.calls import ANYBODY, OPERATOR, Principal
from shared.errors import Error
from shared.wire import admission, gates
from tests.functions.test_functions import running
from tests.support import GRANT

MOST = 64
entered = partial(gates.entered, "tried")


def of(account, address="9.9.9.9"):
    """Give whose a request of an account is."""
    return ("account", account), ("address", address)


def fill(gate, parties, tries=2 * MOST):
    """Give how many of these requests find a place."""
    for number in range(tries):
        try:
            gate.enter(parties)
        except Error:
            return number
    return tries


def test_a_refusal():
    """It is told at once, and when to come again."""
    gate = gates.Gate(1)
    gate.enter(())
    with pytest.raises(Error) as refused:
        gate.enter(())
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})


def test_one_account_takes_all_there_is_but_what_is_kept():
    """Then another one behind its address finds a few places, and one elsewhere a few more."""
    gate = gates.Gate(MOST)
    assert fill(gate, of("loud")) == MOST
    assert [fill(gate, of(name)) for name in ("b", "c", "d")] == [4, 4, 0]  # an eighth
    assert [fill(gate, of(name, "8.8.8.8")) for name in ("e", "f")] == [4, 0]
    assert [fill(gate, of(name, "7.7.7.7")) for name in ("e", "f")] == [0, 4]  # a further eighth
    assert fill(gate, of("g", "6.6.6.6")) == 0  # as many as the platform sends


def test_many_tenants_behind_one_address_have_all_of_a_gate():
    """Nobody is held to an address's share while there is room; then to their own alone."""
    gate = gates.Gate(MOST)
    assert [fill(gate, of(f"tenant {n}"), 1) for n in range(MOST + 8)] == [1] * (MOST + 8)
    assert fill(gate, of("one more")) == 0
    assert fill(gate, of("elsewhere", "8.8.8.8")) == 4


def test_a_gate_of_bytes():
    """Whatever each takes of it, it keeps the same for those who hold little; a body may grow."""
    gate, taken = gates.Gate(MOST), []
    for party in (of("loud"), of("loud"), of("b"), of("b"), of("c", "8.8.8.8")):
        place = gates.Place(gate, party)
        for size in (30, 8, 34, 26):  # what is less than it has is nothing new
            with suppress(Error):
                place.enter(size)
        taken.append(place)
    assert [place._held for place in taken] == [34, 30, 8, 0, 8]
    for place in taken:
        place.leave()
        place.leave()
    assert (gate._inside, gate._held) == (0, {})
    with entered(7, places=0) as place, entered(7, places=7), pytest.raises(Error):
        place.enter(1)


def test_strangers_have_an_address_alone():
    """Who shows no token is told from others by the address."""
    gate = gates.Gate(quotas.STRANGERS)
    addresses = [(("address", f"10.0.0.{number}"),) for number in range(6)]
    assert [fill(gate, address) for address in addresses] == [32, 2, 2, 2, 2, 0]


def test_whoever_leaves_makes_room_and_is_forgotten():
    """What was held is counted down to nothing, also where somebody else took it."""
    gate = gates.Gate(2)
    for _ in range(3):
        assert fill(gate, of("a")) == 2
        gate.leave(of("a"))
        assert fill(gate, of("b")) == 1
        gate.leave(of("b"))
        gate.leave(of("a"))
    assert not gate._held
    assert fill(gate, ()) == 2  # the operator is of no account


def test_who_waits_has_no_place(monkeypatch):
    """It is another's meanwhile; without one afterwards, or none to wait in, it is refused."""
    monkeypatch.setattr(quotas, "WAITING", 1)
    once = partial(entered, 1)
    full = pytest.raises(Error, match="at once")
    with once() as place, place.outside(), once() as another, full, another.outside():
        pytest.fail("more wait than may")
    with ExitStack() as last, once() as place, full, place.outside():
        last.enter_context(once())  # it is another's when the wait is over
    with once():  # whatever happened, nobody is inside any more
        pass


def test_whose_a_request_is(app):
    """An account's and an address's; an address's alone where there is no account."""
    cloud = replace(app, settings=replace(app.settings, emulator=None))
    tenant, proxy = Principal("key", "a", frozenset()), "10.0.0.1"
    rows = {
        "9.9.9.9": "9.9.9.9",
        "6.6.6.6, 2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",  # one site, one address
        "::ffff:9.9.9.9": "9.9.9.9",
        "no address": "no address",
        "": proxy,
    }
    for sent, told in rows.items():
        environ = {"HTTP_X_FORWARDED_FOR": sent, "REMOTE_ADDR": proxy}
        assert admission._parties(cloud, ANYBODY, environ) == (("address", told),)
        assert admission._parties(cloud, tenant, environ) == of("a", told)
        assert admission._parties(cloud, OPERATOR, environ) == (("address", told),)
        assert admission._parties(app, ANYBODY, environ) == (("address", proxy),)


def test_failures_are_counted_apart(app):
    """Who is not known over and over is told to wait; who logs in from there is not."""
    slow = replace(app, settings=replace(app.settings, rate=1))
    environ = {"REMOTE_ADDR": "192.0.2.7"}

    def refused(code):
        counted = admission.unknown_counted(environ, lambda: slow)
        with pytest.raises(Error) as refusal, counted:
            raise Error(code, "No.")
        return refusal.value.code

    codes = [refused("unauthorized") for _ in range(4)]
    assert codes == ["unauthorized"] * 2 + ["too_many_requests"] * 2
    admission.count(slow, ANYBODY, environ)
    assert refused("resource_not_found") == "resource_not_found"


FORM = (
    "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
)


def dripped(address, path, every):
    """Send a stranger's body by single bytes; give the status it is answered, and after how long.

    None is the end of the connection without an answer.
    """
    host, port = address.removeprefix("http://").split(":")
    began, stop = time.monotonic(), threading.Event()
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(FORM.format(path=path).encode())

        def drip():
            while not stop.wait(every):
                try:
                    connection.sendall(b"a")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            head = connection.recv(12)
        except ConnectionResetError:
            head = b""
        finally:
            stop.set()
            thread.join(10)
    return head, time.monotonic() - began


@pytest.mark.slow
@pytest.mark.claim("F46", "a body without a token has 5 s, however slowly it comes")
def test_a_stranger_s_body_has_little_time(host, account, subtests):
    """At the host and under plain functions-framework: a byte now and then makes it no longer."""
    with running(host, "issueToken") as alone:
        for address, path in ((host.url, "/identity/token"), (alone, "/")):
            for every in (0.3, 60):
                with subtests.test(address=address, every=every):
                    head, spent = dripped(address, path, every)
                    assert head == b"HTTP/1.1 400"
                    assert quotas.STRANGER_BODY - 1 < spent < quotas.STRANGER_BODY + 3
        form = {"grant_type": GRANT, "apikey": account.apikey}
        assert requests.post(alone, data=form, timeout=30).status_code == 200


def test_a_server_without_a_socket():
    """Where the server names none, a body that comes is read; nothing else happens."""
    with gates.hurried({}, 0.01):
        time.sleep(0.05)
    ours, theirs = socket.socketpair()
    with ours, theirs, gates.hurried({"gunicorn.socket": ours}, 0.05):
        assert ours.recv(1) == b""  # it would wait forever
    with gates.hurried({"werkzeug.socket": ours}, 0.01):  # closed already
        time.sleep(0.05)
