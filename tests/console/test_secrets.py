"""Secrets in a browser: what is shown of one, for how long, and is nowhere before and after."""

import re

import pytest
from playwright.sync_api import expect

from tests.support import until
from tests.support.holding import HIDE, VALUE, answers, everywhere, go, reads
from tests.support.pages import failed
from tests.support.screens import counting, nowhere, press, row

LARGE = "x1y2 " * 20_000
# What may put something else into the clipboard meanwhile.
BLUR = "window.dispatchEvent(new Event('blur'))"
COPIED = "document.dispatchEvent(new Event('copy'))"
PRESSED = "document.querySelector('.facts button').click()"  # Copy ID
HOSTILE = "a\u202eb\x00c<img src=x onerror=alert(1)>\n\U0001f469\u200d\U0001f680é"


@pytest.fixture
def db(page, shown):
    """The secret on the screen, and a page whose time can be moved."""
    page.clock.install()
    shown("secrets/db")
    expect(page.get_by_role("heading", name="db", level=2)).to_be_visible()
    return page


def value_of(page, key="PASSWORD"):
    """Where a value is shown."""
    return page.locator("tr").filter(has=page.get_by_text(key, exact=True)).locator("td").first


def reveal(page, key="PASSWORD"):
    """Reveal a value by the keyboard."""
    press(page, f"Reveal {key}")
    expect(value_of(page, key)).to_contain_text(VALUE)


@pytest.mark.claim(
    "ID4", "a value is in no list, and in the page only from a reveal on, which leaves an entry"
)
def test_list_and_reveal(page, signed_in, account, project):
    """The list knows no value; a reveal is one read, which the trail has; Hide hides it again."""
    told = answers(page, lambda url: "/v1/" in url and not url.endswith("/keys/PASSWORD"))
    asked = counting(page, lambda one: re.search("/keys/|/v2/projects/", one.url))
    signed_in(page, account)
    go(page, project, "secrets")
    expect(row(page, "db").locator("td")).to_contain_text(["db", "Generic", "2", "just now"])
    row(page, "db").get_by_role("link").press("Enter")
    expect(value_of(page)).to_have_text("••••••••hidden")
    nowhere(page, VALUE)
    assert reads(account, "db") == []
    asked.clear()
    with page.expect_response("**/keys/PASSWORD"):
        page.get_by_role("button", name="Reveal PASSWORD").dblclick()
    assert [line.rpartition("/")[2] for line in asked] == ["PASSWORD"]
    assert reads(account, "db") == ["PASSWORD"]
    go(page, project, "secrets")
    nowhere(page, VALUE)
    assert told
    assert not any(VALUE in text for text in told)


@pytest.mark.slow
def test_hidden_by_a_key(db):
    """Revealed and hidden by the keyboard, with the focus where it was."""
    page = db
    reveal(page)
    expect(page.get_by_text("Shown for 30 s, then hidden again.")).to_be_visible()
    expect(page.get_by_role("button", name="Hide PASSWORD")).to_be_focused()
    page.keyboard.press("Enter")
    expect(value_of(page)).to_have_text("••••••••hidden")
    expect(page.get_by_role("button", name="Reveal PASSWORD")).to_be_focused()
    nowhere(page, VALUE)


def by_time(page, _project):
    """30 s are over."""
    page.clock.run_for(29_000)
    expect(value_of(page)).to_contain_text(VALUE)
    page.clock.run_for(1_500)


def by_route(page, project):
    """Another page."""
    go(page, project, "maps")


def by_back(page, project):
    """Another page of the same kind, and back."""
    go(page, project, "secrets")
    page.go_back()
    expect(value_of(page)).to_have_text("••••••••hidden")


def by_tab(page, _project):
    """Another tab."""
    page.evaluate(HIDE)


def by_lock(page, _project):
    """15 minutes without use."""
    page.clock.fast_forward(15 * 60_000 + 1)
    expect(page.get_by_text("Locked after 15 minutes without use.")).to_be_visible()


