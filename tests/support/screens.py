"""What a person does with the console: by the keyboard alone, and what must be nowhere after."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, Request, expect

expect.set_options(timeout=15_000)  # a machine may be busy; what is right is there at once
TABS = 120  # presses until whatever is on the longest screen has been reached
KEPT = """async () => [
  ...Object.keys(localStorage), ...Object.keys(sessionStorage), ...await indexedDB.databases(),
  ...await caches.keys(), ...await navigator.serviceWorker.getRegistrations(),
  ...(document.cookie ? [document.cookie] : []), ...(history.state === null ? [] : [history.state]),
]"""
SHOWN = """() => [
  location.href, document.title, document.documentElement.outerHTML,
  ...[...document.querySelectorAll('input, textarea, select')].map((one) => one.value),
].join('\\n')"""


def quoted(name: str) -> str:
    """Give a name as it stands within a sentence, which keeps its own direction."""
    return f"“\u2068{name}\u2069”"


def reach(page: Page, target: Locator, key: str = "Tab") -> None:
    """Press Tab until something has the focus."""
    expect(target).to_be_visible()
    wanted = target.element_handle()
    for _ in range(TABS):
        if wanted.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"no Tab reaches {target}")


def press(page: Page, name: str, within: Locator | None = None) -> None:
    """Reach a button by Tab, and press Enter."""
    reach(page, (within or page).get_by_role("button", name=name, exact=True).first)
    page.keyboard.press("Enter")


def choose(page: Page, name: str, entry: str) -> None:
    """Open the menu of a row, and choose what is in it."""
    press(page, f"⋯ of {name}")
    reach(page, page.locator("[popover]:popover-open").get_by_role("button", name=entry))
    page.keyboard.press("Enter")


def look_again(page: Page) -> None:
    """Have a page read anew what it shows, as when its tab comes to the front."""
    page.evaluate("window.dispatchEvent(new Event('focus'))")


def create(page: Page, name: str) -> None:
    """Make a project by the keyboard; what was made is opened."""
    press(page, "Create project")
    page.keyboard.insert_text(name)
    page.keyboard.press("Enter")
    toast(page, f"{quoted(name)} is created.")


def row(page: Page, name: str) -> Locator:
    """Give a table's row by the name in it."""
    return page.locator("tbody tr").filter(has=page.get_by_text(name, exact=True))


def toast(page: Page, text: str) -> None:
    """Wait until the page tells something at its foot."""
    expect(page.locator(".toast")).to_contain_text(text)


def focused(page: Page) -> str:
    """Give the words of what has the focus; `body` where nothing has."""
    return page.evaluate(
        "(document.activeElement.tagName === 'BODY' && 'body') || document.activeElement"
        ".getAttribute('aria-label') || document.activeElement.innerText"
    )


def nowhere(page: Page, *texts: str) -> None:
    """Assert that the browser keeps nothing of a page, and that none of the texts is in it."""
    assert page.evaluate(KEPT) == []
    shown = page.evaluate(SHOWN)
    assert [at for at, text in enumerate(texts) if text in shown] == []


def counting(page: Page, wanted: Callable[[Request], Any]) -> list[str]:
    """Give a list that the requests which are meant go to, from now on."""
    found: list[str] = []

    def asked(request: Request) -> None:
        if wanted(request):
            found.append(f"{request.method} {request.url}")

    page.on("request", asked)
    return found


def writes(page: Page) -> list[str]:
    """Give a list that the writes go to, those of sign-in apart."""
    return counting(page, lambda one: one.method != "GET" and "/identity/" not in one.url)
