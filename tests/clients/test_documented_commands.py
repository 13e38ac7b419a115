"""Every documented command is there, with every option, alias, default and required mark.

Read from documented_commands.txt with a reader of its own. Where `ce` differs on purpose
stands below, with the reason; a difference that is not there, or no longer is one, fails.
"""

import re

import click
import pytest

from ce.cli import program
from ce.help.option_help import UNSUPPORTED
from ce.rows import NOUNS, REFUSED
from tests.support import ROOT
from tests.support.cli import run

SHARED = {
    "F": "--force/-f?",
    "I": "--ignore-not-found/--inf?",
    "O": "--output/-o",
    "Q": "--quiet/-q?",
    "W": "--wait/-w? --no-wait/--nw? --wait-timeout/--wto=600",
    "N": "--wait/-w? --no-wait/--nw? --wait-timeout/--wto=600",
}
LINE = re.compile(r"(?P<words>[a-z ]+) \[(?P<shared>[A-Z ]+)\] ?(?P<own>.*)")
OPTION = re.compile(
    r"(?P<names>[-\w/]+)(?P<need>[*†]?)(?P<many>…?)(?P<flag>\??)(=(?P<default>.+))?"
)

# Documented defaults that are not ours, and why.
DEFAULTS = {
    ("buildrun submit", "--source"): "a source on this machine is refused, so `.` is no default",
    ("application create", "--no-cluster-local"): "a flag here, and what is so anyway",
    ("application update", "--no-cluster-local"): "what is not given stays",
}
# Required here and not in the documentation.
REQUIRED = {("secret create", "--name"): "the API makes no name up"}
# In these, what is not given stays as it is: the documented defaults tell of no change.
CHANGES = ("update", "resubmit")
# Commands and options of ours alone.
OWN_NOUNS = {"apikey", "audit", "binding", "certificate"}
OWN_OPTIONS = {
    "--allow-empty": "an empty credential is stored only for who says so",
    "-n": "connectivity outbound: as everywhere else",
    "--f": "what `-f` is also sent as",
    "--project": "of every command that acts in a project",
    "--wait": "application delete waits if told to",
}


def documented():
    """Give each documented command with its options, as their parts."""
    lines = (ROOT / "tests" / "clients" / "documented_commands.txt").read_text().splitlines()
    for line in lines:
        if line.startswith("#"):
            continue
        found = LINE.fullmatch(line)
        letters = found["shared"].split()
        words = [word for letter in letters for word in SHARED[letter].split()]
        yield (
            found["words"],
            letters,
            [OPTION.fullmatch(word) for word in words + found["own"].split()],
        )


COMMANDS = [*documented()]


def made(words):
    """Give the click command of some words; None if there is none."""
    found = program()
    for word in words.split():
        found = found.get_command(click.Context(found), word)
        if found is None:
            return None
    return found


def refused():
    """Give the commands that are refused by name."""
    return {names[-1]: reason for names, reason in REFUSED.items()} | {
        f"{noun.parent} {noun.name} {name}".strip(): reason
        for noun in NOUNS
        for name, reason in noun.rows.refused.items()
    }


def test_documented_options(subtests):
    """Every option is taken under every name, as often, as needed and with the default told."""
    for words, letters, options in COMMANDS:
        with subtests.test(words):
            taken_as_documented(words, letters, options)


def taken_as_documented(words, letters, options):
    """Hold a command's options against what the documentation tells of them."""
    command = made(words)
    assert command is not None
    if words in refused():
        return
    taken = {name: option for option in command.params for name in option.opts}
    for told in options:
        names = told["names"].split("/")
        long = next(name for name in names if name.startswith("--"))
        missing = [name for name in names if name not in taken]
        assert not missing
        option = taken[long]
        assert {taken[name] for name in names} == {option}, f"{long}: one option of many names"
        here = (words, "--name" if "--name" in names else long)
        assert option.required == (bool(told["need"] == "*") or here in REQUIRED), long
        assert option.multiple or not told["many"], long
        assert option.is_flag == bool(told["flag"]) or here in DEFAULTS, long
        ours = None if option.is_flag else option.to_info_dict()["default"]
        changes = words.split()[-1] in CHANGES and long != "--wait-timeout"
        silent = changes or option.help.startswith(UNSUPPORTED) or here in DEFAULTS
        assert (str(ours) if ours is not None else None) == (None if silent else told["default"])
        assert here not in DEFAULTS or told["default"], f"no difference: {here}"
    if {"W", "N"}.intersection(letters):
        assert "(the default)" in taken["--wait" if "W" in letters else "--no-wait"].help


def test_nothing_is_taken_that_is_not_documented():
    """What `ce` has beyond the documentation is named here."""
    told = {words: options for words, _, options in COMMANDS}
    for noun in NOUNS:
        if noun.name in OWN_NOUNS:
            continue
        for verb in noun.verbs:
            words = f"{noun.parent} {noun.name} {verb}".strip()
            names = {name for option in told[words] for name in option["names"].split("/")}
            for option in made(words).params:
                own = {*option.opts, *option.secondary_opts} - names
                assert (
                    isinstance(option, click.Argument)
                    or not own
                    or own <= OWN_OPTIONS.keys()
                    or words == "application delete"
                ), f"{words}: {own}"


@pytest.mark.parametrize(("words", "reason"), refused().items(), ids=refused())
def test_what_is_refused_is_refused_by_name(words, reason):
    """Whatever it is given, it names itself and says why, with the code of usage."""
    shown = run("help", *words.split()).stdout
    done = run(*words.split(), "--anything", "value-nobody-may-see", "-x")
    assert (done.returncode, done.stdout) == (2, "")
    assert f" is not supported: {reason}" in done.stderr.splitlines()[-1]
    assert f"Error: 'ce {words}' " in done.stderr
    assert "nobody-may-see" not in done.stderr
    assert f"Not supported: {reason}" in " ".join(shown.split())


def test_docs_tell_of_every_command():
    """docs/cli.md has each documented or refused command once, and what is refused as refused."""
    lines = (ROOT / "docs" / "cli.md").read_text().splitlines()
    rows = [line.split("|")[1:3] for line in lines if line.count("|") == 4]
    told = [(words, state.strip()) for cell, state in rows for words in re.findall("`(.+?)`", cell)]
    table = [row for row in told if row[1] in {"as documented", "differs", "refused"}]
    documented_or_refused = {words for words, _, _ in COMMANDS} | refused().keys()
    assert sorted(words for words, _ in table) == sorted(documented_or_refused)
    assert {words for words, state in table if state == "refused"} == refused().keys()
