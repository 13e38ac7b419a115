"""Whatever is sent to a local port, as bytes: refused in the error model, with all of its headers.

Many of these no function sees: the server below, the static files and the hub refuse them.
"""

import json
import re
import socket
from urllib.parse import urlsplit

import pytest
import requests

from tests.functions.test_functions import running
from tests.wire.test_doors import WANTED

HOST = "Host: 127.0.0.1\r\nConnection: close\r\n"
PLACES = {"hosting": "/v2/projects", "functions": "/listProjects", "hub": "/clock"}
REFUSED = {  # what is sent after the method's place, on every port, and the statuses it may have
    "another version": ("GET {at} HTTP/2.0\r\n{host}\r\n", {400}),
    "no version": ("GET {at}\r\n\r\n", {400}),
    "an old version without a host": ("GET {at} HTTP/1.0\r\n\r\n", {403}),
    "the new version without a host": ("GET {at} HTTP/1.1\r\n\r\n", {400}),
    "two hosts": ("GET {at} HTTP/1.1\r\nHost: localhost\r\n{host}\r\n", {400}),
    "two hosts in one": ("GET {at} HTTP/1.1\r\nHost: localhost, x\r\n\r\n", {403}),
    "a dot after the host": ("GET {at} HTTP/1.1\r\nHost: localhost.\r\n\r\n", {403}),
    "a port that is none": ("GET {at} HTTP/1.1\r\nHost: localhost:0x1\r\n\r\n", {403}),
    "a user in the host": ("GET {at} HTTP/1.1\r\nHost: x@localhost\r\n\r\n", {403}),
    "another spelling of the host": ("GET {at} HTTP/1.1\r\nHost: 127.1\r\n\r\n", {403}),
    "an IPv6 spelling": ("GET {at} HTTP/1.1\r\nHost: [::ffff:127.0.0.1]\r\n\r\n", {403}),
    "half an IPv6 address": ("GET {at} HTTP/1.1\r\nHost: [::1\r\n\r\n", {403}),
    "an absolute form": ("GET http://evil.example{at} HTTP/1.1\r\n{host}\r\n", {403}),
    "an absolute form with a user": ("GET http://x@127.0.0.1{at} HTTP/1.1\r\n{host}\r\n", {403}),
    "an asterisk": ("OPTIONS * HTTP/1.1\r\n{host}\r\n", {403}),
    "a tunnel": ("CONNECT evil.example:443 HTTP/1.1\r\n{host}\r\n", {403}),
    "a long address": ("GET /{long} HTTP/1.1\r\n{host}\r\n", {414}),
    "a long header": ("GET {at} HTTP/1.1\r\n{host}X: {long}\r\n\r\n", {431}),
    "many headers": ("GET {at} HTTP/1.1\r\n{host}{many}\r\n", {431}),
    "a method that is none": ("G@T {at} HTTP/1.1\r\n{host}\r\n", {400}),
    "a method in lower case": ("get {at} HTTP/1.1\r\n{host}\r\n", {400}),
    "TRACE": ("TRACE {at} HTTP/1.1\r\n{host}\r\n", {405}),
    "TRACK": ("TRACK {at} HTTP/1.1\r\n{host}\r\n", {405}),
    "OPTIONS": ("OPTIONS {at} HTTP/1.1\r\n{host}\r\n", {405}),
    "no credentials": ("{method} {at} HTTP/1.1\r\n{host}\r\n", {401}),
    "a cookie": ("{method} {at} HTTP/1.1\r\n{host}Cookie: token={token}\r\n\r\n", {401}),
    "a token in the address": ("{method} {at}?access_token={token} HTTP/1.1\r\n{host}\r\n", {401}),
    "two lengths": ("POST {at} HTTP/1.1\r\n{host}Content-Length: 1\r\n{chunked}0\r\n\r\n", {400}),
    "a length below 0": ("POST {at} HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n", {400}),
    "an unknown coding": ("POST {at} HTTP/1.1\r\n{host}Transfer-Encoding: x\r\n\r\n", {400, 501}),
    "an expectation": ("POST {at} HTTP/1.1\r\n{host}Expect: 200-ok\r\n\r\n", {417}),
    "HTTP/2": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400}),
    "TLS": ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", {400}),
    "a PROXY line": ("PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\nGET {at} HTTP/1.1\r\n{host}\r\n", {400}),
    "NUL in a header": ("GET {at} HTTP/1.1\r\n{host}X: a\x00b\r\n\r\n", {400}),
    "CR in a header": ("GET {at} HTTP/1.1\r\n{host}X: a\rb\r\n\r\n", {400}),
    "a folded header": ("GET {at} HTTP/1.1\r\n{host}X: a\r\n b\r\n\r\n", {400}),
    "a space before the colon": ("GET {at} HTTP/1.1\r\n{host}X : b\r\n\r\n", {400}),
    "bytes in the address": ("GET {at}/\xff HTTP/1.1\r\n{host}\r\n", {400}),
    "NUL in the address": ("GET /%00 HTTP/1.1\r\n{host}\r\n", {404}),
    "the way up": ("GET /docs/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n{host}\r\n", {404}),
    "nothing": ("\r\n\r\n", {400}),
}
FILES = {  # of static files
    "another version of it": ('If-Match: "none"', 412),
}


