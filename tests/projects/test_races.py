"""Many at once: the cap, the names, and slots that agree with projects at the end."""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import pytest
import requests

from shared import projects
from shared.errors import Error
from tests.functions.test_functions import running
from tests.support import call, until

CAP = 20


def all_at_once(count, act):
    """Run `act` for 0..count-1 in as many threads, and give the answers."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(act, range(count)))


def settled(ask):
    """Give the answer that is not 503: on a slow machine many at once may be told to come again."""
    for _ in range(20):
        answer = ask()
        if answer.status_code != 503:
            return answer
        time.sleep(float(answer.headers["Retry-After"]))
    return answer


def agree(host, account):
    """Tell whether slots and projects are the same set with the same names."""
    held = {id_: project["name"] for id_, project in host.inside.projects(account.id).items()}
    return held == host.inside.slots(account.id)


@pytest.mark.claim("I1", "sixty creates at once fill exactly twenty slots")
def test_sixty_creates_fill_exactly_twenty_slots(account, host):
    """The rest are refused, and told which projects hold the slots and until when."""
    warm = account.token  # one token for all
    assert warm
    create = lambda n: account.call("POST", "/v2/projects", {"name": f"p{n}"})  # noqa: E731
    answers = all_at_once(60, lambda n: settled(lambda: create(n)))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {202: CAP, 403: 60 - CAP}
    made = {answer.json()["name"] for answer in answers if answer.status_code == 202}
    for answer in answers:
        if answer.status_code == 403:
            error = answer.json()["errors"][0]
            assert error["code"] == "quota_exceeded"
            assert all(f"`{name}` (active" in error["message"] for name in made)
    assert len(host.inside.slots(account.id)) == CAP
    assert agree(host, account)
    halves = host.inside.key_halves()
    assert set(host.inside.slots(account.id)) <= halves


def of_one_name(urls, account):
    """Ask for 60 projects of one name at once, over these functions in turn; count the statuses."""
    headers = {"Authorization": f"Bearer {account.token}"}
    ask = lambda n: requests.post(  # noqa: E731
        urls[n % len(urls)], json={"name": "same"}, headers=headers, timeout=60
    )
    return Counter(
        answer.status_code for answer in all_at_once(60, lambda n: settled(partial(ask, n)))
    )


@pytest.mark.claim("F58", "60 creates of one name at once make one key half in a process")
def test_sixty_creates_of_one_name(account, host):
    """One at a time: the others find the name taken before they make anything."""
    before = host.inside.key_halves()
    assert of_one_name([f"{host.functions}/createProject"], account) == {202: 1, 409: 59}
    assert host.inside.key_halves() - before == set(host.inside.slots(account.id))


@pytest.mark.slow
@pytest.mark.claim("F58", "over three processes they make three at most; the rest go after an hour")
def test_sixty_creates_over_three_processes(account, host, record_property):
    """One of each process can be overtaken; what it made for nothing is the schedule's."""
    before = host.inside.key_halves()
    with ExitStack() as last:
        each = [last.enter_context(running(host, "createProject", THREADS="64")) for _ in "abc"]
        assert of_one_name(each, account) == {202: 1, 409: 59}
    made = host.inside.key_halves() - before
    record_property("said", f"{len(made)} halves")
    assert set(host.inside.slots(account.id)) <= made
    assert len(made) <= 3
    host.set_clock(3601)
    host.enforce()
    assert host.inside.key_halves() - before == set(host.inside.slots(account.id))


@pytest.mark.claim("D3", "a full region is told what holds its slots; destroying one frees it")
def test_the_refusal_says_when_each_slot_frees_itself(account, host):
    """A soft-deleted project holds its slot, and its deadline is in the message."""
    made = [account.project(f"p{number}") for number in range(CAP)]
    account.delete(made[3])
    refused = account.call("POST", "/v2/projects", {"name": "one-more"})
    assert refused.status_code == 403
    deadline = host.inside.document(f"projects/{made[3]['id']}")["purge_at"]
    said = f"`p3` (soft deleted, until {deadline.strftime('%Y-%m-%dT%H:%M:%SZ')})"
    assert said in refused.json()["errors"][0]["message"]
    assert account.action(made[3], "reclaim").status_code == 200
    account.gone(made[3])
    assert account.call("POST", "/v2/projects", {"name": "one-more"}).status_code == 202


def test_the_cap_can_be_set_for_a_local_host(app):
    """A deployment may allow more or fewer projects."""
    small = replace(app, settings=replace(app.settings, projects_per_region=1))
    projects.create(small, call(body={"name": "p"}))
    with pytest.raises(Error, match="All 1 project slots"):
        projects.create(small, call(body={"name": "q"}))


@pytest.mark.claim("I4", "of two creates of one name one wins")
def test_of_two_creates_of_one_name_one_wins(account, host):
    """Ten rounds of four creates of one name: one project each, and no stray slot."""
    for number in range(10):
        create = lambda n=number: account.call("POST", "/v2/projects", {"name": f"n{n}"})  # noqa: E731
        answers = all_at_once(4, lambda _, create=create: settled(create))
        assert Counter(answer.status_code for answer in answers) == {202: 1, 409: 3}
    assert len(host.inside.slots(account.id)) == 10
    assert agree(host, account)


