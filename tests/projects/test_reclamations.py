"""A reclamation is one deletion: it has an id of its own, ends once, and never moves another."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count

import pytest

from shared import projects
from shared.access import api_keys
from shared.errors import Error
from shared.lifecycle import RETENTION
from shared.projects import reclamations
from shared.upkeep import purge
from tests.faults.faulty import COMMIT, Rule, troubled
from tests.support import call, paths_below, principal_of, reclaim, told
from tests.support.standing import rewritten

ACTIONS = ("restore", "reclaim")
NOWHERE = "00000000-0000-4000-8000-000000000000"


def code(answer):
    """Give the status and the code of a refusal."""
    return answer.status_code, told.code_of(answer.text)


def stored(app, project, collection="projects"):
    """Give what is stored of a project, or of its tombstone."""
    path = f"{collection}/{project}"
    return app.store.read(path)[path].fields


def everything(app):
    """Give every document."""
    paths = paths_below(app.store, "", 1000)
    return {path: document.fields for path, document in app.store.read(*paths).documents.items()}


def deleted(app, name="p"):
    """Make a project and delete it; give its id, and that of the deletion's reclamation."""
    project = projects.create(app, call(body={"name": name})).body["id"]
    projects.delete(app, call(id=project))
    return project, stored(app, project)["reclamation_id"]


def under_form_1(app, project):
    """Let a project be stored as form 1 had it: without its reclamation."""
    rewritten(app, project, "reclamation_id", "reclamation_of")


def refused(act):
    """Give the code with which an act is refused."""
    with pytest.raises(Error) as caught:
        act()
    return caught.value.code


@pytest.mark.claim("I24", "a reclamation that was restored destroys nothing, whenever it is asked")
def test_a_restored_one_reclaims_nothing(account, host):
    """The project lives on; deleted anew it has another, and the first is one that never was."""
    project = account.project()
    secret = account.secret(project, "s", {"k": "v"})
    account.delete(project)
    first = account.reclamation(project)
    assert first != project["id"]
    assert account.act(first, "restore").json()["id"] == first
    before = host.inside.everything()
    assert code(account.act(first, "reclaim")) == (409, "project_not_deletable")
    assert code(account.act(first, "restore")) == (409, "project_not_restorable")
    assert host.inside.everything() == before
    assert account.got(f"/v2/projects/{project['id']}/secrets/s") == secret

    account.delete(project)
    second = account.reclamation(project)
    assert second not in (first, project["id"])
    before = host.inside.everything()
    for action in ACTIONS:
        for ended in (first, project["id"]):
            assert code(account.act(ended, action)) == (404, "resource_not_found")
    assert host.inside.everything() == before
    assert account.act(second, "reclaim").status_code == 200
    account.gone(project)


@pytest.mark.claim("I24", "who reclaims twice is told so, and nothing is destroyed a second time")
def test_asked_again(app):
    """As a client does whose answer was lost: 409 while it is destroyed, 404 when it is gone."""
    project, reclamation = deleted(app)

    def act():
        return reclamations.reclaim(app, call(id=reclamation))

    assert act().body["state"] == "RECLAIMING"
    assert refused(act) == "project_not_deletable"
    assert refused(partial(reclamations.restore, app, call(id=reclamation))) == (
        "project_not_restorable"
    )
    while purge.advance(app, project) != "nothing":
        pass
    again, _ = deleted(app)  # of the same name, in the same slot
    before = everything(app)
    assert refused(act) == "resource_not_found"
    assert everything(app) == before
    assert stored(app, again)["status"] == "soft_deleted"


def test_it_is_kept_to_the_end(app):
    """Through a purge that failed and was tried again it is the same; the tombstone keeps it."""
    project, reclamation = deleted(app)

    def act():
        return reclamations.reclaim(app, call(id=reclamation))

    act()
    projects.move(app, project, "fail", call=None)
    (listed,) = reclamations.listing(app, call()).body["resources"]
    assert (listed["id"], listed["state"]) == (reclamation, "FAILED")
    assert act().body["id"] == reclamation
    while purge.advance(app, project) != "nothing":
        pass
    assert stored(app, project, "tombstones")["reclamation_id"] == reclamation


@pytest.mark.claim("I24", "a reclaim overtaken by a restore and another deletion destroys nothing")
@pytest.mark.parametrize("action", ACTIONS)
def test_overtaken(app, action):
    """It stops before its commit; meanwhile its deletion is taken back, and there is another."""
    project, reclamation = deleted(app)

    def meanwhile():
        reclamations.restore(app, call(id=reclamation))
        projects.delete(app, call(id=project))

    there, script = troubled(app, Rule(COMMIT, "meanwhile", last=1, other=meanwhile))
    act = getattr(reclamations, action)
    assert refused(lambda: act(there, call(id=reclamation))) == "resource_not_found"
    assert script.rules[0].met == 1
    found = stored(app, project)
    assert found["status"] == "soft_deleted"
    assert found["reclamation_id"] != reclamation


