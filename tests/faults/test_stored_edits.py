"""What somebody does who has the database or a copy of it: restores it, moves values, edits."""

import json
import random
from dataclasses import replace
from itertools import permutations

import pytest

from shared import projects, resources
from shared.calls import timestamp
from shared.errors import Error
from shared.keys import Undecryptable
from shared.keys.local import open_keyring
from shared.kinds import SECRETS
from shared.projects import reclamations, slots
from shared.resources import data_key_path
from shared.store import Write
from shared.upkeep import orphans, purge, rotation, schedule
from tests.faults.test_store_faults import everything
from tests.faults.test_time_faults import DAY, HOUR, status
from tests.resources.test_chunks import put, secret, value
from tests.support import WEEK, call, halves_in, paths_below, reclaim, seed, until

CANARY = "canary-of-an-edit"
MOMENTS = ("before it was made", "active", "soft deleted", "marked", "begun", "shredded", "swept")


def put_back(app, copy):
    """Restore the whole database from a copy."""
    gone = everything(app).keys() - copy.keys()
    app.store.commit([Write.discard(path) for path in gone])
    app.store.commit([Write(path, fields) for path, fields in copy.items()])


def another(app):
    """Give another process of the same deployment, which has no key in memory."""
    settings = app.settings
    return replace(app, keyring=open_keyring(settings.keyring, settings.key_store))


def slots_agree(app):
    """Tell whether the slots are those of the projects there are."""
    documents = everything(app)
    named = {
        path.partition("/")[2]: fields["name"]
        for path, fields in documents.items()
        if path.startswith("projects/") and path.count("/") == 1
    }
    region = documents.get(f"regions/{'a' * 32}.{app.settings.region}", {"slots": {}})
    return region["slots"] == named


@pytest.mark.claim("F37", "a database restored to any moment of a project: slots right, no value")
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_restored_database(app, moment):
    """The project was destroyed after the copy was made; what comes back is empty, and ends."""
    copies = {"before it was made": everything(app)}
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    path = secret(app, project, "s", {"k": CANARY})
    copies["active"] = everything(app)
    projects.delete(app, call(id=project))
    copies["soft deleted"] = everything(app)
    reclaim(app, project)
    copies["marked"] = everything(app)
    for after in ("begun", "shredded", "swept", "gone"):
        purge.advance(app, project)
        copies[after] = everything(app)
    assert status(app, project) is None
    put_back(app, copies[moment])
    there = another(app)
    assert slots_agree(there)
    with pytest.raises(Undecryptable):
        there.keyring.open(project, copies["active"][data_key_path(project)])
    if moment == "soft deleted":
        reclamations.restore(there, call(project_id=project))
    if moment in ("active", "soft deleted"):
        with pytest.raises(Undecryptable):
            value(there, path)
    other = projects.create(there, call(body={"name": "other"})).body["id"]
    assert value(there, secret(there, other, "s", {"k": "v"})) == {"k": "v"}
    if moment in ("active", "soft deleted"):
        projects.delete(there, call(id=project))
    for hours in (0, 2):  # what stood still since before the copy is given up first, then retried
        there.settings.clock_file.write_text(str(WEEK + 1 + hours * HOUR))
        schedule.enforce(there)
        for _ in range(5):
            purge.advance(there, project)
        if not hours and moment in ("active", "soft deleted", "marked"):
            assert status(there, project) == "hard_deletion_failed"  # who knows what became of it?
            (there.settings.key_store / project).touch()  # the operator: it is gone
    assert status(there, project) is None
    assert slots_agree(there)
    assert schedule.enforce(replace(there, random=lambda: 0.0))["disagreements"] == 0


@pytest.mark.claim("F38", "a key half put back after its project's end opens nothing that is left")
def test_a_restored_key_half(app):
    """The operator restores the key store's folder: the half goes again, others are served."""
    project, other = (
        projects.create(app, call(body={"name": name})).body["id"] for name in ("p", "q")
    )
    secret(app, project, "s", {"k": CANARY})
    kept = secret(app, other, "s", {"k": "v"})
    half = (app.settings.key_store / project).read_bytes()
    reclaim(app, project)
    for _ in range(4):
        purge.advance(app, project)
    before = everything(app)
    (app.settings.key_store / project).write_bytes(half)
    there = another(app)
    done = schedule.enforce(there)
    assert (done["returned"], sum(done.values())) == (1, 1)
    assert halves_in(app.settings.key_store) == {other}
    assert everything(app) == before
    assert not any(path.startswith(f"projects/{project}") for path in before)
    for act in (reclamations.restore, projects.get):
        with pytest.raises(Error) as refused:
            act(there, call(id=project, project_id=project))
        assert refused.value.code == "resource_not_found"
    assert value(there, kept) == {"k": "v"}


