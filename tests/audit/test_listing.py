"""An account's trail as it reads it: what is told, to whom, in which order and by which filters."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared import evidence, projects, quotas
from shared.access import api_keys
from shared.audit import listing
from shared.calls import Principal
from shared.errors import Error
from shared.keys import RECORD
from shared.log import dump
from shared.store import Write
from tests.support import call, principal_of, project_of
from tests.support.former import in_form
from tests.support.kept import kept
from tests.support.sealed import lines

OTHER = "b" * 32
REFUSED = dict.fromkeys(
    (*listing.INDEX, "record", "salt", "prev", "seq", "epoch", "index"), None
) | {"status": "refused"}
AT = datetime(2026, 11, 30, 2, 28, 5, 250000, UTC)


def page(app, principal=None, **asked):
    """Give a page: entries and where the next begins."""
    asking = call(**asked)
    answer = listing.listing(app, replace(asking, principal=principal or asking.principal))
    return answer.page.entries, answer.page.next


def listed(app, principal=None, **asked):
    """Give the ids of all entries, page after page."""
    found, start = [], {}
    while True:
        entries, following = page(app, principal, **asked | start)
        found += [entry["id"] for entry in entries]
        if following is None:
            return found
        start = {"start": following}


def written(app, account="a" * 32, number=1, at=AT, action="project.create", **more):
    """Write entries of one time and one project; give their ids, which sort as they come."""
    project = project_of(account_id=account, id=more.pop("project", project_of().id))
    origin = replace(call().origin, principal=Principal(more.pop("key", "k" * 16), account, ()))
    made = [
        evidence.by(app, replace(origin, trace=f"codeengine-api-{n:032x}.{action}"), action,
                    project, at, **more)
        for n in range(number)
    ]  # fmt: skip
    app.store.commit(made)
    return [write.path.removeprefix("audit/") for write in made]


def stored(app, id_):
    """Give an entry as it is stored."""
    path = f"audit/{id_}"
    return app.store.read(path)[path]


def test_what_is_told(app):
    """An entry tells what its record says, the record to the byte, and that it waits."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    ((entry,), following) = page(app)
    fields = stored(app, entry["id"]).fields
    assert following is None
    assert base64.b64decode(entry.pop("record")) == fields["record"]
    said = json.loads(fields["record"])
    assert said["project_id"] == project
    assert entry == said | {
        "salt": fields["salt"].hex(),
        "status": "waiting",
        **dict.fromkeys(("seq", "prev", "epoch", "index")),
    }


def test_what_is_sealed(app):
    """A sealed entry tells its place: its number in the log, in the account, and what came before.

    One whose record was erased tells no more than that: its index, which nothing proves then, is
    not told, whoever wrote what into it.
    """
    (id_,) = written(app)
    place = {"epoch": 1, "n": 41, "seq": 7, "prev": bytes(range(32)), "pending": None}
    app.store.commit([Write.update(stored(app, id_), place)])
    ((entry,), _) = page(app)
    assert (entry["status"], entry["epoch"], entry["index"], entry["seq"]) == ("sealed", 1, 41, 7)
    assert entry["prev"] == bytes(range(32)).hex()
    gone = {"record": None, "salt": "planted", "initiator": "planted", "action": b"planted"}
    app.store.commit([Write.update(stored(app, id_), gone)])
    ((erased,), _) = page(app)
    assert erased == {
        **{name: entry[name] for name in ("id", "at", "epoch", "index", "seq")},
        **dict.fromkeys(listing.INDEX),
        "record": None,
        "salt": None,
        "prev": entry["prev"],
        "status": "erased",
    }


def test_a_certificate(app):
    """A certificate is in the trail as the end of its project, and its record is the statement."""
    project = kept(app, "a" * 32)
    ((entry,), _) = page(app)
    assert entry["action"] == "codeengine.project.erase"
    assert (entry["project_id"], entry["initiator"]) == (project, "retention")
    assert entry["status"] == "waiting"
    assert json.loads(base64.b64decode(entry["record"]))["predicate"]["project"]["id"] == project
    assert "_type" not in entry


