"""What is deleted and waits, in a browser: its countdown, the way back, and the way to its end."""

import datetime as dt
import re

import pytest
from playwright.sync_api import expect

from tests.support.pages import failed
from tests.support.screens import (
    choose,
    counting,
    focused,
    look_again,
    press,
    quoted,
    reach,
    row,
    toast,
    writes,
)

DAY = 24 * 3600


@pytest.fixture
def deleted(page, signed_in, account):
    """The screen of an account with projects that were deleted: `deleted("a", "b")`."""

    def make(*names, by=account):
        for name in names:
            account.delete(account.project(name))
        signed_in(page, by)
        page.keyboard.type("gd")
        expect(row(page, names[0])).to_be_visible()
        return page

    return make


def test_restored_by_keyboard(deleted, account):
    """Restore is one press; the focus goes to the row that took the place, then to the heading."""
    page = deleted("one", "two")
    sent = writes(page)
    press(page, "Restore one")
    toast(page, f"{quoted('one')} is back, complete.")
    expect(row(page, "one")).to_have_count(0)
    expect(page.get_by_role("link", name="two")).to_be_focused()
    press(page, "Restore two")
    expect(page.get_by_role("heading", name="Nothing is deleted")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert len(sent) == 2
    assert {one["status"] for one in account.got("/v2/projects")["projects"]} == {"active"}


@pytest.mark.slow
def test_destroyed_by_keyboard(deleted, host):
    """Enter does nothing until the name is typed; then it is being destroyed until it vanishes."""
    page = deleted("trial-7", "other")
    sent = writes(page)
    choose(page, "trial-7", "Destroy now…")
    dialog = page.get_by_role("dialog", name=f"Destroy {quoted('trial-7')} now?")
    expect(page.get_by_label("Type trial-7 to confirm")).to_be_focused()
    for text in ("", "trial-", "77"):
        page.keyboard.insert_text(text)
        page.keyboard.press("Enter")
    expect(dialog).to_contain_text("Without you it is kept until")
    page.keyboard.press("Escape")
    assert focused(page) == "⋯ of trial-7"
    host.hold()
    choose(page, "trial-7", "Destroy now…")
    page.keyboard.insert_text("trial-7")
    expect(dialog).to_contain_text("The name matches.")
    assert sent == []
    page.keyboard.press("Enter")
    toast(page, f"{quoted('trial-7')} is being destroyed.")
    expect(row(page, "trial-7")).to_contain_text("Being destroyed")
    expect(page.get_by_role("button", name="Restore trial-7")).to_have_count(0)
    host.release()
    expect(row(page, "trial-7")).to_have_count(0, timeout=20_000)
    expect(row(page, "other")).to_have_count(1)
    assert len(sent) == 1


@pytest.mark.slow
def test_a_key_without_purge(deleted, account):
    """What a key may not do is shown, with what it takes, and asks the host for nothing."""
    page = deleted("shop", by=account.another_key("editor"))
    sent = writes(page)
    choose(page, "shop", "Destroy now…")
    entry = page.locator("[popover]:popover-open").get_by_role("button", name="Destroy now…")
    expect(entry).to_have_attribute("aria-disabled", "true")
    expect(entry).to_contain_text("It takes the role purge or administrator.")
    assert page.locator("dialog").count() == 0
    assert sent == []


@pytest.mark.slow
def test_a_key_that_only_looks(deleted, account):
    """Restore says what it takes where it is pressed."""
    page = deleted("shop", by=account.another_key("viewer"))
    sent = writes(page)
    press(page, "Restore shop")
    toast(page, "It takes the role editor or administrator.")
    assert sent == []


@pytest.mark.slow
def test_the_hosts_clock_counts(deleted, account, host, page):
    """Countdowns and colours follow the host's clock, whatever the browser's says."""
    page.clock.install(time=dt.datetime(2031, 1, 1, tzinfo=dt.UTC))
    account.delete(account.project("first"))
    host.advance(6 * DAY + 4 * 3600)
    page = deleted("then")
    rows = page.locator("tbody tr")
    expect(rows.nth(0)).to_contain_text("first")
    expect(rows.nth(0)).to_contain_text("20 h 0 min")
    expect(rows.nth(0).locator(".status")).to_have_class("status diamond")
    expect(rows.nth(1)).to_contain_text("7 d 0 h")
    expect(rows.nth(1).locator(".status")).to_have_class("status ring")
    expect(page.locator(".count")).to_have_class("count red")
    expect(page.get_by_text("Test clock.")).to_be_visible()


@pytest.mark.slow
def test_the_clock_is_moved(deleted, host):
    """The note says how far it is ahead; past the deadline nothing can be restored."""
    page = deleted("shop")
    expect(page.get_by_text("Test clock.")).to_have_count(0)
    host.advance(6 * DAY + 4 * 3600)
    look_again(page)
    expect(page.locator("main")).to_contain_text("This host's clock is 6 d 4 h ahead.")
    expect(row(page, "shop")).to_contain_text("20 h 0 min")
    host.advance(DAY)
    look_again(page)
    expect(row(page, "shop")).to_contain_text("Now: its deadline is over")
    expect(page.get_by_role("button", name="Restore shop")).to_have_count(0)
    host.enforce()
    look_again(page)
    expect(page.get_by_role("heading", name="Nothing is deleted")).to_be_visible()


@pytest.mark.slow
def test_too_late(deleted, account, watch):
    """Who restores what is being destroyed is told so, and that it is gone."""
    watch.allow(failed(404, 409))
    page = deleted("shop")
    account.action(account.got("/v2/projects")["projects"][0], "reclaim")
    press(page, "Restore shop")
    expect(page.get_by_role("alert")).to_contain_text("It is too late.")


@pytest.mark.slow
def test_two_restore(deleted, new_page, signed_in, account, watch):
    """Of two who restore at once both see it back: the second is told no failure."""
    watch.allow(failed(404, 409))
    first = deleted("shop")
    second = new_page()
    signed_in(second, account)
    second.keyboard.type("gd")
    expect(row(second, "shop")).to_be_visible()
    press(first, "Restore shop")
    toast(first, "is back, complete.")
    press(second, "Restore shop")
    toast(second, "is back, complete.")
    expect(second.get_by_role("alert")).to_have_count(0)


@pytest.mark.slow
def test_a_dialog_whose_matter_is_settled(deleted, account):
    """Restored elsewhere, a project is no more to be destroyed: the dialog goes, and says why."""
    page = deleted("shop")
    choose(page, "shop", "Destroy now…")
    page.keyboard.insert_text("shop")
    account.action(account.got("/v2/projects")["projects"][0], "restore")
    look_again(page)
    toast(page, f"{quoted('shop')} is active.")
    assert page.locator("dialog").count() == 0
    expect(page.get_by_role("heading", level=1)).to_be_focused()


@pytest.mark.slow
def test_once_however_often_it_is_clicked(deleted):
    """A double click restores once, and destroys once."""
    page = deleted("one", "two")
    sent = writes(page)
    page.get_by_role("button", name="Restore one").dblclick()
    toast(page, "is back, complete.")
    choose(page, "two", "Destroy now…")
    page.keyboard.insert_text("two")
    page.get_by_role("button", name="Destroy for good").dblclick()
    toast(page, "is being destroyed.")
    assert len(sent) == 2


@pytest.mark.slow
def test_opened(deleted, account):
    """A deleted project says until when, asks for nothing that it holds, and comes back."""
    page = deleted("shop")
    [made] = account.got("/v2/projects")["projects"]
    reach(page, page.get_by_role("link", name="shop"))
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text(
        "Everything in it comes back if you restore it before"
    )
    expect(page.get_by_role("term").filter(has_text=re.compile("^Project$"))).to_be_visible()
    asked = counting(page, lambda one: made["id"] in one.url)
    page.get_by_role("link", name="Config maps").click()
    expect(page.get_by_text("Not readable while deleted.")).to_be_visible()
    assert asked == []
    press(page, "Restore")
    toast(page, "is back, complete.")
    expect(page.get_by_text("Not readable while deleted.")).to_have_count(0)
