"""Denied attempts are on record: of a known key alone, in its own account, and bounded."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import flask
import pytest
from werkzeug.test import EnvironBuilder

from functions.http_api import api
from shared import access, quotas
from shared.access import api_keys
from shared.api import operations
from shared.calls import Origin
from shared.wire import denials, gates, serving
from tests.access.test_permissions import NOWHERE
from tests.faults.faulty import COMMIT, Rule, troubled
from tests.functions.test_functions import running
from tests.support import call, principal_of
from tests.support.entries import entries as trail
from tests.support.kinds import refused

ID = "0b7c2a51-6f0e-4f5e-9a43-2f1d3c5b7e90"
TRIED = {  # a permission: how it is tried, by which operation, and the project that is named
    "project.view": ("GET", f"/v2/projects/{ID}", "get_project", ID),
    "project.manage": ("DELETE", f"/v2/projects/{ID}", "delete_project", ID),
    "project.create": ("POST", "/v2/projects", "create_project", None),
    "project.purge": ("POST", f"/v1/reclamations/{ID}/actions/reclaim", "reclaim_project", None),
    "entity.list": ("GET", f"/v1/projects/{ID}/secrets", "list_secret_metadata", ID),
    "entity.view": ("GET", f"/v2/projects/{ID}/secrets/s", "get_secret", ID),
    "entity.manage": ("DELETE", f"/v2/projects/{ID}/jobs/j", "delete_job", ID),
    "audit.view": ("GET", "/v1/audit_entries", "list_audit_entries", None),
    "apikey.view": ("GET", "/v1/apikeys", "list_api_keys", None),
    "apikey.manage": ("DELETE", f"/v1/apikeys/{'0' * 16}", "delete_api_key", None),
}


def denied(account):
    """Give the entries of what an account was denied, the oldest first."""
    told = trail(account.host.inside.store, "account_id", account.id)
    return [entry for entry in told if entry["outcome"] == "denied"]


def weak(account, verb, **members):
    """Give a key of the account that lacks a permission."""
    role = "viewer" if verb == "project.purge" else "purge"
    return account.another_key(role, name="a weak one", **members)


@pytest.mark.claim("R1", "each attempt that is denied to a known key is on record")
@pytest.mark.parametrize("verb", TRIED)
def test_each_permission(account, verb):
    """Who, when, which permission was lacking, of which operation, on which project."""
    method, path, operation, project = TRIED[verb]
    caller = weak(account, verb)
    answer = caller.call(method, path)
    (error,) = refused(answer, 403, "forbidden")
    (entry,) = denied(account)
    assert {name: entry[name] for name in ("action", "operation", "project_id")} == {
        "action": f"codeengine.{verb}",
        "operation": operation,
        "project_id": project,
    }
    assert verb in error["message"]
    assert (entry["initiator"], entry["key_name"]) == (caller.key_id, "a weak one")
    assert entry["roles"] == ["viewer" if verb == "project.purge" else "purge"]
    assert entry["correlation_id"] == answer.headers["X-Global-Transaction-ID"]
    assert entry["clock"] == "host"
    assert "suppressed" not in entry


def test_every_permission_is_tried():
    """But for `apikey.use`, which none of the roles lacks."""
    asked = {operation.permission for operation in operations().values()} - {None}
    assert asked - access.roles.OWN == set(TRIED)


def test_what_is_denied_deeper(account):
    """What only the body, or the token itself, says: more than one may give, a session's code."""
    project = account.project()["id"]
    viewer = account.another_key("viewer")
    narrow = account.another_key("administrator", project_id=project)
    giver = account.another_key("administrator")
    code = account.call("POST", "/v1/signin_codes", {}).json()["code"]
    form = {"grant_type": access.CODE_GRANT, "code": code}
    session = type(account)(account.host, account.id, account.apikey)
    address = f"{account.host.url}/identity/token"
    session.token = account.session.post(address, data=form, timeout=30).json()["access_token"]
    names = f"/v1/projects/{project}/contents?names=true"
    for answer in (
        viewer.call("GET", names),
        viewer.function("getProjectContents", project_id=project, names=True),
        narrow.call("POST", "/v2/projects", {"name": "p"}),
        giver.call("POST", "/v1/apikeys", {"name": "k", "roles": ["reader"]}),
        session.call("POST", "/v1/signin_codes", {}),
    ):
        refused(answer, 403, "forbidden", *(["roles"] if "gives no more" in answer.text else []))
    told = [(entry["action"], entry["operation"], entry["project_id"]) for entry in denied(account)]
    assert told == [
        ("codeengine.entity.list", "get_project_contents", project),
        ("codeengine.entity.list", "get_project_contents", project),
        ("codeengine.project.create", "create_project", None),
        ("codeengine.apikey.manage", "create_api_key", None),
        ("codeengine.apikey.use", "create_signin_code", None),
    ]


