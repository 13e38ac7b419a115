"""Help, examples, topics, completion, and `ibmcloud ce`: what `ce` tells of itself."""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from ce.cli import program
from ce.help import completion, options
from ce.help.examples import EXAMPLES, FIRST
from ce.help.guide import COMPLETION, ENVIRONMENT, SHIM, TOPICS
from ce.help.option_help import HELP
from ce.rows import EMULATOR, KEYS, NOUNS, OWN_NOUNS, PARENTS, ROOT
from ce.server import EXIT_CODES, target
from emulator import arguments
from tests.support import ROOT as REPOSITORY
from tests.support.cli import run

DOCS = (REPOSITORY / "docs" / "cli.md").read_text()
OWN_COMMANDS = ("help", "version", "completion", "shim")


def commands():
    """Give the name of every command that is a row of a table, or ours."""
    for noun in (*NOUNS, *OWN_NOUNS, ROOT):
        for verb in noun.verbs:
            yield f"{noun.parent} {noun.name} {verb}".strip()
    yield from OWN_COMMANDS


def test_every_command_has_examples():
    """No command lacks one, and none is of a command that is not there."""
    assert sorted(EXAMPLES) == sorted(commands())
    assert all(EXAMPLES.values())


LINES = [(name, line) for name, lines in EXAMPLES.items() for line in lines]
LINES += [("", line) for line in FIRST]


def test_every_example_parses(subtests):
    """It is understood as it stands, by the command it is of, and holds nothing secret."""
    for name, line in LINES:
        with subtests.test(line):
            understood(name, line)


def understood(name, line):
    """Read an example as the shell and `ce` do."""
    assert len(line) < 100
    inner = line.partition("$(")[2].partition(")")[0] or line.partition(" | ")[0]
    words = shlex.split(inner)
    assert words.pop(0) == "ce"
    assert not {"--password", "--secret-access-key"} & set(words)
    found, ctx = program(), click.Context(program(), info_name="ce")
    seen = []
    while isinstance(found, click.Group):
        seen.append(words[0])
        found = found.get_command(ctx, words.pop(0))
        assert found is not None, line
    assert not name or " ".join(seen) == name
    made = found.make_context(seen[-1], words, parent=ctx)
    if seen != ["emulator"]:
        assert made.args == []
        given = [
            parameter.name
            for parameter in found.params
            if made.get_parameter_source(parameter.name) is click.core.ParameterSource.COMMANDLINE
        ]
        options.refuse_unsupported(found.params, given)


@pytest.mark.parametrize("name", [*commands()])
def test_help_shows_the_examples(name):
    """`--help` of a command ends with its examples, each in a line as it is to be pasted."""
    done = run(*name.split(), "--help")
    assert done.returncode == 0
    lines = done.stdout.partition("\nExamples:\n")[2].splitlines()
    assert lines == [f"  {line}" for line in EXAMPLES[name]]


@pytest.mark.parametrize("group", [noun.name for noun in NOUNS if not noun.parent] + ["profile"])
def test_help_of_a_group_shows_an_example_of_each(group):
    """The first of each command."""
    lines = run(group, "--help").stdout.partition("\nExamples:\n")[2].splitlines()
    firsts = (lines[0] for name, lines in EXAMPLES.items() if name.split()[0] == group)
    assert [line.strip() for line in lines] == [*firsts]


def test_help_of_parents():
    """Groups of groups show all that is in them, and the root what to begin with."""
    for name, _, _ in PARENTS:
        assert f"  ce {name} " in run(name, "--help").stdout
    assert "\nExamples:\n  ce emulator start\n" in run("--help").stdout


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("help emulator start", "usage: ce emulator start "),
        ("help emulator", "usage: ce emulator [-h] COMMAND"),
        ("help admin keys", "usage: ce emulator keys "),
        ("help doctor", "usage: ce doctor "),
        ("admin keys --help", "usage: ce emulator keys "),
        ("admin --help", "Usage: ce admin "),
        ("help admin", "Usage: ce admin "),
    ],
)
def test_help_of_what_is_the_emulator_s(words, said):
    """`help` hands on to who reads the words, and `admin` is a group as any other."""
    done = process(*words.split())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(said)
    assert (process("admin", "nothing").returncode, process("admin").returncode) == (2, 0)


