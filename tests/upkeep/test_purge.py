"""Permanent deletion: what drives it, what cannot stop it, and what is left after it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from shared import keys, projects, quotas, resources
from shared.errors import Error
from shared.keys.local import open_keyring
from shared.kinds import SECRETS
from shared.lifecycle import Project
from shared.projects import slots
from shared.resources import data_key_path, sealing
from shared.store import Write
from shared.upkeep import purge, schedule
from tests.support import WEEK, call, dump, halves_in, paths_below, reclaim, traces_of

CANARY = "canary-5up3r-s3cr3t-value"


def filled(account):
    """Make a project with a small and a large secret, and a document of a kind unknown."""
    project = account.project()
    account.secret(project, "hub", {"k": CANARY})
    account.secret(project, "large", {"k": CANARY + "x" * 1_000_000})
    stray = {"note": "of a kind that no longer exists"}
    inside = account.host.inside
    inside.store.commit([Write.create(f"projects/{project['id']}/relics/r/deep/er", stray)])
    return project


def left_of(host, account, project):
    """Give what is left of a project: documents below it, its key half, its slot."""
    inside = host.inside
    return (
        inside.document(f"projects/{project['id']}"),
        inside.below(f"projects/{project['id']}"),
        project["id"] in inside.key_halves(),
        project["id"] in inside.slots(account.id),
    )


GONE = (None, {}, False, False)
STEPS = ["begin", "shred", "sweep", "tombstone", "nothing"]  # of a project that holds little


@pytest.mark.claim("I12", "after permanent deletion only the tombstone and the audit are left")
@pytest.mark.parametrize("how", ["expire", "reclaim"])
def test_nothing_is_left(account, host, how):
    """No document in any collection, no key half, no slot; one tombstone, the name is free."""
    project = filled(account)
    assert len(host.inside.below(f"projects/{project['id']}")) >= 6
    account.delete(project)
    if how == "expire":
        host.set_clock(WEEK)
        host.enforce()
    else:
        assert account.action(project, "reclaim").json()["state"] == "RECLAIMING"
    account.gone(project)
    assert left_of(host, account, project) == GONE
    tombstone = host.inside.document(f"tombstones/{project['id']}")
    assert tombstone["status"] == "hard_deleted"
    assert tombstone["shredded_at"] <= tombstone["erased_at"]
    again = account.project(project["name"])
    assert again["id"] != project["id"]
    refused = account.action(project, "restore")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (404, "resource_not_found")


@pytest.mark.claim("F36", "a stolen copy and the key-encryption key decrypt nothing destroyed")
def test_a_stolen_copy_and_the_key_encryption_key_do_not_decrypt(account, host):
    """Every document of the project and the keyring file, copied before, are worthless after."""
    project = filled(account)
    path = f"projects/{project['id']}"
    inside = host.inside
    stolen = {path: inside.document(path), **inside.below(path)}
    keyring_file = inside.settings.keyring.read_bytes()
    thief = open_keyring(inside.settings.keyring, inside.keys)
    assert _decrypted(thief, stolen, path)["data"]["k"] == CANARY  # the copy is good
    account.destroy(project)
    account.gone(project)
    assert inside.settings.keyring.read_bytes() == keyring_file
    thief = open_keyring(inside.settings.keyring, inside.keys)
    with pytest.raises(keys.Undecryptable):
        _decrypted(thief, stolen, path)
    forms = traces_of(CANARY)
    kept = list(dump(inside.everything())) + [file.read_bytes() for file in inside.keys.iterdir()]
    assert not [form for form in forms for text in kept if form in text]


def _decrypted(keyring, documents, path):
    secret = documents[f"{path}/secrets/hub"]
    record = documents[data_key_path(path.rpartition("/")[2])]
    project, sealed = Project.of(documents[path]), [secret["sealed"]]
    return sealing.unlock(keyring, project, record, SECRETS, secret, sealed)


@pytest.mark.claim("F15", "an event lost for ever is made good by the schedule alone")
def test_a_lost_event_is_made_good_by_the_schedule(account, host):
    """Every event of the purge is lost; nudged by the schedule alone, it still ends."""
    host.set_clock(WEEK)
    host.enforce()  # what other tests have left
    host.quiet()
    host.set_clock(0)
    project = filled(account)
    account.delete(project)
    host.hold()
    try:
        host.set_clock(WEEK)
        assert host.enforce()["expired"] == 1
        host.quiet()
        host.drop()
        assert account.status(project) == "hard_deleting"
        assert host.enforce()["nudged"] == 0  # not idle for long enough yet
        host.drop()
    finally:
        host.release()
    host.advance(901)
    assert host.enforce()["nudged"] == 1
    account.gone(project)
    assert left_of(host, account, project) == GONE


@pytest.mark.slow
@pytest.mark.claim("F13", "doubled and late events change nothing")
def test_doubled_and_late_events_change_nothing(account, host):
    """Events delivered again, at once and after the end, leave every document as it is."""
    project = filled(account)
    other = filled(account)
    account.delete(other)
    account.destroy(project)
    host.hub("POST", "/triggers/repeat", {"last": 5})
    account.gone(project)
    host.quiet()
    before = host.inside.everything()
    host.hub("POST", "/triggers/repeat", {"last": 20})
    host.quiet()
    assert host.inside.everything() == before
    assert account.status(other) == "soft_deleted"


@pytest.mark.claim("F14", "an event of a former life of a project is harmless")
def test_an_event_of_a_former_life_is_harmless(account, host):
    """A late event of the first deletion does not touch a project that was restored."""
    project = filled(account)
    account.delete(project)
    host.quiet()
    assert account.action(project, "restore").status_code == 200
    before = host.inside.below(f"projects/{project['id']}")
    host.hub("POST", "/triggers/repeat", {"last": 10})
    host.quiet()
    assert account.status(project) == "active"
    assert host.inside.below(f"projects/{project['id']}") == before


@pytest.mark.slow
@pytest.mark.claim("F16", "the schedule twice at once does everything once")
def test_the_schedule_twice_at_once_does_everything_once(account, host):
    """Two runs at the same moment leave one tombstone and one audit entry a project."""
    doomed = [filled(account) for _ in range(3)]
    for project in doomed:
        account.delete(project)
    host.set_clock(WEEK)
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: host.enforce(), range(2)))
    assert sum(run["expired"] for run in runs) >= 3  # other tests leave deleted projects too
    for project in doomed:
        account.gone(project)
        actions = [
            entry["action"]
            for path, entry in host.inside.everything().items()
            if path.startswith("audit/") and entry["project_id"] == project["id"]
        ]
        assert actions.count("codeengine.project.expire") == 1
        assert actions.count("codeengine.project.erase") == 1


@pytest.mark.claim("I10", "no document is swept before the key is gone")
def test_steps_in_order(app):
    """Shred comes before the first document goes, and the tombstone last."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    for number in range(3):
        body = {"name": f"s{number}", "format": "generic", "data": {"k": "v"}}
        resources.create(SECRETS, app, call(body=body, project_id=project))
    assert purge.advance(app, project) == "nothing"  # an active one is left alone
    reclaim(app, project)
    path = f"projects/{project}"
    assert purge.advance(app, project) == "begin"
    assert (app.settings.key_store / project).exists()
    assert purge.advance(app, project) == "shred"
    assert not (app.settings.key_store / project).exists()
    assert len(paths_below(app.store, path, 100)) == 6  # secrets, a rule, and how many of each
    assert purge.advance(app, project) == "sweep"
    assert paths_below(app.store, path, 100) == []
    assert app.store.read(path)[path].fields is not None
    assert purge.advance(app, project) == "tombstone"
    assert app.store.read(path)[path].fields is None
    assert purge.advance(app, project) == "nothing"