def test_by_name_nothing_is_parsed(account):
    """Who may do nothing of what a function is for is refused before its body is read."""
    caller = account.another_key("purge")
    assert caller.function("deleteProject", id=ID).status_code == 403
    (entry,) = denied(account)
    assert (entry["action"], entry["project_id"]) == ("codeengine.project.manage", None)


@pytest.mark.parametrize(
    "path",
    [
        "/v2/projects/none",
        f"/v2/projects/{ID.upper()}",
        "/v2/projects/%E2%80%AEcodeengine",
        f"/v2/projects/{ID}%20",
        f"/v2/projects/{'a' * 4000}",
        f"/v2/resource_instances/crn:v1:bluemix:public:codeengine:us-south:a%2F1:{ID}::",
    ],
)
def test_what_is_no_project_s_id(account, path):
    """An entry holds an id, or nothing: never whatever stood in a path."""
    assert account.another_key("purge").call("GET", path).status_code == 403
    (entry,) = denied(account)
    assert entry["project_id"] is None


@pytest.mark.claim("I21", "what an account is denied is on record with itself, and nobody else")
def test_another_account_s_project(host, account):
    """Whose a project is, an attempt does not tell: it is the caller's in either case."""
    other = host.account()
    project = other.project()["id"]
    before = trail(host.inside.store, "account_id", other.id)
    caller = account.another_key("purge")
    told = []
    for id_ in (project, NOWHERE):
        answer = caller.call("DELETE", f"/v2/projects/{id_}")
        told.append(answer.json()["errors"])
    assert told[0] == told[1]
    assert [entry["project_id"] for entry in denied(account)] == [project, NOWHERE]
    assert trail(host.inside.store, "account_id", other.id) == before


@pytest.mark.slow
def test_what_is_no_denial(host, account):
    """Who is not known, what is not there, a quota that is used up, functions of the platform's."""
    everything = lambda: len(trail(host.inside.store))  # noqa: E731
    project = account.project()
    account.delete(project)
    unknown = type(account)(host, account.id, account.apikey)
    unknown.token = "none"
    small = running(host, "createProject", CE_PROJECTS_PER_REGION="1")
    with small as url, running(host, "createAccount") as private:
        for act, status in (
            (lambda: unknown.call("GET", "/v2/projects"), 401),
            (lambda: account.call("GET", f"/v2/projects/{NOWHERE}"), 404),
            (lambda: account.call("GET", f"/v2/projects/{project['id']}/secrets"), 409),
            (lambda: post(account, url, {"name": "another"}), 403),
            (lambda: account.session.post(private, json={}, headers={"Origin": "x"}), 403),
        ):
            before = everything()
            answer = act()
            assert (answer.status_code, everything()) == (status, before)
    assert denied(account) == []


def post(account, url, body):
    """Call a function that runs alone, and give its answer: its quota is used up."""
    head = {"Authorization": f"Bearer {account.token}"}
    answer = account.session.post(url, json=body, headers=head, timeout=30)
    refused(answer, 403, "quota_exceeded")
    return answer


@pytest.mark.claim("D2", "twenty denied attempts at once leave ten entries, and each its 403")
def test_twenty_at_once(account):
    """The others are counted; another key of the account has its own ten."""
    callers = [account.another_key("purge") for _ in "12"]
    _ = [caller.token for caller in callers]
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(callers[0].call, "GET", "/v2/projects") for _ in range(20)]
    assert {one.result().status_code for one in asked} == {403}
    assert callers[1].call("GET", "/v2/projects").status_code == 403
    told = Counter(entry["initiator"] for entry in denied(account))
    assert told == {callers[0].key_id: 10, callers[1].key_id: 1}


class Served:
    """The API in this process, over some store, asked by a key that may destroy and no more."""

    def __init__(self, app, patch):
        key = api_keys.create(app, call(body={"name": "weak", "roles": ["purge"]})).body["apikey"]
        form = call(body={"apikey": key})
        self.token = access.issue_token(app, form).body["access_token"]
        self.origin = Origin(principal_of(app, key), "codeengine-api-first")
        self.now = 0.0
        self.denials = denials.Denials(clock=lambda: self.now)
        patch.setattr(serving, "get_app", lambda: self.app)
        patch.setattr(denials, "leave", partial(denials.leave, denials=self.denials))
        self.app = self.calm = app

    def ask(self):
        """Ask for what is denied; give how long it took."""
        head = {"Authorization": f"Bearer {self.token}"}
        environ = EnvironBuilder("/v2/projects", method="GET", headers=head).get_environ()
        began = time.monotonic()
        assert api(flask.Request(environ)).status_code == 403
        return time.monotonic() - began

    def told(self):
        """Give how many denials each entry counts besides."""
        found = [entry for entry in trail(self.calm.store) if entry["outcome"] == "denied"]
        return [entry.get("suppressed") for entry in found]