def test_topics():
    """Exit codes and variables are told by `help`, and are those of the documentation."""
    shown = run("help", "exit-codes").stdout
    for code, text in EXIT_CODES.items():
        assert f"{code:>5}  {text}\n" in shown
        assert f"\n| {code} | {text} |\n" in DOCS
    shown = run("help", "environment").stdout
    for name, text in ENVIRONMENT.items():
        assert f"\n  {name}\n      {text}\n" in shown
        assert all(f"`{one}`" in DOCS for one in name.split(", "))
    done = run("help", "nothing")
    assert done.returncode == 2
    assert all(topic in done.stderr and f"`ce help {topic}`" in DOCS for topic in TOPICS)


def test_own_commands_are_documented():
    """Each command about `ce` itself is in docs/cli.md, and each shell's line."""
    for name in commands():
        if name in OWN_COMMANDS or name in ROOT.verbs:
            assert f"`ce {name}" in DOCS
    for line in COMPLETION.values():
        assert f"`{line}`" in DOCS


def process(*words):
    """Run `ce` as a process, which another program may take the place of."""
    command = [sys.executable, "-m", "ce", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def completed(words, **env):
    """Give what bash is offered for a line whose last word is being typed."""
    last = len(words.split(" ")) - 1
    asked = {"_CE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(last)}
    done = subprocess.run(
        [sys.executable, "-m", "ce"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **asked, **env},
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("ce proj", ["project"]),
        ("ce log", ["login", "logout"]),
        ("ce secret ", ["create", "delete", "get", "list", "update"]),
        ("ce secret create --form", ["--format"]),
        ("ce secret create --format s", ["ssh"]),
        ("ce recl list --sort-by ", ["name", "age"]),
        ("ce project list -o json", ["json", "jsonpath=", "jsonpath-as-json="]),
        ("ce app get -n x -o u", ["url"]),
        ("ce completion ", ["bash", "zsh", "fish"]),
        ("ce secret get --name ", []),
        ("ce emulator st", ["start", "status", "stop"]),
        ("ce emulator start ", []),
        ("ce admin ", ["keys", "migrate"]),
        ("ce admin keys r", ["rotate"]),
        ("ce doctor ", []),
    ],
)
def test_completion(words, offered):
    """Commands, options and values are offered; without a login there are no names."""
    assert completed(words) == offered


def test_completion_of_files():
    """Where a file goes, the shell offers its own."""
    assert completed("ce secret create --from-env-file /t") == ["/t"]


@pytest.mark.slow
def test_completion_of_names(mine):
    """Names of what there is are offered, where one is asked for that is there already."""
    mine("secret", "create", "-n", "hub", "-l", "A=b")
    mine("secret", "create", "-n", "mine", "-l", "A=b")
    mine("apikey", "create", "ci")
    assert completed("ce project delete --name my") == ["myproject"]
    assert completed("ce secret get --name ") == ["hub", "mine"]
    assert completed("ce registry get --name ") == []
    assert completed("ce secret create --name ") == []
    assert completed("ce revision get --name ") == []
    assert completed("ce apikey delete c") == ["ci"]
    assert completed("ce apikey create x --project my") == ["myproject"]
    assert completed("ce secret get --project my") == ["myproject"]
    assert completed("ce secret get --project myproject --name ") == ["hub", "mine"]
    assert completed("ce secret get --project none --name ") == []
    identity = completed("ce recl get --id ")
    assert identity == [target.selected(target.current())["id"]]
    mine("project", "delete", "-n", "myproject", "-f", "--hard")
    assert completed("ce secret get --name ") == []


def test_completion_of_profiles(unreachable):
    """Profiles are those of the home; a server out of reach offers nothing, and says nothing."""
    assert unreachable is None
    assert completed("ce profile use o") == ["other"]
    assert completed("ce login --profile ") == ["other"]
    assert completed("ce project get --name ") == []


@pytest.mark.parametrize("answer", ["{}", '{"projects": [1]}', '{"projects": [{"name": 1}]}'])
def test_completion_asked_of_another_server(other, answer):
    """What answers as no such API offers nothing, and no traceback."""
    answers, _ = other
    answers += [(200, '{"access_token": "t"}'), (200, answer)]
    assert completed("ce project get --name ") == []
    assert answers == []


def test_completed_words_are_the_emulator_s():
    """Its words stand apart from its parser, which completion does not load."""
    assert {*EMULATOR} == {*arguments.COMMANDS}
    parser = argparse.ArgumentParser()
    arguments.COMMANDS["keys"].add(parser)
    shown = parser.format_usage().partition("{")[2].partition("}")[0]
    assert {*KEYS} == {*shown.split(",")}


def test_completed_values_are_options():
    """Each word of the table is one that an option goes by."""
    assert set(completion.VALUES) | completion.FILES <= set(HELP)


@pytest.mark.parametrize("shell", COMPLETION)
def test_completion_scripts(shell):
    """Each shell's script names the program, and is one that the shell reads where it is there."""
    done = run("completion", shell)
    assert done.returncode == 0
    assert "_CE_COMPLETE" in done.stdout
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=done.stdout, text=True, check=True)
    assert run("completion", "tcsh").returncode == 2


