"""Wrong clocks, a schedule that was away, and a project that cannot be purged.

Lifecycle time is the store's, so no host's clock decides anything; tokens live by the host's own.
"""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from shared import access, keys, projects, resources
from shared.errors import Error
from shared.kinds import SECRETS
from shared.projects import reclamations
from shared.settings import Settings
from shared.upkeep import purge, schedule
from tests.faults.faulty import Rule, troubled
from tests.projects.test_deadline import At, outcome
from tests.support import ROOT, WEEK, call, paths_below, reclaim

pytestmark = pytest.mark.slow

HOUR, DAY = 3600, 24 * 3600
DOWN = Rule("destroy", "before", error="down")
OTHERS = 100  # projects that are due with one that cannot be purged
WRONG = {
    "+1 h": lambda: time.time() + HOUR,
    "+8 d": lambda: time.time() + 8 * DAY,
    "+10 y": lambda: time.time() + 3650 * DAY,
    "-1 h": lambda: time.time() - HOUR,
    "-8 d": lambda: time.time() - 8 * DAY,
    "1970": lambda: 0.0,
}


def status(app, project):
    """Give a project's status, None when it is gone."""
    return (app.store.read(f"projects/{project}")[f"projects/{project}"].fields or {}).get("status")


@pytest.mark.claim("F19", "a host's clock that runs ahead purges nothing early")
@pytest.mark.claim("F20", "a host's clock that is behind keeps no project longer")
@pytest.mark.parametrize("wall", WRONG.values(), ids=WRONG)
def test_a_host_whose_clock_is_wrong(app, wall):
    """Deletion, deadline, schedule and restore are by the store's time, whatever the host's is."""
    there = replace(app, wall=wall)
    project = projects.create(there, call(body={"name": "p"})).body["id"]
    body = {"name": "s", "format": "generic", "data": {"k": "v"}}
    resources.create(SECRETS, there, call(body=body, project_id=project))
    projects.delete(there, call(id=project))
    stored = app.store.read(f"projects/{project}")[f"projects/{project}"].fields
    assert abs(stored["deleted_at"].timestamp() - time.time()) < 60
    assert stored["purge_at"] - stored["deleted_at"] == timedelta(days=7)
    assert schedule.enforce(there)["expired"] == 0
    reclamations.restore(there, call(project_id=project))
    assert status(app, project) == "active"
    found = resources.get(SECRETS, there, call(project_id=project, name="s"))
    assert found.body["data"] == {"k": "v"}


@pytest.mark.claim("F19", "nothing of the lifecycle asks a host's clock")
def test_who_asks_the_host_what_time_it_is():
    """One place in the code does, and it is handed on from there as `wall`."""
    asks = re.compile(r"\b(datetime\.(now|utcnow|today)|date\.today|time\.time\b)")
    found = [
        (file.name, line.strip())
        for folder in ("shared", "functions")
        for file in (ROOT / folder).rglob("*.py")
        for line in file.read_text().splitlines()
        if asks.search(line)
    ]
    assert [name for name, _ in found] == ["app.py"]
    rooms = ("projects/*.py", "resources/change.py", "resources/verbs.py")
    files = ("lifecycle.py", *rooms, "upkeep/purge.py", "upkeep/schedule.py")
    told = [file for name in files for file in (ROOT / "shared").glob(name)]
    assert len(told) >= 12
    assert [file.name for file in told if "wall" in file.read_text()] == []


@pytest.mark.claim("F21", "hosts whose clocks differ by ten minutes agree on the deadline")
@pytest.mark.parametrize("seconds", [-1, 0, 1])
@pytest.mark.parametrize("apart", [-600, 600])
def test_two_hosts_whose_clocks_differ(app, seconds, apart):
    """One restores, the other expires: exactly one may, and which is by the store's time."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    projects.delete(app, call(id=project))
    deadline = app.store.read(f"projects/{project}")[f"projects/{project}"].fields["purge_at"]
    parts = {field.name: getattr(app, field.name) for field in fields(app)}
    moment = deadline + timedelta(seconds=seconds)
    api = At(**parts | {"wall": lambda: time.time() + apart}, moment=moment)
    worker = At(**parts | {"wall": lambda: time.time() - apart}, moment=moment)
    expired = outcome(lambda: projects.move(worker, project, "expire", call=None))
    restored = outcome(lambda: reclamations.restore(api, call(project_id=project)))
    assert [expired, restored].count("done") == 1
    assert (expired == "done") == (seconds >= 0)


@pytest.mark.claim("F19", "a token ends by the clock of the host it is shown to")
def test_tokens_under_a_wrong_clock(app):
    """Ahead, it has expired; the clock that only tests move does not reach it."""
    from shared.access import api_keys

    made = api_keys.create_account(app, call(body={})).body
    token = access.issue_token(app, call(body={"apikey": made["apikey"]})).body["access_token"]
    ahead = replace(app, wall=lambda: time.time() + HOUR + 1)
    with pytest.raises(Error) as refused:
        access.authenticate(ahead, token)
    assert refused.value.code == "unauthorized"
    app.settings.clock_file.write_text(str(10 * WEEK))
    assert access.authenticate(app, token).account == made["account_id"]


@pytest.mark.claim("F19", "a clock that can be moved is refused in production")
def test_the_movable_clock_is_local(tmp_path):
    """Without an emulator, the setting that moves the clock stops the start."""
    with pytest.raises(ValueError, match="refused in production"):
        Settings.from_env({"CE_CLOCK_FILE": str(tmp_path / "clock")})


@pytest.mark.claim("F20", "the local clock moved back purges nothing, and forward again it does")
@pytest.mark.parametrize("back", [-HOUR, -8 * DAY, -20_000 * DAY])
def test_the_local_clock_moved_back(app, back):
    """What is due waits while time is behind; nothing is lost when it is right again."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    projects.delete(app, call(id=project))
    app.settings.clock_file.write_text(str(back))
    assert schedule.enforce(app)["expired"] == 0
    app.settings.clock_file.write_text(str(WEEK + 1))
    with pytest.raises(Error):
        reclamations.restore(app, call(project_id=project))
    assert schedule.enforce(app)["expired"] == 1


