"""After the end somebody says so: what is told of a project that is permanently deleted."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from shared import projects, quotas
from shared.access import api_keys
from shared.calls import timestamp
from shared.errors import Error
from shared.projects import instances, reclamations
from shared.store import Write
from shared.upkeep import purge, schedule
from tests.support import WEEK, call, principal_of, reclaim

NOWHERE = "00000000-0000-4000-8000-000000000000"
MISSING = "Resource not found."
NEW = {"cause", "requested_by"}  # in a tombstone, since 0.1.0; and what a reclamation is known by
ONE_MORE = {  # round trips of a miss: those of the first look, then of the tombstone
    "get": ["batch_get_documents", "batch_get_documents"],
    "delete": ["batch_get_documents", "batch_get_documents"],
    "delete the instance": ["batch_get_documents", "batch_get_documents"],
    "restore the project": ["batch_get_documents", "batch_get_documents"],
    "restore": [*["batch_get_documents", "run_query", "batch_get_documents"] * 2][:5],
    "reclaim": [*["batch_get_documents", "run_query", "batch_get_documents"] * 2][:5],
}


def fields(app, project, collection="tombstones"):
    """Give what is stored of a project, or of its tombstone."""
    path = f"{collection}/{project}"
    return app.store.read(path)[path].fields


def ended(app, project):
    """Let the purge go on to its end; give the tombstone."""
    while purge.advance(app, project) != "nothing":
        pass
    return fields(app, project)


def made(app, name="p"):
    """Make a project and delete it; give its id, and that of the deletion's reclamation."""
    project = projects.create(app, call(body={"name": name})).body["id"]
    projects.delete(app, call(id=project))
    return project, fields(app, project, "projects")["reclamation_id"]


def destroyed(app, name="p"):
    """Make a project and destroy it; give its id, and that of the deletion's reclamation."""
    project, reclamation = made(app, name)
    reclaim(app, project)
    ended(app, project)
    return project, reclamation


def misses(app, project, reclamation, principal=None):
    """Give what is said of each way to ask by id, all of them a 404."""
    found = {}
    for word, act, asked in (
        ("get", projects.get, {"id": project}),
        ("delete", projects.delete, {"id": project}),
        ("delete the instance", instances.delete, {"id": project}),
        ("restore the project", reclamations.restore, {"project_id": project}),
        ("restore", reclamations.restore, {"id": reclamation}),
        ("reclaim", reclamations.reclaim, {"id": reclamation}),
    ):
        asking = call(**asked)
        if calls := getattr(app.store._api, "calls", None):
            calls.clear()
        with pytest.raises(Error) as caught:
            act(app, replace(asking, principal=principal or asking.principal))
        assert (caught.value.code, caught.value.status) == ("resource_not_found", 404)
        found[word] = caught.value.message, list(calls or ())
    return found


def said(app, project, reclamation):
    """Give the one thing that is said, however it is asked for."""
    (message,) = {message for message, _ in misses(app, project, reclamation).values()}
    return message


def expected(project, tombstone, why):
    """Give what is to be said."""
    when = f"was destroyed for good on {timestamp(tombstone['erased_at'])}{why}"
    said = f"{MISSING} Project `{project}` {when}; nothing can bring it back."
    more = f" `ce certificate get {project}` gets its certificate."
    return said + (more if tombstone.get("because") else "")


def other(app, account="b" * 32, **body):
    """Give who calls with a key of another account, or with a narrower one of the same."""
    if body:
        answer = api_keys.create(app, call(body={"name": "k", **body}))
    else:
        answer = api_keys.create_account(app, call(body={"account_id": account}))
    return principal_of(app, answer.body["apikey"])


def test_by_its_deadline(app):
    """Nobody asked for its end: that is remembered through a failure, and a retry by its owner."""
    project, reclamation = made(app)
    app.settings.clock_file.write_text(str(WEEK + 1))
    assert schedule.enforce(app)["expired"] == 1
    projects.move(app, project, "fail", call=None)
    reclamations.reclaim(app, call(id=reclamation))
    tombstone = ended(app, project)
    assert (tombstone["cause"], tombstone["requested_by"]) == ("deadline", "key")
    assert said(app, project, reclamation) == expected(project, tombstone, " (deadline)")


def test_because_somebody_asked(app):
    """Who asked is remembered, through a failure and the schedule's retry; a name is not."""
    project, reclamation = made(app)
    assert "cause" not in fields(app, project, "projects")
    reclaim(app, project)
    projects.move(app, project, "fail", call=None)
    projects.move(app, project, "retry", call=None)
    tombstone = ended(app, project)
    assert (tombstone["cause"], tombstone["requested_by"]) == ("reclaim", "key")
    assert "name" not in tombstone
    why = " (asked for with the API key `key`)"
    assert said(app, project, reclamation) == expected(project, tombstone, why)
    crn = instances.get(app, call(id=project)).body["crn"]
    for given, told in (
        (crn, said(app, project, reclamation)),
        (crn.replace("a/a", "a/b"), MISSING),
    ):
        with pytest.raises(Error) as caught:
            instances.delete(app, call(id=given))
        assert caught.value.message == told


