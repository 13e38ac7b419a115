"""A change that is sent again under its `Idempotency-Key`: made once, answered as at first."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from shared import projects, quotas, resources
from shared.access import api_keys
from shared.errors import Error
from shared.evidence import Once
from shared.keys import Undecryptable
from shared.kinds import APPS, BUILD_RUNS, JOBS, KINDS, SECRETS, table
from shared.upkeep import purge, schedule
from tests.evidence.test_audit import added
from tests.support import call, forms_of, reclaim, told
from tests.support.kinds import BY_KIND, MERGE, called, refused
from tests.support.kinds_examples import filled

HOUR = timedelta(hours=1)
DAY = 24 * 3600
SAME = ("ETag", "Location", "Content-Type")


def under(key=None, **headers):
    """Give the headers of a change: under a key, a fresh one unless one is given."""
    return headers | {"Idempotency-Key": key or uuid.uuid4().hex}


def twice(home, *request, **headers):
    """Send a change twice under one key; it is made once, and answered the same to the letter."""
    named = under(**headers)
    first, entries = added(home, lambda: home.ask(*request, headers=named))
    assert first.ok, first.text
    again, more = added(home, lambda: home.ask(*request, headers=named))
    assert (sum(entries.values()) > 0, more) == (True, {})
    assert seen(again) == seen(first)
    return first, named


def seen(answer):
    """Give what a client goes by."""
    return answer.status_code, answer.content, [answer.headers.get(name) for name in SAME]


@pytest.mark.claim("F60", "every change of every kind, sent twice: made once, the same answer")
@pytest.mark.parametrize("kind", KINDS, ids=called)
def test_each_kind(home, kind):
    """Created, changed, deleted: as at first; and with another body, or name, refused."""
    body = BY_KIND[kind].body(1, BY_KIND[kind].full)
    made, named = twice(home, "POST", home.at(kind), body)
    key, other = made.json()[kind.key], BY_KIND[kind].body(2, BY_KIND[kind].full)
    wrong = home.ask("POST", home.at(kind), other, headers=named)
    refused(wrong, 422, "idempotency_key_reused", "Idempotency-Key")
    if kind.update:
        change = filled(BY_KIND[kind].change, 1, "")
        tag = {"If-Match": made.headers["ETag"]} | (MERGE if kind.update == "PATCH" else {})
        twice(home, kind.update, home.at(kind, key), change, **tag)
    _, named = twice(home, "DELETE", home.at(kind, key))
    another = home.at(kind, other.get(kind.key, str(uuid.uuid4())))
    wrong = home.ask("DELETE", another, headers=named)
    refused(wrong, 422, "idempotency_key_reused", "Idempotency-Key")
    assert home.get(kind, key).status_code == 404


def test_runs_without_a_name(home):
    """What was named by the server is there once, under the name that was told first."""
    job = home.made(table.JOBS, run_env_variables=[{"name": "A", "value": "of the job"}])["name"]
    build = home.made(table.BUILDS)["name"]
    for kind, body in ((table.JOB_RUNS, {"job_name": job}), (BUILD_RUNS, {"build_name": build})):
        made, _ = twice(home, "POST", home.at(kind), body)
        assert home.keys(kind) == [made.json()["name"]]
    home.left.append((table.BUILD_RUNS, made.json()["name"]))
    assert home.delete(table.JOBS, job).status_code == 202


def test_a_revision(home):
    """Neither is the deletion of a revision refused by its own success."""
    app = home.made(APPS, "least")["name"]
    twice(home, "DELETE", f"{home.at(APPS, app)}/revisions/{app}-00001")


def test_what_has_changed_since(home):
    """The request says all that is not kept, or the resource still does; else it is 409."""
    body = {"format": "generic", "data": {"k": "v"}}
    made, named = twice(home, "POST", home.at(SECRETS), {"name": "s", **body})
    home.update(SECRETS, "s", {**body, "data": {"k": "another"}})
    home.delete(SECRETS, "s")
    again = home.ask("POST", home.at(SECRETS), {"name": "s", **body}, headers=named)
    assert seen(again) == seen(made)

    given = [{"name": "A", "value": "v"}]
    job = home.made(JOBS, run_env_variables=given)["name"]
    tags = {"If-Match": "*", **MERGE}
    clear, of_clear = twice(home, "PATCH", home.at(JOBS, job), {"run_as_user": 7}, **tags)
    other = {"run_env_variables": [{"name": "A", "value": "w"}]}
    whole, of_whole = twice(home, "PATCH", home.at(JOBS, job), other, **tags)
    assert (clear.json()["run_env_variables"][0]["value"]) == "v"
    assert home.update(JOBS, job, {"run_as_user": 8}).status_code == 200
    again = home.ask("PATCH", home.at(JOBS, job), other, headers=of_whole)
    assert seen(again) == seen(whole)
    for _ in "12":  # changed since, then gone
        lost = home.ask("PATCH", home.at(JOBS, job), {"run_as_user": 7}, headers=of_clear)
        refused(lost, 409, "conflict")
        home.delete(JOBS, job)


def test_as_large_as_it_gets(home):
    """All that an app can hold, in letters that are escapes elsewhere, fits into the commit."""
    arguments = {"run_arguments": ["\u00fc" * 60_000] * 4}
    env = {"run_env_variables": [{"name": "A", "value": "v" * (quotas.TEMPLATE_BYTES - 9)}]}
    app = {"name": "large", "image_reference": "hello", **arguments, **env}
    twice(home, "POST", home.at(APPS), app)
    home.left.append((APPS, "large"))


def test_projects(account):
    """Created, deleted, restored, destroyed: once each, and told so even when it is gone."""

    def twice(method, path, body=None):
        named = under()
        first, again = (account.call(method, path, body, headers=named) for _ in "12")
        assert first.ok, first.text
        assert seen(again) == seen(first)
        return first

    project = twice("POST", "/v2/projects", {"name": "p"}).json()
    path = f"/v2/projects/{project['id']}"
    twice("DELETE", path)
    twice("POST", f"/v1/reclamations/{account.reclamation(project)}/actions/restore", {})
    twice("DELETE", f"/v2/resource_instances/{project['id']}")
    reclaim, named = f"/v1/reclamations/{account.reclamation(project)}/actions/reclaim", under()
    first = account.call("POST", reclaim, {}, headers=named)
    account.gone(project)
    again = account.call("POST", reclaim, {}, headers=named)
    assert (first.status_code, seen(again)) == (200, seen(first))
    assert account.host.inside.slots(account.id) == {}


def test_keys(account):
    """A key is made once; its text is told once, and its id in place of it from then on."""
    named, body = under(), {"name": "k"}
    made = told.body(account.call("POST", "/v1/apikeys", body, headers=named), 201)
    again = account.call("POST", "/v1/apikeys", body, headers=named)
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "already_made")
    assert f"`{made['id']}`" in again.json()["errors"][0]["message"]
    assert again.headers["Location"].endswith(f"/v1/apikeys/{made['id']}")
    assert made["apikey"] not in again.text
    names = [key["name"] for key in account.got("/v1/apikeys")["apikeys"]]
    assert names.count("k") == 1
    # A key that deletes itself is told so, though it is one no more; of nothing else it hears.
    last = account.another_key()
    for gone, by in ((made["id"], account), (last.key_id, last)):
        named = under()
        for _ in "12":
            answer = by.call("DELETE", f"/v1/apikeys/{gone}", headers=named)
            assert (answer.status_code, answer.content) == (204, b"")
    assert last.call("DELETE", f"/v1/apikeys/{gone}", headers=under()).status_code == 401


def test_accounts(host):
    """The operator's too: an account is made once."""
    body = {"idempotency_key": uuid.uuid4().hex}
    made = host.hub("POST", "/functions/createAccount", body)
    with pytest.raises(AssertionError, match="answered 409, already_made"):
        host.hub("POST", "/functions/createAccount", body)
    assert len(host.inside.projects(made["account_id"])) == 0