def asked(port, text):
    """Send bytes to a port; give status, headers and body of the answer."""
    address = urlsplit(port)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(text.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    line, *rest = head.decode("latin-1").split("\r\n")
    pairs = [row.partition(":") for row in rest]
    return int(line.split()[1]), {name: value.strip() for name, _, value in pairs}, body


def is_a_refusal(status, headers, body):
    """Require the error model (contract section 6) and what every answer bears."""
    told = json.loads(body)
    assert set(told) == {"errors", "trace", "status_code"}
    assert told["status_code"] == status
    assert all(set(error) >= {"code", "message"} for error in told["errors"])
    assert headers["X-Global-Transaction-ID"] == told["trace"]
    assert re.fullmatch("codeengine-api-[0-9a-f]{32}", told["trace"])
    assert headers["Content-Type"] == "application/json"
    assert {name: headers.get(name) for name in WANTED} == WANTED
    assert (headers["Server"], "Date" in headers) == ("http", True)
    assert status != 405 or headers["Allow"]
    assert status != 401 or headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.claim("E2", "each refusal of each local port is in the error model, whoever makes it")
@pytest.mark.parametrize("sent", REFUSED)
def test_refusals(account, sent, subtests):
    """The server below us, the guard, the hub and the functions refuse in one form."""
    text, statuses = REFUSED[sent]
    info = account.host.info
    for port, place in PLACES.items():
        with subtests.test(port):
            words = {
                "at": place,
                "host": HOST,
                "method": "POST" if port == "functions" else "GET",
                "long": "a" * 20_000,
                "many": "".join(f"X{number}: a\r\n" for number in range(200)),
                "token": info["token"] if port == "hub" else account.token,
                "chunked": "Transfer-Encoding: chunked\r\n\r\n",
            }
            status, headers, body = asked(info[port], text.format_map(words))
            assert status in statuses
            is_a_refusal(status, headers, body)
            assert words["token"].encode() not in body
            assert b"evil" not in body


@pytest.mark.parametrize("sent", FILES)
def test_files(host, sent):
    """A static file that cannot be given as it was asked for is refused in the same form."""
    header, status = FILES[sent]
    answer = asked(host.url, f"GET /docs/ HTTP/1.1\r\n{HOST}{header}\r\n\r\n")
    assert answer[0] == status
    is_a_refusal(*answer)


@pytest.mark.parametrize("method", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_no_header_changes_the_method(account, method):
    """A GET stays one."""
    project = account.project()
    path = f"/v2/projects/{project['id']}"
    assert account.got(path, headers={method: "DELETE"})["status"] == "active"
    assert account.status(project) == "active"


@pytest.mark.parametrize("body", ["[" * 200_000, "{", '{"offset": "x"}', "[1]", '{"offset": NaN}'])
def test_the_hub_refuses_what_it_cannot_read(host, body):
    """Its operator's mistakes, too, are told in the error model."""
    token = f"Authorization: Bearer {host.info['token']}\r\nContent-Length: {len(body)}\r\n"
    answer = asked(host.info["hub"], f"PUT /clock HTTP/1.1\r\n{HOST}{token}\r\n{body}")
    assert answer[0] == 400
    is_a_refusal(*answer)


ALONE = {  # a function under plain functions-framework: requests, and how they are refused
    "onProjectWritten": (("POST", "/", 400), ("GET", "/", 405), ("TRACE", "/x", 405)),
    "enforceRetention": (("GET", "/", 404), ("POST", "/x", 404), ("TRACE", "/", 404)),
    "sealAudit": (("GET", "/", 404), ("POST", "/x", 404), ("TRACE", "/", 404)),
    "createAccount": (("GET", "/", 405), ("POST", "/x", 404)),
    "createProject": (("TRACE", "/", 405), ("GET", "/__/health", 404), ("POST", "/", 401)),
}


@pytest.mark.claim("E2", "so is what the framework refuses before a function is called")
@pytest.mark.parametrize("name", ALONE)
def test_a_function_alone(host, name):
    """No page of the framework's goes out, for whatever it takes no request."""
    with running(host, name) as url:
        for method, path, status in ALONE[name]:
            answer = requests.request(method, url + path, timeout=30)
            assert (method, path, answer.status_code) == (method, path, status)
            headers = dict(answer.headers) | {"Server": "http"}  # the platform's own, in front
            is_a_refusal(status, headers, answer.content)