@pytest.mark.claim("F9", "a deletion that is tried again, or lost its answer, has one reclamation")
@pytest.mark.parametrize("how", ["before", "after", "twice"])
def test_its_id_is_made_once_a_call(app, how):
    """However often the commit is sent: what is stored is the first that was drawn."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    there, script = troubled(app, Rule(COMMIT, how, last=1))
    drawn = count()
    there = replace(there, new_id=lambda: f"drawn-{next(drawn)}")
    projects.delete(there, call(id=project))
    assert script.rules[0].met == 1
    assert stored(app, project)["reclamation_id"] == "drawn-0"


@pytest.mark.parametrize("action", ACTIONS)
def test_what_was_deleted_under_form_1(app, action):
    """Its project's id is its reclamation's until that deletion ends, and then no more."""
    project, _ = deleted(app)
    under_form_1(app, project)
    (listed,) = reclamations.listing(app, call()).body["resources"]
    assert listed["id"] == project
    ended = call(id=project)
    assert getattr(reclamations, action)(app, ended).body["id"] == project
    if action == "reclaim":
        assert refused(lambda: reclamations.reclaim(app, ended)) == "project_not_deletable"
        while purge.advance(app, project) != "nothing":
            pass
        assert stored(app, project, "tombstones")["reclamation_id"] == project
        return
    assert refused(lambda: reclamations.reclaim(app, ended)) == "resource_not_found"
    projects.delete(app, call(id=project))
    for act in (reclamations.restore, reclamations.reclaim):
        assert refused(partial(act, app, ended)) == "resource_not_found"
    assert reclaim(app, project).body["id"] != project


@pytest.mark.claim("I24", "what 0.1.0 deletes anew, after a rollback, no former reclamation ends")
@pytest.mark.parametrize("action", ACTIONS)
def test_deleted_anew_by_version_0_1_0(app, action):
    """It restores and deletes, and leaves what it does not know of: that is of no deletion now."""
    project, stale = deleted(app)
    path = f"projects/{project}"
    deletion = stored(app, project)["deleted_at"] + timedelta(seconds=1)
    writes = {"deleted_at": deletion, "purge_at": deletion + RETENTION, "restored_at": deletion}
    rewritten(app, project, **writes)
    before = everything(app)
    assert before[path]["reclamation_id"] == stale
    for act in (reclamations.restore, reclamations.reclaim):
        assert refused(partial(act, app, call(id=stale))) == "resource_not_found"
    assert everything(app) == before
    (listed,) = reclamations.listing(app, call()).body["resources"]
    assert listed["id"] == project
    getattr(reclamations, action)(app, call(id=project))
    if action == "restore":
        projects.delete(app, call(id=project))
        assert reclaim(app, project).body["id"] not in (stale, project)
        return
    while purge.advance(app, project) != "nothing":
        pass
    assert stored(app, project, "tombstones")["reclamation_id"] == project


def test_a_purge_of_form_1_goes_on(app):
    """What was marked under form 1, of an active project too, ends, and may be tried again."""
    project, reclamation = deleted(app)
    reclamations.reclaim(app, call(id=reclamation))
    under_form_1(app, project)
    projects.move(app, project, "fail", call=None)
    assert reclamations.reclaim(app, call(id=project)).body["state"] == "RECLAIMING"
    while purge.advance(app, project) != "nothing":
        pass
    assert stored(app, project) is None


@pytest.mark.claim("I21", "another account's reclamation answers as one that does not exist")
@pytest.mark.parametrize("action", ACTIONS)
def test_anothers(counted, action):
    """In the same words, after as many questions to the store, and nothing is changed."""
    app, api = counted
    project, reclamation = deleted(app)
    legacy, _ = deleted(app, "q")
    under_form_1(app, legacy)
    key = api_keys.create_account(app, call(body={"account_id": "b" * 32})).body["apikey"]
    stranger = principal_of(app, key)
    before, told_and_asked = everything(app), set()
    for id_ in (reclamation, project, legacy, NOWHERE):
        api.calls.clear()
        with pytest.raises(Error) as caught:
            getattr(reclamations, action)(app, replace(call(id=id_), principal=stranger))
        told_and_asked.add((caught.value.code, caught.value.message, tuple(api.calls)))
    ((code_, *_),) = told_and_asked
    assert code_ == "resource_not_found"
    assert everything(app) == before


def test_by_name(account):
    """`restoreProject` takes the reclamation or the project, exactly one; `reclaimProject` it."""
    project = account.project()
    for given in (
        lambda: {"id": account.reclamation(project)},
        lambda: {"project_id": project["id"]},
    ):
        account.delete(project)
        assert account.function("restoreProject", **given()).status_code == 200
    account.delete(project)
    reclamation = account.reclamation(project)
    both = {"id": reclamation, "project_id": project["id"]}
    for function, given, wanted in (
        ("restoreProject", both, "invalid_field"),
        ("restoreProject", {}, "missing_field"),
        ("restoreProject", {"project_id": "x"}, "invalid_field"),
        ("reclaimProject", {}, "missing_field"),
        ("reclaimProject", {"project_id": project["id"]}, "missing_field"),
    ):
        assert code(account.function(function, **given)) == (400, wanted)
    query = f"?project_id={project['id']}"  # which no path of REST takes
    answer = account.call("POST", f"/v1/reclamations/{NOWHERE}/actions/restore{query}", {})
    assert code(answer) == (404, "resource_not_found")
    assert account.status(project) == "soft_deleted"
    assert account.function("reclaimProject", id=reclamation).status_code == 200
    account.gone(project)
    assert code(account.function("restoreProject", project_id=project["id"])) == (
        404,
        "resource_not_found",
    )
