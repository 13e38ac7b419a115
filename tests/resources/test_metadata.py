"""What is told of what a project holds without opening it: lists, counts, stamps."""

import re
from datetime import datetime
from itertools import pairwise

import pytest

from shared import projects, resources
from shared.errors import Error
from shared.kinds import APPS, BINDINGS, CONFIG_MAPS, KINDS, SECRETS
from shared.projects import account as accounts
from shared.resources import data_key_path, metadata
from shared.store import Store, Write
from shared.upkeep import purge
from tests.support import call, reclaim
from tests.support.former import in_form, listed, put_back, vouch
from tests.support.kinds import BY_KIND, UPDATED, called, refused
from tests.support.kinds_examples import filled

HOUR = 3600
STAMPS = ("updated_at", "key_count")
LARGE = {"name": "large", "format": "generic", "data": {"a": "x" * 950_000, "b": "y"}}
every_kind = pytest.mark.parametrize("kind", KINDS, ids=called)


def ours(home, kind, query="limit=200"):
    """Give the address of a kind's list of metadata."""
    return f"/v1/projects/{home.project['id']}/{kind.collection}?{query}"


def entry_of(home, kind, key):
    """Give what is told of one resource."""
    answer = home.ask("GET", ours(home, kind))
    assert answer.status_code == 200
    id_ = home.get(kind, key).json().get("id") or home.stored()[stored_at(home, kind, key)]["id"]
    (entry,) = [one for one in answer.json()[kind.collection] if one["id"] == id_]
    return entry


def stored_at(home, kind, key):
    """Give the path of a resource's document."""
    return f"projects/{home.project['id']}/{kind.collection}/{key}"


@every_kind
def test_what_is_told(home, kind):
    """Of each its id, name, tag and times, a secret's format, how many keys; nothing it holds."""
    made = home.made(kind)
    entry = entry_of(home, kind, made[kind.key])
    assert entry["created_at"] == entry["updated_at"]
    stored = home.stored()[stored_at(home, kind, made[kind.key])]
    wanted = {name: stored[name] for name in ("id", "entity_tag")}
    wanted |= {name: entry[name] for name in ("created_at", "updated_at")}
    wanted |= {"name": made["name"]} if kind.key == "name" else {}
    if kind is SECRETS:
        wanted["format"] = made["format"]
    if kind.keyed:
        wanted["key_count"] = len(made["data"])
    assert entry == wanted
    assert {n: made[n] for n in ("id", "entity_tag", "created_at") if n in made}.items() <= (
        entry.items()
    )


@every_kind
def test_by_name_and_head(home, kind):
    """By name it answers the same; HEAD has the headers, the time of the decision among them."""
    home.made(kind)
    got = home.ask("GET", ours(home, kind, "limit=1"))
    function = f"list{kind.schema}Metadata"
    named = home.account.function(function, project_id=home.project["id"], limit=1)
    assert (named.status_code, named.content) == (200, got.content)
    head = home.account.call("HEAD", ours(home, kind, "limit=1"))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(got.content))
    for answer in (got, head, named, home.ask("GET", home.at(kind))):
        assert datetime.fromisoformat(answer.headers["X-Reprieve-Now"]).tzinfo
        assert "ETag" not in answer.headers


def test_pages(home):
    """Pages follow one another by name as v2's do, with the filter kept; none follows the last."""
    names = [home.made(SECRETS, "least")["name"] for _ in range(5)]
    home.made(SECRETS, "least", format="basic_auth", data={"username": "u", "password": "p"})
    found, url = [], ours(home, SECRETS, "limit=2&format=generic")
    for _ in range(4):
        body = home.ask("GET", url).json()
        assert (body["limit"], "format=generic" in body["first"]["href"]) == (2, True)
        found.append([entry["name"] for entry in body["secrets"]])
        if "next" not in body:
            break
        assert body["next"]["start"] == found[-1][-1]
        url = body["next"]["href"].removeprefix(home.host.url)
        assert url.startswith(f"/v1/projects/{home.project['id']}/secrets?")
    assert found == [sorted(names)[at : at + 2] for at in (0, 2, 4)]
    v2 = home.ask("GET", f"{home.at(SECRETS)}?limit=2&format=generic").json()
    assert [entry["name"] for entry in v2["secrets"]] == found[0]
    for query, target in (("limit=0", "limit"), ("limit=201", "limit"), ("format=x", "format")):
        refused(home.ask("GET", ours(home, SECRETS, query)), 400, "invalid_field", target)


