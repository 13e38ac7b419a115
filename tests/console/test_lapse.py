"""Times that must be over in time, on a machine that sleeps and whose clock is set."""

import pytest
from playwright.sync_api import expect

from tests.support.holding import VALUE, go
from tests.support.screens import counting, nowhere, press

LOCKED = "Locked after 15 minutes without use."
SET = "by => { const real = Date.now; Date.now = () => real() + by }"  # performance.now() stands
MINUTE = 60_000
SIGNS = {
    "focus": "window.dispatchEvent(new Event('focus'))",
    "shown": "document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))",
    "back": "window.dispatchEvent(new PageTransitionEvent('pageshow'))",
    "pointer": "document.body.dispatchEvent(new PointerEvent('pointermove', {bubbles: true}))",
}


@pytest.fixture
def db(page, signed_in, account):
    """A secret on the screen, whose value was revealed, and a page whose time can be moved."""
    page.clock.install()
    project = account.project("shop")
    account.secret(project, "db", {"PASSWORD": VALUE})
    signed_in(page, account)
    go(page, project, "secrets/db")
    press(page, "Reveal PASSWORD")
    expect(page.get_by_text(VALUE)).to_be_visible()
    return page


@pytest.mark.claim("ID4", "no clock that is set back makes a session's rest longer")
@pytest.mark.slow
@pytest.mark.parametrize("back", [1, 60 * MINUTE])
def test_a_clock_that_is_set_back(db, back):
    """By a moment or an hour, in the middle of a rest: the lock comes when 15 minutes are over."""
    page = db
    page.clock.fast_forward("14:00")
    page.evaluate(SET, -back)
    page.clock.fast_forward("01:01")
    expect(page.get_by_text(LOCKED)).to_be_visible()
    nowhere(page, VALUE)


@pytest.mark.claim("ID4", "a machine that wakes shows and asks for nothing of a session it left")
@pytest.mark.slow
@pytest.mark.parametrize("sign", [*SIGNS, None])
def test_a_machine_that_wakes(db, sign):
    """Locked at the first sign of somebody, or the next tick; nothing is asked for before."""
    page = db
    asked = counting(page, lambda one: "/v1/" in one.url or "/v2/" in one.url)
    page.evaluate(SET, 16 * MINUTE)
    if sign:
        page.evaluate(SIGNS[sign])
    else:
        page.clock.fast_forward(30_000)
    expect(page.get_by_text(LOCKED)).to_be_visible()
    nowhere(page, VALUE)
    assert asked == []


@pytest.mark.slow
@pytest.mark.parametrize("sign", [*SIGNS, None])
def test_a_value_after_a_sleep(db, sign):
    """A value that was shown as the machine fell asleep is hidden as it wakes."""
    page = db
    page.evaluate(SET, 31_000)
    if sign:
        page.evaluate(SIGNS[sign])
    else:
        page.clock.fast_forward(1000)
    expect(page.get_by_text(VALUE)).to_have_count(0)
    expect(page.get_by_role("button", name="Reveal PASSWORD")).to_be_visible()
