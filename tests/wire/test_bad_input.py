"""Requests that are refused: status, code and target as documented, and no side effect."""

import hashlib
import http.client
import uuid
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support import paths_below
from tests.support.wire import FORM, JSON, MIB, check, send

NOWHERE = "00000000-0000-4000-8000-000000000000"
P, S, R = "/v2/projects", "/v2/projects/{p}/secrets", "/v2/resource_instances"
LOGIN = {"username": "u", "password": "p"}
REGISTRY = {"name": "new", "format": "registry"}
IMAGE = {"name": "new", "image_reference": "icr.io/a/b"}
DAEMON = IMAGE | {"run_mode": "daemon", "scale_retry_limit": 3}
PROBED = IMAGE | {"probe_liveness": {"type": "http", "path": "/a\nb"}}
GOOD = {"name": "new", "format": "generic", "data": {"k": "v"}}


@dataclass
class Ground:
    """An account with an active project that holds a secret, and a project that is deleted."""

    owner: Any
    reader: Any
    editor: Any
    places: dict[str, str]
    last: str = ""

    def state(self):
        """Give a digest of all that is stored for the account, but that something was denied."""
        store = self.owner.host.inside.store
        mine = ("account_id", "==", self.owner.id)
        found = store.query("projects", mine, order="name", limit=99)[1]
        projects = [document.path for document in found]
        below = [path for project in projects for path in paths_below(store, project, 999)]
        region = f"regions/{self.owner.id}.{self.owner.host.inside.settings.region}"
        documents = store.read(region, *projects, *below).documents
        told = store.query("audit", mine, order="at", limit=9999)[1]
        audit = [entry for entry in told if entry.contents["outcome"] != "denied"]
        kept = [(path, documents[path].fields) for path in sorted(documents)]
        self.last = hashlib.sha256(repr((kept, audit)).encode()).hexdigest()
        return self.last


@dataclass
class Row:
    """A request that is refused, and how."""

    status: int
    code: str
    target: str
    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    caller: str = "owner"

    def __str__(self) -> str:
        said = self.headers or (self.body if isinstance(self.body, dict) else "")
        return f"{self.status} {self.method} {self.path[:60]} {str(said)[:50]}"


def row(line, body=None, caller="owner", **headers):
    """Make a row from `status code target METHOD path`; a dash stands for no target."""
    status, code, target, method, path = line.split(" ", 4)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Row(int(status), code, target.strip("-"), method, path, body, headers, caller)


@pytest.fixture(scope="module")
def ground(host):
    """What the rows are tried on; made once, and not changed by any of them."""
    host.set_clock(0)
    owner = host.account()
    active, deleted = owner.project("here"), owner.project("deleted")
    owner.secret(active, "s", {"k": "v"})
    owner.secret(deleted, "s", {"k": "v"})
    owner.delete(deleted)
    owner.delete(active)
    ended = owner.reclamation(active)
    assert owner.act(ended, "restore").status_code == 200
    stranger = host.account()
    other, last = stranger.project("theirs"), stranger.project("their last")
    stranger.delete(last)
    places = {"p": active["id"], "d": deleted["id"], "o": other["id"], "n": NOWHERE}
    places |= {"e": ended, "l": stranger.reclamation(last)}
    reader = host.account("viewer", "reader", account_id=owner.id)
    editor = host.account("editor", account_id=owner.id)
    host.quiet()
    return Ground(owner, reader, editor, places)


@pytest.fixture
def before(ground):
    """The digest of what is stored before a request."""
    return ground.last or ground.state()


