"""What the benchmark measures of kinds: creates, a list of 100 secrets, and the checks alone."""

import statistics
import time

from shared.api import operations
from shared.kinds import KINDS
from tests.support import Host, told
from tests.support.kinds import BY_KIND

CREATES, LISTS, CHECKS = 40, 60, 300


def timed(act, *given) -> tuple[float, object]:
    """Give the seconds that a call took, and its answer."""
    began = time.perf_counter()
    answer = act(*given)
    return time.perf_counter() - began, answer


def show(name: str, spent: list[float]) -> None:
    """Print one line: requests/s of one client, and p50."""
    rate = len(spent) / sum(spent)
    print(f"{name:32}{rate:9.0f}{statistics.median(spent) * 1e3:9.2f}")


def creates(host: Host) -> None:
    """Print what a create of each kind costs one client; each is deleted again, unmeasured."""
    account = host.account()
    project = account.project()
    home = f"/v2/projects/{project['id']}"
    print(f"\n{'one client':32}{'req/s':>9}{'p50 ms':>9}")
    for kind in KINDS:
        spent = []
        for number in range(100, 100 + CREATES):
            body = BY_KIND[kind].body(number, BY_KIND[kind].least)
            seconds, answer = timed(account.call, "POST", f"{home}/{kind.collection}", body)
            assert answer.status_code == kind.created, told.told(answer)
            spent.append(seconds)
            key = answer.json()[kind.key]
            assert account.call("DELETE", f"{home}/{kind.collection}/{key}").status_code == 202
        show(f"create_{kind.noun}", spent)
    for number in range(100):
        account.secret(project, f"s{number}", {"k": "v" * 1024})
    spent = []
    for _ in range(LISTS):
        seconds, answer = timed(account.call, "GET", f"{home}/secrets")
        assert len(told.body(answer, 200)["secrets"]) == 100
        spent.append(seconds)
    show("list_secrets, 100 of them", spent)


def checks() -> None:
    """Print the CPU time that the checks of a body take: the schema, and the rules of the kind."""
    print(f"\n{'checks of a full body':32}{'CPU us':>9}")
    for kind in KINDS:
        operation = operations()[f"create_{kind.noun}"]
        body = BY_KIND[kind].body(1, BY_KIND[kind].full)
        given = {"project_id": "4e49b3e0-27a8-48d2-a784-c7ee48bb863b"}
        operation.checked(given, body, 0)  # compiles the validators
        spent = []
        for _ in range(CHECKS):
            began = time.thread_time()
            operation.checked(given, body, 0)
            spent.append(time.thread_time() - began)
        print(f"{operation.id:32}{statistics.median(spent) * 1e6:9.0f}")


def measure(host: Host) -> None:
    """Measure all of it."""
    creates(host)
    checks()
