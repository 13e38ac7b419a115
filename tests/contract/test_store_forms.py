"""What former versions stored is read whole, and its lifecycle goes on.

`tests/vectors/store-1` is an export made by version 0.1.0. Everything is asked of a host that
imported it, and so has migrated it, over HTTP with the keys of that time; the store is looked into
for its form, tombstones, slots and the audit trail alone. Each test leaves alone what the others
read.
"""

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pytest
import requests

from shared.evidence import DENIED
from shared.store import Write
from tests.support import GRANT, ROOT, Host, paths_below, until
from tests.support.store_vectors import Vector, be_at, plain
from tests.support.terminal import Terminal

ACCOUNTS = ("one", "two")
PORTS = ("--firestore-port", "0", "--hub-port", "0")
# What a start and an import leave, and whoever looks at values here.
OURS = ("codeengine.store.migrate", "codeengine.account.create", "codeengine.secret.read")
MOMENT = timedelta(seconds=20)  # more than passes between two requests, and than a second's part


@pytest.fixture(scope="module")
def vector():
    """The export of version 0.1.0."""
    return Vector("store-1")


@pytest.fixture(scope="module")
def imported(vector, tmp_path_factory):
    """A host of its own that began with the export."""
    host = vector.imported(tmp_path_factory.mktemp("store-1"))
    assert host.hub("GET", "/clock")["offset"] == vector.values["clock"]  # it came along
    be_at(host, vector.now)
    require_woken(vector, host)
    yield host
    host.stop()


@pytest.fixture(scope="module")
def one(vector, imported):
    """The first account."""
    return vector.tenant(imported, "one")


@pytest.fixture(scope="module")
def two(vector, imported):
    """The second account."""
    return vector.tenant(imported, "two")


def require_woken(vector, host):
    """Require that a start ends the purge that had begun as the export was made."""
    vector.tenant(host, "one").require_gone("leaving")


def active(vector):
    """Give the account and the label of each project that is active in the export."""
    told = vector.values["accounts"]
    rows = [(name, told[name]["projects"]) for name in ACCOUNTS]
    return [(n, label) for n, found in rows for label in found if found[label]["state"] == "active"]


@pytest.mark.claim("T9", "an export of the former form is migrated as it is imported")
def test_the_form(imported):
    """Keys are signed, values sealed with what is clear, projects have a MAC: now demanded."""
    told = imported.info["env"]
    assert told["CE_STORE_FORM"] == "2"
    assert json.loads((imported.state / "form.json").read_text()) == {"form": 2}
    assert json.loads((imported.state / "keyring.json").read_text())["state_key"]  # it had none
    until(lambda: " of the former store form" in imported.log())
    assert former(imported.inside.everything()) == (set(), set(), set())
    for name in ("signKeys", "resealValues", "vouchProjects"):
        assert imported.hub("POST", f"/functions/{name}", {"step": "list"})["form"] == 2


def former(documents):
    """Give the paths of keys without a signature, values of envelope v1, projects without a MAC.

    But for the values of a project that is being destroyed: they go with it.
    """
    going = {path for path, fields in documents.items() if fields.get("status") == "hard_deleting"}
    sealed = {
        path
        for path, fields in documents.items()
        if (fields.get("sealed") or fields.get("bytes") or b"")[:1] == b"\1"
        and "/".join(path.split("/")[:2]) not in going
    }
    keys = {path for path in documents if path.startswith("api_keys/")}
    homes = {path for path in documents if re.fullmatch("projects/[^/]+", path)}
    unsigned = {path for path in keys if "signature" not in documents[path]}
    return unsigned, sealed, {path for path in homes if "mac" not in documents[path]}


