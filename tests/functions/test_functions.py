"""Each function alone, under plain functions-framework, as any platform would run it."""

import base64
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
import requests

from emulator.ports import free
from shared.store.events import DocumentEventData
from shared.store.values import encode
from tests.support import GRANT, ROOT, until

pytestmark = pytest.mark.slow

DATA = {"data": {"k": "v"}}
SECRET = {"name": "s", "format": "generic", **DATA}
SIGNS = ("/identity/", "/v1/apikeys")  # how the paths begin that `identity` serves
STALE = {"name": "k", "expires_at": "2020-01-01T00:00:00Z"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# function: its REST request and the members of the call by name, and the status of both
ROWS = {
    "listProjects": ("GET", "/v2/projects", None, {}, 200),
    "createProject": ("POST", "/v2/projects", {"name": "taken"}, {"name": "taken"}, 409),
    "getProject": ("GET", "/v2/projects/{p}", None, {"id": "{p}"}, 200),
    "deleteProject": ("DELETE", "/v2/projects/{d}", None, {"id": "{d}"}, 409),
    "restoreProject": ("POST", "/v1/reclamations/{r}/actions/restore", {}, {"id": "{r}"}, 409),
    "reclaimProject": ("POST", "/v1/reclamations/{n}/actions/reclaim", {}, {"id": "{n}"}, 404),
    "listReclamations": ("GET", "/v1/reclamations", None, {}, 200),
    "getProjectEgressIps": (
        "GET",
        "/v2/projects/{p}/egress_ips",
        None,
        {"project_id": "{p}"},
        200,
    ),
    "getProjectStatusDetails": (
        "GET",
        "/v2/projects/{d}/status_details",
        None,
        {"project_id": "{d}"},
        200,
    ),
    "getProjectContents": (
        "GET",
        "/v1/projects/{d}/contents",
        None,
        {"project_id": "{d}"},
        200,
    ),
    "listSecretMetadata": ("GET", "/v1/projects/{p}/secrets", None, {"project_id": "{p}"}, 200),
    "listSecretKeys": (
        "GET",
        "/v1/projects/{p}/secrets/s/keys",
        None,
        {"project_id": "{p}", "name": "s"},
        200,
    ),
    "getSecretKey": (
        "GET",
        "/v1/projects/{p}/secrets/s/keys/none",
        None,
        {"project_id": "{p}", "name": "s", "key": "none"},
        404,
    ),
    "listResourceInstances": ("GET", "/v2/resource_instances", None, {}, 200),
    "getResourceInstance": ("GET", "/v2/resource_instances/{d}", None, {"id": "{d}"}, 200),
    "deleteResourceInstance": ("DELETE", "/v2/resource_instances/{d}", None, {"id": "{d}"}, 409),
    "putSecret": (
        "POST",
        "/v2/projects/{p}/secrets",
        SECRET,
        {"project_id": "{p}", **SECRET},
        409,
    ),
    "getSecret": (
        "GET",
        "/v2/projects/{p}/secrets/s",
        None,
        {"project_id": "{p}", "name": "s"},
        200,
    ),
    "listSecrets": ("GET", "/v2/projects/{p}/secrets", None, {"project_id": "{p}"}, 200),
    "deleteSecret": (
        "DELETE",
        "/v2/projects/{p}/secrets/none",
        None,
        {"project_id": "{p}", "name": "none"},
        404,
    ),
    "listAuditEntries": (
        "GET",
        "/v1/audit_entries?initiator=nobody",
        None,
        {"initiator": "nobody"},
        200,
    ),
    "listCertificates": ("GET", "/v1/certificates", None, {}, 200),
    "getCertificate": ("GET", "/v1/certificates/{p}", None, {"id": "{p}"}, 404),
    "deleteCertificateName": ("DELETE", "/v1/certificates/{n}/name", None, {"id": "{n}"}, 404),
    "createApiKey": ("POST", "/v1/apikeys", STALE, STALE, 400),
    "getApiKey": ("GET", "/v1/apikeys/{k}", None, {"id": "{k}"}, 404),
    "getOwnApiKey": ("GET", "/v1/apikeys/self", None, {}, 200),
    "listApiKeys": ("GET", "/v1/apikeys", None, {}, 200),
    "deleteApiKey": ("DELETE", "/v1/apikeys/{k}", None, {"id": "{k}"}, 404),
}
PROBES = (("GET", "/__/health"), ("GET", "/"), ("POST", "/__/health"), ("GET", "/x"))


@pytest.fixture(scope="module")
def places(owner):
    """An active project with a secret, a deleted one, and one that does not exist."""
    active, deleted = owner.project("taken"), owner.project("deleted")
    owner.secret(active, "s", {"k": "v"})
    owner.delete(deleted)
    owner.delete(active)
    reclamation = owner.reclamation(active)
    assert owner.act(reclamation, "restore").status_code == 200  # so that it has ended
    owner.host.quiet()
    nowhere = "00000000-0000-4000-8000-000000000000"
    return {
        "p": active["id"],
        "d": deleted["id"],
        "r": reclamation,
        "n": nowhere,
        "k": 16 * "0",
    }


@contextmanager
def running(host, name, *options, **more):
    """Run one function as a process of its own, and give its address."""
    port, script = free(), Path(sys.executable).with_name("functions-framework")
    command = [str(script), "--target", name, "--source", "functions/main.py", "--port", str(port)]
    env = {**os.environ, **host.info["env"], **more}
    log = host.home / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", *options], cwd=ROOT, env=env, stdout=out, stderr=out
        )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(url) or process.poll() is not None, 60)
        assert process.poll() is None, log.read_text()[-500:]
        yield url
    finally:
        process.terminate()
        Thread(target=process.wait, args=(30,)).start()  # 2 s: who asked may ask again


