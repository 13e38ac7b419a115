"""A project is deleted elsewhere while something is typed into a dialog of its screen."""

import pytest
from playwright.sync_api import expect

from tests.support.holding import VALUE, everywhere, field, kept
from tests.support.pages import failed
from tests.support.screens import choose, look_again, press, quoted, toast

TYPED = "typed-7be1"
pytestmark = pytest.mark.slow


@pytest.fixture
def project(account):
    """A project with one secret."""
    project = account.project("shop")
    account.secret(project, "db", {"PASSWORD": VALUE})
    return project


@pytest.fixture
def db(shown):
    """The secret on the screen."""
    return shown("secrets/db")


def test_typed_text_stays(db, account, project, watch):
    """It stays, with a word; nothing is saved before the project is back, and then it is."""
    watch.allow(failed(409))
    page, dialog = db, db.get_by_role("dialog")
    choose(page, "PASSWORD", "Edit…")
    page.keyboard.insert_text(TYPED)
    account.delete(project)
    look_again(page)
    expect(dialog.get_by_text("This project was deleted elsewhere meanwhile")).to_be_visible()
    expect(field(page, "Value")).to_have_value(TYPED)
    everywhere(page)
    press(page, "Save", dialog)
    expect(dialog.get_by_role("alert")).to_contain_text(["That did not work."])
    account.action(project, "restore")
    look_again(page)
    expect(dialog.get_by_text("was deleted elsewhere")).to_have_count(0)
    press(page, "Save", dialog)
    toast(page, "is saved.")
    assert kept(account, project, "secrets", "db") == {"PASSWORD": TYPED}


def test_closed_at_last(db, account, project):
    """Once it is closed the screen is that of a deleted project, and the focus is in it."""
    page = db
    choose(page, "PASSWORD", "Edit…")
    page.keyboard.insert_text(TYPED)
    account.delete(project)
    look_again(page)
    expect(page.get_by_text("This project was deleted elsewhere")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Not readable while deleted.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()


def test_nothing_was_typed(db, account, project):
    """A dialog without text goes, and why is told."""
    page = db
    choose(page, "PASSWORD", "Edit…")
    account.delete(project)
    look_again(page)
    toast(page, f"{quoted('shop')} was deleted elsewhere meanwhile.")
    assert page.locator("dialog").count() == 0
