"""The values of a secret one by one: which keys there are, one value, a change of some."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from shared import projects, quotas, resources
from shared.api import operations
from shared.errors import Error
from shared.kinds import CONFIG_MAPS, SECRETS
from shared.resources import keyed
from tests.evidence.test_audit import added, trail
from tests.evidence.test_repeats import twice, under
from tests.faults.faulty import COMMIT, Rule, troubled
from tests.support import call, dump, traces_of
from tests.support.entries import said
from tests.support.kinds import MERGE, called, refused

CANARY = "canary-of-one-key"
VALUES = {"plain": "v", "empty": "", "wide": "grüße 🜚", "lines": '"a"\r\n\tb\u0000'}
MIB = 1024 * 1024
keyed_kinds = pytest.mark.parametrize("kind", [SECRETS, CONFIG_MAPS], ids=called)


def ours(home, name, kind=SECRETS):
    """Give the address of a secret under /v1."""
    return f"/v1/projects/{home.project['id']}/{kind.collection}/{name}"


def change(home, name, data, tag="*", kind=SECRETS, **more):
    """Patch some values."""
    headers = {**MERGE, **more} | ({"If-Match": tag} if tag is not None else {})
    return home.ask("PATCH", ours(home, name, kind), {"data": data}, headers=headers)


def made(home, data, form="generic", kind=SECRETS):
    """Make a secret, or config map, of some values, and give its name and its tag."""
    more = {"format": form} if kind is SECRETS else {}
    body = home.made(kind, "least", data=data, **more)
    return body["name"], body["entity_tag"]


def values(home, name, kind=SECRETS):
    """Give what v2 says that it holds."""
    return home.get(kind, name).json()["data"]


@pytest.fixture
def on(app):
    """The parameters of a call on a secret of this process's own domain."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    body = {"name": "s", "format": "generic", "data": {"k": CANARY, "l": "w"}}
    resources.create(SECRETS, app, call(body=body, project_id=project))
    return {"project_id": project, "name": "s"}


def asked(key, **on):
    """Give a call for the value of a key."""
    return replace(call(), parameters={**on, "key": key})


def test_the_keys(home):
    """Each key with the bytes of its value in UTF-8, in their order, and no value."""
    name, tag = made(home, VALUES)
    answer = home.ask("GET", f"{ours(home, name)}/keys")
    assert answer.headers["ETag"] == tag
    assert answer.headers["X-Reprieve-Now"]
    body = answer.json()
    assert body == {
        "name": name,
        "format": "generic",
        "entity_tag": tag,
        "created_at": body["created_at"],
        "updated_at": body["created_at"],
        "keys": [{"name": key, "size": len(value.encode())} for key, value in VALUES.items()],
    }
    named = home.account.function("listSecretKeys", project_id=home.project["id"], name=name)
    assert named.content == answer.content
    head = home.account.call("HEAD", f"{ours(home, name)}/keys")
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", tag)
    assert added(home, lambda: home.ask("GET", f"{ours(home, name)}/keys"))[1] == {}
    refused(home.ask("GET", f"{ours(home, 'none')}/keys"), 404, "resource_not_found")


def test_a_service_s_secret_may_have_no_keys(home):
    """What has no values has no keys."""
    access = {"format": "service_access", "service_access": {"service_instance": {"id": "1" * 36}}}
    name = home.made(SECRETS, "least", data={}, **access)["name"]
    assert home.ask("GET", f"{ours(home, name)}/keys").json()["keys"] == []


