"""Bodies that are large as they come, many at once, and in pieces, at a real function.

As it is deployed: under plain functions-framework, with the threads of functions.yaml.
"""

import gzip
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
import requests

from shared import quotas
from tests.functions.test_functions import running
from tests.support.memory import Server
from tests.support.wire import MIB
from tools import attackers, attacks

pytestmark = [pytest.mark.slow, pytest.mark.alone]

MOST = 1_048_576  # characters of one value
AT_ONCE = 64


@pytest.fixture(scope="module")
def api(host):
    """The whole API as a process of its own."""
    with running(host, "api", THREADS="96", CE_RATE="0") as url:
        yield url


def home(account):
    """Give the path of the secrets of a project of its own."""
    return f"/v2/projects/{account.project()['id']}/secrets"


def post(url, account, body, **more):
    """Make something, and give the answer."""
    headers = {**attacks.bearer(account.token), **attacks.JSON, **more}
    return requests.post(url, data=body, headers=headers, timeout=120)


@contextmanager
def begun(url, path, account, framing):
    """Send the head of a request to make something; give its connection."""
    with attackers.connected(url, "") as to:
        to.putrequest("POST", path)
        for name, value in {**attacks.bearer(account.token), **attacks.JSON, **framing}.items():
            to.putheader(name, value)
        to.endheaders()
        yield to


def secret(name, character="x"):
    """Give a body with all the bytes that a secret may have, but for a few, in two values."""
    data = dict.fromkeys("kl", character + "x" * (MOST - 8))
    body = {"name": name, "format": "generic", "data": data}
    return json.dumps(body, ensure_ascii=False).encode()


@pytest.mark.claim("D1", "64 bodies of 13 MiB at once, which stall: 150 MiB, and others write")
def test_bodies_that_stall(host, api, owner):
    """What they say they hold is bounded before any of it is read; a share of it is kept."""
    tenant, another = replace(attacks.Tenant.at(host), url=api), host.account()
    path, theirs, server = home(owner), home(another), Server.at(api)
    server.mark()
    with attackers.Stalled(api, attacks.large(path, attacks.bearer(owner.token)), AT_ONCE):
        assert tenant.told(3, logs_in=False).share >= 0.95
        with begun(api, path, owner, {"Content-Length": str(quotas.BODY_BYTES)}) as to:
            refused = to.getresponse()
            assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
        assert post(api + path, owner, b"{}").status_code == 400
        assert post(api + theirs, another, secret("s")).status_code == 201
    assert server.grown < 150 * MIB
    assert owner.got(path)["secrets"] == []


@pytest.mark.claim("D1", "64 compressed secrets of 2 MiB at once, of wide characters: 512 MiB")
def test_bodies_that_open(api, owner):
    """They count as they are open. Some are made, the others are told to come again."""
    path, server = home(owner), Server.at(api)
    raws = [gzip.compress(secret(f"s{n}", "\U0001f512"), 1) for n in range(AT_ONCE)]
    server.mark()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        send = lambda raw: post(api + path, owner, raw, **{"Content-Encoding": "gzip"})  # noqa: E731
        codes = Counter(answer.status_code for answer in pool.map(send, raws))
    assert set(codes) == {201, 503}
    assert codes[201] >= 8
    assert server.peak < 512 * MIB
    assert post(api + path, owner, secret("afterwards")).status_code == 201


@pytest.mark.claim("D1", "2 MiB in chunks of one byte: refused within 1.5 s of the processor")
def test_bodies_in_pieces(subtests, api, owner):
    """What is below us undoes chunks: the work it has is all that shows. Go's chunks have 240."""
    path, server, whole = home(owner), Server.at(api), secret("pieces")
    for size, status in ((240, 201), (1, 400)):
        with subtests.test(size=size):
            server.mark()
            pieces = (whole[at : at + size] for at in range(0, len(whole), size))
            sent = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
            with begun(api, path, owner, {"Transfer-Encoding": "chunked"}) as to:
                with suppress(BrokenPipeError, ConnectionResetError):
                    to.send(sent + b"0\r\n\r\n")
                assert to.getresponse().status == status
            assert server.spent < 1.5
