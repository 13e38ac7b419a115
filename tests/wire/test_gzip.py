"""Compressed bodies: read as if they were not, and never more of them than a body may hold."""

import gzip
import json
import tracemalloc
import zlib
from urllib.parse import urlencode

import pytest
from ibm_cloud_sdk_core.authenticators import IAMAuthenticator
from ibm_code_engine_sdk.code_engine_v2 import CodeEngineV2

from shared.errors import Error
from shared.wire.strict import inflate
from tests.support import GRANT
from tests.support.wire import FORM, JSON, MIB, check, send

P = "/v2/projects"
GZIP = {"Content-Encoding": "gzip", **JSON}
WHOLE = gzip.compress(b'{"name": "new"}', mtime=0)  # the same in every process
NAMED = b"\x1f\x8b\x08\x08\0\0\0\0\0\xffname\0" + WHOLE[10:]  # with the name of a file
BROKEN = {
    "nothing": b"",
    "no gzip": b'{"name": "new"}',
    "zlib": zlib.compress(b'{"name": "new"}'),
    "deflate": WHOLE[10:-8],
    "another method": b"\x1f\x8b\x07" + WHOLE[3:],
    "a head alone": WHOLE[:10],
    "cut in the data": WHOLE[:15],
    "cut before the checksum": WHOLE[:-8],
    "cut in the length": WHOLE[:-1],
    "another checksum": WHOLE[:-8] + b"\0\0\0\0" + WHOLE[-4:],
    "another length": WHOLE[:-4] + b"\1\0\0\0",
    "a byte after it": WHOLE + b"\0",
    "a second member": WHOLE * 2,
    "an empty member after it": WHOLE + gzip.compress(b""),
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
def test_broken(raw):
    """What is not one whole gzip member is refused, in a sentence that repeats none of it."""
    with pytest.raises(Error) as refused:
        inflate(raw, 100)
    assert refused.value.code == "malformed_request"
    assert len(refused.value.message) < 60
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"rubbish", "The body is not gzip."),
        (WHOLE[:-1], "The gzip body is cut short."),
        (WHOLE + b"x", "The gzip body is followed by something else."),
    ],
)
def test_wording(raw, message):
    """The refusal says what is wrong."""
    with pytest.raises(Error, match=f"^{message}$"):
        inflate(raw, 100)


@pytest.mark.parametrize("size", [0, 1, 99, 100])
def test_up_to_the_limit(size):
    """A body is read up to its limit, with or without a file's name."""
    assert inflate(gzip.compress(b"x" * size), 100) == b"x" * size
    assert inflate(NAMED, 100) == b'{"name": "new"}'


@pytest.mark.parametrize("size", [101, 102, 64 * MIB])
def test_bomb(size):
    """A body beyond its limit is refused, and not even held."""
    bomb = gzip.compress(b"\0" * size, 1)
    tracemalloc.start()
    try:
        with pytest.raises(Error) as refused:
            inflate(bomb, 100)
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()
    assert (refused.value.code, refused.value.status) == ("payload_too_large", 413)
    assert refused.value.message == "The body may hold at most 100 bytes."


def test_taken(account):
    """By either of its names, in whatever case, at once or in chunks: the same body."""
    for number, coding in enumerate(["gzip", "x-gzip", "GZIP", " gzip , "]):
        raw = gzip.compress(json.dumps({"name": f"p{number}"}).encode())
        headers = {**JSON, "Content-Encoding": coding}
        status, _, body = send(account, "POST", P, raw, headers)
        assert (status, json.loads(body)["name"]) == (202, f"p{number}")
    raw = gzip.compress(b'{"name": "chunks"}')
    status, _, body = send(account, "POST", P, (raw[n : n + 7] for n in range(0, 99, 7)), GZIP)
    assert (status, json.loads(body)["name"]) == (202, "chunks")
    raw = gzip.compress(b'{"name": "by-name"}')
    url = account.host.functions
    assert send(account, "POST", "/createProject", raw, GZIP, url=url)[0] == 202
    form = urlencode({"grant_type": GRANT, "apikey": account.apikey}).encode()
    headers = {"Content-Encoding": "gzip", "Content-Type": FORM}
    raw = gzip.compress(form)
    assert send(account, "POST", "/identity/token", raw, headers, token=False)[0] == 200


def test_no_coding_and_no_body(account):
    """An empty header is none, and where no body belongs nobody asks how it is compressed."""
    assert send(account, "POST", P, b'{"name": "a"}', JSON | {"Content-Encoding": ""})[0] == 202
    assert send(account, "GET", P, b"rubbish", JSON | {"Content-Encoding": "br"})[0] == 200


@pytest.mark.parametrize(
    "coding",
    ["br", "deflate", "zstd", "identity", "gzip, gzip", "gzip, br", "br, gzip", "gzip;q=1"],
)
def test_other_codings(account, coding):
    """Any other coding, and one on top of another, is refused, and the answer says what is not."""
    answer = send(account, "POST", P, WHOLE, JSON | {"Content-Encoding": coding})
    check(answer, 415, "unsupported_media_type", "")
    assert answer[1]["Accept-Encoding"] == "gzip"


REFUSED = {
    "413 a bomb": (413, "payload_too_large", gzip.compress(b" " * (200 * MIB), 1)),
    "413 a byte too many": (413, "payload_too_large", gzip.compress(b" " * 65_537)),
    "413 before it is opened": (413, "payload_too_large", b"x" * 65_537),
    "400 broken": (400, "malformed_request", WHOLE[:-1]),
    "400 gzip within": (400, "malformed_request", gzip.compress(WHOLE)),
    "400 no JSON within": (400, "malformed_request", gzip.compress(b'{"name": NaN}')),
    "400 twice within": (400, "malformed_request", gzip.compress(b'{"name": "a", "name": "b"}')),
    "400 nothing": (400, "malformed_request", b""),
    "400 nothing within": (400, "malformed_request", gzip.compress(b"")),
}


@pytest.mark.parametrize(("status", "code", "raw"), REFUSED.values(), ids=REFUSED)
def test_refused(account, status, code, raw):
    """What is refused open is refused compressed, and makes no project."""
    check(send(account, "POST", P, raw, GZIP), status, code, "")
    assert json.loads(send(account, "GET", P)[2])["projects"] == []


def test_a_bomb_where_much_is_allowed(account):
    """A bomb of the size that secrets may have opens to what they may hold, and no further."""
    path = f"{P}/{account.project()['id']}/secrets"
    bomb = gzip.compress(b" " * (200 * MIB), 1)
    check(send(account, "POST", path, bomb, GZIP), 413, "payload_too_large", "")


def test_sdk(account):
    """IBM's own SDK, told to compress, works as it does without; large values come back whole."""
    url = account.host.url
    service = CodeEngineV2(authenticator=IAMAuthenticator(account.apikey, url=url))
    service.set_service_url(f"{url}/v2")
    service.set_enable_gzip_compression(True)
    sent = service.prepare_request("POST", "/x", headers={}, data="{}")
    assert sent["headers"]["content-encoding"] == "gzip"
    made = service.create_project(name="compressed").get_result()
    value = "né\n" * 200_000
    on = {"project_id": made["id"], "format": "generic"}
    service.create_secret(name="s", data={"k": value}, **on)
    service.replace_secret(name="s", if_match="*", data={"k": value[1:]}, **on)
    found = service.get_secret(project_id=made["id"], name="s").get_result()
    assert found["data"] == {"k": value[1:]}
    service.delete_secret(project_id=made["id"], name="s")
    assert service.list_secrets(project_id=made["id"]).get_result()["secrets"] == []
