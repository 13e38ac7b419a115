"""The certificate of a project's end: exactly one, the same after any fault, and nothing secret."""

import json
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from ce import verify
from shared import evidence, projects, quotas
from shared.keys import commitment
from shared.lifecycle import Project
from shared.log import dump
from shared.projects import reclamations
from shared.resources import data_key_path
from shared.upkeep import advance, certificate
from tests.ce.test_verify import alone, refusal
from tests.support import ROOT, call, reclaim, traces_of, wired, with_key
from tests.support.certificates import held, on_a_test_host
from tests.support.ends import (
    ACCOUNT,
    NAME,
    VALUE,
    below,
    certificates,
    digest_of,
    ended,
    essence,
    made,
    record_of,
    said_of,
)
from tests.upkeep.test_key_rotation import again

STEPS = ["begin", "shred", "sweep", "tombstone"]


@pytest.fixture(params=["local", "cloud"])
def either(request, host, tmp_path):
    """The domain over each back end of the keyring."""
    more = request.getfixturevalue("google").env() if request.param == "cloud" else {}
    return again(with_key(wired(host.info["firestore"], tmp_path, **more)))


def half_of(app, project):
    """Give the second half of a project's key, out of the key store."""
    return app.keyring._halves.get(project)


def stored(app, project):
    """Give a project's document."""
    return app.store.read(f"projects/{project}")[f"projects/{project}"]


@pytest.mark.claim("I13", "a certificate says who asked, what was destroyed, and by what it shows")
def test_what_it_says(either):
    """Each member of it, against what was seen before and is stored after."""
    app = either
    project = made(app)
    half, before = half_of(app, project), below(app, project)
    born = Project.of(stored(app, project).contents)
    delete = call(id=project)
    asked = replace(delete, principal=replace(delete.principal, name="ci"))
    projects.delete(app, asked)
    deleted = Project.of(stored(app, project).contents)
    demand = call(id=deleted.reclamation_id)
    reclamations.reclaim(app, replace(demand, principal=asked.principal))
    marked = Project.of(stored(app, project).contents)
    assert ended(app, project) == STEPS
    said = said_of(app, project)
    line, index = said.pop("timeline"), certificates(app)[project]
    assert {name: line[name] for name in ("restores", "cause")} == {
        "restores": [],
        "cause": "reclaim",
    }
    assert line["deleted"] == evidence.moment(deleted.deleted_at)
    assert line["deadline"] == evidence.moment(deleted.purge_at)
    assert line["claimed"] == evidence.moment(marked.updated_at)
    assert line["claimed"] < line["shredded"] < line["swept"] < line["erased"]
    assert said["project"] == {
        "id": project,
        "account": ACCOUNT,
        "region": "us-south",
        "crn": f"crn:v1:bluemix:public:codeengine:us-south:a/{ACCOUNT}:{project}::",
        "name_digest": sha256(
            b"reprieve/name/v1\n" + index["name_salt"] + NAME.encode()
        ).hexdigest(),
        "created_at": evidence.moment(born.created_at),
    }
    assert said["requested_by"] == {"id": delete.principal.subject, "name": "ci"}
    assert said["because"] == demand.trace
    assert said["destroyed"] == {
        "documents": {"config_maps": 1, "secrets": 1, "allowed_outbound_destinations": 1}
        | {"others": 3},
        "digest": digest_of(before),
        "undigested": 0,
    }
    where = f"retention@{app.settings.project}/(default)"
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert said["performed_by"] == {"identity": where, "version": version}
    assert (said["environment"], said["test"]) == ({"clock": "store", "store": "emulator"}, True)
    key = b"reprieve/key-half/v1\n" + project.encode() + half
    assert said["key"]["commitment"] == sha256(key).hexdigest() == born.key_commitment
    assert (said["key"]["algorithm"], said["key"]["attempts"]) == ("AES-256-GCM", 1)


def test_what_is_said_when_it_is_made(app):
    """The record of the create has the commitment and the name's digest; the project the salt."""
    asked = call(body={"name": NAME})
    project = projects.create(app, asked).body["id"]
    entry = app.store.read(f"audit/{asked.trace}")[f"audit/{asked.trace}"].contents
    told, now = json.loads(entry["record"]), Project.of(stored(app, project).contents)
    assert told["key_commitment"] == commitment(project, half_of(app, project))
    assert told["name_digest"] == evidence.name_digest(now)
    assert len(now.name_salt) == 16
    assert now.name_salt.hex() not in entry["record"].decode()
    assert half_of(app, project).hex() not in entry["record"].decode()
    key = app.store.read(data_key_path(project))[data_key_path(project)].contents
    assert key.keys() == {"kek", "wrapped", "generation", "created_at"}
    assert certificate.swept(now, []).keys() <= vars(type(now)).keys()