V = "/v2/projects?version="
MALFORMED = [
    row(f"400 malformed_request - POST {P}", body, Content_Type="application/json")
    for body in (
        b"{",
        b"nothing",
        b'{"name": "a", "name": "b"}',
        b"\xff",
        b"[" * 99,
        b'{"name": NaN}',
    )
]
FIELDS = [
    row(f"400 missing_field name POST {P}", {}),
    row(f"400 malformed_request - POST {P}", b"", **{"Content-Type": "application/json"}),
    row(f"400 invalid_field body POST {P}", []),
    row(f"400 invalid_field name POST {P}", {"name": 1}),
    row(f"400 invalid_field name POST {P}", {"name": None}),
    row(f"400 invalid_field name POST {P}", {"name": ""}),
    row(f"400 missing_field format POST {S}", {"name": "new"}),
    *(row(f"400 invalid_field name POST {P}", {"name": blank}) for blank in (" ", " a", "a ")),
    *(
        row(f"400 invalid_field data POST {S}", GOOD | {"data": {dots: "v"}})
        for dots in (".", "..")
    ),
    *(
        row(f"400 invalid_field data.server POST {S}", REGISTRY | {"data": LOGIN | {"server": bad}})
        for bad in ("a\nb", " a", "a\n")
    ),
    row(f"400 missing_field data PUT {S}/s", {"format": "generic"}, If_Match="*"),
    row(f"400 invalid_field data PUT {S}/s", {"format": "generic", "data": None}, If_Match="*"),
    row("400 invalid_field scale_retry_limit POST /v2/projects/{p}/jobs", DAEMON),
    row("400 invalid_field probe_liveness.path POST /v2/projects/{p}/apps", PROBED),
    row(f"400 missing_field name POST {S}", {"format": "generic"}),
    row(f"400 invalid_field format POST {S}", GOOD | {"format": "other"}),
    row(f"400 invalid_field name POST {S}", GOOD | {"name": "New"}),
    row(f"400 invalid_field data POST {S}", GOOD | {"data": []}),
    row(f"400 invalid_field data POST {S}", GOOD | {"data": {"a b": ""}}),
    row(f"400 invalid_field data.k POST {S}", GOOD | {"data": {"k": 1}}),
    row(f"400 missing_field data POST {S}", {"name": "new", "format": "tls"}),
    row(
        f"400 missing_field data.tls_key POST {S}",
        GOOD | {"format": "tls", "data": {"tls_cert": ""}},
    ),
    row(f"400 missing_field If-Match PUT {S}/s", GOOD),
    row(f"400 invalid_field If-Match PUT {S}/s", GOOD, If_Match='"a"'),
    row(f"400 missing_field format PUT {S}/s", {}, If_Match="*"),
    *(
        row("400 invalid_field comment POST /v1/reclamations/{d}/actions/restore", {"comment": bad})
        for bad in (1, None, "a\0", "a\u200bb", "\u202ea", "a\u2066", "a" * 1025)
    ),
    row("400 invalid_field body POST /v1/reclamations/{d}/actions/restore", []),
]
QUERIES = [
    *(
        row(f"400 invalid_field limit GET {P}?limit={n}")
        for n in ["0", "-1", "201", "x", "1.0", "%2B5", "1_0"]
    ),
    *(row(f"400 invalid_field limit GET {S}?limit={n}") for n in ["0", "201", "x"]),
    *(
        row(f"400 invalid_field version GET {V}{v}")
        for v in ["x", "2021-03-30", "2026-13-01", "2024-1-1", "1"]
    ),
    row(f"400 invalid_field limit GET {P}?limit="),
    row(f"400 invalid_field limit GET {P}?limit=1&limit=1"),
    row(f"400 invalid_field version GET {V}2024-01-01&version=2024-01-01"),
    row(f"400 invalid_field version POST {V}1999-01-01", {"name": "new"}),
    row("400 invalid_field version DELETE /v2/projects/{p}?version=1999-01-01"),
    row(f"400 invalid_field start GET {P}?start={'x' * 513}"),
    row(f"400 invalid_field format GET {S}?format=other"),
    row(f"400 invalid_field account_id GET /v1/reclamations?account_id={'x' * 65}"),
    row("400 invalid_field id GET /v2/projects/here"),
    row("400 invalid_field id DELETE /v2/projects/{p}x"),
    row("400 invalid_field id POST /v1/reclamations/x/actions/reclaim", {}),
    row("400 invalid_field project_id GET /v2/projects/x/secrets"),
    row(f"400 invalid_field name GET {S}/S"),
    row(f"400 invalid_field name DELETE {S}/%20"),
    *(
        row(f"400 invalid_field name GET {S}/{name}")
        for name in ("a%2fs", "s%2F", "..%2fs", "%00", "s%E2%80%8B", "%EF%BB%BFs")
    ),
    *(
        row(f"400 malformed_request - GET {P}?{query}")
        for query in ("limit=%ff", "start=%ed%a0%80", "start=%", "start=%4", "unheard=%zz")
    ),
]
UNKNOWN = [
    row(f"401 unauthorized - GET {P}", caller="nobody"),
    row(f"401 unauthorized - POST {P}", {"name": "new"}, caller="nobody"),
    row("401 unauthorized - DELETE /v2/projects/{p}", caller="nobody"),
    *(
        row(f"401 unauthorized - GET {S}", Authorization=value)
        for value in (
            "",
            "Bearer",
            "Bearer ",
            "garbage",
            "Bearer a.b.c",
            "Basic dTpw",
            "Bearer \xe9",
        )
    ),
    row("401 unauthorized - DELETE /v2/projects/{p}", Authorization="Bearer " + "x" * 5000),
]
FORBIDDEN = [
    row(f"403 forbidden - POST {P}", {"name": "new"}, "reader"),
    row("403 forbidden - DELETE /v2/projects/{p}", None, "reader"),
    row(f"403 forbidden - POST {S}", GOOD, "reader"),
    row(f"403 forbidden - PUT {S}/s", GOOD, "reader", If_Match="*"),
    row(f"403 forbidden - DELETE {S}/s", None, "reader"),
    row(f"403 forbidden - DELETE {R}/{{p}}", None, "reader"),
    row("403 forbidden - POST /v1/reclamations/{d}/actions/restore", {}, "reader"),
    row("403 forbidden - POST /v1/reclamations/{d}/actions/reclaim", {}, "reader"),
    row(f"403 forbidden - GET {S}", None, "editor"),
    row(f"403 forbidden - GET {S}/s", None, "editor"),
]
MISSING = [
    *(
        row(
            f"404 resource_not_found - {line}", GOOD if line.startswith("P") else None, If_Match="*"
        )
        for at in ("{n}", "{o}")
        for line in (
            f"GET {P}/{at}",
            f"DELETE {P}/{at}",
            f"GET {P}/{at}/secrets",
            f"POST {P}/{at}/secrets",
            f"GET {P}/{at}/secrets/s",
            f"PUT {P}/{at}/secrets/s",
            f"DELETE {P}/{at}/secrets/s",
            f"GET {P}/{at}/egress_ips",
            f"GET {P}/{at}/status_details",
            f"GET {R}/{at}",
            f"DELETE {R}/{at}",
            f"POST /v1/reclamations/{at}/actions/restore",
            f"POST /v1/reclamations/{at}/actions/reclaim",
        )
    ),
    *(
        row(f"404 resource_not_found - GET {path}")
        for path in (f"{S}/none", f"{P}/", "/v2/", "/v2/unheard", "/v2//projects", "//v2/projects")
    ),
    *(
        row(f"404 resource_not_found - GET {path}")
        for path in (
            f"{S}/s/",
            "/v2/projects%2f{p}",
            "/v1/%2f",
            "/v2/./projects",
            "/v2/projects/../projects",
            "/v2/%2E%2e/v2/projects",
            f"{S}/.%2e/secrets/s",
            f"{S}/s%0A",
            f"{S}/%0As",
            f"{S}/%ff",
            f"{S}/%c0%af",
            f"{S}/%",
            f"{S}/%4",
            f"{S}/%zz",
        )
    ),
    row(f"404 resource_not_found - PUT {S}/none", GOOD, If_Match="*"),
    *(
        row(f"404 resource_not_found - POST /v1/reclamations/{at}/actions/{action}", {})
        for at in ("{l}", "{p}", "{d}")  # another's; and no project's id is its reclamation's
        for action in ("restore", "reclaim")
    ),
    row("404 resource_not_found - POST /internal/accounts", {}),
    row("404 resource_not_found - POST /v1/reclamations/{d}/actions/destroy", {}),
]
METHODS = [
    row(f"405 method_not_allowed - {method} {path}", None, "owner", Expect_Allow=allowed)
    for path, allowed in (
        (P, "GET, HEAD, POST"),
        (P + "/{p}", "DELETE, GET, HEAD"),
        (S, "GET, HEAD, POST"),
        (S + "/s", "DELETE, GET, HEAD, PUT"),
        ("/v1/reclamations", "GET, HEAD"),
        ("/v1/reclamations/{d}/actions/restore", "POST"),
        ("/identity/token", "POST"),
    )
    for method in ("PATCH", "OPTIONS", "PURGE", *(["HEAD"] if allowed == "POST" else []))
]
ACCEPTS = [
    row(f"406 not_acceptable - {line}", body, Accept=accept, If_Match="*")
    for line, body in (
        (f"GET {P}", None),
        (f"POST {P}", {"name": "new"}),
        (f"PUT {S}/s", GOOD),
        (f"DELETE {S}/s", None),
    )
    for accept in ("text/html", "application/xml, image/*")
]
ACCEPTS.append(row(f"406 not_acceptable - GET {P}", Accept="application/json;q=0"))
CONFLICTS = [
    *(row(f"409 name_taken name POST {P}", {"name": name}) for name in ("here", "deleted")),
    row(f"409 name_taken name POST {S}", GOOD | {"name": "s"}),
    row(f"409 format_mismatch format PUT {S}/s", GOOD | {"format": "tls"}, If_Match="*"),
    row("409 project_not_active - DELETE /v2/projects/{d}"),
    row(f"409 project_not_active - DELETE {R}/{{d}}"),
    row("409 project_not_active - GET /v2/projects/{d}/secrets"),
    row("409 project_not_active - GET /v2/projects/{d}/secrets/s"),
    row("409 project_not_active - POST /v2/projects/{d}/secrets", GOOD),
    row("409 project_not_active - PUT /v2/projects/{d}/secrets/s", GOOD, If_Match="*"),
    row("409 project_not_active - DELETE /v2/projects/{d}/secrets/s"),
    row("409 project_not_restorable - POST /v1/reclamations/{e}/actions/restore", {}),
    row("409 project_not_deletable - POST /v1/reclamations/{e}/actions/reclaim", {}),
    row(f"412 precondition_failed If-Match PUT {S}/s", GOOD, If_Match="0"),
]
LARGE = [
    row(f"413 payload_too_large - POST {P}", b"{}", Content_Length=str(14 * MIB), **JSON),
    row(f"413 payload_too_large - POST {S}", b'"' + b"x" * (13 * MIB), **JSON),
    row(f"413 payload_too_large data POST {S}", GOOD | {"data": dict.fromkeys("abc", "x" * MIB)}),
    row("413 payload_too_large - POST /identity/token", b"x" * 65_537, Content_Type=FORM),
]
TYPES = [
    *(
        row(f"415 unsupported_media_type - POST {P}", b'{"name": "new"}', Content_Type=value)
        for value in (None, "", "text/plain", FORM, "application/merge-patch+json", "json", "*/*")
    ),
    *(
        row(
            f"415 unsupported_media_type - POST {P}",
            '{"name": "new"}'.encode(charset),
            Content_Type=f"application/json; charset={charset}",
        )
        for charset in ("utf-16", "latin-1", "us-ascii", "utf-7")
    ),
    row(
        "415 unsupported_media_type - PUT /v2/projects/{p}/secrets/s",
        b"{}",
        Content_Type="text/plain",
    ),
    row("415 unsupported_media_type - POST /identity/token", {"apikey": "k"}),
]
ROWS = [*MALFORMED, *FIELDS, *QUERIES, *UNKNOWN, *FORBIDDEN, *MISSING, *METHODS, *ACCEPTS]
ROWS += [*CONFLICTS, *LARGE, *TYPES]


