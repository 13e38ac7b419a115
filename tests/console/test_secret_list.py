"""The list of secrets in a browser, its states, and what each role may do there."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.support.holding import VALUE, changed, everywhere, go, kept
from tests.support.pages import failed, sign_in
from tests.support.screens import (
    choose,
    counting,
    focused,
    look_again,
    nowhere,
    press,
    quoted,
    row,
    toast,
)


@pytest.mark.slow
@pytest.mark.alone
def test_a_hundred(page, signed_in, account, project):
    """A hundred are one request, drawn within a second, and filtered as one types."""
    for number in range(99):
        account.secret(project, f"s{number:02}", {"K": VALUE})
    asked = counting(page, lambda one: f"{project['id']}/secrets?" in one.url)
    signed_in(page, account)
    started = time.monotonic()
    go(page, project, "secrets")
    expect(page.locator("tbody tr")).to_have_count(100)
    assert time.monotonic() - started < 2
    assert len(asked) == 1
    page.keyboard.press("/")
    page.keyboard.type("s4")
    expect(page.locator("tbody tr")).to_have_count(10)
    page.keyboard.type("z")
    press(page, "Clear the filter")
    expect(page.locator("tbody tr")).to_have_count(100)
    nowhere(page, VALUE)
    everywhere(page)


@pytest.mark.slow
def test_deleted(page, signed_in, account, project):
    """By the keyboard: asked once, with the focus on Cancel; then it is gone for good."""
    account.secret(project, "other", {"K": "v"})
    signed_in(page, account)
    go(page, project, "secrets")
    choose(page, "db", "Delete…")
    dialog = page.get_by_role("dialog", name=f"Delete secret {quoted('db')}?")
    expect(dialog).to_contain_text("This cannot be undone.")
    expect(dialog).to_contain_text("ce secret delete --name db --project shop")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    everywhere(page)
    page.keyboard.press("Escape")
    assert focused(page) == "⋯ of db"
    choose(page, "db", "Delete…")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    toast(page, f"{quoted('db')} is deleted.")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody a")).to_be_focused()
    assert account.call("GET", f"/v2/projects/{project['id']}/secrets/db").status_code == 404


def anew(account, project):
    """Delete the secret and make another of its name, as someone else does meanwhile."""
    path = f"/v2/projects/{project['id']}/secrets/db"
    assert account.call("DELETE", path).status_code < 300
    account.secret(project, "db", {"OTHER": VALUE})


@pytest.mark.slow
@pytest.mark.parametrize("where", ["secrets", "secrets/db"])
def test_another_of_its_name(page, signed_in, account, project, where):
    """What was made anew under the name is not deleted for what was asked about: it is said."""
    signed_in(page, account)
    go(page, project, where)
    if where == "secrets":
        choose(page, "db", "Delete…")
    else:
        expect(page.get_by_role("button", name="Reveal PASSWORD")).to_be_visible()
        press(page, "Delete…")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    anew(account, project)
    press(page, "Delete secret", dialog)
    expect(dialog.get_by_role("alert")).to_contain_text("Nothing is deleted yet.")
    assert kept(account, project, "secrets", "db") == {"OTHER": VALUE}
    everywhere(page)
    press(page, "Delete it all the same", dialog)
    toast(page, f"{quoted('db')} is deleted.")
    assert account.call("GET", f"/v2/projects/{project['id']}/secrets/db").status_code == 404


@pytest.mark.slow
def test_gone_already(page, signed_in, account, project, watch):
    """What somebody else deleted first is told as that."""
    watch.allow(failed(404))
    signed_in(page, account)
    go(page, project, "secrets")
    choose(page, "db", "Delete…")
    account.call("DELETE", f"/v2/projects/{project['id']}/secrets/db")
    press(page, "Delete secret", page.get_by_role("dialog"))
    toast(page, f"{quoted('db')} was gone already.")
    expect(page.get_by_role("heading", name="No secrets yet")).to_be_visible()


@pytest.mark.slow
def test_states(page, signed_in, account, project, watch):
    """What is there, what is revealed, what is gone and what is empty: axe finds nothing in any."""
    watch.allow(failed(404))
    signed_in(page, account)
    go(page, project, "secrets/db")
    expect(page.get_by_role("button", name="Reveal PASSWORD")).to_be_visible()
    everywhere(page)
    press(page, "Reveal PASSWORD")
    expect(page.get_by_text(VALUE)).to_be_visible()
    everywhere(page)
    go(page, project, "secrets/none")
    expect(page.get_by_role("alert")).to_have_text("No secret of this name is in this project.")
    everywhere(page)
    go(page, project, "secrets")
    everywhere(page)
    empty = account.project("empty")
    look_again(page)
    go(page, empty, "secrets")
    expect(page.get_by_role("heading", name="No secrets yet")).to_be_visible()
    everywhere(page)


@pytest.mark.slow
def test_an_older_host(page, signed_in, account, project, watch):
    """Where the list without values is not served, no other list is asked for in its place."""
    watch.allow(failed(404))
    older = "/v1/none/"  # which is refused as the list is by a host that does not have it
    page.route(
        "**/v1/projects/*/secrets?*",
        lambda route: route.continue_(url=route.request.url.replace("/v1/", older)),
    )
    asked = counting(page, lambda one: re.search(r"/v2/projects/.*/secrets", one.url))
    signed_in(page, account)
    go(page, project, "secrets")
    said = "This host is too old to list secrets without their values."
    expect(page.get_by_role("alert")).to_have_text(said)
    assert asked == []


@pytest.mark.slow
def test_who_may_list_and_not_look(page, console_url, account, project, watch):
    """An auditor sees names, no keys; the refusal says what it takes, and the rest stands."""
    watch.allow(failed(403))
    sign_in(page, console_url, account.another_key("auditor"))
    go(page, project, "secrets")
    expect(row(page, "db").locator("td")).to_contain_text(["db", "Generic", "2", "just now"])
    add = page.get_by_role("button", name="Add secret")
    expect(add).to_have_attribute("aria-disabled", "true")
    add.press("Enter")
    assert page.get_by_role("dialog").count() == 0
    expect(page.get_by_text("It takes the role manager or writer.").first).to_be_visible()
    everywhere(page)
    row(page, "db").get_by_role("link").press("Enter")
    said = "Your key may not do this. It takes entity.view."
    expect(page.get_by_role("alert")).to_have_text(said)
    expect(page.get_by_role("heading", name="db", level=2)).to_be_visible()
    everywhere(page)


@pytest.mark.slow
def test_who_may_look_and_not_change(page, console_url, account, project):
    """A reader reveals; what would change something says which role it takes."""
    sign_in(page, console_url, account.another_key("reader", "viewer"))
    go(page, project, "secrets/db")
    press(page, "Reveal PASSWORD")
    expect(page.get_by_text(VALUE)).to_be_visible()
    for name in ("Add a key…", "Delete…"):
        button = page.get_by_role("button", name=name, exact=True).first
        expect(button).to_have_attribute("aria-disabled", "true")
        button.press("Enter")
    choose(page, "PASSWORD", "Edit…")
    assert page.get_by_role("dialog").count() == 0
    changed(account, project, "secrets", "db", USER="x")
    assert kept(account, project, "secrets", "db")["PASSWORD"] == VALUE