@pytest.mark.slow
@pytest.mark.claim("T9", "`ce admin migrate` waits for a yes, and says when the form may be raised")
def test_by_the_operator(vector, tmp_path):
    """With CE_STORE_FORM=1 an import stays as it is, and is served, until the operator says yes."""
    host = Host(tmp_path / "a", "--import", str(vector.export), *PORTS)
    host.start(CE_ENDPOINT=vector.values["endpoint"], CE_STORE_FORM="1")
    try:
        be_at(host, vector.now)
        require_woken(vector, host)
        keys, values, homes = former(host.inside.everything())
        # Of eleven keys: a start registers the first account's anew. It ends a purge, too.
        assert (len(keys), len(values) > 30, len(homes)) == (10, True, 10)
        tenant = vector.tenant(host, "two")
        tenant.require_whole("shop")
        until(lambda: "of the former store form: API key without a signature" in host.log())
        for what in ("envelope v1", "project without a MAC"):
            assert f"of the former store form: {what}" in host.log()
        code, said = beside_an_odd_key(host)
        assert code == 1
        assert "say so with --yes" in said
        assert said.count("API key  api_keys/") == len(keys) + 1
        assert '"roles": ["administrator", "manager"]' in said
        assert re.search(r'"image_reference": .*} and \d+ further members', said)
        asked = ("-m", "emulator", "migrate", "--state", str(host.state))
        terminal = Terminal(*asked, program=(sys.executable,), folder=ROOT)
        terminal.shows(rf"{len(keys)} API keys, \d+ values and {len(homes)} projects\? \[y/N\]")
        terminal.type("n\n")
        code, said = terminal.end()
        assert (code, "Nothing was changed." in said) == (1, True)
        assert former(host.inside.everything()) == (keys, values, homes)
        code, said = migrate(host, "--yes")
        assert code == 0, said
        assert re.search(f"migrated {len(keys)} API keys, .* and {len(homes)} projects", said)
        assert "CE_STORE_FORM may be 2" in said
        assert former(host.inside.everything()) == (set(), set(), set())
        assert migrate(host, "--yes") == (0, said.splitlines()[-1] + "\n")
        for label in tenant.labels("active"):
            tenant.require_whole(label)
        saved = host.hub("POST", "/export", {"folder": str(tmp_path / "saved")})["exported"]
    finally:
        host.stop()
    assert json.loads((tmp_path / "saved" / "reprieve-export.json").read_text())["version"] == 2
    again = Host(tmp_path / "b", "--import", saved, *PORTS)
    again.start(CE_ENDPOINT=vector.values["endpoint"])
    try:
        be_at(again, vector.now)
        assert again.info["env"]["CE_STORE_FORM"] == "2"
        assert "migrated" not in again.log()
        for name in ACCOUNTS:
            tenant = vector.tenant(again, name)
            for label in tenant.labels("active"):
                tenant.require_whole(label)
            tenant.restored("early")
    finally:
        again.stop()


def beside_an_odd_key(host):
    """List the store while there is a key that is none, whose id would rewrite a screen."""
    odd = "api_keys/\x1b[1A\x7f\u202e"
    host.inside.store.commit([Write.create(odd, {"id": "x"})])
    code, said = migrate(host)
    host.inside.store.commit([Write.discard(odd)])
    assert r"API key  api_keys/\u001b[1A\u007f\u202e  not vouched for" in said
    assert said.replace("\n", "").isprintable()
    return code, said


def migrate(host, *words):
    """Run `ce admin migrate` without a terminal; give its code, and what it says."""
    command = [sys.executable, "-m", "emulator", "migrate", "--state", str(host.state), *words]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("name", "label"), active(Vector("store-1")))
def test_all_that_is_held(vector, imported, name, label):
    """Secrets of all formats, config maps, templates, revisions: no member differs."""
    vector.tenant(imported, name).require_whole(label)


def test_the_export_stays_as_it_is(vector, imported):
    """An import writes nothing where it reads: this one read it where git has it."""
    assert imported.process.poll() is None
    assert vector.files() == vector.before


@pytest.mark.parametrize("name", ACCOUNTS)
def test_the_keys(vector, imported, name):
    """Every API key is told of as it was, and may what it could: one opens one project alone."""
    tenant = vector.tenant(imported, name)
    told = tenant.told["keys"]
    listed = by_id(tenant.ask("/v1/apikeys?limit=200")["apikeys"])
    recorded = by_id(key["told"] for key in told.values())
    if name == "one":  # a host registers its first account's key anew whenever it starts
        listed[tenant.owner.key_id].pop("created_at")
        recorded[tenant.owner.key_id].pop("created_at")
    assert listed == recorded
    may = {label: tenant.answered(label) for label in told if told[label]["answered"]}
    assert may == {label: told[label]["answered"] for label in may}
    assert set(told) - set(may) == ({"expired"} if name == "one" else set())


