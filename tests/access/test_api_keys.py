"""API keys made by their account: what they hold, when they end, and how they are listed."""

import dataclasses
import json
import re
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import requests

from shared import access, projects
from shared.access import api_keys
from shared.access.tokens import digest
from shared.errors import Error
from shared.projects import reclamations
from tests.support import GRANT, WEEK, call, dump, principal_of, told
from tests.support.entries import entries

ROLES = sorted(access.ROLES)
NOWHERE = "00000000-0000-4000-8000-000000000000"
TEXT = re.compile(r"ce_[0-9a-f]{16}_[A-Za-z0-9_-]{43}")


def made(owner, **members):
    """Make a key and give the answer's body."""
    answer = owner.call("POST", "/v1/apikeys", {"name": "k", **members})
    assert answer.status_code == 201, answer.text
    return answer.json()


def exchange(host, apikey):
    """Exchange a key for a token."""
    form = {"grant_type": GRANT, "apikey": apikey}
    return requests.post(f"{host.url}/identity/token", data=form, timeout=30)


def in_days(days):
    """Give a time some days from now, in whole seconds."""
    return (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)


def written(moment):
    """Write a time as answers have it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_what_a_key_is(host, owner):
    """The answer to a creation shows the key and its text; all others the key alone."""
    project, until = owner.project()["id"], in_days(1)
    wanted = {"name": "build server: 1", "description": "für CI", "roles": ["writer", "viewer"]}
    wanted |= {"project_id": project, "expires_at": written(until)}
    before = datetime.now(UTC).replace(microsecond=0)
    answer = owner.call("POST", "/v1/apikeys", wanted)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    assert answer.headers["Location"] == f"{host.url}/v1/apikeys/{answer.json()['id']}"
    key = answer.json()
    text = key.pop("apikey")
    assert TEXT.fullmatch(text)
    created = datetime.fromisoformat(key.pop("created_at"))
    assert before <= created <= datetime.now(UTC)
    assert key == {
        **wanted,
        "roles": ["viewer", "writer"],
        "id": text.split("_")[1],
        "account_id": owner.id,
        "created_by": owner.key_id,
    }
    got = owner.call("GET", f"/v1/apikeys/{key['id']}")
    assert got.json() == key | {"created_at": written(created)}
    listed = owner.call("GET", "/v1/apikeys")
    assert got.json() in listed.json()["apikeys"]
    assert text.split("_", 2)[2] not in got.text + listed.text
    stored = host.inside.document(f"api_keys/{key['id']}")
    assert stored["sha256"] == digest(text)
    assert not any(text.split("_", 2)[2].encode() in piece for piece in dump(stored))


def test_the_least_a_key_is(owner):
    """A name is enough: such a key may look at the whole account, and change nothing."""
    key = made(owner)
    assert key.keys() == {
        *("id", "name", "account_id", "roles", "created_at", "created_by", "apikey"),
    }
    assert key["roles"] == ["reader", "viewer"]
    first = owner.got(f"/v1/apikeys/{owner.key_id}")
    assert first.keys() == {"id", "name", "account_id", "roles", "created_at"}
    assert (first["name"], first["roles"]) == ("first", ["administrator", "manager"])


def test_the_key_itself(host, owner):
    """Each key may ask which it is, what it may, for which project and how long; not its text."""
    project, until = owner.project()["id"], written(in_days(1))
    for role in ROLES:
        key = owner.another_key(role, project_id=project, expires_at=until)
        answer = key.call("GET", "/v1/apikeys/self")
        body = answer.json()
        created = body.pop("created_at")
        assert body == {
            "id": key.key_id,
            "name": "another",
            "account_id": owner.id,
            "roles": [role],
            "scope": project,
            "expires_at": until,
        }
        assert datetime.fromisoformat(created) <= datetime.now(UTC)
        assert key.function("getOwnApiKey").json() == body | {"created_at": created}
    assert "X-Reprieve-Now" not in answer.headers  # keys live by the host's own clock
    assert key.call("HEAD", "/v1/apikeys/self").content == b""
    first = owner.got("/v1/apikeys/self")
    assert first == owner.got(f"/v1/apikeys/{owner.key_id}")
    assert first.keys() == {"id", "name", "account_id", "roles", "created_at"}
    for headers in ({}, {"Authorization": "Bearer x.y.z"}):
        refused = requests.get(f"{host.url}/v1/apikeys/self", headers=headers, timeout=30)
        assert refused.status_code == 401
    assert owner.call("DELETE", "/v1/apikeys/self").status_code == 405
    assert owner.call("DELETE", f"/v1/apikeys/{key.key_id}").status_code == 204
    assert key.call("GET", "/v1/apikeys/self").status_code == 401


def test_the_most_a_key_may(owner):
    """A key may have every role there is; a role named twice is one."""
    assert made(owner, roles=ROLES)["roles"] == ROLES
    assert made(owner, roles=["viewer"] * len(ROLES))["roles"] == ["viewer"]


@pytest.mark.parametrize("role", ROLES)
def test_roles_are_the_key_s(host, owner, role):
    """A key does what its own roles say, not those of the key that made it."""
    key = owner.another_key(role, role)
    viewing = "project.view" in access.ROLES[role]
    found = told.body(key.call("GET", "/v2/projects"), 200 if viewing else 403)
    assert ("projects" if viewing else "errors") in found
    assert host.inside.document(f"api_keys/{key.key_id}")["roles"] == [role]


FAULTS = {
    "no name": ({"name": None}, "missing_field", "name"),
    "an empty name": ({"name": ""}, "invalid_field", "name"),
    "a long name": ({"name": "n" * 129}, "invalid_field", "name"),
    "a name that ends in a blank": ({"name": "n "}, "invalid_field", "name"),
    "a name and a line": ({"name": "n\n"}, "invalid_field", "name"),
    "an invisible name": ({"name": "n\u200bn"}, "invalid_field", "name"),
    "a name that is no text": ({"name": 1}, "invalid_field", "name"),
    "a turned description": ({"description": "a\u202eb"}, "invalid_field", "description"),
    "a description of lines": ({"description": "a\nb"}, "invalid_field", "description"),
    "a long description": ({"description": "d" * 257}, "invalid_field", "description"),
    "no role": ({"roles": []}, "invalid_field", "roles"),
    "a role nobody knows": ({"roles": ["viewer", "owner"]}, "invalid_field", "roles.1"),
    "too many roles": ({"roles": [*ROLES, "viewer"]}, "invalid_field", "roles"),
    "a role that is no list": ({"roles": "viewer"}, "invalid_field", "roles"),
    "a project that is no id": ({"project_id": "p/../q"}, "invalid_field", "project_id"),
    "a day": ({"expires_at": "2030-01-31"}, "invalid_field", "expires_at"),
    "a time without a zone": ({"expires_at": "2030-01-31T00:00:00"}, "invalid_field", "expires_at"),
    "a day there is not": ({"expires_at": "2030-02-31T00:00:00Z"}, "invalid_field", "expires_at"),
    "an hour there is not": ({"expires_at": "2030-01-31T25:00:00Z"}, "invalid_field", "expires_at"),
    "beyond the calendar": (
        {"expires_at": "9999-12-31T23:59:59-01:00"},
        "invalid_field",
        "expires_at",
    ),
    "the past": ({"expires_at": "2020-01-31T00:00:00Z"}, "invalid_field", "expires_at"),
    "seconds since 1970": ({"expires_at": 2000000000}, "invalid_field", "expires_at"),
}


@pytest.mark.parametrize(("change", "code", "target"), FAULTS.values(), ids=FAULTS)
def test_faults(owner, change, code, target):
    """What a key cannot be is refused by its field, and none is made."""
    body = {name: value for name, value in ({"name": "f"} | change).items() if value is not None}
    before = owner.got("/v1/apikeys")["apikeys"]
    answer = owner.call("POST", "/v1/apikeys", body)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (400, code)
    assert error["target"] == {"type": "field", "name": target}
    assert owner.got("/v1/apikeys")["apikeys"] == before


@pytest.mark.parametrize("key", ["k", "0123456789ABCDEF", "0123456789abcde", "0123456789abcdef0"])
def test_an_id_has_its_form(owner, key):
    """What can be no id is refused before the store is asked."""
    answer = owner.call("GET", f"/v1/apikeys/{key}")
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["target"]["name"]) == (400, "id")


@pytest.mark.claim("T5", "what is not the caller's to set is not set")
def test_members_of_the_store_cannot_be_set(host, owner):
    """A body names what a key allows; whose it is, and by what it is known, is not the caller's."""
    strays = {"id": 16 * "0", "account_id": "f" * 32, "created_by": "me", "sha256": "x"}
    strays |= {"apikey": f"ce_{16 * '0'}_{'A' * 43}", "created_at": "2020-01-01T00:00:00Z"}
    key = made(owner, **strays)
    assert not any(key[name] == value for name, value in strays.items() if name in key)
    assert host.inside.document(f"api_keys/{16 * '0'}") is None
    assert host.inside.document(f"api_keys/{key['id']}")["account_id"] == owner.id


