"""What the audit trail says of the operator's upkeep is what was done, whenever it is read.

Of keys, which are made and removed outside of the store, it is what was read back.
"""

from contextlib import suppress
from dataclasses import replace

import pytest

from shared import quotas
from shared.access import api_keys
from shared.errors import Error
from shared.store import Unanswered, Write
from tests.faults.faulty import Rule, troubled
from tests.keys.test_keyring import full_disk
from tests.support import call, wired, with_key
from tests.support.entries import entries, said
from tests.support.former import STEPS, in_form, listed, put_back, vouch
from tests.support.google_keys import Fault
from tests.upkeep.test_key_rotation import again, later, make, rotate, step

ACTS = ("add", "prune")
CLAIM = "no audit entry says of a key what was not read back"


@pytest.fixture
def local(app):
    """The domain, with its check, over a keyring file."""
    return again(app)


@pytest.fixture
def cloud(host, google, tmp_path, monkeypatch):
    """The domain over the cloud's stand-in, which is not waited for."""
    monkeypatch.setattr(quotas, "KEY_CALL", 0.5)
    return again(with_key(wired(host.info["firestore"], tmp_path, **google.env())))


def prepared(app, name):
    """Make all ready for an act; give the domain at its time, the key, and how to act."""
    make(app)
    kek = step(app, "list")["current"]
    if name == "prune":
        rotate(app)
        app = later(app)
    return app, kek, lambda there: step(there, name, kek=kek)


def told(app, name):
    """Give the outcomes of an act's entries, in the order of their times."""
    action = f"codeengine.keys.{'rotate' if name == 'add' else 'prune'}"
    _, found = app.store.query("audit", ("action", "==", action), order="__name__", limit=100)
    open_ = {one.id: one.fields["begun"] for one in found if "begun" in one.fields}
    told = [said(one.fields) for one in sorted(found, key=lambda one: one.fields["at"])]
    ends = {entry["because"]: entry["outcome"] for entry in told if "because" in entry}
    assert {id_ for id_, is_open in open_.items() if not is_open} == ends.keys()
    return [ends.get(one["id"], one["outcome"]) for one in told if one["id"] in open_]


def happened(app, name, kek):
    """Tell whether a key was replaced, or is gone."""
    keks = [*again(app).keyring.keks()]
    return kek not in keks if name == "prune" else keks[-1] != kek


def in_vain(act, there):
    """Act, which is refused as 503."""
    with pytest.raises(Error) as refused:
        act(there)
    assert refused.value.code == "unavailable"


def after_all(app):
    """Give the domain when nobody can be at what was begun any more."""
    return replace(app, wall=lambda: app.wall() + quotas.KEK_ACT.total_seconds() + 1)


@pytest.mark.claim("F67", CLAIM)
@pytest.mark.parametrize("name", ACTS)
def test_a_full_disk(local, name):
    """503, and a failure; the key is where it was. With room again it is a success."""
    app, kek, act = prepared(local, name)
    with full_disk():
        in_vain(act, app)
    assert not happened(app, name, kek)
    assert told(app, name) == ["failure"]
    act(app)
    assert happened(app, name, kek)
    assert told(app, name) == ["failure", "success"]


@pytest.mark.claim("F67", CLAIM)
@pytest.mark.parametrize("back_end", ["local", "cloud"])
@pytest.mark.parametrize("name", ACTS)
def test_cut_short(request, back_end, name):
    """Who dies before the act, or after it, leaves what a later run makes good, by what it sees."""
    app, kek, act = prepared(request.getfixturevalue(back_end), name)
    in_vain(act, troubled(app, Rule("commit", "after", about="/audit/", last=1))[0])
    assert (told(app, name), happened(app, name, kek)) == (["begun"], False)
    step(app, "list")  # somebody may be at it
    assert told(app, name) == ["begun"]
    step(after_all(app), "list")
    assert told(app, name) == ["failure"]
    act(troubled(app, Rule("commit", "before", about="/audit/", first=2))[0])
    assert (told(app, name), happened(app, name, kek)) == (["failure", "begun"], True)
    with suppress(Error):  # there is no such old key any more
        act(app)
    assert told(app, name) == ["failure", "success"]


@pytest.mark.claim("F67", CLAIM)
@pytest.mark.parametrize("do", ["cut", "lost", "refuse", "lie"])
@pytest.mark.parametrize("name", ACTS)
def test_a_cloud_that_does_not_answer(cloud, google, name, do):
    """What is not to be seen may come yet: it fails when its time is over, and not before."""
    app, kek, act = prepared(cloud, name)
    on = "kms.primary" if name == "add" else "kms.destroy"
    google.fault(Fault(on, do))
    with suppress(Error):  # Cloud KMS says that it has another primary, which it has not
        act(app)
    google.fault()
    done = do == "lost" or happened(app, name, kek)
    assert happened(app, name, kek) == done
    assert told(app, name) == ["success" if done else "begun"]
    step(after_all(app), "list")
    assert told(app, name) == ["success" if done else "failure"]


@pytest.mark.claim("F67", "of two who remove one key one succeeds, and the trail says which")
def test_two_at_once(local):
    """One comes between the other's look and its act."""
    app, _, act = prepared(local, "prune")
    between = Rule("commit", "meanwhile", about="/audit/", last=1, other=lambda: act(app))
    with pytest.raises(Error) as refused:
        act(troubled(app, between)[0])
    assert refused.value.code == "invalid_field"
    assert sorted(told(app, "prune")) == ["failure", "success"]


@pytest.mark.claim("F67", "of one who died and one who then did it, the trail says which")
@pytest.mark.parametrize("name", ACTS)
def test_done_by_another(local, name):
    """What is seen is what the other one did: it was done once."""
    app, kek, act = prepared(local, name)
    in_vain(act, troubled(app, Rule("commit", "after", about="/audit/", last=1))[0])
    act(app)
    assert happened(app, name, kek)
    step(after_all(app), "list")
    assert told(app, name) == ["failure", "success"]


def test_what_was_planted(local):
    """An entry that is none of these holds up nobody."""
    app, _, act = prepared(local, "add")
    app.store.commit([Write.create("audit/!", {"begun": True, "action": "x"})])
    act(app)
    assert told(app, "add") == ["success"]


@pytest.mark.claim("F67", "each document that a migration rewrites has its entry, and no other")
@pytest.mark.parametrize("do", ["before", "after"])
@pytest.mark.parametrize("of", STEPS)
def test_a_migration(app, of, do):
    """The trail names what was rewritten; not what failed, nor what differs from the list."""
    for name in "ab":
        make(app, name)
        api_keys.create_account(app, call(body={"account_id": name * 32}))
    put_back(app)
    former = in_form(app, 1)
    found = listed(former, of)
    assert len(found) > 1
    there, _ = troubled(former, Rule("commit", do, last=1))
    with pytest.raises(Unanswered):
        vouch(there, of, found)
    assert migrated(app) == found.keys() - listed(former, of).keys()
    assert len(migrated(app)) == (do == "after")
    vouch(former, of, {path: one | {"digest": "0" * 64} for path, one in found.items()})
    assert len(migrated(app)) == (do == "after")
    vouch(former, of, found)
    assert migrated(app) == found.keys()


def migrated(app):
    """Give the paths of what the trail says was migrated, each once, by the operator."""
    told = [one for one in entries(app.store) if one["action"] == "codeengine.store.migrate"]
    assert {(one["initiator"], one["outcome"]) for one in told} <= {("operator", "success")}
    paths = [one["path"] for one in told]
    assert len(paths) == len(set(paths))
    return set(paths)
