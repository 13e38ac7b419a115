"""Loading the functions, and loading them again when a file changes."""

import sys

import pytest

from emulator import manifest, wire
from emulator.host import Host
from emulator.log import Log
from tests.test_emulator_serving import HTTP, repository

MAIN = """
import {module}
import functions_framework
from {module} import good
from {module}_2 import other
"""
GOOD = """
import functions_framework
@functions_framework.http
def {name}(request):
    {does}
"""


@pytest.fixture
def loaded(tmp_path):
    """A repository with two functions in two files, loaded; its modules are forgotten after."""
    root, module = repository(tmp_path, good=HTTP, other=HTTP), f"mod_{tmp_path.name}"
    (root / "functions" / "main.py").write_text(MAIN.format(module=module))
    files = root / "functions" / f"{module}.py", root / "functions" / f"{module}_2.py"
    for file, name in zip(files, ("good", "other"), strict=True):
        file.write_text(GOOD.format(name=name, does=f"return '{name} 1'"))
    before, written = set(sys.modules), sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    host = Host(root, manifest.read(root), Log(quiet=True))
    assert host.load() is None
    yield host, files
    sys.dont_write_bytecode = written
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(root)):
            del sys.modules[name]


def test_functions_reload(loaded):
    """A changed file serves after a reload."""
    host, (file, _) = loaded
    assert wire.call(host.app("good")).body == b"good 1"
    file.write_text(GOOD.format(name="good", does="return 'good 2'"))
    assert host.load() is None
    assert wire.call(host.app("good")).body == b"good 2"


@pytest.mark.parametrize("broken", ["def (", "import nothing_such_module", "1 / 0", "exit(3)"])
def test_a_broken_file_takes_down_only_its_own_functions(loaded, broken):
    """The others go on as they were; the answer names file and line, and shows no source."""
    host, (file, _) = loaded
    good = file.read_text()
    file.write_text(f"\n{broken}\n{good}")
    fault = host.load()
    assert fault.where == f"functions/{file.name}:2"
    answer = wire.call(host.app("good"))
    assert answer.status == 500
    assert f"{file.name}:2" in answer.body.decode()
    assert broken not in answer.body.decode()
    assert wire.call(host.app("other")).body == b"other 1"
    file.write_text(good)
    assert host.load() is None
    assert wire.call(host.app("good")).body == b"good 1"


@pytest.mark.parametrize("does", ["raise RuntimeError", "exit(3)"])
def test_a_function_that_raises_or_exits_answers_500(loaded, does):
    """It takes nothing else with it."""
    host, (file, _) = loaded
    file.write_text(GOOD.format(name="good", does=does))
    assert host.load() is None
    assert wire.call(host.app("good")).status == 500
    assert wire.call(host.app("other")).status == 200
