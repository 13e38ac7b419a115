"""Each screen in each state, as axe finds it: four looks, forced colours, and little room."""

import pytest
from playwright.sync_api import ViewportSize

from tests.console.states import STATES, Screen
from tests.support.pages import DESKTOP, PHONE, axe, clean, fits, in_all_looks, look

DAY = 24 * 3600
NARROW = ViewportSize(width=320, height=640)
ZOOMED = ViewportSize(width=640, height=400)  # 1280 px at 200 %
NAMES = (
    *("billing", "data-pipeline-eu-central-nightly", "identity-gateway", "shop", "web 2025"),
    *("m" * 128, "שלום עולם"),
)
SMALL = """[...document.querySelectorAll('button, input:not(.hidden, [type=checkbox]), .nav a')]
  .filter((one) => one.checkVisibility({visibilityProperty: true}))
  .map((one) => [one.ariaLabel || one.innerText, Math.round(one.offsetHeight), !!one.closest('td')])
  .filter(([, high, cell]) => high && high < (cell ? 36 : 44))"""


@pytest.fixture(scope="module")
def rich(host):
    """An account with something of all kinds."""
    host.set_clock(0)
    account = host.account()
    made = {name: account.project(name) for name in (*NAMES, "legacy-crm", "trial-7")}
    account.secret(made["shop"], "db", {"PASSWORD": "x"})
    account.delete(made["legacy-crm"])
    host.advance(6 * DAY + 4 * 3600)
    account.delete(made["trial-7"])
    return account


@pytest.fixture
def screen(page, watch, host, rich):
    """What a state is brought about on."""
    host.set_clock(6 * DAY + 4 * 3600)
    return Screen(page, watch, host, rich)


@pytest.mark.slow
@pytest.mark.parametrize("name", STATES)
def test_state(screen, name):
    """Axe finds nothing in any look, forced colours included, and nothing scrolls sideways."""
    STATES[name](screen)
    page = screen.page
    assert page.locator("h1").count() == 1
    in_all_looks(page, clean)
    look(page, DESKTOP, "light", forced=True)
    assert axe(page) == []
    for room in (NARROW, ZOOMED):
        look(page, room, "light")
        fits(page)


@pytest.mark.slow
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_targets(screen, size):
    """What can be pressed is at least 44 px high, in a table's rows 36."""
    for name in ("projects", "deleted", "keys", "making", "signed_out"):
        STATES[name](screen)
        look(screen.page, size, "light")
        small = screen.page.evaluate(SMALL)
        assert small == [], name
