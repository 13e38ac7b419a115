"""The bench for tests in a browser: what a page does wrong fails them, and axe is axe."""

import hashlib
import os
import re
import subprocess
import sys

import pytest

from tests.support import ROOT
from tests.support.browser import NONE, found
from tests.support.pages import AXE, DESKTOP, axe, failed, in_all_looks, look

# What a page may do wrong, and how that is told.
WRONGS = (
    ("console.log('a word')", "console log: a word"),
    ("console.error('oh')", "console error: oh"),
    ("setTimeout(() => { throw new Error('thrown') }); 0", "page error: .*thrown"),
    ("Promise.reject(new Error('dropped')); 0", "page error: .*dropped"),
    ("fetch('http://example.com/x').catch(() => 0)", "console error: .*Content Security Policy"),
    ("fetch('/nowhere').then(() => 0)", f"console error: {failed(404)}"),
)
CASES = """
import os
from types import SimpleNamespace

import pytest

from tests.console.conftest import *


@pytest.fixture
def host():
    return SimpleNamespace(url=os.environ["URL"])


def test_good(page, console_url):
    page.goto(console_url)


def test_wrong(page, console_url):
    page.goto(console_url)
    page.evaluate("setTimeout(() => console.log('late'))")


def test_no_page():
    pass
"""


@pytest.mark.parametrize(("script", "told"), WRONGS, ids=[script for script, _ in WRONGS])
def test_what_a_page_does_wrong_is_seen(page, watch, console_url, script, told):
    """Each wrong is told, and is told no more once it is allowed."""
    page.goto(console_url)
    assert watch.unexpected() == []
    page.evaluate(script)
    assert watch.unexpected()
    watch.allow(told)
    assert watch.unexpected() == []


def test_a_clock_that_stands_still_hides_nothing(page, watch, console_url):
    """Where a test has stopped the page's clock, what it does wrong is told all the same."""
    page.clock.install()
    page.goto(console_url)
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    page.evaluate("console.log('a word')")
    assert watch.unexpected() == ["console log: a word"]
    watch.allow("a word")


def test_another_origin_is_seen(page, watch, host):
    """A page that asks another origin is told of, unless the test says that it may."""
    page.goto(f"{host.functions}/")
    assert f"request to another origin: {host.functions}/" in watch.unexpected()
    watch.seen.clear()
    watch.origins.add(host.functions)
    page.goto(f"{host.functions}/")
    watch.allow(failed(404))
    assert watch.unexpected() == []


@pytest.fixture
def run(tmp_path, host):
    """Run `CASES` in a process of its own; give its exit code and what it printed."""
    (tmp_path / "test_cases.py").write_text(CASES)

    def run(*words, **env):
        settings = ["-c", "pyproject.toml", "-p", "tests.support.browser", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *settings, *words, tmp_path / "test_cases.py"],
            cwd=ROOT,
            env=os.environ | {"URL": host.url, "CE_NEED_BROWSER": ""} | env,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    return run


@pytest.mark.slow
@pytest.mark.usefixtures("browser")
def test_a_page_that_does_wrong_fails_its_test(run):
    """The wrong that comes last of all fails the test in the end, in its words."""
    code, said = run(CE_BROWSER=found())
    assert code == 1
    assert "3 passed, 1 error" in said
    assert "ERROR at teardown of test_wrong" in said
    assert "console log: late" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "env"), [("0", {"PATH": ""}), ("2", {"CE_BROWSER": "nowhere"})]
)
def test_without_a_browser(run, workers, env):
    """Without a browser only what needs one is left out, and one line says why."""
    code, said = run("-n", workers, **env)
    assert code == 0
    assert "1 passed" in said
    assert said.count(NONE) == 1


@pytest.mark.slow
def test_a_browser_is_needed(run):
    """Where a browser is asked for, it is a failure that there is none."""
    code, said = run("-n", "0", PATH="", CE_NEED_BROWSER="1")
    assert code == 1
    assert "1 passed, 2 errors" in said
    assert NONE in said


def test_axe_is_the_one_named():
    """The vendored file is that of the licence beside it."""
    licence = AXE.with_name("axe.min.js.LICENSE.txt").read_text()
    assert re.findall(r"\b[0-9a-f]{64}\b", licence) == [
        hashlib.sha256(AXE.read_bytes()).hexdigest()
    ]
    assert "Mozilla Public License" in licence


def test_axe_finds(page, console_url):
    """It runs under the pages' policy, and names the element that is wrong."""
    page.goto(console_url)
    page.evaluate("document.body.append(document.createElement('img'))")
    assert any(line.startswith("image-alt: ") and "img" in line for line in axe(page))


def test_looks(page, console_url):
    """A check runs in four looks, and its failure names the look; forced colours are a fifth."""
    page.goto(console_url)
    seen = set()
    dark = "matchMedia('(prefers-color-scheme: dark)').matches"
    in_all_looks(page, lambda page: seen.add(tuple(page.evaluate(f"[innerWidth, {dark}]"))))
    assert seen == {(1280, False), (1280, True), (390, False), (390, True)}
    with pytest.raises(AssertionError) as raised:
        in_all_looks(page, lambda page: refuse(page.evaluate(dark)))
    assert raised.value.__notes__ == ["look: 1280 px, dark"]
    look(page, DESKTOP, "light", forced=True)
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")


def refuse(wrong):
    """Fail where it is so."""
    assert not wrong


def test_each_test_begins_anew(page, new_page, console_url):
    """What one context stores, another does not see."""
    page.goto(console_url)
    page.evaluate("localStorage.setItem('a', 'b')")
    other = new_page()
    other.goto(console_url)
    assert other.evaluate("localStorage.length") == 0