@pytest.mark.parametrize("length", [850_000, 1_000_000])
def test_a_step_of_the_sweep_is_bounded_in_bytes(app, length):
    """Large values are swept a few at a time, whether they lie in parts or not."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    for number in range(10):
        body = {"name": f"s{number}", "format": "generic", "data": {"k": "v" * length}}
        resources.create(SECRETS, app, call(body=body, project_id=project))
    reclaim(app, project)
    path = f"projects/{project}"
    assert [purge.advance(app, project) for _ in range(2)] == ["begin", "shred"]
    swept = 0
    while left := paths_below(app.store, path, 100):
        sizes = {name: _bytes_of(app.store.read(name)[name].fields) for name in left}
        assert purge.advance(app, project) == "sweep"
        gone = sizes.keys() - set(paths_below(app.store, path, 100))
        assert gone
        assert sum(sizes[name] for name in gone) <= quotas.SWEEP_BYTES
        swept += 1
    assert swept > 1


def _bytes_of(fields):
    return sum(len(value) for value in fields.values() if isinstance(value, bytes))


@pytest.mark.claim("I11", "what cannot be read back as gone is not recorded as shredded")
def test_a_key_store_that_lies_stops_the_purge(app, monkeypatch):
    """While the key half can still be read nothing is swept; once it is gone, the rest goes."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    reclaim(app, project)
    assert purge.advance(app, project) == "begin"
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(Error) as refused:
            purge.advance(app, project)
    assert refused.value.code == "unavailable"
    path = f"projects/{project}"
    assert app.store.read(path)[path].fields.get("shredded_at") is None
    assert len(paths_below(app.store, path, 100)) == 3  # the key, the outbound rule, its count
    assert [purge.advance(app, project) for _ in STEPS[1:]] == STEPS[1:]


