"""What a name or a value holds never acts on a terminal: escapes, directions, invisible marks.

Nor does it later, out of a file: such a character is always printed as an escape.
"""

import json
import shlex
import unicodedata

import pytest

from tests.support.cli import run
from tests.support.cli_examples import IMAGE
from tests.support.terminal import Terminal

EVIL = "a\x1b]0;title\x07\x1b[2J\x9b31m\x08\u202egnp.exe\u2066\u200b\u2028\ufeff\x7fz"
ODD = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}


def odd(text):
    """Give the characters of a text that a terminal must not get."""
    return {c for c in text if unicodedata.category(c) in ODD and c not in "\n\t"}


@pytest.fixture
def show(mine):
    """Type a line, once into a pipe and once on a terminal, and give both."""

    def both(line):
        words = shlex.split(line)
        code, shown = Terminal(*words, columns=1000).answer()
        assert code == 0, shown
        return mine(*words), shown.replace("\r\n", "\n")

    return both


@pytest.mark.slow
def test_values_of_workloads(mine, show, host):
    """Blocks and tables of real resources: variables, values, commands and arguments."""
    mine("cm", "create", "-n", "cm", "-l", f"K={EVIL}")
    mine("secret", "create", "-n", "s", "-l", f"K={EVIL}")
    mine("job", "create", "-n", "j", "-i", IMAGE, "-e", f"A={EVIL}", "-a", EVIL, "-c", EVIL)
    host.advance(36 * 3600)  # so that all ages are the same
    for line in ("cm get -n cm", "secret get -n s -d", "job get -n j"):
        piped, shown = show(line)
        assert "\\u001b]0;title\\u0007\\u001b[2J\\u009b31m\\b\\u202egnp.exe" in piped
        assert shown == piped
        assert odd(piped) == set()
    for form in ("json", "yaml"):
        piped, shown = show(f"cm get -n cm -o {form}")
        assert shown == piped
        assert odd(piped) == set()
    assert json.loads(mine("cm", "get", "-n", "cm", "-o", "json"))["data"] == {"K": EVIL}


def test_a_value_taken_out_is_whole(mine, show):
    """A script gets a value byte by byte; on a terminal it is escaped like all else."""
    mine("secret", "create", "-n", "s", "-l", f"K={EVIL}")
    piped, shown = show("secret get -n s --decode -o jsonpath={.data.K}")
    assert piped == EVIL
    assert odd(shown) == set()


LINES = {
    "progress": ("project", "create", "-n", EVIL),
    "prompt": ("secret", "delete", "-n", EVIL),
    "error": ("project", "get", "-n", EVIL),
    "no such command": ("project", EVIL),
    "no such option": ("project", "list", f"--{EVIL}"),
    "no such choice": ("project", "list", "--sort-by", EVIL),
    "no such file": ("secret", "create", "-n", "x", "-f", EVIL),
    "no such expression": ("project", "list", "-o", f"jsonpath={{{EVIL}"),
}


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("words", LINES.values(), ids=LINES)
def test_what_was_typed(words):
    """Nor does what was typed come back raw, whatever is wrong with it."""
    code, shown = Terminal(*words).answer("n\n")
    assert code
    assert odd(shown.replace("\r\n", "\n")) == set()
    done = run(*words)
    assert odd(done.stdout + done.stderr) == set()
