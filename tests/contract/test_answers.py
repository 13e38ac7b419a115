"""Every public operation really answered, and refused, as openapi.yaml describes it."""

import pytest

from shared.access import CODE_GRANT
from shared.api import operations, route
from shared.kinds import KINDS
from tests.support import GRANT, answers
from tests.support.kept import kept
from tests.support.kinds import Home, requests_of

ID = "4e49b3e0-27a8-48d2-a784-c7ee48bb863b"


def of_kinds(home):
    """Give an answer of every operation of every kind, and a refusal of each but the lists."""
    found = []
    for kind in KINDS:
        made = home.create(kind)
        found.append((f"create_{kind.noun}", made))
        home.create(kind)  # so that a page of one has a next
        for operation, asked in requests_of(kind, made.json()[kind.key]).items():
            more = {"limit": 1} if operation.startswith("list_") else {}
            for _ in range(2):  # what is created or deleted is so once
                path = asked.at(home.project["id"])
                sent = home.ask(asked.method, path, asked.body, headers=asked.headers, params=more)
                found.append((operation, sent))
            if "If-Match" in asked.headers:
                stale = asked.headers | {"If-Match": "0"}
                found.append((operation, home.ask(asked.method, path, asked.body, headers=stale)))
    found.append(("list_function_runtimes", home.ask("GET", "/v2/function_runtimes")))
    return found


def of_identity(owner, project):
    """Give what is asked of tokens, codes and keys, in turn."""
    spare = f"/v1/apikeys/{owner.another_key().key_id}"
    form = {"grant_type": GRANT, "apikey": owner.apikey}
    made = owner.call("POST", "/v1/signin_codes", {}).json()
    code, for_code = {"code": made["code"]}, {"grant_type": CODE_GRANT}
    key = {"name": "k", "description": "d", "roles": ["reader"], "project_id": project["id"]}
    key |= {"expires_at": "9999-12-31T23:59:59Z"}
    return [
        ("issue_token", "POST", "/identity/token", None, {"data": form}),
        ("issue_token", "POST", "/identity/token", None, {"data": form | {"apikey": "none"}}),
        ("issue_token", "POST", "/identity/token", None, {"data": {}}),
        *[("create_signin_code", "POST", "/v1/signin_codes", {}, {})] * 6,
        ("preview_signin_code", "POST", "/identity/signin_code", code, {}),
        ("preview_signin_code", "POST", "/identity/signin_code", {"code": "none"}, {}),
        ("preview_signin_code", "POST", "/identity/signin_code", {}, {}),
        ("issue_token", "POST", "/identity/token", None, {"data": code | for_code}),
        ("issue_token", "POST", "/identity/token", None, {"data": code | for_code}),
        ("list_api_keys", "GET", "/v1/apikeys?limit=1", None, {}),
        ("create_api_key", "POST", "/v1/apikeys", key, {}),
        ("create_api_key", "POST", "/v1/apikeys", {"name": "k"}, {}),
        ("create_api_key", "POST", "/v1/apikeys", {"name": "\n"}, {}),
        ("get_api_key", "GET", f"/v1/apikeys/{owner.key_id}", None, {}),
        ("list_api_keys", "GET", "/v1/apikeys?limit=1", None, {}),
        ("get_own_api_key", "GET", "/v1/apikeys/self", None, {}),
        ("delete_api_key", "DELETE", spare, None, {}),
        ("delete_api_key", "DELETE", spare, None, {}),
        ("get_api_key", "GET", spare, None, {}),
    ]


def of_projects(owner, project):
    """Give what is asked of projects, from their creation to their end."""
    at, by = f"/v2/projects/{project['id']}", "/v1/reclamations/RECLAMATION/actions"
    ours = f"/v1/projects/{project['id']}"
    other, instances = owner.project("b"), "/v2/resource_instances"
    return [
        ("create_project", "POST", "/v2/projects", {"name": "c"}, {}),
        ("create_project", "POST", "/v2/projects", {"name": "c"}, {}),
        ("create_project", "POST", "/v2/projects", {}, {}),
        ("list_projects", "GET", "/v2/projects", None, {}),
        ("list_projects", "GET", "/v2/projects?limit=1", None, {}),
        ("list_projects", "GET", "/v2/projects?limit=0", None, {}),
        ("get_project", "GET", at, None, {}),
        ("get_project", "GET", f"/v2/projects/{ID}", None, {}),
        ("get_project_egress_ips", "GET", f"{at}/egress_ips", None, {}),
        ("get_project_status_details", "GET", f"{at}/status_details", None, {}),
        ("get_project_contents", "GET", f"{ours}/contents", None, {}),
        ("get_project_contents", "GET", f"{ours}/contents?names=true", None, {}),
        ("get_project_contents", "GET", f"{ours}/contents?names=1", None, {}),
        ("list_resource_instances", "GET", f"{instances}?limit=1", None, {}),
        ("list_resource_instances", "GET", f"{instances}?state=none", None, {}),
        ("get_resource_instance", "GET", f"{instances}/{project['id']}", None, {}),
        ("get_resource_instance", "GET", f"{instances}/{ID}", None, {}),
        ("delete_resource_instance", "DELETE", f"{instances}/{other['id']}", None, {}),
        ("delete_resource_instance", "DELETE", f"{instances}/{other['id']}", None, {}),
        ("get_resource_instance", "GET", f"{instances}/{other['id']}", None, {}),
        ("delete_project", "DELETE", at, None, {}),
        ("delete_project", "DELETE", at, None, {}),
        ("get_project", "GET", at, None, {}),
        ("list_reclamations", "GET", "/v1/reclamations", None, {}),
        ("restore_project", "POST", f"{by}/restore", {}, {}),
        ("restore_project", "POST", f"{by}/restore", {}, {}),
        ("reclaim_project", "POST", f"{by}/reclaim", {}, {}),
        ("delete_project", "DELETE", at, None, {}),
        ("list_reclamations", "GET", "/v1/reclamations", None, {}),
        ("reclaim_project", "POST", f"{by}/reclaim", {}, {}),
        ("reclaim_project", "POST", f"/v1/reclamations/{ID}/actions/reclaim", {}, {}),
        ("get_resource_instance", "GET", f"{instances}/{project['id']}", None, {}),
        ("get_project", "GET", "/v2/projects/x", None, {}),
        ("get_api_document", "GET", "/openapi.json", None, {}),
        ("get_api_document", "GET", "/openapi.json", None, {"headers": {"Accept": "text/html"}}),
    ]


