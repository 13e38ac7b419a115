"""Schemathesis over the whole of openapi.yaml, against a host of its own: `make fuzz`.

Rounds of some minutes, each with accounts and seeds of its own, over the REST paths and, beside
that, over the functions by name. All phases and all checks; exceptions stand in
tools/schemathesis.toml, each with its reason. Exits with 1 if any check failed.
tests/contract/test_fuzz.py runs a short one.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.support import Host, stand_alone, told
from tests.support.kinds import EXAMPLES
from tools.fuzz_document import by_name

ROOT = Path(__file__).parents[1]

CAP = "1000"  # projects of the account: a round makes hundreds
ROUND, SHORT = 300, 20  # seconds: of a round, and what is too short for one
GRACE = 240  # seconds a round may take beyond its time: the phases before fuzzing take theirs


@dataclass(frozen=True)
class Outcome:
    """How a run ended: schemathesis' exit code, all it printed, and how often which answer came."""

    code: int
    said: str
    tally: dict[str, int]  # "operation status" -> answers
    operations: set[str]

    @property
    def never(self):
        """The operations that were never answered with success."""
        done = {name for name, status in map(str.split, self.tally) if status.startswith("2")}
        return sorted(self.operations - done)

    @property
    def share(self):
        """The share of all requests that were answered with success."""
        done = sum(many for key, many in self.tally.items() if key.split()[1].startswith("2"))
        return done / sum(self.tally.values())


@contextmanager
def hosting(home):
    """Run a host whose accounts may have many projects."""
    host = Host(home, "--firestore-port", "0", "--hub-port", "0")
    try:
        yield host.start(CE_PROJECTS_PER_REGION=CAP, CE_CREATE_RATE="0")
    finally:
        host.stop()


def furnish(owner, home):
    """Put two of each kind into a project; give their places, as (project, collection, key)."""
    for number, example in enumerate(EXAMPLES * 2):
        kind = example.kind
        body = example.body(number, example.least)
        answer = owner.call("POST", f"/v2/projects/{home}/{kind.collection}", body)
        assert answer.status_code == kind.created, answer.text
        yield home, kind.collection, answer.json()[kind.key]


def ended(host, owner):
    """Destroy a project, and have the log take in its end; give its id."""
    project = owner.project("gone")
    owner.destroy(project)
    owner.gone(project)
    host.hub("POST", "/schedules/sealAudit/run")
    return project["id"]


def plan(host, folder):
    """Write what a run needs into a folder: the accounts, and what the first of them has."""
    owner, stranger = host.account(), host.account()
    homes = [owner.project(f"home-{number}")["id"] for number in range(2)]
    users = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {token}"}]}
        for name, token in (("owner", owner.token), ("stranger", stranger.token))
    ]
    told = {
        "url": host.url,
        "token": owner.token,
        "apikey": owner.apikey,
        "key": owner.got("/v1/apikeys")["apikeys"][0]["id"],
        "homes": homes,
        "gone": ended(host, owner),
        "held": [place for home in homes for place in furnish(owner, home)],
        "tally": str(folder / "tally.json"),
    }
    (folder / "accounts.json").write_text(json.dumps({"auth": users}))
    (folder / "plan.json").write_text(json.dumps(told))


def document(host, folder, named):
    """Write the document of a run into its folder; give the ids of its operations."""
    api = told.body(requests.get(f"{host.url}/openapi.json", timeout=60), 200)
    if named:
        api = by_name(api, f"/{host.info['env']['GOOGLE_CLOUD_PROJECT']}/us-central1")
    (folder / "api.json").write_text(json.dumps(api))
    items = (spec for item in api["paths"].values() for spec in item.values())
    return {spec["operationId"] for spec in items if isinstance(spec, dict)}


def run(host, folder, *options, named=False, seconds=600):
    """Run schemathesis, over the REST paths or the functions by name; give the outcome."""
    folder.mkdir(parents=True)
    plan(host, folder)
    operations = document(host, folder, named)
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    env |= {
        "FUZZ_URL": host.functions if named else host.url,
        "FUZZ_ACCOUNTS": str(folder / "accounts.json"),
        "REPRIEVE_FUZZ": str(folder / "plan.json"),
        "PYTHONPATH": str(ROOT),
    }
    program = Path(sys.executable).with_name("schemathesis")
    config = ROOT / "tools" / "schemathesis.toml"
    done = subprocess.run(
        [program, f"--config-file={config}", "run", "api.json", "--checks=all", *options],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    tally = json.loads((folder / "tally.json").read_text())
    return Outcome(done.returncode, done.stdout, tally, operations)


def fuzz(host, folder, seed, named, seconds):
    """Run all phases for some seconds, and say how it went; give whether it went well."""
    options = (f"--max-time={seconds}", f"--seed={seed}")
    what = f"{'by name' if named else 'REST'}, seed {seed}:"
    try:
        done = run(host, folder, *options, named=named, seconds=seconds + GRACE)
    except subprocess.TimeoutExpired:
        print(what, "did not end in time", flush=True)
        return False
    print(
        f"{what} {sum(done.tally.values())} requests, {done.share:.0%} answered with success;",
        f"never so: {' '.join(done.never) or 'none'}{done.said if done.code else ''}",
        flush=True,
    )
    return done.code == 0


def rounds(host, home, minutes, seed):
    """Run rounds until the time is up, each in two processes; give whether all went well."""
    end, number, well = time.monotonic() + minutes * 60, 0, True
    chance = random.Random(seed)
    with ThreadPoolExecutor() as pool:
        while (left := int(end - time.monotonic())) > SHORT or not number:
            seconds, number = min(ROUND, max(left, SHORT)), number + 1
            going = [
                pool.submit(
                    fuzz, host, home / f"{number}-{named}", chance.randrange(2**32), named, seconds
                )
                for named in (False, True)
            ]
            well = all(each.result() for each in going) and well
    return well


def main():
    """Fuzz for some minutes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()
    stand_alone()
    print(f"seed {options.seed}, {options.minutes:g} minutes", flush=True)
    with tempfile.TemporaryDirectory() as folder, hosting(Path(folder) / "host") as host:
        well = rounds(host, Path(folder), options.minutes, options.seed)
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