@pytest.mark.slow
@pytest.mark.claim("F17", "after ten days without the schedule everything due is destroyed at once")
def test_a_schedule_that_was_away(host, account):
    """Forty projects of two accounts are due; none can be restored, and all go in one run."""
    second = host.account()
    due = [(owner, owner.project()) for owner in (account, second) for _ in range(20)]
    for owner, project in due:
        owner.delete(project)
    host.set_clock(17 * DAY)
    with ThreadPoolExecutor(8) as pool:
        restored = list(pool.map(lambda pair: pair[0].action(pair[1], "restore"), due))
    assert {answer.status_code for answer in restored} == {409}
    for _ in range(5):  # others' projects are due too, and a run takes a hundred
        if not host.enforce()["expired"]:
            break
    for owner, project in due:
        owner.gone(project)
    for owner in (account, second):
        assert host.inside.slots(owner.id) == {}
    assert not host.inside.key_halves() & {project["id"] for _, project in due}


@pytest.mark.claim(
    "F34", "one project that cannot be purged delays no other; it is marked, retried"
)
@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(DOWN, id="key store", marks=pytest.mark.slow),
        pytest.param(Rule("commit", "before"), id="store"),
    ],
)
def test_one_project_that_cannot_be_purged(app, rule):
    """Its key half cannot be destroyed, or its documents not be written, for more than a day."""
    count = OTHERS + 1 if rule.on == "destroy" else 5
    app = replace(app, settings=replace(app.settings, projects_per_region=count))
    doomed = [projects.create(app, call(body={"name": f"p{n}"})).body["id"] for n in range(count)]
    for project in doomed:
        projects.delete(app, call(id=project))
    bad = doomed[2]
    there, _ = troubled(app, replace(rule, about=bad if rule.on == "destroy" else f"{bad}/keys"))

    def after(hours):
        app.settings.clock_file.write_text(str(WEEK + hours * HOUR))
        done = schedule.enforce(there)
        for project in doomed if hours == 1 else [bad]:
            for _ in range(5):
                outcome(lambda p=project: purge.advance(there, p))
        return done

    assert after(1)["expired"] == count
    assert {status(app, project) for project in doomed if project != bad} == {None}
    assert status(app, bad) == "hard_deleting"
    assert after(26)["given_up"] == 1
    assert status(app, bad) == "hard_deletion_failed"
    with pytest.raises(Error):
        reclamations.restore(app, call(project_id=bad))
    assert after(28)["retried"] == 1
    there.store._api.script.set()
    assert after(29)["failed"] == 0
    assert status(app, bad) is None


@pytest.mark.claim("F27", "while the key store is away a purge waits, and nothing is swept")
def test_a_key_store_that_is_away(app):
    """Nothing of the project goes before its key half; when that can go, the rest does."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    body = {"name": "s", "format": "generic", "data": {"k": "v"}}
    resources.create(SECRETS, app, call(body=body, project_id=project))
    reclaim(app, project)
    assert purge.advance(app, project) == "begin"
    before = paths_below(app.store, f"projects/{project}", 100)
    there, script = troubled(app, Rule("destroy", "before", error="down"))
    for _ in range(3):
        assert outcome(lambda: purge.advance(there, project)) == "unavailable"
    assert paths_below(app.store, f"projects/{project}", 100) == before
    script.set()
    steps = [purge.advance(there, project) for _ in range(4)]  # it has begun
    assert steps == ["shred", "sweep", "tombstone", "nothing"]
    with pytest.raises(keys.Undecryptable):
        app.keyring.open(project, {"kek": "k", "wrapped": b"w"})