@pytest.mark.parametrize("case", ROWS, ids=str)
def test_refused(ground, before, case):
    """The request is refused as documented, and nothing that is stored has changed."""
    path = case.path
    for word, value in ground.places.items():
        path = path.replace(f"{{{word}}}", value)
    headers = dict(case.headers)
    allowed = headers.pop("Expect-Allow", None)
    account = getattr(ground, case.caller, ground.owner)
    answer = send(account, case.method, path, case.body, headers, token=case.caller != "nobody")
    check(answer, case.status, case.code, case.target, case.method)
    assert answer[1].get("Allow") == allowed
    assert ("WWW-Authenticate" in answer[1]) == (case.status == 401)
    assert ground.state() == before


def test_401_challenge(ground):
    """Who is not known is told how to be."""
    _, headers, _ = send(ground.owner, "GET", P, token=False)
    assert headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("size", [14 * MIB, 30 * MIB])
def test_chunked(ground, before, size):
    """A body that comes in chunks, its size unsaid, is refused when it grows too large."""
    address = urlsplit(ground.owner.host.url)
    sent, chunk = 0, b"x" * 65_536
    with closing(http.client.HTTPConnection(address.hostname, address.port)) as connection:
        connection.putrequest("POST", P)
        for name, value in {**JSON, "Transfer-Encoding": "chunked"}.items():
            connection.putheader(name, value)
        connection.putheader("Authorization", f"Bearer {ground.owner.token}")
        connection.endheaders()
        with suppress(BrokenPipeError, ConnectionResetError):
            while sent < size:
                connection.send(b"10000\r\n" + chunk + b"\r\n")
                sent += len(chunk)
            connection.send(b"0\r\n\r\n")
        answer = connection.getresponse()
        found = (answer.status, dict(answer.headers), answer.read())
    check(found, 413, "payload_too_large", "")
    assert ground.state() == before


