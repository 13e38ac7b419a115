"""Takes the pictures of the console in docs/images, light and dark, of a host of its own.

Nobody compares them: they are for readers. What is on them is made by this program, at a moment
that it sets (the host's clock and the browser's), so that a second run differs in ids alone. It
also measures the console's first list of two hundred projects: a figure of one run.
"""

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.support import ROOT, Account, Host, stand_alone
from tests.support.browser import launched
from tests.support.pages import DESKTOP, PATIENCE, sign_in
from tools.palette import shrunk

IMAGES = ROOT / "docs" / "images"
MOST = 80_000  # bytes of a picture
MOMENT = datetime(2026, 12, 6, 7, 15, tzinfo=UTC)  # on the pictures
SEEDED = MOMENT - timedelta(days=6, hours=4)
NAMES = ("billing", "data-pipeline-eu-central-nightly", "identity-gateway", "shop", "shop-staging")
PROJECTS, ROUNDS = 200, 5


def move(host: Host, moment: datetime) -> None:
    """Set the host's clock to a moment."""
    host.set_clock((moment - datetime.now(UTC)).total_seconds())


def seed(host: Host) -> Account:
    """Make what is on the pictures; the clock stands at `MOMENT` afterwards."""
    move(host, SEEDED)
    account = host.account()
    made = {name: account.project(name) for name in (*NAMES, "legacy-crm", "trial-7", "web 2025")}
    for name in ("smtp", "payments", "hub"):
        account.secret(made["shop"], name, {"TOKEN": "t", "URL": "u"})
    account.secret(made["shop"], "db", {"HOST": "db.internal", "PASSWORD": "p", "USER": "shop"})
    account.call(
        "POST",
        f"/v2/projects/{made['shop']['id']}/config_maps",
        {"name": "settings", "data": {"color": "blue"}},
    )
    account.delete(made["legacy-crm"])
    move(host, MOMENT)
    account.delete(made["trial-7"])
    return account


def projects(page: Page, _: str) -> None:
    """Show the list."""
    expect(page.get_by_text("6 active, 2 deleted")).to_be_visible()


def delete(page: Page, _: str) -> None:
    """Show what a deletion takes."""
    page.get_by_role("button", name="⋯ of shop", exact=True).click()
    page.locator("[popover]:popover-open").get_by_text("Delete…").click()
    expect(page.get_by_role("dialog")).to_contain_text("4 secrets and 1 config map")


def secret(page: Page, project: str) -> None:
    """Show one secret, its values hidden."""
    page.evaluate("(to) => { location.hash = to }", f"#/projects/{project}/secrets/db")
    expect(page.get_by_role("button", name="Reveal PASSWORD")).to_be_visible()


def shoot(browser: Browser, host: Host, account: Account) -> None:
    """Take each picture in both themes."""
    listed = account.got("/v2/projects")["projects"]
    shop = next(one["id"] for one in listed if one["name"] == "shop")
    IMAGES.mkdir(exist_ok=True)
    for scheme in ("light", "dark"):
        for show in (projects, delete, secret):
            context = browser.new_context(
                viewport=DESKTOP,
                color_scheme="dark" if scheme == "dark" else "light",
                reduced_motion="reduce",
                timezone_id="UTC",
            )
            context.set_default_timeout(PATIENCE)
            page = context.new_page()
            page.clock.install(time=MOMENT)
            move(host, MOMENT)  # it went on, and the browser's begins anew with each page
            sign_in(page, host.url, account)
            show(page, shop)
            page.mouse.move(0, 0)
            picture = IMAGES / f"{show.__name__}-{scheme}.png"
            size = picture.write_bytes(shrunk(page.screenshot()))
            context.close()
            print(f"{picture.relative_to(ROOT)}  {size / 1000:.0f} kB")
            if size > MOST:
                sys.exit(f"{picture.name} is larger than {MOST / 1000:.0f} kB")


def first_list(browser: Browser, host: Host) -> None:
    """Print the seconds from Enter at the sign-in to the last row of two hundred."""
    account = host.account()
    for number in range(PROJECTS):
        account.project(f"p-{number:03}")
    spent = []
    for _ in range(ROUNDS):
        context = browser.new_context(viewport=DESKTOP)
        page = context.new_page()
        page.goto(host.url)
        page.get_by_label("API key", exact=True).focus()
        page.keyboard.insert_text(account.apikey)
        began = time.perf_counter()
        page.keyboard.press("Enter")
        page.locator(f"tbody tr:nth-child({PROJECTS})").wait_for()
        spent.append(time.perf_counter() - began)
        context.close()
    median = statistics.median(spent)
    print(f"from Enter to {PROJECTS} projects: {median:.2f} s, the median of {ROUNDS}")


def main() -> None:
    """Take the pictures, and measure."""
    stand_alone()
    with tempfile.TemporaryDirectory() as home:
        host = Host(Path(home), "--firestore-port", "0", "--hub-port", "0")
        try:
            host.start(CE_PROJECTS_PER_REGION="20")
            with launched() as browser:
                shoot(browser, host, seed(host))
                host.stop()
                host.start(CE_PROJECTS_PER_REGION=str(PROJECTS))
                first_list(browser, host)
        finally:
            host.stop()


if __name__ == "__main__":
    main()
