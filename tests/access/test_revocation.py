"""A token ends with its key: whoever takes a key away has taken away what its tokens do."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared import access, projects, resources
from shared.access import api_keys, signin
from shared.api import operations
from shared.errors import Error
from shared.kinds import SECRETS
from shared.projects import instances, reclamations
from shared.store import Store, Write
from tests.contract.test_isolation import BODIES, parameters
from tests.support import call, principal_of, told
from tests.support.kinds import Home

NOWHERE = "00000000-0000-4000-8000-000000000000"
# What reads no document by its path, and so lives out the token: docs/security.md, Revocation.
LISTS = {
    *("list_projects", "list_reclamations", "list_resource_instances", "list_api_keys"),
    "list_function_runtimes",
}
PROJECT = re.compile(r"{project_id}|/(projects|reclamations|resource_instances|certificates)/{id}")
MORE = {
    "create_project": {"name": "p"},
    "create_api_key": {"name": "k"},
    "restore_project": {},
    "reclaim_project": {},
}
PAST = datetime(2020, 1, 31, tzinfo=UTC)
ENDS = {
    "deleted": None,
    "expired": {"expires_at": PAST},
    "fewer roles": {"roles": ["administrator"]},
    "more roles": {"roles": ["administrator", "editor", "manager"]},
    "another scope": {"project_id": NOWHERE},
    "another account": {"account_id": 32 * "f"},
}


@pytest.fixture(scope="module")
def village(owner):
    """A project with one of every kind in it, and their keys by collection."""
    home = Home(owner)
    keys = {kind.collection: made[kind.key] for kind, made in home.village().items()}
    return home, keys | {"revisions": f"{keys['apps']}-00001", "app": keys["apps"]}


def end(host, key, change):
    """Delete a key in the store, or change what its record says."""
    document = host.inside.store.read(path := f"api_keys/{key.key_id}")[path]
    write = Write.update(document, change) if change else Write.delete(document)
    host.inside.store.commit([write])


def asked(key, operation, project, keys):
    """Ask for an operation on a project, or on what is in it; give status and what is said."""
    where = parameters(operation, project, keys) if PROJECT.search(operation.path) else {}
    path = operation.path.format_map({"id": key.key_id, **where})
    body = BODIES.get(operation.id, MORE.get(operation.id, {}))
    sends = operation.method in {"POST", "PUT", "PATCH"}
    answer = key.call(operation.method, path, body if sends else None, headers={"If-Match": "*"})
    return answer.status_code, answer.json().get("errors")


@pytest.mark.claim("S3", "a token of a key that is gone or changed does nothing but list an hour")
@pytest.mark.parametrize("change", ENDS.values(), ids=ENDS)
def test_every_operation(host, owner, village, change, subtests):
    """Each is 401, whether or not what it asks for exists, and nothing has changed by it."""
    home, keys = village
    key = owner.another_key()
    assert key.token  # it was exchanged while the key was whole
    end(host, key, change)
    before = host.inside.below(home.path.removeprefix("/v2/"))
    # Lists first: once a process has found the key gone, it refuses its token for them too.
    for operation in sorted(operations().values(), key=lambda one: one.id not in LISTS):
        if operation.permission is None:
            continue
        with subtests.test(operation.id):
            there = asked(key, operation, home.project["id"], keys)
            if operation.id in LISTS:
                assert there[0] == 200
            else:
                nowhere = there if change else asked(key, operation, NOWHERE, keys)
                assert there == nowhere
                assert (there[0], there[1][0]["code"]) == (401, "unauthorized")
    assert host.inside.below(home.path.removeprefix("/v2/")) == before
    assert host.inside.document(f"api_keys/{owner.key_id}")


@pytest.mark.claim("S3", "a deleted administrator's token makes no key and deletes none")
def test_a_deleted_administrator(owner):
    """It mints itself no successor, and the owner's first key stays."""
    thief = owner.another_key("administrator", "manager")
    assert thief.token
    assert owner.call("DELETE", f"/v1/apikeys/{thief.key_id}").status_code == 204
    before = owner.got("/v1/apikeys")
    minted = thief.call("POST", "/v1/apikeys", {"name": "next", "roles": ["administrator"]})
    struck = thief.call("DELETE", f"/v1/apikeys/{owner.key_id}")
    assert (minted.status_code, struck.status_code) == (401, 401)
    assert minted.headers["WWW-Authenticate"] == "Bearer"
    assert owner.got("/v1/apikeys") == before