@pytest.mark.claim("F62", "another account, key or region: another operation, nothing to probe")
def test_whose_it_is(app):
    """Only who asked first hears of it: account, caller, region and operation are part of it."""
    asked = {"idempotency_key": "k", "operation": "create_project"}
    here = projects.create(app, call(body={"name": "p"}, **asked)).body["id"]
    api_keys.create_account(app, call(body={"account_id": "b" * 32, "apikey": "ce_b_x"}))
    api_keys.create_account(app, call(body={"account_id": "a" * 32, "apikey": "ce_c_x"}))
    there = replace(app, settings=replace(app.settings, region="eu-de"))
    others = [
        projects.create(app, call("b" * 32, {"name": "p"}, key="ce_b_x", **asked)),
        projects.create(app, call(body={"name": "q"}, key="ce_c_x", **asked)),
        projects.create(there, call(body={"name": "p"}, **asked)),
        projects.create(app, call(body={"name": "r"}, **asked | {"operation": "another"})),
    ]
    assert len({here, *(answer.body["id"] for answer in others)}) == 5
    assert projects.create(app, call(body={"name": "p"}, **asked)).body["id"] == here


@pytest.mark.claim("F61", "one key 12 times at once: one change, and all are told the same")
@pytest.mark.parametrize("what", ["project", "job run", "API key"])
def test_at_once(account, what):
    """One of them acts; the others answer as it does, or that it did."""
    project = account.project()
    told.body(account.call("POST", f"/v2/projects/{project['id']}/jobs",
                           {"name": "j", "image_reference": "hello"}), 201)  # fmt: skip
    where, body, key = {
        "project": ("/v2/projects", {"name": "p"}, "id"),
        "job run": (f"/v2/projects/{project['id']}/job_runs", {"job_name": "j"}, "name"),
        "API key": ("/v1/apikeys", {"name": "k"}, "id"),
    }[what]
    named = under()
    with ThreadPoolExecutor(12) as pool:
        made = list(pool.map(lambda _: account.call("POST", where, body, headers=named), range(12)))
    good = [answer for answer in made if answer.ok]
    assert len(good) == (1 if what == "API key" else 12), [one.text for one in made]
    assert {one.json()["errors"][0]["code"] for one in made if not one.ok} <= {"already_made"}
    (only,) = {answer.json()[key] for answer in good}
    listed = account.got(where)
    entries = next(value for value in listed.values() if isinstance(value, list))
    assert [entry[key] for entry in entries if entry[key] == only] == [only]
    before = {"project": {project["id"]}, "API key": {account.key_id}}.get(what, set())
    assert len({entry[key] for entry in entries} - before) == 1


