"""Who reaches what every kind holds, and when: accounts, roles, and the project's states."""

import re

import pytest
import requests

from shared.kinds import KINDS
from tests.support import WEEK, answers
from tests.support.kinds import Home, called, refused, requests_of

every_kind = pytest.mark.parametrize("kind", KINDS, ids=called)
NOWHERE = "00000000-0000-4000-8000-000000000000"
TRACE = re.compile(rb"codeengine-api-[0-9a-f]{32}")


@pytest.fixture(scope="module")
def village(host):
    """A project with one of every kind, their answers, and those of its apps' revisions."""
    host.set_clock(0)
    home = Home(host.account())
    return home, home.village()


def send(account, project, asked):
    """Send one of a kind's requests on a project."""
    path, headers = asked.at(project), asked.headers
    return answers.check(account.call(asked.method, path, asked.body, headers=headers))


def all_of(made):
    """Give every request on what was made."""
    return [
        (operation, asked)
        for kind in KINDS
        for operation, asked in requests_of(kind, made[kind][kind.key]).items()
    ]


def seen(answer):
    """Give all that a caller sees of an answer but its trace and its hour."""
    apart = {"Date", "X-Global-Transaction-ID"}
    headers = {name: value for name, value in answer.headers.items() if name not in apart}
    return answer.status_code, TRACE.sub(b"TRACE", answer.content), headers


# Roles, and which of the three verbs they allow.
ROLES = {
    ("viewer",): set(),
    ("administrator",): set(),
    ("editor", "operator"): set(),
    ("auditor",): {"list"},
    ("viewer", "reader"): {"list", "view"},
    ("reader",): {"list", "view"},
    ("writer",): {"list", "view", "manage"},
    ("manager",): {"list", "view", "manage"},
}


@pytest.fixture(scope="module")
def staff(village):
    """A caller of the village's account for each set of roles."""
    home, _ = village
    return {roles: home.host.account(*roles, account_id=home.account.id) for roles in ROLES}


@every_kind
def test_roles(village, staff, kind, subtests):
    """A role reads, writes, or neither; who may read sees what the owner sees."""
    for roles in ROLES:
        with subtests.test("+".join(roles)):
            allowed(village, staff, kind, roles)


def allowed(village, staff, kind, roles):
    """Ask for everything with roles, and hold it against what they allow."""
    home, made = village
    caller = home.seen_by(staff[roles])
    before = home.stored()
    for asked in requests_of(kind, made[kind][kind.key]).values():
        if asked.verb in ROLES[roles] and asked.verb == "manage":
            continue  # tried below, where it may change things
        answer = send(caller.account, home.project["id"], asked)
        if asked.verb in ROLES[roles]:
            own = send(home.account, home.project["id"], asked)
            assert (answer.status_code, answer.content) == (200, own.content)
        else:
            (entry,) = refused(answer, 403, "forbidden")
            assert entry["message"] == f"Your roles do not include `entity.{asked.verb}`."
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
        for asked in requests_of(kind, made[kind][kind.key]).values():
            for sent in ({}, {"Authorization": "Bearer x.y.z"}):
                url = home.host.url + asked.at(project)
                headers = asked.headers | sent
                answer = requests.request(
                    asked.method, url, json=asked.body, headers=headers, timeout=30
                )
                refused(answers.check(answer), 401, "unauthorized")
                assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert home.stored() == before


def whole(home, made):
    """Give all that the project answers: each one, each list, and what apps have below."""
    return {
        operation: send(home.account, home.project["id"], asked).content
        for operation, asked in all_of(made)
        if asked.verb != "manage"
    }


def refused_in_every_way(home, made):
    """Require that a project that is not active refuses every operation on what it holds."""
    for _, asked in all_of(made):
        answer = send(home.account, home.project["id"], asked)
        (entry,) = refused(answer, 409, "project_not_active")
        assert entry["message"].startswith("Project is not yet active")


@pytest.mark.slow
def test_deleted_restored_destroyed(host):
    """Deleted, a project refuses all; restored, it is what it was; destroyed, it never was."""
    host.set_clock(0)
    home = Home(host.account())
    made = home.village()
    home.made(next(kind for kind in KINDS if kind.binds), "full", number=7)
    before, stored = whole(home, made), home.stored()
    assert len(before) == 3 * len(KINDS) + 5  # of apps' revisions 3, of a secret's keys 2

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
    for _, asked in all_of(made):
        gone = send(home.account, home.project["id"], asked)
        assert seen(gone) == seen(send(home.account, NOWHERE, asked))
        refused(gone, 404, "resource_not_found")


@pytest.mark.slow
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