def answers(url):
    """Tell whether something serves."""
    try:
        return requests.get(f"{url}/__/health", timeout=10).status_code > 0
    except requests.RequestException:  # it does not yet, or not in time
        return False


def state(host, account):
    """Give all that is stored of an account's projects, and how much there is of all else."""
    inside = host.inside
    projects = inside.projects(account.id)
    below = {path: inside.below(f"projects/{path}") for path in projects}
    audit = inside.store.query("audit", ("account_id", "==", account.id), order="at", limit=9999)[1]
    keys = inside.store.query("api_keys", order="account_id", limit=9999)[1]
    # Who was given a secret is on record: that is all that a request here leaves.
    told = [one.id for one in audit if one.fields["action"] != "codeengine.secret.read"]
    return projects, below, told, len(keys), inside.key_halves()


def masked(answer):
    """Give what two answers must have in common."""
    body = answer.json() if answer.content else None
    if isinstance(body, dict):
        body.pop("trace", None)
    kept = ("Content-Type", "Cache-Control", "ETag", "Allow")
    return answer.status_code, body, {name: answer.headers.get(name) for name in kept}


def filled(members, places):
    """Put ids into a call's members."""
    return {
        key: value.format(**places) if isinstance(value, str) else value
        for key, value in members.items()
    }


def alone(host, owner, places, name):
    """Call one function in every way, and give what it answered."""
    method, path, body, members, _ = ROWS[name]
    headers = {"Authorization": f"Bearer {owner.token}"}
    rest = path.format(**places)
    other = next(row[1].format(**places) for word, row in ROWS.items() if row[1] != path)
    with running(host, name) as url:
        by_name = requests.post(url, json=filled(members, places), headers=headers, timeout=30)
        by_rest = requests.request(method, url + rest, json=body, headers=headers, timeout=30)
        anonymous = requests.post(url, json=filled(members, places), timeout=30)
        probes = [
            requests.request(verb, url + place, headers=headers, timeout=30)
            for verb, place in (*PROBES, ("GET", other), ("PATCH", rest))
        ]
    return by_name, by_rest, anonymous, probes


@pytest.fixture(scope="module")
def runs(host, owner, places):
    """Every HTTP function's answers, each from a process of its own, two at a time."""
    before = state(host, owner)
    with ThreadPoolExecutor(2) as pool:
        names = list(ROWS)
        found = dict(
            zip(names, pool.map(lambda name: alone(host, owner, places, name), names), strict=True)
        )
    return found, before, state(host, owner)


@pytest.mark.parametrize("name", ROWS)
def test_alone(runs, owner, places, name):
    """A function alone answers by name and at its REST path, as the whole API does."""
    method, path, body, _, status = ROWS[name]
    by_name, by_rest, anonymous, _ = runs[0][name]
    whole = owner.call(method, path.format(**places), body)
    assert by_rest.status_code == status
    assert masked(by_name) == masked(by_rest) == masked(whole)
    assert anonymous.status_code == 401


@pytest.mark.parametrize("name", ROWS)
def test_probes(runs, name):
    """What is not the function's own method and path is refused, before anything runs."""
    probes = runs[0][name][3]
    assert [answer.status_code for answer in probes] == [404, 405, 404, 404, 404, 405]
    assert all(answer.headers["Content-Type"] == "application/json" for answer in probes)
    assert all(answer.json()["trace"] for answer in probes)


def test_nothing_changed(runs):
    """No probe, and nothing that was refused, left anything behind."""
    _, before, after = runs
    assert before == after


