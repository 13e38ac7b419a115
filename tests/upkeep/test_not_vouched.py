"""What a migration cannot vouch for: it is listed as that, hides nothing, and stops nothing."""

import pytest

from shared import projects, resources
from shared.access import api_keys, records
from shared.kinds import SECRETS
from shared.store import Write
from tests.support import call
from tests.support.former import STEPS, everything, in_form, listed, put_back, vouch


@pytest.fixture
def project(app):
    """An account's key, and a project with a secret and a large one: all of form 1."""
    api_keys.create_account(app, call(body={"account_id": "a" * 32}))
    made = projects.create(app, call(body={"name": "p"})).body["id"]
    for name, value in (("s", "v"), ("large", "x" * 950_000)):
        secret = {"name": name, "format": "generic", "data": {"k": value}}
        resources.create(SECRETS, app, call(body=secret, project_id=made))
    put_back(app)
    return made


def one_key(app):
    """Give the record of a key of form 1, and the record's path."""
    path = next(iter(listed(in_form(app, 1), "keys")))
    return path, app.store.read(path)[path].contents


ODD = {
    "another's": {"id": "another"},
    "roles that are bytes": {"roles": [b"x"]},
    "roles that are one": {"roles": "manager"},
    "a hash in hex": {"sha256": "00" * 32},
    "an account that is bytes": {"account_id": b"x"},
    "no time": {"created_at": "now"},
    "an expiry that is a number": {"expires_at": 7},
    "a name that is bytes": {"name": b"x"},
    "a signature that does not hold": {"signature": bytes(64)},
    "no signature": {"signature": None},
}


@pytest.mark.claim("T9", "a key that no signature can make good is listed as one that is refused")
@pytest.mark.usefixtures("project")
def test_keys_that_do_not_hold(app, subtests):
    """The operator hears of each before the form is raised; a yes to it signs nothing."""
    former, (path, record) = in_form(app, 1), one_key(app)
    due = listed(former, "keys")
    edits = {name: record | {"id": "odd"} | edit for name, edit in ODD.items()}
    edits["no name"] = {
        name: value for name, value in (record | {"id": "odd"}).items() if name != "name"
    }
    for name, fields in edits.items():
        with subtests.test(name):
            app.store.commit([Write("api_keys/odd", fields)])
            assert listed(former, "keys") == due
            assert listed(former, "keys", "refused") == ["api_keys/odd"]
            done = vouch(former, "keys", {"api_keys/odd": due[path]})
            assert done["rewritten"] == 0
            assert records.of(app, app.store.read("api_keys/odd")["api_keys/odd"]) is None
    assert vouch(former, "keys", due)["rewritten"] == len(due)
    assert listed(former, "keys", "refused") == ["api_keys/odd"]


def test_values_that_do_not_open(app, project, caplog):
    """One that is no value is listed so, one that does not open is told of; the rest is sealed."""
    former = in_form(app, 1)
    path = f"projects/{project}/secrets/large"
    part = next(p for p in everything(app) if p.startswith(f"{path}/parts/"))
    damaged = app.store.read(part)[part]
    app.store.commit([Write.update(damaged, {"bytes": damaged.fields["bytes"][:-1] + b"?"})])
    no_value = f"projects/{project}/secrets/none"
    app.store.commit([Write(no_value, {"name": "none", "sealed": "x", "body": {}, "parts": 0})])
    found = listed(former, "values")
    assert listed(former, "values", "refused") == [no_value]
    assert found.keys() == {path, f"projects/{project}/secrets/s"}
    assert vouch(former, "values", found)["failed"] == 1
    assert listed(former, "values").keys() == {path}
    assert path in caplog.text


@pytest.mark.claim("T9", "what is planted in the store hides nothing that is listed, and ends it")
def test_planted_ids(app, project, monkeypatch):
    """Whoever writes the database chooses ids: the list of all else is whole, and ends."""
    monkeypatch.setattr("shared.quotas.MIGRATED_KEYS", 3)
    monkeypatch.setattr("shared.quotas.DUE_BATCH", 3)
    former = in_form(app, 1)
    due = {of: listed(former, of).keys() for of in STEPS}
    _, record = one_key(app)
    odd, keys = ["zz", "!0", "0\x1b[1A\x1b[2K", "a/b", 7, None, b"\xff", "~"], ["00\x1b[2K"]
    app.store.commit([Write.create(f"api_keys/{keys[0]}", {**record, "id": keys[0]})])
    for number in range(12):
        planted = {**record, "id": odd[number % len(odd)]}
        there = {"id": odd[number % len(odd)], "status": "active"}
        place = f"{number:02}\x1b[1A"
        app.store.commit(
            [Write.create(f"api_keys/{place}", planted), Write.create(f"projects/{place}", there)]
        )
        keys.append(place)
    junk = {"body": {}, "value_id": "v", "sealed": b"\x01" + bytes(99), "parts": 0, "name": "s"}
    value = f"projects/{project}/secrets/s\x1b[2K"
    app.store.commit([Write.create(value, junk)])
    assert {of: listed(former, of).keys() for of in STEPS} == due
    assert listed(former, "keys", "refused") == sorted(f"api_keys/{key}" for key in keys)
    homes = [f"projects/{key}" for key in keys[1:]]
    assert listed(former, "projects", "refused") == sorted(homes)
    assert listed(former, "values", "refused") == [value]