def by_leaving(page, _project):
    """Sign out."""
    page.get_by_role("button", name="account menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


@pytest.mark.claim("ID4", "a value that was shown is nowhere once the look at it is over")
@pytest.mark.slow
@pytest.mark.parametrize("end", [by_time, by_route, by_back, by_tab, by_lock, by_leaving])
def test_what_ends_a_look(db, project, end):
    """Whatever ends the look, the value is nowhere in the page, nor kept by the browser."""
    reveal(db)
    end(db, project)
    expect(db.get_by_text(VALUE)).to_have_count(0)
    nowhere(db, VALUE)


@pytest.mark.slow
def test_the_session_ends(db, account, watch):
    """A key that is revoked takes along what was shown with it."""
    page, other = db, account.another_key("administrator", "manager")
    watch.allow(failed(400, 401))
    reveal(page)
    other.call("DELETE", f"/v1/apikeys/{account.key_id}")
    press(page, "Reveal USER")
    expect(page.get_by_role("dialog", name="Sign in")).to_be_visible()
    nowhere(page, VALUE)


@pytest.mark.slow
@pytest.mark.parametrize("end", [by_route, by_tab])
def test_a_late_value_is_dropped(db, project, end):
    """A value that comes when nobody looks any more is not shown."""
    page, held = db, []
    page.route("**/keys/PASSWORD", lambda route: held.append(route))  # noqa: PLW0108 - it is marked
    press(page, "Reveal PASSWORD")
    until(lambda: page.evaluate("1") and held)
    end(page, project)
    held[0].continue_()
    page.unroute("**/keys/PASSWORD")
    go(page, project, "secrets/db")
    expect(page.get_by_role("button", name="Reveal USER")).to_be_visible()
    nowhere(page, VALUE)


@pytest.mark.slow
def test_copied_and_cleared(db, account):
    """A copy is read anew and never shown; the clipboard is cleared after 30 s, and it says so."""
    page = db
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(page, "Copy PASSWORD")
    expect(page.get_by_text("cleared in 30 s while this tab stays in front")).to_be_visible()
    assert clipboard(page) == VALUE
    nowhere(page, VALUE)
    assert reads(account, "db") == ["PASSWORD"]
    page.clock.run_for(30_500)
    expect(page.get_by_text("The clipboard is cleared.")).to_be_visible()
    assert clipboard(page) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("meanwhile", "says"),
    [(BLUR, "this tab was left"), (COPIED, "something newer"), (PRESSED, "something newer")],
    ids=["blur", "copy", "button"],
)
def test_what_is_newer_is_not_cleared(db, meanwhile, says):
    """What may be newer than the value stays in the clipboard, and the line says why."""
    page = db
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(page, "Copy PASSWORD")
    expect(page.get_by_text("cleared in 30 s")).to_be_visible()
    page.evaluate(meanwhile)
    expect(page.get_by_text(says)).to_be_visible()
    before = clipboard(page)
    page.clock.run_for(31_000)
    assert clipboard(page) == before != ""


def clipboard(page):
    """Give what is in the clipboard."""
    return page.evaluate("navigator.clipboard.readText()")


@pytest.mark.slow
def test_no_clipboard_no_copy(db, project):
    """Where a page may not copy there is no button to."""
    page = db
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {get: () => undefined})")
    go(page, project, "secrets")
    go(page, project, "secrets/db")
    expect(page.get_by_role("button", name="Reveal PASSWORD")).to_be_visible()
    assert page.get_by_role("button", name=re.compile("^Copy")).count() == 0


@pytest.mark.slow
def test_hostile_values(page, signed_in, account, project):
    """Markup is text, what turns or has no shape is its number, of much 4 KiB; Copy gives all."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    long = "K" * 253
    account.secret(project, "odd", {"H": HOSTILE, "L": LARGE, "E": "", long: "v", "__proto__": "p"})
    signed_in(page, account)
    go(page, project, "secrets/odd")
    for key in ("H", "L", "E", long, "__proto__"):
        press(page, f"Reveal {key}")
        expect(page.get_by_role("button", name=f"Hide {key}", exact=True)).to_be_visible()
    shown = value_of(page, "H").locator(".value").evaluate("node => node.textContent")
    numbers = {"\u202e": r"\u202e", "\x00": r"\u0000", "\u200d": r"\u200d"}
    assert shown == "".join(numbers.get(sign, sign) for sign in HOSTILE)
    assert page.locator("main img").count() == 0
    assert value_of(page, "L").locator(".value").inner_text() == LARGE[:4096]
    expect(value_of(page, "L")).to_contain_text("the first 4 KiB of 97.7 KiB. Copy gives all.")
    expect(value_of(page, "E")).to_have_text("empty")
    everywhere(page)
    for key, value in {"L": LARGE, "H": HOSTILE}.items():
        press(page, f"Copy {key}")
        expect(page.get_by_text("cleared in 30 s")).to_be_visible()
        page.wait_for_function("!document.querySelector('[aria-busy=true]')")
        assert clipboard(page) == value


@pytest.mark.slow
def test_keys_that_no_address_can_name(page, signed_in, account, project):
    """A key `..`, which an older version stored, is never asked for: a command reads it."""

    def older(route):
        answer = route.fetch()
        found = answer.json()
        found["keys"] += [{"name": ".", "size": 1}, {"name": "..", "size": 1}]
        route.fulfill(response=answer, json=found)

    page.route("**/secrets/db/keys", older)
    signed_in(page, account)
    go(page, project, "secrets/db")
    for key in (".", ".."):
        expect(value_of(page, key)).to_contain_text("ce secret get reads it.")
    assert page.get_by_role("button", name=re.compile("^Reveal")).count() == 2