@pytest.mark.parametrize("name", ACCOUNTS)
def test_keys_are_counted(vector, imported, name):
    """That version named an account's keys nowhere: the first that is made counts them all."""
    tenant = vector.tenant(imported, name)
    named = f"accounts/{tenant.id}"
    before = {key["id"] for key in tenant.ask("/v1/apikeys?limit=200")["apikeys"]}
    made = tenant.owner.another_key("viewer")
    assert imported.inside.document(named) == {"keys": sorted({*before, made.key_id})}
    assert tenant.owner.call("DELETE", f"/v1/apikeys/{made.key_id}").status_code == 204
    assert imported.inside.document(named) == {"keys": sorted(before)}


def test_an_expired_key_stays_expired(one):
    """No token is given for it, by the real time, wherever the lifecycle's clock is."""
    key = one.told["keys"]["expired"]
    form = {"grant_type": GRANT, "apikey": key["apikey"]}
    answer = requests.post(f"{one.host.url}/identity/token", data=form, timeout=30)
    expired = datetime.fromisoformat(key["told"]["expires_at"]) <= datetime.now(UTC)
    assert answer.status_code == (400 if expired else 200)  # a machine's clock may be behind


@pytest.mark.parametrize("name", ACCOUNTS)
def test_what_was_destroyed_is_gone(vector, imported, name):
    """Nothing of it is left but the tombstone and the audit trail, which are as they were."""
    tenant = vector.tenant(imported, name)
    for label in tenant.labels("gone"):
        tenant.require_gone(label)
        project = tenant.projects[label]["id"]
        assert tenant.instance(label) == tenant.projects[label]["instance"]
        found = plain(imported.inside.document(f"tombstones/{project}"))
        assert found.items() >= vector.values["tombstones"][project].items()
        assert audited(imported)[project] == vector.values["audit"][project]
        when = (
            f"{imported.inside.document(f'tombstones/{project}')['erased_at']:%Y-%m-%dT%H:%M:%SZ}"
        )
        said = f"Project `{project}` was destroyed for good on {when}; nothing can bring it back."
        for answer in (
            tenant.owner.call("GET", tenant.path(label)),
            tenant.owner.act(project, "restore"),  # which was its reclamation's id
        ):
            assert answer.status_code == 404
            assert answer.json()["errors"][0]["message"] == f"Resource not found. {said}"


@pytest.mark.slow
def test_the_end_of_life_goes_on(vector, imported, one, two):
    """Deleted projects come back until their own deadlines, and are destroyed at them.

    One account's `early` is restored and deleted once more, the other's is left alone; `late` is
    restored at the last moment; the purge of `leaving` had begun, and the start ended it.
    """
    be_at(imported, vector.now)
    require_as_it_was(vector, imported, one.projects["leaving"]["id"])
    require_of_form_1(one, "early")
    assert answers(one, one.projects["leaving"]["id"]) == (404, 404)
    one.restored("early")
    assert answers(one, one.projects["early"]["id"]) == (404, 404)
    assert one.owner.call("DELETE", one.path("early")).status_code == 202
    assert answers(one, one.projects["early"]["id"]) == (404, 404)
    assert one.reclamation("early")["id"] != one.projects["early"]["id"]
    assert enforced(imported) == {}

    tombstone = imported.inside.document(f"tombstones/{one.projects['leaving']['id']}")
    assert tombstone["reclamation_id"] == one.projects["leaving"]["id"]
    assert tombstone["cause"] is tombstone["requested_by"] is None  # 0.1.0 noted neither

    due = deadline(two, "early")
    be_at(imported, due - MOMENT)
    assert enforced(imported) == {}
    be_at(imported, due + MOMENT)
    refused = two.restore("early")
    assert refused.status_code == 409
    assert refused.json()["errors"][0]["code"] == "project_not_restorable"
    assert enforced(imported) == {"expired": 1}
    two.require_gone("early")

    be_at(imported, deadline(one, "late") - MOMENT)
    one.restored("late")

    due = deadline(one, "early")
    assert timedelta(days=7) <= due - vector.now < timedelta(days=7, minutes=10)
    be_at(imported, due - MOMENT)
    assert enforced(imported) == {}
    be_at(imported, due + MOMENT)
    assert enforced(imported) == {"expired": 1}
    one.require_gone("early")
    assert one.owner.project("early")["id"] != one.projects["early"]["id"]  # its name is free
    for tenant in (one, two):
        for label in tenant.labels("active"):
            tenant.require_whole(label)


