"""Secrets called by name answer as over REST, and no plaintext is anywhere but in the answers."""

import base64
import json
import uuid

import pytest

from tests.support import dump, paths_below, traces_of

DATA = {"data": {"k": "v"}}
FRESH = ("id", "name", "href", "created_at", "entity_tag", "trace")


@pytest.fixture(scope="module")
def project(owner):
    """A project for this file."""
    return owner.project()["id"]


@pytest.fixture
def home(project):
    """Where its secrets are."""
    return f"/v2/projects/{project}/secrets"


@pytest.fixture
def name():
    """A name nobody else uses."""
    return f"s-{uuid.uuid4().hex[:12]}"


def create(owner, home, name, **body):
    """Create a secret."""
    return owner.call("POST", home, {"name": name, "format": "generic", **body})


def replace(owner, home, name, tag, **body):
    """Replace a secret."""
    body = {"format": "generic", **body}
    return owner.call("PUT", f"{home}/{name}", body, headers={"If-Match": tag})


def send(owner, method, path, raw, **headers):
    """Send bytes as a body."""
    headers |= {"Authorization": f"Bearer {owner.token}", "Content-Type": "application/json"}
    headers = {key.replace("_", "-"): value for key, value in headers.items()}
    return owner.session.request(method, owner.host.url + path, data=raw, headers=headers)


def named(owner, function, **members):
    """Call a function by its name."""
    url = f"{owner.host.functions}/{function}"
    headers = {"Authorization": f"Bearer {owner.token}"}
    return owner.session.post(url, json=members, headers=headers, timeout=60)


def expect_same(by_name, by_rest, *but):
    """Require two answers to be alike in status, headers and body, but for some members."""
    assert by_name.status_code == by_rest.status_code
    headers = ("Content-Type", "Cache-Control", "X-Content-Type-Options", "Allow")
    for header in headers:
        assert by_name.headers.get(header) == by_rest.headers.get(header), header
    assert {"ETag", "Location"} & set(by_name.headers) == {"ETag", "Location"} & set(
        by_rest.headers
    )
    bodies = [answer.json() if answer.content else {} for answer in (by_name, by_rest)]
    one, two = ({k: v for k, v in body.items() if k not in but} for body in bodies)
    assert one == two


def test_by_name(owner, project, home, name):
    """Called by name, the functions of secrets answer exactly as the REST operations do."""
    other = f"{name}-2"

    def put(**members):
        return named(owner, "putSecret", project_id=project, format="generic", **members)

    expect_same(put(name=name, **DATA), create(owner, home, other, **DATA), *FRESH)
    expect_same(put(name=name, **DATA), create(owner, home, other, **DATA), "trace")
    expect_same(
        put(name=name, data={"a b": ""}), create(owner, home, other, data={"a b": ""}), "trace"
    )
    tag = owner.got(f"{home}/{name}")["entity_tag"]
    expect_same(
        put(name=name, if_match=tag, data={"n": "2"}),
        replace(owner, home, other, "*", data={"n": "2"}),
        *FRESH,
    )
    expect_same(put(name=name, if_match=tag), replace(owner, home, other, tag), "trace")
    expect_same(put(name="none", if_match="*"), replace(owner, home, "none", "*"), "trace")
    one = {"project_id": project, "name": name}
    expect_same(named(owner, "getSecret", **one), owner.call("GET", f"{home}/{name}"))
    for query in ({}, {"limit": 1}, {"limit": "1"}, {"format": "generic"}, {"start": name}):
        by_rest = owner.call("GET", home, params=query)
        expect_same(named(owner, "listSecrets", project_id=project, **query), by_rest)
    expect_same(
        named(owner, "listSecrets", project_id=project, limit=0),
        owner.call("GET", f"{home}?limit=0"),
        "trace",
    )
    gone = named(owner, "deleteSecret", **one)
    expect_same(gone, owner.call("DELETE", f"{home}/{other}"))
    for function, method in (("getSecret", "GET"), ("deleteSecret", "DELETE")):
        expect_same(named(owner, function, **one), owner.call(method, f"{home}/{name}"), "trace")


