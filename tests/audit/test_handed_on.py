"""Proofs as they are handed on: of one's own entries and certificates, and of nothing else."""

import re
from dataclasses import replace

import pytest

from ce import verify
from shared import audit, projects
from shared.access import api_keys
from shared.audit import certificates, listing
from shared.audit.stored import CHECKPOINT
from shared.errors import Error
from shared.store import Write
from tests.support import call, principal_of
from tests.support.kept import kept

OTHER = "b" * 32
NOWHERE = "00000000-0000-4000-8000-000000000000"


def proved(app, id_, principal=None, of=listing):
    """Give the proof of an entry or of a project's certificate."""
    asking = call(id=id_)
    return of.proof(app, replace(asking, principal=principal or asking.principal)).raw.data


def refusal(app, id_, principal=None, of=listing):
    """Give why there is none."""
    with pytest.raises(Error) as caught:
        proved(app, id_, principal, of)
    return caught.value.code, caught.value.headers.get("Retry-After")


def log_key(app):
    """Give the log's vkey."""
    return app.store.read(CHECKPOINT)[CHECKPOINT].fields["keys"][-1]


def record(app, id_):
    """Give the record of an entry."""
    return app.store.read(f"audit/{id_}")[f"audit/{id_}"].fields["record"]


def test_an_entry_is_proved(app):
    """While it waits there is no proof, and when to ask again; then one, of the record it tells."""
    asked = call(body={"name": "p"})
    projects.create(app, asked)
    assert refusal(app, asked.trace) == ("not_sealed", "60")
    audit.seal(app)
    proof = proved(app, asked.trace)
    key = verify.parsed_key(log_key(app), verify.LOG)
    place, _ = verify.proved(record(app, asked.trace), proof.decode(), key)
    assert re.fullmatch(r"test\.invalid/.+/v1/log/1, entry [0-9]+ of [0-9]+", place)
    with pytest.raises(ValueError, match="something else"):
        verify.proved(record(app, asked.trace) + b" ", proof.decode(), key)


def test_a_certificate_is_proved(app):
    """So is a certificate, by its project; the auditor's file takes both."""
    project = kept(app, "a" * 32)
    assert refusal(app, project, of=certificates) == ("not_sealed", "60")
    audit.seal(app)
    proof = proved(app, project, of=certificates)
    assert proof == proved(app, f"{project}.erase")
    key = verify.parsed_key(log_key(app), verify.LOG)
    place, seen = verify.proved(record(app, f"{project}.erase"), proof.decode(), key)
    assert verify.agreed(record(app, f"{project}.erase"), place, 2**63)[1]
    assert seen == []


def test_of_nothing_else(app):
    """Another account's, a made up one, one that was planted: there is none of any of them."""
    theirs, alive = kept(app, OTHER), projects.create(app, call(body={"name": "p"})).body["id"]
    (mine,) = [one["id"] for one in listing.listing(app, call()).page.entries]
    path = f"audit/{mine}"
    audit.seal(app)
    missing = {("resource_not_found", None)}
    assert {refusal(app, id_) for id_ in (f"{theirs}.erase", "none")} == missing
    assert {refusal(app, id_, of=certificates) for id_ in (theirs, alive, NOWHERE)} == missing
    app.store.commit([Write.update(app.store.read(path)[path], {"outcome": "denied"})])
    assert refusal(app, mine) == ("resource_not_found", None)


def test_a_key_for_one_project(app):
    """It gets proofs of its project's entries, and of no other's, nor of the account's."""
    mine, other = (call(body={"name": name}) for name in ("mine", "other"))
    project = projects.create(app, mine).body["id"]
    projects.create(app, other)
    body = {"name": "k", "roles": ["auditor"], "project_id": project}
    key = principal_of(app, api_keys.create(app, call(body=body)).body["apikey"])
    export = call()
    listing.export(app, export)
    audit.seal(app)
    assert proved(app, mine.trace, key)
    for id_ in (other.trace, export.trace):
        assert proved(app, id_)
        assert refusal(app, id_, key) == ("resource_not_found", None)


def test_a_key_that_is_gone(app):
    """A token whose key is gone gets no proof."""
    made = api_keys.create(app, call(body={"name": "k", "roles": ["administrator"]})).body
    key = principal_of(app, made["apikey"])
    project = kept(app, "a" * 32)
    audit.seal(app)
    api_keys.delete(app, call(id=made["id"]))
    assert refusal(app, project, key, certificates)[0] == "unauthorized"
    assert refusal(app, f"{project}.erase", key)[0] == "unauthorized"


def test_what_is_told_of_it_once_sealed(app):
    """A list tells an entry's place, and with it the entry in the log can be computed."""
    projects.create(app, call(body={"name": "p"}))
    audit.seal(app)
    (entry,) = listing.listing(app, call()).page.entries
    assert (entry["status"], entry["seq"], entry["epoch"]) == ("sealed", 1, 1)
    assert entry["prev"] == "00" * 32