@pytest.mark.claim("I15", "a value that is read by its key has its entry first, which says the key")
def test_a_value(home):
    """It comes as it is, with one entry that names secret and key and holds no value."""
    name, tag = made(home, {**VALUES, "secret": CANARY})
    for key, value in {**VALUES, "secret": CANARY}.items():
        path, before = f"{ours(home, name)}/keys/{key}", trail(home)
        answer = home.ask("GET", path)
        assert answer.json() == {"name": key, "value": value, "entity_tag": tag}
        assert (answer.status_code, answer.headers["ETag"]) == (200, tag)
        assert answer.headers["X-Reprieve-Now"]
        assert answer.headers["Cache-Control"] == "no-store"
        (entry,) = [one for id_, one in trail(home).items() if id_ not in before]
        assert (entry["action"], entry["names"]) == ("codeengine.secret.read", [name])
        assert (entry["key"], entry["initiator"]) == (key, home.account.key_id)
        assert not any(trace in b"\n".join(dump(entry)) for trace in traces_of(CANARY))
    named = {"project_id": home.project["id"], "name": name, "key": "plain"}
    by_name = home.account.function("getSecretKey", **named)
    assert by_name.json() == {"name": "plain", "value": "v", "entity_tag": tag}
    before = trail(home)
    head = home.account.call("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    assert len(trail(home)) == len(before) + 1


@pytest.mark.parametrize("path", ["s/keys/none", "none/keys/k", "s/keys/."])
def test_no_such_value(account, path):
    """Of what is not there no entry is left."""
    project = account.project()
    account.secret(project, "s", {"k": "v"})
    entries = ("account_id", "==", account.id)
    count = [len(account.host.inside.store.query("audit", entries, order="at", limit=99)[1])]
    answer = account.call("GET", f"/v1/projects/{project['id']}/secrets/{path}")
    refused(answer, 404, "resource_not_found")
    refused(
        account.call("GET", f"/v1/projects/{project['id']}/secrets/s/keys/a%20b"),
        *(400, "invalid_field", "key"),
    )
    count.append(len(account.host.inside.store.query("audit", entries, order="at", limit=99)[1]))
    assert count[0] == count[1]


@pytest.mark.claim("F12", "a value whose audit entry cannot be written is not told")
@pytest.mark.parametrize("error", ["ServiceUnavailable", "PermissionDenied", "crash"])
def test_no_value_without_its_entry(app, on, error):
    """Where the entry is not committed, there is an error, which does not hold the value."""
    there, script = troubled(app, Rule(COMMIT, "before", about="/audit/", error=error))
    with pytest.raises(Exception) as failed:  # noqa: PT011 - whatever it is
        keyed.value(there, asked("k", **on))
    assert not any(trace in repr(failed.value).encode() for trace in traces_of(CANARY))
    assert script.rules[0].met
    assert read_entries(app) == []


def test_one_entry_though_the_answer_was_lost(app, on):
    """A commit that was applied, and whose answer was lost, is the entry: there is no second."""
    lost = Rule(COMMIT, "after", last=1, about="/audit/", error="DeadlineExceeded")
    there, _ = troubled(app, lost)
    assert keyed.value(there, asked("k", **on)).body["value"] == CANARY
    (entry,) = read_entries(app)
    assert (entry["names"], entry["key"]) == (["s"], "k")


def test_no_value_of_a_project_deleted_meanwhile(app, on):
    """Deleted between the reading and the entry, it answers as a deleted one, and leaves none."""
    id_ = on["project_id"]
    meanwhile = Rule(
        COMMIT,
        *("meanwhile", "/audit/"),
        last=1,
        other=lambda: projects.delete(app, call(id=id_)),
    )
    there, _ = troubled(app, meanwhile)
    with pytest.raises(Error) as refusal:
        keyed.value(there, asked("k", **on))
    assert refusal.value.code == "project_not_active"
    assert read_entries(app) == []


def read_entries(app):
    """Give the entries of values that were read."""
    read = ("action", "==", "codeengine.secret.read")
    found = app.store.query("audit", read, order="__name__", limit=99)[1]
    return [said(one.fields) for one in found]


@keyed_kinds
def test_a_patch(home, kind):
    """A new value is set, null removes, what is not named stays; the answer is metadata alone."""
    name, tag = made(home, {**VALUES, "old": CANARY}, kind=kind)
    before = home.get(kind, name).json()
    answer, entries = added(
        home, lambda: change(home, name, {"plain": CANARY, "old": None, "new": "n"}, tag, kind)
    )
    assert entries == {(f"codeengine.{kind.audited}.update", name): 1}
    assert values(home, name, kind) == {**VALUES, "plain": CANARY, "new": "n"}
    assert list(values(home, name, kind)) == [*VALUES, "new"]
    after = home.get(kind, name).json()
    assert after["entity_tag"] == answer.headers["ETag"] != tag
    apart = {"data", "entity_tag"}
    assert {k: v for k, v in after.items() if k not in apart} == {
        k: v for k, v in before.items() if k not in apart
    }
    assert answer.json() == {
        **{member: after[member] for member in ("id", "name", "entity_tag", "created_at")},
        **({"format": "generic"} if kind is SECRETS else {}),
        "updated_at": answer.json()["updated_at"],
        "key_count": len(VALUES) + 1,
    }
    assert "Location" not in answer.headers
    assert answer.headers["X-Reprieve-Now"]
    (entry,) = [
        one
        for one in home.ask("GET", ours(home, "", kind).rstrip("/")).json()[kind.collection]
        if one["name"] == name
    ]
    assert entry == answer.json()
    by_name = home.account.function(
        f"patch{kind.schema}",
        project_id=home.project["id"],
        name=name,
        if_match=entry["entity_tag"],
        data={"new": None},
    )
    assert (by_name.status_code, by_name.json()["key_count"]) == (200, len(VALUES))
    plain = home.ask("PATCH", ours(home, name, kind), {"data": {}}, headers={"If-Match": "*"})
    assert plain.status_code == 200  # as `application/json`, and of nothing, as a PUT is a write
    assert plain.json()["entity_tag"] != by_name.json()["entity_tag"]


@keyed_kinds
def test_a_patch_is_conditional(home, kind):
    """Without a tag 400, with a stale one 412, with a quoted one 400, as v2's updates are."""
    name, tag = made(home, {"k": "v"}, kind=kind)
    fresh = change(home, name, {"k": "w"}, tag, kind).json()["entity_tag"]
    for stale in (tag, "0" * 16):
        refused(change(home, name, {}, stale, kind), 412, "precondition_failed", "If-Match")
    refused(change(home, name, {}, None, kind), 400, "missing_field", "If-Match")
    refused(change(home, name, {}, f'"{fresh}"', kind), 400, "invalid_field", "If-Match")
    refused(change(home, "none", {}, "*", kind), 404, "resource_not_found")
    assert values(home, name, kind) == {"k": "w"}


def test_of_patches_at_once_one_wins(home):
    """Of eight at one tag, each of another key, one is made."""
    name, tag = made(home, {"k": "v"})
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: change(home, name, {f"k{n}": "w"}, tag), range(8)))
    assert sorted(answer.status_code for answer in found) == [200] + [412] * 7
    assert len(values(home, name)) == 2


