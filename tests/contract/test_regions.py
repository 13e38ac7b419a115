"""Two regions on one database: each serves its own projects, and both see to it that all end.

That each operation answers another region's project as none is in `test_isolation`.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from shared import projects, resources
from shared.kinds import SECRETS
from shared.upkeep import purge, schedule
from tests.support import WEEK, call, paths_below
from tests.support.regions import abroad

LISTS = {
    "/v2/projects": "projects",
    "/v1/reclamations": "resources",
    "/v2/resource_instances": "resources",
    "/v2/resource_instances?state=pending_reclamation": "resources",
}


@pytest.fixture(scope="module")
def there(host):
    """Another region's deployment on the host's database."""
    with abroad(host) as there:
        yield there


def listed(caller):
    """Give the ids of projects that each list shows."""
    return {
        path: {
            entry.get("resource_instance_id") or entry.get("guid") or entry["id"] for entry in found
        }
        for path, key in LISTS.items()
        for found in [caller.got(path)[key]]
    }


@pytest.mark.claim("F72", "each region lists, names, counts and restores its own projects alone")
def test_each_serves_its_own(host, account, there):
    """The same name in both: two projects, each of which is its own region's in every list."""
    away = there.seen_by(account)
    homes = {"us-south": account, "eu-de": away}
    made = {region: caller.project("shop") for region, caller in homes.items()}
    for region, caller in homes.items():
        project = made[region]
        assert (project["region"], {project["id"]}) == (region, listed(caller)["/v2/projects"])
        caller.secret(project, "s", {"where": region})
        slots = host.inside.document(f"regions/{account.id}.{region}")["slots"]
        assert slots == {project["id"]: "shop"}
        caller.delete(project)
        shown = listed(caller)
        assert shown.pop("/v2/resource_instances") == set()
        assert list(shown.values()) == [{project["id"]}] * 3
    for region, caller in homes.items():
        (other,) = (one for name, one in made.items() if name != region)
        assert caller.function("restoreProject", project_id=other["id"]).status_code == 404
        assert caller.function("restoreProject", project_id=made[region]["id"]).status_code == 200
        path = f"/v2/projects/{made[region]['id']}/secrets/s"
        assert caller.got(path)["data"] == {"where": region}


@pytest.mark.claim("F72", "a key for another region's project sees nothing here, and is no error")
def test_keys_are_the_account_s(account, there):
    """Keys are of all regions; one for a project of the one finds nothing in the other."""
    project = account.project()
    key = account.another_key(project_id=project["id"])
    assert listed(key)["/v2/projects"] == {project["id"]}
    away = there.seen_by(key)
    assert set().union(*listed(away).values()) == set()
    assert away.call("GET", f"/v2/projects/{project['id']}").status_code == 404
    admin = there.seen_by(account)
    assert admin.got(f"/v1/apikeys/{key.key_id}")["project_id"] == project["id"]
    assert admin.call("DELETE", f"/v1/apikeys/{key.key_id}").status_code == 204
    assert key.call("GET", "/v2/projects").status_code == 401


@pytest.mark.claim("F72", "what is destroyed in one region is unknown to the other")
def test_what_is_gone(account, there):
    """The owner's region tells an instance that was removed; the other tells none."""
    project = account.project()
    account.destroy(project)
    account.gone(project)
    path = f"/v2/resource_instances/{project['id']}"
    assert account.got(path)["state"] == "removed"
    assert there.seen_by(account).call("GET", path).status_code == 404


@pytest.mark.claim("F72", "either region's schedule and events destroy a project, once")
def test_upkeep_is_of_the_whole_database(app):
    """Both run at once; and where one region's deployment is away, the other's suffices."""
    there = replace(app, settings=replace(app.settings, region="eu-de"))
    made = {}
    for region, name in ((app, "a"), (there, "b")):
        made[name] = projects.create(region, call(body={"name": "p"})).body["id"]
        body = {"name": "s", "format": "generic", "data": {"k": "v"}}
        resources.create(SECRETS, region, call(body=body, project_id=made[name]))
        projects.delete(region, call(id=made[name]))
    app.settings.clock_file.write_text(str(WEEK + 1))
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(schedule.enforce, [app, there] * 2))
        assert sum(run["expired"] for run in runs) == 2
        assert sum(run["failed"] for run in runs) == 0
        for _ in range(4):
            list(pool.map(lambda one: purge.advance(one, made["a"]), [app, there] * 2))
    steps = [purge.advance(app, made["b"]) for _ in range(5)]  # eu-de has stopped meanwhile
    assert steps == ["begin", "shred", "sweep", "tombstone", "nothing"]
    entries = [path for path in paths_below(app.store, "", 100) if path.startswith("audit/")]
    actions = [app.store.read(path)[path].contents["action"] for path in entries]
    for project, region in ((made["a"], "us-south"), (made["b"], "eu-de")):
        assert paths_below(app.store, f"projects/{project}", 10) == []
        read = app.store.read(f"tombstones/{project}", f"regions/{'a' * 32}.{region}")
        assert read[f"tombstones/{project}"].contents["region"] == region
        assert read[f"regions/{'a' * 32}.{region}"].contents["slots"] == {}
    ends = [action.rpartition(".")[2] for action in actions]
    assert (ends.count("expire"), ends.count("erase")) == (2, 2)
