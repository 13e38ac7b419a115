"""Secrets are changed in a browser a key at a time, beside others who change them too."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.holding import VALUE, changed, enter, everywhere, field, go, kept, made, reads
from tests.support.pages import failed
from tests.support.screens import choose, counting, nowhere, press, quoted, toast, writes

TYPED = "typed-7be1\nwith a line"
ID = "0f7a4a4e-2c1b-4b7e-9c0d-5a4b3c2d1e0f"


@pytest.fixture
def db(secrets, project):
    """The secret on the screen."""
    go(secrets, project, "secrets/db")
    expect(secrets.get_by_role("button", name="Reveal PASSWORD")).to_be_visible()
    return secrets


def test_one_key_is_changed(db, account, project):
    """By the keyboard: the dialog begins empty, and one key is changed without any being read."""
    page, sent = db, writes(db)
    asked = counting(page, lambda one: re.search("/keys/|/v2/projects/", one.url))
    choose(page, "PASSWORD", "Edit…")
    expect(page.get_by_role("dialog", name=f"New value of {quoted('PASSWORD')}")).to_be_visible()
    expect(field(page, "Value")).to_be_focused()
    expect(field(page, "Value")).to_have_value("")
    page.keyboard.insert_text(TYPED)
    expect(page.get_by_role("dialog")).to_contain_text("22 characters, 2 lines.")
    press(page, "Save")
    toast(page, f"{quoted('PASSWORD')} of {quoted('db')} is saved.")
    assert kept(account, project, "secrets", "db") == {"PASSWORD": TYPED, "USER": "someone"}
    assert [line.split()[0] for line in sent] == ["PATCH"]
    assert asked == []
    assert reads(account, "db") == []
    nowhere(page, VALUE, TYPED)


@pytest.mark.slow
def test_what_was_shown_is_not_shown_for_new(db):
    """Once a value is replaced, the one that was revealed before is not shown any more."""
    page = db
    press(page, "Reveal PASSWORD")
    expect(page.get_by_text(VALUE)).to_be_visible()
    choose(page, "PASSWORD", "Edit…")
    expect(field(page, "Value")).to_be_focused()
    page.keyboard.insert_text(TYPED)
    press(page, "Save")
    toast(page, "is saved.")
    expect(page.get_by_text(VALUE)).to_have_count(0)


@pytest.mark.slow
def test_keys_are_added_and_removed(db, account, project):
    """A key is added, never over one that is there, and one is removed after a question."""
    page = db
    press(page, "Add a key…")
    expect(field(page, "Key")).to_be_focused()
    page.keyboard.insert_text("USER")
    enter(page, "Value", TYPED)
    press(page, "Save")
    expect(page.get_by_role("alert")).to_have_text(
        "There is such a key. Edit it, or choose another name."
    )
    field(page, "Key").focus()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("not a key")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(
        "Keys hold letters, digits, - _ . (at most 253)."
    )
    everywhere(page)
    field(page, "Key").focus()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("__proto__")
    page.keyboard.press("Enter")
    toast(page, "is saved.")
    choose(page, "USER", "Remove…")
    expect(page.get_by_role("dialog")).to_contain_text("This cannot be undone.")
    everywhere(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    toast(page, f"{quoted('USER')} is removed from {quoted('db')}.")
    expect(page.get_by_role("button", name="Reveal __proto__")).to_be_visible()
    assert kept(account, project, "secrets", "db") == {"PASSWORD": VALUE, "__proto__": TYPED}


def beaten(page, account, project):
    """Type a new value, and save it when someone else has changed the secret."""
    choose(page, "PASSWORD", "Edit…")
    expect(field(page, "Value")).to_be_focused()
    page.keyboard.insert_text(TYPED)
    changed(account, project, "secrets", "db", PASSWORD="theirs", MORE="x")
    press(page, "Save")
    expect(page.get_by_role("alert")).to_contain_text(f"{quoted('db')} was changed by someone else")
    expect(field(page, "Value")).to_have_value(TYPED)
    assert kept(account, project, "secrets", "db")["PASSWORD"] == "theirs"


@pytest.mark.slow
def test_beaten_and_mine_is_kept(db, account, project, watch):
    """A change of others is never overwritten unseen: mine is written once both were to be seen."""
    page = db
    watch.allow(failed(412))
    sent = []
    page.on("request", lambda one: one.method == "PATCH" and sent.append(one.headers["if-match"]))
    beaten(page, account, project)
    at = page.evaluate("new Intl.DateTimeFormat('en-GB', {hour: '2-digit'}).format(new Date())")
    expect(page.get_by_role("alert")).to_contain_text(re.compile(rf"at ({at}|\d\d):\d\d\."))
    everywhere(page)
    press(page, "Keep mine, look at both")
    expect(field(page, "Yours")).to_be_focused()
    press(page, "Reveal PASSWORD", page.get_by_role("dialog"))
    expect(page.get_by_role("dialog").get_by_text("theirs")).to_be_visible()
    everywhere(page)
    press(page, "Save mine")
    toast(page, "is saved.")
    mine = {"PASSWORD": TYPED, "USER": "someone", "MORE": "x"}
    assert kept(account, project, "secrets", "db") == mine
    assert len(sent) == len(set(sent)) == 2
    nowhere(page, TYPED)


@pytest.mark.slow
def test_beaten_and_theirs_is_taken(db, account, project, watch):
    """Or theirs stands, and is what is on the screen; a removal is beaten in the same way."""
    page = db
    watch.allow(failed(412))
    beaten(page, account, project)
    press(page, "Load the new one")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Reveal MORE")).to_be_visible()
    choose(page, "USER", "Remove…")
    changed(account, project, "secrets", "db", USER="another")
    press(page, "Remove")
    expect(page.get_by_role("alert")).to_contain_text("was changed by someone else")
    assert kept(account, project, "secrets", "db")["USER"] == "another"
    press(page, "Keep mine, look at both")
    press(page, "Remove it all the same")
    toast(page, "is removed from")
    assert "USER" not in kept(account, project, "secrets", "db")


@pytest.mark.slow
def test_a_service_s_secret(secrets, account, project):
    """What has no values has no keys to add; it can be deleted."""
    access = {"service_instance": {"id": ID}}
    made(account, project, "secrets", name="svc", format="service_access", service_access=access)
    page = secrets
    go(page, project, "secrets/svc")
    expect(page.get_by_text("A service's secret holds no values here.")).to_be_visible()
    assert page.get_by_role("button", name="Add a key…").count() == 0
    everywhere(page)