def test_refusals_are_not_stored(ground):
    """No cache may keep a refusal, and no browser guess at it."""
    _, headers, _ = send(ground.owner, "GET", "/v2/none")
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_traces_differ(ground):
    """Every answer has its own trace."""
    traces = [
        send(ground.owner, "GET", "/v2/none")[1]["X-Global-Transaction-ID"] for _ in range(20)
    ]
    assert len(set(traces)) == 20


NAMES = {
    "control": "a\x85b",
    "soft hyphen": "a\u00adb",
    "zero width": "a\u200bb",
    "right to left": "a\u202eb",
    "isolate": "a\u2066b",
    "byte order mark": "\ufeffa",
    "private use": "a\ue000",
    "no character": "a\uffff",
    "no character of a later plane": "a\U0004fffe",
    "invisible, yet to be assigned": "a\U000e0fff",
    "joined": "a\u200da",
    "a selector after a letter": "a\ufe0f",
    "a selector after a digit": "1\ufe0f",
    "a selector after a dot": ".\ufe0fa",
    "a selector alone": "\ufe0fa",
    "two selectors": "\u2600\ufe0f\ufe0f",
    "another selector": "\u2600\ufe0e",
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "tag": "a\U000e0041",
    "decomposed": "e\u0301",
    "compatible": "\u212b",  # the Angstrom sign, whose NFC is another character
    "too long": "a" * 129,
    "too long in bytes and characters": "é" * 129,
    **{f"ASCII {character!r}": f"a{character}b" for character in "/\\@#?%\"'<>`\n\t\0\x7f"},
}
PROTOTYPES = [
    *(("name", {"name": name}) for name in NAMES.values()),
    *(("resource_group_id", {"name": "new", "resource_group_id": group})
      for group in ("", "a" * 31, "a" * 33, "A" * 32, str(uuid.UUID(int=1)), "é" * 32, None, 1)),
    *(("tags.0", {"name": "new", "tags": [tag]})
      for tag in ("", "a" * 129, "a/b", "é", "a\n", "a,b", "a\u200bb", "a\u202eb", 1, None, ["a"])),
    *(("tags", {"name": "new", "tags": tags}) for tags in ("a", {"a": 1}, ["a"] * 101, None)),
]  # fmt: skip