@pytest.fixture
def path(tmp_path):
    """A folder with a real `ibmcloud` in it, and with `ce`; as PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "ce").symlink_to(Path(sys.executable).with_name("ce"))
    (folder / "ibmcloud").write_text('#!/bin/sh\necho "the real one: $*"\n')
    (folder / "ibmcloud").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def shell(line, path, program="bash"):
    """Run a line in a shell."""
    env = {**os.environ, "PATH": path}
    command = [program, "-euc", line]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout


@pytest.mark.usefixtures("ce")
@pytest.mark.parametrize("words", ["ce", "code-engine"])
def test_the_shim(path, words):
    """Documentation can be pasted: `ibmcloud ce` is `ce`, and whatever else stays the real one."""
    said = shell(f'eval "$(ce shim)"; ibmcloud {words} project list -q', path)
    assert said.startswith("Name  ID  Status")
    said = shell('eval "$(ce shim)"; ibmcloud login -r x; ibmcloud', path)
    assert said == "the real one: login -r x\nthe real one: \n"
    said = shell(f'eval "$(ce shim)"; ibmcloud {words} secrt list 2>&1 || ibmcloud {words}', path)
    assert f"Did you mean 'ibmcloud {words} secret list'?" in said
    assert f"Usage: ibmcloud {words} " in said
    assert "\n" not in "".join(SHIM.values())


@pytest.mark.usefixtures("ce")
@pytest.mark.parametrize("program", ["bash", "dash"])
def test_the_shim_where_there_is_no_real_one(path, program):
    """What a page begins with is ours there: `login`, `target`, `logout`; a key in clear is not."""
    Path(path.partition(":")[0], "ibmcloud").unlink()
    line = """
        eval "$(ce shim)"; ibmcloud target; ibmcloud login --apikey KEY -a https://x 2>&1 || echo $?
    """
    said = shell(line, path, program)
    assert said.startswith("Endpoint: ")
    assert "never the key itself" in said
    assert said.endswith("\n2\n")


@pytest.mark.usefixtures("ce")
def test_called_as_ibmcloud(tmp_path):
    """A link by that name works in scripts, where no shell function does."""
    link = tmp_path / "ibmcloud"
    link.symlink_to(Path(sys.executable).with_name("ce"))
    for words in (["ce"], ["code-engine"], []):
        command = [str(link), *words, "project", "list", "-q"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.startswith("Name  ID  Status")
    done = subprocess.run([link, "ce"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: ibmcloud ce ")
