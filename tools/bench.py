"""Measures Reprieve beside what it could at best be, in one run of interleaved rounds.

Medians over the rounds, and ratios to a bare function in the same host that makes the same
Firestore round trips. A figure of one run on one machine; only the ratios travel.
"""

import json
import shutil
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import replace
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import functions_framework
import yaml

from shared import projects, resources
from shared.kinds import SECRETS
from shared.store import Store
from tests.support import ROOT, Host, call, stand_alone, wired
from tools import bench_kinds, bench_starts

ROUNDS, SECONDS, CLIENTS = 5, 1.5, (1, 8, 32)
VALUE = "v" * 1024
PAIRS = {"putSecret": "barePut", "getSecret": "bareGet", "listProjects": "bareList"}
BARE = ("hello", *PAIRS.values())


def copy_with_yardsticks(root: Path) -> None:
    """Lay out a repository that has the yardsticks beside the real functions."""
    functions = root / "functions"
    for name in ("functions", "shared"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("venv", "__py*"))
    for name in ("firebase.json", "firestore.rules"):
        shutil.copy(ROOT / name, root)
    (functions / "main.py").rename(functions / "real_main.py")
    shutil.copy(ROOT / "tools" / "bench_functions.py", functions / "main.py")
    manifest = yaml.safe_load((ROOT / "functions" / "functions.yaml").read_text())
    for name in BARE:
        manifest["endpoints"][name] = manifest["endpoints"]["api"] | {"entryPoint": name}
    (functions / "functions.yaml").write_text(yaml.safe_dump(manifest))


def load(address: str, name: str, token: str, body: dict, clients: int) -> list[float]:
    """Call a function from so many clients at once; give the seconds each call took."""
    spent: list[list[float]] = [[] for _ in range(clients)]
    end = time.perf_counter() + SECONDS
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def act(number: int) -> None:
        connection = HTTPConnection(address)
        text = json.dumps(body | ({"name": f"s{number}"} if "name" in body else {}))
        while (began := time.perf_counter()) < end:
            connection.request("POST", f"/{name}", text, headers)
            answer = connection.getresponse()
            answer.read()
            spent[number].append(time.perf_counter() - began)
            assert answer.status == 200, f"{name} answered {answer.status}"

    threads = [threading.Thread(target=act, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(second for one in spent for second in one)


def throughput(host: Host) -> None:
    """Print requests/s, p50 and p99 of each function and its yardstick."""
    account = host.account()
    project = account.project()
    for number in range(max(CLIENTS)):
        account.secret(project, f"s{number}", {"k": VALUE})
    on = {"project_id": project["id"], "name": "s"}
    put = {**on, "format": "generic", "data": {"k": VALUE}, "if_match": "*"}
    bodies = {
        "hello": {},
        "putSecret": put,
        "barePut": put,
        "getSecret": on,
        "bareGet": on,
        "listSecrets": {"project_id": project["id"]},
        "listProjects": {},
        "bareList": {"account": account.id},
    }
    address = host.functions.removeprefix("http://")
    measured: dict[tuple[str, int], list[tuple[float, float, float]]] = defaultdict(list)
    for _ in range(ROUNDS):
        for clients in CLIENTS:
            for name, body in bodies.items():
                spent = load(address, name, account.token, body, clients)
                rate = len(spent) / SECONDS
                tail = spent[int(len(spent) * 0.99)]
                measured[name, clients].append((rate, statistics.median(spent), tail))
    medians = {
        key: tuple(statistics.median(column) for column in zip(*rows, strict=True))
        for key, rows in measured.items()
    }
    heads = ("clients", "req/s", "p50 ms", "p99 ms", "x bare", "x hello")
    print(f"\n{'function':14}" + "".join(f"{head:>9}" for head in heads))
    for clients in CLIENTS:
        for name in bodies:
            rate, p50, p99 = medians[name, clients]
            bare = medians.get((PAIRS.get(name, ""), clients))
            ratio = f"{rate / bare[0]:9.2f}" if bare else " " * 9
            hello = rate / medians["hello", clients][0]
            times = f"{p50 * 1e3:9.2f}{p99 * 1e3:9.2f}"
            print(f"{name:14}{clients:9}{rate:9.0f}{times}{ratio}{hello:9.2f}")


class Drained(list):
    """The answers of a stream, all read; the store may still cancel it."""

    def cancel(self) -> bool:
        """Say that there is nothing left to stop, as the client does."""
        return False


class Metered:
    """Firestore's client, with the CPU time spent in it taken apart."""

    def __init__(self, api) -> None:
        self.api, self.spent = api, 0.0

    def __getattr__(self, name):
        target = getattr(self.api, name)

        def metered(*args, **kwargs):
            began = time.thread_time()
            answer = target(*args, **kwargs)
            answer = Drained(answer) if name in ("batch_get_documents", "run_query") else answer
            self.spent += time.thread_time() - began
            return answer

        return metered


def own_cpu(host: Host, folder: Path) -> None:
    """Print the CPU time a request spends in our code: all of `serve`, less Firestore's client."""
    from shared.wire import answers, serving

    app = wired(host.info["firestore"], folder)
    meter = Metered(app.store._api)
    app = replace(app, store=Store(meter, app.store._database, app.store._jitter, token="owner"))
    serving.get_app = answers.get_app = lambda: app
    key = _key(app)
    asked = partial(call, key["account_id"], key=key["apikey"])
    project = projects.create(app, asked(body={"name": "p"})).body["id"]
    made = {"name": "s", "format": "generic", "data": {"k": VALUE}}
    resources.create(SECRETS, app, asked(body=made, project_id=project))
    token = _token(app, key)
    on = {"project_id": project, "name": "s"}
    bodies = {"putSecret": {**made, **on, "if_match": "*"}, "getSecret": on, "listProjects": {}}
    print(f"\n{'CPU in our own code':24}{'ms a request':>14}")
    for name, body in bodies.items():
        target = functions_framework.create_app(name, str(ROOT / "functions" / "main.py"))
        within = _serving(target, name, body, token)
        for _ in range(100):
            within()
        rows = []
        for _ in range(400):
            meter.spent = 0.0
            rows.append(within() - meter.spent)
        print(f"{name:24}{statistics.median(rows) * 1e3:14.3f}")


def _serving(target, name, body, token):
    """Give a call of a function that measures the thread's CPU time inside of `serve`."""
    from functions import main

    function = getattr(main, name)
    context = {"method": "POST", "json": body, "headers": {"Authorization": f"Bearer {token}"}}

    def measured() -> float:
        with target.test_request_context("/", **context) as made:
            began = time.thread_time()
            answer = function(made.request)
            spent = time.thread_time() - began
        assert answer.status_code == 200, answer.get_data()
        return spent

    return measured


def _key(app):
    from shared.access import api_keys

    return api_keys.create_account(app, call()).body


def _token(app, key):
    from shared import access

    return access.issue_token(app, call(body=key)).body["access_token"]


def main() -> None:
    """Measure everything."""
    stand_alone()
    bench_starts.command_line()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "root").mkdir()
        copy_with_yardsticks(home / "root")
        options = ("--firestore-port", "0", "--hub-port", "0", "--root", str(home / "root"))
        host = Host(home / "ce", *options).start()
        try:
            (home / "own").mkdir()
            throughput(host)
            bench_kinds.measure(host)
            own_cpu(host, home / "own")
            bench_starts.cold_start(host, home)
            bench_starts.imports()
        finally:
            host.stop()


if __name__ == "__main__":
    main()
