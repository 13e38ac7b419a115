"""Where the focus is when what had it has vanished: never nowhere."""

import pytest
from playwright.sync_api import expect

from tests.support.holding import VALUE, changed, enter, field, go
from tests.support.pages import failed
from tests.support.screens import choose, focused, look_again, press, reach, toast

pytestmark = pytest.mark.slow


@pytest.fixture
def shop(page, signed_in, account):
    """A project without anything in it on the screen."""
    project = account.project("shop")
    signed_in(page, account)
    go(page, project, "secrets")
    return project


def heading(page):
    """The heading of the page."""
    return page.get_by_role("heading", level=1)


@pytest.mark.usefixtures("shop")
def test_the_first_that_is_added(page):
    """With the first secret the empty state goes, and the button that was pressed."""
    press(page, "Add secret")
    enter(page, "Name", "db")
    enter(page, "Key", "K")
    enter(page, "Value", VALUE)
    press(page, "Add secret", page.get_by_role("dialog"))
    toast(page, "is added.")
    expect(page.get_by_role("link", name="db")).to_be_visible()
    expect(heading(page)).to_be_focused()


@pytest.mark.usefixtures("shop")
def test_a_row_that_is_removed(page):
    """In a dialog the control that came after it has the focus."""
    press(page, "Add secret")
    press(page, "Add a row")
    reach(page, page.get_by_role("button", name="Remove key 2"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(field(page, "Key")).to_have_count(1)
    expect(page.get_by_role("button", name="Add a row")).to_be_focused()


def test_a_save_that_is_beaten(page, shop, account, watch):
    """The box that tells it has the focus: the next Tab is its first button."""
    watch.allow(failed(412))
    account.secret(shop, "db", {"K": VALUE})
    go(page, shop, "secrets/db")
    choose(page, "K", "Edit…")
    page.keyboard.insert_text("mine")
    changed(account, shop, "secrets", "db", K="theirs")
    press(page, "Save")
    expect(page.get_by_role("alert").filter(has_text="changed by someone else")).to_be_focused()
    page.keyboard.press("Tab")
    assert focused(page) == "Load the new one"


def test_what_goes_from_the_page(page, shop, account, watch):
    """Restore in a project's banner, and Clear the filter: the heading has it."""
    watch.allow(failed(409))  # the list of what was deleted just before
    account.delete(shop)
    look_again(page)
    press(page, "Restore")
    toast(page, "is back, complete.")
    expect(heading(page)).to_be_focused()
    page.evaluate("location.hash = '#/projects?q=zzz'")
    press(page, "Clear the filter")
    expect(page.get_by_role("link", name="shop")).to_be_visible()
    expect(heading(page)).to_be_focused()


def test_try_again(page, shop, watch):
    """What went wrong is gone with its button once trying again helped."""
    watch.allow("ERR_FAILED", failed(500))
    broken = {"status": 500, "json": {"errors": [{"code": "internal", "message": "It broke."}]}}
    page.route("**/v1/projects/*/config_maps?*", lambda route: route.fulfill(**broken))
    go(page, shop, "maps")
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    page.unroute("**/v1/projects/*/config_maps?*")
    press(page, "Try again")
    expect(page.get_by_role("heading", name="No config maps yet")).to_be_visible()
    expect(heading(page)).to_be_focused()


@pytest.mark.usefixtures("shop")
def test_left_on_purpose(page):
    """A click on the bare page leaves it nowhere, and nothing that changes then takes it."""
    page.get_by_role("button", name="Add secret").focus()
    page.mouse.click(5, 700)
    assert focused(page) == "body"
    look_again(page)
    page.evaluate("document.querySelector('.empty').remove()")
    page.evaluate("() => new Promise((done) => { setTimeout(done, 200) })")
    assert focused(page) == "body"