@pytest.mark.slow
@pytest.mark.claim(
    "F40", "of 20 secrets no ciphertext opens in the place of another, nor an old one"
)
def test_every_pair(app, record_property):
    """All pairs, within and across projects and formats: one refusal, without a word."""
    number = seed()
    choose = random.Random(number).choice
    homes = [projects.create(app, call(body={"name": name})).body["id"] for name in ("p", "q")]
    forms = {"generic": {"k": CANARY}, "basic_auth": {"username": "u", "password": CANARY}}
    paths = [
        secret(app, home, f"s{n}", data, form)
        for home in homes
        for form, data in forms.items()
        for n in range(5 * (form == "generic"), 5 + 5 * (form == "generic"))
    ]
    old = app.store.read(*paths).documents
    for path in paths:
        _, project, _, name = path.split("/")
        body = {key: old[path].fields["body"][key] for key in ("format",)}
        body["data"] = forms[body["format"]]
        asked = call(body=body, project_id=project, name=name, if_match="*")
        resources.update(SECRETS, app, asked)
    now = app.store.read(*paths).documents
    moves = [(there, now[source]) for there, source in permutations(paths, 2)]
    moves += [(path, old[path]) for path in paths]
    for path, source in moves:
        fields = choose([("sealed",), ("sealed", "value_id"), ("sealed", "value_id", "body")])
        if source.path == path:
            fields = ("sealed",)  # with all of them it would be the old version, whole
        put(app, path, **{name: source.fields[name] for name in fields})
        with pytest.raises(Undecryptable) as refused:
            value(app, path)
        assert (refused.value.args, refused.value.__cause__) == ((), None)
        put(app, path, **{name: now[path].fields[name] for name in fields})
    for path in paths:
        assert CANARY in value(app, path).values()
    assert len(moves) == 20 * 19 + 20
    record_property("said", f"{len(moves)} moves, seed {number}")


@pytest.mark.claim("F40", "whatever is wrong with a ciphertext, the answer is the same, and logged")
def test_one_answer(host, account):
    """Another secret's, another project's, damaged, none: 500 with a trace, and a line for it."""
    one, two = account.project(), account.project()
    for project, name in ((one, "a"), (one, "b"), (two, "a")):
        account.secret(project, name, {"k": CANARY})
    store = host.inside.store
    path = f"projects/{one['id']}/secrets/a"
    sources = [f"projects/{one['id']}/secrets/b", f"projects/{two['id']}/secrets/a"]
    sealed = [host.inside.document(source)["sealed"] for source in sources]
    sealed += [sealed[0][:-1], sealed[0][:-1] + bytes([sealed[0][-1] ^ 1]), b"", None]
    answers = []
    for text in sealed:
        store.commit([Write.update(store.read(path)[path], {"sealed": text})])
        answers.append(account.call("GET", f"/v2/{path}"))
    said = [
        (a.status_code, a.json()["errors"][0]["code"], a.json()["errors"][0]["message"])
        for a in answers
    ]
    assert set(said) == {(500, "internal", "Internal error.")}
    assert not any(CANARY in answer.text for answer in answers)
    for trace in (answer.json()["trace"] for answer in answers):
        until(lambda trace=trace: trace in host.log())
        (line,) = (row for row in host.log().splitlines() if trace in row)
        assert json.loads(line)["message"] == "Undecryptable"
    assert CANARY not in host.log()


RECORDS = {  # what becomes of a project's key record
    "gone": lambda _: {},
    "what is never created": lambda _: orphans.NEVER,
    "without a key's name": lambda record: {k: v for k, v in record.items() if k != "kek"},
    "a key's name no text": lambda record: record | {"kek": {"a": 1}},
    "a half no bytes": lambda record: record | {"wrapped": "text"},
    "a half of another type": lambda record: record | {"wrapped": [1]},
    "of no generation": lambda record: {k: v for k, v in record.items() if k != "generation"},
    "of another generation": lambda record: record | {"generation": "x"},
}