def test_scope_is_in_the_token(app):
    """The token of a key for one project carries the project; any other carries none."""
    owner = api_keys.create_account(app, call()).body
    asked = partial(call, owner["account_id"], key=owner["apikey"])
    project = projects.create(app, asked(body={"name": "p"})).body["id"]
    scoped = api_keys.create(app, asked(body={"name": "k", "project_id": project})).body
    for key, expected in ((owner, None), (scoped, project)):
        principal = principal_of(app, key["apikey"])
        assert (principal.account, principal.project) == (owner["account_id"], expected)
        assert principal.roles == set(key["roles"])


def test_a_project_of_another_region_is_in_no_list(app):
    """A region's lists hold its own projects alone, for keys of one project as for any other."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    scoped = api_keys.create(app, call(body={"name": "k", "project_id": project})).body
    mine = dataclasses.replace(call(), principal=principal_of(app, scoped["apikey"]))
    there = dataclasses.replace(app, settings=dataclasses.replace(app.settings, region="eu-de"))
    projects.delete(app, call(id=project))
    for place, count in ((app, 1), (there, 0)):
        assert len(projects.listing(place, mine).page.entries) == count
        assert len(reclamations.listing(place, mine).body["resources"]) == count


@pytest.mark.claim("S3", "a token lives an hour, and no longer than its key")
@pytest.mark.parametrize(("ahead", "life"), [(90, 90), (3600, 3600), (7200, 3600)])
def test_no_token_outlives_its_key(app, ahead, life):
    """A token lives for an hour, or until its key expires; from then on there is no other."""
    now = int(time.time())
    at = lambda moment: dataclasses.replace(app, wall=lambda: moment)  # noqa: E731
    body = {"name": "k", "expires_at": written(datetime.fromtimestamp(now + ahead, UTC))}
    apikey = {"apikey": api_keys.create(at(now + 0.5), call(body=body)).body["apikey"]}
    token = access.issue_token(at(now), call(body=apikey)).body
    assert (token["expires_in"], token["expiration"]) == (life, now + life)
    assert access.authenticate(at(now + life - 1), token["access_token"]).account == "a" * 32
    with pytest.raises(Error, match="expired"):
        access.authenticate(at(now + life), token["access_token"])
    access.issue_token(at(now + ahead - 0.5), call(body=apikey))
    with pytest.raises(Error) as refusal:
        access.issue_token(at(now + ahead), call(body=apikey))
    assert refusal.value.code == "apikey_not_found"


def test_expiry_in_another_zone(owner):
    """An expiry may be told in any zone; it is kept and answered in UTC, in whole seconds."""
    key = made(owner, expires_at="2999-06-01T12:00:00.987654321+02:00")
    assert key["expires_at"] == "2999-06-01T10:00:00Z"


def test_keys_do_not_age_with_the_clock(host, owner):
    """Moving the local host's clock a week on expires no key, and makes none older."""
    key = made(owner, expires_at=written(in_days(1)))
    host.set_clock(WEEK)
    try:
        assert exchange(host, key["apikey"]).status_code == 200
        later = made(owner, expires_at=written(in_days(1)))
        assert in_days(-1) < datetime.fromisoformat(later["created_at"]) <= in_days(0)
        for answer in (owner.call("GET", "/v1/apikeys"), owner.call("GET", "/v2/projects")):
            lifecycle = answer.headers.get("X-Reprieve-Now")
            assert (lifecycle is None) == ("apikeys" in answer.json())
    finally:
        host.set_clock(0)


