"""The wire: what HTTP asks of every answer, forms of a request, and failures of our own."""

import gzip
import json
import socket
import uuid
from urllib.parse import urlsplit

import pytest

from shared.api.operations import _operation
from shared.store import Write
from tests.support import GRANT
from tests.support.wire import FORM, JSON, MIB, check, send

P = "/v2/projects"
CANARY = "canary-canary-c"


@pytest.fixture
def home(account):
    """The path of a project that holds a secret."""
    project = account.project("here")
    account.secret(project, "s", {"k": "v"})
    return f"{P}/{project['id']}"


def raw(account, *lines, url=None):
    """Send a request as its bytes and give the head of the answer; nothing more is sent."""
    address = urlsplit(url or account.host.url)
    head = [lines[0], "Host: 127.0.0.1", *lines[1:]]
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall("\r\n".join(head).encode())
        got = b""
        while b"\r\n\r\n" not in got:
            got += connection.recv(65_536)
        return got.decode().lower()


@pytest.mark.parametrize(
    ("lines", "status", "code"),
    [
        ([f"GET {P}?start={CANARY * 600} HTTP/1.1"], 414, "uri_too_long"),
        ([f"GET {P} HTTP/1.1", f"X: {CANARY * 600}"], 431, "headers_too_large"),
        ([f"POST {P} HTTP/1.1", "Transfer-Encoding: canary-canary-c"], 501, "not_implemented"),
        ([f"POST {P} HTTP/1.1", "Expect: canary-canary-c"], 417, "expectation_failed"),
        ([f"GET {P} HTTP/1.1", f"{CANARY} no header"], 400, "malformed_request"),
        ([f"G\x01T {CANARY} HTTP/1.1"], 400, "malformed_request"),
    ],
)
def test_what_is_no_request_is_refused_in_our_form(account, lines, status, code):
    """The server's own page would repeat what was sent."""
    address = urlsplit(account.host.url)
    text = "\r\n".join([lines[0], "Host: 127.0.0.1", *lines[1:], "", ""])
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(text.encode())
        head, _, body = b"".join(iter(lambda: connection.recv(65_536), b"")).partition(b"\r\n\r\n")
    assert f"HTTP/1.1 {status} ".encode() in head
    assert b"Content-Type: application/json" in head
    assert json.loads(body)["status_code"] == status
    assert [error["code"] for error in json.loads(body)["errors"]] == [code]
    assert CANARY.encode() not in head + body


def test_the_longest_start_there_is(account):
    """A position of 512 characters is legal, whatever they are, and so is its address."""
    assert account.call("GET", P, params={"start": "\U0001f512" * 512}).status_code == 200


def test_head_is_get_without_a_body(account, home):
    """HEAD answers whatever GET would, but for the body (RFC 9110, section 9.3.2)."""
    for path in (P, home, f"{home}/secrets?limit=1", f"{home}/secrets/s", "/openapi.json"):
        status, headers, body = send(account, "GET", path)
        alike = send(account, "HEAD", path)
        assert (alike[0], alike[2]) == (status, b"")
        for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control"):
            assert alike[1].get(name) == headers.get(name)
        assert alike[1]["Content-Length"] == str(len(body))


def test_head_is_refused_as_get_is(account, home):
    """HEAD tells nobody more than GET does."""
    assert send(account, "HEAD", home, token=False)[0] == 401
    assert send(account.host.account(), "HEAD", home)[0] == 404
    assert send(account, "HEAD", f"{home}/secrets/none")[0] == 404
    assert send(account, "HEAD", f"{P}?limit=0")[0] == 400
    assert send(account.host.account("viewer"), "HEAD", f"{home}/secrets")[0] == 403


@pytest.mark.parametrize(
    "types",
    [
        "application/json; charset=utf-8",
        'APPLICATION/JSON;Charset="UTF-8"',
        "application/json; charset=utf8; x=y",
        "application/json;",
        "application/json; boundary=x",
    ],
)
def test_media_type_forms(account, types):
    """A media type comes with parameters, in any case; UTF-8 is the one charset there is."""
    status, _, body = send(account, "POST", P, '{"name": "é"}'.encode(), {"Content-Type": types})
    assert (status, json.loads(body)["name"]) == (202, "é")