@pytest.mark.parametrize("kind", UPDATED, ids=called)
def test_each_write_stamps(home, kind):
    """A write notes when it was, by the lifecycle's clock; v2's answers tell nothing of it."""
    made = home.made(kind)
    key, before = made[kind.key], entry_of(home, kind, made[kind.key])
    home.host.set_clock(HOUR)
    try:
        answer = home.update(kind, key, filled(BY_KIND[kind].change, 1, ""))
        now = datetime.fromisoformat(answer.headers["X-Reprieve-Now"])
    finally:
        home.host.set_clock(0)
    after = entry_of(home, kind, key)
    assert after["created_at"] == before["created_at"]
    assert after["updated_at"] == f"{now:%Y-%m-%dT%H:%M:%SZ}" > before["updated_at"]
    assert after["entity_tag"] != before["entity_tag"]
    for shown in (answer.json(), made, home.get(kind, key).json()):
        assert not {*STAMPS} & set(shown)


def test_a_binding_stamps_its_app(home):
    """What makes a revision of an app, under a fresh tag, is a write of it."""
    app = home.made(APPS, "least")["name"]
    home.host.set_clock(HOUR)
    try:
        home.made(BINDINGS, component={"name": app, "resource_type": "app_v2"}, secret_name="s")
    finally:
        home.host.set_clock(0)
    entry = entry_of(home, APPS, app)
    assert entry["updated_at"] > entry["created_at"]
    assert entry["entity_tag"] == home.get(APPS, app).json()["entity_tag"]


@pytest.fixture
def full(app):
    """A project with one of every kind and a secret in parts; the parameters that name it."""
    on = {"project_id": projects.create(app, call(body={"name": "p"})).body["id"]}
    for kind in KINDS:
        resources.create(kind, app, call(body=BY_KIND[kind].body(1, BY_KIND[kind].full), **on))
    resources.create(SECRETS, app, call(body=LARGE, **on))
    return on


def lists(app, on):
    """Give what is told of all that a project holds."""
    return {kind.collection: metadata.listing(kind, app, call(**on)).page.entries for kind in KINDS}


@pytest.mark.claim("E3", "lists of metadata, and counts, take neither a key nor a value")
def test_nothing_is_opened(app, full, monkeypatch):
    """Without the project's key, and with every part gone, they answer as before."""
    before, home = lists(app, full), f"projects/{full['project_id']}"
    told = accounts.contents(app, call(names=True, **full)).body
    parts = [one.path for one in app.store.below(home, 999, "__name__") if "/parts/" in one.path]
    assert parts
    app.store.commit(map(Write.discard, [data_key_path(full["project_id"]), *parts]))
    seen, query = [], Store.query

    def noted(self, *args, **how):
        time, found = query(self, *args, **how)
        seen.extend(found)
        return time, found

    monkeypatch.setattr(Store, "query", noted)
    assert lists(app, full) == before
    assert accounts.contents(app, call(names=True, **full)).body == told
    assert len(seen) == 2 * sum(map(len, before.values()))
    for document in seen:
        assert document.contents.keys() <= {*metadata.TOLD, "size", "body"}
        assert document.contents.get("body", {}).keys() <= {"format"}
    with pytest.raises(Error):
        resources.listing(SECRETS, app, call(**full))


def without_stamps(app, on):
    """Take the stamps out of all that a project holds, as a former version left it."""
    home = f"projects/{on['project_id']}"
    for document in app.store.below(home, 999):
        if "body" in document.contents:
            kept = {k: v for k, v in document.contents.items() if k not in STAMPS}
            app.store.commit([Write.replace(document, kept)])


def shown(app, on):
    """Give v2's answers on all that a project holds."""
    return [resources.listing(kind, app, call(**on)).page.entries for kind in KINDS]


def test_what_a_former_version_wrote(app, full):
    """It has no stamps, and the answer leaves them out; the next write makes them good."""
    v2, before = shown(app, full), lists(app, full)
    without_stamps(app, full)
    assert shown(app, full) == v2  # which know of no stamps
    for collection, entries in lists(app, full).items():
        stripped = [{k: v for k, v in one.items() if k not in STAMPS} for one in before[collection]]
        assert entries == stripped
    keys = resources.keyed.keys(app, call(name="large", **full)).body
    assert keys.keys() == {"name", "format", "entity_tag", "created_at", "keys"}
    body = {"format": "generic", "data": {"k": "v"}}
    resources.update(SECRETS, app, call(body=body, name="large", if_match="*", **full))
    (entry,) = [one for one in lists(app, full)["secrets"] if one["name"] == "large"]
    assert entry["key_count"] == 1
    assert entry["updated_at"] >= entry["created_at"]