def test_what_version_0_1_0_wrote(app):
    """An entry without a record is told by its fields, and as one that nothing proves.

    So it is while the store's form is the former one; then whoever writes the database planted it.
    """
    fields = {"action": "codeengine.secret.read", "account_id": "a" * 32, "project_id": "p"}
    fields |= {"at": AT, "outcome": "success", "initiator": "k", "name": "db", "key": "K"}
    app.store.commit([Write.create("audit/old", fields | {"correlation_id": "t"})])
    ((entry,), _) = page(in_form(app, 1))
    assert (entry["names"], entry["key"], entry["correlation_id"]) == (["db"], "K", "t")
    assert (entry["at"], entry["status"]) == ("2026-11-30T02:28:05.250000Z", "former")
    assert (entry["record"], entry["salt"], entry["index"]) == (None, None, None)
    ((entry,), _) = page(app)
    assert entry == REFUSED | {"id": "old", "at": "2026-11-30T02:28:05.250000Z"}
    app.store.commit([Write.update(stored(app, "old"), {"key": b"K"})])
    ((entry,), _) = page(in_form(app, 1))
    assert entry["status"] == "refused"


@pytest.mark.parametrize(
    "planted",
    [
        {"record": b'{"_type":"urn:reprieve:audit:v1"}'},
        {"salt": bytes(16)},
        {"mac": None},
        {"action": "codeengine.project.delete"},
        {"initiator": "retention"},
        {"outcome": "denied"},
        {"project_id": None},
        {"at": AT + timedelta(seconds=1)},
        {"pending": "refused"},
    ],
    ids=lambda planted: next(iter(planted)),
)
def test_what_was_changed_in_the_database(app, planted):
    """What the service did not write so is told as refused, and of its record nothing."""
    (id_,) = written(app)
    app.store.commit([Write.update(stored(app, id_), planted)])
    ((entry,), _) = page(app)
    assert (entry["id"], entry["status"], entry["record"]) == (id_, "refused", None)
    assert "key_name" not in entry


ODD = [
    *(("record", value) for value in ("abc", 5, {"a": b"x"}, [b"x"], True)),
    *((name, value) for name in ("salt", "mac") for value in ("abc", 5, None, {"a": 1})),
    *(("prev", value) for value in ("abc", 5, bytes(31), {"a": 1})),
    *(("seq", value) for value in (float("nan"), True, "x", -1, 1.0, AT, None)),
    *(("n", value) for value in (float("nan"), "x", -1, None)),
    *(("epoch", value) for value in (float("nan"), b"x", None)),
    *((name, value) for name in ("action", "initiator", "outcome") for value in (b"x", AT, [1])),
    ("project_id", {"planted": b"x"}),
]


def test_odd_types(app, caplog, subtests):
    """What is of another type than this service writes is refused; the others are told as ever."""
    ids = written(app, number=2)
    odd, good = sorted(ids)
    place = {"epoch": 1, "n": 41, "seq": 7, "prev": bytes(32), "pending": None}
    app.store.commit([Write.update(stored(app, odd), place)])
    whole = stored(app, odd)
    assert [one["status"] for one in page(app)[0]] == ["sealed", "waiting"]
    for name, value in ODD:
        with subtests.test(name, value=repr(value)):
            caplog.clear()
            app.store.commit([Write(whole.path, {**whole.contents, name: value})])
            entries, _ = page(app)
            json.dumps(entries, allow_nan=False)
            assert entries[0] == REFUSED | {"id": odd, "at": "2026-11-30T02:28:05.250000Z"}
            assert (entries[1]["id"], entries[1]["status"]) == (good, "waiting")
            assert [one["path"] for one in lines(caplog, "CRITICAL")] == [whole.path]
            with pytest.raises(Error) as refused:
                listing.proof(app, call(id=odd))
            assert refused.value.code == "resource_not_found"


@pytest.mark.parametrize("odd", [None, 5, True, float("nan"), "abc", b"x", [1], {"a": 1}], ids=str)
def test_no_time(app, caplog, odd):
    """What has no time has no place, and is left out, which is told; no page ends there."""
    first, last = written(app, number=2)
    at = {"at": odd, "account_id": "a" * 32}
    paths = [f"audit/planted{number}" for number in range(3)]
    app.store.commit([Write.create(path, at) for path in paths])
    entries, _ = page(app)
    assert [one["id"] for one in entries] == [first, last]
    assert [one["path"] for one in lines(caplog, "CRITICAL")] == paths
    for limit in (1, 2, 3, 4):
        assert listed(app, limit=limit) == [first, last]


