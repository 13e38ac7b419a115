"""Google's key services slow, down, flapping and lying; wrong names; a key store that keeps."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest

from shared import access, projects, quotas
from shared.access import api_keys
from shared.app import App
from shared.errors import Error
from shared.keys import RECORD, check_value
from shared.projects import reclamations
from shared.settings import Settings
from shared.upkeep import purge, schedule
from tests.support import WEEK, Host, call, paths_below, reclaim, until, wired, with_key
from tests.support.google_keys import KEY, OTHER_KEY, PREFIX, SIGNING_KEYS, Fault, Google
from tests.support.keyrings import Cloud
from tests.upkeep.test_key_rotation import DATA, again, make, step, value

pytestmark = pytest.mark.slow

DOWN = [Fault("*", "cut"), Fault("*", "refuse"), Fault("*", "refuse", "RESOURCE_EXHAUSTED")]


@pytest.fixture(scope="module")
def remote():
    """Google's part, for the host of this file."""
    google = Google()
    yield google
    google.close()


@pytest.fixture(scope="module")
def cloudy(tmp_path_factory, remote):
    """A real host that is wired to it."""
    ports = "--firestore-port", "0", "--hub-port", "0"
    host = Host(tmp_path_factory.mktemp("cloudy"), *ports).start(**remote.env())
    yield host
    host.stop()


@pytest.fixture
def owner(cloudy, remote):
    """An account of that host, on a day without faults."""
    remote.fault()
    until(lambda: not remote.busy(), 30)
    cloudy.set_clock(0)
    account = cloudy.account()
    until(lambda: account.call("POST", "/v2/projects", {"name": "warm"}).status_code == 202, 30)
    remote.fault()
    yield account
    remote.fault()


@pytest.fixture
def app(host, tmp_path, google):
    """The domain over the cloud's keyring, with the checks of a start."""
    Cloud(google)  # so that the four identities may what they may
    return again(with_key(wired(host.info["firestore"], tmp_path, **google.env())))


def beside(app, **changes):
    """Give another deployment over the same store, with other settings."""
    names = {"CE_KMS_KEY": KEY, "CE_KEY_SECRETS": PREFIX, **changes}
    known = app.settings
    env = {
        "FIRESTORE_EMULATOR_HOST": known.emulator,
        "CE_SIGNING_KEY": known.cloud_keys[2],
        "CE_STATE_KEY": known.cloud_keys[3],
        "CE_GOOGLE": known.google,
        **names,
    }
    other = Settings.from_env(env)
    return again(replace(app, settings=replace(known, cloud_keys=other.cloud_keys)))


def as_(app, google, caller):
    """Give a process of the same deployment that runs as an identity."""
    settings = replace(app.settings, google=google.as_(caller))
    return again(replace(app, settings=settings))


def refused(act):
    """Require Error `unavailable` with a time to come back at."""
    with pytest.raises(Error) as error:
        act()
    assert error.value.code == "unavailable"
    assert "Retry-After" in error.value.headers


def everything(app):
    """Give all paths of the store."""
    return set(paths_below(app.store, "", 1000))


def put(owner, project, name="s"):
    """Put a secret; give the answer."""
    body = {"name": name, "format": "generic", "data": DATA}
    return owner.call("POST", f"/v2/projects/{project['id']}/secrets", body)


@pytest.mark.slow
@pytest.mark.claim("keys.6", "a whole life over the cloud's key services: nothing is left of it")
def test_a_whole_life(cloudy, owner, remote):
    """Create, seal, read, rotate, delete, restore, reclaim; and another by the schedule."""
    first, second = owner.project(), owner.project()
    assert remote.calls == ["kms.encrypt", "sm.create", "sm.add", "sm.update"] * 2
    assert {first["id"], second["id"]} <= remote.halves()
    assert all(put(owner, project).status_code == 201 for project in (first, second))
    path = f"/v2/projects/{first['id']}/secrets/s"
    for body in (
        {"step": "add", "kek": f"{KEY}/cryptoKeyVersions/1"},
        {"step": "rewrap"},
    ):
        answer = cloudy.hub("POST", "/functions/rotateKeys", body)
        answer = answer.get("body", answer)
        assert answer["current"] == f"{KEY}/cryptoKeyVersions/2"
    assert answer["failed"] == 0
    owner.delete(first)
    assert owner.action(first, "restore").status_code == 200
    assert owner.got(path)["data"] == DATA
    owner.delete(first)
    owner.delete(second)
    assert owner.action(first, "reclaim").status_code == 200
    owner.gone(first)
    assert second["id"] in remote.halves()
    cloudy.advance(WEEK + 1)
    until(lambda: cloudy.enforce()["failed"] == 0)
    owner.gone(second)
    for project in (first, second):
        assert f"half-{project['id']}" not in remote.secrets
    assert "canary" not in cloudy.log()


