"""The host goes away in the middle of a change: what was typed stays, and is saved afterwards."""

import pytest
from playwright.sync_api import expect

from tests.faults.hosts import troubled_host
from tests.support.holding import VALUE, everywhere, go, kept, reads
from tests.support.pages import REFUSED, failed
from tests.support.screens import choose, press, toast

TYPED = "typed-7be1\nwith a line"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """A host of its own, whose store outlives it."""
    with troubled_host(tmp_path_factory.mktemp("away") / "ce") as host:
        yield host


@pytest.mark.slow
def test_typed_text_outlives_the_host(page, signed_in, host, account, watch):
    """Stopped before a save and a reveal, both say so; tried again once it is back, both do."""
    watch.allow(REFUSED, failed(502, 503, 504), "net::ERR_")
    project = account.project("shop")
    account.secret(project, "db", {"PASSWORD": VALUE, "USER": "someone"})
    signed_in(page, account)
    go(page, project, "secrets/db")
    choose(page, "PASSWORD", "Edit…")
    dialog = page.get_by_role("dialog")
    value = dialog.get_by_role("textbox", name="Value", exact=True)
    expect(value).to_be_focused()
    page.keyboard.insert_text(TYPED)
    host.stop()
    press(page, "Save")
    expect(dialog.get_by_role("alert")).to_contain_text("The host does not answer.")
    expect(value).to_have_value(TYPED)
    everywhere(page)
    host.again()
    press(page, "Try again", dialog)
    toast(page, "is saved.")
    assert kept(account, project, "secrets", "db") == {"PASSWORD": TYPED, "USER": "someone"}
    host.stop()
    press(page, "Reveal USER")
    expect(page.locator("table").get_by_role("alert")).to_have_text(
        "The host does not answer.", timeout=20_000
    )
    host.again()
    press(page, "Reveal USER")
    expect(page.locator("table").get_by_text("someone")).to_be_visible(timeout=20_000)
    assert reads(account, "db") == ["USER"]