def test_form_charset(account):
    """A form may say that it is UTF-8, and nothing else."""
    form = f"grant_type={GRANT}&apikey={account.apikey}".encode()
    for charset, status in (("utf-8", 200), ("latin-1", 415)):
        headers = {"Content-Type": f"{FORM}; charset={charset}"}
        assert send(account, "POST", "/identity/token", form, headers, token=False)[0] == status


def test_media_types_of_an_operation():
    """An operation takes every media type that the document lists for it."""
    content = {
        "application/merge-patch+json": {"schema": {"type": "object"}},
        "application/json": {"schema": {"type": "object"}},
    }
    spec = {"operationId": "o", "x-function": "f", "responses": {"200": {}}}
    item = {"patch": spec | {"requestBody": {"content": content}}}
    made = _operation("/x", "patch", item)
    assert made.media_types == ("application/merge-patch+json", "application/json")
    assert made.body_schema == {"type": "object"}
    assert _operation("/x", "patch", {"patch": spec}).media_types == ()


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/merge-patch+json", 200),
        ("application/json", 200),
        ("application/Merge-Patch+JSON; charset=UTF-8", 200),
        ("application/json-patch+json", 415),
        ("application/merge-patch+json; charset=utf-16", 415),
        (None, 415),
    ],
)
def test_media_types_of_a_patch(account, home, kind, status):
    """A merge patch comes under its own name, or as JSON, compressed or not."""
    job = {"name": "j", "image_reference": "icr.io/a/b"}
    assert send(account, "POST", f"{home}/jobs", job)[0] == 201
    headers = {"Content-Type": kind, "If-Match": "*"}
    body = b'{"image_reference": "icr.io/a/c"}'
    answer = send(account, "PATCH", f"{home}/jobs/j", body, headers)
    packed = headers | {"Content-Encoding": "gzip"}
    assert send(account, "PATCH", f"{home}/jobs/j", gzip.compress(body), packed)[0] == status
    assert answer[0] == status
    if status == 415:
        assert answer[1]["Accept"] == "application/json, application/merge-patch+json"


def test_what_was_wanted_is_said(account):
    """Who sends another media type is told which ones there are."""
    answer = send(account, "POST", P, b"{}", {"Content-Type": "text/plain"})
    check(answer, 415, "unsupported_media_type", "")
    assert answer[1]["Accept"] == "application/json"


@pytest.mark.parametrize(
    "place", [P, "/v2/%70rojects", "/%76%32/projects", "http://127.0.0.1/v2/projects"]
)
def test_ways_to_write_a_path(account, place):
    """An escape changes nothing, and proxies may name scheme and host (RFC 9112, section 3.2.2)."""
    assert send(account, "GET", place)[0] == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/listSecrets{home}/secrets", 200),
        ("/listSecrets{home}/secrets?limit=1", 200),
        ("/{project}/us-central1/listSecrets{home}/secrets?limit=0", 400),
        ("/{project}/us-central1/getSecret{home}/secrets/s", 200),
        ("/getSecret{home}/secrets/%73", 200),
        ("/getSecret{home}/secrets/s%2Fs", 400),
        ("/getSecret{home}/secrets%2Fs", 404),
        ("/getSecret{home}/secrets/%ff", 404),
        ("/getSecret{home}//secrets/s", 404),
        ("http://127.0.0.1/getSecret{home}/secrets/s", 200),
        ("/getSecret%2F{home}/secrets/s", 404),
        ("/", 404),
    ],
)
def test_paths_on_the_functions_port(account, home, path, status):
    """Behind a function's name stands the path as it was sent."""
    path = path.format(home=home, project=account.host.info["env"]["GOOGLE_CLOUD_PROJECT"])
    assert send(account, "GET", path, url=account.host.functions)[0] == status