def test_issue_token_alone(host, owner):
    """The exchange alone takes a form at its path and JSON by name, and no probe."""
    form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": owner.apikey}
    with running(host, "issueToken") as url:
        for answer in (
            requests.post(f"{url}/identity/token", data=form, timeout=30),
            requests.post(url, json=form, timeout=30),
            requests.post(url, data=form, timeout=30),
        ):
            token = answer.json()["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            got = requests.get(f"{host.url}/v2/projects", headers=headers, timeout=30)
            assert got.status_code == 200
        assert requests.get(f"{url}/__/health", timeout=30).status_code == 404


def test_api_alone(host, owner, places):
    """The API alone serves every path but those of tokens and keys, and nothing at its root."""
    headers = {"Authorization": f"Bearer {owner.token}"}
    with running(host, "api") as url:
        for method, path, body, _, status in ROWS.values():
            where = url + path.format(**places)
            answer = requests.request(method, where, json=body, headers=headers, timeout=30)
            assert answer.status_code == (404 if path.startswith(SIGNS) else status)
        for path in ("", "/__/health", "/internal/accounts"):
            assert (
                requests.post(url + path, json={}, headers=headers, timeout=30).status_code == 404
            )


@pytest.mark.claim("E3", "who opens secrets issues no token, and who issues them opens no secret")
def test_identity_alone(host, owner, places):
    """The function of tokens and keys serves these, and no other path."""
    headers = {"Authorization": f"Bearer {owner.token}"}
    form = {"grant_type": GRANT, "apikey": owner.apikey}
    with running(host, "identity") as url:
        for method, path, body, _, status in ROWS.values():
            where = url + path.format(**places)
            answer = requests.request(method, where, json=body, headers=headers, timeout=30)
            assert answer.status_code == (status if path.startswith(SIGNS) else 404)
        assert requests.post(f"{url}/identity/token", data=form, timeout=30).status_code == 200
        made = requests.post(f"{url}/v1/apikeys", json={"name": "k"}, headers=headers, timeout=30)
        assert made.status_code == 201
        assert requests.get(url, headers=headers, timeout=30).status_code == 404
    with running(host, "api") as url:
        answer = requests.post(f"{url}/identity/token", data=form, timeout=30)
        assert answer.status_code == 404
        assert answer.json()["errors"][0]["code"] == "resource_not_found"
        for method in ("GET", "POST"):
            answer = requests.request(method, f"{url}/v1/apikeys", headers=headers, timeout=30)
            assert answer.status_code == 404


def test_create_account_alone(host, owner):
    """The account function alone makes an account that can be used; a probe makes none."""
    before = state(host, owner)
    with running(host, "createAccount") as url:
        for method, path in PROBES:
            assert requests.request(method, url + path, timeout=30).status_code in {404, 405}
        assert state(host, owner) == before
        made = requests.post(url, json={}, timeout=30)
    assert made.status_code == 201
    form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": made.json()["apikey"]}
    assert requests.post(f"{host.url}/identity/token", data=form, timeout=30).status_code == 200


def test_enforce_retention_alone(host, owner):
    """The schedule's function alone runs at POST /, only nudges at POST /wake, and nowhere else."""
    doomed = owner.project()
    owner.delete(doomed)
    host.hold()
    try:
        host.set_clock(8 * 24 * 3600)
        with running(host, "enforceRetention") as url:
            for method, path in (*PROBES, ("PUT", "/"), ("GET", "/wake"), ("POST", "/x")):
                assert requests.request(method, url + path, timeout=30).status_code == 404
            woken = requests.post(f"{url}/wake", data=b"\xff{", headers=FORM, timeout=30)
            assert (woken.status_code, woken.json()["failed"]) == (200, 0)
            assert owner.status(doomed) == "soft_deleted"
            done = requests.post(url, data=b"\xff{", headers=FORM, timeout=30)
            assert done.status_code == 200
            assert done.json()["expired"] >= 1
            assert owner.status(doomed) == "hard_deleting"
    finally:
        host.set_clock(0)
        host.release()
    owner.gone(doomed)


def test_on_project_written_alone(host, owner):
    """An event is a hint: a forged one of an active project changes nothing, nor does rubbish."""
    project = owner.project()
    owner.secret(project, "s", {"k": "v"})
    host.quiet()
    before = state(host, owner)
    path = f"projects/{project['id']}"
    forged = DocumentEventData()
    fields = before[0][project["id"]] | {"status": "hard_deleting", "shredded_at": None}
    encode(fields, forged.value.fields)
    body = forged.SerializeToString()
    head = {
        "ce-id": "1",
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.firestore.document.v1.written",
        "ce-source": "//firestore.googleapis.com/projects/demo/databases/(default)",
        "ce-document": path,
        "Content-Type": "application/protobuf",
    }
    with running(host, "onProjectWritten") as url:
        for data in (body, base64.b64encode(body)):
            assert requests.post(url, data=data, headers=head, timeout=30).status_code == 200
        for document in ("projects/none", "projects/../x", f"{path}/secrets/s", f"x/{path}"):
            odd = head | {"ce-document": document}
            assert requests.post(url, data=body, headers=odd, timeout=30).status_code == 200
        for headers, data in (
            ({}, body),
            (head | {"ce-type": ""}, b""),
            ({k: v for k, v in head.items() if k != "ce-document"}, body),
            (head, b"\xff\xff"),
            (head, b"rubbish"),
            ({"Content-Type": "application/json"}, b"{}"),
        ):
            answer = requests.post(url, data=data, headers=headers, timeout=30)
            assert 400 <= answer.status_code < 600
        assert requests.get(f"{url}/__/health", timeout=30).status_code in {200, 404, 405}
        assert state(host, owner) == before
    assert owner.status(project) == "active"
