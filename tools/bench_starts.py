"""What the benchmark measures of starts: a function's first answer, imports, the command line."""

import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

from tests.support import ROOT, Host

ROUNDS, STARTS = 5, 10  # of a function, of a command


def cold_start(host: Host, folder: Path) -> None:
    """Print the time from process start to first answer, beside a hello-world's."""
    hello = folder / "main.py"
    hello.write_text(
        "import functions_framework\nimport google.cloud.firestore\n\n"
        "@functions_framework.http\ndef hello(request):\n    return 'hello'\n"
    )
    account = host.account()
    project = account.project()
    rows: dict[str, list[float]] = {"getProject": [], "hello + firestore": []}
    for _ in range(ROUNDS):
        body = json.dumps({"id": project["id"]})
        rows["getProject"].append(
            _first(host, "getProject", ROOT / "functions" / "main.py", account.token, body)
        )
        rows["hello + firestore"].append(_first(host, "hello", hello, account.token, body))
    medians = {name: statistics.median(times) for name, times in rows.items()}
    print(f"\n{'cold start':24}{'s to first answer':>18}")
    for name, seconds in medians.items():
        print(f"{name:24}{seconds:18.2f}")
    print(f"{'ratio':24}{medians['getProject'] / medians['hello + firestore']:18.2f}")


def _first(host: Host, target: str, source: Path, token: str, body: str) -> float:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    framework = str(Path(sys.executable).with_name("functions-framework"))
    command = [
        framework,
        "--target",
        target,
        "--source",
        str(source),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    env = {**os.environ, **host.info["env"]}
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            assert time.perf_counter() - began < 60, "it never answered"
            try:
                connection = HTTPConnection("127.0.0.1", port, timeout=30)
                headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
                connection.request("POST", "/", body, headers)
                assert connection.getresponse().status == 200
                return time.perf_counter() - began
            except ConnectionError:
                time.sleep(0.01)
    finally:
        process.terminate()
        process.wait(30)


def imports() -> None:
    """Print the CPU time of importing functions.main, beside what it cannot do without."""
    needs = "import functions_framework, google.cloud.firestore_v1"
    rows = {
        "functions.main": "import functions.main",
        "framework + firestore": needs,
        "nothing": "",
    }
    times: dict[str, list[float]] = {name: [] for name in rows}
    clock = "import time; print(time.process_time())"
    for _ in range(ROUNDS):
        for name, text in rows.items():
            ran = subprocess.run(
                [sys.executable, "-c", f"{text}\n{clock}"],
                capture_output=True,
                check=True,
                cwd=ROOT,
            )
            times[name].append(float(ran.stdout))
    print(f"\n{'import':24}{'CPU ms':>14}")
    for name, spent in times.items():
        print(f"{name:24}{statistics.median(spent) * 1e3:14.0f}")


def command_line() -> None:
    """Print the CPU time of `ce`, with nothing of ours and with nothing at all beside it."""
    rows = {
        "ce --help": ("-m", "ce", "--help"),
        "ce help secret create": ("-m", "ce", "help", "secret", "create"),
        "click": ("-c", "import click"),
        "nothing": ("-c", ""),
    }
    times: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(STARTS):
        for name, words in rows.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, *words], capture_output=True, check=True, cwd=ROOT)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            times[name].append(spent)
    print(f"\n{'start of a command':24}{'CPU ms':>14}")
    for name, spent in times.items():
        print(f"{name:24}{statistics.median(spent) * 1e3:14.0f}")
