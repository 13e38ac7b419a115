"""The local key store slow, away, full, lying; the key-encryption key lost."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from shared import keys, projects, resources
from shared.access import api_keys
from shared.errors import Error
from shared.kinds import SECRETS
from shared.projects import reclamations
from shared.upkeep import purge, schedule
from tests.faults.faulty import Rule, troubled
from tests.faults.hosts import troubled_host
from tests.faults.test_store_faults import everything
from tests.faults.test_time_faults import status
from tests.keys.test_keyring import full_disk
from tests.resources.test_chunks import secret, value
from tests.support import call, paths_below, reclaim, with_key
from tests.upkeep.test_key_rotation import again

pytestmark = pytest.mark.slow

ENTERED = 4  # requests a host takes on at once


def made(app, name="p"):
    """Make a project with a secret; give its id and the secret's path."""
    project = projects.create(app, call(body={"name": name})).body["id"]
    return project, secret(app, project, "s", {"k": "v"})


@pytest.mark.claim("F26", "key store away: metadata, delete, restore go on; secrets are 503")
@pytest.mark.parametrize("error", ["down", "full"])
def test_a_key_store_that_is_away(app, error):
    """What needs a key is refused to no effect, and works at once when the store is back."""
    project, path = made(app)
    there, script = troubled(
        again(app), *(Rule(on, "before", error=error) for on in ("get", "put"))
    )
    before = everything(app)
    named = {"name": "t", "format": "generic", "data": {"k": "v"}}
    for act in (
        lambda: value(there, path),
        lambda: resources.create(SECRETS, there, call(body=named, project_id=project)),
        lambda: projects.create(there, call(body={"name": "q"})),
    ):
        with pytest.raises(Error) as refused:
            act()
        assert (refused.value.status, "Retry-After" in refused.value.headers) == (503, True)
    assert everything(app).keys() - {"settings/keyring"} == before.keys() - {"settings/keyring"}
    assert api_keys.create(there, call(body={"name": "k"})).body["apikey"]
    assert projects.get(there, call(id=project)).body["status"] == "active"
    assert len(projects.listing(there, call()).page.entries) == 1
    projects.delete(there, call(id=project))
    assert schedule.enforce(there)["failed"] == 0
    reclamations.restore(there, call(project_id=project))
    script.set()
    assert value(there, path) == {"k": "v"}
    assert projects.create(there, call(body={"name": "q"})).body["status"] == "active"


@pytest.mark.slow
@pytest.mark.claim("F28", "a slow key store holds so many requests, not more; all else is served")
def test_a_slow_key_store(tmp_path):
    """Of many who read secrets at once some wait and get them, the others 503 at once."""
    slow = {"on": "get", "do": "delay", "seconds": 3}
    with troubled_host(tmp_path / "slow", CE_CONCURRENCY=str(ENTERED)) as host:
        account = host.account()
        paths = []
        for _ in range(12):  # each has a key of its own, for a key in memory is not asked for
            project = account.project()
            account.secret(project, "s", {"k": "v"})
            paths.append(f"/v2/projects/{project['id']}/secrets/s")
        host.stop()
        host.again()
        host.script(slow)
        assert account.token
        with ThreadPoolExecutor(len(paths)) as pool:
            asked = pool.map(lambda path: account.call("GET", path), paths)
            assert requests.get(f"{host.url}/", timeout=30).status_code == 200  # it lives
            answers = list(asked)
        codes = [answer.status_code for answer in answers]
        assert set(codes) == {200, 503}
        assert all(a.headers["Retry-After"] == "1" for a in answers if a.status_code == 503)
        host.script()
        assert {account.call("GET", path).status_code for path in paths} == {200}


