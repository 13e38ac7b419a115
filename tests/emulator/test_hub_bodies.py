"""The hub reads no body before it knows who sends it, and never more than it can use.

What is announced here never comes: who waits for it does not answer in time.
"""

import json
import socket
from urllib.parse import urlsplit

import pytest

from emulator import admin, manifest
from tests.support import ROOT

HUGE = 600 * 1024 * 1024
CALLS = ("POST /clock/advance", "PUT /clock", "POST /functions/createAccount", "POST /reset")


@pytest.fixture(scope="module")
def event(host):
    """The path of a delivery, with the secret in it."""
    (found,) = [e for e in manifest.read(ROOT) if isinstance(e.trigger, manifest.Event)]
    secret = json.loads((host.state / "tokens.json").read_text())["events"]
    return f"/functions/projects/x/triggers/{found.regions[0]}-{found.name}-{secret}"


def answer(host, line, *headers, body=b"{", end=False):
    """Send a head and the begin of a body; the status of the answer, and its code."""
    address = urlsplit(host.info["hub"])
    head = "\r\n".join([f"{line} HTTP/1.1", "Host: localhost", *headers, "", ""])
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(head.encode() + body)
        if end:
            connection.shutdown(socket.SHUT_WR)
        got = b"".join(iter(lambda: connection.recv(65_536), b""))
    return int(got[9:12]), json.loads(got.partition(b"\r\n\r\n")[2])["errors"][0]["code"]


@pytest.mark.parametrize("framing", [f"Content-Length: {HUGE}", "Transfer-Encoding: chunked"])
def test_an_event_without_the_secret(host, event, framing):
    """Its path is wrong in the last character alone, and is answered before the body comes."""
    wrong = f"POST {event[:-1]}{'0' if event[-1] != '0' else '1'}"
    assert answer(host, wrong, framing, body=b"f\r\n{") == (404, "resource_not_found")


@pytest.mark.parametrize("line", CALLS)
@pytest.mark.parametrize("token", [None, "wrong"])
def test_a_call_without_the_token(host, line, token):
    """The same for every other call that takes a body."""
    sent = [f"Authorization: Bearer {token}"] if token else []
    assert answer(host, line, f"Content-Length: {HUGE}", *sent) == (401, "unauthorized")


def test_more_than_can_be_used(host, event):
    """With the secret, too, and however it is announced."""
    large = (413, "payload_too_large")
    token = f"Authorization: Bearer {host.info['token']}"
    assert answer(host, f"POST {event}", f"Content-Length: {HUGE}") == large
    assert answer(host, "PUT /clock", f"Content-Length: {HUGE}", token) == large
    size = admin.BODY + 4096  # gunicorn reads a little more than it is asked for
    body = f"{size + 9:x}\r\n".encode() + b"x" * size
    assert answer(host, "PUT /clock", "Transfer-Encoding: chunked", token, body=body) == large


def test_a_body_cut_short(host, event):
    """Nothing is delivered, and nothing moved."""
    token = f"Authorization: Bearer {host.info['token']}"
    before = host.hub("GET", "/triggers"), host.hub("GET", "/clock")["offset"]
    for line in (f"POST {event}", "PUT /clock"):
        body = b'{"offset": 60}'
        said = answer(host, line, "Content-Length: 50", token, body=body, end=True)
        assert said == (400, "bad_request")
    assert (host.hub("GET", "/triggers"), host.hub("GET", "/clock")["offset"]) == before
