"""`ce` starts fast: whatever needs no server imports nothing that is slow to import.

How long that takes is for `make bench`; that it stays so is told here by what is imported.
"""

import subprocess
import sys

import pytest

from ce.rows import OWN

# What takes long to import, and what of ours is read only when it is needed.
SLOW = {
    *("requests", "urllib3", "ssl", "http.client", "email", "socket", "tempfile", "random"),
    *("yaml", "jsonpath_ng", "wcwidth", "cryptography", "asyncio", "logging", "subprocess"),
    *("click.shell_completion", "getpass", "importlib.metadata"),
}
OURS = (
    *("ce.nouns", "ce.verbs", "ce.body", "ce.rows.kind", "ce.rows.views"),
    *("ce.help.options", "ce.help.option_help", "ce.help.completion"),
    *("ce.text.documents", "ce.server.advice"),
)
ROWS = {*OURS[:5], "ce.help.options", "ce.help.option_help"}  # what the row of a command takes
# What each may import all the same, or else could not do what it is there for.
COMMANDS = {
    "--help": {},
    "help": {},
    "help exit-codes": {},
    "shim": {},
    "version": {"importlib.metadata", "email", "socket", "tempfile", "random"},
    "target": ROWS,
    "help secret create": ROWS,
    "profile list": ROWS,
}


def imported(command):
    """Give what a command has imported at its end."""
    code = (
        "import sys, ce.cli\n"
        f"try: ce.cli.main({command.split()!r})\n"
        "except SystemExit: pass\n"
        "print('\\n' + ' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.fixture(scope="module")
def bare():
    """What Python itself has imported, and what measures the tests' coverage."""
    code = "import sys; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True)
    return set(done.stdout.decode().split())


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_slow_is_imported(bare, command):
    """Neither libraries nor rows of the tables that the command does not need."""
    found = imported(command) - bare
    heavy = {name for name in found if name in SLOW or name.partition(".")[0] in SLOW}
    heavy |= {name for name in found if name.startswith(OURS)}
    heavy = {name for name in heavy if not name.startswith(tuple(COMMANDS[command]) or ("-",))}
    assert not heavy


def test_the_help_of_what_is_costly_to_make_is_its_own():
    """The root's help shows texts that stand apart from the rows: they are those of the rows."""
    from ce.nouns.session import NOUNS

    assert {name: verb.help for name, verb in NOUNS[""].verbs.items()} == OWN
