"""What must not be reached: others' projects and keys, and functions that are not for callers.

Nor another region's projects, through the deployment of this one on the same database.
"""

import re
from itertools import product

import pytest
import requests

from shared.api import operations
from shared.kinds import SECRETS
from tests.support.kinds import EXAMPLES, Home
from tests.support.regions import abroad

NOWHERE = "00000000-0000-4000-8000-000000000000"
ON_PROJECTS = re.compile(r"{project_id}|/(projects|reclamations|resource_instances)/{id}")
ASKED = [name for name, operation in operations().items() if ON_PROJECTS.search(operation.path)]
# What a create or a replacement sends: what is required. An update sends nothing, and that is fine.
BODIES = {
    operation.id: example.body(9, example.change if operation.method == "PUT" else example.least)
    for example in EXAMPLES
    for operation in operations().values()
    if operation.path.partition("{project_id}/")[2].partition("/")[0] == example.kind.collection
    and operation.method in {"POST", "PUT"}
} | {key: {"data": {"k": "v"}} for key in ("patch_secret", "patch_config_map")}
STATES = ("active", "soft_deleted", "hard_deleting")


@pytest.fixture(scope="module")
def other(host):
    """Another account."""
    host.set_clock(0)
    return host.account()


@pytest.fixture(scope="module")
def theirs(host, other):
    """Another account's projects, one in each state, with one of every kind in each."""
    homes = {state: Home(other, other.project(state)) for state in STATES}
    found = {state: home.project["id"] for state, home in homes.items()}
    KEYS.update({found[state]: _keys(home.village()) for state, home in homes.items()})
    other.delete({"id": found["soft_deleted"]})
    host.hold()
    try:
        other.destroy({"id": found["hard_deleting"]})
        for state in STATES[1:]:
            KEYS[found[state]]["reclamations"] = other.reclamation({"id": found[state]})
        yield found
    finally:
        host.release()


KEYS = {}  # of each of their projects, by collection


def _keys(village):
    """Give the keys of what is in a project, by collection."""
    found = {kind.collection: made[kind.key] for kind, made in village.items()}
    app, secret = found["apps"], next(made for kind, made in village.items() if kind is SECRETS)
    return found | {"revisions": f"{app}-00001", "app": app, "key": next(iter(secret["data"]))}


def asked(project):
    """Give a project with what is in it, and one that does not exist with the same."""
    keys = KEYS[project]
    return (project, keys), (NOWHERE, keys | {"reclamations": NOWHERE})


def parameters(operation, project, keys):
    """Give an operation's path parameters for a project and what is in it."""
    *_, above, last = operation.path.split("/")
    found = {"project_id": project, "app_name": keys["app"]}
    if "/keys" in operation.path:
        found |= {"name": keys["secrets"], "key": keys.get("key", "none")}
    elif last in {"{name}", "{id}"}:
        found[last.strip("{}")] = keys.get(above, project)
    elif "{id}" in operation.path:
        found["id"] = keys.get(operation.path.split("/")[2], project)
    wanted = [parameter.key for parameter in operation.parameters if parameter.place == "path"]
    return {name: found[name] for name in wanted}


@pytest.fixture(scope="module")
def owner(host):
    """The account that asks."""
    return host.account()


@pytest.fixture(scope="module")
def scoped(other):
    """A key of that other account that is for one more project of it, and may do all there."""
    return other.another_key(project_id=other.project("own")["id"])


@pytest.fixture(scope="module")
def away(host, other):
    """That other account itself, as it asks another region's deployment on the same database."""
    with abroad(host) as there:
        yield there.seen_by(other)


@pytest.fixture
def strangers(owner, scoped, away):
    """Who must not know of `theirs`: another account, a key for another project, another region."""
    return {"owner": owner, "scoped": scoped, "away": away}


def seen(answer):
    """Give all that a caller can see of an answer but its trace and its hour."""
    trace = re.compile(rb"codeengine-api-[0-9a-f]{32}")
    assert len(trace.findall(answer.content)) == 1
    apart = {"Date", "X-Global-Transaction-ID"}
    headers = {name: value for name, value in answer.headers.items() if name not in apart}
    return answer.status_code, trace.sub(b"TRACE", answer.content), headers


