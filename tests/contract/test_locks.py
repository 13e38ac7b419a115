"""The locks hold what pyproject.toml admits, and the check says so when they do not."""

import ast
import re
import shutil
import sys
from importlib.metadata import packages_distributions

import pytest
from packaging.utils import canonicalize_name

from tests.support import ROOT
from tools import locks

PIN = f"six==1.17.0 \\\n    --hash=sha256:{'0' * 64}\n"
OWN = {"functions", "shared"}


@pytest.fixture
def house(tmp_path):
    """A copy of what the check reads."""
    for name in ("pyproject.toml", locks.WHOLE, locks.NAMES, locks.PART):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def changed(file, pattern, text):
    """Change a file, which has exactly one such place."""
    new, count = re.subn(pattern, text, file.read_text(), flags=re.MULTILINE)
    assert count == 1
    file.write_text(new)


def test_these_hold(capsys):
    """As they are."""
    assert list(locks.problems(ROOT)) == []
    with pytest.raises(SystemExit) as end:
        locks.main()
    assert (end.value.code, capsys.readouterr().err) == (0, "")


@pytest.mark.parametrize("lock", [locks.WHOLE, locks.PART])
def test_they_name_no_place(lock):
    """No index, no folder and no option: a lock works wherever packages come from."""
    text = (ROOT / lock).read_text()
    assert not re.search(r"://|^-|--(?!hash=)|/", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("pattern", "text", "said"),
    [
        (r'"click>=8.2,<9"', '"click>=9"', r"click \S+ is locked, pyproject.toml asks for >=9"),
        (r'"click>=8.2,<9"', '"click>=8.2", "left-pad>=1"', "left-pad is not locked"),
        (r'"cronsim>=2.6,<3"', '"cronsim>99"', r"cronsim \S+ is locked, .* asks for >99"),
        (r'"mypy>=\S+",', '"mypy<1",', r"mypy \S+ is locked, .* asks for <1"),
        (r'requires = \["hatchling\S+"\]', 'requires = ["flit-core"]', "flit-core is not locked"),
    ],
    ids=["a range", "a package", "an extra's", "the tests'", "the build backend"],
)
def test_pyproject_goes_ahead(house, pattern, text, said):
    """What it asks for and the lock does not hold is told."""
    changed(house / "pyproject.toml", pattern, text)
    assert [line for line in locks.problems(house) if re.search(said, line)]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("six==1.17.0\n", "six has no hash"),
        (PIN.replace("0" * 64, "0" * 63), "six has no hash"),
        (PIN.replace("==", ">="), "'six>=1.17.0' is no package at one version"),
        (PIN.replace("==1.17.0", ""), "'six' is no package at one version"),
        ("six @ https://example.com/six.whl\n", "is no package at one version"),
        ("--extra-index-url https://example.com/simple\n", "is no package at one version"),
        ("-e .\n", "'-e .' is no package at one version"),
        (PIN.replace("six", "never-tested"), "never-tested 1.17.0 is not what tests/"),
    ],
)
def test_a_line_that_does_not_hold(house, lines, said):
    """It is no pin, or pins no bytes, or pins what no test has met."""
    with (house / locks.PART).open("a") as file:
        file.write(lines)
    found = list(locks.problems(house))
    assert any(line.startswith(f"{locks.PART}: ") and said in line for line in found), found


def test_a_pin_for_other_machines(house):
    """A package may be there twice, by markers; each must be admitted."""
    pin = PIN.replace("six==1.17.0", "click==1.0 ; sys_platform == 'win32'")
    with (house / locks.WHOLE).open("a") as file:
        file.write(pin)
    (found,) = locks.problems(house)
    assert found.startswith("tests/requirements.lock: click 1.0 is locked")


def test_a_deployment_s_names(house):
    """A deployment has nothing that is no dependency of the project; nothing is left out."""
    with (house / locks.NAMES).open("a") as file:
        file.write("wcwidth\nnever-asked-for\n")
    assert list(locks.problems(house)) == [
        "deploy/requirements.lock: wcwidth is not locked: `make lock UPGRADE=` adds it",
        "deploy/requirements.in: never-asked-for is no dependency in pyproject.toml",
    ]


def imported(folder):
    """Give what the modules of a package import from outside, but for programs among them."""
    for file in sorted((ROOT / folder).rglob("*.py")):
        tree = ast.parse(file.read_text())
        if "__main__" in file.read_text():
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield node.module


def test_a_deployment_has_what_it_imports():
    """Everything that functions/ and shared/ import is in its lock."""
    locked = {pin.name for pin in locks.pins(ROOT / locks.PART)[0]}
    known = packages_distributions()
    tops = {name.partition(".")[0] for folder in OWN for name in imported(folder)}
    outside = tops - sys.stdlib_module_names - OWN - {"_typeshed"}
    assert {"flask", "grpc", "cryptography"} <= outside
    for name in outside:
        assert {canonicalize_name(found) for found in known[name]} & locked, name


def test_every_action_is_pinned():
    """The steps that others wrote run at a commit, which nobody can move, and get no token."""
    text = "".join(file.read_text() for file in (ROOT / ".github" / "workflows").iterdir())
    uses = re.findall(r"uses: (\S+)(.*)", text)
    assert uses
    for action, comment in uses:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action
    checkouts = sum(action.startswith("actions/checkout@") for action, _ in uses)
    assert text.count("persist-credentials: false") == checkouts
