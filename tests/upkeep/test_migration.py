"""The store's forms: what the operator says yes to is rewritten, and nothing else ever counts."""

from contextlib import suppress

import pytest

from shared import access, projects, resources
from shared.access import api_keys
from shared.errors import Error
from shared.keys import Undecryptable, is_former
from shared.kinds import APPS, KINDS, SECRETS
from shared.projects import reclamations
from shared.resources import revisions
from shared.store import Unanswered, Write
from shared.upkeep import migration, purge
from tests.faults.faulty import Rule, troubled
from tests.support import call, reclaim
from tests.support.former import (
    NOTHING,
    STEPS,
    everything,
    in_form,
    listed,
    put_back,
    step,
    vouch,
)
from tests.support.kinds import BY_KIND

IMAGE = "icr.io/codeengine/helloworld"
LARGE = {"k": "x" * 950_000}


@pytest.fixture
def filled(app):
    """An account's key, a project with one of every kind, a large secret, and a deleted project."""
    key = api_keys.create_account(app, call(body={"account_id": "a" * 32})).body["apikey"]
    ids = [projects.create(app, call(body={"name": name})).body["id"] for name in ("p", "q")]
    for number, kind in enumerate(KINDS, 1):
        body = BY_KIND[kind].body(number, BY_KIND[kind].full)
        resources.create(kind, app, call(body=body, project_id=ids[0]))
    secret = {"name": "large", "format": "generic", "data": LARGE}
    resources.create(SECRETS, app, call(body=secret, project_id=ids[0]))
    for value in ("x" * 960_000, "y"):  # revisions of an app, one of them in parts
        variable = [{"type": "literal", "name": "V", "value": value}]
        body = {"name": "a", "image_reference": IMAGE, "run_env_variables": variable}
        if value == "y":
            change = {"run_env_variables": variable}
            asked = call(body=change, name="a", if_match="*", project_id=ids[0])
            resources.update(APPS, app, asked)
        else:
            resources.create(APPS, app, call(body=body, project_id=ids[0]))
    secret = {"name": "s", "format": "generic", "data": {"k": "v"}}
    resources.create(SECRETS, app, call(body=secret, project_id=ids[1]))
    projects.delete(app, call(id=ids[1]))
    return key, ids


def shown(app, project):
    """Give all that a project shows."""
    found = {
        kind.collection: resources.listing(kind, app, call(project_id=project)).page.entries
        for kind in KINDS
    }
    told = revisions.listing(app, call(project_id=project, app_name="a")).page.entries
    return found | {"revisions": told}


@pytest.mark.claim("T9", "a store of the former form is migrated: each value and key as it was")
def test_all_of_a_store(app, filled):
    """What is listed is all there is of form 1; rewritten it is of form 2, and tells the same."""
    key, (project, deleted) = filled
    before, counts = shown(app, project), put_back(app)
    former = in_form(app, 1)
    assert shown(former, project) == before
    found = {of: listed(former, of) for of in STEPS}
    assert tuple(len(found[of]) for of in STEPS) == counts
    assert [listed(former, of, "refused") for of in STEPS] == [[], [], []]
    web = found["values"][f"projects/{project}/apps/a"]
    assert web["about"] == {"image_reference": IMAGE}
    stored = app.store.read(web["path"])[web["path"]].contents["body"]
    assert web["further"] == len(stored.keys() - {"image_reference"}) > 10
    job = found["values"][f"projects/{project}/jobs/r-3"]["about"]
    assert (job["run_commands"], job["image_secret"]) == (["c"], "none-yet")
    (one,) = found["keys"].values()
    assert one["about"]["roles"] == ["administrator", "manager"]
    assert "sha256" not in one["about"]
    gone = found["projects"][f"projects/{deleted}"]["about"]
    assert (gone["name"], gone["status"]) == ("q", "soft_deleted")
    assert gone["deleted_at"] < gone["purge_at"]
    stored = everything(app)
    with pytest.raises(Error) as refused:
        shown(app, project)
    assert refused.value.code == "unavailable"
    for of in STEPS:
        assert step(former, of, "rewrite") == {"form": 1, **dict.fromkeys(migration.WORDS, 0)}
    assert everything(app) == stored  # a list writes nothing, nor does a yes to nothing
    for of in STEPS:
        done = vouch(former, of, found[of])
        shared = 1 if of == "values" else 0  # the parts that an app shares with its revision
        assert done["rewritten"] + done["unchanged"] == len(found[of])
        assert done["unchanged"] <= shared
        assert (done["changed"], done["failed"]) == (0, 0)
        assert listed(former, of) == {}
        again = vouch(former, of, found[of])
        assert (again["rewritten"], again["unchanged"]) == (0, len(found[of]))
    assert shown(app, project) == before
    reclamations.restore(app, call(project_id=deleted))
    got = resources.get(SECRETS, app, call(project_id=deleted, name="s")).body
    assert got["data"] == {"k": "v"}
    assert access.issue_token(app, call(body={"apikey": key})).body["access_token"]
    assert changed_members(stored, everything(app)) == {"signature", "sealed", "bytes", "sha256"}
    before, after = (documents[f"projects/{project}"] for documents in (stored, everything(app)))
    assert before.items() < after.items()
    assert after.keys() - before.keys() == {"mac", "moves"}
    reclaim(app, project)
    for _ in range(5):
        purge.advance(app, project)
    assert not [path for path in everything(app) if path.startswith(f"projects/{project}")]


