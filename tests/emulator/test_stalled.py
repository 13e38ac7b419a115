"""Whoever stalls waits without a thread, so that the others are answered; and what is no request.

In a host of its own nobody else's requests are counted; the attack is that of `tools.attacks`.
"""

import http.client
import json
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
import requests
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException

from emulator import heads
from tests.support import Host, told
from tools import attacks

GET = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n"
FILE = b"GET /app/vendor/preact-htm.js HTTP/1.1\r\nHost: localhost\r\n"
NOPE = b"PUT /nope HTTP/1.1\r\nHost: localhost\r\n"
STALLS = {  # what a connection sends that then waits, in each place where a thread could wait too
    "nothing": b"",
    "a byte": b"G",
    "a header": GET + b"X-A: b",
    "a byte of a second request": GET + b"\r\nG",
    "a part of a body nobody reads": NOPE + b"Content-Length: 9\r\n\r\n{",
    "what is no request, and stays": b"G\x01T / HTTP/1.1\r\n\r\n",
    "what is no line, and stays": b"G\n",
}


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.claim("F46", "400 connections of one byte each: a neighbour is answered within 2 s")
def test_stalled_heads_hold_up_nobody(host):
    """The attack that `python -m tools.attacks stalled-heads` plays, for a shorter while."""
    assert attacks.stalled_heads(host, seconds=3).share >= 0.95


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("sent", STALLS)
def test_nobody_who_waits_has_a_thread(host, sent):
    """More connections than threads wait at each place: one after the other is answered."""
    with ExitStack() as last:
        for _ in range(300):
            last.enter_context(connected(host)).sendall(STALLS[sent])
        assert attacks.neighbour(host.url, 3).share >= 0.95


@pytest.mark.slow
@pytest.mark.alone
def test_more_connections_than_there_is_room_for(host):
    """Who has waited longest has to go: the newest is answered."""
    with ExitStack() as last:
        held = [last.enter_context(connected(host)) for _ in range(700)]
        for connection in held:
            connection.sendall(b"G")
        idle = [last.enter_context(connected(host)) for _ in range(500)]
        for connection in idle:
            connection.sendall(NOPE + b"\r\n")
            assert connection.recv(12) == b"HTTP/1.1 404"
        assert attacks.neighbour(host.url, 2).share >= 0.95
        assert held[0].recv(1) == b""


@pytest.mark.slow
@pytest.mark.alone
def test_nobody_who_waits_holds_up_a_stop(tmp_path):
    """A host that stops gives requests 12 s, and who only waits 2 s."""
    own = Host(tmp_path, "--firestore-port", "0", "--hub-port", "0").start()
    with ExitStack() as last:
        for sent in [*STALLS.values()] * 20:
            last.enter_context(connected(own)).sendall(sent)
        assert attacks.neighbour(own.url, 0.5).share == 1
        began = time.monotonic()
        own.stop()
        assert time.monotonic() - began < 8
    assert own.process.returncode == 0


def test_a_head_may_come_in_pieces(host):
    """Byte by byte, after an empty line, and with the next request behind it."""
    with connected(host) as connection:
        for byte in b"\r\n" + GET.replace(b"localhost", b"127.0.0.1"):
            connection.sendall(bytes([byte]))
        connection.sendall(b"\r\n" + GET + b"Connection: close\r\n\r\n")
        got = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert got.count(b"HTTP/1.1 200 OK") == 2


def test_a_slow_client_gets_all_of_an_answer(host):
    """A file asked for 800 times is more than there is room for: the rest comes when it reads."""
    with connected(host) as connection:
        connection.sendall((FILE + b"\r\n") * 799 + FILE + b"Connection: close\r\n\r\n")
        time.sleep(0.5)  # the host has written all that there is room for
        assert attacks.neighbour(host.url, 0.1).share == 1
        got = b"".join(iter(lambda: connection.recv(65_536), b""))
    whole = requests.get(f"{host.url}/app/vendor/preact-htm.js", timeout=10).content
    assert len(whole) * 800 > 10_000_000
    assert got.count(whole) == 800


SENT = {  # what may come as a head, and what becomes of it
    b"\r\n" + GET + b"\r\nG": True,
    GET + b"X: \r\r\n" * 9: False,
    b"GET /" + b"a" * (heads.LONGEST_LINE - 5) + b"\r\n": False,
    b"GET /" + b"a" * (heads.LONGEST_LINE - 4) + b"\r\n": LimitRequestLine,
    GET.ljust(heads.LONGEST_HEAD) + b"\r\n\r\n": True,
    GET.ljust(heads.LONGEST_HEAD + 4): LimitRequestHeaders,
    b"\r\n\r\n": ParseException,
    GET + b"X: y\nZ": ParseException,
    b"\n": ParseException,
}