@pytest.mark.claim("I4", "a name is taken until its project is destroyed, then free")
def test_a_soft_deleted_name_is_taken_until_permanent_deletion(account):
    """The name comes back with the slot, and not before."""
    project = account.project("mine")
    account.delete(project)
    refused = account.call("POST", "/v2/projects", {"name": "mine"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "name_taken")
    assert account.action(project, "reclaim").status_code == 200
    account.gone(project)
    assert account.project("mine")["id"] != project["id"]


def test_names_and_caps_are_per_account(account, host):
    """Another account's projects take neither names nor slots."""
    other = host.account()
    account.project("mine")
    other.project("mine")
    assert len(host.inside.slots(account.id)) == len(host.inside.slots(other.id)) == 1


@pytest.mark.claim("I14", "of a restore and a reclaim at once one wins, whole")
def test_restore_and_reclaim_at_once_one_wins(account):
    """Whichever comes first; the other is refused, and the project is whole or gone."""
    for _ in range(5):
        project = account.project()
        secret = account.secret(project, "s", {"k": "v"})
        account.delete(project)
        reclamation = account.reclamation(project)
        restored, reclaimed = all_at_once(
            2, lambda n, r=reclamation: account.act(r, ("restore", "reclaim")[n])
        )
        done, refused = sorted((restored.status_code, reclaimed.status_code))
        assert (done, refused in (404, 409)) == (200, True)  # 404: it is gone already
        if reclaimed.status_code == 200:
            account.gone(project)
        else:
            path = f"/v2/projects/{project['id']}/secrets/s"
            assert account.got(path) == secret


@pytest.mark.claim("I8", "secrets written while the project is deleted are whole or refused")
def test_secrets_written_while_the_project_is_deleted(account, host):
    """Each write is in the project when it is restored, or was refused; nothing is lost."""
    project = account.project()
    body = {"format": "generic", "data": {"k": "v"}}
    path = f"/v2/projects/{project['id']}/secrets"

    def act(number):
        if number == 5:
            return account.call("DELETE", f"/v2/projects/{project['id']}")
        return settled(lambda: account.call("POST", path, {**body, "name": f"s{number}"}))

    answers = all_at_once(12, act)
    written = {f"s{n}" for n, a in enumerate(answers) if n != 5 and a.status_code == 201}
    refused = [a for n, a in enumerate(answers) if n != 5 and a.status_code != 201]
    assert all(answer.json()["errors"][0]["code"] == "project_not_active" for answer in refused)
    assert account.action(project, "restore").status_code == 200
    assert {entry["name"] for entry in account.got(path)["secrets"]} == written
    usage = host.inside.document(f"projects/{project['id']}/usage/secrets") or {"count": 0}
    assert usage["count"] == len(written)


@pytest.mark.slow
@pytest.mark.claim("I2", "after half a minute of everything at once the count of slots is exact")
def test_thirty_seconds_of_everything(account, host):
    """Eight threads create, delete, restore and reclaim at random; then all agree."""
    end = time.monotonic() + 30
    outcomes = Counter()
    wanted = {"create": 202, "delete": 202, "restore": 200, "reclaim": 200}

    def enough():  # on a slow machine half a minute is not
        now = time.monotonic()
        return now > end and (now > end + 120 or all(outcomes[w] > 10 for w in wanted.items()))

    def act(number):
        choose = random.Random(number)
        known = []
        while not enough():
            verb = choose.choice(("create", "create", "delete", "restore", "reclaim"))
            if verb == "create" or not known:
                name = f"n{choose.randrange(40)}"
                answer = account.call("POST", "/v2/projects", {"name": name})
                if answer.status_code == 202:
                    known.append(answer.json())
            elif verb == "delete":
                answer = account.call("DELETE", f"/v2/projects/{choose.choice(known)['id']}")
            else:
                answer = account.action(choose.choice(known), verb)
            outcomes[verb, answer.status_code] += 1
            known[:] = known[-6:]

    all_at_once(8, act)
    assert {status for _, status in outcomes} <= {200, 202, 403, 404, 409, 429, 503}, outcomes
    for success in wanted.items():
        assert outcomes[success] > 10, outcomes
    host.quiet()
    until(lambda: agree(host, account))
    until(lambda: not _being_destroyed(host, account))
    assert agree(host, account)
    assert len(host.inside.slots(account.id)) <= CAP
    names = [project["name"] for project in host.inside.projects(account.id).values()]
    assert len(names) == len(set(names))
    live = {p for p, half in _halves(host, account).items() if half}
    assert live == set(host.inside.projects(account.id))


def _being_destroyed(host, account):
    found = host.inside.projects(account.id).values()
    return [project for project in found if project["status"] == "hard_deleting"]


def _halves(host, account):
    """Give for each project the account ever stored whether its key half exists."""
    halves = host.inside.key_halves()
    ever = set(host.inside.projects(account.id))
    ever |= {
        entry["project_id"]
        for path, entry in host.inside.everything().items()
        if path.startswith("audit/") and entry["account_id"] == account.id
    }
    return {project: project in halves for project in ever}
