"""Loading the functions, and loading them again when a file changes."""

import shutil

import pytest

from emulator import wire
from tests.support import ROOT, Host, until
from tests.support.emulator import HTTP, loaded, repository

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


@pytest.fixture
def copy(tmp_path):
    """A host of a copy of this repository, to be edited; and the copy."""
    root = tmp_path / "root"
    for name in ("functions", "shared", "console"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("firebase.json", "firestore.rules"):
        shutil.copy(ROOT / name, root)
    host = Host(tmp_path / "ce", "--firestore-port=0", "--hub-port=0", f"--root={root}").start()
    yield host, root
    host.stop()


@pytest.mark.slow
def test_the_real_functions_are_edited_while_they_serve(copy):
    """What is saved serves, in functions/ and in shared/; a fault is one line, and local."""
    host, root = copy
    account = host.account()
    project = account.project()

    def says(text):
        until(lambda: text in host.log(), 60)

    quotas = root / "shared" / "quotas.py"
    quotas.write_text(quotas.read_text() + "\n")
    says("reloaded quotas in ")
    file = root / "functions" / "http_projects.py"
    good = file.read_text()
    file.write_text(good + "\n1 / 0\n")
    line = len(good.splitlines()) + 2
    says(f"✗  functions: functions/http_projects.py:{line}  ZeroDivisionError: division by zero\n")
    assert account.function("getProject", id=project["id"]).status_code == 500
    account.secret(project, "s", {"k": "v"})  # through another file's functions
    file.write_text(good)
    says("reloaded http_projects in ")
    account.destroy(project)
    account.gone(project)  # events find the new functions too
    (root / "functions" / "functions.yaml").touch()
    says("functions.yaml changed: start anew for it to count")