@pytest.mark.parametrize("form", ["former", "0.1.0"])
def test_of_a_former_version(app, form):
    """Its tombstone lacks the cause; that of 0.1.0 the reclamation too, which had the id of it."""
    project, reclamation = destroyed(app)
    path, tombstone = f"tombstones/{project}", fields(app, project)
    lacks = NEW | ({"reclamation_id", "reclamation_of"} if form == "0.1.0" else set())
    kept = {name: value for name, value in tombstone.items() if name not in lacks}
    app.store.commit([Write(path, kept)])
    by = project if form == "0.1.0" else reclamation
    assert said(app, project, by) == expected(project, tombstone, "")
    for unknown in {project, reclamation} - {by}:
        assert misses(app, project, unknown)["restore"][0] == MISSING


@pytest.mark.claim("I21", "another's destroyed project answers as one that never was")
def test_strangers(counted):
    """In the same words, after as many round trips: an id of nobody's, or of another's."""
    app, _ = counted
    gone, living = destroyed(app, "gone"), made(app, "living")
    here = {word: (MISSING, calls) for word, calls in ONE_MORE.items()}
    assert misses(app, NOWHERE, NOWHERE) == here
    known = misses(app, *gone)
    assert {word: calls for word, (_, calls) in known.items()} == ONE_MORE
    assert all(
        message.startswith(f"{MISSING} Project `{gone[0]}`") for message, _ in known.values()
    )
    stranger, narrow = other(app), other(app, project_id=living[0])
    for ids in (gone, living, (NOWHERE, NOWHERE)):
        assert misses(app, *ids, stranger) == here
    assert misses(app, *gone, narrow) == here
    away = replace(app, settings=replace(app.settings, region="eu-de"))
    for ids in (gone, living):
        assert misses(away, *ids) == here


def pages(app, principal=None, **asked):
    """Give the pages of a list of instances, each as names or, where there is none, ids."""
    found, start = [], {}
    while start is not None:
        assert len(found) < 9
        asking = call(**asked | start)
        answer = instances.listing(app, replace(asking, principal=principal or asking.principal))
        page = answer.body["resources"]
        assert answer.body["rows_count"] == len(page)
        found.append([one.get("name", one["guid"]) for one in page])
        start = dict(parse_qsl(urlsplit(answer.body["next_url"]).query)) or None
        start = start and {"start": start["start"]}
    return found


def test_removed_instances_are_listed(app, monkeypatch):
    """The account's own of this region, last by id, and as each is told alone; no other list."""
    gone = sorted(destroyed(app, name)[0] for name in ("a", "b", "c"))
    living, leaving = made(app, "living")[0], made(app, "leaving")[0]
    reclaim(app, leaving)
    assert pages(app, state="removed") == [["leaving", *gone]]
    assert pages(app, state="removed", limit=2) == [["leaving", gone[0]], gone[1:]]
    monkeypatch.setattr(quotas, "RECLAMATIONS", 2)
    listed = [name for page in pages(app, state="removed", limit=1) for name in page]
    assert listed == ["leaving", *gone]
    monkeypatch.undo()
    (first, *_) = instances.listing(app, call(state="removed", guid=gone[0])).body["resources"]
    assert first == instances.get(app, call(id=gone[0])).body
    assert "name" not in first
    for filtered in ({"name": "a"}, {"updated_to": "2021-01-01"}, {"resource_group_id": "x"}):
        assert pages(app, state="removed", **filtered) == [[]]
    assert pages(app, state="pending_reclamation") == [["living"]]
    assert pages(app) == pages(app, state="failed") == [[]]
    for start in ("tombstones/..", "tombstones/a/b", f"tombstones/{gone[-1]}"):
        assert gone[0] not in pages(app, state="pending_reclamation", start=start)[0]
    assert pages(app, state="removed", start=f"tombstones/{gone[-1]}") == [[]]
    assert pages(app, state="removed", start="tombstones/a/b") == [gone]
    assert pages(app, other(app), state="removed") == [[]]
    away = replace(app, settings=replace(app.settings, region="eu-de"))
    assert pages(away, state="removed") == [[]]
    assert pages(app, other(app, project_id=living), state="removed") == [[]]
    assert ended(app, leaving)["status"] == "hard_deleted"


def test_one_that_ends_while_it_is_listed(counted, monkeypatch):
    """It is found among the projects and among the tombstones, and shown once."""
    app, api = counted
    project, _ = made(app)
    reclaim(app, project)
    key = other(app, project_id=project)
    query = app.store.query

    def meanwhile(collection, *filters, **how):
        found = query(collection, *filters, **how)
        if collection == "projects":
            ended(app, project)
        return found

    monkeypatch.setattr(app.store, "query", meanwhile)
    assert pages(app, state="removed") == [["p"]]
    api.calls.clear()
    assert pages(app, state="removed") == [[project]]
    assert api.calls.count("run_query") == 2
    assert pages(app, key, state="removed") == [[project]]
    assert pages(app, key, state="removed", start=f"tombstones/{project}") == [[]]