def test_every_operation_is_asked():
    """Operations that name a project are asked below; the others are known here by name."""
    assert set(operations()) - set(ASKED) == {
        *("list_projects", "create_project", "list_reclamations", "list_resource_instances"),
        *("issue_token", "create_account", "get_api_document", "list_function_runtimes"),
        *("rotate_keys", "sign_keys", "reseal_values", "vouch_projects"),
        *("get_log_checkpoint", "get_log_keys", "get_log_tile"),
        *("create_signin_code", "preview_signin_code"),
        *("list_audit_entries", "create_audit_export", "list_certificates"),
        *("get_audit_entry_proof", "get_certificate", "get_certificate_proof"),
        "delete_certificate_name",
        *("list_api_keys", "create_api_key", "get_api_key", "delete_api_key", "get_own_api_key"),
    }


def test_what_is_asked_for_is_there(other, theirs, subtests):
    """What strangers ask for below exists: its owner gets it."""
    project = theirs["active"]
    for operation in (operations()[name] for name in ASKED):
        if operation.method == "GET":
            with subtests.test(operation.id):
                path = operation.path.format_map(parameters(operation, project, KEYS[project]))
                assert other.call("GET", path).status_code == 200


@pytest.mark.claim("F72", "another region's project answers as one that does not exist")
@pytest.mark.claim("I21", "another account's project answers as one that does not exist")
@pytest.mark.parametrize("name", ASKED)
def test_others_project(strangers, theirs, name, subtests):
    """Another's project answers as a missing one, byte by byte, in whatever state it is."""
    operation = operations()[name]
    body = BODIES.get(name, {}) if operation.method in {"POST", "PUT", "PATCH"} else None
    for who, state in product(strangers, STATES):
        with subtests.test(who=who, state=state):
            answers = [
                seen(
                    strangers[who].call(
                        operation.method,
                        operation.path.format_map(parameters(operation, project, keys)),
                        body,
                        headers={"If-Match": "*"},
                    )
                )
                for project, keys in asked(theirs[state])
            ]
            assert answers[0] == answers[1]
            assert answers[0][0] == 404


@pytest.mark.claim("F72", "so it does by name")
@pytest.mark.parametrize("name", ASKED)
def test_others_project_by_name(strangers, theirs, name, subtests):
    """So it does when the function is called by name."""
    operation = operations()[name]
    more = {"if_match": "*"} if "if_match" in operation.required else {}
    for (who, stranger), state in product(strangers.items(), STATES):
        with subtests.test(who=who, state=state):
            answers = [
                seen(stranger.function(operation.function, **(BODIES.get(name, {}) | more | given)))
                for project, keys in asked(theirs[state])
                for given in [parameters(operation, project, keys)]
            ]
            assert answers[0] == answers[1]
            assert answers[0][0] == 404


@pytest.mark.claim("I21", "lists hold one's own alone")
def test_lists_hold_only_ones_own(host, account, theirs):
    """Lists hold nothing of another account, whoever is asked for."""
    owner = account
    mine = owner.project()["id"]
    ids = [project["id"] for project in owner.got("/v2/projects")["projects"]]
    assert ids == [mine]
    other = host.inside.document(f"projects/{theirs['active']}")["account_id"]
    for query in ("", f"?account_id={other}", f"?resource_instance_id={theirs['soft_deleted']}"):
        answer = owner.call("GET", f"/v1/reclamations{query}")
        assert answer.json() == {"resources": []}
    for query in ("", f"?guid={theirs['active']}", "?name=active"):
        answer = owner.got(f"/v2/resource_instances{query}")
        assert {instance["guid"] for instance in answer["resources"]} <= {mine}


