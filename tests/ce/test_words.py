"""Words typed in a hurry: mistyped, borrowed from other programs, or none at all; and the hints."""

import re
import shlex
import subprocess
import sys

import click
import pytest

from ce.cli import program
from ce.rows import NOUNS
from ce.server import advice
from ce.text import called
from tests.support import ROOT
from tests.support.cli import run

HINT = re.compile(r"['`]ce ([a-z][^'`]*)['`]|`ce ([^`]*)`")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("secrt list", "ce secret list"),
        ("secret lst", "ce secret list"),
        ("secrt lst", "ce secret list"),
        ("projct dlete --name x --force", "ce project delete"),
        ("project undelet", "ce project restore"),
        ("connectivity outbond list", "ce connectivity outbound list"),
        ("emulatr start", "ce emulator"),
        ("secrt hunter2", "ce secret"),
        ("restore hunter2", "ce project restore --name NAME"),
        ("undelete hunter2", "ce project restore --name NAME"),
        ("restor hunter2", "ce project restore --name NAME"),
        ("delete --name hunter2 -f", "ce project delete --name NAME"),
        ("rm hunter2", "ce project delete --name NAME"),
        ("create -n hunter2", "ce project create --name NAME"),
        ("get hunter2", "ce project get --name NAME"),
        ("select hunter2", "ce project select --name NAME"),
        ("list", "ce project list"),
        ("ls", "ce project list"),
        ("whoami", "ce target"),
    ],
)
def test_a_mistyped_command(words, meant):
    """At every level it is said what was meant; what could be a value is not told back."""
    done = run(*words.split())
    assert done.returncode == 2
    assert f"Did you mean '{meant}'?" in done.stderr
    assert "hunter2" not in done.stderr
    assert done.stdout == ""


def test_what_is_like_nothing():
    """Nothing is proposed where nothing is near."""
    done = run("qqqqqq")
    assert (done.returncode, "Did you mean" in done.stderr) == (2, False)


@pytest.mark.parametrize(
    ("word", "verb"),
    [("ls", "list"), ("show", "get"), ("rm", "delete"), ("add", "create"), ("undelete", "restore")],
)
def test_words_that_people_try(word, verb):
    """They do what is meant wherever that exists, and no help names them."""
    root = program()
    for noun in NOUNS:
        group = root
        for part in noun.typed.split():
            group = group.get_command(None, part)
        made = group.get_command(None, word)
        assert (made and made.name) == (verb if verb in noun.verbs else None)
        assert word not in group.list_commands(None)


@pytest.mark.parametrize("words", [(), ("--help",), ("secret",), ("secret", "--help"), ("help",)])
def test_help_is_no_mistake(words):
    """Help that is asked for, or shown for want of a command, goes where a pager reads it."""
    done = run(*words)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: ce")
    assert done.stderr == ""


def test_the_version():
    """An option says what the command says."""
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, run("version").stdout)
    assert re.fullmatch(r"version:  v[0-9.]+\n", done.stdout)


def hints():
    """Give every hint in a text of the program: all of its sources, and the server's advice."""
    texts = [file.read_text() for file in (ROOT / "ce").rglob("*.py")]
    texts += [*advice.ADVICE.values(), *advice.UNREACHABLE.values()]
    found = {one or other for text in texts for one, other in HINT.findall(text)}
    return sorted(re.sub(r"\{[^}]*\}", "x", hint) for hint in found)


def test_every_hint_is_a_command():
    """Each can be pasted: its words are a command, and its options are some of that command's."""
    found = hints()
    assert len(found) > 30
    for hint in found:
        words = shlex.split(hint.replace('"', ""))
        command, path = program(), []
        while words and isinstance(command, click.Group) and not words[0].startswith("-"):
            if words[0] == "x":  # a noun that is filled in
                words[0] = "secret"
            path.append(words.pop(0))
            command = command.get_command(None, path[-1])
            assert command is not None, hint
        known = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
        options = {word.partition("=")[0] for word in words if word.startswith("-")}
        assert options <= known | {"--help"} or not command.params, hint


def test_a_hint_names_the_program_that_was_called(monkeypatch):
    """Called as `ibmcloud ce`, so are the commands that are proposed; a value stays what it is."""
    text = "Run 'ce job get -n x', or `ce job list`; it's once 'cement'."
    assert called.hints(text) == text
    monkeypatch.setattr(sys, "argv", ["/usr/bin/ibmcloud", "ce", "job", "list"])
    assert called.hints(text) == (
        "Run 'ibmcloud ce job get -n x', or `ibmcloud ce job list`; it's once 'cement'."
    )


def test_mistyped_as_ibmcloud(tmp_path):
    """A link named `ibmcloud` proposes what can be typed there."""
    link = tmp_path / "ibmcloud"
    link.write_text(f"#!{sys.executable}\nfrom ce.cli import main\nmain()\n")
    link.chmod(0o755)
    done = subprocess.run(
        [link, "ce", "secrt", "list"], capture_output=True, text=True, check=False
    )
    assert "Did you mean 'ibmcloud ce secret list'?" in done.stderr