def test_unknown_members_are_never_applied(account):
    """What a caller may not choose is ignored, not refused: at creation, and in a secret."""
    mine = {"id": str(uuid.UUID(int=1)), "account_id": "b" * 32, "region": "eu-de", "crn": "c"}
    mine |= {"status": "soft_deleted", "created_at": "2001-01-01T00:00:00Z", "purge_at": None}
    status, _, body = send(account, "POST", P, {"name": "new", **mine})
    made = json.loads(body)
    assert status == 202
    assert made["account_id"] == account.id
    assert made["status"] == "active"
    assert not {key: mine[key] for key in mine.keys() & made.keys()}.items() & made.items()
    secret = {"name": "s", "format": "generic", "data": {"k": "v"}, "entity_tag": "mine", **mine}
    path = f"{P}/{made['id']}/secrets"
    made = json.loads(send(account, "POST", path, secret | {"project_id": mine["id"]})[2])
    assert made["entity_tag"] != "mine"
    assert made["id"] != mine["id"]
    assert made["project_id"] != mine["id"]
    assert not {"status", "account_id", "purge_at"} & made.keys()


def test_large_body_where_none_belongs(account):
    """A body where none belongs is not even read."""
    assert send(account, "GET", P, b"x" * (2 * MIB), JSON)[0] == 200
    length = f"Content-Length: {99 * MIB}"
    token = f"Authorization: Bearer {account.token}"
    assert raw(account, f"GET {P} HTTP/1.1", token, length, "", "").startswith("http/1.1 200 ")


@pytest.mark.parametrize(
    ("line", "status"),
    [(f"POST {P}", 401), ("POST /v2/none", 404), (f"PATCH {P}", 405), (f"POST {P} +", 413)],
)
def test_refused_before_the_body(account, line, status):
    """Who is refused anyway is so at once: nobody waits for a body that nobody reads."""
    token = [f"Authorization: Bearer {account.token}"] if line.endswith("+") else []
    lines = [f"{line.removesuffix(' +')} HTTP/1.1", *token, f"Content-Length: {MIB}", "", ""]
    assert raw(account, *lines).startswith(f"http/1.1 {status} ")


def test_a_body_that_is_no_chunks(account):
    """A body that does not arrive as it says is the sender's fault, not ours."""
    token = f"Authorization: Bearer {account.token}"
    head = [f"POST {P} HTTP/1.1", token, "Content-Type: application/json"]
    answer = raw(account, *head, "Transfer-Encoding: chunked", "", "zz", "{}", "0", "", "")
    assert answer.startswith("http/1.1 400 ")
    assert "content-type: application/json" in answer
    assert "x-global-transaction-id: codeengine-api-" in answer


def test_failure_of_ours(account):
    """What nobody expected is 500 with a trace, and not a word of what it was."""
    project = str(uuid.uuid4())
    known = {"id": project, "account_id": account.id, "region": "us-south", "status": "active"}
    fields = known | {"name": ["hunter2"]}
    account.host.inside.store.commit([Write.create(f"projects/{project}", fields)])
    answer = send(account, "GET", f"{P}/{project}")
    check(answer, 500, "internal", "")
    assert b"hunter2" not in answer[2]
    trace = answer[1]["X-Global-Transaction-ID"]
    (line,) = [line for line in account.host.log().splitlines() if trace in line]
    assert json.loads(line)["severity"] == "ERROR"
    assert "hunter2" not in line


def test_a_part_that_does_not_answer(account):
    """What may succeed later is 503, with the time to wait, and nothing is half done."""
    keys = account.host.inside.keys
    aside = keys.with_name("aside")
    keys.rename(aside)
    keys.write_text("no folder")
    try:
        answer = send(account, "POST", P, {"name": "new"})
    finally:
        keys.unlink()
        aside.rename(keys)
    check(answer, 503, "unavailable", "")
    assert answer[1]["Retry-After"] == "5"
    assert json.loads(send(account, "GET", P)[2])["projects"] == []


def test_every_fault_at_once(account, home):
    """All faults of a request come in one answer, each with its target."""
    body = {"name": "A B", "format": "none", "data": {"k": 1}}
    status, _, text = send(account, "POST", f"{home}/secrets?version=1", body)
    told = [
        (e["code"], e["target"]["type"], e["target"]["name"]) for e in json.loads(text)["errors"]
    ]
    assert status == 400
    assert sorted(told) == [
        ("invalid_field", "field", "data.k"),
        ("invalid_field", "field", "format"),
        ("invalid_field", "field", "name"),
        ("invalid_field", "parameter", "version"),
    ]