def test_a_key_of_one_project(owner, village):
    """Of a key for one project the lists end too: they read that project, and the key beside it."""
    home, _ = village
    key = owner.another_key(project_id=home.project["id"])
    paths = ("/v2/projects", "/v1/reclamations", "/v2/resource_instances")
    assert [key.call("GET", path).status_code for path in paths] == [200] * 3
    assert owner.call("DELETE", f"/v1/apikeys/{key.key_id}").status_code == 204
    assert [key.call("GET", path).status_code for path in paths] == [401] * 3


def test_a_key_deletes_itself(owner):
    """Who rotates a key can end the old one with itself; then it is over."""
    key = owner.another_key()
    path = f"/v1/apikeys/{key.key_id}"
    assert [key.call("DELETE", path).status_code for _ in range(2)] == [204, 401]


class Overtaken(Store):
    """A store in which something happens before the first commit."""

    meanwhile = None

    def commit(self, writes, within=None):
        """Let it happen, once, and commit."""
        act, self.meanwhile = self.meanwhile, None
        if act:
            act()
        super().commit(writes, within)


def at(project, reclamation=""):
    """Give what verifies the caller's key in its commit, by name."""
    return {
        "delete": lambda app, asks: projects.delete(app, asks(id=project)),
        "delete the instance": lambda app, asks: instances.delete(app, asks(id=project)),
        "restore": lambda app, asks: reclamations.restore(app, asks(id=reclamation)),
        "reclaim": lambda app, asks: reclamations.reclaim(app, asks(id=reclamation)),
        "create a key": lambda app, asks: api_keys.create(app, asks(body={"name": "k"})),
        "make a code": lambda app, asks: signin.create(app, asks()),
        "delete a key": lambda app, asks: api_keys.delete(app, asks(id="key")),
    }


@pytest.mark.claim("S3", "a key deleted while its request runs makes no key and moves no project")
@pytest.mark.parametrize("name", at(""))
def test_deleted_meanwhile(app, name):
    """The commit of what makes, ends or destroys verifies the key: nothing of it is written."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    apikey = api_keys.create(app, call(body={"name": "k", "roles": list(access.OWNER)})).body
    if name in {"restore", "reclaim"}:
        projects.delete(app, call(id=project))
    who = principal_of(app, apikey["apikey"])
    there = overtaken(app, lambda: api_keys.delete(app, call(id=apikey["id"])))
    read = [f"projects/{project}", "api_keys/key"]
    before = app.store.read(*read).documents
    reclamation = before[read[0]].contents["reclamation_id"]
    keys = len(api_keys.listing(app, call()).page.entries)
    with pytest.raises(Error) as refusal:
        at(project, reclamation)[name](there, lambda **how: replace(call(**how), principal=who))
    assert refusal.value.code == "unauthorized"
    assert app.store.read(*read).documents == before
    assert len(api_keys.listing(app, call()).page.entries) == keys - 1


def overtaken(app, act):
    """Give the domain over a store in which something happens before the first commit."""
    store = app.store
    beside = Overtaken(store._api, store._database, store._jitter, token="owner")
    beside.meanwhile = act
    return replace(app, store=beside)


def test_what_is_known_to_be_gone_is_not_looked_for(counted):
    """Its other tokens are refused as unknown, before any rate or store; a later one counts."""
    app, api = counted
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    body = {"account_id": "a" * 32, "apikey": "ce_0123456789abcdef_x"}
    api_keys.create_account(app, call(body=body))
    early = replace(app, wall=lambda: app.wall() - 60)
    tokens = [access.issue_token(early, call(body=body)).body["access_token"] for _ in range(2)]
    principal = access.authenticate(app, tokens[0])
    api_keys.delete(app, call(id=principal.subject))
    with pytest.raises(Error):
        projects.get(app, replace(call(id=project), principal=principal))
    api.calls.clear()
    for token in tokens:
        with pytest.raises(Error) as refusal:
            access.authenticate(app, token)
        assert refusal.value.code == "unauthorized"
    assert api.calls == []
    api_keys.create_account(app, call(body=body))
    again = access.issue_token(app, call(body=body)).body["access_token"]
    asked = replace(call(id=project), principal=access.authenticate(app, again))
    assert projects.get(app, asked).body["id"] == project


def test_ordinary_writes_do_not_contend(app):
    """A write reads the key and does not verify it: many of one key's fight for no document."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    apikey = api_keys.create(app, call(body={"name": "k", "roles": ["writer"]})).body
    there = overtaken(app, lambda: api_keys.delete(app, call(id=apikey["id"])))
    body = {"name": "s", "format": "generic", "data": {"k": "v"}}
    who = principal_of(app, apikey["apikey"])
    asks = replace(call(body=body, project_id=project), principal=who)
    assert resources.create(SECRETS, there, asks).body["name"] == "s"
    with pytest.raises(Error) as refusal:
        resources.get(SECRETS, app, replace(call(name="s", project_id=project), principal=who))
    assert refusal.value.code == "unauthorized"


