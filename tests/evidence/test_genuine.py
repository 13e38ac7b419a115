"""Which entries of the trail this code made: one planted or altered in the database is told."""

import json

import pytest

from shared import evidence, projects, resources
from shared.keys import LIFECYCLE, RECORD
from shared.kinds import SECRETS
from shared.log import dump
from tests.support import call


@pytest.fixture
def entry(app):
    """An entry as it is stored, and another one."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    body = {"name": "s", "format": "generic", "data": {"k": "v"}}
    resources.create(SECRETS, app, call(body=body, project_id=project))
    _, found = app.store.query("audit", ("project_id", "==", project), order="at", limit=9)
    one, other = (document.contents for document in found)
    return one, other


def said_anew(entry, **changes):
    """Give the record of an entry with other members."""
    return dump(json.loads(entry["record"]) | changes)


@pytest.mark.claim("R2", "an entry altered or planted in the database is not taken for one of ours")
def test_altered(app, entry, subtests):
    """Each bit of record, salt and MAC counts; the entry itself holds."""
    one, other = entry
    assert evidence.genuine(app, one)
    assert evidence.genuine(app, other)
    for name in ("record", "salt", "mac"):
        for at in range(0, 8 * len(one[name]), 13):
            flipped = bytearray(one[name])
            flipped[at // 8] ^= 1 << at % 8
            with subtests.test(name, at=at):
                assert not evidence.genuine(app, one | {name: bytes(flipped)})
    for name in ("record", "salt", "mac"):
        with subtests.test("of another entry", name=name):
            assert not evidence.genuine(app, one | {name: other[name]})


def test_planted(app, entry, subtests):
    """Whoever has no state key makes none: not without a MAC, nor with one of another purpose."""
    one, _ = entry
    forged = said_anew(one, initiator="somebody")
    state, message = app.keyring.state, one["salt"] + forged
    plants = {
        "the former MAC": {},
        "no MAC": {"mac": None},
        "a MAC that is empty": {"mac": b""},
        "a MAC that is text": {"mac": "x" * 32},
        "a MAC of zeros": {"mac": bytes(32)},
        "of another purpose": {"mac": state.mac(LIFECYCLE, message)},
        "over the record alone": {"mac": state.mac(RECORD, forged)},
        "a record that is text": {"record": forged.decode()},
        "a salt that is none": {"salt": None},
    }
    for name, change in plants.items():
        with subtests.test(name):
            assert not evidence.genuine(app, one | {"record": forged} | change)
    made = {"record": forged, "mac": state.mac(RECORD, message)}
    assert evidence.genuine(app, one | made)  # as only who has the key can


def test_the_index_proves_nothing(app, entry):
    """The fields beside the record are for queries: what they say, no MAC vouches for."""
    one, _ = entry
    assert evidence.genuine(app, one | {"account_id": "b" * 32, "pending": False})


def test_of_form_1(app):
    """Version 0.1.0 made no record: of its entries nothing can be said."""
    former = {
        "account_id": "a" * 32,
        "action": "codeengine.project.create",
        "outcome": "success",
        "initiator": "0123456789abcdef",
    }
    assert not evidence.genuine(app, former)
