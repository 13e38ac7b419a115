"""Certificates: listed, handed out to the byte, and made nameless, for their account alone."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared import projects
from shared.access import api_keys
from shared.audit import certificates
from shared.errors import Error
from shared.store import Write
from tests.support import call, principal_of
from tests.support.entries import entries
from tests.support.kept import SALT, kept, name_digest
from tests.support.sealed import lines

OTHER = "b" * 32
NOWHERE = "00000000-0000-4000-8000-000000000000"


def listed(app, principal=None, **asked):
    """Give a page of certificates."""
    asking = call(**asked)
    answer = certificates.listing(app, replace(asking, principal=principal or asking.principal))
    return answer.page.entries, answer.page.next


def got(app, project, principal=None):
    """Give the answer to who asks for a project's certificate."""
    asking = call(id=project)
    return certificates.get(app, replace(asking, principal=principal or asking.principal))


def refusal(act, *given, **more):
    """Give the code of what is refused."""
    with pytest.raises(Error) as caught:
        act(*given, **more)
    return caught.value.code, caught.value.message


def fields(app, path):
    """Give what is stored at a path."""
    return app.store.read(path)[path]


def narrow(app, project):
    """Give who calls with an auditor's key for one project."""
    body = {"name": "k", "roles": ["auditor"], "project_id": project}
    return principal_of(app, api_keys.create(app, call(body=body)).body["apikey"])


def test_what_a_list_tells(app):
    """A list tells what finds a certificate, its digest, and how far the log is."""
    project = kept(app, "a" * 32)
    record = fields(app, f"audit/{project}.erase").fields["record"]
    ((told,), following) = listed(app)
    assert following is None
    assert told == {
        "project_id": project,
        "erased_at": "2026-12-07T02:30:03.500000Z",
        "test": False,
        "sha256": hashlib.sha256(record).hexdigest(),
        "name_digest": name_digest("shop"),
        "name_salt": SALT.hex(),
        "entry": f"{project}.erase",
        "status": "waiting",
        "epoch": None,
        "index": None,
    }
    place = {"epoch": 1, "n": 200, "seq": 7, "prev": bytes(32), "pending": None}
    app.store.commit([Write.update(fields(app, f"audit/{project}.erase"), place)])
    ((told,), _) = listed(app)
    assert (told["status"], told["epoch"], told["index"]) == ("sealed", 1, 200)


def test_pages(app):
    """Pages of any size give each certificate once, by the ids of their projects."""
    made = sorted(kept(app, "a" * 32) for _ in range(5))
    kept(app, OTHER)
    for limit in (1, 2, 5, 6):
        found, start = [], {}
        while start is not None:
            entries, following = listed(app, limit=limit, **start)
            found += [entry["project_id"] for entry in entries]
            start = {"start": following} if following else None
        assert found == made


def test_the_bytes(app):
    """A certificate is the record to the byte, and its entity tag the digest of that."""
    project = kept(app, "a" * 32)
    record = fields(app, f"audit/{project}.erase").fields["record"]
    answer = got(app, project)
    assert answer.raw.data == record
    assert answer.entity_tag == hashlib.sha256(record).hexdigest()
    assert SALT not in record
    assert SALT.hex().encode() not in record
    assert b"shop" not in record


def test_who_may_not_know_of_it(app):
    """Another account's, a project that is not destroyed and one that never was: all alike."""
    theirs = kept(app, OTHER)
    alive = projects.create(app, call(body={"name": "p"})).body["id"]
    mine, other = kept(app, "a" * 32), kept(app, "a" * 32)
    abroad = replace(app, settings=replace(app.settings, region="eu-gb"))
    key = narrow(app, alive)
    none = {refusal(got, app, project) for project in (theirs, alive, NOWHERE)}
    none |= {refusal(got, abroad, mine), refusal(got, app, other, key)}
    assert none == {("resource_not_found", "Resource not found.")}
    forget = certificates.forget_name
    assert {refusal(forget, app, call(id=one)) for one in (theirs, alive, NOWHERE)} == none
    assert refusal(forget, abroad, call(id=mine)) in none
    assert [told["project_id"] for told in listed(app)[0]] == sorted((mine, other))
    assert listed(abroad)[0] == []
    assert listed(app, key)[0] == []


def test_a_key_for_one_project(app):
    """A key for one project gets and lists that one's certificate, after its end."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    key = narrow(app, project)
    mine = kept(app, "a" * 32)
    kept(app, "a" * 32)
    key = replace(key, project=mine)
    app.store.commit([*_signed(app, key)])
    assert got(app, mine, key).raw.data
    assert [told["project_id"] for told in listed(app, key)[0]] == [mine]


def _signed(app, principal):
    """Give the write that makes a key's record one for another project."""
    from shared.access import records

    document = fields(app, records.path_of(principal.subject))
    changed = document.contents | {"project_id": principal.project}
    yield Write.replace(document, records.signed(app, changed))


@pytest.mark.parametrize(
    ("path", "planted"),
    [
        ("audit/{}.erase", {"record": b"{}"}),
        ("audit/{}.erase", {"mac": bytes(32)}),
        ("audit/{}.erase", {"account_id": OTHER}),
        ("audit/{}.erase", {"project_id": NOWHERE}),
    ],
)
def test_what_was_changed_in_the_database(app, path, planted):
    """A certificate that this service did not write so is not handed out, and told as refused."""
    project = kept(app, "a" * 32)
    app.store.commit([Write.update(fields(app, path.format(project)), planted)])
    assert refusal(got, app, project)[0] == "internal"
    assert [told["status"] for told in listed(app)[0]] == ["refused"]


