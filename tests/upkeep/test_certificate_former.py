"""Certificates of what was restored, of moved clocks, and of what version 0.1.0 began."""

from hashlib import sha256

import pytest

from shared import projects
from shared.projects import reclamations
from shared.store import Write
from shared.upkeep import advance, schedule
from tests.ce.test_verify import refusal
from tests.support import WEEK, call, reclaim
from tests.support.certificates import on_a_test_host
from tests.support.ends import NAME, below, certificates, digest_of, ended, made, record_of, said_of
from tests.support.former import in_form

STEPS = ["begin", "shred", "sweep", "tombstone"]


def stored(app, project):
    """Give a project's document."""
    return app.store.read(f"projects/{project}")[f"projects/{project}"]


def be_at(app, seconds):
    """Move the clock to so many seconds from now."""
    app.settings.clock_file.write_text(str(seconds))


@pytest.mark.claim("I13", "restored twice, and then destroyed because its time had come")
def test_restored_twice_then_expired(app):
    """Its deletion and deadline are the last ones; both restores are told; the clock was moved."""
    project = made(app)
    for _ in range(2):
        projects.delete(app, call(id=project))
        reclamations.restore(app, call(project_id=project))
    delete = call(id=project)
    projects.delete(app, delete)
    be_at(app, WEEK + 1)
    assert schedule.enforce(app)["expired"] == 1
    ended(app, project)
    said = said_of(app, project)
    assert len(said["timeline"]["restores"]) == 2
    assert (said["timeline"]["cause"], said["because"]) == ("deadline", delete.trace)
    assert said["requested_by"] == {"id": delete.principal.subject, "name": None}
    assert (said["environment"]["clock"], said["test"]) == ("moved", True)
    assert refusal(on_a_test_host(record_of(app, project))) == ""


@pytest.mark.parametrize("when", ["create", "delete", "restore", "reclaim", *STEPS])
def test_under_a_moved_clock(app, when):
    """A clock that is moved at any move of a project, or step of its purge, marks it for good."""

    def at(now):
        be_at(app, 1 if now == when else 0)

    at("create")
    project = made(app)
    assert stored(app, project).contents["test"] == (when == "create")
    at("delete")
    projects.delete(app, call(id=project))
    at("restore")
    reclamations.restore(app, call(project_id=project))
    at("")
    projects.delete(app, call(id=project))
    at("reclaim")
    reclaim(app, project)
    for step in STEPS:
        at(step)
        assert advance(app, project) == step
    said = said_of(app, project)
    assert said["environment"]["clock"] == "moved"


FORMER = {"key_commitment", "name_salt", "test", "restores", "attempts", "mac", "moves"}


def of_version_0_1_0(app, project, *more):
    """Take out of a project's documents what version 0.1.0 did not write."""
    document = stored(app, project)
    gone = FORMER | {*more}
    kept = {name: value for name, value in document.contents.items() if name not in gone}
    app.store.commit([Write.replace(document, kept)])
    for path in below(app, project):
        found = app.store.read(path)[path]
        kept = {name: value for name, value in found.contents.items() if name != "sha256"}
        app.store.commit([Write.replace(found, kept)])


def test_of_form_1(app):
    """No commitment, no digests of what it held; its salt is made when it is deleted."""
    app = in_form(app, 1)
    project = made(app)
    of_version_0_1_0(app, project)
    projects.delete(app, call(id=project))
    salt = stored(app, project).contents["name_salt"]
    reclaim(app, project)
    foretold = digest_of(below(app, project))
    ended(app, project)
    said, index = said_of(app, project), certificates(app)[project]
    assert said["key"]["commitment"] is None
    assert said["destroyed"]["digest"] == foretold
    assert said["destroyed"]["undigested"] == sum(said["destroyed"]["documents"].values()) == 6
    assert index["name_salt"] == salt
    named = sha256(b"reprieve/name/v1\n" + salt + NAME.encode()).hexdigest()
    assert said["project"]["name_digest"] == named
    assert refusal(on_a_test_host(record_of(app, project))) == ""


@pytest.mark.parametrize("steps", range(4))
@pytest.mark.parametrize("due", [True, False])
def test_begun_by_version_0_1_0(app, steps, due):
    """Its purge was under way at the update: nobody knows who asked, or when it was marked."""
    app = in_form(app, 1)
    project = made(app)
    projects.delete(app, call(id=project))
    if due:
        be_at(app, WEEK + 1)
        schedule.enforce(app)
    else:
        reclaim(app, project)
    assert [advance(app, project) for _ in range(steps)] == STEPS[:steps]
    unknown = {"cause", "requested_by", "requested_name", "because", "claimed_at", "evidence"}
    of_version_0_1_0(app, project, *unknown, "swept_at", "sweep_digest", "swept_kinds", "digested")
    ended(app, project)
    said = said_of(app, project)
    assert said["requested_by"] == {"id": None, "name": None}
    assert said["timeline"]["cause"] == ("deadline" if due else "reclaim")
    assert sum(said["destroyed"]["documents"].values()) == 6
    assert said["destroyed"]["undigested"] == 6
    assert refusal(on_a_test_host(record_of(app, project))) == ""


def test_a_clock_set_back(app):
    """Its times are in no order, and it holds as the test that it is; for no other clock."""
    be_at(app, WEEK / 2)
    project = made(app)
    projects.delete(app, call(id=project))
    be_at(app, 0)
    reclaim(app, project)
    ended(app, project)
    record = record_of(app, project)
    assert refusal(on_a_test_host(record)) == ""
    other = record.replace(b'"clock":"moved"', b'"clock":"store"')
    assert refusal(on_a_test_host(other)) == "ValueError: its times are out of order"