@pytest.mark.claim("F30", "a key store that says destroyed and is not stops the purge")
@pytest.mark.parametrize("lies", ["unlink", "rename"])
@pytest.mark.parametrize("confirmed", [True, False])
def test_a_key_store_that_lies(app, monkeypatch, lies, confirmed):
    """Wherever the half still is, it is read back: nothing is stamped, swept or told as gone."""
    project, _ = made(app)
    keys = app.settings.key_store
    if not confirmed:
        (keys / project).rename(keys / f"{project}.new")
    reclaim(app, project)
    assert purge.advance(app, project) == "begin"
    with monkeypatch.context() as patched:
        patched.setattr(Path, lies, lambda *_, **__: None)
        if lies == "rename" and confirmed:
            assert purge.advance(app, project) == "shred"  # there is nothing to rename
        else:
            for _ in range(2):
                with pytest.raises(Error) as refused:
                    purge.advance(app, project)
                assert refused.value.code == "unavailable"
            stored = app.store.read(f"projects/{project}")[f"projects/{project}"].fields
            assert stored.get("shredded_at") is None
            assert paths_below(app.store, f"projects/{project}/secrets/s", 1) == []
            assert app.store.read(f"projects/{project}/secrets/s").documents
    for _ in range(4):
        purge.advance(app, project)
    assert status(app, project) is None
    assert list(keys.glob(f"{project}*")) == []


@pytest.mark.claim("F22", "on a full disk keys are destroyed all the same, or the purge waits")
@pytest.mark.parametrize("size", [0, 10])
def test_a_full_disk_at_the_end(app, size):
    """No half that can be read is left behind as destroyed; with room again the purge ends."""
    project, _ = made(app)
    reclaim(app, project)
    assert purge.advance(app, project) == "begin"
    with full_disk(size):
        try:
            step = purge.advance(app, project)
        except Error as refused:
            step = refused.code
    left = list(app.settings.key_store.glob(f"{project}*"))
    assert (step, left) in [("shred", []), ("unavailable", left)]
    stored = app.store.read(f"projects/{project}")[f"projects/{project}"].fields
    assert (stored.get("shredded_at") is None) == (step == "unavailable")
    for _ in range(4):
        purge.advance(app, project)
    assert status(app, project) is None


def code_of(act):
    """Give the code of an act that is refused."""
    with pytest.raises(Error) as refused:
        act()
    return refused.value.code


@pytest.mark.claim("F29", "a keyring file that is lost stops what needs it; put back, all is there")
def test_a_lost_keyring(app, caplog):
    """Nothing is made under a key that nobody has; the copy of the file is the way back."""
    there = again(app)
    _, path = made(there)
    file = there.settings.keyring
    copy = file.read_bytes()
    file.unlink()
    with pytest.raises(Error) as refused:
        made(there, "q")
    assert (refused.value.status, "Retry-After" in refused.value.headers) == (503, True)
    _, found = app.store.query("projects", order="id", limit=9)
    assert [document.fields["name"] for document in found] == ["p"]
    other = again(app)  # it makes no fresh one: nothing is signed or taken that ends with it
    acts = (lambda: value(other, path), lambda: made(other, "q"), lambda: with_key(other))
    assert [code_of(act) for act in acts] == ["unavailable"] * 3
    assert (file.exists(), str(file) in caplog.text) == (False, True)
    file.write_bytes(copy)
    assert value(again(app), path) == {"k": "v"}
    assert value(again(app), made(again(app), "q")[1]) == {"k": "v"}


@pytest.mark.claim("F28", "a key store that flaps: each request is answered, or told to come again")
def test_a_key_store_that_flaps(app):
    """Every other call fails; what is told as done is done, and nothing is made twice."""
    project, _ = made(app)
    there, script = troubled(again(app), Rule("get", "before", error="down", share=0.5))
    done, refused = [], []
    for number in range(20):
        body = {"name": f"n{number}", "format": "generic", "data": {"k": "v"}}
        there.keyring._memory._kept.clear()
        try:
            resources.create(SECRETS, there, call(body=body, project_id=project))
            done.append(body["name"])
        except Error as error:
            refused.append(error.code)
    assert (len(done) + len(refused), script.rules[0].met) == (20, len(refused))
    assert set(refused) <= {"unavailable"}
    script.set()
    found = resources.listing(SECRETS, there, call(project_id=project)).page.entries
    assert {entry["name"] for entry in found} == {"s", *done}
    with pytest.raises(keys.Undecryptable):
        there.keyring.open("1" * 36, {"kek": "k", "wrapped": b"w"})
