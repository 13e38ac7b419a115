"""A project with things in it, on the screen: what tests of the console's tabs begin with."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, Response, ViewportSize, expect

from tests.support import Account, told
from tests.support.entries import entries
from tests.support.pages import DESKTOP, axe, clean, fits, in_all_looks, look

VALUE = "s3cr3t-0d9c5f1b"  # of a secret: what must be nowhere
HIDDEN = "Object.defineProperty(document, 'hidden', {get: () => true, configurable: true});"
TIGHT = ((320, 640), (640, 400))  # a small phone; 1280 px at 200 %
HIDE = HIDDEN + "document.dispatchEvent(new Event('visibilitychange'))"


def go(page: Page, project: dict[str, Any], where: str) -> None:
    """Go to an address in a project, within the page: a reload would end the session."""
    page.evaluate("hash => { location.hash = hash }", f"#/projects/{project['id']}/{where}")
    expect(page.get_by_role("heading", name=project["name"], level=1)).to_be_visible()


def made(account: Account, project: dict[str, Any], collection: str, **body: Any) -> dict[str, Any]:
    """Store something in a project."""
    path = f"/v2/projects/{project['id']}/{collection}"
    return told.body(account.call("POST", path, body), 201, 202)


def kept(account: Account, project: dict[str, Any], collection: str, name: str) -> Any:
    """Give the values of a secret or config map, as they are stored."""
    return account.got(f"/v2/projects/{project['id']}/{collection}/{name}")["data"]


def changed(
    account: Account, project: dict[str, Any], collection: str, name: str, **data: Any
) -> None:
    """Change some values, as someone else does meanwhile."""
    path = f"/v1/projects/{project['id']}/{collection}/{name}"
    headers = {"If-Match": "*"}
    told.body(account.call("PATCH", path, {"data": data}, headers=headers), 200)


def reads(account: Account, name: str) -> list[str]:
    """Give the keys of a secret whose values were read one by one, by the audit trail."""
    found = entries(account.host.inside.store, "account_id", account.id)
    about = [entry for entry in found if entry["action"] == "codeengine.secret.read"]
    return [entry["key"] for entry in about if "key" in entry and entry["names"] == [name]]


def answers(page: Page, wanted: Callable[[str], bool]) -> list[str]:
    """Give a list that the texts of the answers from some addresses go to, from now on."""
    found: list[str] = []

    def answered(response: Response) -> None:
        if wanted(response.url):
            found.append(response.text())

    page.on("response", answered)
    return found


def field(page: Page, name: str) -> Locator:
    """Give a field of the dialog."""
    return page.get_by_role("dialog").get_by_role("textbox", name=name, exact=True)


def enter(page: Page, name: str, text: str) -> None:
    """Type into a field of the dialog as a paste does: unlike `fill`, no failure ever shows it."""
    field(page, name).focus()
    page.keyboard.insert_text(text)


def everywhere(page: Page) -> None:
    """Assert what holds of a page in each look, in the reader's own colours and in little room."""
    in_all_looks(page, clean)
    look(page, DESKTOP, "light", forced=True)
    assert axe(page) == []
    for wide, high in TIGHT:
        look(page, ViewportSize(width=wide, height=high), "light")
        fits(page)
    look(page, DESKTOP, "light")
