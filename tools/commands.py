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


class Cut(NamedTuple):
    """What of a file to replace, so that a rule no longer holds."""

    file: str
    text: str
    instead: str


GRAMMAR, INPUTS, SECRETS = "ce/help/grammar.py", "ce/body/inputs.py", "ce/body/secrets.py"
OPTIONS = "ce/help/options.py"
RENDER, STREAMS, CLIENT = "ce/text/render.py", "ce/text/streams.py", "ce/server/client.py"
ADDRESSES, CHECKS = "ce/server/addresses.py", "ce/body/checks.py"
PLACE, ENDING = "ce/server/place.py", "ce/verbs/ending.py"
PROJECTS, QUOTA = "ce/verbs/projects.py", "ce/verbs/quota.py"
RULES: Mapping[str, tuple[Cut, ...]] = {
    "no empty credential": (Cut(SECRETS, "if blank(value)", "if False"),),
    "empty if meant": (Cut(SECRETS, 'bool(call["allow_empty"])', "False"),),
    "one line": (Cut(INPUTS, "if more.strip()", "if False"),),
    "one dash": (Cut(GRAMMAR, "if name in known", 'if word[:2] == "--" and name in known'),),
    "two dashes": (
        Cut(GRAMMAR, "if name in known", "if name in known and (len(name) > 1 or word[1] != '-')"),
    ),
    "switches together": (Cut(GRAMMAR, "if len(switches) == len(letters)", "if not letters"),),
    "no value attached": (Cut(GRAMMAR, "if not meant", "if False"),),
    "no secret shown": (Cut(GRAMMAR, "if _safe(known, word)", "if True"),),
    "values untouched": (
        Cut(GRAMMAR, 'word == "--" or', ""),
        Cut(GRAMMAR, "islice(left, 1)", "islice(left, 0)"),
    ),
    "switch told": (Cut(GRAMMAR, 'value if equals else "true"', '"true"'),),
    "switch told well": (Cut(GRAMMAR, "TOLD.get(value.lower())", "TOLD.get(value.lower(), True)"),),
    "switch off": (
        Cut(OPTIONS, "value is not False or name in TWO_WAY", "True"),
        Cut(OPTIONS, " or name in TWO_WAY", ""),
    ),
    "last of a pair": (Cut(GRAMMAR, "if isinstance(inverse, Switch)", "if False"),),
    "no mark": (Cut(INPUTS, 'text.removeprefix("\\ufeff")', "text"),),
    "mark kept": (
        Cut(INPUTS, "self.exact(file, option)", "self.text(file, option)"),
        Cut("ce/body/workloads.py", "Inputs().exact(", "Inputs().text("),
    ),
    "one reader": (
        Cut(INPUTS, 'self.exact(path.removeprefix("@"), option)', "self.exact(path, option)"),
        Cut(INPUTS, 'if text.startswith("{") else text', "if False else text"),
    ),
    "exact documents": (Cut(RENDER, "_write(text, sys", '_write(f"{text}\\n", sys'),),
    "documents in UTF-8": (Cut(RENDER, 'encoding="utf-8", ', ""),),
    "any key in jsonpath": (Cut("ce/text/jsonpath.py", "KEY.sub(_quote_key, rest)", "rest"),),
    "lost output": (Cut(STREAMS, "raise Unwritten(error)", "raise ValueError"),),
    "reader gone": (Cut(STREAMS, "error.errno == errno.EPIPE", "False"),),
    "change told": (Cut(CLIENT, "self.changed |= method not in READS", ""),),
    "key deleted again": (Cut("ce/nouns/apikeys.py", "undo=apikeys.unmake", ""),),
    "no answer": (Cut(STREAMS, "if sys.stdin is None", "if False"),),
    "no home": (Cut("ce/server/files.py", "except RuntimeError", "except KeyError"),),
    "our keys alone": (Cut(ADDRESSES, "if not KEY.fullmatch(text)", "if False"),),
    "trimmed": (Cut(ADDRESSES, "text = bare(text)", ""),),
    "quotes named": (Cut(ADDRESSES, "text[0] in QUOTES or text[-1] in QUOTES", "False"),),
    "version added": (Cut(ADDRESSES, 'else f"{url}/v2"', "else url"),),
    "no TLS there": (Cut("ce/server/advice.py", "return PLAIN", "pass"),),
    "authorities named": (Cut(CLIENT, "advice.authorities()", '""'),),
    "key named": (Cut(CHECKS, "if folder or not KEY.fullmatch(key)", "if False"),),
    "no value as a key": (Cut(CHECKS, "named = NAMED.fullmatch(key)", "named = True or key"),),
    "what was meant": (Cut(CHECKS, "get_close_matches(given.lower(), choices, 1)", "[]"),),
    "odd file": (Cut(CHECKS, "if said and text.strip()", "if False"),),
    "list option": (Cut("ce/verbs/resources.py", "if index and", "if False and"),),
    "name held": (Cut("ce/verbs/projects.py", '"name_taken"', '"none"'),),
    "project named": (
        Cut("ce/cli.py", "if noun.acts(verb) else", "if False else"),
        Cut("ce/verbs/dialog.py", 'emit(f"Acting in', 'str(f"Acting in'),
        Cut(PLACE, "os.environ.get(VARIABLE)) is not None", "None) is not None"),
        Cut(PLACE, "(here, *here.parents)", "(here,)"),
    ),
    "project order": (
        Cut(
            PLACE, "if option is not None", "if not os.environ.get(VARIABLE) and option is not None"
        ),
        Cut(PLACE, "if blank(option)", "if False"),
        Cut(PLACE, "(here, *here.parents)", "(*reversed(here.parents), here)"),
        Cut(PLACE, "if not projects:", "if False:"),
    ),
    "project told": (
        Cut(PLACE, "said is None or said.word ==", "True or said.word =="),
        Cut(PROJECTS, 'ending.note(f"It comes', 'str(f"It comes'),
        Cut("ce/nouns/session.py", '"Project From": text("project.from"),', ""),
    ),
    "broken file": (
        Cut(PLACE, "if others", "if False"),
        Cut(PLACE, "(ValueError, RecursionError)", "KeyError"),
        Cut(PLACE, "if not file.is_file()", "if False"),
    ),
    "name typed": (
        Cut(ENDING, "if not sys.stdin.isatty()", "if False"),
        Cut(ENDING, "    for line in loss:\n        note(line)\n", ""),
        Cut(PROJECTS, "    ending.destroyed(call, project, held)\n", ""),
    ),
    "way back told": (
        Cut(ENDING, 'if call["force"] and not sys.stderr.isatty()', "if False"),
        Cut(PROJECTS, "    ending.deleted(call, project)\n", ""),
    ),
    "offers": (
        Cut(QUOTA, 'ce project delete {which}"', 'ce project delete {which} --hard"'),
        Cut(QUOTA, '"To Keep It": text("restore"),', ""),
    ),
    "end told": (Cut("ce/verbs/dialog.py", "messages = [*failure.messages]", "messages = []"),),
    "standing told": (
        Cut("ce/nouns/session.py", '"Project Status": standing.in_words,', ""),
        Cut("ce/verbs/standing.py", "if failure.status == 404", "if False"),
    ),
    "own key": (Cut("ce/verbs/apikeys.py", '== [key["id"]]', '== [""]'),),
}


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
    shutil.copytree(ROOT / "ce", folder / "ce", ignore=shutil.ignore_patterns("__pycache__"))
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