def of_the_trail(owner, gone):
    """Give what is asked of the trail, and of the certificate of a project that is gone."""
    entries, certificate = "/v1/audit_entries", f"/v1/certificates/{gone}"
    entry = owner.got(entries)["audit_entries"][0]["id"]
    return [
        ("list_audit_entries", "GET", f"{entries}?limit=1", None, {}),
        ("list_audit_entries", "GET", f"{entries}?since=2026-02-30", None, {}),
        ("list_audit_entries", "GET", f"{entries}?start=x", None, {}),
        ("get_audit_entry_proof", "GET", f"{entries}/{entry}/proof", None, {}),
        ("create_audit_export", "POST", "/v1/audit_exports", None, {}),
        ("create_audit_export", "POST", "/v1/audit_exports", None, {"headers": {"Accept": "a/b"}}),
        ("list_certificates", "GET", "/v1/certificates?limit=1", None, {}),
        ("get_certificate", "GET", certificate, None, {}),
        ("get_certificate", "GET", f"/v1/certificates/{ID}", None, {}),
        ("get_certificate_proof", "GET", f"{certificate}/proof", None, {}),
        ("delete_certificate_name", "DELETE", f"{certificate}/name", None, {}),
        ("delete_certificate_name", "DELETE", f"{certificate}/name", None, {}),
    ]


def of_the_log():
    """Give what is asked of the log; some of it is not there."""
    return [
        ("get_log_checkpoint", "/v1/log/1/checkpoint"),
        ("get_log_checkpoint", "/v1/log/9/checkpoint"),
        ("get_log_keys", "/v1/log/1/keys"),
        ("get_log_keys", f"/v1/log/{'9' * 99}/keys"),
        ("get_log_tile", "/v1/log/1/tile/0/000.p/1"),
        ("get_log_tile", "/v1/log/1/tile/entries/000.p/1"),
        ("get_log_tile", "/v1/log/1/tile/63/x999/999"),
    ]


def answered(host):
    """Give a real answer of every public operation, and of refusals of it."""
    owner = host.account()
    project = owner.project("a")
    found = of_kinds(Home(owner, project))
    gone = [kept(host.inside.app, owner.id) for _ in range(2)]
    host.hub("POST", "/schedules/sealAudit/run")
    steps = [*of_the_trail(owner, gone[0]), *of_identity(owner, project)]
    steps += of_projects(owner, project)
    reclamation = ""
    host.hold()
    try:
        for name, method, path, body, more in steps:
            answer = owner.call(method, path.replace("RECLAMATION", reclamation), body, **more)
            found.append((name, answers.check(answer)))
            if name == "list_reclamations":
                reclamation = answer.json()["resources"][0]["id"]
    finally:
        host.release()
    host.hub("POST", "/schedules/sealAudit/run")
    for name, path in of_the_log():
        found.append((name, answers.check(owner.call("GET", path))))
    return found


@pytest.fixture(scope="module")
def real(host):
    """Real answers by operation; each was held against the description as it came."""
    host.set_clock(0)
    return answered(host)


def test_answers_cover_the_api(real):
    """Every public operation is answered with its success; what changes anything, refused too."""
    public = {name for name, operation in operations().items() if not operation.private}
    good = {name for name, answer in real if answer.status_code < 300}
    assert good == public
    bad = {name for name, answer in real if answer.status_code >= 400}
    assert {name for name in public if operations()[name].method != "GET"} <= bad
    for name, answer in real:
        if answer.status_code < 300:
            assert answer.status_code == operations()[name].status


def test_links_lead_where_they_say(host, real):
    """Every link in an answer is whole, and its path is that of an operation."""
    links = []

    def walk(value):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if key == "href":
                links.append(item)
            elif isinstance(item, dict | list):
                walk(item)

    for name, answer in real:
        json = answer.headers["Content-Type"] == "application/json"
        if answer.content and json and name != "get_api_document":  # it names members `href`
            walk(answer.json())
            links.extend([answer.headers["Location"]] if "Location" in answer.headers else [])
    assert len(links) > 100
    for link in links:
        ours = [f"{host.url}/v1/{one}" for one in ("apikeys", "projects", "audit", "certificates")]
        assert link.startswith((f"{host.url}/v2/projects", *ours))
        path = link.removeprefix(host.url).partition("?")[0]
        assert route(operations().keys(), "GET", path)[0].method == "GET"
