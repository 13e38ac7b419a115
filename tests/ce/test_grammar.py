"""How `ce` reads its words: every option of every command under every name, switches, refusals."""

import click
import pytest

from ce.help.grammar import SECRET, Switch, spelled
from tests.ce.test_help import commands
from tests.clients.test_documented_commands import COMMANDS, made, refused
from tests.support.cli import run

HIDDEN = "nobodymaysee"
TOLD = {"true": True, "T": True, "1": True, "FALSE": False, "f": False, "0": False}


def read(command, *words):
    """Give the words of a command, spelled out."""
    return spelled(click.Context(command, info_name="ce it"), command.params, [*words])


def options():
    """Give every option of every command, as it is made."""
    for words in commands():
        command = made(words)
        for option in command.params:
            if isinstance(option, click.Option):
                yield command, option


def long(option):
    """Give the name of an option that begins with two dashes."""
    return next(name for name in option.opts if name.startswith("--"))


def test_every_documented_name_is_read_with_one_dash_and_with_two():
    """Whatever name the documentation gives an option, either way of writing it means the same."""
    seen = 0
    for words, _, told in COMMANDS:
        command = made(words)
        for name in (n for option in told for n in option["names"].split("/")):
            if words in refused():
                continue
            option = next(o for o in command.params if name in o.opts)
            value = [f"{long(option)}=true"] if option.is_flag else [long(option), "-x"]
            for dashes in ("-", "--"):
                typed = dashes + name.lstrip("-")
                words_read = read(command, typed, *([] if option.is_flag else ["-x"]))
                assert words_read[: len(value)] == value, (words, typed)
                seen += 1
    assert seen > 1000


def test_a_switch_is_told_its_value():
    """Each of every command takes all the words for yes and no, and no others."""
    for command, option in options():
        if not isinstance(option, Switch):
            continue
        for word, on in TOLD.items():
            got = read(command, f"{option.opts[-1]}={word}")
            assert got[0] == f"{long(option)}={str(on).lower()}"
        for word in ("", "maybe", "yes", HIDDEN):
            with pytest.raises(click.UsageError, match=long(option)) as refusal:
                read(command, f"{long(option)}={word}")
            assert HIDDEN not in str(refusal.value)


def test_no_letter_has_its_value_attached():
    """Of every option with a letter: it is refused, and not shown where it may be a secret."""
    letters = 0
    for command, option in options():
        for name in option.opts:
            if len(name) > 2 or option.is_flag:
                continue
            letters += 1
            with pytest.raises(click.UsageError, match="No such option") as refusal:
                read(command, name + HIDDEN)
            assert (HIDDEN in str(refusal.value)) == (option.name not in SECRET)
            assert read(command, name, HIDDEN) == [long(option), HIDDEN]
            assert read(command, f"{name}={HIDDEN}") == [f"{long(option)}={HIDDEN}"]
    assert letters > 100


@pytest.mark.usefixtures("unreachable")
@pytest.mark.parametrize(
    "word", [f"-z{HIDDEN}", f"--pw{HIDDEN}", f"-p{HIDDEN}=x", f"--x9={HIDDEN}", "-p9"]
)
def test_a_word_that_may_be_a_secret_is_told_by_its_place(word):
    """It is not shown: which it was is said by its place, and after what."""
    done = run("registry", "create", "-n", "x", word)
    assert done.returncode == 2
    assert "No such option: word 3 after 'ce registry create', which is not shown" in done.stderr
    assert HIDDEN not in done.stderr
    assert "No such option '-z'." in run("registry", "create", "-n", "x", "-z").stderr


@pytest.mark.parametrize("words", [("-help",), ("secret", "-help"), ("secret", "list", "-help")])
def test_groups_read_their_words_likewise(words):
    """The program, its groups and its commands show their help for one dash too."""
    done = run(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: ce")
    assert run(*words[:-1], "-help=false", "--bad").returncode == 2
    assert run("-version").stdout == run("--version").stdout == run("--version=T").stdout