def changed_members(before, after):
    """Give the names of the fields that differ, but of the project that was restored since."""
    return {
        name
        for path, fields in before.items()
        if path.count("/") > 1 or path.startswith("api_keys/")
        for name in fields.keys() | after[path].keys()
        if fields.get(name) != after[path].get(name)
    }


@pytest.mark.slow
@pytest.mark.claim("T9", "a migration that dies at any write goes on, and what it left is readable")
@pytest.mark.parametrize("do", ["before", "after"])
def test_cut_short_anywhere(app, filled, do):
    """Each write of it fails once, unsent or applied unheard: run again, it ends."""
    _, (project, _) = filled
    before = shown(app, project)
    total = sum(put_back(app))
    former = in_form(app, 1)
    for number in range(total + 2):
        left = {of: found for of in STEPS if (found := listed(former, of))}
        if not left:
            break
        for of, found in left.items():
            at = min(number + 1, 2)
            there, _ = troubled(former, Rule("commit", do, first=at, last=at))
            with suppress(Unanswered):
                vouch(there, of, found)
        assert shown(former, project) == before
    assert {of: listed(former, of) for of in STEPS} == NOTHING
    assert number > 5
    assert shown(app, project) == before


@pytest.mark.claim("T9", "the operator vouches for what was listed, and nothing put in its place")
def test_changed_since_it_was_listed(app, filled):
    """A key narrowed, an image replaced since the list: not signed, and not sealed."""
    key, (project, _) = filled
    put_back(app)
    former = in_form(app, 1)
    found = {of: listed(former, of) for of in STEPS}
    path, app_path = next(iter(found["keys"])), f"projects/{project}/apps/a"
    for document in app.store.read(path, app_path).documents.values():
        fields = document.fields
        edit = {"project_id": project}
        if document.path == app_path:
            edit = {"body": fields["body"] | {"image_reference": "evil"}}
        app.store.commit([Write.update(document, edit)])
    assert vouch(former, "keys", found["keys"])["changed"] == 1
    assert vouch(former, "values", found["values"])["changed"] == 1
    assert vouch(former, "projects", found["projects"])["rewritten"] == 2
    with pytest.raises(Error) as error:
        access.issue_token(app, call(body={"apikey": key}))
    assert error.value.code == "apikey_not_found"
    with pytest.raises(Undecryptable):
        resources.get(APPS, app, call(project_id=project, name="a"))


def test_written_meanwhile(app, filled):
    """What its owner replaces between the list and the yes has the newest form, and stays so."""
    _, (project, _) = filled
    put_back(app)
    former = in_form(app, 1)
    found = listed(former, "values")
    vouch(former, "projects", listed(former, "projects"))
    variable = [{"type": "literal", "name": "V", "value": "z"}]
    asked = call(body={"run_env_variables": variable}, name="a", if_match="*", project_id=project)
    resources.update(APPS, former, asked)
    resources.delete(SECRETS, former, call(project_id=project, name="large"))
    done = vouch(former, "values", found)
    assert (done["changed"], done["failed"]) == (0, 0)
    got = resources.get(APPS, app, call(project_id=project, name="a")).body
    assert got["run_env_variables"] == variable


@pytest.mark.claim("T9", "from the newest form on what has the former one is refused for good")
def test_planted_in_the_newest_form(app, filled):
    """A signature or an envelope's digest stripped: refused, listed, and not vouched for."""
    _, (project, _) = filled
    put_back(app)
    for of in STEPS:
        found = listed(app, of)
        assert found
        before = everything(app)
        with pytest.raises(Error) as error:
            vouch(app, of, found)
        assert (error.value.code, error.value.target.name) == ("invalid_field", "step")
        assert everything(app) == before
    with pytest.raises(Error) as refused:
        resources.listing(SECRETS, app, call(project_id=project))
    assert refused.value.code == "unavailable"
    vouch(in_form(app, 1), "projects", listed(app, "projects"))
    with pytest.raises(Undecryptable):
        resources.listing(SECRETS, app, call(project_id=project))


@pytest.mark.parametrize(
    ("of", "path"),
    [
        ("keys", "projects/25bbfb75-e821-4338-9413-d432c6e55f85"),
        ("keys", "api_keys/x/y"),
        ("values", "api_keys/0123456789abcdef"),
        ("values", "projects/25bbfb75-e821-4338-9413-d432c6e55f85/bindings/x"),
        ("values", "projects/25bbfb75-e821-4338-9413-d432c6e55f85/keys/current"),
        ("projects", "tombstones/25bbfb75-e821-4338-9413-d432c6e55f85"),
        ("projects", "projects/25bbfb75-e821-4338-9413-d432c6e55f85/secrets/s"),
    ],
)
def test_other_paths(app, of, path):
    """Only keys' records are signed, what has sealed members sealed, projects given a MAC."""
    with pytest.raises(Error) as error:
        step(in_form(app, 1), of, "rewrite", vouched={path: "0" * 64})
    assert (error.value.code, error.value.target.name) == ("invalid_field", "vouched")


def test_nothing_is_former(app, filled):
    """What this version writes has the newest form, also while the setting names the former."""
    former = in_form(app, 1)
    secret = {"name": "s", "format": "generic", "data": {"k": "v"}}
    resources.create(SECRETS, former, call(body=secret, project_id=filled[1][0]))
    api_keys.create(former, call(body={"name": "k"}))
    sealed = [fields.get("sealed") or fields.get("bytes") for fields in everything(app).values()]
    assert not any(is_former(one) for one in sealed if one)
    assert {of: listed(former, of) for of in STEPS} == NOTHING
