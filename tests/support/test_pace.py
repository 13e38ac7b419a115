"""The plugin that keeps `make test` quick, on cases that are slow always, once, or in fixtures."""

import os
import re
import subprocess
import sys
import time

import pytest

from tests.support.pace import Crowd
from tests.support.yardstick import slowness

LIMIT = 0.5
SLOW = 2 * LIMIT
CASES = f"""
import time
from pathlib import Path

import pytest


def once(name):
    flag = Path(__file__).with_name(name)
    seen, _ = flag.exists(), flag.touch()
    return not seen


@pytest.fixture
def costly():
    time.sleep({SLOW})
    yield
    time.sleep({SLOW})


def test_quick(costly):
    pass


def test_slow_once(tmp_path):
    time.sleep({SLOW} * once("slept"))
    assert tmp_path.is_dir()


def test_fails():
    time.sleep({SLOW})
    assert False


@pytest.mark.parametrize("text", ["a b", "[c]", "d::e"])
def test_slow_twice(text):
    time.sleep({SLOW} * (text != "a b"))


def test_slow_in_parts(subtests):
    for number in range(4):
        with subtests.test(number=number):
            time.sleep({SLOW} / 3)


def test_fails_alone():
    time.sleep({SLOW} * once("passed"))
    assert not Path(__file__).with_name("again").exists()
    Path(__file__).with_name("again").touch()
"""


CALM = """
from pathlib import Path

from tests.support.pace import Crowd

Crowd.LOADS = Path("nowhere")
"""


def ran(folder, *words):
    """Run the cases above under the plugin; give the exit code and what was printed."""
    (folder / "test_them.py").write_text(CASES)
    (folder / "conftest.py").write_text(CALM)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib -ra\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.pace", f"--pace-limit={LIMIT}"]
    # In a CI system pytest's summary has whole messages: what is told once would stand twice.
    own = {"CI", "BUILD_NUMBER", "PYTEST_ADDOPTS"}  # what changes what pytest prints
    env = {name: text for name, text in os.environ.items() if name not in own}
    done = subprocess.run(
        [*command, *words],
        cwd=folder,
        env=env,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout


@pytest.mark.slow
def test_over_twice(tmp_path):
    """What is over twice has failed, and so has what fails alone; the rest is as it was."""
    code, said = ran(tmp_path, "-n2")
    assert code == 1
    failed = dict(re.findall(r"^FAILED test_them\.py::(.*?) - (.*)$", said, re.MULTILINE))
    twice = r"over 0\.5 s twice: \d\.\d s among others, \d\.\d s alone\. Make it quicker"
    assert failed.keys() == {
        *("test_fails", "test_fails_alone", "test_slow_in_parts"),
        *("test_slow_twice[[c]]", "test_slow_twice[d::e]"),
    }
    assert len(re.findall(twice, said)) == 3
    assert "among others; run again alone it did not pass:" in said
    assert "assert not" in said
    assert re.search(
        r"^test_them\.py::test_slow_once: \d\.\d s among others, 0\.\d s alone$", said, re.MULTILINE
    )
    assert re.search(r"= 5 failed, 7 passed in .* =", said)


@pytest.mark.slow
def test_over_once(tmp_path):
    """What is over once, and not alone, fails nothing and is named; what is quick is not."""
    code, said = ran(tmp_path, "-k", "once or quick")
    assert code == 0
    assert "over 0.5 s, but not alone" in said
    assert said.count("test_them.py::") == 1
    assert re.search(r"= 2 passed, 6 deselected in .* =", said)


def test_a_second_in_a_crowd_is_shorter(tmp_path, monkeypatch):
    """Where four want each processor, one who wants it always had a quarter; nobody has two."""
    loads = tmp_path / "loadavg"
    monkeypatch.setattr(Crowd, "LOADS", loads)
    for wanting, share in ((4 * os.cpu_count(), 0.25), (1, 1)):
        loads.write_text(f"0.50 0.50 0.50 {wanting}/300 4711\n")
        with Crowd() as crowd:
            time.sleep(0.1)
        assert crowd.share == share
    loads.unlink()
    with Crowd() as crowd:
        pass
    assert crowd.share == 1


def test_a_slower_machine():
    """Its seconds count for less, by how much longer it takes; those of a quicker one in full."""
    assert slowness(yardstick=3600) == 1
    assert slowness(yardstick=1e-6) > 1000