@pytest.mark.slow
@pytest.mark.claim("F26", "Cloud KMS down: all but key work goes on; back within 30 s")
@pytest.mark.parametrize("how", ["cut", "hang"])
def test_kms_down(owner, remote, how):
    """Metadata, delete, restore and keys in memory work; what needs KMS is 503, soon at once."""
    known, fresh, other = owner.project(), owner.project(), owner.project()
    assert put(owner, known).status_code == 201
    remote.fault(Fault("kms.*", how, seconds=4))
    started, slowest = time.monotonic(), 0.0
    for number in range(12):
        before = time.monotonic()
        answer = put(owner, fresh, f"s{number}")
        slowest = max(slowest, time.monotonic() - before)
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert slowest < quotas.KEY_CALL + 10  # a busy machine has its own ideas of two seconds
    asked = sum(name.startswith("kms") for name in remote.calls)
    probes = (time.monotonic() - started) / quotas.KEY_PAUSE + 1
    assert asked <= quotas.KEY_FAILURES + quotas.KEY_TRIES + probes
    secret = f"/v2/projects/{known['id']}/secrets/s"
    assert owner.got(secret)["data"] == DATA
    assert owner.call("POST", "/v2/projects", {"name": "new"}).status_code == 503
    assert owner.call("GET", "/v2/projects").status_code == 200
    assert owner.call("DELETE", secret).status_code == 202
    owner.delete(other)
    assert owner.action(other, "restore").status_code == 200
    owner.delete(other)
    assert owner.action(other, "reclaim").status_code == 200
    owner.gone(other)
    remote.fault()
    until(lambda: put(owner, fresh).status_code == 201, 30)
    assert owner.call("POST", "/v2/projects", {"name": "new"}).status_code == 202


@pytest.mark.slow
@pytest.mark.claim("F28", "Cloud KMS slow: at most 20 calls at once, the others 503 at once")
def test_kms_slow(owner, remote):
    """Forty clients: some wait, some are refused; who needs no key does not notice."""
    project = owner.project()
    remote.fault(Fault("kms.*", "slow", seconds=1.5))
    with ThreadPoolExecutor(41) as pool:
        asked = [pool.submit(put, owner, project, f"s{number}") for number in range(40)]
        seen = pool.submit(owner.call, "GET", f"/v2/projects/{project['id']}")
        counts = Counter(one.result().status_code for one in asked)
        assert seen.result().status_code == 200
    assert set(counts) <= {201, 503}
    assert counts[201] > 0
    assert 0 < remote.most["kms"] <= quotas.KEY_CALLS


@pytest.mark.slow
@pytest.mark.claim("F28", "Cloud KMS slower than anybody waits, or flapping: 503, and back soon")
@pytest.mark.parametrize(
    "fault",
    [Fault("kms.*", "slow", seconds=5), Fault("kms.*", "cut", share=0.6)],
    ids=["5s", "60%"],
)
def test_kms_too_slow(owner, remote, fault):
    """Every request is answered, within what a request may take; then all is well."""
    mine = [owner.project() for _ in range(10)]
    remote.fault(fault)
    started = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: put(owner, mine[n % 10], f"s{n}"), range(40)))
    assert {answer.status_code for answer in answers} <= {201, 503}
    assert time.monotonic() - started < 60  # two seconds each, half of them at once
    remote.fault()
    for project in mine:
        until(lambda p=project: put(owner, p, "last").status_code == 201, 30)


@pytest.mark.claim("F26", "Secret Manager down: deleting and restoring work, and the schedule")
@pytest.mark.parametrize("fault", DOWN, ids=["cut", "503", "429"])
@pytest.mark.usefixtures("swift")
def test_all_of_google_down(app, google, fault):
    """Nothing is half made; the schedule counts what it could not do, and does the rest."""
    project = make(app)
    there = again(app)
    assert there.keyring.verifying_keys  # as who has checked a token before
    assert there.keyring.state.mac(RECORD, b"")  # and has written anything
    google.fault(replace(fault))
    before = everything(app)
    refused(lambda: projects.create(there, call(body={"name": "q"})))
    assert everything(app) == before
    projects.delete(there, call(id=project))
    reclamations.restore(there, call(project_id=project))
    assert schedule.enforce(there)["failed"] == 2  # new halves, and confirmed ones
    google.fault()
    assert value(again(app), project) == DATA


