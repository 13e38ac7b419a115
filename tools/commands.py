"""Types command lines as people do, and says how many end as they should: `make commands`.

`commands.tsv` has a row a line: its rule, what is there before, what is typed, the exit code, a
pattern each for standard output and standard error, and what the API holds afterwards. They are
typed into a shell of their own, in a folder of their own, all to one host and one project; `$N` is
the row's own name. A value that nobody may see has `sesame` in it, and is looked for in what is
printed.

`--without` takes the code of each rule out, and says how many of its rows then fail: a rule of
which no row fails is one that no row holds.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from tests.support import ROOT, Account, Host, stand_alone, told
from tools.cuts import RULES, Cut

TABLE = Path(__file__).with_suffix(".tsv")
HIDDEN = "sesame"
SHELLS = 2  # at once
LIMIT = 60.0  # seconds that a row may take


class Row(NamedTuple):
    """A command line, and what comes of it."""

    id: str
    rule: str
    setup: str
    typed: str
    exit: str
    out: str  # a pattern; none asks for nothing
    err: str
    holds: str  # `PATH MEMBERS`, or `PATH absent`; more of them behind ` ;; `


def rows() -> list[Row]:
    """Read the table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        found = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Row(*row) for row in found][1:]


class Typist:
    """Types rows at a host, as one account with one project; `program` is where `ce` is found."""

    def __init__(self, host: Host, folder: Path, program: Path = Path(sys.executable).parent):
        self.account: Account = host.account()
        self.project = self.account.project()["id"]
        self.folder = folder
        self.env = {
            **os.environ,
            "PATH": f"{program}:{os.environ['PATH']}",
            "CE_HOME": str(folder / "ce"),
            "CODE_ENGINE_URL": f"{host.url}/v2",
            "CODE_ENGINE_AUTH_URL": host.url,
            "CODE_ENGINE_APIKEY": self.account.apikey,
        }
        folder.mkdir(parents=True)
        self._shell(f"ce project select --id {self.project} -q", {})

    def faults(self, row: Row) -> list[str]:
        """Type a row, and say what differs."""
        name = f"row-{row.id}"
        env = {"N": name}
        if row.setup and (made := self._shell(row.setup, env)).returncode:
            return [f"the set-up exits with {made.returncode}: {made.stderr}"]
        done = self._shell(row.typed, env)
        said = {"standard output": (row.out, done.stdout), "standard error": (row.err, done.stderr)}
        found = [
            f"{stream} is not as {pattern!r}: {text!r}"
            for stream, (pattern, text) in said.items()
            if not re.search(pattern, text)
        ]
        if str(done.returncode) != row.exit:
            found.insert(0, f"exits with {done.returncode}: {done.stderr}")
        if HIDDEN in done.stdout + done.stderr or "Traceback" in done.stderr:
            found.append("prints what nobody may see")
        return [*found, *self._differing(row.holds.replace("$N", name))]

    def _shell(self, line: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        folder = self.folder / env.get("N", ".")
        folder.mkdir(exist_ok=True)
        return subprocess.run(
            ["/bin/bash", "-c", line],
            cwd=folder,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LIMIT,
            check=False,
        )

    def _differing(self, holds: str) -> Iterator[str]:
        """Say what the API holds otherwise."""
        for one in filter(None, holds.split(" ;; ")):
            path, _, members = one.partition(" ")
            answer = self.account.call("GET", f"/v2/projects/{self.project}/{path}")
            if members == "absent":
                if answer.status_code != 404:
                    yield f"{path} is there"
                continue
            if answer.status_code != 200:
                yield f"{path} is not there"
                continue
            got: dict[str, Any] = told.body(answer, 200)
            for member, value in json.loads(members).items():
                if got.get(member) != value:
                    yield f"{path}: {member} is {got.get(member)!r}"


def failing(typist: Typist, chosen: Iterable[Row]) -> dict[str, list[str]]:
    """Type rows, and give what differs by the ids of those where something does."""
    chosen = list(chosen)
    with ThreadPoolExecutor(SHELLS) as pool:
        found = zip(chosen, pool.map(typist.faults, chosen), strict=True)
        return {row.id: faults for row, faults in found if faults}


def without(cut: Cut, folder: Path) -> Path:
    """Make a `ce` from which a piece is taken out; give the folder it is in."""
    for package in {"ce", cut.file.partition("/")[0]}:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    source = (folder / cut.file).read_text()
    if source.count(cut.text) != 1:
        raise ValueError(f"{cut.file} does not hold once: {cut.text}")
    (folder / cut.file).write_text(source.replace(cut.text, cut.instead))
    program = folder / "bin" / "ce"
    program.parent.mkdir()
    run = f'PYTHONPATH="{folder}" exec "{sys.executable}" -P -m ce "$@"'
    program.write_text(f"#!/bin/sh\n{run}\n")
    program.chmod(0o700)
    return program.parent


def held(host: Host, folder: Path, rule: str) -> Iterator[tuple[Cut, int, int]]:
    """Give for each cut of a rule how many of its rows fail, and how many there are."""
    chosen = [row for row in rows() if row.rule == rule]
    for number, cut in enumerate(RULES[rule]):
        place = folder / f"{rule.replace(' ', '-')}-{number}"
        typist = Typist(host, place / "here", without(cut, place / "cut"))
        yield cut, len(failing(typist, chosen)), len(chosen)


def main() -> None:
    """Type every row; with `--without`, look what holds when a rule is taken out."""
    stand_alone()
    table, bad = rows(), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        host = Host(folder / "host", "--firestore-port", "0", "--hub-port", "0").start()
        try:
            if "--without" in sys.argv[1:]:
                for rule in RULES:
                    for cut, failed, count in held(host, folder, rule):
                        bad += not failed
                        print(f"{rule}, without `{cut.text}`: {failed} of {count} rows fail")
            else:
                found = failing(Typist(host, folder / "here"), table)
                bad = len(found)
                for row, faults in found.items():
                    print(f"{row}: {'; '.join(faults)}")
                print(f"{len(table) - bad} of {len(table)} command lines end as they should")
        finally:
            host.stop()
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