@pytest.mark.claim("F34", "a purge that cannot end is marked, told and tried again")
def test_a_purge_that_cannot_end_is_marked_and_tried_again(app):
    """After a day without progress it shows as failed; an hour later it is tried again."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    reclaim(app, project)
    path = f"projects/{project}"

    def after(hours):
        app.settings.clock_file.write_text(str(hours * 3600))
        return {word: n for word, n in schedule.enforce(app).items() if n}

    assert after(0.2) == {}
    assert after(0.3) == {"nudged": 1}
    assert after(0.4) == {}
    assert after(25) == {"given_up": 1}
    assert app.store.read(path)[path].fields["status"] == "hard_deletion_failed"
    assert after(25.5) == {}
    assert after(26.1) == {"retried": 1}
    assert app.store.read(path)[path].fields["status"] == "hard_deleting"
    assert [purge.advance(app, project) for _ in STEPS] == STEPS


def test_the_owner_may_retry_a_failed_purge(app):
    """Reclaiming a project whose permanent deletion failed starts it again."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    reclaim(app, project)
    projects.move(app, project, "fail", call=None)
    assert reclaim(app, project).body["state"] == "RECLAIMING"
    assert [purge.advance(app, project) for _ in STEPS] == STEPS


@pytest.mark.claim("I23", "a key half without a project is destroyed, never one that is in use")
def test_an_orphaned_key_half_is_destroyed_after_an_hour(app):
    """A half whose project was never stored goes; one whose project was is confirmed."""
    stored = projects.create(app, call(body={"name": "p"})).body["id"]
    keys = app.settings.key_store
    (keys / stored).rename(keys / f"{stored}.new")  # the note of success was lost
    orphan = app.new_id()
    app.keyring.create(orphan, app.now(app.store.read("retention/clock")))
    assert schedule.enforce(app)["orphans"] == 0
    app.settings.clock_file.write_text("3601")
    assert schedule.enforce(app)["orphans"] == 2
    assert halves_in(keys) == {stored}
    assert (keys / stored).exists()
    assert schedule.enforce(app)["orphans"] == 0


@pytest.mark.claim("I2", "slots that disagree with projects are reported")
def test_slots_that_disagree_with_projects_are_reported(app):
    """A region whose slots were changed by hand is counted, a right one is not."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    from_the_start = replace(app, random=lambda: 0.0)
    assert schedule.enforce(from_the_start)["disagreements"] == 0
    region = slots.region_path("a" * 32, app.settings.region)
    app.store.commit([Write(region, {}, mask=[slots._slot(project)])])
    assert schedule.enforce(from_the_start)["disagreements"] == 1