def test_a_certificate_of_another_account_planted(app):
    """A row in the database that names another account's entry hands out nothing of it."""
    theirs = kept(app, OTHER, "theirs")
    for collection in ("certificates", "tombstones"):
        document = fields(app, f"{collection}/{theirs}")
        app.store.commit([Write.update(document, {"account_id": "a" * 32})])
    assert [told["status"] for told in listed(app)[0]] == ["refused"]
    assert refusal(got, app, theirs)[0] == "internal"


@pytest.mark.parametrize(
    "planted",
    [
        *({"erased_at": None}, {"erased_at": "2026"}, {"erased_at": 5}),
        *({"test": None}, {"test": {"a": b"x"}}, {"test": "no"}),
        *({"sha256": datetime(2026, 1, 1, tzinfo=UTC)}, {"sha256": "planted"}, {"sha256": b"x"}),
        *({"name_digest": 5}, {"name_digest": "shop"}, {"name_salt": "shop"}, {"name_salt": [1]}),
    ],
    ids=str,
)
def test_odd_types(app, caplog, planted):
    """A row of other types is told as refused, by its project's id; the others as ever."""
    odd, good = sorted(kept(app, "a" * 32) for _ in range(2))
    app.store.commit([Write.update(fields(app, f"certificates/{odd}"), planted)])
    told, other = listed(app)[0]
    names = ("erased_at", "test", "sha256", "name_digest", "name_salt", "epoch", "index")
    about = {"project_id": odd, "entry": f"{odd}.erase", "status": "refused"}
    assert told == dict.fromkeys(names) | about
    assert (other["project_id"], other["status"]) == (good, "waiting")
    assert [one["path"] for one in lines(caplog, "CRITICAL")] == [f"certificates/{odd}"]


@pytest.mark.parametrize("planted", [{"epoch": b"x"}, {"n": "x"}, {"epoch": b"x", "n": 1}], ids=str)
def test_a_place_of_odd_types(app, planted):
    """An entry whose place is of other types is refused, and its place not told."""
    project = kept(app, "a" * 32)
    app.store.commit([Write.update(fields(app, f"audit/{project}.erase"), planted)])
    ((told,), _) = listed(app)
    assert (told["status"], told["epoch"], told["index"]) == ("refused", None, None)


@pytest.mark.parametrize("start", ["a/b", "/", "..", ".", "__x__", "x", " ", NOWHERE + "\n"])
def test_starts_that_are_none(app, start):
    """What is no project's id begins no page, and is refused by its parameter."""
    with pytest.raises(Error) as caught:
        listed(app, start=start)
    assert (caught.value.code, str(caught.value.target)) == ("invalid_field", "start")


def test_a_row_of_no_project(app, caplog):
    """A row under no project's id is left out, which is told; the pages go on past it."""
    made = sorted(kept(app, "a" * 32) for _ in range(2))
    row = fields(app, f"certificates/{made[0]}").contents
    app.store.commit([Write.create(f"certificates/{made[0]} x", row)])
    (first,), following = listed(app, limit=1)
    found, _ = listed(app, limit=2, start=following)
    assert [one["project_id"] for one in (first, *found)] == made
    assert [one["project_id"] for one in listed(app)[0]] == made
    assert lines(caplog, "CRITICAL")[0]["path"] == f"certificates/{made[0]} x"


def test_a_forgotten_name(app):
    """The salt goes, for good, with an entry; the certificate stays as it was, to the byte."""
    project, asked = kept(app, "a" * 32), call(id="")
    before = got(app, project).raw.data
    certificates.forget_name(app, replace(asked, parameters={"id": project}))
    assert got(app, project).raw.data == before
    ((told,), _) = listed(app)
    assert (told["name_salt"], told["name_digest"]) == (None, name_digest("shop"))
    everything = json.dumps(fields(app, f"certificates/{project}").fields, default=repr)
    assert repr(SALT) not in everything
    (entry,) = entries(app.store, "action", "codeengine.certificate.forget_name")
    assert (entry["id"], entry["project_id"]) == (asked.trace, project)
    assert refusal(certificates.forget_name, app, call(id=project))[0] == "resource_not_found"


def test_a_forgotten_name_sent_again(app):
    """Sent again under its key it is answered as at first, and is one entry."""
    project = kept(app, "a" * 32)
    again = {"operation": "delete_certificate_name", "idempotency_key": "k"}
    for _ in range(2):
        certificates.forget_name(app, call(id=project, **again))
    assert len(entries(app.store, "action", "codeengine.certificate.forget_name")) == 1


def test_a_key_that_is_gone(app):
    """A token whose key is gone sees no certificate, and forgets no name."""
    project = kept(app, "a" * 32)
    made = api_keys.create(app, call(body={"name": "k"} | {"roles": ["administrator"]})).body
    key = principal_of(app, made["apikey"])
    assert listed(app, key)[0]
    api_keys.delete(app, call(id=made["id"]))
    gone = replace(call(id=project), principal=key)
    for act in (certificates.listing, certificates.get, certificates.forget_name):
        assert refusal(act, app, gone)[0] == "unauthorized"
    assert listed(app)[0][0]["name_salt"] == SALT.hex()
