"""The golden transcripts: every documented command, typed into a shell against the running host.

tests/golden/*.txt are sessions, one a group of commands: `$ ` what is typed, below it what comes.
`! ` stands before a line of standard error, `[1]` for an exit code that is not 0. A command that
asks runs on a terminal, and is answered what stands behind its question. What differs from run to
run is a placeholder, in a column one of the same width, so that these are compared to the blank;
ages are real, since the host's clock is moved before they are looked at.
"""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from ce.cli import program
from tests.clients.test_documented_commands import COMMANDS
from tests.support import ROOT
from tests.support.terminal import Terminal

pytestmark = pytest.mark.slow

GOLDEN = ROOT / "tests" / "golden"
SESSIONS = sorted(GOLDEN.glob("*.txt"))
SHELL = ("/bin/bash", "-c")
HEX = "[0-9a-f]"
PLACEHOLDERS = {
    rf"{HEX}{{8}}(-{HEX}{{4}}){{3}}-{HEX}{{12}}": "00000000-0000-0000-0000-000000000000",
    rf"(?<=us-south:a/){HEX}{{32}}": "{account}",
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)": "YYYY-MM-DDThh:mm:ssZ",
    r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000": (
        "Day, DD Mon YYYY hh:mm:ss +0000"
    ),
    r"(?<=\.)[a-z][a-z0-9]{11}(?=\.us-south\.|\.svc\.)": "{subdomain_}",
    r"(CE_SUBDOMAIN +)[a-z][a-z0-9]{11}": r"\1{subdomain_}",
    r"http://127\.0\.0\.1:\d+(?=/#/| in a browser)": "http://localhost:5000",
    r"(?<=signin\?code=)[A-Za-z0-9_-]{43}": "{code}",
    r"(?<= \()[0-9a-f]{16}(?=\))": "{key_id}",
    r"(?<=-jobrun-)[a-z0-9]{5}": "xxxxx",
    r"(?<=-run-)\d{6}-\d{6}": "YYMMDD-hhmmss",
}
STEP = re.compile(r"^\$ (?P<line>.*)\n(?P<said>(?:(?!\$ |# ).*\n)*)", re.MULTILINE)
ANSWER = re.compile(r"(?:\[y/N\]|for good)> (\w+)")


@pytest.fixture
def shell(request, host, tmp_path, monkeypatch):
    """Type into a shell as a fresh account, in a folder of its own, where `ce` is on the PATH."""
    request.getfixturevalue("ce")
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    monkeypatch.setenv("TZ", "UTC")
    yield lambda line, answers: _typed(line, answers, folder)
    host.set_clock(0)


def _typed(line, answers, folder):
    if answers:
        typed = (f"{word}\n" for word in answers)
        errors = folder.parent / "errors"
        asking = Terminal(f"{{ {line}; }} 2> {errors}", program=SHELL, folder=folder)
        code, out = asking.answer(*typed)
        out, error = out.replace("\r\n", "\n"), errors.read_text()
    else:
        done = subprocess.run(
            [*SHELL, line],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        code, out, error = done.returncode, done.stdout, done.stderr
    said = out + "".join(f"! {one}\n" for one in error.splitlines())
    for pattern, placeholder in PLACEHOLDERS.items():
        said = re.sub(pattern, placeholder, said)
    return said + (f"[{code}]\n" if code else "")


def play(text, shell):
    """Type every line of a session, and give the session as it went."""

    def step(found):
        said = shell(found["line"], ANSWER.findall(found["said"]))
        gap = "\n" if f"\n{found['said']}".endswith("\n\n") else ""
        return f"$ {found['line']}\n{said}{gap}"

    return STEP.sub(step, text)


@pytest.mark.parametrize("session", SESSIONS, ids=lambda path: path.stem)
def test_golden(session, shell):
    """A session goes as it is written down, to the character."""
    text = session.read_text()
    assert play(text, shell).split("\n") == text.split("\n")


def test_every_documented_command_is_typed():
    """No documented command is without its transcript, by whichever name of its group."""
    text = "\n".join(session.read_text() for session in SESSIONS)
    typed = {_canonical(words) for words in re.findall(r"\bce ([a-z ]+)", text)}
    assert {words for words, _, _ in COMMANDS} - typed == set()


def _canonical(words):
    """Give a command with its groups' own names, without what follows it."""
    found, names = program(), []
    for word in words.split():
        found = found.get_command(None, word) if isinstance(found, click.Group) else None
        names += [found.name] if found else []
    return " ".join(names)