@pytest.mark.claim("I13", "exactly one certificate, however many at once ask for the end")
def test_at_once(app):
    """Four at each step: one of them takes it, the others nothing."""
    project = made(app)
    reclaim(app, project)
    foretold = digest_of(below(app, project))
    with ThreadPoolExecutor(4) as pool:
        for _ in range(12):
            taken = [*pool.map(lambda _: advance(app, project), range(4))]
            if set(taken) == {"nothing"} and stored(app, project).fields is None:
                break
    assert certificates(app).keys() == {project}
    assert said_of(app, project)["destroyed"]["digest"] == foretold
    told = app.store.query("audit", ("project_id", "==", project), order="at", limit=99)[1]
    acts = [entry.contents["action"] for entry in told]
    assert acts.count("codeengine.project.erase") == 1


def test_in_many_batches(app, monkeypatch):
    """The digest does not tell in how many batches it was swept."""
    monkeypatch.setattr(quotas, "SWEEP_BATCH", 2)
    project = made(app)
    reclaim(app, project)
    foretold = digest_of(below(app, project))
    assert ended(app, project).count("sweep") == 3
    assert said_of(app, project)["destroyed"]["digest"] == foretold


def test_failed_and_tried_again(app):
    """Each time that it was begun counts; it is the same certificate in all else."""
    one, other = made(app, "a"), made(app, "b")
    for project in (one, other):
        reclaim(app, project)
    projects.move(app, other, "fail", call=None)
    reclaim(app, other)
    projects.move(app, other, "fail", call=None)
    projects.move(app, other, "retry", call=None)
    for project in (one, other):
        ended(app, project)
    once, thrice = (essence(said_of(app, project)) for project in (one, other))
    assert (once["key"].pop("attempts"), thrice["key"].pop("attempts")) == (1, 3)
    assert once == thrice


def test_nothing_secret_in_it(either):
    """No name, value or half, in any form; the salt is beside it, and not in it."""
    app = either
    project = made(app)
    half, salt = half_of(app, project), stored(app, project).contents["name_salt"]
    reclaim(app, project)
    ended(app, project)
    record = record_of(app, project)
    forms = [form for text in (NAME, VALUE, half, salt) for form in traces_of(text)]
    assert [form for form in forms if form in record] == []
    assert len(record) < 2600


@pytest.mark.claim("I13", "what a purge leaves the auditor's file accepts, and nothing else")
def test_verified(app, tmp_path):
    """In a process of its own, offline: as a test, for it is of an emulator."""
    project = made(app)
    reclaim(app, project)
    ended(app, project)
    record, salt = record_of(app, project), certificates(app)[project]["name_salt"].hex()
    named = ("--name", NAME, "--salt", salt)
    done = alone(tmp_path, on_a_test_host(record), "--allow-test", *named)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 others, 1 secrets (0 undigested); destroyed by" in done.stdout
    assert "TEST, not evidence: it was made beside an emulator." in done.stdout
    assert alone(tmp_path, on_a_test_host(record), *named).returncode == 1
    other = alone(
        tmp_path, on_a_test_host(record), "--allow-test", "--name", "shop", "--salt", salt
    )
    assert (other.returncode, "another name" in other.stdout) == (1, True)


def test_every_byte_of_it(app):
    """No byte of a real one can be another one."""
    project = made(app)
    reclaim(app, project)
    ended(app, project)
    record = record_of(app, project)
    good = on_a_test_host(record)
    assert refusal(good) == ""
    for at in range(len(record)):
        changed = bytearray(record)
        changed[at] ^= 1
        wrong = good._replace(record=bytes(changed))
        assert refusal(wrong) == "ValueError: the log holds something else there"


def test_in_production(app):
    """Beside no emulator, under a clock that nobody moved, it is evidence."""
    project = made(app)
    reclaim(app, project)
    ended(app, project)
    said = said_of(app, project)
    found = app.store.read(f"tombstones/{project}")[f"tombstones/{project}"].contents
    settings = replace(app.settings, emulator=None, clock_file=None)
    ending = Project.of({**found, "updated_at": found["erased_at"], "name": NAME})
    ending = replace(ending, name_salt=bytes(16), purge_at=found["deleted_at"] + timedelta(7))
    shown = certificate.statement(settings, ending, said["key"]["evidence"], found["erased_at"])
    assert shown["predicate"]["environment"] == {"clock": "store", "store": "firestore"}
    assert shown["predicate"]["test"] is False
    assert refusal(held(dump(shown), times=())) == ""
    test, _ = verify.agreed(dump(shown), "ce.example.com/v1/log/1", 2**63)
    assert test is False
    marked = certificate.statement(settings, replace(ending, test=True), [{}], found["erased_at"])
    assert marked["predicate"]["environment"]["clock"] == "moved"
    assert marked["predicate"]["test"] is True


@pytest.mark.claim("F47", "a purge waits for no log: its entry lies there until one takes it")
def test_without_a_log(counted):
    """What no log has taken holds nothing up, and the end is three round trips."""
    app, api = counted
    project = made(app)
    reclaim(app, project)
    assert [advance(app, project) for _ in range(3)] == STEPS[:3]
    api.calls.clear()
    assert advance(app, project) == STEPS[3]
    assert api.calls == ["batch_get_documents", "run_query", "commit"]
    pending = app.store.query("audit", ("pending", "==", True), order="__name__", limit=99)[1]
    assert f"audit/{project}.erase" in {entry.path for entry in pending}
    record_of(app, project)