def test_a_deleted_key(host, owner):
    """A deleted key is gone at once, gives no more tokens, and those it gave only list projects."""
    key, project = owner.another_key("viewer"), f"/v2/projects/{owner.project()['id']}"
    assert [key.call("GET", path).status_code for path in ("/v2/projects", project)] == [200, 200]
    gone = owner.call("DELETE", f"/v1/apikeys/{key.key_id}")
    assert (gone.status_code, gone.content) == (204, b"")
    refused = exchange(host, key.apikey)
    assert (refused.status_code, refused.json()["errorCode"]) == (400, "BXNIM0415E")
    assert owner.call("GET", f"/v1/apikeys/{key.key_id}").status_code == 404
    assert owner.call("DELETE", f"/v1/apikeys/{key.key_id}").status_code == 404
    assert host.inside.document(f"api_keys/{key.key_id}") is None
    assert [key.call("GET", path).status_code for path in ("/v2/projects", project)] == [200, 401]


def test_a_key_outlives_its_project(host, owner):
    """When its project is gone for good, a key for it reaches nothing, and lists are empty."""
    project = owner.project()
    late = owner.another_key(project_id=project["id"])
    assert late.status(project) == "active"
    owner.destroy(project)
    owner.gone(project)
    assert late.status(project) == "gone"
    assert late.got("/v2/projects")["projects"] == []
    assert late.got("/v1/reclamations") == {"resources": []}
    assert late.call("POST", "/v2/projects", {"name": "again"}).status_code == 403
    assert host.inside.document(f"api_keys/{late.key_id}")["project_id"] == project["id"]


