"""Who reaches what every kind holds, and when: accounts, roles, and the project's states."""

import re

import pytest
import requests

from shared.kinds import KINDS
from tests import answers
from tests.kinds_support import BY_KIND, MERGE, Home, called, filled, refused
from tests.support import WEEK

every_kind = pytest.mark.parametrize("kind", KINDS, ids=called)
NOWHERE = "00000000-0000-4000-8000-000000000000"
TRACE = re.compile(rb"codeengine-api-[0-9a-f]{32}")


@pytest.fixture(scope="module")
def village(host):
    """A project with one of every kind, their answers, and those of its apps' revisions."""
    host.set_clock(0)
    home = Home(host.account())
    return home, home.village()


@pytest.fixture(scope="module")
def stranger(host):
    """Another account, which may do everything in its own projects."""
    return host.account()


def operations(kind, key, number=99):
    """Give every operation of a kind: its verb, method, path below the project, body, headers."""
    example = BY_KIND[kind]
    one = f"/{kind.collection}/{key}"
    rows = [
        ("view", "GET", f"/{kind.collection}", None, {}),
        ("view", "GET", f"/{kind.collection}?limit=1&start=a", None, {}),
        ("view", "GET", one, None, {}),
        ("manage", "POST", f"/{kind.collection}", example.body(number, example.full), {}),
        ("manage", "DELETE", one, None, {}),
    ]
    if kind.update:
        headers = {"If-Match": "*"} | (MERGE if kind.update == "PATCH" else {})
        change = filled(example.change, number, "")
        rows.append(("manage", kind.update, one, change, headers))
    if kind.revised:
        rows += [
            ("view", "GET", f"{one}/revisions", None, {}),
            ("view", "GET", f"{one}/revisions/{key}-00001", None, {}),
            ("view", "GET", f"{one}/instances", None, {}),
            ("manage", "DELETE", f"{one}/revisions/{key}-00001", None, {}),
        ]
    return rows


def send(account, project, method, path, body, headers):
    """Send one of these requests on a project."""
    path = f"/v2/projects/{project}{path}"
    return answers.check(account.call(method, path, body, headers=headers))


def seen(answer):
    """Give all that a caller sees of an answer but its trace and its hour."""
    apart = {"Date", "X-Global-Transaction-ID"}
    headers = {name: value for name, value in answer.headers.items() if name not in apart}
    return answer.status_code, TRACE.sub(b"TRACE", answer.content), headers


@every_kind
def test_another_accounts_project(village, stranger, kind):
    """What another account holds cannot be told from what does not exist, byte by byte."""
    home, made = village
    before = home.stored()
    for _, *request in operations(kind, made[kind][kind.key]):
        theirs = send(stranger, home.project["id"], *request)
        nowhere = send(stranger, NOWHERE, *request)
        assert seen(theirs) == seen(nowhere)
        assert theirs.status_code == 404
        assert theirs.json()["errors"][0]["code"] == "resource_not_found"
    assert home.stored() == before


# Roles, and which of the two verbs they allow.
ROLES = {
    ("viewer",): set(),
    ("administrator",): set(),
    ("editor", "operator"): set(),
    ("viewer", "reader"): {"view"},
    ("reader",): {"view"},
    ("writer",): {"view", "manage"},
    ("manager",): {"view", "manage"},
}


@pytest.fixture(scope="module")
def staff(village):
    """A caller of the village's account for each set of roles."""
    home, _ = village
    return {roles: home.host.account(*roles, account_id=home.account.id) for roles in ROLES}


@every_kind
@pytest.mark.parametrize("roles", ROLES, ids="+".join)
def test_roles(village, staff, kind, roles):
    """A role reads, writes, or neither; who may read sees what the owner sees."""
    home, made = village
    caller = home.seen_by(staff[roles])
    before = home.stored()
    for verb, method, path, body, headers in operations(kind, made[kind][kind.key]):
        if verb in ROLES[roles] and verb == "manage":
            continue  # tried below, where it may change things
        answer = send(caller.account, home.project["id"], method, path, body, headers)
        if verb in ROLES[roles]:
            own = send(home.account, home.project["id"], method, path, body, headers)
            assert (answer.status_code, answer.content) == (200, own.content)
        else:
            (entry,) = refused(answer, 403, "forbidden")
            assert entry["message"] == f"Your roles do not include `entity.{verb}`."
    assert home.stored() == before
    if "manage" in ROLES[roles]:
        new = caller.made(kind, number=98)
        assert caller.delete(kind, new[kind.key]).status_code == 202


@every_kind
def test_without_a_token(village, kind):
    """Who has no token, or no good one, is told so and nothing else."""
    home, made = village
    before = home.stored()
    for project in (home.project["id"], NOWHERE):
        for _, method, path, body, headers in operations(kind, made[kind][kind.key]):
            for sent in ({}, {"Authorization": "Bearer x.y.z"}):
                url = f"{home.host.url}/v2/projects/{project}{path}"
                answer = requests.request(
                    method, url, json=body, headers=headers | sent, timeout=30
                )
                refused(answers.check(answer), 401, "unauthorized")
                assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert home.stored() == before


def whole(home, made):
    """Give all that the project answers: each one, each list, and what apps have below."""
    return {
        (kind.collection, path): send(
            home.account, home.project["id"], method, path, None, {}
        ).content
        for kind in KINDS
        for verb, method, path, _, _ in operations(kind, made[kind][kind.key])
        if verb == "view"
    }


def refused_in_every_way(home, made):
    """Require that a project that is not active refuses every operation on what it holds."""
    for kind in KINDS:
        for _, *request in operations(kind, made[kind][kind.key]):
            answer = send(home.account, home.project["id"], *request)
            (entry,) = refused(answer, 409, "project_not_active")
            assert entry["message"].startswith("Project is not yet active")


def test_deleted_restored_destroyed(host):
    """Deleted, a project refuses all; restored, it is what it was; destroyed, it never was."""
    host.set_clock(0)
    home = Home(host.account())
    made = home.village()
    home.made(next(kind for kind in KINDS if kind.binds), "full", number=7)
    before, stored = whole(home, made), home.stored()
    assert len(before) == 3 * len(KINDS) + 3

    home.account.delete(home.project)
    refused_in_every_way(home, made)
    assert home.stored() == stored
    assert home.account.action(home.project, "restore").status_code == 200
    assert whole(home, made) == before
    assert home.stored() == stored

    home.account.delete(home.project)
    host.hold()  # so that it stays in between
    try:
        assert home.account.action(home.project, "reclaim").status_code == 200
        refused_in_every_way(home, made)
    finally:
        host.release()
    home.account.gone(home.project)
    assert home.stored() == {}
    assert host.inside.document(f"projects/{home.project['id']}") is None
    for kind in KINDS:
        for _, *request in operations(kind, made[kind][kind.key]):
            gone = send(home.account, home.project["id"], *request)
            assert seen(gone) == seen(send(home.account, NOWHERE, *request))
            refused(gone, 404, "resource_not_found")


def test_expired(host):
    """A week after its deletion a project of every kind is destroyed without anyone acting."""
    host.set_clock(0)
    home = Home(host.account())
    home.village()
    home.account.delete(home.project)
    host.set_clock(WEEK)
    host.enforce()
    home.account.gone(home.project)
    host.set_clock(0)
    assert home.stored() == {}
