"""The audit trail of what a project holds: one entry a change, who, what and when; no value.

What is read is in `test_reads.py`, what is denied in `wire/test_denials.py`.
"""

from collections import Counter

import pytest

from shared.kinds import KINDS, SECRETS, table
from tests.support.entries import said as said_of
from tests.support.kinds import BY_KIND, called
from tests.support.kinds_examples import filled

WORDS = {  # contract section 9; where it has none, by the same pattern
    "secrets": "secret",
    "config_maps": "configmap",
    "jobs": "job",
    "job_runs": "jobrun",
    "apps": "application",
    "functions": "function",
    "builds": "build",
    "build_runs": "buildrun",
    "bindings": "binding",
    "domain_mappings": "domainmapping",
    "allowed_outbound_destinations": "allowedoutbounddestination",
    "persistent_data_stores": "persistentdatastore",
}


def trail(home):
    """Give the entries of a project by their ids."""
    mine = ("account_id", "==", home.account.id)
    _, found = home.host.inside.store.query("audit", mine, order="at", limit=9999)
    id_ = home.project["id"]
    return {one.id: said_of(one.fields) for one in found if one.fields["project_id"] == id_}


def added(home, act):
    """Give what an act answers and the entries it adds: action and name."""
    before = trail(home)
    answer = act()
    new = {id_: entry for id_, entry in trail(home).items() if id_ not in before}
    trace = answer.headers["X-Global-Transaction-ID"]
    for id_, entry in new.items():
        assert id_.startswith(trace)
        always = {
            *("_type", "id", "action", "account_id", "project_id", "at", "clock", "outcome"),
            *("initiator", "key_name", "roles", "correlation_id", "names"),
        }
        tagged = {"entity_tag"} if "ETag" in answer.headers else set()
        assert entry.keys() == always | tagged
        assert (entry["outcome"], entry["correlation_id"]) == ("success", trace)
        assert entry["initiator"] == home.account.key_id
    told = [(entry["action"], *entry["names"]) for entry in new.values()]
    return answer, Counter(told)


def said(kind, verb):
    """Give an action."""
    return f"codeengine.{WORDS[kind.collection]}.{verb}"


@pytest.mark.claim("I15", "each change has its audit entry, and no other")
@pytest.mark.parametrize("kind", KINDS, ids=called)
def test_each_change_has_its_entry(home, kind):
    """A create, an update and a delete have one entry each, and what is refused has none.

    Nor has what is read, but for values of secrets.
    """
    made, entries = added(home, lambda: home.create(kind))
    key = made.json()[kind.key]
    assert entries == {(said(kind, "create"), key): 1}
    change = filled(BY_KIND[kind].change, 1, "")
    if kind.update:
        _, entries = added(home, lambda: home.update(kind, key, change))
        assert entries == {(said(kind, "update"), key): 1}
        assert added(home, lambda: home.update(kind, key, change, "0"))[1] == {}
    read = {(said(kind, "read"), key): 1} if kind is SECRETS else {}
    for act, due in (
        (lambda: home.get(kind, key), read),
        (lambda: home.ask("GET", home.at(kind)), read),
        (lambda: home.ask("POST", home.at(kind), []), {}),
    ):
        assert added(home, act)[1] == due
    _, entries = added(home, lambda: home.delete(kind, key))
    assert entries == {(said(kind, "delete"), key): 1}
    assert added(home, lambda: home.delete(kind, key))[1] == {}


def test_what_goes_along_has_its_own(home):
    """What a delete takes along has an entry of its own, under the same request."""
    job = home.made(table.JOBS, "least")["name"]
    runs = [
        home.ask("POST", home.at(table.JOB_RUNS), {"job_name": job}).json()["name"] for _ in "12"
    ]
    _, entries = added(home, lambda: home.delete(table.JOBS, job))
    along = {("codeengine.jobrun.delete", name): 1 for name in runs}
    assert entries == {("codeengine.job.delete", job): 1, **along}

    app = home.made(table.APPS, "least")["name"]
    access = {"format": "service_access", "service_access": {"service_instance": {"id": "1" * 36}}}
    secret = home.made(table.SECRETS, "least", **access)["name"]
    component = {"name": app, "resource_type": "app_v2"}
    binding = home.made(table.BINDINGS, component=component, secret_name=secret)["id"]
    _, entries = added(home, lambda: home.delete(table.APPS, app))
    assert entries == {
        ("codeengine.application.delete", app): 1,
        ("codeengine.binding.delete", binding): 1,
        ("codeengine.secret.delete", secret): 1,
    }


def test_a_revision_has_its_entry(home):
    """So has a revision that is deleted."""
    app = home.made(table.APPS, "least")["name"]
    path = f"{home.at(table.APPS, app)}/revisions/{app}-00001"
    _, entries = added(home, lambda: home.ask("DELETE", path))
    assert entries == {("codeengine.revision.delete", f"{app}-00001"): 1}