@pytest.mark.claim("F27", "the cloud's key store down: a purge waits, and nothing is swept")
@pytest.mark.parametrize("fault", DOWN, ids=["cut", "503", "429"])
@pytest.mark.usefixtures("swift")
def test_purge_waits(app, google, fault):
    """Nothing of the project goes before its key half; when that can go, the rest does."""
    project = make(app)
    reclaim(app, project)
    before = everything(app)
    google.fault(replace(fault))
    for _ in range(3):
        refused(lambda: purge.advance(app, project))
    assert everything(app) == before
    google.fault()
    steps = [purge.advance(again(app), project) for _ in range(5)]
    assert steps == ["begin", "shred", "sweep", "tombstone", "nothing"]
    assert google.halves() == set()


@pytest.mark.claim("F27", "Cloud KMS down or the key-encryption key gone: a purge goes on")
@pytest.mark.usefixtures("swift")
def test_purge_without_kms(app, google):
    """Destroying a half takes no other key."""
    project = make(app)
    reclaim(app, project)
    google.keys.clear()
    retain = as_(app, google, "retain")
    assert [purge.advance(retain, project) for _ in range(2)] == ["begin", "shred"]


@pytest.mark.claim("F30", "Secret Manager says destroyed, and is not: no step is taken after it")
@pytest.mark.parametrize("do", ["lie", "serve"])
def test_a_lying_key_store(app, google, do):
    """Told by the state that is read back, and by the half that can still be read."""
    project = make(app)
    reclaim(app, project)
    assert purge.advance(app, project) == "begin"
    before = everything(app)
    google.fault(Fault("sm.destroy", do))
    for _ in range(2):
        refused(lambda: purge.advance(app, project))
    assert everything(app) == before
    google.fault()
    for version in google.secrets[f"half-{project}"]["versions"]:
        version["served"] = False  # Google comes to its senses
    assert purge.advance(app, project) == "shred"


@pytest.mark.claim("F29", "another Cloud KMS key is refused loudly before any write, by anybody")
@pytest.mark.parametrize("caller", ["any", "manage", "rotate"])
@pytest.mark.parametrize("foreign", [False, True])
def test_another_key(app, google, caplog, caller, foreign):
    """Also by the identity that may only wrap: the name tells it. The right key serves."""
    project = make(app)
    google.add_key(OTHER_KEY)
    names = {"CE_KMS_KEY": OTHER_KEY}
    if foreign:  # the same names in another Google Cloud project
        names = {"CE_KMS_KEY": KEY.replace("demo-keys", "demo-other")}
        google.add_key(names["CE_KMS_KEY"])
    before, known = everything(app), len(google.secrets)
    bad = beside(as_(app, google, caller), **names)
    if caller != "rotate":  # which serves no tenant, and checks no tenant's key
        refused(lambda: make(bad, "new"))
        refused(lambda: value(bad, project))
    refused(lambda: step(bad, "list"))
    assert everything(app) == before
    assert len(google.secrets) == known
    assert {json.loads(line.message)["message"] for line in caplog.records} == {
        "wrong key-encryption key: no key is used"
    }
    assert value(again(app), project) == DATA


@pytest.mark.claim("F29", "a key-encryption key that is lost is refused loudly; found, it serves")
@pytest.mark.parametrize("state", ["DISABLED", "DESTROY_SCHEDULED"])
@pytest.mark.usefixtures("swift")
def test_a_lost_key(app, google, state):
    """503 before any write while no version unwraps; KMS gives a scheduled one back."""
    project = make(app)
    version = google.keys[KEY]["versions"][0]
    version["state"] = state
    before, there = everything(app), again(app)
    refused(lambda: make(there, "new"))
    refused(lambda: value(there, project))
    assert everything(app) == before
    version["state"] = "ENABLED"
    assert value(again(app), project) == DATA


@pytest.mark.claim("F30", "in another key store than the database's nothing counts as destroyed")
@pytest.mark.parametrize("caller", ["any", "retain"])
def test_another_key_store(app, google, caplog, caller):
    """A wrong prefix finds no half: that is no proof that there is none."""
    project = make(app)
    reclaim(app, project)
    before = everything(app)
    bad = beside(as_(app, google, caller), CE_KEY_SECRETS=PREFIX.replace("half", "other"))
    refused(lambda: purge.advance(bad, project))
    refused(lambda: make(bad, "new"))
    assert everything(app) == before
    assert "another key store" in caplog.text
    assert project in google.halves()
    retain = as_(app, google, "retain")
    assert [purge.advance(retain, project) for _ in range(2)] == ["begin", "shred"]
    assert google.halves() == set()


