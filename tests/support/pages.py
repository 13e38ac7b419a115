"""Pages in a browser: what they must never do, their four looks, and axe.

A page's context is watched from its beginning. What it prints, throws or asks another origin for
fails the test in the end, unless the test has allowed it by its words.
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, ViewportSize

from tests.support import ROOT, Account

AXE = ROOT / "tests" / "console" / "axe.min.js"
DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)
LOOKS = tuple((size, scheme) for size in (DESKTOP, PHONE) for scheme in ("light", "dark"))
PATIENCE = 30_000  # ms that a page gets for anything: a machine may be busy
LAST = "scheduler.postTask(() => 0, {priority: 'background', delay: 5})"  # no test's clock stops it
WIDTHS = """[[document.documentElement.scrollWidth, innerWidth],
  ...[...document.querySelectorAll('dialog[open]')]
    .map((one) => [one.scrollWidth, one.clientWidth])]"""
FAILED = "Failed to load resource"  # how Chromium begins what it prints of each failed request
REFUSED = rf"{FAILED}: net::ERR_CONNECTION_REFUSED"  # the host was killed, on purpose


class Watch:
    """What pages did that they must not; `origins` are those that they may ask."""

    def __init__(self, *origins: str) -> None:
        self.origins = set(origins)
        self.seen: list[str] = []
        self.allowed: list[str] = []
        self.contexts: list[BrowserContext] = []

    def add(self, context: BrowserContext) -> None:
        """Watch all pages of a context."""
        self.contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.on("console", lambda said: self.seen.append(f"console {said.type}: {said.text}"))
        context.on("weberror", lambda error: self.seen.append(f"page error: {error.error}"))
        context.on("request", lambda request: self._asked(request.url))
        context.on("page", lambda page: page.on("crash", lambda _: self.seen.append("crash")))

    def allow(self, *patterns: str) -> None:
        """Expect what matches, as `allow(failed(503), REFUSED)`; the rest still fails the test."""
        self.allowed += patterns

    def unexpected(self) -> list[str]:
        """Give what happened and was not allowed, once all pages have said what they have to."""
        for page in [page for context in self.contexts for page in context.pages]:
            page.evaluate(LAST)
        return [line for line in self.seen if not any(re.search(one, line) for one in self.allowed)]

    def _asked(self, url: str) -> None:
        origin = re.match(r"(?:https?|wss?)://[^/?#]*", url)
        if origin and origin[0] not in self.origins:
            self.seen.append(f"request to another origin: {url}")


def failed(*statuses: int) -> str:
    """Give the pattern of what Chromium prints when an answer has one of these statuses."""
    return rf"{FAILED}: the server responded with a status of ({'|'.join(map(str, statuses))})\b"


def look(page: Page, size: ViewportSize, scheme: Any, *, forced: bool = False) -> None:
    """Change a page's look: its size, `light` or `dark`, and the reader's own colours."""
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme, forced_colors="active" if forced else "none")


def in_all_looks(page: Page, check: Callable[[Page], None]) -> None:
    """Run a check in each look; what fails says in which."""
    for size, scheme in LOOKS:
        look(page, size, scheme)
        try:
            check(page)
        except BaseException as problem:
            problem.add_note(f"look: {size['width']} px, {scheme}")
            raise


def axe(page: Page) -> list[str]:
    """Give what axe finds wrong with a page as it is now, with all its rules: a line each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{row['id']}: {row['help']}: {[node['target'] for node in row['nodes']]}"
        for row in found["violations"]
    ]


def clean(page: Page) -> None:
    """Assert what holds in every look: axe finds nothing, and nothing scrolls sideways."""
    assert axe(page) == []
    fits(page)


def fits(page: Page) -> None:
    """Assert that neither a page nor a dialog on it scrolls sideways."""
    for wide, room in page.evaluate(WIDTHS):
        assert wide <= room, f"{wide} px wide in {room} px"


def sign_in(page: Page, url: str, account: Account) -> None:
    """Sign in with an account's key, by the keyboard: unlike `fill`, no failure ever shows it."""
    page.goto(f"{url}/#/signin")
    page.get_by_label("API key", exact=True).focus()
    page.keyboard.insert_text(account.apikey)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="Projects", level=1).wait_for()


@cache
def _axe() -> str:
    return Path(AXE).read_text()
