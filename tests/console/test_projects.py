"""The projects in a browser: made, filtered, deleted, taken back."""

import pytest
from playwright.sync_api import expect

from tests.support.pages import failed
from tests.support.screens import (
    choose,
    create,
    focused,
    look_again,
    press,
    quoted,
    reach,
    row,
    toast,
    writes,
)


def test_made_deleted_and_taken_back(projects, account):
    """By the keyboard alone: made, found in the list, deleted, and back by Undo, complete."""
    page, sent = projects, writes(projects)
    expect(page.get_by_role("heading", name="No projects yet")).to_be_visible()
    create(page, "shop")
    expect(page.get_by_role("heading", name="shop", level=1)).to_be_visible()
    page.keyboard.type("gp")
    choose(page, "shop", "Delete…")
    expect(page.get_by_role("dialog", name=f"Delete project {quoted('shop')}?")).to_be_visible()
    assert focused(page) == "Cancel"
    page.keyboard.press("Escape")
    assert focused(page) == "⋯ of shop"
    choose(page, "shop", "Delete…")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    toast(page, "is deleted, restorable until")
    expect(row(page, "shop")).to_contain_text("Deleted, restorable for 7 d 0 h")
    press(page, "Undo")
    toast(page, f"{quoted('shop')} is back, complete.")
    expect(row(page, "shop")).to_contain_text("Active")
    assert [line.split()[0] for line in sent] == ["POST", "DELETE", "POST"]
    assert [one["status"] for one in account.got("/v2/projects")["projects"]] == ["active"]


@pytest.mark.slow
def test_what_it_holds_is_told(projects, account):
    """What a deletion takes is counted; without counts it is everything."""
    page, made = projects, account.project("shop")
    account.secret(made, "db", {"K": "v"})
    account.secret(made, "web", {"K": "v"})
    look_again(page)
    choose(page, "shop", "Delete…")
    expect(page.get_by_role("dialog")).to_contain_text(
        "2 secrets can no longer be read or changed, at once."
    )