def test_for_a_day(account):
    """After 24 hours of the store's time it names another change, and the schedule forgets it."""
    named, body = under(), {"name": "p"}
    first = told.body(account.call("POST", "/v2/projects", body, headers=named), 202)
    secrets = f"/v2/projects/{first['id']}/secrets"
    secret = {"name": "s", "format": "generic", "data": {"k": "v"}}
    told.body(account.call("POST", secrets, secret, headers=named), 201)
    account.host.advance(DAY - 60)
    assert account.call("POST", "/v2/projects", body, headers=named).json() == first
    account.host.advance(120)
    answer = account.call("POST", "/v2/projects", body, headers=named)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "name_taken")
    other = told.body(account.call("POST", "/v2/projects", {"name": "q"}, headers=named), 202)
    assert other["id"] != first["id"]
    assert account.host.enforce()["forgotten"] >= 1
    left = [path for path in account.host.inside.everything() if "operations/" in path]
    assert [path for path in left if first["id"] in path] == []
    again = told.body(account.call("POST", "/v2/projects", {"name": "q"}, headers=named), 202)
    assert again == other


def test_the_schedule_goes_on(app, monkeypatch):
    """However many there are, page by page; what is not over stays."""
    monkeypatch.setattr(schedule.quotas, "SWEEP_BATCH", 2)
    asked = {"operation": "create_project"}
    for number in range(5):
        body = {"name": f"p{number}"}
        projects.create(app, call(body=body, idempotency_key=f"{number}", **asked))
    assert schedule.enforce(app)["forgotten"] == 0
    app.settings.clock_file.write_text(f"{DAY + 1}")
    projects.create(app, call(body={"name": "q"}, idempotency_key="q", **asked))
    assert [schedule.enforce(app)["forgotten"] for _ in "12"] == [5, 0]


def test_what_failed_is_tried_again(home):
    """A refusal leaves nothing: sent again under its key, the change is made."""
    named, body = under(), {"name": "s", "format": "generic", "data": {"k": "v"}}
    home.made(SECRETS, "least", name="s")
    for _ in "12":
        refused(home.ask("POST", home.at(SECRETS), body, headers=named), 409, "name_taken", "name")
    refused(home.ask("POST", home.at(SECRETS), {**body, "format": "x"}, headers=named),
            400, "invalid_field", "format")  # fmt: skip
    assert home.delete(SECRETS, "s").status_code == 202
    assert home.ask("POST", home.at(SECRETS), body, headers=named).status_code == 201


@pytest.mark.claim("F62", "what is kept has no value, nor a digest to try values with")
def test_what_is_kept(app):
    """Of a request a digest under the project's key; of an answer what is clear; it goes along."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    body = {"name": "s", "format": "generic", "data": {"pin": "4711-canary"}}
    asked = call(body=body, project_id=project, idempotency_key="k", operation="create_secret")
    resources.create(SECRETS, app, asked)
    below = app.store.below(f"projects/{project}", 99)
    (record,) = [one for one in below if one.path.split("/")[2] == "operations"]
    kept = repr(record.fields).encode()
    assert not any(form in kept for form in forms_of("4711-canary").values())
    assert json.loads(record.fields["told"]["body"])["name"] == "s"
    # Who knows the request and not the project's key cannot tell that it is the one.
    once = Once(app, asked, f"projects/{project}")
    with pytest.raises(Error, match="another request"):
        once.told(app.store.read(record.path), record.fields["expires_at"] - HOUR)
    assert resources.create(SECRETS, app, asked).body["data"] == body["data"]
    with pytest.raises(Error, match="another request"):
        resources.create(SECRETS, app, replace(asked, body={**body, "data": {"pin": "4712"}}))
    # Shredding ends the digests, and the sweep the records.
    half = app.store.read(f"projects/{project}/keys/current").documents.popitem()[1].contents
    reclaim(app, project)
    steps = ["begin", "shred", "sweep", "tombstone"]
    assert [purge.advance(app, project) for _ in steps] == steps
    with pytest.raises(Undecryptable):
        app.keyring.mark(project, half, b"digest")
    assert app.store.read(record.path)[record.path].fields is None
