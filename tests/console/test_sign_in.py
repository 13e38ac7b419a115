"""Sign-in in a browser: with a key, at an address that is kept; and how a session ends."""

import re

import pytest
from playwright.sync_api import expect

from tests.support import until
from tests.support.pages import failed
from tests.support.screens import choose, focused, look_again, nowhere, press, quoted, toast

UNKNOWN = "This key is not known here: it is wrong, revoked or expired."
OFFLINE = "Failed to load resource: net::ERR_INTERNET_DISCONNECTED"


@pytest.fixture
def door(page, console_url):
    """The sign-in page."""
    page.goto(console_url)
    return page


def enter(page, text):
    """Type a key into the field that has the focus, and press Enter."""
    expect(page.get_by_label("API key", exact=True)).to_be_focused()
    page.keyboard.insert_text(text)
    page.keyboard.press("Enter")


@pytest.mark.claim("ID4", "the browser keeps neither key nor token")
def test_by_keyboard(door, account):
    """The field has the focus; Enter signs in; what was typed and what came is nowhere."""
    assert door.title() == "Sign in · Reprieve"
    with door.expect_response("**/identity/token") as answer:
        enter(door, account.apikey)
    expect(door.get_by_role("heading", level=1)).to_have_text("Projects")
    expect(door.locator("main")).to_be_focused()
    assert door.title() == "Projects · Reprieve"
    nowhere(door, account.apikey, answer.value.json()["access_token"])


@pytest.mark.slow
def test_refused(door, watch, console_url):
    """A key that is none, or is of nobody, is told in one sentence, and stays to be mended."""
    watch.allow(failed(400))
    for text in ("ce_x", f"ce_{'0' * 16}_{'x' * 43}"):
        door.goto("about:blank")
        door.goto(console_url)
        enter(door, text)
        expect(door.get_by_role("alert")).to_have_text(UNKNOWN)
        assert door.get_by_label("API key", exact=True).input_value() == text
    field = door.get_by_label("API key", exact=True)
    assert (field.get_attribute("type"), field.get_attribute("name")) == ("password", None)
    door.get_by_label("Show the key").check()
    assert field.get_attribute("type") == "text"


@pytest.mark.slow
def test_the_host_is_away(door, watch, account):
    """What was typed is still there once the host answers again."""
    watch.allow(OFFLINE)
    door.context.set_offline(True)
    enter(door, account.apikey)
    expect(door.get_by_role("alert")).to_contain_text("The host does not answer. Is it running?")
    door.context.set_offline(False)
    press(door, "Sign in")
    expect(door.get_by_role("heading", level=1)).to_have_text("Projects")


@pytest.mark.slow
def test_an_address_is_kept(page, console_url, account):
    """Who signs in is where the address led, its filter included; Back and forward lead on."""
    account.project("shop")
    page.goto(f"{console_url}/#/projects?q=nothing&show=active")
    enter(page, account.apikey)
    expect(page.get_by_text("No project fits.")).to_be_visible()
    page.keyboard.type("gd")
    expect(page.get_by_role("heading", level=1)).to_have_text("Deleted projects")
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("nothing")
    expect(page.get_by_role("button", name="Active")).to_have_attribute("aria-pressed", "true")
    page.go_forward()
    expect(page.get_by_role("heading", level=1)).to_have_text("Deleted projects")
    page.go_back()
    press(page, "Clear the filter")
    expect(page.get_by_role("link", name="shop")).to_be_visible()
    assert page.url == f"{console_url}/#/projects"


@pytest.mark.claim("ID4", "a session that nobody uses is forgotten")
@pytest.mark.slow
def test_locked_when_it_is_not_used(page, signed_in, account):
    """After 15 minutes without use nothing of the session is left but the address."""
    page.clock.install()
    account.project("shop")
    signed_in(page, account)
    page.keyboard.type("gk")
    expect(page.get_by_text("(this session)")).to_be_visible()
    page.clock.fast_forward("14:30")
    page.keyboard.press("Shift")
    page.clock.fast_forward("14:30")
    press(page, "Create key")
    page.keyboard.insert_text("typed-and-not-sent")
    page.clock.fast_forward("15:01")
    expect(page.get_by_role("status").first).to_have_text("Locked after 15 minutes without use.")
    assert page.locator("dialog").count() == 0
    nowhere(page, account.apikey, "typed-and-not-sent", "shop")
    assert page.url.endswith("#/keys")
    page.keyboard.insert_text("ce_typed")
    page.clock.fast_forward("15:01")
    expect(page.get_by_label("API key", exact=True)).to_have_value("")
    enter(page, account.apikey)
    expect(page.get_by_role("heading", level=1)).to_have_text("API keys")


@pytest.mark.slow
def test_a_machine_that_slept(page, signed_in, account):
    """A key pressed after a long sleep finds the session locked: timers do not run in a sleep."""
    page.clock.install()
    signed_in(page, account)
    page.evaluate("const real = Date.now; Date.now = () => real() + 16 * 60_000; 0")
    page.keyboard.press("Shift")
    expect(page.get_by_text("Locked after 15 minutes without use.")).to_be_visible()


