"""Crash points: the host is killed before and after every write of every operation.

After a restart and one schedule run everything is in one legal state: the old one or the new one,
never one between; a purge that had begun ends with one tombstone.
"""

import json
import os
import random
import uuid

import pytest
import requests

from emulator import ports
from emulator.log import Log
from tests.faults.soundness import unsound
from tests.support import WEEK, Host, own_firestore, seed, until
from tests.support.ends import essence
from tests.support.entries import entries
from tests.support.kinds import Home

pytestmark = pytest.mark.slow

MOST = 16  # writes of the longest operation, with room; the walk ends by itself
PAIRS = max(2, int(os.environ.get("HYPOTHESIS_EXAMPLES", "0")) // 6)
SEED = seed()
CANARY = "canary-of-a-crash"
SMALL, LARGE = {"k": CANARY}, {"k": "x" * 1_000_000}


@pytest.fixture(scope="module")
def fragile(tmp_path_factory):
    """A host that can be made to crash, over a Firestore emulator that survives it."""
    home = tmp_path_factory.mktemp("crash")
    hub = ports.free()
    store = own_firestore.start(ports.free(), f"127.0.0.1:{hub}", home / "firestore.log", Log())
    host = Fragile(home, "--hub-port", str(hub), runner=("-m", "tests.faults.crashing"))
    host.env = {
        "FIRESTORE_EMULATOR_HOST": store.address,
        "CRASH_FILE": str(host.fuse),
        "CE_KEY_STORE": str(home / "keys"),
    }
    host.start(**host.env)
    yield host
    host.stop()
    store.stop()


class Fragile(Host):
    """A host with a fuse."""

    @property
    def fuse(self):
        """The file that lights it."""
        return self.home / "fuse"

    @property
    def burnt(self):
        """The file that says that it went off."""
        return self.fuse.with_suffix(".burnt")

    def light(self, number, when):
        """Crash at the nth write from now, before or after it."""
        draft = self.fuse.with_suffix(".draft")
        draft.write_text(f"{number} {when} {uuid.uuid4()}")
        draft.rename(self.fuse)

    def survived(self):
        """Put out the fuse; restart if it went off. Tell whether it did not."""
        if not self.burnt.exists():
            self.fuse.unlink()
            return True
        self.burnt.unlink()
        self.process.wait(30)  # a signal takes a moment to arrive
        self.__dict__.pop("inside", None)
        self.start(**self.env)
        return False


def attempt(act):
    """Act; a connection cut by the crash is no failure of the test."""
    try:
        return act()
    except requests.RequestException:
        return None


def settle(host):
    """Run the schedule once, when whatever was stuck counts as idle; wait for the events."""
    host.advance(3700)
    host.enforce()
    host.quiet()


def whole(host, account, project, secrets):
    """Check that an active project is complete: key, slot, every value."""
    inside = host.inside
    assert inside.slots(account.id)[project["id"]] == project["name"]
    assert (inside.keys / project["id"]).exists()
    for secret in secrets:
        path = f"/v2/projects/{project['id']}/secrets/{secret['name']}"
        found = account.got(path)
        assert (found["id"], found["data"]) == (secret["id"], secret["data"])


def erased(host, account, project):
    """Check that nothing of a project is left but its one tombstone."""
    until(lambda: host.inside.document(f"projects/{project}") is None)
    inside = host.inside
    assert inside.below(f"projects/{project}") == {}
    assert project not in inside.key_halves()
    assert project not in inside.slots(account.id)
    assert inside.document(f"tombstones/{project}")["status"] == "hard_deleted"
    assert audited(inside, account, project).count(("codeengine.project.erase", "")) == 1


def audited(inside, account, project):
    """Give what the audit trail tells of a project: actions, and the names they are about."""
    found = entries(inside.store, "account_id", account.id)
    about = [entry for entry in found if entry["project_id"] == project]
    return sorted((entry["action"], *entry.get("names", [""])) for entry in about)


def walk(fragile, prepare, act, check):
    """Crash before and after write 1, 2, ... until the operation runs to its end uncrashed."""
    points = 0
    for when in ("before", "after"):
        for number in range(1, MOST):
            account = fragile.account()
            subject = prepare(account)
            fragile.quiet()
            fragile.light(number, when)
            act(account, subject)
            alive = fragile.survived()
            account.__dict__.pop("token", None)
            settle(fragile)
            check(account, subject)
            assert unsound(fragile.inside, account.id, CANARY, LARGE["k"][:64]) == []
            if alive:
                break
            points += 1
        else:
            pytest.fail("it never ran to its end")
    return points


def walked(record_property, least, points):
    """Require so many crash points, and tell the number: a write tried again is one more."""
    assert points >= least
    record_property("said", f"{points} crash points")


def filled(account):
    """Make a project with a small secret and one that needs parts."""
    project = account.project()
    secrets = [account.secret(project, "s", SMALL), account.secret(project, "l", LARGE)]
    return project, secrets


def crowded(account):
    """Make a project with three secrets and one of each kind; give it and two of the secrets."""
    project, secrets = filled(account)
    Home(account, project).village()
    return project, secrets


@pytest.mark.claim("F3", "a create killed at each of its writes is whole or was never there")
def test_create(fragile, record_property):
    """A create leaves a whole project or none; the slot is free if there is none."""

    def act(account, _):
        attempt(lambda: account.call("POST", "/v2/projects", {"name": "p"}))

    def check(account, _):
        inside = fragile.inside
        found = list(inside.projects(account.id).values())
        assert len(found) in (0, 1)
        assert set(inside.slots(account.id)) == {project["id"] for project in found}
        everybody = inside.store.query("projects", order="id", limit=10_000)[1]
        stored = {document.id for document in everybody}
        assert inside.key_halves() == stored  # no orphan is left
        for project in found:
            whole(fragile, account, project, [])
        account.call("POST", "/v2/projects", {"name": "p"})
        assert len(inside.slots(account.id)) == 1

    walked(record_property, 6, walk(fragile, lambda account: account.token, act, check))


@pytest.mark.claim("F4", "a delete or restore killed at its writes is done or not done")
def test_delete_and_restore(fragile, record_property):
    """A delete or a restore is done or not done; either way nothing is lost."""

    def delete(account, subject):
        attempt(lambda: account.call("DELETE", f"/v2/projects/{subject[0]['id']}"))

    def deleted(account):
        subject = filled(account)
        account.delete(subject[0])
        return subject

    def restore(account, subject):
        attempt(lambda: account.action(subject[0], "restore"))

    def check(account, subject):
        project, secrets = subject
        assert account.status(project) in ("active", "soft_deleted")
        if account.status(project) == "soft_deleted":
            assert account.action(project, "restore").status_code == 200
        whole(fragile, account, project, secrets)

    points = walk(fragile, filled, delete, check) + walk(fragile, deleted, restore, check)
    walked(record_property, 4, points)


CREATE = {"name": "n", "format": "generic", "data": {"k": "new"}}
REPLACE = {"format": "generic", "data": {"k": "new"}}
# What is one write: the request; what it is about, with its data before and after; the status due
# when it is asked again, if it was not made, and if it was.
SINGLE = {
    "create": ("POST", "/secrets", CREATE, "/secrets/n", None, {"k": "new"}, 201, 409),
    "replace": ("PUT", "/secrets/s", REPLACE, "/secrets/s", SMALL, {"k": "new"}, 200, 200),
    "remove": ("DELETE", "/secrets/s", None, "/secrets/s", SMALL, None, 202, 404),
    "config map": (
        *("POST", "/config_maps", {"name": "n", "data": {"k": "new"}}),
        *("/config_maps/n", None, {"k": "new"}, 201, 409),
    ),
}


@pytest.mark.claim("F4", "a write killed is made or not made, and asking again ends the same")
@pytest.mark.parametrize("name", SINGLE)
def test_single_writes(fragile, record_property, name):
    """The old state or the new one; repeated, it is the new one, once."""
    method, path, body, thing, old, new, unmade, made = SINGLE[name]

    def act(account, subject):
        at = f"/v2/projects/{subject[0]['id']}{path}"
        headers = {"If-Match": "*"} if method == "PUT" else {}
        return attempt(lambda: account.call(method, at, body, headers=headers))

    def data(account, subject):
        found = account.call("GET", f"/v2/projects/{subject[0]['id']}{thing}")
        assert found.status_code in {200, 404}
        return found.json()["data"] if found.status_code == 200 else None

    def check(account, subject):
        before = data(account, subject)
        assert before in (old, new)
        assert act(account, subject).status_code == (made if before == new else unmade)
        assert data(account, subject) == new
        project, (_, large) = subject
        whole(fragile, account, project, [large])

    walked(record_property, 2, walk(fragile, filled, act, check))


@pytest.mark.claim("F4", "an API key's write killed: it is made or not made; asked again, one more")
def test_a_key(fragile, record_property):
    """Keys may share a name: each request that is answered makes exactly one."""

    def act(account, _):
        return attempt(lambda: account.call("POST", "/v1/apikeys", {"name": "n"}))

    def named(account):
        found = account.got("/v1/apikeys")["apikeys"]
        return sum(key["name"] == "n" for key in found)

    def check(account, _):
        before = named(account)
        assert before in (0, 1)
        assert act(account, _).status_code == 201
        assert named(account) == before + 1

    walked(record_property, 2, walk(fragile, lambda account: account.token, act, check))


@pytest.mark.claim("F5", "a large secret's write killed: the old value or the new, no stray part")
def test_secrets(fragile, record_property):
    """A secret is the old one or the new one, whole, with no part left over."""

    def path(subject, name=""):
        return f"/v2/projects/{subject[0]['id']}/secrets{name}"

    def create(account, subject):
        body = {"name": "n", "format": "generic", "data": LARGE}
        attempt(lambda: account.call("POST", path(subject), body))

    def replace(account, subject):
        body = {"format": "generic", "data": {"k": "y" * 1_000_000}}
        headers = {"If-Match": "*"}
        attempt(lambda: account.call("PUT", path(subject, "/l"), body, headers=headers))

    def delete(account, subject):
        attempt(lambda: account.call("DELETE", path(subject, "/l")))

    def check(account, subject):
        found = account.got(path(subject))["secrets"]
        assert all(len(set(s["data"]["k"])) == 1 for s in found if s["name"] != "s")
        below = fragile.inside.below(f"projects/{subject[0]['id']}")
        parts = sum(
            document["parts"]
            for p, document in below.items()
            if p.count("/") == 3 and "/secrets/" in p
        )
        assert sum("/parts/" in p for p in below) == parts
        usage = fragile.inside.document(f"projects/{subject[0]['id']}/usage/secrets")
        assert usage["count"] == len(found)

    acts = (create, replace, delete)
    walked(record_property, 6, sum(walk(fragile, filled, act, check) for act in acts))


@pytest.mark.claim("F1", "a purge killed before and after each of its writes ends all the same")
@pytest.mark.parametrize("how", ["reclaim", "expire"])
def test_purge(fragile, record_property, how):
    """A purge killed at any write ends, with one tombstone; or it never began."""

    def act(account, subject):
        start = (
            fragile.enforce if how == "expire" else lambda: account.action(subject[0], "reclaim")
        )
        attempt(start)
        until(lambda: fragile.burnt.exists() or gone(account, subject[0]))

    digests = []

    def gone(account, project):
        return attempt(lambda: account.status(project)) == "gone"

    def prepare(account):
        subject = crowded(account) if how == "expire" else filled(account)
        account.delete(subject[0])
        if how == "expire":
            fragile.advance(WEEK)
        return subject

    def check(account, subject):
        project, secrets = subject
        if account.status(project) == "soft_deleted" and how == "reclaim":
            assert account.action(project, "restore").status_code == 200  # it never began
        if account.status(project) == "active":
            whole(fragile, account, project, secrets)
        else:
            erased(fragile, account, project["id"])
            digests.append(digest(fragile, account, project["id"]))

    # the move; the beginning; the key half renamed, overwritten, unlinked; stamp; sweep; tombstone
    walked(record_property, 14, walk(fragile, prepare, act, check))
    assert len(digests) >= 14
    assert all(one == digests[-1] for one in digests)  # the last was not disturbed


def digest(host, account, project):
    """Give what an ended purge leaves, its certificate too, but for ids and times."""
    inside = host.inside
    tombstone = inside.document(f"tombstones/{project}")
    actions = [action for action, _ in audited(inside, account, project)]
    said = json.loads(inside.document(f"audit/{project}.erase")["record"])["predicate"]
    assert said.pop("requested_by")["id"] == account.key_id
    assert inside.document(f"certificates/{project}")["entry"] == f"{project}.erase"
    return sorted(tombstone), tombstone["swept"], actions, essence(said)


@pytest.mark.claim("F18", "a schedule killed half way through is gone on with by the next run")
def test_schedule_dies(fragile, record_property):
    """Of a dozen due projects some are moved when the host dies; the next run ends them all."""
    points = random.Random(SEED).sample(
        [(number, when) for number in range(2, 9) for when in ("before", "after")], 3
    )
    for point in points:
        account = fragile.account()
        made = [account.project() for _ in range(12)]
        for project in made:
            account.delete(project)
        fragile.advance(WEEK)
        fragile.quiet()
        fragile.light(*point)
        attempt(fragile.enforce)
        until(fragile.burnt.exists)
        assert not fragile.survived()
        held = fragile.inside.projects(account.id).values()
        assert [project["status"] for project in held].count("soft_deleted") >= 3
        settle(fragile)
        for project in made:
            erased(fragile, account, project["id"])
        assert unsound(fragile.inside, account.id) == []
    record_property("said", f"{len(points)} crash points, seed {SEED}")


@pytest.mark.claim("F2", "a purge killed twice, at any two of its writes, ends all the same")
def test_purge_killed_twice(fragile, record_property):
    """Pairs of crash points, another sample in each run; `make prove` takes more of them."""
    points = [(number, when) for number in range(1, 8) for when in ("before", "after")]
    pairs = random.Random(SEED).sample([(a, b) for a in points for b in points], PAIRS)
    for first, second in pairs:
        account = fragile.account()
        project, _ = filled(account)
        account.delete(project)
        fragile.quiet()
        fragile.light(*first)
        attempt(lambda: account.action(project, "reclaim"))  # noqa: B023 - called at once
        until(fragile.burnt.exists)
        assert not fragile.survived()
        fragile.light(*second)
        attempt(lambda: settle(fragile))
        fragile.survived()  # or there were not as many writes left
        account.__dict__.pop("token", None)
        settle(fragile)
        if account.status(project) == "soft_deleted":  # the first was before it began
            assert (first, account.action(project, "reclaim").status_code) == ((1, "before"), 200)
        erased(fragile, account, project["id"])
        assert unsound(fragile.inside, account.id, CANARY) == []
    record_property("said", f"{PAIRS} pairs, seed {SEED}")


@pytest.mark.claim("keys.3", "a rotation killed at its writes is gone on with; every key opens")
def test_rotation_dies(fragile, record_property):
    """Killed about the new key, its entry, the check value, the first records: all still open."""

    def step(name, **more):
        return fragile.hub("POST", "/functions/rotateKeys", {"step": name, **more})

    def rotate():
        page = step("add", kek=step("list")["current"]) and step("rewrap")
        while "next" in page:
            page = step("rewrap", start=page["next"])

    account = fragile.account()
    project, secrets = filled(account)
    points = [(number, when) for number in range(1, 5) for when in ("before", "after")]
    for point in points:
        fragile.quiet()
        fragile.light(*point)
        attempt(rotate)
        assert not fragile.survived()
        whole(fragile, account, project, secrets)
        rotate()
        listed = step("list")
        assert set(listed["projects"]) == {listed["current"]}
        whole(fragile, account, project, secrets)
    walked(record_property, 8, len(points))
