"""The browser that is there, and what becomes of the tests that need one: a pytest plugin.

Chromium is never downloaded: it is the one that `CE_BROWSER` names, else the first of `NAMES` on
the PATH. Where there is none, the cases that ask for the fixture `browser` are deselected, and the
summary says so in one line; where `CE_NEED_BROWSER=1` they stay, and fail (`launched`).
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
NONE = "no browser: apt-get install chromium, or set CE_BROWSER"
# A page under test reaches this machine alone, whatever it asks for.
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
LEFT_OUT = "reprieve_no_browser"  # what a worker of xdist tells the process that started it


def found() -> str | None:
    """Give the path of the browser, if there is one."""
    if named := os.environ.get("CE_BROWSER"):
        return shutil.which(named)
    return next(filter(None, map(shutil.which, NAMES)), None)


def needed() -> bool:
    """Tell whether it is a failure that there is no browser."""
    return os.environ.get("CE_NEED_BROWSER") == "1"


@contextmanager
def launched() -> Iterator[Browser]:
    """Start the browser, without a window; it ends with the context."""
    path = found()
    if path is None:
        pytest.fail(NONE, pytrace=False)
    with sync_playwright() as playwright:
        options = ["--no-sandbox", ALONE]  # root, as in a container, gets no sandbox
        browser = playwright.chromium.launch(executable_path=Path(path), args=options)
        yield browser
        browser.close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Mark what needs a browser, before `-m` chooses; then leave it out if there is none."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    result = yield
    if not (found() or needed()):
        without = [item for item in items if item.get_closest_marker("browser")]
        items[:] = [item for item in items if not item.get_closest_marker("browser")]
        config.hook.pytest_deselected(items=without)
        _tell(config, bool(without))
    return result


def _tell(config, left_out):
    if hasattr(config, "workeroutput"):
        config.workeroutput[LEFT_OUT] = left_out
    elif left_out:
        config.stash[KEY] = True


KEY = pytest.StashKey[bool]()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Hear from a worker of xdist whether it left cases out."""
    if getattr(node, "workeroutput", {}).get(LEFT_OUT):
        node.config.stash[KEY] = True


def pytest_terminal_summary(terminalreporter, config):
    """Say why cases were left out."""
    if config.stash.get(KEY, False):
        terminalreporter.write_line(NONE)