@pytest.fixture
def served(app, monkeypatch):
    """The API in this process."""
    return Served(app, monkeypatch)


def test_the_surplus_is_told(served):
    """The next entry that there is room for counts those before it that have none."""
    for _ in range(20):
        served.ask()
    assert served.told() == [None] * 10
    served.now += quotas.DENIALS_WITHIN - 1
    served.ask()
    served.now += 1
    served.ask()
    served.ask()
    assert served.told() == [*[None] * 10, 11, None]


def test_never_more_than_ten_a_minute(served):
    """Whichever minute is looked at: not ten at the end of one and ten as the next begins."""
    for second in (0, 30, 59, 60, 61, 89, 90, 119, 120):
        served.now = float(second)
        for _ in range(5):
            served.ask()
    times = [0] * 5 + [30] * 5 + [60] * 5 + [90] * 5 + [120] * 5
    assert len(served.told()) == len(times)


@pytest.mark.claim("F12", "a denied attempt whose entry cannot be written is refused all the same")
@pytest.mark.parametrize("error", ["ServiceUnavailable", "PermissionDenied", "crash"])
def test_no_entry(served, error):
    """The 403 goes out, and soon; what is not on record is counted."""
    served.app, script = troubled(served.calm, Rule(COMMIT, "before", error=error))
    assert served.ask() < 2 * quotas.DENIAL_TIME + 0.5
    assert script.rules[0].met
    assert served.told() == []
    served.app = served.calm
    served.ask()
    assert served.told() == [1]


@pytest.mark.slow
def test_a_store_that_hangs(served):
    """It is waited for a second, and as long to see whether the entry is there."""
    slow = [Rule(on, "delay", seconds=60.0) for on in (COMMIT, "batch_get_documents")]
    served.app, _ = troubled(served.calm, *slow)
    spent = served.ask()
    assert quotas.DENIAL_TIME <= spent < 2 * quotas.DENIAL_TIME + 1.0
    assert served.told() == []


@pytest.mark.claim("F9", "of a denied attempt whose entry's answer was lost there is one entry")
def test_an_answer_that_is_lost(served):
    """The entry itself says that it is there."""
    served.app, _ = troubled(served.calm, Rule(COMMIT, "after", last=1, error="DeadlineExceeded"))
    served.ask()
    served.ask()
    assert served.told() == [None, None]


def test_too_many_wait(served):
    """Where as many wait for an entry as may, a refusal does not: it is counted."""
    all_places = quotas.DENYING + 2 * (quotas.DENYING // quotas.GATE_KEPT)
    with gates.entered("denying", quotas.DENYING, (), all_places):
        served.ask()
    assert served.told() == []
    served.ask()
    assert served.told() == [1]


@pytest.mark.claim("D2", "what is remembered of denied attempts is bounded")
def test_memory_is_bounded():
    """The keys that were denied last are remembered, the others forgotten."""
    now = [0.0]
    few = denials.Denials(most=3, clock=lambda: now[0])
    for key in "abcd":
        for _ in range(12):
            few.take(key)
    assert [*few._keys] == ["b", "c", "d"]
    assert few.take("a") == 0
    now[0] += quotas.DENIALS_WITHIN
    assert few.take("c") == 2
    few.untold("b", 1)  # it is forgotten
    assert [*few._keys] == ["d", "a", "c"]


@pytest.mark.slow
def test_a_flood_is_over_the_rate(host, account):
    """A denied attempt counts towards the rate of its key: beyond it all is 429."""
    caller = account.another_key("purge")
    with running(host, "listProjects", CE_RATE="5") as url:
        head = {"Authorization": f"Bearer {caller.token}"}
        ask = lambda: caller.session.post(url, json={}, headers=head, timeout=30)  # noqa: E731
        codes = [ask().status_code for _ in range(30)]
    assert codes[:10] == [403] * 10
    assert 429 in codes
    assert len(denied(account)) == quotas.DENIALS


def test_the_moved_clock(host, account):
    """Where the clock was moved an entry is told at the time that was made of it, and says so."""
    caller = account.another_key("purge")
    caller.call("GET", "/v2/projects")
    host.advance(86_400)
    try:
        caller.call("GET", "/v2/projects")
    finally:
        host.set_clock(0)
    first, second = denied(account)
    assert (first["clock"], second["clock"]) == ("host", "moved")
    assert (second["at"] - first["at"]).days == 1


def test_its_own_clock_that_says_no_time(served, tmp_path):
    """A clock file that is damaged keeps no refusal up."""
    (tmp_path / "clock").write_text("no number")
    served.app = replace(served.calm)
    served.ask()
    assert served.told() == []