def test_a_key_for_one_project(scoped, theirs):
    """A key for one project does there what its roles allow, and of others it sees nothing."""
    (project,) = scoped.got("/v2/projects")["projects"]
    assert project["name"] == "own"
    assert project["id"] not in theirs.values()
    path = f"/v2/projects/{project['id']}"
    scoped.secret(project, "s", {"k": "v"})
    assert scoped.got(f"{path}/secrets/s")["data"] == {"k": "v"}
    for start, names in {"": ["own"], "ov": ["own"], "own": [], "z": []}.items():
        page = scoped.got(f"/v2/projects?limit=1&start={start}")
        assert [entry["name"] for entry in page["projects"]] == names
        assert "next" not in page
    assert scoped.got("/v1/reclamations") == {"resources": []}
    scoped.delete(project)
    (reclamation,) = scoped.got("/v1/reclamations")["resources"]
    assert reclamation["id"] != reclamation["resource_instance_id"] == project["id"]
    assert scoped.action(project, "restore").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("POST", "/v2/projects", "project.create"),
        ("GET", "/v1/apikeys", "apikey.view"),
        ("POST", "/v1/apikeys", "apikey.manage"),
        ("GET", "/v1/apikeys/{key}", "apikey.view"),
        ("DELETE", "/v1/apikeys/{key}", "apikey.manage"),
    ],
)
def test_what_concerns_the_account(scoped, method, path, permission):
    """A key for one project makes none and manages no keys, whatever its roles; not itself even."""
    body = {"name": "k"} if method == "POST" else None
    answer = scoped.call(method, path.format(key=scoped.key_id), body)
    (error,) = answer.json()["errors"]
    said = f"A key for one project does not allow `{permission}`."
    assert (answer.status_code, error["code"], error["message"]) == (403, "forbidden", said)


@pytest.mark.claim("I21", "another account's keys are not seen and not deleted")
def test_others_keys(owner, other):
    """Another account's key answers as a missing one, byte by byte, and is in no list."""
    for method in ("GET", "DELETE"):
        answers = [
            seen(owner.call(method, f"/v1/apikeys/{key}")) for key in (other.key_id, 16 * "0")
        ]
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
    for function in ("getApiKey", "deleteApiKey"):
        answers = [seen(owner.function(function, id=key)) for key in (other.key_id, 16 * "0")]
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
    listed = owner.got("/v1/apikeys")["apikeys"]
    assert {key["account_id"] for key in listed} == {owner.id}
    assert other.call("GET", f"/v1/apikeys/{other.key_id}").status_code == 200


@pytest.mark.claim("F72", "no key is made for a project of another region")
@pytest.mark.parametrize("state", STATES)
def test_keys_for_others_projects(owner, away, theirs, state):
    """No key can be made for a project of another account or region: it answers as none."""
    for stranger in (owner, away):
        answers = [
            seen(stranger.call("POST", "/v1/apikeys", {"name": "k", "project_id": project}))
            for project in (theirs[state], NOWHERE)
        ]
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
        names = [key["name"] for key in stranger.got("/v1/apikeys")["apikeys"]]
        assert "k" not in names


@pytest.mark.usefixtures("theirs")
def test_names_of_others_are_free(owner):
    """A name that another account has taken is free for all others."""
    assert owner.call("POST", "/v2/projects", {"name": "active"}).status_code == 202


PRIVATE = ("createAccount", "rotateKeys", "onProjectWritten", "enforceRetention", "sealAudit")
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


@pytest.mark.parametrize("port", ["url", "functions"])
@pytest.mark.parametrize("name", PRIVATE)
def test_private_functions(host, owner, name, port, subtests):
    """Functions of the platform are on no tenant's port, under no path, and not seen."""
    keys = len(host.inside.store.query("api_keys", order="account_id", limit=9999)[1])
    project = host.info["project"]
    for place in PLACES:
        with subtests.test(place), requests.Session() as sender:
            paths = [place.format(word, project=project) for word in (name, name[::-1])]
            answers = []
            for path in paths:
                prepared = requests.Request(
                    "POST", getattr(host, port), json={"roles": ["manager"]}
                ).prepare()
                prepared.url = f"{getattr(host, port)}/{path}"
                prepared.headers["Authorization"] = f"Bearer {owner.token}"
                answers.append(sender.send(prepared, timeout=30))
            assert answers[0].status_code in {404, 405}
            if name in paths[0] and "%" not in place:
                assert seen(answers[0]) == seen(answers[1])
            found = host.inside.store.query("api_keys", order="account_id", limit=9999)[1]
            assert len(found) == keys


@pytest.mark.parametrize("name", PRIVATE)
def test_private_functions_run_for_the_operator(host, name):
    """The same functions are there for who holds the hub's token, and only for them."""
    info = host.info
    url = f"{info['hub']}/functions/{name}"
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer "}):
        assert requests.post(url, json={}, headers=headers, timeout=30).status_code == 401
    headers = {"Authorization": f"Bearer {info['token']}"}
    answer = requests.post(url, json={}, headers=headers, timeout=30)
    wanted = {"createAccount": (201,), "enforceRetention": (200,), "sealAudit": (200, 204)}
    assert answer.status_code in wanted.get(name, (400,))