@pytest.mark.parametrize(
    ("raw", "kind", "status", "code", "target"),
    [
        (b"[]", "application/json", 400, "invalid_field", "body"),
        (b"null", "application/json", 400, "invalid_field", "body"),
        (b"{", "application/json", 400, "malformed_request", None),
        (b"", "application/json", 400, "missing_field", "project_id"),
        (b"{}", "application/json", 400, "missing_field", "project_id"),
        (b"{}", "text/plain", 415, "unsupported_media_type", None),
        (b"project_id=x", "application/x-www-form-urlencoded", 415, "unsupported_media_type", None),
        (b'{"project_id": 1}', "application/json", 400, "invalid_field", "project_id"),
        (b'{"project_id": {}}', "application/json", 400, "invalid_field", "project_id"),
    ],
)
def test_bad_call_by_name(owner, raw, kind, status, code, target):
    """A call by name that is not as it must be is refused like any request."""
    headers = {"Authorization": f"Bearer {owner.token}", "Content-Type": kind}
    url = f"{owner.host.functions}/listSecrets"
    answer = owner.session.post(url, data=raw, headers=headers, timeout=30)
    (error,) = answer.json()["errors"]
    found = error.get("target", {}).get("name")
    assert (answer.status_code, error["code"], found) == (status, code, target)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_call_by_name_is_a_post(owner, method):
    """A function is called by name with POST."""
    answer = owner.session.request(method, f"{owner.host.functions}/listSecrets", timeout=30)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("limit", [1.0, 2.0])
def test_whole_number_by_name(owner, project, limit):
    """Called by name, a number that is whole is one, however JSON writes it, or it is refused."""
    answer = named(owner, "listSecrets", project_id=project, limit=limit)
    assert answer.status_code in {200, 400}


@pytest.mark.parametrize("function", ["putSecret", "getSecret", "listSecrets", "deleteSecret"])
def test_prefixed_name(owner, home, project, name, function):
    """A function answers under project and region as Firebase's emulator has it."""
    create(owner, home, name, **DATA)
    members = {"project_id": project, "name": name, "format": "generic", "if_match": "*", **DATA}
    if function == "listSecrets":
        members = {"project_id": project}
    prefix = owner.host.info["project"] + "/us-central1"
    answers = [
        owner.session.post(
            f"{owner.host.functions}/{path}",
            json=members,
            headers={"Authorization": f"Bearer {owner.token}"},
        )
        for path in (f"{prefix}/{function}", function)
    ]
    if function == "deleteSecret":
        assert [answer.status_code for answer in answers] == [202, 404]
    else:
        expect_same(*answers, "entity_tag")


REFUSALS = {400, 401, 404, 406, 409, 412, 413, 415}


def pair(word):
    """Give a value nobody could write by chance, with characters that have many forms."""
    return f'{word}-{uuid.uuid4().hex}-"é/+<>&\u2028-{uuid.uuid4().hex}'