@pytest.mark.slow
def test_what_was_deleted_is_destroyed_at_once(vector, tmp_path):
    """What version 0.1.0 deleted is reclaimed by its project's id, which then has ended too."""
    host = vector.imported(tmp_path)
    try:
        be_at(host, vector.now)
        one = vector.tenant(host, "one")
        late = one.projects["late"]["id"]
        assert one.owner.act(late, "reclaim").json()["state"] == "RECLAIMING"
        one.require_gone("late")
        assert answers(one, late) == (404, 404)
        tombstone = host.inside.document(f"tombstones/{late}")
        assert (tombstone["reclamation_id"], tombstone["cause"]) == (late, "reclaim")
        assert tombstone["requested_by"] == one.owner.key_id
        one.restored("early")
    finally:
        host.stop()


def require_as_it_was(vector, host, gone):
    """Require that slots, audit trail and reclamations are those of the export, but for one."""
    for region, told in vector.values["regions"].items():
        slots = {project: name for project, name in told["slots"].items() if project != gone}
        assert plain(host.inside.document(f"regions/{region}"))["slots"] == slots
    found, told = audited(host), dict(vector.values["audit"])
    told[gone] = {**told[gone], "codeengine.project.erase": 1}
    assert found.pop("None") >= Counter(
        told.pop("None")
    )  # a test above makes keys, and deletes them
    assert found == told
    for name in ACCOUNTS:
        tenant = vector.tenant(host, name)
        listed = tenant.ask("/v1/reclamations")["resources"]
        was = by_id(tenant.told["reclamations"])
        assert by_id(listed) == {id_: told for id_, told in was.items() if id_ != gone}
        for label in tenant.labels("soft_deleted"):
            assert tenant.ask(tenant.path(label)) == tenant.projects[label]["told"]
            assert tenant.instance(label) == tenant.projects[label]["instance"]
            answer = tenant.owner.call("GET", f"{tenant.path(label)}/secrets")
            assert answer.json()["errors"][0]["code"] == "project_not_active"


def require_of_form_1(tenant, label):
    """Require that a deletion has its project's id as its reclamation's."""
    assert tenant.reclamation(label)["id"] == tenant.projects[label]["id"]


def answers(tenant, reclamation):
    """Give how a restore and a reclaim by a reclamation that has ended are answered."""
    actions = (tenant.owner.act(reclamation, action) for action in ("restore", "reclaim"))
    return tuple(answer.status_code for answer in actions)


def audited(host):
    """Count the audit entries, by project and action, but for OURS and what was denied."""
    store, counts = host.inside.store, defaultdict(Counter)
    paths = [path for path in paths_below(store, "", 10_000) if path.startswith("audit/")]
    for entry in store.read(*paths).documents.values():
        if entry.fields["action"] not in OURS and entry.fields.get("outcome") != DENIED:
            counts[str(entry.fields["project_id"])][entry.fields["action"]] += 1
    return counts


def enforced(host):
    """Run the schedule, and give what it did; nothing may fail or disagree."""
    return {word: count for word, count in host.enforce().items() if count}


def deadline(tenant, label):
    """Give the time from which a deleted project is not restored any more, as it is told."""
    return datetime.fromisoformat(tenant.reclamation(label)["target_time"])


def by_id(entries):
    """Give entries of a list by their ids."""
    return {entry["id"]: entry for entry in entries}
