"""Bodies that cost a parser hundreds of times what they cost their sender, at a real function."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from shared import quotas
from tests.functions.test_functions import running
from tests.support.memory import Server
from tests.support.wire import MIB

pytestmark = [pytest.mark.slow, pytest.mark.alone]

FULL = quotas.BODY_BYTES - 64
NOWHERE = "/v2/projects/00000000-0000-4000-8000-000000000000/secrets"
# What is repeated, between the two others, until the body has all the bytes that one may have.
SHAPES = {
    "members without names": (b'{"data":[', b'{"":0},', b"0]}"),
    "arrays": (b'{"data":[', b"[],", b"0]}"),
    "arrays, ten deep": (b'{"data":[', b"[[[[[[[[[[]]]]]]]]]],", b"0]}"),
    "objects": (b'{"data":[', b"{},", b"0]}"),
    "empty strings": (b'{"data":[', b'"",', b"0]}"),
    "strings of one character": (b'{"data":[', b'"a",', b"0]}"),
    "strings of an escape": (b'{"data":[', b'"\\u0001",', b"0]}"),
    "strings of a quote": (b'{"data":[', b'"\\"",', b"0]}"),
    "strings of a backslash": (b'{"data":[', b'"\\\\",', b"0]}"),
    "strings of brackets": (b'{"data":[', b'"[{",', b"0]}"),
    "digits": (b'{"data":[', b"1,", b"0]}"),
    "words": (b'{"data":[', b"null,", b"0]}"),
    "fractions": (b'{"data":[', b"0.1e9,", b"0]}"),
    "one long number": (b'{"data":', b"1", b"}"),
    "one long fraction": (b'{"data":0.', b"1", b"}"),
    "one long exponent": (b'{"data":1e', b"1", b"}"),
    "blanks": (b'{"data":', b" ", b"0}"),
    "line feeds between": (b'{"data":[', b"0,\n\n\n\n", b"0]}"),
    "an abyss": (b"", b"[", b""),
    "an abyss of objects": (b"", b'{"":', b""),
    "a string without an end": (b'{"data":"', b"a", b""),
    "escapes without an end": (b'{"data":"', b"\\\\", b""),
    "quotes without an end": (b'{"data":"', b'\\"', b""),
    "one character beyond 16 bits": (b'{"data":"\xf0\x9f\x98\x80', b"a", b'"}'),
    "the same, and escapes": (b'{"data":"\xf0\x9f\x98\x80', b"\\u0041", b'"}'),
    "the same, and backslashes": (b'{"data":"\xf0\x9f\x98\x80', b"\\\\", b'"}'),
    "the same, and line feeds": (b'{"data":"\xf0\x9f\x98\x80', b"\\n", b'"}'),
    "halves of pairs": (b'{"data":"', b"\\ud800", b'"}'),
    "no UTF-8": (b'{"data":"', b"\xff", b'"}'),
    "colons": (b'{"data":', b":", b"}"),
    "backslashes outside": (b'{"data":', b"\\", b"}"),
    "quotes alone": (b'{"data":', b'"', b"}"),
    "faulty keys": (b'{"name":"s","format":"generic","data":{', b'" a":0,', b'"b":0}}'),
}


def bomb(before, again, after):
    """Give a body of one of those shapes, compressed."""
    return gzip.compress(before + again * ((FULL - len(before)) // len(again)) + after, 6)


@pytest.fixture(scope="module")
def api(host):
    """The whole API as a process of its own."""
    with running(host, "api", THREADS="64") as url:
        yield url


@pytest.fixture(scope="module")
def identity(host):
    """What issues tokens, as a process of its own."""
    with running(host, "identity", THREADS="64") as url:
        yield url


def post(url, account, raw, **more):
    """Send a compressed body, and give the status of the answer."""
    headers = {"Authorization": f"Bearer {account.token}", "Content-Type": "application/json"}
    headers |= {"Content-Encoding": "gzip"} | more
    return requests.post(url, data=raw, headers=headers, timeout=120)


@pytest.mark.claim("D1", "13 KB that open to 13 MiB: refused within 1 s and 100 MiB")
def test_bombs(subtests, owner, api):
    """Of whatever structure; in a project that need not exist. Each refusal says what is wrong."""
    assert len(SHAPES) >= 20
    server = Server.at(api)
    post(api + NOWHERE, owner, gzip.compress(b"{}"))  # what is loaded once
    for name, shape in SHAPES.items():
        with subtests.test(name):
            raw = bomb(*shape)
            server.mark()
            answer = post(api + NOWHERE, owner, raw)
            took, spent = server.grown, server.spent
            assert answer.status_code in {400, 413}
            assert took < 100 * MIB
            assert spent < 1


def test_the_largest_secret(owner, api):
    """What is refused is no resource's: 2 MiB in 1,000 keys, each byte of them six in the body."""
    keys = [f"{'k' * 249}{number:04}" for number in range(1000)]
    values = dict.fromkeys(keys, "\x01" * (quotas.SECRET_BYTES // 1000))
    body = {"name": "largest", "format": "generic", "data": values}
    raw = json.dumps(body, indent=4).encode()
    assert len(raw) > 12 * MIB
    path = f"/v2/projects/{owner.project()['id']}/secrets"
    server = Server.at(api)
    server.mark()
    for name in ("largest", "again"):
        more = gzip.compress(raw.replace(b"largest", name.encode()), 1)
        assert post(api + path, owner, more).status_code == 201
    assert owner.got(f"{path}/again")["data"] == values
    assert server.grown < 150 * MIB


@pytest.mark.claim("D1", "32 such bodies at once: under 512 MiB, and a neighbour waits 3 s at most")
def test_bombs_at_once(host, owner, api):
    """They are opened a few at a time, whatever the number that is read."""
    neighbour = {"Authorization": f"Bearer {host.account().token}"}
    server = Server.at(api)
    raws = [bomb(*SHAPES[name]) for name in ("arrays", "the same, and escapes")] * 16
    server.mark()
    with ThreadPoolExecutor(32) as pool:
        sent = [pool.submit(post, api + NOWHERE, owner, raw) for raw in raws]
        waits = []
        while not all(one.done() for one in sent):
            answer = requests.get(f"{api}/v2/projects", headers=neighbour, timeout=60)
            waits.append((answer.status_code, answer.elapsed.total_seconds()))
        answers = [one.result() for one in sent]
    assert {answer.status_code for answer in answers} <= {400, 413, 429, 503}
    assert server.peak < 512 * MIB
    assert {status for status, _ in waits} == {200}
    assert max(seconds for _, seconds in waits) < 3
    assert owner.status(owner.project()) == "active"


@pytest.mark.claim("D1", "who may not write is refused before the body is opened, by name too")
def test_a_reader_by_name(host, owner):
    """What the name stands for, create or replace, a reader may not: so nothing is parsed."""
    reader = host.account("reader")
    raw = bomb(*SHAPES["the same, and escapes"])
    with running(host, "putSecret") as url:
        server = Server.at(url)
        post(url, reader, gzip.compress(b"{}"))
        server.mark()
        answer = post(url, reader, raw)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "forbidden")
        assert server.grown < 8 * MIB
        assert post(url, reader, b"no gzip").status_code == 403
        assert post(url, owner, b"no gzip").status_code == 400


@pytest.mark.claim("D1", "300,000 pairs in a query, a million in a form: refused")
def test_many_pairs(owner, api):
    """functions-framework lets an address be as long as it likes, and reads it before we do."""
    server = Server.at(api)
    server.mark()
    headers = {"Authorization": f"Bearer {owner.token}"}
    pairs = "&".join(["a="] * 300_000)
    answer = requests.get(f"{api}/v2/projects?{pairs}", headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (414, "uri_too_long")
    answer = requests.get(api + "/ab" * 300_000, timeout=60)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (414, "uri_too_long")
    assert server.grown < 100 * MIB
    assert server.spent < 4


@pytest.mark.claim("D1", "300,000 pairs in a query, a million in a form: refused")
def test_many_pairs_in_a_form(owner, identity):
    """Nor does a form that is to be exchanged for a token."""
    server = Server.at(identity)
    server.mark()
    form = gzip.compress(b"a=&" * 1_000_000)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert post(f"{identity}/identity/token", owner, form, **kind).status_code == 413
    form = gzip.compress(b"a=&" * 20_000)
    assert post(f"{identity}/identity/token", owner, form, **kind).status_code == 400
    assert server.grown < 100 * MIB
    assert server.spent < 4