def test_a_migration_is_no_write(app, full):
    """What is sealed anew keeps its stamps and its tag; what has none gets none."""
    without_stamps(app, full)
    body = {"format": "generic", "data": {"k": "v"}}
    resources.update(SECRETS, app, call(body=body, name="large", if_match="*", **full))
    before = lists(app, full)
    put_back(app)
    former = in_form(app, 1)
    for of in ("values", "projects"):
        vouch(former, of, listed(former, of))
    assert lists(app, full) == before


def test_counts(home):
    """As many of each kind as there are; by name with what is told of each, whatever its kind."""
    made = {kind: home.made(kind) for kind in KINDS}
    path = f"/v1/projects/{home.project['id']}/contents"
    answer = home.ask("GET", path)
    held = answer.json()
    assert held == {kind.collection: home.usage(kind)["count"] for kind in KINDS}
    assert all(held.values())
    assert re.fullmatch(r"2\d{3}-.*\+00:00", answer.headers["X-Reprieve-Now"])
    named = home.ask("GET", f"{path}?names=true").json()
    told = named.pop("resources")
    assert named == held
    assert [one["kind"] for one in told] == [
        collection for collection, count in held.items() for _ in range(count)
    ]
    stored = home.stored()
    for kind, shown in made.items():
        document = stored[stored_at(home, kind, shown[kind.key])]
        (one,) = [one for one in told if one["id"] == document["id"]]
        assert one.get("name") == shown.get("name")
        assert one["entity_tag"] == document["entity_tag"]
        assert one.get("size") == document.get("size")
        assert one["updated_at"] == one["created_at"]
        assert ("size" in one) == bool(kind.sealed)
    for query in ("", "?names=false"):
        assert home.ask("GET", path + query).json() == held
    refused(home.ask("GET", f"{path}?names=1"), 400, "invalid_field", "names")
    by_name = home.account.function("getProjectContents", project_id=home.project["id"], names=True)
    assert by_name.json() == {**held, "resources": told}


@pytest.mark.parametrize(
    ("roles", "counts", "names"),
    [
        (["viewer"], 200, 403),
        (["viewer", "reader"], 200, 200),
        (["auditor"], 200, 200),
        (["reader"], 403, 403),
    ],
    ids=str,
)
def test_names_take_a_role_more(home, roles, counts, names):
    """Counts are for who may see the project; names take `entity.list` beside it."""
    caller = home.host.account(*roles, account_id=home.account.id)
    path = f"/v1/projects/{home.project['id']}/contents"
    assert caller.call("GET", path).status_code == counts
    answer = caller.call("GET", f"{path}?names=true")
    assert answer.status_code == names
    if counts == 200 != names:
        (entry,) = refused(answer, 403, "forbidden")
        assert entry["message"] == "Your roles do not include `entity.list`."


def test_of_a_deleted_project(app, full):
    """Its contents are told as long as it is there; its lists answer as v2's reads do."""
    asked, plain = call(names=True, **full), call(**full)
    told, read = accounts.contents(app, asked).body, lists(app, full)
    projects.delete(app, call(id=full["project_id"]))
    assert accounts.contents(app, asked).body == told
    for act in (metadata.listing, resources.listing):
        with pytest.raises(Error) as refusal:
            act(CONFIG_MAPS, app, plain)
        assert refusal.value.code == "project_not_active"
    projects.reclamations.restore(app, plain)
    assert lists(app, full) == read
    reclaim(app, full["project_id"])
    held = [accounts.contents(app, plain).body]
    while purge.advance(app, full["project_id"]) != "tombstone":
        held.append(accounts.contents(app, plain).body)
    assert all(b["secrets"] <= a["secrets"] for a, b in pairwise(held))
    with pytest.raises(Error) as refusal:
        accounts.contents(app, asked)
    assert refusal.value.code == "resource_not_found"


def test_of_a_new_project(account):
    """It holds its first rule, which has its stamp."""
    project = account.project()["id"]
    held = account.got(f"/v1/projects/{project}/contents?names=true")
    (rule,) = held.pop("resources")
    assert {name: count for name, count in held.items() if count} == {rule["kind"]: 1}
    assert (rule["name"], rule["updated_at"]) == ("allow-all", rule["created_at"])
