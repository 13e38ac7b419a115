"""Key-encryption keys: rotated under load, pruned when unused, and never the wrong ones."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from shared import projects, quotas, resources
from shared.app import App
from shared.calls import OPERATOR
from shared.errors import Error
from shared.keys import check_value, open_local
from shared.kinds import SECRETS
from shared.store import Store, tries
from shared.upkeep import purge, rotation
from tests.faults.faulty import Rule, troubled
from tests.keys.test_keyring import full_disk
from tests.support import call, paths_below, reclaim, wired, with_key
from tests.support.entries import entries

DATA = {"k": "v"}


@pytest.fixture(params=["local", "cloud"])
def either(request, host, tmp_path):
    """The domain over each back end of the keyring."""
    more = request.getfixturevalue("google").env() if request.param == "cloud" else {}
    return again(with_key(wired(host.info["firestore"], tmp_path, **more)))


def step(app, name, **more):
    """Take one step, as the operator."""
    asked = replace(call(body={"step": name, **more}), principal=OPERATOR)
    return rotation.rotate(app, asked).body


def rotate(app):
    """Rotate to the end; give the old and the new key."""
    old = step(app, "list")["current"]
    new = step(app, "add", kek=old)["current"]
    page = step(app, "rewrap")
    while "next" in page:
        page = step(app, "rewrap", start=page["next"])
    return old, new


def again(app):
    """Give another process of the same deployment, with its check."""
    other = replace(app, keyring=App.from_settings(app.settings).keyring)
    other.keyring.check = partial(check_value.check, app.store)
    return other


def make(app, name="p"):
    """Create a project with a secret."""
    project = projects.create(app, call(body={"name": name})).body["id"]
    body = {"name": "s", "format": "generic", "data": DATA}
    resources.create(SECRETS, app, call(body=body, project_id=project))
    return project


def value(app, project):
    """Read the secret."""
    return resources.get(SECRETS, app, call(project_id=project, name="s")).body["data"]


def later(app):
    """Give the domain after the time an old key rests."""
    more = quotas.KMS_SPARE + quotas.KMS_PRIMARY if app.settings.cloud_keys else timedelta(0)
    rest = quotas.KEK_REST + more
    return replace(app, wall=lambda: app.wall() + rest.total_seconds() + 1)


@pytest.mark.claim("keys.2", "a rotation under load: every secret readable, none rewritten")
def test_rotated_under_load(either, monkeypatch):
    """Processes that opened the old keyring read and write on; pages of two walk all projects."""
    monkeypatch.setattr(quotas, "REWRAP_BATCH", 2)
    app = either
    mine = [make(app, f"p{number}") for number in range(5)]
    before = {project: app.store.read(f"projects/{project}/secrets/s") for project in mine}
    others = [again(app) for _ in range(3)]
    with ThreadPoolExecutor(4) as pool:
        reads = [pool.submit(value, other, p) for _ in range(8) for other in others for p in mine]
        made = [pool.submit(make, other, f"n{n}") for n, other in enumerate(others)]
        old, new = rotate(app)
    assert all(read.result() == DATA for read in reads)
    mine += [one.result() for one in made]
    page = step(app, "rewrap")
    while "next" in page:
        page = step(app, "rewrap", start=page["next"])
    assert old != new
    for project in mine:
        path = f"projects/{project}/keys/current"
        assert app.store.read(path)[path].fields["kek"] == new
        assert [value(other, project) for other in (*others, again(app))] == [DATA] * 4
    for project, read in before.items():
        path = f"projects/{project}/secrets/s"
        assert app.store.read(path)[path] == read[path]


@pytest.mark.claim("keys.3", "a rotation cut short goes on, and two at once are harmless")
def test_cut_short_and_twice(either):
    """Each write fails once, before or after it was applied; then two do it at once."""
    app = either
    mine = [make(app, name) for name in "abc"]
    old = step(app, "list")["current"]
    new = step(app, "add", kek=old)["current"]
    for do in ("before", "after"):
        with pytest.raises(Error):
            step(troubled(app, Rule("commit", do, about="/keys/", last=1))[0], "rewrap")
    with ThreadPoolExecutor(2) as pool:
        pages = list(pool.map(lambda ring: step(ring, "rewrap"), (again(app), again(app))))
    assert [page["failed"] for page in pages] == [0, 0]
    assert step(app, "list")["projects"] == {new: 3}
    assert step(app, "add", kek=old)["current"] == new
    assert [value(again(app), project) for project in mine] == [DATA] * 3
    acts = [one for one in entries(app.store) if one["action"] == "codeengine.keys.rotate"]
    told = [(one["initiator"], one["kek"], one["outcome"]) for one in acts]
    assert told == [("operator", old, outcome) for outcome in ("begun", "success")]


@pytest.mark.claim("keys.4", "an old key goes only when nothing uses it and it has rested")
def test_pruned_when_unused(either):
    """Not the one in use, not one in use by a project or too fresh, not one that is unknown."""
    app = either
    project = make(app)
    old = step(app, "list")["current"]
    step(app, "add", kek=old)

    def refused(there, kek):
        with pytest.raises(Error) as error:
            step(there, "prune", kek=kek)
        assert error.value.code == "invalid_field"
        return error.value.message

    assert "in use" in refused(later(app), old)
    step(app, "rewrap")
    assert "minutes" in refused(app, old)
    new = step(app, "list")["current"]
    for kek in (new, "other"):
        assert "old" in refused(later(app), kek)
    assert step(later(app), "prune", kek=old)["old"] == []
    assert old not in app.keyring.keks()
    assert value(again(app), project) == DATA


@pytest.mark.claim("keys.4", "a pruning has time to look at every project")
def test_pruned_page_by_page(app, monkeypatch):
    """Each page has a deadline of its own, and so has what is written before them and after."""
    monkeypatch.setattr(quotas, "REWRAP_BATCH", 1)
    there = again(app)
    for name in "ab":
        make(there, name)
    old, _ = rotate(there)
    ends, query, commit = [], Store.query, Store.commit

    def noted(ask):
        def asked(*args, **how):
            ends.append(tries._END.get())
            return ask(*args, **how)

        return asked

    monkeypatch.setattr(Store, "query", noted(query))
    monkeypatch.setattr(Store, "commit", noted(commit))
    with tries.one_request():
        assert step(later(there), "prune", kek=old)["old"] == []
        assert len({tries._END.get(), *ends}) == 1 + len(ends) == 7  # three pages


@pytest.mark.claim(
    "F29", "another keyring is refused loudly before any write; the right one serves"
)
def test_another_keyring(app, tmp_path, caplog):
    """Nothing is written with wrong keys; deleting a project for good works without them."""
    project = make(again(app))
    doomed = make(again(app), "q")
    wrong = replace(app.settings, keyring=tmp_path / "other.json")
    open_local(wrong.keyring, tmp_path)  # makes it; then who signs and vouches is the same
    right = json.loads(app.settings.keyring.read_text())
    same = {name: right[name] for name in ("signing_key", "state_key")}
    wrong.keyring.write_text(json.dumps(json.loads(wrong.keyring.read_text()) | same))
    bad = again(replace(app, settings=wrong))
    before = set(paths_below(app.store, "", 1000))
    for act in (lambda: make(bad, "new"), lambda: value(bad, project), lambda: rotate(bad)):
        with pytest.raises(Error) as refused:
            act()
        assert refused.value.code == "unavailable"
        assert "Retry-After" in refused.value.headers
    assert set(paths_below(app.store, "", 1000)) == before
    told = [json.loads(record.message) for record in caplog.records]
    assert [line["severity"] for line in told] == ["CRITICAL"]
    reclaim(bad, doomed)
    assert [purge.advance(bad, doomed) for _ in range(2)] == ["begin", "shred"]
    assert value(again(app), project) == DATA


@pytest.mark.claim("F22", "a full disk at the key store: 503, nothing half made, reads go on")
def test_full_disk(app):
    """No project and no key appears; when there is room again both can be made."""
    app = again(app)
    project = make(app)
    keys, keyring = app.settings.key_store, app.settings.keyring
    halves, before = set(keys.iterdir()), keyring.read_bytes()
    current = step(app, "list")["current"]
    for act in (
        lambda: projects.create(app, call(body={"name": "q"})),
        lambda: step(app, "add", kek=current),
    ):
        with full_disk(), pytest.raises(Error) as refused:
            act()
        assert refused.value.code == "unavailable"
        with full_disk():
            assert value(again(app), project) == DATA
    assert keyring.read_bytes() == before
    assert {file.name for file in keys.iterdir()} >= {file.name for file in halves}
    _, found = app.store.query("projects", order="id", limit=9)
    assert [document.fields["name"] for document in found] == ["p"]
    assert value(app, make(app, "q")) == DATA
    assert step(app, "add", kek=current)["current"] != current


@pytest.mark.slow
@pytest.mark.usefixtures("ce")
def test_by_command(account):
    """`ce admin keys` rotates a running host's keys; a fresh old key is kept, and it says why."""

    def admin(*words, code=0):
        command = [sys.executable, "-m", "ce", "admin", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    project = account.project()
    account.secret(project, "s", DATA)
    old = admin("keys", "list").splitlines()[-1].split()[0]
    new, said = admin("keys", "rotate").strip().split("  ")
    assert said.endswith("rewrapped, 0 failed")
    first, last = admin("keys", "list").splitlines()[-2:]
    assert first == f"{old}  0"
    assert last.startswith(f"{new}  ")
    assert last.endswith("  (current)")
    assert "until a few minutes ago" in admin("keys", "prune", code=1)
    assert "Usage" in admin("none", code=2)
    answer = account.call("GET", f"/v2/projects/{project['id']}/secrets/s")
    assert answer.json()["data"] == DATA
