"""The sequencer: what waits gets its place, once; what this code did not write gets none."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared import audit, projects, quotas
from shared.keys.signing import no_log_key
from shared.log import Key, Place, entry, leaf
from tests.support import call
from tests.support.sealed import ACCOUNTS, START, lines, whole, write


def test_nothing_to_do(counted):
    """Where nothing waits, one round trip looks, and nothing is written."""
    app, api = counted
    assert not any(audit.seal(app).values())
    assert sorted(api.calls) == ["batch_get_documents", "run_query"]
    write(app, 3)
    assert audit.seal(app) == {"sealed": 3, "refused": 0, "overtaken": 0, "published": 1}
    api.calls.clear()
    assert not any(audit.seal(app).values())
    assert sorted(api.calls) == ["batch_get_documents", "run_query"]


def test_round_trips(counted):
    """A batch is looked for, read and committed; then what was read back is compared and signed."""
    app, api = counted
    write(app, 3)
    audit.seal(app)
    api.calls.clear()
    write(app, 2)
    api.calls.clear()
    audit.seal(app)
    look = ["batch_get_documents", "run_query"]
    assert api.calls == [
        *look,
        "batch_get_documents",
        "commit",
        *look,
        "batch_get_documents",
        "commit",
    ]


@pytest.mark.claim("L4", "what waits is sealed by the next run, however much it is")
def test_batches(app):
    """More than a batch, and more than a tile: all of it is there, in tiles, chains and tree."""
    for count in (1, 1, 199, 57, 300, 0, 214):
        write(app, count)
        done = audit.seal(app)
        assert (done["sealed"], done["refused"], done["published"]) == (count, 0, int(count > 0))
        log = whole(app)
        assert log.waiting == 0
        assert log.checkpoint.size == len(log.entries)
    assert len(log.entries) == 772


@pytest.mark.claim(
    "I16", "each account's entries are numbered from 1 without gap, in the log's order"
)
def test_numbers(app):
    """Within a batch by time, then by id; each account has a chain of its own."""
    first = write(app, 30)
    audit.seal(app)
    second = write(app, 10, ACCOUNTS[0], START - timedelta(days=3))  # the clock was moved back
    audit.seal(app)
    log = whole(app)
    ids = [json.loads(one["record"])["id"] for one in log.entries]
    assert (set(ids[:30]), set(ids[30:])) == (set(first), set(second))
    for part in (log.entries[:30], log.entries[30:]):
        assert part == sorted(part, key=lambda one: (one["at"], json.loads(one["record"])["id"]))
    assert [one["seq"] for one in log.entries if one["account_id"] == ACCOUNTS[0]] == [
        *range(1, 21)
    ]


@pytest.mark.claim("F47", "without its key the log goes on, unsigned, and says so")
def test_no_key(app, caplog):
    """Entries are sealed all the same; where the key is back, what is there is signed."""
    key = app.keyring.log_key

    app.keyring.log_key = no_log_key
    write(app, 5)
    done = audit.seal(app)
    assert (done["sealed"], done["published"]) == (5, 0)
    assert whole(app).checkpoint is None
    assert [one["message"] for one in lines(caplog, "ERROR")] == [
        "the log has no key: what is sealed is not signed"
    ]
    app.keyring.log_key = key
    assert audit.seal(app) == {"sealed": 0, "refused": 0, "overtaken": 0, "published": 1}
    assert whole(app).checkpoint.size == 5


def test_the_key_is_made_once(app):
    """Beside the keyring, for its owner alone; one that is lost is not made for the same log."""
    file = app.settings.keyring.with_name("log.key")
    assert not file.exists()
    write(app, 1)
    audit.seal(app)
    assert file.stat().st_mode & 0o777 == 0o600
    kept = file.read_bytes()
    file.unlink()
    write(app, 1)
    done = audit.seal(app)
    assert (done["sealed"], done["published"], file.exists()) == (1, 0, False)
    file.write_bytes(b"rubbish")
    assert audit.seal(app)["published"] == 0
    file.write_bytes(kept)
    assert audit.seal(app)["published"] == 1


@pytest.mark.claim("I18", "the log signs nothing that does not go on from what it signed")
def test_another_key(app, caplog):
    """Under another key, or another name, nothing more is signed."""
    write(app, 2)
    audit.seal(app)
    before = app.store.read("log/checkpoint")["log/checkpoint"].contents
    file = app.settings.keyring.with_name("log.key")
    kept = file.read_bytes()
    file.unlink()
    app.keyring.log_key(first=True)
    write(app, 2)
    assert audit.seal(app)["published"] == 0
    file.write_bytes(kept)
    production = replace(app, settings=replace(app.settings, emulator=None))
    assert audit.seal(production)["published"] == 0
    assert len(lines(caplog, "CRITICAL")) == 2
    assert app.store.read("log/checkpoint")["log/checkpoint"].contents == before
    assert audit.seal(app)["published"] == 1


def test_a_long_wait_is_told(app, caplog, monkeypatch):
    """Whatever the lifecycle's clock says: by how long ago it was written."""
    write(app, 2, at=START - timedelta(days=400))
    audit.seal(app)
    assert not lines(caplog, "ERROR")
    write(app, 2)
    monkeypatch.setattr(quotas, "SEAL_LATE", -1.0)
    audit.seal(app)
    (told,) = lines(caplog, "ERROR")
    assert float(told["seconds"]) < 60


