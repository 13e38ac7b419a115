"""Secrets over HTTP: every format, whole values, tags, pages and the quota."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

MIB = 1024 * 1024
INSTANCE = {"service_instance": {"id": str(uuid.UUID(int=1))}}
SERVICE_ID = "ServiceId-" + str(uuid.UUID(int=2))
DATA = {"data": {"k": "v"}}
# format: resource type, a body with what is required, a body with all that may be
FORMATS = {
    "generic": ("secret_generic_v2", {}, {"data": {"K.e-y_1": "v", "other": "w"}}),
    "basic_auth": (
        "secret_basic_auth_v2",
        {"data": {"username": "u", "password": "p"}},
        {"data": {"username": "u", "password": "p", "extra": "x"}},
    ),
    "ssh_auth": (
        "secret_auth_ssh_v2",
        {"data": {"ssh_key": "ssh-key"}},
        {"data": {"ssh_key": "-----BEGIN\n", "known_hosts": "h", "extra": "x"}},
    ),
    "tls": (
        "secret_tls_v2",
        {"data": {"tls_cert": "c", "tls_key": "k"}},
        {"data": {"tls_cert": "c", "tls_key": "k", "ca": "x"}},
    ),
    "registry": (
        "secret_registry_v2",
        {"data": {"username": "u", "password": "p", "server": "docker.io"}},
        {"data": {"username": "u", "password": "p", "server": "foopass", "email": "e", "x": ""}},
    ),
    "hmac_auth": (
        "secret_hmac_auth_v2",
        {"data": {"access_key_id": "i", "secret_access_key": "s"}},
        {"data": {"access_key_id": "i", "secret_access_key": "s", "extra": "x"}},
    ),
    "service_access": (
        "secret_service_access_v2",
        {"service_access": INSTANCE},
        {
            "service_access": INSTANCE
            | {"resource_key": {"id": "a"}, "role": {"crn": "c"}, "serviceid": {"id": SERVICE_ID}},
            "data": {"extra": "x"},
        },
    ),
    "service_operator": (
        "secret_operator_v2",
        {"service_operator": {}},
        {"service_operator": {"resource_group_ids": ["a" * 32], "serviceid": {"id": SERVICE_ID}}},
    ),
}
# What an answer has where it was not sent: IBM's clients rely on it.
ADDED = {
    "service_access": {"role": {"name": "Writer"}},
    "service_operator": {
        "apikey_id": "",
        "resource_group_ids": [],
        "serviceid": {},
        "user_managed": True,
    },
}
BODIES = [(name, row[n]) for name, row in FORMATS.items() for n in (1, 2)]


@pytest.fixture(scope="module")
def home(owner):
    """A project whose secrets have a name each."""
    return f"/v2/projects/{owner.project()['id']}/secrets"


@pytest.fixture
def empty(owner):
    """A project of its own, permanently deleted afterwards: its slot is free again."""
    project = owner.project()
    yield f"/v2/projects/{project['id']}/secrets"
    owner.destroy(project)


@pytest.fixture
def name():
    """A name nobody else uses."""
    return f"s-{uuid.uuid4().hex[:12]}"


def create(owner, home, name, form="generic", **body):
    """Create a secret."""
    return owner.call("POST", home, {"name": name, "format": form, **body})


def replace(owner, home, name, tag, form="generic", **body):
    """Replace a secret."""
    headers = {} if tag is None else {"If-Match": tag}
    return owner.call("PUT", f"{home}/{name}", {"format": form, **body}, headers=headers)


def expect_refusal(answer, status, code, *targets):
    """Require a refusal, with its targets."""
    assert answer.status_code == status
    entries = answer.json()["errors"]
    assert {entry["code"] for entry in entries} == {code}
    found = [entry["target"]["name"] for entry in entries if "target" in entry]
    assert sorted(found) == sorted(targets)


@pytest.mark.parametrize(("form", "body"), BODIES)
def test_format(owner, home, name, form, body):
    """Every format comes back as it was sent: created, got, listed and replaced."""
    made = create(owner, home, name, form, **body)
    assert made.status_code == 201
    shown = made.json()
    for member, value in body.items():
        assert shown[member] == ADDED.get(member, {}) | value
    assert (shown["name"], shown["format"], shown["generated_by"]) == (name, form, "user")
    assert shown["resource_type"] == FORMATS[form][0]
    assert shown["href"] == f"{owner.host.url}{home}/{name}" == made.headers["Location"]
    assert owner.got(f"{home}/{name}") == shown
    listed = owner.got(f"{home}?format={form}&limit=200")["secrets"]
    assert shown in listed
    changed = {"data": {key: value + "'" for key, value in body.get("data", {}).items()}}
    answer = replace(owner, home, name, shown["entity_tag"], form, **changed)
    if form.startswith("service"):
        expect_refusal(answer, 409, "format_mismatch")
        assert owner.got(f"{home}/{name}") == shown
    else:
        assert answer.status_code == 200
        tag = answer.json()["entity_tag"]
        assert answer.json() == shown | changed | {"entity_tag": tag}
        assert owner.got(f"{home}/{name}") == answer.json()


@pytest.mark.parametrize(
    ("form", "key"),
    [(form, key) for form, body in BODIES[::2] for key in body.get("data", {})],
)
def test_missing_key(owner, home, name, form, key):
    """Each key that a format requires is missed, at creation and at replacement."""
    whole = FORMATS[form][1]["data"]
    part = {other: value for other, value in whole.items() if other != key}
    expect_refusal(create(owner, home, name, form, data=part), 400, "missing_field", f"data.{key}")
    tag = create(owner, home, name, form, data=whole).json()["entity_tag"]
    answer = replace(owner, home, name, tag, form, data=part)
    expect_refusal(answer, 400, "missing_field", f"data.{key}")
    assert owner.got(f"{home}/{name}")["data"] == whole


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "generic"])
def test_missing_keys(owner, home, name, form):
    """All keys that are missing are told at once, or the member that holds them."""
    member = form if form.startswith("service") else "data"
    expect_refusal(create(owner, home, name, form), 400, "missing_field", member)
    if member == "data":
        keys = [f"data.{key}" for key in FORMATS[form][1]["data"]]
        expect_refusal(create(owner, home, name, form, data={}), 400, "missing_field", *keys)
    assert owner.call("GET", f"{home}/{name}").status_code == 404


@pytest.mark.parametrize("form", ["other", "", "GENERIC", "ssh", "hmac", None, 1, ["generic"], {}])
def test_unknown_format(owner, home, name, form):
    """No other format can be made, `other` included, nor asked for."""
    expect_refusal(create(owner, home, name, form, **DATA), 400, "invalid_field", "format")
    assert owner.call("GET", f"{home}/{name}").status_code == 404


@pytest.mark.parametrize("form", ["other", "", "GENERIC", "generic,tls"])
def test_unknown_filter(owner, home, form):
    """A list of an unknown format is refused."""
    expect_refusal(owner.call("GET", f"{home}?format={form}"), 400, "invalid_field", "format")


@pytest.mark.parametrize("other", FORMATS)
def test_another_format(owner, home, name, other):
    """The format of a secret cannot be changed, and its name is taken for every format."""
    first = "tls" if other == "generic" else "generic"
    made = create(owner, home, name, first, **FORMATS[first][2]).json()
    answer = create(owner, home, name, other, **FORMATS[other][2])
    expect_refusal(answer, 409, "name_taken", "name")
    answer = replace(owner, home, name, "*", other, **FORMATS[other][2])
    expect_refusal(answer, 409, "format_mismatch", "format")
    assert owner.got(f"{home}/{name}") == made


def test_replacing_is_no_merge(owner, home, name):
    """A replacement leaves nothing of what was: no values take `{}`, and not that none are said."""
    create(owner, home, name, data={"a": "1", "b": "2"})
    assert replace(owner, home, name, "*", data={"c": "3"}).json()["data"] == {"c": "3"}
    assert owner.got(f"{home}/{name}")["data"] == {"c": "3"}
    assert replace(owner, home, name, "*").json()["errors"][0]["code"] == "missing_field"
    assert owner.got(f"{home}/{name}")["data"] == {"c": "3"}
    assert replace(owner, home, name, "*", data={}).json()["data"] == {}
    assert owner.got(f"{home}/{name}")["data"] == {}


def test_what_stays(owner, home, name):
    """A replacement keeps id, name and creation time."""
    made = create(owner, home, name, **DATA).json()
    new = replace(owner, home, name, "*", data={}).json()
    assert {key for key in made if made[key] != new[key]} == {"entity_tag", "data"}


def test_if_match(owner, home, name):
    """A replacement names the tag it replaces; a star stands for any; a stale one is refused."""
    first = create(owner, home, name, **DATA).json()["entity_tag"]
    expect_refusal(replace(owner, home, name, None, **DATA), 400, "missing_field", "If-Match")
    expect_refusal(
        replace(owner, home, name, "", **DATA), 400, "invalid_field", "If-Match", "If-Match"
    )
    expect_refusal(
        replace(owner, home, name, f'"{first}"', **DATA), 400, "invalid_field", "If-Match"
    )
    expect_refusal(
        replace(owner, home, name, "0" * 16, **DATA), 412, "precondition_failed", "If-Match"
    )
    second = replace(owner, home, name, first, **DATA).json()["entity_tag"]
    expect_refusal(
        replace(owner, home, name, first, **DATA), 412, "precondition_failed", "If-Match"
    )
    third = replace(owner, home, name, "*", **DATA).json()["entity_tag"]
    assert len({first, second, third}) == 3
    assert owner.got(f"{home}/{name}")["entity_tag"] == third


def test_replacing_nothing(owner, home, name):
    """What does not exist is not replaced, and not made, whatever the tag."""
    for tag in ("*", "0" * 16):
        expect_refusal(replace(owner, home, name, tag, **DATA), 404, "resource_not_found")
    expect_refusal(owner.call("GET", f"{home}/{name}"), 404, "resource_not_found")


def test_etag(owner, home, name):
    """The ETag header is the entity tag, without quotes, on every answer that shows one secret."""
    answers = [
        create(owner, home, name, **DATA),
        owner.call("GET", f"{home}/{name}"),
        replace(owner, home, name, "*", **DATA),
        owner.call("GET", f"{home}/{name}"),
    ]
    tags = [answer.headers["ETag"] for answer in answers]
    assert tags == [answer.json()["entity_tag"] for answer in answers]
    assert tags[0] == tags[1] != tags[2] == tags[3]
    assert all(tag.isalnum() and tag == tag.lower() for tag in tags)


def test_one_replacement_wins(owner, home, name):
    """Of eight replacements of one tag at once, one is made."""
    tag = create(owner, home, name, **DATA).json()["entity_tag"]
    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(replace, owner, home, name, tag, data={"n": str(n)}) for n in range(8)]
        statuses = [future.result().status_code for future in work]
    assert sorted(statuses) == [200] + [412] * 7
    data = owner.got(f"{home}/{name}")["data"]
    assert data == {"n": str(statuses.index(200))}


def test_delete(owner, home, name):
    """A secret that is deleted does not exist, cannot be deleted again, and its name is free."""
    made = create(owner, home, name, **DATA).json()
    answer = owner.call("DELETE", f"{home}/{name}")
    assert (answer.status_code, answer.content) == (202, b"")
    for method in ("GET", "DELETE"):
        expect_refusal(owner.call(method, f"{home}/{name}"), 404, "resource_not_found")
    again = create(owner, home, name, "basic_auth", **FORMATS["basic_auth"][1])
    assert again.status_code == 201
    assert again.json()["id"] != made["id"]


def pages(owner, url):
    """Follow a list through all its pages by the links in it."""
    found = []
    while url:
        assert url.startswith(owner.host.url + "/v2/")
        answer = owner.got(url.removeprefix(owner.host.url))
        found.append(answer)
        url = answer.get("next", {}).get("href")
        assert len(found) < 50
    return found


@pytest.fixture(scope="module")
def shelf(owner):
    """A project with five generic secrets and two others."""
    home = f"/v2/projects/{owner.project()['id']}/secrets"
    for name in ("b", "a", "d", "a.b", "c"):
        assert create(owner, home, name, data={"n": name}).status_code == 201
    for name in ("aa", "z"):
        assert create(owner, home, name, "tls", **FORMATS["tls"][1]).status_code == 201
    return home


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["a", "a.b", "aa", "b", "c", "d", "z"]),
        ("format=generic", ["a", "a.b", "b", "c", "d"]),
        ("format=tls", ["aa", "z"]),
        ("format=hmac_auth", []),
        ("version=2024-01-01", ["a", "a.b", "aa", "b", "c", "d", "z"]),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
def test_pages(owner, shelf, query, names, limit):
    """Pages of any size give every secret once, by name, and links keep what was asked."""
    url = f"{owner.host.url}{shelf}?limit={limit}&{query}"
    found = pages(owner, url)
    assert [entry["name"] for page in found for entry in page["secrets"]] == names
    assert all(entry["data"] for page in found for entry in page["secrets"])
    assert {page["limit"] for page in found} == {limit}
    assert [len(page["secrets"]) for page in found[:-1]] == [limit] * (len(found) - 1)
    assert len(found) == max(1, -(-len(names) // limit))
    for page in found:
        links = [page["first"]["href"], *([page["next"]["href"]] if "next" in page else [])]
        assert all(f"limit={limit}" in link and query in link for link in links)
        assert "start" not in page["first"]["href"]


def test_default_page(owner, shelf):
    """A page holds 100 unless another size is asked for."""
    answer = owner.got(shelf)
    assert (answer["limit"], len(answer["secrets"]), "next" in answer) == (100, 7, False)


@pytest.mark.parametrize(
    ("start", "first"),
    [
        ("", "a"), ("a", "a.b"), ("a!", "a.b"), ("A", "a"), ("zz", None), ("é", None), ("\0", "a"),
        ("b/../c", "c"), ("b&limit=1", "c"), ("b%00", "c"), ("😀", None), ("y" * 512, "z"),
    ],
)  # fmt: skip
def test_start(owner, shelf, start, first):
    """A page starts beyond any text, be it the name of a secret or not."""
    answer = owner.call("GET", shelf, params={"start": start})
    assert answer.status_code == 200
    names = [entry["name"] for entry in answer.json()["secrets"]]
    assert (names or [None])[0] == first


VALUES = {
    "empty": "",
    "blank": "  \t ",
    "line feeds": "\n\r\n\r",
    "control characters": "".join(map(chr, range(32))) + "\x7f\x80\x9f",
    "unicode": "Grüße 秘密 🗝 e\u0301 \u2028 \ufeff \ufffe \U0010ffff",
    "JSON": '{"a": "\\u0041\\n"}',
    "percent": "%00%2f+&=",
    "base64": "AAECAw==",
    "largest": "x" * MIB,
    "largest in two bytes": "é" * MIB,
    "largest escaped": "\1" * MIB,
    "largest astral": "😀" * (MIB // 2),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_value(owner, home, name, value):
    """A value comes back as it was, character by character, created and replaced."""
    assert create(owner, home, name, data={"v": value}).json()["data"] == {"v": value}
    assert owner.got(f"{home}/{name}")["data"] == {"v": value}
    assert replace(owner, home, name, "*", data={"w": value}).json()["data"] == {"w": value}
    assert owner.got(f"{home}/{name}")["data"] == {"w": value}
    assert owner.call("DELETE", f"{home}/{name}").status_code == 202


def test_values_that_fill_a_secret(owner, home, name):
    """All values together hold up to 2 MiB of UTF-8, and not one byte more."""
    full = {"a": "é" * (MIB // 2), "b": "y" * (MIB - 1), "c": "z"}
    made = create(owner, home, name, data=full)
    assert made.json()["data"] == full
    over = {**full, "d": "!"}
    for answer in (
        create(owner, home, f"{name}-2", data=over),
        replace(owner, home, name, made.headers["ETag"], data=over),
    ):
        expect_refusal(answer, 413, "payload_too_large", "data")
    assert owner.got(f"{home}/{name}") == made.json()
    assert owner.call("GET", f"{home}/{name}-2").status_code == 404
    assert owner.call("DELETE", f"{home}/{name}").status_code == 202


@pytest.mark.parametrize(
    ("value", "status", "code", "target"),
    [
        ("x" * (MIB + 1), 400, "invalid_field", "data.v"),
        ("é" * (MIB + 1), 400, "invalid_field", "data.v"),
        ("😀" * MIB, 413, "payload_too_large", "data"),
        ("é" * MIB + "", 201, None, None),
    ],
    ids=["a character too many", "of two bytes", "too many bytes", "just right"],
)
def test_too_long(owner, home, name, value, status, code, target):
    """A value has up to 1,048,576 characters, counted as characters and not as bytes."""
    answer = create(owner, home, name, data={"v": value})
    assert answer.status_code == status
    if code:
        expect_refusal(answer, status, code, target)
        assert owner.call("GET", f"{home}/{name}").status_code == 404
    else:
        assert owner.call("DELETE", f"{home}/{name}").status_code == 202


@pytest.mark.parametrize("count", [3, 4, 5])
def test_pages_of_large_secrets(owner, empty, count):
    """A page of large secrets ends early, and the next one goes on: none is lost, none empty."""
    for number in range(count):
        assert create(owner, empty, f"s{number}", data={"v": "x" * MIB}).status_code == 201
    found = pages(owner, f"{owner.host.url}{empty}")
    assert [entry["name"] for page in found for entry in page["secrets"]] == [
        f"s{number}" for number in range(count)
    ]
    assert len(found) == (1 if count < 4 else 2)  # four and their names are over 4 MiB


def test_quota(owner, empty):
    """A project holds 100 secrets; at once as one by one, not one more; a deletion frees one."""
    with ThreadPoolExecutor(4) as pool:
        made = [pool.submit(create, owner, empty, f"s{number}") for number in range(92)]
        assert {future.result().status_code for future in made} == {201}
    with ThreadPoolExecutor(8) as pool:
        made = [pool.submit(create, owner, empty, f"t{number}") for number in range(24)]
        answers = [future.result() for future in made]
    assert sorted(answer.status_code for answer in answers) == [201] * 8 + [403] * 16
    over = create(owner, empty, "one-more")
    expect_refusal(over, 403, "quota_exceeded")
    assert "100 secrets" in over.json()["errors"][0]["message"]
    assert replace(owner, empty, "s1", "*", **DATA).status_code == 200
    assert owner.call("DELETE", f"{empty}/s1").status_code == 202
    assert create(owner, empty, "one-more").status_code == 201
    expect_refusal(create(owner, empty, "s1"), 403, "quota_exceeded")
    assert len(owner.got(f"{empty}?limit=200")["secrets"]) == 100