@pytest.mark.claim("F40", "a project's key record that is damaged: the same answer, nothing sealed")
def test_a_damaged_key_record(app, subtests):
    """Also while its key is in memory; others are rotated, and the project can be destroyed."""
    project, other = (projects.create(app, call(body={"name": n})).body["id"] for n in "po")
    path, there = secret(app, project, "s", {"k": CANARY}), another(app)
    record = app.store.read(data_key_path(project))[data_key_path(project)].fields
    asked = call(body={"name": "t", "format": "generic", "data": {}}, project_id=project)
    for said, change in RECORDS.items():
        app.store.commit([Write(data_key_path(project), change(record))])
        with subtests.test(said):
            for process in (app, there):
                for act in (
                    lambda p=process: value(p, path),
                    lambda p=process: resources.create(SECRETS, p, asked),
                ):
                    with pytest.raises(Undecryptable):
                        act()
            for step in ("list", "rewrap"):
                assert "next" not in rotation.rotate(app, call(body={"step": step})).body
    app.store.commit([Write(data_key_path(project), record)])
    assert value(there, path) == {"k": CANARY}
    app.store.commit([Write(data_key_path(project), orphans.NEVER)])
    reclaim(app, project)
    while purge.advance(app, project) != "nothing":
        pass
    assert halves_in(app.settings.key_store) == {other}


SLOTS = {  # what of a region is changed by hand
    "one is freed": lambda slots, project: {k: v for k, v in slots.items() if k != project},
    "one is made up": lambda slots, _: {**slots, "1" * 36: "made-up"},
    "one is renamed": lambda slots, project: {**slots, project: "another"},
}


@pytest.mark.claim("F41", "slots and names edited in the store are reported by the next runs")
@pytest.mark.parametrize("how", SLOTS)
def test_edited_slots(app, how, caplog):
    """The schedule counts the region and names it in the log; put right, it is silent."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    region = slots.region_path("a" * 32, app.settings.region)
    right = app.store.read(region)[region].fields["slots"]
    from_the_start = replace(app, random=lambda: 0.0)
    assert schedule.enforce(from_the_start)["disagreements"] == 0
    put(app, region, slots=SLOTS[how](right, project))
    assert schedule.enforce(from_the_start)["disagreements"] == 1
    told = [json.loads(record.message) for record in caplog.records]
    assert [(line["severity"], line["message"]) for line in told] == [("ERROR", "slots disagree")]
    put(app, region, slots=right)
    assert schedule.enforce(from_the_start)["disagreements"] == 0


@pytest.mark.claim("F41", "a deadline damaged in the store purges nothing, and can be put right")
@pytest.mark.parametrize("odd", [None, "2020-01-01T00:00:00Z", 0, True, {}], ids=str)
def test_a_damaged_deadline(app, odd):
    """What is no time is never due, and cannot be restored either; nothing of it is lost."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    path = secret(app, project, "s", {"k": "v"})
    projects.delete(app, call(id=project))
    document = f"projects/{project}"
    right = app.store.read(document)[document].fields["purge_at"]
    put(app, document, purge_at=odd)
    app.settings.clock_file.write_text(str(30 * DAY))
    assert schedule.enforce(app)["expired"] == 0
    assert status(app, project) == "soft_deleted"
    assert (app.settings.key_store / project).exists()
    assert path in paths_below(app.store, document, 10)
    put(app, document, purge_at=right)
    app.settings.clock_file.write_text(str(6.99 * DAY))
    reclamations.restore(app, call(project_id=project))
    assert value(app, path) == {"k": "v"}


@pytest.mark.claim("F41", "a status edited in the store, without the times of it, purges nothing")
@pytest.mark.parametrize("word", ["soft_deleted", "hard_deleted", "hard_deletion_failed", "odd"])
def test_an_edited_status(app, word):
    """The schedule leaves such a project alone, for weeks; put right it is whole."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    path = secret(app, project, "s", {"k": "v"})
    put(
        app, f"projects/{project}", status=word, updated_at=timestamp(app.now(app.store.read(path)))
    )
    for days in (0, 8, 30):
        app.settings.clock_file.write_text(str(days * DAY))
        done = schedule.enforce(app)
        assert (done["expired"], done["nudged"], done["retried"]) == (0, 0, 0)
        assert purge.advance(app, project) == "nothing"
    with pytest.raises(Error):
        value(app, path)
    put(app, f"projects/{project}", status="active")
    assert value(app, path) == {"k": "v"}
