"""Crash points: the host is killed before and after every write of every operation.

After a restart and one schedule run everything is in one legal state: the old one or the new one,
never one between; a purge that had begun ends with one tombstone.
"""

import os
import random
import uuid

import pytest
import requests

from emulator import firestore, ports
from emulator.log import Log
from tests.support import WEEK, Host, until

MOST = 12  # writes of the longest operation, with room; the walk ends by itself
PAIRS = max(2, int(os.environ.get("HYPOTHESIS_EXAMPLES", "0")) // 6)
LARGE = {"k": "x" * 1_000_000}


@pytest.fixture(scope="module")
def fragile(tmp_path_factory):
    """A host that can be made to crash, over a Firestore emulator that survives it."""
    home = tmp_path_factory.mktemp("crash")
    hub = ports.free()
    store = firestore.start(ports.free(), f"127.0.0.1:{hub}", home / "firestore.log", Log())
    host = Fragile(home, "--hub-port", str(hub), runner=("-m", "tests.crashing"))
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
        found = account.call("GET", path).json()
        assert (found["id"], found["data"]) == (secret["id"], secret["data"])


def erased(host, account, project):
    """Check that nothing of a project is left but its one tombstone."""
    until(lambda: host.inside.document(f"projects/{project}") is None)
    inside = host.inside
    assert inside.below(f"projects/{project}") == {}
    assert project not in inside.key_halves()
    assert project not in inside.slots(account.id)
    tombstones = [path for path in inside.everything() if path == f"tombstones/{project}"]
    assert len(tombstones) == 1
    erasures = [
        path
        for path, entry in inside.everything().items()
        if path.startswith("audit/")
        and (entry["project_id"], entry["action"]) == (project, "codeengine.project.erase")
    ]
    assert len(erasures) == 1


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
            if alive:
                break
            points += 1
        else:
            pytest.fail("it never ran to its end")
    return points


def filled(account):
    """Make a project with a small secret and one that needs parts."""
    project = account.project()
    secrets = [account.secret(project, "s", {"k": "v"}), account.secret(project, "l", LARGE)]
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
        stored = {
            path.split("/")[1] for path in inside.everything() if path.startswith("projects/")
        }
        assert inside.key_halves() == stored  # no orphan is left
        for project in found:
            whole(fragile, account, project, [])
        account.call("POST", "/v2/projects", {"name": "p"})
        assert len(inside.slots(account.id)) == 1

    assert walk(fragile, lambda account: account.token, act, check) == 6
    record_property("said", "6 crash points")


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

    assert walk(fragile, filled, delete, check) == 2
    assert walk(fragile, deleted, restore, check) == 2
    record_property("said", "4 crash points")


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
        found = account.call("GET", path(subject)).json()["secrets"]
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

    for act in (create, replace, delete):
        assert walk(fragile, filled, act, check) == 2
    record_property("said", "6 crash points")


@pytest.mark.claim("F1", "a purge killed before and after each of its writes ends all the same")
@pytest.mark.parametrize("how", ["reclaim", "reclaim an active one", "expire"])
def test_purge(fragile, record_property, how):
    """A purge killed at any write ends, with one tombstone; or it never began."""

    def act(account, subject):
        start = (
            fragile.enforce if how == "expire" else lambda: account.action(subject[0], "reclaim")
        )
        attempt(start)
        until(lambda: fragile.burnt.exists() or gone(account, subject[0]))

    def gone(account, project):
        return attempt(lambda: account.status(project)) == "gone"

    def prepare(account):
        subject = filled(account)
        if how != "reclaim an active one":
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

    # the move; the key half renamed, overwritten, unlinked; its stamp; the sweep; the tombstone
    assert walk(fragile, prepare, act, check) == 14
    record_property("said", "14 crash points")


@pytest.mark.claim("F2", "a purge killed twice, at any two of its writes, ends all the same")
def test_purge_killed_twice(fragile, record_property):
    """Pairs of crash points, another sample in each run; `make prove` takes more of them."""
    points = [(number, when) for number in range(1, 8) for when in ("before", "after")]
    pairs = random.sample([(a, b) for a in points for b in points], PAIRS)
    for first, second in pairs:
        account = fragile.account()
        project, _ = filled(account)
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
        if account.status(project) == "active":  # the first was before it began
            assert (first, account.action(project, "reclaim").status_code) == ((1, "before"), 200)
        erased(fragile, account, project["id"])
    record_property("said", f"{PAIRS} pairs")