@pytest.fixture(scope="module")
def canaries(owner, project):
    """Values that were sent, in requests that succeed and in all manner of ones that fail."""
    home, planted, errors = f"/v2/projects/{project}/secrets", {}, []

    def plant(word):
        planted[word] = pair(word)
        return planted[word]

    def body(word, **more):
        return {"name": f"c-{word}", "format": "generic", "data": {"k": plant(word)}, **more}

    def post(word, **more):
        return owner.call("POST", home, body(word, **more))

    def put(word, tag="*", name="c-created", **more):
        path = f"{home}/{name}"
        return owner.call("PUT", path, body(word, **more), headers={"If-Match": tag})

    good = [post("created"), post("deleted"), post("large", data={"k": plant("l") + "x" * 999_999})]
    good.append(put("replaced"))
    good.append(owner.call("DELETE", f"{home}/c-deleted"))
    good.append(owner.call("GET", home))
    assert [answer.status_code for answer in good] == [201, 201, 201, 200, 202, 200]
    raw = json.dumps(body("raw"), ensure_ascii=False).encode()
    cut, twice = raw[:-1], raw[:-1] + b', "data": {"k": "' + plant("twice").encode() + b'"}}'
    over = plant("over")
    errors += [
        send(owner, "POST", home, cut),
        send(owner, "POST", home, twice),
        send(owner, "POST", home, raw.replace(b"c-raw", b"c-\xff")),
        send(owner, "POST", home, b'["' + plant("array").encode() + b'"]'),
        send(owner, "POST", home, json.dumps(plant("bare")).encode()),
        send(owner, "POST", home, raw, Content_Encoding="gzip"),
        send(owner, "POST", home, raw, Accept="text/html"),
        send(owner, "POST", home + "?version=" + plant("query").replace("&", ""), raw),
        send(owner, "POST", home + "/" + plant("path"), raw),
        send(owner, "GET", home + "/" + plant("name"), None),
        send(
            owner,
            "GET",
            home,
            None,
            Authorization="Bearer " + base64.b64encode(over.encode()).decode(),
        ),
        post("missing", format="tls"),
        post("format", format=plant("other")),
        post("long", data={"k": over + "x" * 1_048_576}),
        post("heavy", data={"k": over + "😀" * 600_000}),
        post("typed", data={"k": [plant("list")], "l": {"m": plant("map")}}),
        post("flat", data=plant("flat-data")),
        post("key", data={plant("data-key"): "v"}),
        post("created"),
        post("badname", name=plant("bad-name")),
        post("access", format="service_access", service_access={"service_instance": plant("id")}),
        put("stale", "0" * 16),
        put("tag", "x" * 64),
        put("mismatch", format="tls"),
        put("absent", name="c-absent"),
        named(owner, "putSecret", **body("by-name-no-project")),
        named(owner, "putSecret", project_id=plant("by-name-id"), **body("by-name")),
        named(owner, "getSecret", project_id=project, name=plant("by-name-name")),
    ]
    assert {answer.status_code for answer in errors} - {200} <= REFUSALS
    assert sum(answer.status_code >= 400 for answer in errors) >= len(errors) - 1
    return planted, [answer for answer in errors if answer.status_code >= 400]


def shows(planted, pieces):
    """Give the words of the values that show, in whatever form; never the values."""
    heap = b"\n".join(pieces)
    traces = {word: traces_of(value) for word, value in planted.items()}
    return sorted(word for word, forms in traces.items() if any(form in heap for form in forms))


def test_traces_are_found(canaries):
    """What is looked for would be found: in clear, in base64, in hex and escaped."""
    planted, _ = canaries
    word, value = next(iter(planted.items()))
    for form in (
        value,
        json.dumps(value),
        base64.b64encode(value.encode()).decode(),
        value.encode().hex(),
    ):
        assert shows(planted, [b"before" + form.encode() + b"after"]) == [word]


def test_no_plaintext_in_the_store(canaries, owner):
    """No document of the store holds a value."""
    store = owner.host.inside.store
    paths = paths_below(store, "", 100_000)
    chunks = (paths[start : start + 100] for start in range(0, len(paths), 100))
    pieces = [piece for chunk in chunks for doc in store.read(*chunk).documents.values()
              for piece in dump({doc.path: doc.fields})]  # fmt: skip
    assert len(pieces) > 100
    assert shows(canaries[0], pieces) == []


def test_no_plaintext_in_the_key_store(canaries, owner):
    """No key file, and no other file of the host, holds a value."""
    files = [path for path in owner.host.home.rglob("*") if path.is_file()]
    assert any(path.parent == owner.host.inside.keys for path in files)
    assert shows(canaries[0], [path.read_bytes() for path in files]) == []


def test_no_plaintext_in_the_log(canaries, owner):
    """The log holds no value."""
    assert owner.host.log()
    assert shows(canaries[0], [owner.host.log().encode()]) == []


def test_no_plaintext_in_refusals(canaries):
    """No refusal repeats a value, in its body or its headers."""
    planted, errors = canaries
    assert shows(planted, [answer.content for answer in errors]) == []
    assert shows(planted, [str(answer.headers).encode() for answer in errors]) == []
