"""What the tests of `ce` stand on: the program itself, run in this process, and its transcripts.

It is the entry point that the installed `ce` calls, with streams that are no terminal; that a
process of its own does the same is for test_cli_process to show.
"""

import io
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

from ce.cli import main

FORMS = {
    "ID": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "SUB": r"[a-z0-9]{11,12}",
    "CHANCE": r"[a-z0-9]{5}",
    "TIME": r"\d{6}-\d{6}",
    "AGE": r"\d+[smhdy]\w*",
    "STAMP": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)",
    "LONG": r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}",
}


@dataclass(frozen=True)
class Done:
    """How a run ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def run(*args: str, text: str = "") -> Done:
    """Run `ce` with these arguments and this standard input, in the environment as it is."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8")
    code = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main([*args])
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdin = stdin
    return Done(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))


ASKED = re.compile(r"  (GET|HEAD|POST|PUT|DELETE|PATCH) (\S+) +\d+ +\d+ms$", re.MULTILINE)


def asked(log: str) -> list[tuple[str, str]]:
    """Give the requests a part of the host's log tells of: method and path."""
    return ASKED.findall(log)


def matches(pattern: str, text: str) -> None:
    """Compare a transcript, in which {ID}, {AGE}, {STAMP}, {LONG} stand for any such."""
    literal = re.escape(pattern).replace(r"\ ", " ")
    for name, form in FORMS.items():
        literal = literal.replace(re.escape(f"{{{name}}}"), form)
    assert re.fullmatch(re.sub(" {2,}", " {2,}", literal), text), text
