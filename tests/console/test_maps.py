"""Config maps in a browser: listed, shown as they are, changed a key at a time."""

import pytest
from playwright.sync_api import expect

from tests.support.holding import changed, everywhere, go, kept, made
from tests.support.pages import failed, sign_in
from tests.support.screens import choose, nowhere, press, quoted, row, toast, writes

HOSTILE = "a\u202eb<img src=x onerror=alert(1)>\r\n\U0001f5dd"


@pytest.fixture
def project(account):
    """A project with one config map."""
    project = account.project("shop")
    made(account, project, "config_maps", name="settings", data={"LEVEL": "info", "H": HOSTILE})
    return project


@pytest.fixture
def maps(shown):
    """The list on the screen."""
    return shown("maps")


def test_listed_shown_and_changed(maps, account, project):
    """By the keyboard: opened, its values read, one of them edited from what it is."""
    page, sent = maps, writes(maps)
    expect(row(page, "settings").locator("td")).to_contain_text(["settings", "2", "just now"])
    row(page, "settings").get_by_role("link").press("Enter")
    shown = page.locator("tr").filter(has=page.get_by_text("H", exact=True)).locator(".value")
    text = shown.evaluate("node => node.textContent")
    assert text == HOSTILE.replace("\u202e", r"\u202e").replace("\r", r"\u000d")
    assert page.locator("main img").count() == 0
    choose(page, "LEVEL", "Edit…")
    value = page.get_by_role("textbox", name="Value", exact=True)
    expect(value).to_be_focused()
    expect(value).to_have_value("info")
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("debug")
    press(page, "Save")
    toast(page, f"{quoted('LEVEL')} of {quoted('settings')} is saved.")
    stored = {"LEVEL": "debug", "H": HOSTILE}
    assert kept(account, project, "config_maps", "settings") == stored
    assert [line.split()[0] for line in sent] == ["PATCH"]
    nowhere(page)


@pytest.mark.slow
def test_what_has_no_shape(maps, account, project):
    """What may be drawn as nothing is shown by its number; a value's direction is its own."""
    unseen = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180f\u2800\u3164\ufe00\ufe0f\uffa0"
    value = f"a{unseen}\U000e0100b"
    made(account, project, "config_maps", name="odd", data={"K": value})
    go(maps, project, "maps/odd")
    shown = maps.locator("tbody .value")
    numbers = "".join(f"\\u{ord(one):04x}" for one in unseen)
    expect(shown).to_have_text(f"a{numbers}\\u{{e0100}}b")
    assert shown.evaluate("node => getComputedStyle(node).unicodeBidi") == "isolate"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stored", "said", "saved"),
    [
        ("a\r\nb\r\n", "Its lines end with CRLF, and stay so.", "a\r\nb\r\nc\r\nd"),
        ("a\r\nb\n", "Its line ends become LF as soon as you type.", "a\nb\nc\nd"),
    ],
)
def test_line_ends(maps, account, project, stored, said, saved):
    """CRLF throughout stays CRLF when something is typed; what cannot stay is said before."""
    made(account, project, "config_maps", name="dos", data={"K": stored})
    go(maps, project, "maps/dos")
    choose(maps, "K", "Edit…")
    expect(maps.get_by_role("dialog")).to_contain_text(said)
    press(maps, "Save")
    toast(maps, "is saved.")
    assert kept(account, project, "config_maps", "dos")["K"] == stored
    choose(maps, "K", "Edit…")
    maps.keyboard.press("Control+End")
    maps.keyboard.type("c\nd")
    press(maps, "Save")
    expect(maps.locator("dialog")).to_have_count(0)
    assert kept(account, project, "config_maps", "dos")["K"] == saved


@pytest.mark.slow
def test_a_mark_that_is_left_out(maps, project, account):
    """A file's byte order mark is no part of the value, which is said."""
    go(maps, project, "maps/settings")
    choose(maps, "LEVEL", "Edit…")
    file = {"name": "w.txt", "mimeType": "text/plain", "buffer": b"\xef\xbb\xbfone"}
    maps.locator("dialog input[type=file]").set_input_files(file)
    expect(maps.get_by_role("dialog")).to_contain_text(
        "Read from w.txt, without its byte order mark."
    )
    press(maps, "Save")
    toast(maps, "is saved.")
    assert kept(account, project, "config_maps", "settings")["LEVEL"] == "one"


@pytest.mark.slow
def test_added_and_deleted(maps, account, project):
    """By the keyboard: added with its values in sight, deleted after one question."""
    page = maps
    press(page, "Add config map")
    dialog = page.get_by_role("dialog", name="Add a config map")
    expect(dialog.get_by_role("textbox", name="Name", exact=True)).to_be_focused()
    page.keyboard.insert_text("more")
    assert dialog.get_by_label("Format").count() == 0
    dialog.get_by_role("textbox", name="Key", exact=True).focus()
    page.keyboard.insert_text("A")
    page.keyboard.press("Tab")
    page.keyboard.insert_text("first\nsecond")
    everywhere(page)
    press(page, "Add config map", dialog)
    toast(page, f"{quoted('more')} is added.")
    assert kept(account, project, "config_maps", "more") == {"A": "first\nsecond"}
    choose(page, "more", "Delete…")
    dialog = page.get_by_role("dialog", name=f"Delete config map {quoted('more')}?")
    expect(dialog).to_contain_text("ce configmap delete --name more --project shop")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    toast(page, f"{quoted('more')} is deleted.")
    expect(page.locator("tbody tr")).to_have_count(1)


@pytest.mark.slow
def test_beaten(maps, account, project, watch):
    """Where someone else was faster, both are shown, and mine is written over theirs knowingly."""
    page = maps
    watch.allow(failed(412))
    go(page, project, "maps/settings")
    choose(page, "LEVEL", "Edit…")
    expect(page.get_by_role("textbox", name="Value", exact=True)).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("mine")
    changed(account, project, "config_maps", "settings", LEVEL="theirs")
    press(page, "Save")
    expect(page.get_by_role("alert")).to_contain_text("was changed by someone else")
    press(page, "Keep mine, look at both")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("theirs")).to_be_visible()
    expect(dialog.get_by_role("textbox", name="Yours")).to_have_value("mine")
    everywhere(page)
    press(page, "Save mine")
    toast(page, "is saved.")
    assert kept(account, project, "config_maps", "settings")["LEVEL"] == "mine"


@pytest.mark.slow
def test_states(maps, account, project, watch):
    """The list, one, none and one that is not there: axe finds nothing in any."""
    page = maps
    watch.allow(failed(404))
    everywhere(page)
    for where, name in {"maps/settings": "settings", "maps/none": "none"}.items():
        go(page, project, where)
        expect(page.get_by_role("heading", name=name, level=2)).to_be_visible()
        everywhere(page)
    expect(page.get_by_role("alert")).to_have_text("No config map of this name is in this project.")
    account.call("DELETE", f"/v2/projects/{project['id']}/config_maps/settings")
    go(page, project, "maps")
    expect(page.get_by_role("heading", name="No config maps yet")).to_be_visible()
    everywhere(page)


@pytest.mark.slow
def test_who_may_list_and_not_look(page, console_url, account, project, watch):
    """An auditor sees names; of one the refusal stands in place of its values."""
    watch.allow(failed(403))
    sign_in(page, console_url, account.another_key("auditor", "viewer"))
    go(page, project, "maps")
    row(page, "settings").get_by_role("link").press("Enter")
    said = "Your key may not do this. It takes entity.view."
    expect(page.get_by_role("alert")).to_have_text(said)
    everywhere(page)
