"""Who read the values of secrets: one entry a request, before the answer, or no answer."""

from dataclasses import replace
from functools import partial

import pytest

from shared import projects, quotas, resources
from shared.errors import Error
from shared.keys.state import State
from shared.kinds import KINDS, SECRETS, table
from shared.store import Write
from tests.access.test_permissions import NOWHERE
from tests.evidence.test_audit import WORDS, added
from tests.faults.faulty import COMMIT, Rule, troubled
from tests.support import call, dump, traces_of
from tests.support.entries import entries as trail
from tests.support.kinds import BY_KIND, called, refused

CANARY = "canary-of-a-reading"
READ = "codeengine.secret.read"
SEALED = [kind for kind in KINDS if kind.sealed]


@pytest.fixture
def on(app):
    """The parameters of a call on two secrets of this process's own domain."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    for name in "st":
        body = {"name": name, "format": "generic", "data": {"k": CANARY}}
        resources.create(SECRETS, app, call(body=body, project_id=project))
    return {"project_id": project}


ACTS = {
    "get": lambda app, on: resources.get(SECRETS, app, call(name="s", **on)),
    "list": lambda app, on: resources.listing(SECRETS, app, call(**on)),
}
NAMED = {"get": ["s"], "list": ["s", "t"]}
acts = pytest.mark.parametrize("how", ACTS)


def read_entries(app, action=READ):
    """Give the entries of what was read."""
    return trail(app.store, "action", action)


def all_told(app):
    """Give the same domain where each reading of sealed values is told."""
    return replace(app, settings=replace(app.settings, audit_reads="all"))


@pytest.mark.claim("I15", "who gets a secret, or lists some, leaves one entry that names them all")
def test_each_reading_has_its_entry(home):
    """By either address, a page at a time; with the names that are answered, and no value."""
    names = sorted(home.made(SECRETS, "least", data={"k": CANARY})["name"] for _ in "123")
    tag = home.get(SECRETS, names[0]).headers["ETag"]
    answer, entries = added(home, lambda: home.get(SECRETS, names[0]))
    assert entries == {(READ, names[0]): 1}
    assert CANARY in answer.text
    function, on = home.account.function, {"project_id": home.project["id"]}
    by_name = partial(function, "getSecret", name=names[0], **on)
    assert added(home, by_name)[1] == {(READ, names[0]): 1}
    assert added(home, partial(function, "listSecrets", **on))[1] == {(READ, *names): 1}
    pages = [(f"{home.at(SECRETS)}?limit=2", names[:2])]
    pages += [(f"{home.at(SECRETS)}?limit=2&start={names[1]}", names[2:])]
    for path, due in pages:
        answer, entries = added(home, partial(home.ask, "GET", path))
        assert [one["name"] for one in answer.json()["secrets"]] == due
        assert entries == {(READ, *due): 1}
    told = trail(home.host.inside.store, "project_id", home.project["id"])
    (one, *_) = [entry for entry in told if entry["action"] == READ]
    assert (one["entity_tag"], one["initiator"]) == (tag, home.account.key_id)
    assert not any(form in b"\n".join(dump(told)) for form in traces_of(CANARY))


def test_a_page_that_ends_early(app):
    """A page that the size of its answer ends names those that are on it, and no more."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    for name in "abc":
        data = {"k": "\x01" * (quotas.PAGE_BYTES // 10)}  # answered as six characters each
        body = {"name": name, "format": "generic", "data": data}
        resources.create(SECRETS, app, call(body=body, project_id=project))
    page = resources.listing(SECRETS, app, call(project_id=project)).page
    (entry,) = read_entries(app)
    assert page.next == page.entries[-1]["name"] != "c"
    assert entry["names"] == [one["name"] for one in page.entries]


def test_a_reading_without_a_body(home):
    """HEAD is a reading: what is opened for it is told, though no server sends it on."""
    name = home.made(SECRETS, "least")["name"]
    head = partial(home.account.call, "HEAD", home.at(SECRETS, name))
    assert added(home, head)[1] == {(READ, name): 1}


def test_what_gives_no_value_leaves_none(home):
    """Metadata, the names of keys, counts; a list of none; and each refusal."""
    name = home.made(SECRETS, "least")["name"]
    other, ours = home.host.account(), f"/v1/projects/{home.project['id']}"
    weak = home.account.another_key("auditor")
    for path, status in {
        f"{ours}/secrets": 200,
        f"{ours}/secrets/{name}/keys": 200,
        f"{ours}/contents?names=true": 200,
        f"{home.at(SECRETS)}?format=tls": 200,
        f"{home.at(SECRETS)}?limit=0": 400,
        home.at(SECRETS, "none"): 404,
        f"/v2/projects/{NOWHERE}/secrets": 404,
    }.items():
        answer, entries = added(home, partial(home.account.call, "GET", path))
        assert (answer.status_code, entries) == (status, {}), path
    for path in (home.at(SECRETS), home.at(SECRETS, name)):
        answer, entries = added(home, partial(other.call, "GET", path))
        assert (answer.status_code, entries) == (404, {})
        assert weak.call("GET", path).status_code == 403
    told = trail(home.host.inside.store, "account_id", other.id)
    assert [entry["action"] for entry in told] == ["codeengine.account.create"]
    told = trail(home.host.inside.store, "initiator", weak.key_id)
    assert {entry["outcome"] for entry in told} == {"denied"}


def test_a_deleted_project_s_secrets(account):
    """409 leaves no entry: nothing was told."""
    project = account.project()
    account.secret(project, "s", {"k": "v"})
    account.delete(project)
    path = f"/v2/projects/{project['id']}/secrets"
    for answer in (account.call("GET", path), account.call("GET", f"{path}/s")):
        refused(answer, 409, "project_not_active")
    told = trail(account.host.inside.store, "project_id", project["id"])
    assert READ not in {entry["action"] for entry in told}


@pytest.mark.claim("F12", "secrets whose reading cannot be put on record are not told")
@pytest.mark.parametrize("error", ["ServiceUnavailable", "PermissionDenied", "crash"])
@acts
def test_no_value_without_its_entry(app, on, how, error):
    """Where the entry is not committed there is an error, which holds no value."""
    there, script = troubled(app, Rule(COMMIT, "before", about="/audit/", error=error))
    with pytest.raises(Exception) as failed:  # noqa: PT011 - whatever it is
        ACTS[how](there, on)
    if error == "ServiceUnavailable":
        assert failed.value.code == "unavailable"
    assert not any(form in repr(failed.value).encode() for form in traces_of(CANARY))
    assert script.rules[0].met
    assert read_entries(app) == []


@pytest.mark.claim("F12", "without the state key there is no entry, and no secret is told")
@acts
def test_without_the_state_key(app, on, how):
    """An entry that nothing vouches for is none: 503, and it goes on when the key is back."""

    def away():
        raise OSError

    there, _ = troubled(app)
    there.keyring.state = State(away)
    with pytest.raises(Error) as refusal:
        ACTS[how](there, on)
    assert refusal.value.code == "unavailable"
    assert read_entries(app) == []
    ACTS[how](app, on)
    assert len(read_entries(app)) == 1


@pytest.mark.claim("F12", "of a reading whose answer was lost there is one entry")
@pytest.mark.parametrize("error", ["DeadlineExceeded", "Aborted"])
@acts
def test_one_entry_though_the_answer_was_lost(app, on, how, error):
    """The entry itself says that it is there: it is looked for, and not written again."""
    there, _ = troubled(app, Rule(COMMIT, "after", last=1, about="/audit/", error=error))
    answer = ACTS[how](there, on)
    for shown in answer.page.entries if answer.page else [answer.body]:
        assert shown["data"] == {"k": CANARY}
    assert [one["names"] for one in read_entries(app)] == [NAMED[how]]


@acts
def test_a_project_deleted_meanwhile(app, on, how):
    """The entry tells the time of the decision: then the project was in use. It is not verified."""
    gone = lambda: projects.delete(app, call(id=on["project_id"]))  # noqa: E731
    there, _ = troubled(app, Rule(COMMIT, "meanwhile", last=1, about="/audit/", other=gone))
    ACTS[how](there, on)
    (read,) = read_entries(app)
    (deleted,) = trail(app.store, "action", "codeengine.project.delete")
    assert read["at"] < deleted["at"]


@pytest.mark.parametrize("kind", SEALED, ids=called)
def test_other_sealed_kinds(app, kind):
    """Of secrets each reading is told; of all else that is sealed only where the setting says."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    example = BY_KIND[kind]
    body = example.body(1, example.full)
    key = resources.create(kind, app, call(body=body, project_id=project)).body[kind.key]
    action = f"codeengine.{WORDS[kind.collection]}.read"
    for there, due in ((app, 2 * (kind is SECRETS)), (all_told(app), 2 + 2 * (kind is SECRETS))):
        resources.get(kind, there, call(project_id=project, **{kind.key: key}))
        resources.listing(kind, there, call(project_id=project))
        assert [one["names"] for one in read_entries(app, action)] == due * [[key]]


def test_revisions(app):
    """A revision shows what its app does, and is told where that is; what opens nothing is not."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    on = {"project_id": project, "app_name": "a"}
    body = BY_KIND[table.APPS].body(1, BY_KIND[table.APPS].full) | {"name": "a"}
    resources.create(table.APPS, app, call(body=body, **on))
    for there in (app, all_told(app)):
        resources.revisions.get(there, call(name="a-00001", **on))
        resources.revisions.listing(there, call(**on))
        resources.revisions.instances(there, call(**on))
        resources.metadata.listing(table.APPS, there, call(**on))
        resources.listing(table.BINDINGS, there, call(**on))
    told = [one for one in trail(app.store) if one["action"].endswith(".read")]
    assert [(one["action"], one["names"]) for one in told] == 2 * [
        ("codeengine.revision.read", ["a-00001"])
    ]


def test_what_only_the_resource_knows(app):
    """Values that an answer sent again has out of the resource are read, and told."""
    there = all_told(app)
    on = {"project_id": projects.create(app, call(body={"name": "p"})).body["id"]}
    variables = [{"type": "literal", "name": "A", "value": "of the job"}]
    image = {"image_reference": "icr.io/a/b", "run_env_variables": variables}
    resources.create(table.JOBS, there, call(body={"name": "j", **image}, **on))
    once = {"idempotency_key": "k", "operation": "create_job_run", **on}
    for _ in "12":
        made = resources.create(table.JOB_RUNS, there, call(body={"job_name": "j"}, **once))
    assert made.body["run_env_variables"] == variables
    (read,) = read_entries(app, "codeengine.jobrun.read")
    assert read["names"] == [made.body["name"]]


def test_changes_need_no_further_entry(home):
    """Who writes is answered what they sent: the entry of the change says that."""
    made, entries = added(home, partial(home.create, SECRETS, "least"))
    name = made.json()["name"]
    assert [*entries] == [("codeengine.secret.create", name)]
    change = {"format": "generic", "data": {"k": "v"}}
    _, entries = added(home, partial(home.update, SECRETS, name, change))
    assert [*entries] == [("codeengine.secret.update", name)]


@acts
def test_a_caller_s_key_that_is_gone(app, on, how):
    """401 leaves none: nobody's is what nobody read."""
    app.store.commit([Write.discard("api_keys/key")])
    with pytest.raises(Error) as refusal:
        ACTS[how](app, on)
    assert refusal.value.code == "unauthorized"
    assert read_entries(app) == []