def test_times_and_ids_of_no_entry(app):
    """A time before the year 1000 has a position; an id that no position can have is left out."""
    ids = written(app, number=2)
    early = {"at": datetime(1, 1, 2, tzinfo=UTC), "account_id": "a" * 32}
    odd = {"at": AT, "account_id": "a" * 32}
    app.store.commit([Write.create("audit/early", early), Write.create("audit/\u00e9 x", odd)])
    for limit in (1, 2, 3):
        assert listed(app, limit=limit) == ["early", *ids]
    assert page(app)[0][0]["at"] == "0001-01-02T00:00:00.000000Z"


@pytest.mark.parametrize("record", [b"[1]", b"5", b"{", b"\xff", b'{"_type":5}', b"[" * 100_000])
def test_a_record_of_another_form(app, record):
    """Even under a MAC of ours what is no object of a known type is refused."""
    (id_,) = written(app)
    salt = bytes(16)
    mac = app.keyring.state.mac(RECORD, salt + record)
    fields = {"record": record, "salt": salt, "mac": mac}
    app.store.commit([Write.update(stored(app, id_), fields)])
    assert page(app)[0][0]["status"] == "refused"


def test_a_statement_of_another_form(app):
    """A statement that is about no project is refused, and so is one with another's index."""
    statement = "https://in-toto.io/Statement/v1"
    for said in ({}, {"predicate": 5}, {"predicate": {"project": [1]}}):
        record, salt = dump({"_type": statement, **said}), bytes(16)
        mac = app.keyring.state.mac(RECORD, salt + record)
        fields = {"record": record, "salt": salt, "mac": mac, "at": AT, "account_id": "a" * 32}
        app.store.commit([Write("audit/None.erase", fields)])
        assert page(app)[0][0]["status"] == "refused"
    kept(app, "a" * 32, action="planted", at=AT + timedelta(days=1))
    assert page(app)[0][1]["status"] == "refused"


def test_an_entry_moved_to_another_account(app):
    """An entry whose index names another account than its record tells that one nothing."""
    (id_,) = written(app, OTHER, names=["theirs"])
    app.store.commit([Write.update(stored(app, id_), {"account_id": "a" * 32})])
    ((entry,), _) = page(app)
    assert entry["status"] == "refused"
    assert "theirs" not in json.dumps(entry)
    project = kept(app, OTHER, account_id="a" * 32)
    told = {entry["id"]: entry for entry in page(app)[0]}
    assert told[f"{project}.erase"]["status"] == "refused"
    assert told[f"{project}.erase"]["record"] is None


def test_the_order_is_of_time_and_id(app):
    """Pages of any size give each entry once, the oldest first, those of one time by their ids."""
    later = written(app, at=AT + timedelta(microseconds=1), action="secret.create")
    ids = written(app, number=7)
    for limit in (1, 2, 3, 7, 8, 200):
        assert listed(app, limit=limit) == [*ids, *later]


def test_what_comes_meanwhile(app):
    """An entry that comes between two pages is missed by none, and doubles none."""
    ids = written(app, number=4)
    entries, following = page(app, limit=2)
    new = written(app, at=AT + timedelta(days=1), action="secret.create")
    assert [entry["id"] for entry in entries] == ids[:2]
    assert listed(app, limit=2, start=following) == [*ids[2:], *new]


def test_a_page_ends_before_it_is_too_large(app, monkeypatch):
    """A page is bounded by bytes too; at least one entry is on it, and none is left out."""
    ids = written(app, number=5, names=["x" * 253] * 10)
    monkeypatch.setattr(quotas, "PAGE_BYTES", 25_000)
    entries, following = page(app)
    assert 1 < len(entries) < 5
    assert following
    assert listed(app) == ids
    monkeypatch.setattr(quotas, "PAGE_BYTES", 10)
    assert len(page(app)[0]) == 1
    assert listed(app) == ids


