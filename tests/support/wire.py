"""Requests byte for byte, and the envelope of what is refused."""

import http.client
import json
import re
from contextlib import suppress
from urllib.parse import urlsplit

TRACE = re.compile(r"codeengine-api-[0-9a-f]{32}")
JSON, FORM = {"Content-Type": "application/json"}, "application/x-www-form-urlencoded"
MIB = 1024 * 1024


def send(account, method, path, body=None, headers=None, token=True, url=None):
    """Send a request; a dict goes as JSON, anything else as it is, an iterator in chunks."""
    sent = {"Authorization": f"Bearer {account.token}"} if token else {}
    if isinstance(body, dict | list):
        body, sent = json.dumps(body).encode(), sent | JSON
    sent |= headers or {}
    sent = {name: value for name, value in sent.items() if value is not None}
    address = urlsplit(url or account.host.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    try:
        with suppress(BrokenPipeError, ConnectionResetError):  # what is too large is not read
            connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
    finally:
        connection.close()


def check(answer, status, code, target, method="GET"):
    """Require the envelope of a refusal, and what it says."""
    found, headers, raw = answer
    assert found == status
    assert headers["Content-Type"] == "application/json"
    trace = headers["X-Global-Transaction-ID"]
    assert TRACE.fullmatch(trace)
    if method == "HEAD":
        return
    body = json.loads(raw)
    assert body.keys() == {"errors", "trace", "status_code"}
    assert (body["trace"], body["status_code"]) == (trace, status)
    first = body["errors"][0]
    assert first["code"] == code
    assert first.get("target", {}).get("name", "") == target
    assert first["message"].endswith(".")