@pytest.mark.claim("E1", "a key makes none that may more than it may")
@pytest.mark.parametrize("others", [[], ["reader"], ["purge"], ["writer"], ["manager"]])
def test_a_key_gives_no_more_than_it_may(owner, others, subtests):
    """Each role is given exactly by those that have all its verbs, and a refusal makes nothing."""
    maker = owner.another_key("administrator", *others)
    may = verbs(["administrator", *others])
    for role in access.ROLES:
        with subtests.test(role=role):
            before = len(owner.got("/v1/apikeys")["apikeys"])
            answer = maker.call("POST", "/v1/apikeys", {"name": "k", "roles": ["viewer", role]})
            made = len(owner.got("/v1/apikeys")["apikeys"]) - before
            if verbs([role]) <= may:
                assert (answer.status_code, made) == (201, 1)
            else:
                (error,) = told.body(answer, 403)["errors"]
                assert (error["code"], error["target"]["name"], made) == ("forbidden", "roles", 0)
                assert all(f"`{verb}`" in error["message"] for verb in verbs([role]) - may)


def verbs(roles):
    """Give all that some roles may."""
    return {verb for role in roles for verb in access.ROLES[role]}


def test_roles_of_who_names_none(owner):
    """They look only, and at no more than the key they are made with."""
    for others, roles in ((["manager"], ["reader", "viewer"]), ([], ["viewer"])):
        maker = owner.another_key("administrator", *others)
        made = told.body(maker.call("POST", "/v1/apikeys", {"name": "k"}), 201)
        assert made["roles"] == roles


@pytest.mark.claim("S3", "no key outlives the one that made it by its expiry")
def test_expiry_is_at_most_the_maker_s(owner):
    """None asked for is the maker's; later is 400; and a key without an end gives what is asked."""
    until = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    text, soon, late = (
        (until + timedelta(days=days)).isoformat().replace("+00:00", "Z") for days in (0, -1, 1)
    )
    maker = owner.another_key("administrator", expires_at=text)
    ask = lambda **more: maker.call("POST", "/v1/apikeys", {"name": "k", **more})  # noqa: E731
    for more, expiry in (({}, text), ({"expires_at": soon}, soon), ({"expires_at": text}, text)):
        assert told.body(ask(**more), 201)["expires_at"] == expiry
    (error,) = told.body(ask(expires_at=late), 400)["errors"]
    assert (error["code"], error["target"]["name"]) == ("invalid_field", "expires_at")
    assert "expires_at" not in told.body(owner.call("POST", "/v1/apikeys", {"name": "k"}), 201)


def test_a_key_outlives_the_deletion_of_its_maker(owner):
    """Deleting who made a key deletes that one alone: its expiry and roles were within its own."""
    maker, project = owner.another_key(), owner.project()
    made = maker.another_key("viewer")
    assert owner.call("DELETE", f"/v1/apikeys/{maker.key_id}").status_code == 204
    assert made.got("/v2/projects")["projects"]
    assert made.call("GET", f"/v2/projects/{project['id']}").status_code == 200