def test_filters(app):
    """By project, action, initiator and time, each alone and together; `until` is left out."""
    first = written(app, project="11111111-1111-4111-8111-111111111111")
    second = written(app, action="secret.read", key="1" * 16, at=AT + timedelta(seconds=2))
    one = {"project_id": "11111111-1111-4111-8111-111111111111"}
    read, at = "codeengine.secret.read", "2026-11-30T02:28:07.250000Z"
    assert listed(app, **one) == first
    assert listed(app, action=read) == second
    assert listed(app, initiator="1" * 16) == second
    assert listed(app, since=at) == second
    assert listed(app, until=at) == first
    assert listed(app, since="2026-11-30", until="2026-12-01") == [*first, *second]
    assert (
        listed(app, action=read, initiator="1" * 16, project_id=project_of().id, since=at) == second
    )
    assert listed(app, action=read, **one) == []
    assert listed(app, initiator="retention") == []


@pytest.mark.parametrize("time", ["2026-02-30", "2026-11-30T25:00:00Z", "0000-01-01"])
@pytest.mark.parametrize("name", ["since", "until"])
def test_times_that_are_none(app, name, time):
    """A day or an hour that no calendar has is refused by its parameter."""
    with pytest.raises(Error) as caught:
        page(app, **{name: time})
    assert (caught.value.code, str(caught.value.target)) == ("invalid_field", name)


@pytest.mark.parametrize(
    "start",
    [
        *("testString", "2026-11-30T02:28:05Z.x", "2026-11-30T02:28:05.250000Z", " "),
        *("2026-11-30T02:28:05.250000Z.a/b", "2026-11-30T02:28:05.250000Z.__a__"),
        *("2026-11-30T02:28:05.250000Z...", "2026-02-30T02:28:05.250000Z.x"),
    ],
)
def test_positions_that_are_none(app, start):
    """What no page gave is refused: it would begin anew, and look like a page."""
    with pytest.raises(Error) as caught:
        page(app, start=start)
    assert (caught.value.code, str(caught.value.target)) == ("invalid_field", "start")


def test_another_account(app):
    """Another account's entries are in no list, whichever project, action or key is asked for."""
    written(app, OTHER, number=3, names=["theirs"])
    assert listed(app) == []
    for asked in (
        {"project_id": project_of().id},
        {"action": "codeengine.project.create"},
        {"initiator": "k" * 16},
    ):
        assert listed(app, **asked) == []


def test_a_key_for_one_project(app):
    """It is shown its project's entries alone: not the account's, nor another project's."""
    mine = projects.create(app, call(body={"name": "mine"})).body["id"]
    other = projects.create(app, call(body={"name": "other"})).body["id"]
    body = {"name": "k", "roles": ["auditor"], "project_id": mine}
    key = principal_of(app, api_keys.create(app, call(body=body)).body["apikey"])
    seen = {entry["project_id"] for entry in page(app, key)[0]}
    assert seen == {mine}
    assert listed(app, key, project_id=mine) == listed(app, project_id=mine)
    assert listed(app, key, project_id=other) == []
    assert len(listed(app, project_id=other)) == 1


def test_a_key_that_is_gone(app):
    """A token whose key is gone reads no trail, and leaves no entry."""
    made = api_keys.create(app, call(body={"name": "k", "roles": ["auditor"]})).body
    key = principal_of(app, made["apikey"])
    assert listed(app, key)
    api_keys.delete(app, call(id=made["id"]))
    before = listed(app)
    for act in (listing.listing, listing.export):
        with pytest.raises(Error) as caught:
            act(app, replace(call(), principal=key))
        assert caught.value.code == "unauthorized"
    assert listed(app) == before


def test_an_export_is_an_entry(app):
    """An export that begins leaves an entry: of the account, or of the one project of its key."""
    asked = call()
    told = listing.export(app, asked).body
    (entry,) = page(app, action="codeengine.audit.export")[0]
    assert told == {"id": asked.trace, "at": entry["at"]}
    assert (entry["id"], entry["project_id"], entry["status"]) == (asked.trace, None, "waiting")
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    body = {"name": "k", "roles": ["auditor"], "project_id": project}
    key = principal_of(app, api_keys.create(app, call(body=body)).body["apikey"])
    listing.export(app, replace(call(), principal=key))
    (_, entry) = page(app, action="codeengine.audit.export")[0]
    assert entry["project_id"] == project
