"""The link of `ce open` in a browser: looked at, confirmed by a click, and nowhere after."""

import pytest
from playwright.sync_api import expect

from tests.support import told
from tests.support.pages import failed
from tests.support.screens import nowhere, press, toast

USED = "This link has been used, or its minute is over."
STEP = 9 * 60_000  # less than the idle lock's 15 minutes


@pytest.fixture
def code(account):
    """A code, made as `ce open` makes it."""
    return told.body(account.call("POST", "/v1/signin_codes", {}), 201)["code"]


@pytest.fixture
def link(console_url, code):
    """What `ce open` leads to."""
    return f"{console_url}/#/signin?code={code}"


@pytest.mark.claim("ID4", "the code of ce open is taken out of the address before any request")
def test_one_click(page, link, code, account):
    """The code has left the address before a request goes out; one press signs in."""
    addresses = []
    page.on("request", lambda asked: addresses.append((asked.url, page.url)))
    page.goto(link)
    whose = f"Sign in as key “first” (administrator, manager) of account {account.id[:8]}?"
    expect(page.locator("main")).to_contain_text(whose)
    assert code not in page.url
    asked = [at for url, at in addresses if url.endswith("/identity/signin_code")]
    assert asked
    assert all(code not in at for at in asked)
    with page.expect_response("**/identity/token") as answer:
        press(page, "Sign in")
    expect(page.get_by_role("heading", level=1)).to_have_text("Projects")
    nowhere(page, code, answer.value.json()["access_token"])
    page.go_back()
    assert code not in page.url


@pytest.mark.slow
def test_not_me(page, link, code):
    """Who is not meant says so: nothing is asked for, and the code is still good for who is."""
    page.goto(link)
    press(page, "Not me")
    expect(page.get_by_label("API key", exact=True)).to_be_focused()
    nowhere(page, code)
    page.goto("about:blank")
    page.goto(link)
    press(page, "Sign in")
    expect(page.get_by_role("heading", level=1)).to_have_text("Projects")


@pytest.mark.slow
def test_used_before(page, link, watch, account):
    """A link that was used is told in words, and a key may be typed instead."""
    page.goto(link)
    press(page, "Sign in")
    expect(page.get_by_role("heading", level=1)).to_have_text("Projects")
    watch.allow(failed(400))
    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_role("alert").first).to_contain_text(USED)
    expect(page.get_by_label("API key", exact=True)).to_be_focused()
    page.keyboard.insert_text(account.apikey)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Projects")


@pytest.mark.slow
def test_used_meanwhile(page, new_page, link, watch):
    """Of two who click, one signs in; the other is told."""
    watch.allow(failed(400))
    pages = [page, new_page()]
    for one in pages:
        one.goto(link)
        expect(one.get_by_role("button", name="Not me")).to_be_visible()
    for one in pages:
        press(one, "Sign in")
    expect(pages[0].get_by_role("heading", level=1)).to_have_text("Projects")
    expect(pages[1].get_by_role("alert").first).to_contain_text(USED)


@pytest.mark.slow
def test_signed_in_already(page, signed_in, account, host):
    """A link does not take a session over: it is refused, and where one was is kept."""
    other = host.account()
    strange = told.body(other.call("POST", "/v1/signin_codes", {}), 201)["code"]
    signed_in(page, account)
    page.evaluate("location.hash = '#/deleted'")
    expect(page.get_by_role("heading", level=1)).to_have_text("Deleted projects")
    page.evaluate("(code) => { location.hash = `#/signin?code=${code}` }", strange)
    toast(page, "You are signed in already. Sign out first.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Deleted projects")
    assert page.url.endswith("#/deleted")
    nowhere(page, strange)


@pytest.mark.slow
def test_an_hour(page, link):
    """A session without a key is not renewed: five minutes before its end it says when."""
    page.clock.install()
    page.goto(link)
    press(page, "Sign in")
    expect(page.get_by_role("heading", level=1)).to_have_text("Projects")
    said = page.get_by_text("This session ends at")
    for _ in range(6):
        expect(said).to_have_count(0)
        page.clock.fast_forward(STEP)
        page.keyboard.press("Shift")
    page.clock.fast_forward(STEP // 6)
    expect(said).to_be_visible()
    expect(said).to_contain_text("ce open again to go on.")


@pytest.mark.slow
def test_another_link_in_the_same_tab(page, link, host):
    """A second link is looked at anew: the click signs in as whom the page names."""
    page.goto(link)
    expect(page.get_by_role("button", name="Not me")).to_be_visible()
    other = host.account()
    second = told.body(other.call("POST", "/v1/signin_codes", {}), 201)["code"]
    page.evaluate("(code) => { location.hash = `#/signin?code=${code}` }", second)
    expect(page.locator("main")).to_contain_text(f"of account {other.id[:8]}?")
    press(page, "Sign in")
    page.get_by_role("button", name="account menu").click()
    expect(page.locator("[popover]:popover-open")).to_contain_text(other.id)