@pytest.mark.slow
def test_filters_are_in_the_address(projects, account):
    """What is filtered is in the address, and a pasted one filters."""
    page = projects
    account.delete(account.project("gone-shop"))
    account.project("shop")
    account.project("bank")
    page.keyboard.press("/")
    look_again(page)
    expect(row(page, "bank")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("SHOP")
    expect(page.locator("tbody tr")).to_have_count(2)
    press(page, "Deleted")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert page.url.endswith("#/projects?q=SHOP&show=deleted")
    page.evaluate("location.hash = '#/projects?q=bank'")
    expect(page.get_by_role("searchbox")).to_have_value("bank")
    expect(page.locator("tbody tr")).to_have_count(1)


@pytest.mark.slow
def test_all_slots_are_taken(projects, account, watch):
    """The meter says how many slots there are; with none left, where those are that free one."""
    page = projects
    watch.allow(failed(403, 409))
    for number in range(20):
        account.project(f"p-{number}")
    look_again(page)
    expect(page.locator(".slots")).to_contain_text("20 of 20 slots")
    expect(page.get_by_text("All 20 slots are taken.")).to_be_visible()
    account.delete(account.got("/v2/projects")["projects"][0])
    look_again(page)
    expect(page.locator(".slots")).to_contain_text(
        "19 active, 1 deleted; a slot frees itself in 7 d 0 h"
    )
    press(page, "Create project")
    page.keyboard.insert_text("one-more")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("20")


@pytest.mark.slow
def test_a_key_for_one_project(page, signed_in, account):
    """It has no meter, and may not create; it says so where it is asked."""
    account.project("other")
    made = account.project("shop")
    signed_in(page, account.another_key("editor", project_id=made["id"]))
    expect(row(page, "shop")).to_be_visible()
    expect(row(page, "other")).to_have_count(0)
    assert page.locator("meter").count() == 0
    sent = writes(page)
    press(page, "Create project")
    toast(page, "It takes the role editor or administrator, for all projects.")
    assert sent == []


@pytest.mark.slow
def test_a_key_that_may_not_look_at_projects(page, signed_in, account, watch):
    """It is told what it lacks; what it may see of its project stands."""
    watch.allow(failed(403, 404))
    made = account.project("shop")
    signed_in(page, account.another_key("reader", project_id=made["id"]))
    expect(page.get_by_role("alert")).to_contain_text(
        "Your key may not do this. It takes project.view."
    )
    page.get_by_role("link", name="The project of this key").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(made["id"])
    expect(page.get_by_role("navigation", name="In this project")).to_be_visible()


@pytest.mark.slow
def test_a_key_that_may_not_delete(page, signed_in, account):
    """Delete is there, and says what it takes."""
    account.project("shop")
    signed_in(page, account.another_key("viewer"))
    sent = writes(page)
    choose(page, "shop", "Delete…")
    entry = page.locator("[popover]:popover-open").get_by_role("button", name="Delete…")
    expect(entry).to_have_attribute("aria-disabled", "true")
    expect(entry).to_contain_text("It takes the role editor or administrator.")
    assert sent == []


@pytest.mark.slow
def test_once_however_often_it_is_clicked(projects):
    """A double click makes one project, and deletes it once."""
    page, sent = projects, writes(projects)
    press(page, "Create project")
    page.keyboard.insert_text("shop")
    page.get_by_role("button", name="Create", exact=True).dblclick()
    toast(page, "is created.")
    page.keyboard.type("gp")
    choose(page, "shop", "Delete…")
    page.get_by_role("button", name="Delete, restorable").dblclick()
    toast(page, "is deleted, restorable until")
    assert [line.split()[0] for line in sent] == ["POST", "DELETE"]


@pytest.mark.slow
def test_an_answer_that_is_lost(projects, account, watch):
    """A deletion whose answer is lost is not sent again: the list says what became of it."""
    page, made = projects, account.project("shop")
    watch.allow("Failed to load resource: net::ERR_FAILED")
    look_again(page)
    sent = writes(page)

    def lost(route):
        if route.request.method != "DELETE":
            return route.continue_()
        route.fetch()
        return route.abort()

    page.route(f"**/v2/projects/{made['id']}", lost)
    choose(page, "shop", "Delete…")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    toast(page, f"{quoted('shop')} is deleted.")
    expect(row(page, "shop")).to_contain_text("Deleted, restorable for")
    assert len(sent) == 1


@pytest.mark.slow
def test_two_tabs(projects, new_page, signed_in, account):
    """What one tab deletes another shows within a poll; and Undo goes once it is settled there."""
    page, other = projects, new_page()
    other.clock.install()
    account.project("shop")
    signed_in(other, account)
    look_again(page)
    choose(page, "shop", "Delete…")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    toast(page, "is deleted, restorable until")
    page.locator(".toast").hover()  # so that it stays
    other.clock.fast_forward(15_000)
    press(other, "Restore shop")
    toast(other, "is back, complete.")
    look_again(page)
    expect(row(page, "shop")).to_contain_text("Active")
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


@pytest.mark.slow
def test_undo_that_fails_is_told(projects, account, watch):
    """Destroyed in another place meanwhile, it is not back, and Undo says so."""
    watch.allow(failed(404, 409))
    page, made = projects, account.project("shop")
    look_again(page)
    choose(page, "shop", "Delete…")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    toast(page, "is deleted, restorable until")
    account.action(made, "reclaim")
    press(page, "Undo")
    toast(page, f"{quoted('shop')} is not back.")


@pytest.mark.slow
def test_how_long_it_is_told(page, signed_in, account):
    """What happened is told for ten seconds; longer while it is looked at, or has the focus."""
    page.clock.install()
    account.project("shop")
    signed_in(page, account)
    choose(page, "shop", "Delete…")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    toast(page, "is deleted, restorable until")
    page.locator(".toast").hover()
    page.clock.fast_forward(11_000)
    expect(page.locator(".toast")).to_be_visible()
    page.mouse.move(1, 1)
    reach(page, page.get_by_role("button", name="Undo"))
    page.clock.fast_forward(11_000)
    expect(page.locator(".toast")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    page.clock.fast_forward(11_000)
    expect(page.locator(".toast")).to_have_count(0)


@pytest.mark.slow
def test_a_project_that_vanishes(page, signed_in, account, console_url):
    """Destroyed while it is open, a project says that there is none; its address stays."""
    made = account.project("shop")
    signed_in(page, account)
    page.get_by_role("link", name="shop").click()
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_text(made["crn"])).to_be_visible()
    account.destroy(made)
    account.gone(made)
    look_again(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("No such project")
    assert page.url == f"{console_url}/#/projects/{made['id']}/settings"
    page.evaluate("location.hash = '#/nowhere'")
    expect(page.get_by_role("heading", level=1)).to_have_text("No such page")
    assert page.title() == "No such page · Reprieve"


@pytest.mark.slow
def test_deleted_in_its_settings(page, signed_in, account):
    """The last card deletes, and leads to the list."""
    account.project("shop")
    signed_in(page, account)
    page.get_by_role("link", name="shop").click()
    page.get_by_role("link", name="Settings").click()
    press(page, "Delete project…")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    toast(page, "is deleted, restorable until")
    expect(row(page, "shop")).to_contain_text("Deleted, restorable for")


def test_a_choice_that_is_none(page, signed_in, account):
    """An address that chooses by a word every object has shows all, and says so."""
    account.project("shop")
    signed_in(page, account)
    page.evaluate("location.hash = '#/projects?show=constructor'")
    expect(page.get_by_role("button", name="All", pressed=True)).to_be_visible()
    expect(row(page, "shop")).to_be_visible()