BASIC = {"username": "u", "password": "p"}
REGISTRY = {**BASIC, "server": "docker.io"}
LIMITS = {
    "what its format requires": ("basic_auth", BASIC, {"password": None}, 400, "missing_field"),
    "a key's private half": ("ssh_auth", {"ssh_key": "k"}, {"ssh_key": ""}, 400, "invalid_field"),
    "a host": ("registry", REGISTRY, {"server": " a\nb "}, 400, "invalid_field"),
    "a key that is none": ("generic", {"k": "v"}, {"a b": "v"}, 400, "invalid_field"),
    "a folder": ("generic", {"k": "v"}, {"..": "v"}, 400, "invalid_field"),
    "a number": ("generic", {"k": "v"}, {"k": 5}, 400, "invalid_field"),
    "an object": ("generic", {"k": "v"}, {"k": {}}, 400, "invalid_field"),
    "a long value": ("generic", {"k": "v"}, {"k": "x" * (MIB + 1)}, 400, "invalid_field"),
    "all of them": (
        *("generic", {"a": "a" * MIB, "b": "b" * (MIB - 1)}, {"c": "cc"}),
        *(413, "payload_too_large"),
    ),
    "a thousand keys": (
        *("generic", {f"k{n}": "" for n in range(999)}, {"a": "", "b": ""}),
        *(400, "invalid_field"),
    ),
}


@pytest.mark.parametrize("case", LIMITS)
def test_what_comes_of_it_is_checked(home, case):
    """What no PUT may send does not come of a patch; refused, it changes nothing."""
    form, data, patch, status, code = LIMITS[case]
    name, tag = made(home, data, form)
    answer = change(home, name, patch)
    assert answer.status_code == status, answer.text[:300]
    assert {entry["code"] for entry in answer.json()["errors"]} == {code}
    whole = {key: value for key, value in {**data, **patch}.items() if value is not None}
    put = home.update(SECRETS, name, {"format": form, "data": whole})
    assert put.status_code == status
    assert faults(put) == faults(answer)
    assert home.get(SECRETS, name).json()["entity_tag"] == tag
    assert values(home, name) == data


def faults(answer):
    """Give what is wrong and where; in other words where null may stand."""
    entries = answer.json()["errors"]
    return [entry | {"message": entry["message"].replace("null or ", "")} for entry in entries]


def test_what_is_just_within(home):
    """As many keys, and as many bytes, as a PUT may send."""
    name, _ = made(home, {f"k{n}": "" for n in range(999)})
    assert change(home, name, {"one": "x"}).json()["key_count"] == 1000
    name, _ = made(home, {"a": "a" * MIB})
    assert change(home, name, {"b": "b" * MIB}).status_code == 200
    assert {k: len(v) for k, v in values(home, name).items()} == {"a": MIB, "b": MIB}