def test_it_ends_in_time(app, monkeypatch):
    """A run has its time; what is left is the next one's, and what is sealed is signed."""
    write(app, 450)
    monkeypatch.setattr(quotas, "SEAL_TIME", 0.0)
    assert audit.seal(app)["sealed"] == 0
    monkeypatch.setattr(quotas, "SEAL_TIME", 45.0)
    monkeypatch.setattr(quotas, "SEAL_BATCH", 10)
    assert audit.seal(app) == {"sealed": 450, "refused": 0, "overtaken": 0, "published": 1}
    whole(app)


def test_in_production_it_leaves_a_pause(app, monkeypatch):
    """A document bears about one write a second."""
    pauses = []
    monkeypatch.setattr("time.sleep", pauses.append)
    production = replace(app, settings=replace(app.settings, emulator=None))
    write(app, 450)
    assert audit.seal(production)["sealed"] == 450
    assert pauses == [1.0] * 3
    text = app.store.read("log/checkpoint")["log/checkpoint"].contents["text"]
    assert text.startswith("api.us-south.codeengine.cloud.ibm.com/v1/log/1\n450\n")


def test_beside_an_emulator_it_is_a_test(app):
    """The log is named after its key, at a host that can never be."""
    write(app, 1)
    audit.seal(app)
    (vkey,) = app.store.read("log/checkpoint")["log/checkpoint"].contents["keys"]
    host, key, *rest = Key.parse(vkey).name.split("/")
    assert (host, len(key), rest) == ("test.invalid", 16, ["v1", "log", "1"])


@pytest.mark.claim("F39", "nobody who sees the tiles can tell whether they hold a guessed record")
def test_tiles_tell_nothing(app):
    """A record that is known to the last byte fits no entry without its salt, which nobody has."""
    write(app, 20)
    audit.seal(app)
    log = whole(app)
    seen = {one["entry"] for one in log.entries} | {leaf(one["entry"]) for one in log.entries}
    for one in log.entries:
        for salt in (bytes(16), log.entries[0]["salt"] if one != log.entries[0] else bytes(16)):
            assert entry(Place(salt, one["seq"], one["prev"]), one["record"]) not in seen


def test_a_call_that_is_answered_twice(app):
    """What a request leaves is known as its own when it is sealed meanwhile."""
    made = projects.create(app, call(body={"name": "p"})).body
    assert audit.seal(app)["sealed"] == 1
    (one,) = whole(app).entries
    assert one["project_id"] == made["id"]


@pytest.mark.claim("L4", "each sort of entry that there is gets its place")
@pytest.mark.slow
def test_every_sort_of_entry(host, account):
    """What is changed, read, denied, made of keys and destroyed: all of it, through a real host."""
    project = account.project()
    account.secret(project, "s", {"k": "v"})
    account.got(f"/v2/projects/{project['id']}/secrets/s")
    viewer = account.another_key("viewer")
    assert viewer.call("POST", "/v2/projects", {"name": "x"}).status_code == 403
    account.destroy(project)
    account.gone(project)
    host.hub("POST", "/schedules/sealAudit/run")
    mine = "account_id", "==", account.id
    found = host.inside.store.query("audit", mine, order="at", limit=99)[1]
    sealed = {one.contents["seq"]: one.contents["action"] for one in found}
    assert sorted(sealed) == [*range(1, len(found) + 1)]
    assert not [one for one in found if "pending" in one.contents]
    said = {action.removeprefix("codeengine.") for action in sealed.values()}
    wanted = {"account.create", "project.create", "secret.create", "secret.read", "apikey.create"}
    assert said >= wanted | {"project.delete", "project.reclaim", "project.erase"}, said