@pytest.mark.claim("F46", "a head of 64 KiB that comes byte by byte: each is looked at once")
@pytest.mark.parametrize("sent", SENT, ids=range(len(SENT)))
def test_heads_in_pieces(sent):
    """It is the same however it comes, and costs what its bytes do: it once was 3 s of the loop."""

    def became(pieces):
        head, found = heads.Head(b""), False
        for piece in pieces:
            head.come += piece
            try:
                found = head.is_whole()
            except ParseException as error:
                return type(error)
            if found:
                return True
        return found

    began = time.process_time()
    assert became(sent[at : at + 1] for at in range(len(sent))) is SENT[sent]
    assert time.process_time() - began < 1
    for size in (2, 3, 8192, len(sent)):
        assert became(sent[at : at + size] for at in range(0, len(sent), size)) is SENT[sent]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"A" * (heads.LONGEST_LINE + 2), 414),
        (GET + b"X: y\r\n" * (heads.LONGEST_HEAD // 6), 431),
        (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
    ],
)
def test_what_can_be_no_head_is_refused_before_it_ends(host, sent, status):
    """Nobody waits for the end of what is too long already."""
    assert refused(host, sent) == status


@pytest.mark.parametrize("port", ["hosting", "functions", "hub"])
def test_a_request_without_a_host(host, port):
    """HTTP/1.1 asks for a `Host` (RFC 9112, section 3.2); before it there was none to name."""
    assert refused(host, b"GET /openapi.json HTTP/1.1\r\n\r\n", port) == 400
    assert refused(host, b"GET http://localhost/openapi.json HTTP/1.1\r\n\r\n", port) == 400
    assert refused(host, b"GET /openapi.json HTTP/1.0\r\n\r\n", port) == 403


@pytest.mark.parametrize("framing", ["Content-Length: 50", "Transfer-Encoding: chunked"])
def test_a_body_cut_short_makes_nothing(account, framing):
    """What came may be JSON by itself: the rest is missing, so it is refused."""
    body = b'{"name": "short"}'
    sent = body if "Length" in framing else b"32\r\n" + body
    head = (
        f"POST /v2/projects HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {account.token}"
        f"\r\nContent-Type: application/json\r\n{framing}\r\n\r\n"
    )
    assert refused(account.host, head.encode() + sent, end=True) == 400
    assert told.body(account.call("GET", "/v2/projects"), 200)["projects"] == []


@pytest.mark.parametrize("path", ["/identity/token", "/nope"])
def test_a_body_of_very_small_chunks(host, path):
    """Each chunk costs as much as a small body: far too many are refused, and not read on."""
    form = "application/x-www-form-urlencoded"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {form}\r\n"
    chunked = head.encode() + b"Transfer-Encoding: chunked\r\n\r\n"
    assert refused(host, chunked + b"1\r\na\r\n" * 65_000) == (404 if path == "/nope" else 400)


def test_a_body_in_chunks(account):
    """As clients send them, and on a connection that is kept."""
    pieces = (b'{"name": "in-chunks",', b' "tags": ["', b"x" * 100, b'"]}')
    for _ in range(2):
        headers = {"Authorization": f"Bearer {account.token}", "Content-Type": "application/json"}
        url = f"{account.host.url}/v2/projects"
        made = account.session.post(url, data=iter(pieces), headers=headers, timeout=10)
        assert made.status_code in {202, 409}


def test_a_body_in_chunks_as_go_compresses_it(account):
    """IBM's SDKs in Go and Java compress while they send: in chunks of 240 bytes, of any number."""
    raw = json.dumps({"name": "s", "format": "generic", "data": {"k": "x" * 500_000}}).encode()
    pieces = (raw[at : at + 240] for at in range(0, len(raw), 240))
    headers = {"Authorization": f"Bearer {account.token}", "Content-Type": "application/json"}
    url = f"{account.host.url}/v2/projects/{account.project()['id']}/secrets"
    assert account.session.post(url, data=pieces, headers=headers, timeout=10).status_code == 201


def test_nothing_that_is_written_waits(host):
    """`100 Continue` is written by the server itself: who takes nothing holds no thread with it."""
    asked = b"HEAD /x HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
    with connected(host) as connection:
        connection.sendall(
            (FILE + b"\r\n") * 80 + (asked + b"\r\n") * 200 + asked + b"Connection: close\r\n\r\n"
        )
        time.sleep(0.2)
        got = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert got.count(b"HTTP/1.1 404") == 201


def connected(host, port="hosting"):
    """Connect to a port of the host, with little room for an answer."""
    address, connection = urlsplit(host.info[port]), socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(30)
    connection.connect((address.hostname, address.port))
    return connection


def refused(host, sent, port="hosting", *, end=False):
    """Send bytes, and an end if asked to; the status of the answer, which is in our envelope."""
    with connected(host, port) as connection:
        connection.sendall(sent)
        if end:
            connection.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert json.loads(answer.read())["status_code"] == answer.status
        return answer.status