@pytest.mark.parametrize(
    "body",
    [{"service_access": {"service_instance": {"id": "1" * 36}}}, {"service_operator": {}}],
    ids=str,
)
def test_what_no_put_may_replace(home, body):
    """A service's secret has no values of the caller's: it refuses a patch as it does a PUT."""
    (form,) = body
    name = home.made(SECRETS, "least", data={"extra": "x"}, format=form, **body)["name"]
    before = home.get(SECRETS, name).content
    for data in ({}, {"extra": "y"}, {"extra": None}, {"more": "z"}):
        refused(change(home, name, data), 409, "format_mismatch")
    assert home.get(SECRETS, name).content == before


@pytest.mark.parametrize(
    ("body", "code", "target"),
    [
        ({}, "missing_field", "data"),
        ({"data": None}, "invalid_field", "data"),
        ({"data": []}, "invalid_field", "data"),
        ([], "invalid_field", "body"),
        ({"data": {f"k{n}": None for n in range(1001)}}, "invalid_field", "data"),
    ],
    ids=["none", "null", "a list", "no object", "too many"],
)
def test_what_is_no_patch(home, body, code, target):
    """A patch says what of `data` it changes; it takes no other media type than v2's do."""
    name, _ = made(home, {"k": "v"})
    head = {"If-Match": "*", **MERGE}
    refused(home.ask("PATCH", ours(home, name), body, headers=head), 400, code, target)
    text = head | {"Content-Type": "text/plain"}
    refused(home.ask("PATCH", ours(home, name), body, headers=text), 415, "unsupported_media_type")
    strays = {"format": "tls", "name": "other", "entity_tag": "x", "data": {"k": "w"}}
    assert home.ask("PATCH", ours(home, name), strays, headers=head).json()["name"] == name
    assert (values(home, name), home.get(SECRETS, name).json()["format"]) == ({"k": "w"}, "generic")
    assert home.account.call("PUT", ours(home, name), {}, headers=head).status_code == 405


@pytest.mark.parametrize("name", ["patch_secret", "patch_config_map"])
def test_a_patch_may_be_as_large_as_a_put(name):
    """Its body has the same limit: it may hold the same values."""
    assert operations()[name].body_bytes == quotas.BODY_BYTES


def test_values_in_parts(home):
    """One key of a value in parts is told and changed, the others stay byte for byte."""
    large = random.Random(1).randbytes(MIB // 2).hex()
    name, _ = made(home, {"large": large, "small": "s", "other": "ü" * 100_000})
    before = parts(home, name)
    assert len(before) == 2
    keys = home.ask("GET", f"{ours(home, name)}/keys").json()["keys"]
    assert [key["size"] for key in keys] == [MIB, 1, 200_000]
    answer = home.ask("GET", f"{ours(home, name)}/keys/large")
    assert answer.json()["value"] == large
    assert change(home, name, {"small": "t"}).json()["key_count"] == 3
    assert values(home, name) == {"large": large, "small": "t", "other": "ü" * 100_000}
    after = parts(home, name)
    assert len(after) == 2
    assert not set(after) & set(before)
    assert change(home, name, {"large": None, "other": None}).json()["key_count"] == 1
    assert (values(home, name), parts(home, name)) == ({"small": "t"}, [])


def parts(home, name):
    """Give the paths of the parts of a secret's values."""
    below = f"projects/{home.project['id']}/secrets/{name}/parts/"
    return [path for path in home.stored() if path.startswith(below)]


@pytest.mark.claim("F60", "so is a patch of some values, whose record holds none")
@keyed_kinds
def test_sent_again(home, kind):
    """Under its key a patch is made once, and answered as at first, whatever came since."""
    name, tag = made(home, {"k": "v"}, kind=kind)
    path = ours(home, name, kind)
    body = {"data": {"k": CANARY, "new": CANARY}}
    first, named = twice(home, "PATCH", path, body, **MERGE, **{"If-Match": tag})
    assert first.json()["key_count"] == 2
    other = {"data": {"k": "another"}}
    wrong = home.ask("PATCH", path, other, headers=named)
    refused(wrong, 422, "idempotency_key_reused", "Idempotency-Key")
    assert change(home, name, {"new": None}, kind=kind).json()["key_count"] == 1
    again = home.ask("PATCH", path, body, headers=named)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["ETag"] == first.headers["ETag"]
    assert values(home, name, kind) == {"k": CANARY}
    stored = json.dumps(home.stored(), default=repr).encode()
    assert not any(trace in stored for trace in traces_of(CANARY))
    assert change(home, name, {"k": "w"}, **under()).status_code == 200 if kind is SECRETS else True
