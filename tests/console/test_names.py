"""Names of projects in a browser: none is more than text, whatever is in it, all the way."""

import pytest
from playwright.sync_api import expect

from shared.store import Write
from tests.support.pages import failed
from tests.support.screens import choose, create, look_again, press, quoted, toast

HOSTILE = (
    "\U0001f5dd\ufe0f keys \U0001f511",
    "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd",
    "\u00e9" * 128,
    "two   blanks inside",
    "constructor",
    "..:_--force",
)
STORED = (
    "<img src=x onerror=alert(1)>",
    "shop\u202e\u2066evil",
    "javascript:alert(1)//",
    "${1}`$(id)`",
)


@pytest.mark.slow
def test_names_that_are_taken(projects, account, watch):
    """It says by what a name is held; a deleted project that holds it can be restored there."""
    page = projects
    watch.allow(failed(409))
    account.project("active")
    account.delete(account.project("held"))
    press(page, "Create project")
    page.keyboard.insert_text("active")
    page.keyboard.press("Enter")
    told = page.get_by_role("alert")
    expect(told).to_have_text("A project of this name exists.")
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("held")
    expect(told).to_have_count(0)
    page.keyboard.press("Enter")
    expect(told).to_contain_text("A deleted project holds this name until")
    press(page, "Restore it")
    toast(page, f"{quoted('held')} is back, complete.")
    assert page.locator("dialog").count() == 0


@pytest.mark.claim("ID4", "markup that is typed is text in every message")
@pytest.mark.slow
def test_a_name_that_is_refused(projects, watch):
    """Markup is no name, and in no message it is more than text."""
    page, name = projects, "<img src=x onerror=alert(1)>"
    watch.allow(failed(400))
    press(page, "Create project")
    page.keyboard.insert_text(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("must be letters, digits")
    assert page.get_by_label("Name", exact=True).input_value() == name
    assert page.locator("dialog img").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_each_name_goes_all_the_way(projects, account, name):
    """Made, listed, deleted, restored and destroyed, as it was typed, whatever is in it."""
    page, said = projects, " ".join(name.split())
    create(page, name)
    assert [one["name"] for one in account.got("/v2/projects")["projects"]] == [name]
    page.keyboard.type("gp")
    choose(page, said, "Delete…")
    expect(page.locator("dialog code")).to_contain_text("ce project delete --")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    toast(page, "is deleted, restorable until")
    page.keyboard.type("gd")
    press(page, f"Restore {said}")
    toast(page, "is back, complete.")
    account.delete(account.got("/v2/projects")["projects"][0])
    look_again(page)
    choose(page, said, "Destroy now…")
    page.keyboard.insert_text(page.locator("dialog label code").inner_text())
    page.keyboard.press("Enter")
    toast(page, "is being destroyed.")
    expect(page.get_by_role("heading", name="Nothing is deleted")).to_be_visible(timeout=20_000)


@pytest.mark.claim("ID4", "a stored name is text wherever it stands")
@pytest.mark.slow
@pytest.mark.parametrize("name", STORED, ids=range(len(STORED)))
def test_a_name_from_before_its_rules(projects, account, host, name):
    """What a former version stored is shown as text, and turns nothing around it."""
    page, made = projects, account.project("shop")
    path, store = f"projects/{made['id']}", host.inside.store
    document = store.read(path)[path]
    store.commit([Write.replace(document, document.contents | {"name": name})])
    look_again(page)
    expect(page.locator("tbody bdi")).to_have_text(name)
    page.get_by_role("button", name="⋯ of").click()
    page.locator("[popover]:popover-open").get_by_role("button", name="Delete…").click()
    expect(page.locator("dialog code")).to_have_text(f"ce project delete --id {made['id']}")
    assert quoted(name) in page.locator("dialog h2").text_content()
    assert page.locator("main img, main script, dialog img").count() == 0


@pytest.mark.slow
def test_commands_need_no_quotes(projects, account):
    """A name that a shell would read otherwise is not in the command: the ID is."""
    page = projects
    made = account.project("two words")
    account.project("-rf")
    look_again(page)
    choose(page, "two words", "Delete…")
    expect(page.locator("dialog code")).to_have_text(f"ce project delete --id {made['id']}")
    page.keyboard.press("Escape")
    choose(page, "-rf", "Delete…")
    expect(page.locator("dialog code")).to_contain_text("--id ")
