"""Loading the functions, and loading them again when a file changes."""

import pytest

from emulator import wire
from tests.emulator_support import HTTP, loaded, repository

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
def served(tmp_path):
    """A host of two functions in two files, and the files."""
    root, module = repository(tmp_path, good=HTTP, other=HTTP), f"mod_{tmp_path.name}"
    (root / "functions" / "main.py").write_text(MAIN.format(module=module))
    files = root / "functions" / f"{module}.py", root / "functions" / f"{module}_2.py"
    for file, name in zip(files, ("good", "other"), strict=True):
        file.write_text(GOOD.format(name=name, does=f"return '{name} 1'"))
    with loaded(root) as host:
        yield host, files


def test_functions_reload(served):
    """A changed file serves after a reload."""
    host, (file, _) = served
    assert wire.call(host.app("good")).body == b"good 1"
    file.write_text(GOOD.format(name="good", does="return 'good 2'"))
    assert host.load() is None
    assert wire.call(host.app("good")).body == b"good 2"


@pytest.mark.parametrize("broken", ["def (", "import nothing_such_module", "1 / 0", "exit(3)"])
def test_a_broken_file_takes_down_only_its_own_functions(served, broken):
    """The others go on as they were; the answer names file and line, and shows no source."""
    host, (file, _) = served
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
def test_a_function_that_raises_or_exits_answers_500(served, does):
    """It takes nothing else with it."""
    host, (file, _) = served
    file.write_text(GOOD.format(name="good", does=does))
    assert host.load() is None
    assert wire.call(host.app("good")).status == 500
    assert wire.call(host.app("other")).status == 200
