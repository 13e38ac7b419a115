"""What a project is besides its state: its subdomain, what is told of a network it has not."""

import re

import pytest

from shared import projects
from shared.app import App
from shared.kinds import KINDS
from shared.lifecycle import Status
from shared.projects import account
from shared.store import Write
from tests.support import call

SUBDOMAIN = re.compile("[a-z][a-z0-9]{10,11}")  # contract 1.6


def test_subdomains_are_minted(app):
    """Subdomains are as contract 1.6 has them, and no two are the same."""
    assert isinstance(app, App)
    minted = {app.new_subdomain() for _ in range(1000)}
    assert len(minted) == 1000
    assert all(SUBDOMAIN.fullmatch(one) for one in minted)
    assert len({one[0] for one in minted}) > 20


def test_subdomain_for_life(host, account):
    """A project keeps its subdomain through deletion and restore, and no answer shows it."""
    project, other = account.project(), account.project()
    stored = [host.inside.document(f"projects/{one['id']}") for one in (project, other)]
    subdomain = stored[0]["subdomain"]
    assert SUBDOMAIN.fullmatch(subdomain)
    assert subdomain != stored[1]["subdomain"]
    account.delete(project)
    assert account.action(project, "restore").status_code == 200
    assert host.inside.document(f"projects/{project['id']}")["subdomain"] == subdomain
    shown = account.call("GET", f"/v2/projects/{project['id']}").text
    assert subdomain not in shown


def test_default_rule(host, account):
    """A project begins with one outbound rule, an ordinary one; another range fits beside it."""
    project = account.project()
    at = f"/v2/projects/{project['id']}/allowed_outbound_destinations"
    (rule,) = account.got(at)["allowed_outbound_destinations"]
    assert (rule["name"], rule["type"], rule["cidr_block"]) == (
        "allow-all",
        "cidr_block",
        "0.0.0.0/0",
    )
    shown = account.call("GET", f"{at}/allow-all")
    assert shown.json() == rule
    assert shown.headers["ETag"] == rule["entity_tag"]
    usage = f"projects/{project['id']}/usage/allowed_outbound_destinations"
    claim = {"type": "cidr_block", "cidr_block": "0.0.0.0/0"}
    held = {"count": 1, "claims": {"allow-all": claim}}
    assert host.inside.document(usage).items() > held.items()
    body = {"name": "other", "cidr_block": "10.1.0.0/24"}
    other = account.call("POST", at, body).json()
    assert account.call("POST", at, body | {"name": "allow-all"}).status_code == 409
    stored = [host.inside.document(f"{at[4:]}/{name}") for name in ("allow-all", "other")]
    assert stored[0].keys() == stored[1].keys()
    assert account.call("DELETE", f"{at}/allow-all").status_code == 202
    assert account.got(at)["allowed_outbound_destinations"] == [other]
    assert host.inside.document(usage)["count"] == 1


@pytest.mark.parametrize("status", [one for one in Status if one != Status.HARD_DELETED])
def test_details_in_every_state(app, status):
    """The two sub-reads answer in whatever state the project is, and tell no more than is true."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    app.store.commit([Write(f"projects/{project}", {"status": status.value}, mask=["status"])])
    asked = call(project_id=project)
    assert account.egress_ips(app, asked).body == {"private": [], "public": []}
    details = account.status_details(app, asked)
    held = dict(one.split("=") for one in details.told["Holds"].split(", "))
    assert list(held) == [kind.collection for kind in KINDS]
    assert {kind for kind, count in held.items() if count != "0"} == {
        "allowed_outbound_destinations"  # which every project is made with
    }
    assert details.body == {
        "project": "enabled" if status == Status.ACTIVE else "disabled",
        "domain": "unknown",
        "vpe": "unknown",
        "vpe_not_enabled": True,
        "cbr": {
            "data_plane": {
                "enforcement": "none",
                "inbound_public": "unknown",
                "inbound_private": "unknown",
            }
        },
    }


def test_resource_group_and_tags(account):
    """A project's resource group is told, and its tags are seen in its instance alone."""
    group, tags = "5c49eabcf5e85881a37e2d100a33b3df", ["team: a", "b.c_d-e"]
    body = {"name": "p", "resource_group_id": group, "tags": tags}
    project = account.call("POST", "/v2/projects", body).json()
    assert project["resource_group_id"] == group
    assert "tags" not in project
    instance = account.got(f"/v2/resource_instances/{project['id']}")
    assert (instance["resource_group_id"], instance["tags"]) == (group, tags)


def test_a_list_tells_its_region_and_its_slots(account):
    """Headers say them; how many slots there are is not told to a key for one project (ADR 17)."""
    narrow = account.another_key("viewer", project_id=account.project()["id"])
    for caller, slots in ((account, "20"), (narrow, None)):
        answer = caller.call("GET", "/v2/projects")
        assert answer.status_code == 200
        assert answer.headers["X-Reprieve-Region"] == "us-south"
        assert answer.headers.get("X-Reprieve-Project-Slots") == slots
    made = account.call("GET", f"/v2/projects/{answer.json()['projects'][0]['id']}")
    assert "X-Reprieve-Region" not in made.headers


SEEN = {
    "an emoji": "\u2600\ufe0f",
    "one within": "a \u2764\ufe0f b",
    "of a later plane": "\U0001f5dd\ufe0f",
    "a keycap": "1\ufe0f\u20e3",
    "a letter that is a symbol": "\u2139\ufe0f",
    "a letter of Unicode 16": "\u1c89",
    "no letter yet": "\u0378",
}


@pytest.mark.parametrize("name", SEEN.values(), ids=SEEN)
def test_names_that_are_seen(app, name):
    """Emoji as keyboards write them, and letters newer than this Python, are names as any other."""
    assert projects.create(app, call(body={"name": name})).body["name"] == name
