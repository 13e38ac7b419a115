"""Requests that are cut short or name no host, at functions behind servers that let them through.

functions-framework serves by gunicorn, and with `--debug` by werkzeug's own server.
"""

import json
import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.functions.test_functions import running
from tests.support import GRANT

pytestmark = pytest.mark.slow

SERVERS = {"gunicorn": (), "werkzeug": ("--debug",)}
WHOLE = b'{"name": "short"}'
JSON = b"Content-Type: application/json\r\n"


@pytest.fixture(scope="module")
def urls(host):
    """The API, and what issues tokens, behind each server."""
    with ExitStack() as stack:
        yield {
            name + apart: stack.enter_context(running(host, function, *options))
            for name, options in SERVERS.items()
            for function, apart in (("api", ""), ("identity", ", identity"))
        }


def exchange(url, raw):
    """Send bytes, then the end of the stream; give status and error code of the answer."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        got = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = got.partition(b"\r\n\r\n")
    told = json.loads(body) if b"application/json" in head else {}
    return int(head.split()[1]), told["errors"][0]["code"] if "errors" in told else ""


def post(owner, body, *lines, path=b"/v2/projects", host=b"Host: 127.0.0.1\r\n", version=b"1.1"):
    """Give a request to create a project as its bytes."""
    token = b"Authorization: Bearer " + owner.token.encode() + b"\r\n"
    more = b"".join(line + b"\r\n" for line in lines)
    first = b"POST " + path + b" HTTP/" + version + b"\r\n"
    return first + host + token + JSON + b"Connection: close\r\n" + more + b"\r\n" + body


@pytest.mark.claim("T6", "a body cut short is refused behind each server, even where it is JSON")
@pytest.mark.parametrize("server", SERVERS)
def test_a_body_cut_short(subtests, urls, owner, server):
    """17 bytes of 50 that happen to be JSON make nothing; nor do chunks without their end."""
    length = b"Content-Length: %d"
    chunked = b"Transfer-Encoding: chunked"
    cut = {
        "of 50": post(owner, WHOLE, length % 50),
        "of one more": post(owner, WHOLE, length % (len(WHOLE) + 1)),
        "nothing": post(owner, b"", length % 2),
        "a chunk without an end": post(owner, b"11\r\n" + WHOLE, chunked),
        "no last chunk": post(owner, b"11\r\n" + WHOLE + b"\r\n", chunked),
        "a chunk cut short": post(owner, b"32\r\n" + WHOLE, chunked),
    }
    for name, raw in cut.items():
        with subtests.test(name):
            assert exchange(urls[server], raw) == (400, "malformed_request")
    assert owner.got("/v2/projects")["projects"] == []
    where = b"/v1/reclamations/00000000-0000-4000-8000-000000000000/actions/reclaim"
    raw = post(owner, b"{}", length % 3, path=where)  # where a body is optional, too
    assert exchange(urls[server], raw) == (400, "malformed_request")
    url = urls[f"{server}, identity"]
    form = f"grant_type={GRANT}&apikey={owner.apikey}".encode()
    kind = b"application/x-www-form-urlencoded"
    raw = post(owner, form, length % (len(form) + 9), path=b"/identity/token")
    raw = raw.replace(b"application/json", kind)
    assert exchange(url, raw) == (400, "malformed_request")
    assert exchange(urls[server], post(owner, b"{}", length % 2)) == (400, "missing_field")


@pytest.mark.claim("T6", "HTTP/1.1 without `Host`, or with two, is refused")
@pytest.mark.parametrize("server", SERVERS)
def test_no_host(urls, owner, server):
    """Nothing is made; HTTP/1.0 knew none."""
    length = b"Content-Length: 17"
    url = urls[server]
    assert exchange(url, post(owner, WHOLE, length, host=b"")) == (400, "malformed_request")
    assert exchange(url, post(owner, WHOLE, length, b"Host: b"))[0] == 400
    assert owner.got("/v2/projects")["projects"] == []
    old = post(owner, b'{"name": 1234567}', length, host=b"", version=b"1.0")
    assert exchange(url, old) == (400, "invalid_field")
