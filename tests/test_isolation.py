"""What must not be reached: other accounts' projects, and functions that are not for callers."""

import re

import pytest
import requests

from shared.schema import operations

NOWHERE = "00000000-0000-4000-8000-000000000000"
DATA = {"data": {"k": "v"}}
SECRET = {"name": "s", "format": "generic", **DATA}
# operation: method, path, body, function's members besides the project
CALLS = {
    "get_project": ("GET", "/v2/projects/{id}", None, "id", {}),
    "delete_project": ("DELETE", "/v2/projects/{id}", None, "id", {}),
    "get_project_egress_ips": ("GET", "/v2/projects/{id}/egress_ips", None, "project_id", {}),
    "get_project_status_details": (
        "GET",
        "/v2/projects/{id}/status_details",
        None,
        "project_id",
        {},
    ),
    "list_secrets": ("GET", "/v2/projects/{id}/secrets", None, "project_id", {}),
    "create_secret": ("POST", "/v2/projects/{id}/secrets", SECRET, "project_id", SECRET),
    "get_secret": ("GET", "/v2/projects/{id}/secrets/s", None, "project_id", {"name": "s"}),
    "replace_secret": (
        "PUT",
        "/v2/projects/{id}/secrets/s",
        SECRET,
        "project_id",
        SECRET | {"if_match": "*"},
    ),
    "delete_secret": ("DELETE", "/v2/projects/{id}/secrets/s", None, "project_id", {"name": "s"}),
    "restore_project": ("POST", "/v1/reclamations/{id}/actions/restore", {}, "id", {}),
    "reclaim_project": ("POST", "/v1/reclamations/{id}/actions/reclaim", {}, "id", {}),
    "get_resource_instance": ("GET", "/v2/resource_instances/{id}", None, "id", {}),
    "delete_resource_instance": ("DELETE", "/v2/resource_instances/{id}", None, "id", {}),
}
STATES = ("active", "soft_deleted", "hard_deleting")


@pytest.fixture(scope="module")
def theirs(host):
    """Another account's projects, one in each state."""
    host.set_clock(0)
    other = host.account()
    found = {state: other.project(state)["id"] for state in STATES}
    for project in found.values():
        other.secret({"id": project}, "s", {"k": "v"})
    other.delete({"id": found["soft_deleted"]})
    host.hold()
    try:
        assert other.action({"id": found["hard_deleting"]}, "reclaim").status_code == 200
        yield found
    finally:
        host.release()


@pytest.fixture(scope="module")
def owner(host):
    """The account that asks."""
    return host.account()


def seen(answer):
    """Give all that a caller can see of an answer but its trace and its hour."""
    trace = re.compile(rb"codeengine-api-[0-9a-f]{32}")
    assert len(trace.findall(answer.content)) == 1
    apart = {"Date", "X-Global-Transaction-ID"}
    headers = {name: value for name, value in answer.headers.items() if name not in apart}
    return answer.status_code, trace.sub(b"TRACE", answer.content), headers


def test_every_operation_is_asked():
    """Every operation on a project is in the table above."""
    on_projects = {
        name
        for name, operation in operations().items()
        if re.search(r"{(project_)?id}", operation.path)
    }
    assert on_projects == set(CALLS)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("operation", CALLS)
def test_others_project(owner, theirs, operation, state):
    """Another account's project answers as a missing one, byte by byte, in whatever state it is."""
    method, path, body, _, _ = CALLS[operation]
    answers = [
        seen(owner.call(method, path.format(id=project), body, headers={"If-Match": "*"}))
        for project in (theirs[state], NOWHERE)
    ]
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


@pytest.mark.parametrize("operation", CALLS)
def test_others_project_by_name(owner, theirs, operation):
    """So it does when the function is called by name."""
    _, _, _, key, members = CALLS[operation]
    url = f"{owner.host.functions}/{operations()[operation].function}"
    headers = {"Authorization": f"Bearer {owner.token}"}
    answers = [
        seen(owner.session.post(url, json={key: project, **members}, headers=headers, timeout=30))
        for project in (theirs["active"], NOWHERE)
    ]
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


def test_lists_hold_only_ones_own(host, owner, theirs):
    """Lists hold nothing of another account, whoever is asked for."""
    mine = owner.project()["id"]
    ids = [project["id"] for project in owner.call("GET", "/v2/projects").json()["projects"]]
    assert ids == [mine]
    account = host.inside.document(f"projects/{theirs['active']}")["account_id"]
    for query in ("", f"?account_id={account}", f"?resource_instance_id={theirs['soft_deleted']}"):
        answer = owner.call("GET", f"/v1/reclamations{query}")
        assert answer.json() == {"resources": []}
    for query in ("", f"?guid={theirs['active']}", "?name=active"):
        answer = owner.call("GET", f"/v2/resource_instances{query}").json()
        assert {instance["guid"] for instance in answer["resources"]} <= {mine}


@pytest.mark.usefixtures("theirs")
def test_names_of_others_are_free(owner):
    """A name that another account has taken is free for all others."""
    assert owner.call("POST", "/v2/projects", {"name": "active"}).status_code == 202


PRIVATE = ("createAccount", "onProjectWritten", "enforceRetention")
PLACES = (
    "{0}",
    "{0}/",
    "/{0}",
    "./{0}",
    "{project}/us-central1/{0}",
    "{project}/us-central1/{0}/",
    "{project}/us-central1//{0}",
    "api/{0}",
    "api/internal/accounts",
    "issueToken/internal/accounts",
    "issueToken/{0}",
    "internal/accounts",
    "v2/{0}",
    "v2/../{0}",
    "identity/{0}",
    "{project}/us-central1/api/internal/accounts",
    "functions/{0}",
    "functions/projects/{project}/triggers/us-central1-{0}",
    "schedules/{0}/run",
    "%63reateAccount",
)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("port", ["url", "functions"])
@pytest.mark.parametrize("name", PRIVATE)
def test_private_functions(host, owner, name, port, place):
    """Functions of the platform are on no tenant's port, under no path, and not seen."""
    keys = len(host.inside.store.query("api_keys", order="account_id", limit=9999)[1])
    project = host.info["project"]
    paths = [place.format(word, project=project) for word in (name, name[::-1])]
    sender = requests.Session()
    answers = []
    for path in paths:
        prepared = requests.Request(
            "POST", getattr(host, port), json={"roles": ["manager"]}
        ).prepare()
        prepared.url = f"{getattr(host, port)}/{path}"
        prepared.headers["Authorization"] = f"Bearer {owner.token}"
        answers.append(sender.send(prepared, timeout=30))
    sender.close()
    assert answers[0].status_code in {404, 405}
    if name in paths[0] and "%" not in place:
        assert seen(answers[0]) == seen(answers[1])
    assert len(host.inside.store.query("api_keys", order="account_id", limit=9999)[1]) == keys


@pytest.mark.parametrize("name", PRIVATE)
def test_private_functions_run_for_the_operator(host, name):
    """The same functions are there for who holds the hub's token, and only for them."""
    info = host.info
    url = f"{info['hub']}/functions/{name}"
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer "}):
        assert requests.post(url, json={}, headers=headers, timeout=30).status_code == 401
    headers = {"Authorization": f"Bearer {info['token']}"}
    answer = requests.post(url, json={}, headers=headers, timeout=30)
    assert answer.status_code == {"createAccount": 201, "enforceRetention": 200}.get(name, 400)