LONG = {"name": [pytest.mark.slow]}  # of which there are most


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(one, marks=LONG.get(one, []))
        for one in sorted({name for name, _ in PROTOTYPES})
    ],
)
def test_bad_project(ground, before, subtests, target):
    """A project is not made under a name, group or tag that is not allowed."""
    for body in (body for name, body in PROTOTYPES if name == target):
        with subtests.test(body=body):
            check(send(ground.owner, "POST", P, body), 400, "invalid_field", target)
            assert ground.state() == before


def test_bad_project_surrogate(ground, before):
    """Half a surrogate pair is no name."""
    answer = send(ground.owner, "POST", P, b'{"name": "a\\ud800"}', JSON)
    check(answer, 400, "malformed_request", "")
    assert ground.state() == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "*/*"},
        {"Accept": "application/*"},
        {"Accept": "text/html, application/json;q=0.1"},
        {"Accept": ""},
        {"If-Match": "not a tag"},
        {"X-Unheard": "of"},
    ],
    ids=str,
)
def test_good_headers(ground, headers):
    """What is not at fault is not refused: other forms of a header, and headers nobody asks for."""
    status, found, _ = send(ground.owner, "GET", f"{P}?unheard=1&limit=2", headers=headers)
    assert (status, found["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("version", ["2021-03-31", "2026-09-04", "2026-09-05", "9999-12-31"])
def test_good_version(ground, version):
    """From the first on every date is taken; one later than the newest known as that."""
    assert send(ground.owner, "GET", f"{V}{version}")[0] == 200


@pytest.mark.parametrize("body", [b"{", b"\xff", b"x" * 60_000])
def test_body_where_none_belongs(ground, body):
    """A body where none belongs is ignored."""
    assert send(ground.owner, "GET", P, body, JSON)[0] == 200
