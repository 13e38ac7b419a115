"""Every step of every table of upkeep, failed at each of its edges: what is left is always whole.

A table is a row here: how its work is prepared, done from wherever it stands, and looked at when it
is over. The one test below breaks a step before its act, after it, and on either side of its
commit, then lets the work go on, and wants to find what a run without a fault leaves.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import pytest

from shared import keys, projects, resources, upkeep
from shared.errors import Error
from shared.kinds import SECRETS
from shared.store import Store
from shared.upkeep import purge, rotation
from tests.faults.faulty import Rule, troubled
from tests.support import call, halves_in, reclaim, wired, with_key
from tests.support.ends import below, certificates, digest_of, essence, said_of

VALUE = {"k": "v"}
FORETOLD = {}  # by project: the digest over all that lies below it, before its purge
# Where a step breaks: the call that fails, and on which side of it.
EDGES = [
    ("destroy", "before", "down"),
    ("destroy", "after", "down"),
    ("commit", "before", "ServiceUnavailable"),
    ("commit", "after", "ServiceUnavailable"),
]
ROUNDS = 12  # more than any of this takes


class Table(NamedTuple):
    """Some work in steps; `begin` gives what it is about, `step` does the next and tells it."""

    names: tuple[str, ...]
    begin: Callable[[Any], Any]
    step: Callable[[Any, Any], str]
    left: Callable[[Any, Any], Any]


def project_with_a_secret(app, name="p"):
    """Make a project that holds a secret; give its id."""
    project = projects.create(app, call(body={"name": name})).body["id"]
    body = {"name": "s", "format": "generic", "data": VALUE}
    resources.create(SECRETS, app, call(body=body, project_id=project))
    return project


def doomed(app):
    """Begin the permanent deletion of a project."""
    project = project_with_a_secret(app)
    reclaim(app, project)
    FORETOLD[project] = digest_of(below(app, project))
    return project


def ended(app, project):
    """Give all there is of an account whose only project is gone, the times left out.

    Its one certificate too; whose digest is what was foretold of it.
    """
    said = said_of(app, project)
    assert said["destroyed"]["digest"] == FORETOLD.pop(project)
    assert certificates(app).keys() == {project}
    paths = {document.path.replace(project, "ID") for document in app.store.below("", 1000, "id")}
    audit = {path for path in paths if path.startswith("audit/") and "ID" not in path}
    region = app.store.read(f"regions/{'a' * 32}.us-south")
    slots = next(iter(region.documents.values())).fields["slots"]
    tombstone = app.store.read(f"tombstones/{project}")[f"tombstones/{project}"].fields
    halves = halves_in(app.settings.key_store)
    told = tombstone["status"], tombstone["swept"], essence(said)
    return sorted(paths - audit), len(audit), slots, *told, halves


def rotate(app, seen):
    """Take the step of a rotation that is next, as the operator's program goes on."""
    name = rotation_steps(app, seen)
    if name != "nothing":
        seen["last"] = rotation.rotate(app, call(body={"step": name, "kek": seen["kek"]})).body
        seen["done"].append(name)
    return name


def rotation_steps(app, seen):
    """Give the step that what is stored asks for: add, rewrap, prune, nothing."""
    keks = [*app.keyring.keks()]
    if keks[-1] == seen["kek"]:
        return "add"
    if seen["kek"] not in keks:
        return "nothing"
    paths = [resources.data_key_path(seen["project"]), "settings/keyring"]
    read = app.store.read(*paths)
    under = {read[path].fields["kek"] for path in paths}
    return "rewrap" if seen["kek"] in under else "prune"


def keyed(app):
    """Make a project under the key that is to be replaced."""
    app.keyring.check = partial(keys.check_value.check, app.store)
    app.keyring.ready()
    project = project_with_a_secret(app)
    return {"project": project, "kek": [*app.keyring.keks()][-1], "done": []}


def rotated(app, seen):
    """Give what a rotation leaves: one key, under which all is, and a secret that opens."""
    keks = [*app.keyring.keks()]
    found = resources.get(SECRETS, app, call(project_id=seen["project"], name="s")).body["data"]
    record = app.store.read(resources.data_key_path(seen["project"])).documents.popitem()[1]
    return len(keks), seen["kek"] in keks, record.contents["kek"] == keks[-1], found == VALUE


TABLES = {
    # The first, `fail`, is of a project whose key half is missing: test_missing_halves.py.
    "purge": Table(tuple(step.name for step in purge.STEPS[1:]), doomed, upkeep.advance, ended),
    "rotation": Table(("add", "rewrap", "prune"), keyed, rotate, rotated),
}


@pytest.fixture
def calm(host, tmp_path, monkeypatch):
    """Make the domain, in a database and a key store of its own, with tries that do not pause."""
    monkeypatch.setattr(rotation.quotas, "KEK_REST", rotation.quotas.KEK_REST * 0)

    def make():
        shutil.rmtree(tmp_path, ignore_errors=True)
        tmp_path.mkdir()
        app = with_key(wired(host.info["firestore"], tmp_path))
        names = app.settings.project, app.settings.emulator, lambda: 0.0, app.settings.database
        return replace(app, store=Store.connect(*names))

    return make


def finish(table, app, about):
    """Go on until there is nothing to do."""
    done = []
    while (name := table.step(app, about)) != "nothing":
        done.append(name)
        assert len(done) < ROUNDS, done
    return done


def broken(table, app, about, rule):
    """Take the next step where a call fails; tell whether the rule met one."""
    there, script = troubled(app, rule)
    with suppress(OSError, Error):  # of any other kind there is none
        table.step(there, about)
    return script.rules[0].met


@pytest.mark.claim("F7", "a step of upkeep that fails at any edge leaves what a good run leaves")
@pytest.mark.parametrize("name", TABLES)
def test_every_step_at_every_edge(calm, name, subtests):
    """Each step of a table, failed at each edge and then gone on with, ends as one without."""
    table = TABLES[name]
    app = calm()
    about = table.begin(app)
    assert finish(table, app, about) == list(table.names)
    good, met = table.left(app, about), 0
    for number, step in enumerate(table.names):
        for on, do, error in EDGES:
            with subtests.test(step=step, on=on, do=do):
                app = calm()
                about = table.begin(app)
                taken = [table.step(app, about) for _ in range(number)]
                assert taken == list(table.names[:number])
                met += broken(table, app, about, Rule(on, do, error=error, last=1))
                finish(table, app, about)
                assert table.left(app, about) == good
    assert met >= 2 * len(table.names)  # each step commits: the commit's edges were met


def test_tables_are_whole():
    """The tables above are those of the code."""
    assert [step.name for step in purge.STEPS] == ["fail", "begin", "shred", "sweep", "tombstone"]
    assert set(rotation.STEPS) == {"list", *TABLES["rotation"].names}