@pytest.mark.parametrize("limit", [1, 2, 5, 200])
def test_pages(host, limit):
    """Keys are listed by id, page after page, each once, whatever comes or goes meanwhile."""
    owner = host.account()
    mine = {owner.key_id, *(made(owner, name="same")["id"] for _ in range(4))}
    found, url = [], f"/v1/apikeys?limit={limit}"
    for _ in range(10):
        page = owner.got(url)
        assert page["limit"] == limit
        assert page["first"]["href"] == f"{host.url}/v1/apikeys?limit={limit}"
        found += [key["id"] for key in page["apikeys"]]
        if "next" not in page:
            break
        url = page["next"]["href"].removeprefix(host.url)
        assert page["next"]["start"] == found[-1]
    assert found == sorted(mine)
    assert owner.got("/v1/apikeys?start=testString")["apikeys"] == []


def test_audit(host):
    """Who made and deleted which key, with which roles, is on record; its text is not."""
    owner = host.account()
    project = owner.project()["id"]
    wide, scoped = owner.another_key("viewer"), owner.another_key("reader", project_id=project)
    owner.call("DELETE", f"/v1/apikeys/{scoped.key_id}")
    owner.call("DELETE", f"/v1/apikeys/{scoped.key_id}")
    found = entries(host.inside.store, "account_id", owner.id)
    told = [entry for entry in found if "apikey" in entry["action"]]
    rows = [
        ("create", wide.key_id, ["viewer"], None),
        ("create", scoped.key_id, ["reader"], project),
        ("delete", scoped.key_id, ["reader"], project),
    ]
    assert sorted(
        (e["action"], e["granted"]["id"], e["granted"]["roles"], e["project_id"] or "")
        for e in told
    ) == sorted((f"codeengine.apikey.{act}", key, roles, on or "") for act, key, roles, on in rows)
    assert {entry["initiator"] for entry in told} == {owner.key_id}
    assert all(entry["correlation_id"].startswith("codeengine-api-") for entry in told)
    secrets = [key.apikey.split("_", 2)[2] for key in (wide, scoped)]
    assert not any(secret in json.dumps(told, default=str) for secret in secrets)