@pytest.mark.claim("ID4", "a page that was left keeps no session")
@pytest.mark.slow
def test_left_and_come_back(page, signed_in, account):
    """A page that was left is locked when the browser brings it back, whether or not it kept it."""
    signed_in(page, account)
    page.evaluate("window.kept = true")
    page.goto("about:blank")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    nowhere(page, account.apikey)


@pytest.mark.slow
def test_signed_out(page, signed_in, account):
    """From the menu, by the keyboard; the address stays, and nothing else."""
    signed_in(page, account)
    press(page, "us-south ▾, account menu")
    menu = page.locator("[popover]:popover-open")
    expect(menu).to_contain_text("administrator, manager")
    expect(menu).to_contain_text("first")
    press(page, "Sign out", menu)
    expect(page.get_by_role("status").first).to_have_text("You are signed out.")
    nowhere(page, account.apikey, account.id)


@pytest.mark.slow
def test_what_comes_after_sign_out_is_dropped(page, signed_in, account):
    """An answer that is late, of a session that was left, shows nothing and signs nobody in."""
    signed_in(page, account)
    held = []

    def hold(route):
        """Keep the answer back until the session has been left."""
        answer = route.fetch()
        held.append(lambda: route.fulfill(response=answer))

    page.route(re.compile("/v2/projects|/identity/token"), hold)
    account.project("too-late")
    look_again(page)
    until(lambda: held or page.wait_for_timeout(20))
    press(page, "us-south ▾, account menu")
    press(page, "Sign out", page.locator("[popover]:popover-open"))
    enter(page, account.apikey)
    until(lambda: held[1:] or page.wait_for_timeout(20))
    page.evaluate("window.dispatchEvent(new Event('pagehide'))")
    for answer in held:
        answer()
    page.wait_for_timeout(300)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    nowhere(page, account.apikey, "too-late")


@pytest.mark.slow
def test_a_session_that_ends_under_a_dialog(page, watch, signed_in, account, host):
    """Sign-in comes over what is open, no key closes it, and what was typed is there afterwards."""
    watch.allow(failed(400, 401))
    signed_in(page, account)
    press(page, "Create project")
    page.keyboard.insert_text("typed before")
    account.call("DELETE", f"/v1/apikeys/{account.key_id}")
    page.keyboard.press("Enter")
    over = page.get_by_role("dialog", name="Sign in")
    expect(over).to_contain_text("Your session ended. Sign in again to go on where you were.")
    for _ in range(9):  # the browser closes what refused it once; what lies beneath it too
        page.keyboard.press("Escape")
        expect(over).to_be_visible()
    assert page.locator("dialog[open]").count() == 2
    host.hub(
        "POST", "/functions/createAccount", {"account_id": account.id, "apikey": account.apikey}
    )
    enter(page, account.apikey)
    expect(over).to_have_count(0)
    field = page.get_by_label("Name", exact=True)
    expect(field).to_be_focused()
    assert field.input_value() == "typed before"
    page.keyboard.press("Enter")
    toast(page, f"{quoted('typed before')} is created.")


@pytest.mark.slow
def test_another_person_signs_in(page, watch, signed_in, account, host):
    """Who signs in with another key over what is open sees nothing of who was there before."""
    watch.allow(failed(400, 401))
    account.project("of-the-first")
    signed_in(page, account)
    choose(page, "of-the-first", "Delete…")
    account.call("DELETE", f"/v1/apikeys/{account.key_id}")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Sign in")).to_be_visible()
    page.route("**/v2/projects?*", lambda _: None)  # its own list takes its time
    enter(page, host.account().apikey)
    expect(page.locator(".skeleton").first).to_be_visible()
    assert page.locator("dialog").count() == 0
    nowhere(page, "of-the-first")


@pytest.mark.slow
def test_keys_act_where_they_should(page, signed_in, account, console_url):
    """Single keys do nothing in fields and dialogs or before sign-in, and can be switched off."""
    page.goto(f"{console_url}/#/projects")
    page.locator("h1").click()
    page.keyboard.type("?gd")
    account.project("shop")
    signed_in(page, account)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("searchbox")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("gd?")
    expect(page.get_by_role("searchbox")).to_have_value("gd?")
    press(page, "Clear the filter")
    page.locator("h1").click()
    page.keyboard.type("?")
    assert focused(page) == "Close"
    page.keyboard.type("gd")
    assert page.url.endswith("#/projects")
    page.get_by_label("Single keys act").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.type("gd")
    assert re.search("#/projects$", page.url)


@pytest.mark.slow
def test_skip_link(page, signed_in, account):
    """The first Tab is the way past the navigation."""
    signed_in(page, account)
    page.locator("body").press("Tab")
    page.evaluate("document.activeElement.blur(); document.querySelector('.skip').focus()")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    assert page.url.endswith("#/projects")