@pytest.mark.claim("keys.7", "delayed destruction is refused at the start, before any write")
def test_delayed_destruction(app, google, caplog):
    """One secret of the key store has it: no key is made or opened, and it is said why."""
    project = make(app)
    told = google.secrets[f"half-{project}"]["told"]
    told["versionDestroyTtl"] = "86400s"
    before, there = everything(app), again(app)
    refused(lambda: make(there, "new"))
    refused(lambda: value(there, project))
    assert everything(app) == before
    assert [json.loads(line.message)["severity"] for line in caplog.records] == ["CRITICAL"]
    assert "versionDestroyTtl" in caplog.text
    del told["versionDestroyTtl"]
    assert value(again(app), project) == DATA


@pytest.mark.claim("keys.7", "delayed destruction that comes later: no project, and no purge")
def test_delayed_destruction_later(app, google, caplog):
    """A policy puts it on new secrets; an operator on an old one. Nothing counts as destroyed."""
    project = make(app)
    google.imposed = {"versionDestroyTtl": "86400s"}
    before = everything(app)
    refused(lambda: make(app, "new"))
    assert everything(app) == before
    told = google.secrets[f"half-{project}"]["told"]
    told["versionDestroyTtl"] = "86400s"
    reclaim(app, project)
    assert purge.advance(app, project) == "begin"
    before = everything(app)
    for _ in range(2):
        refused(lambda: purge.advance(app, project))
    assert everything(app) == before
    assert caplog.text.count("versionDestroyTtl") >= 2
    del told["versionDestroyTtl"]
    assert purge.advance(app, project) == "shred"


@pytest.mark.claim("keys.7", "who cannot look for delayed destruction makes and opens no key")
def test_delayed_destruction_unseen(app, google):
    """The check fails closed."""
    google.allowed["manage"] = google.allowed["manage"] - {"secrets.list"}
    refused(lambda: make(as_(app, google, "manage"), "new"))


@pytest.mark.claim("F47", "without the token signing key there are no tokens, and a purge goes on")
@pytest.mark.parametrize("name", sorted(SIGNING_KEYS))
def test_no_signing_key(app, google, name):
    """Who needs one of its halves is told 503; the event and the schedule never do."""
    project = make(app)
    reclaim(app, project)
    google.secrets[name]["versions"][0]["state"] = "DISABLED"
    there = again(app)
    refused(lambda: api_keys.create_account(there, call()))
    if name == "signing-key-public":
        refused(lambda: access.authenticate(there, "Bearer token"))
    assert [purge.advance(there, project) for _ in range(2)] == ["begin", "shred"]
    google.secrets[name]["versions"][0]["state"] = "ENABLED"
    assert api_keys.create_account(there, call()).body["apikey"]
    with pytest.raises(Error) as error:
        access.authenticate(there, "Bearer token")
    assert error.value.code == "unauthorized"


@pytest.mark.claim("E3", "who opens secrets checks tokens and keys, and can make neither")
def test_who_signs_and_who_checks(app, google):
    """`manage` issues a token, `reveal` takes it and opens; it reads no key that signs."""
    project = make(app)
    reveal, manage = (as_(app, google, name) for name in ("reveal", "manage"))
    key = api_keys.create_account(manage, call(body={"account_id": "a" * 32})).body["apikey"]
    form = call(body={"apikey": key})
    token = access.issue_token(manage, form).body["access_token"]
    assert access.authenticate(reveal, token).account == "a" * 32
    assert value(reveal, project) == DATA  # and the caller's own key was verified for it
    for act in (access.issue_token, api_keys.create_account):
        refused(lambda act=act: act(reveal, form))
    refused(lambda: value(manage, project))


@pytest.mark.usefixtures("swift")
def test_nobody_waits_for_a_check(app, google, monkeypatch):
    """While one process's check waits for Google, its other requests are refused at once."""
    there = replace(app, keyring=App.from_settings(app.settings).keyring)
    there.keyring.check = partial(check_value.check, there.store)
    monkeypatch.setattr(quotas, "KEY_CALL", 0.5)
    google.fault(Fault("sm.list", "hang", seconds=2))
    refused(lambda: make(there, "q"))
    refused(lambda: make(there, "q"))
    kept = there.keyring._refused[1]  # and no frames with it, which hold what was sent
    assert (kept.__traceback__, kept.__cause__, kept.__context__) == (None, None, None)
    there.keyring._refused = (0.0, kept)  # five seconds later
    with there.keyring._checking:
        refused(lambda: make(there, "q"))
    assert google.calls.count("sm.list") == 1


def test_what_a_start_asks(app, google):
    """Two calls before the first key, and the signing key when a token comes; no more after."""
    app.keyring.ready()
    there = again(app)
    google.fault()
    there.keyring.ready()
    assert google.calls == ["sm.list", "kms.decrypt"]
    there.keyring.ready()
    assert len(google.calls) == 2
