"""What a screen shows when the host is slow, busy, broken or away: hosts that really are."""

import pytest
from playwright.sync_api import expect

from emulator import ports
from emulator.log import Log
from tests.support import Host, own_firestore
from tests.support.pages import REFUSED, failed
from tests.support.screens import look_again, press, quoted, row, toast

pytestmark = pytest.mark.slow


class Own:
    """A host of this file's own, started anew on one port over a Firestore that stays."""

    def __init__(self, home):
        hub = ports.free()
        place = home / "firestore.log"
        self.store = own_firestore.start(ports.free(), f"127.0.0.1:{hub}", place, Log(quiet=True))
        port = str(ports.free())
        self.host = Host(home, "--hub-port", str(hub), "--hosting-port", port)
        self.env = {"FIRESTORE_EMULATOR_HOST": self.store.address}
        self.env["CE_KEY_STORE"] = str(home / "keys")

    def start(self, **env):
        """Start it with some settings."""
        self.host.stop()
        return self.host.start(**self.env, **env)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The host; each test starts it."""
    own = Own(tmp_path_factory.mktemp("own"))
    yield own
    own.host.stop()
    own.store.stop()


def test_away_and_back(own, page, watch):
    """Offline is told, what stands and what was typed stays; then it goes on as if nothing was."""
    watch.allow(REFUSED, "ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET")
    host = own.start()
    watch.origins.add(host.url)
    account = host.account()
    account.project("shop")
    sign_in_to(page, host, account)
    expect(row(page, "shop")).to_be_visible()
    press(page, "Create project")
    page.keyboard.insert_text("typed")
    host.stop()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("The host does not answer.")
    bar = page.locator(".note.away")
    expect(bar).to_have_text(
        "Offline. The host does not answer; what you see may be old. Trying again every 5 s."
    )
    expect(page.locator("tbody tr")).to_have_count(1)
    assert " 0" not in page.locator("dialog [role=alert]").inner_text()
    own.start()
    expect(bar).to_have_count(0, timeout=30_000)
    assert page.get_by_label("Name", exact=True).input_value() == "typed"
    press(page, "Create")
    toast(page, f"{quoted('typed')} is created.")


def sign_in_to(page, host, account):
    """Sign in to the host of this file."""
    page.goto(f"{host.url}/")
    page.keyboard.insert_text(account.apikey)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Projects", level=1).wait_for()


def test_first_list_is_not_there(own, page, watch):
    """Where the host goes before there is anything to show, it says so and offers to try again."""
    watch.allow(REFUSED, "ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_INTERNET_DISCONNECTED")
    host = own.start()
    watch.origins.add(host.url)
    account = host.account()
    page.route("**/v2/projects?*", lambda route: page.context.set_offline(True) or route.abort())
    watch.allow("ERR_FAILED")
    sign_in_to(page, host, account)
    expect(page.locator(".note.red")).to_contain_text("Is it running?", timeout=20_000)
    page.unroute("**/v2/projects?*")
    page.context.set_offline(False)
    press(page, "Try again")
    expect(page.get_by_role("heading", name="No projects yet")).to_be_visible()


def test_too_many_tries(own, page, watch):
    """The sign-in says in how many seconds it may be tried again."""
    watch.allow(failed(400, 429))
    host = own.start(CE_TOKEN_RATE="0.05")
    watch.origins.add(host.url)
    page.goto(f"{host.url}/")
    text = f"ce_{'0' * 16}_{'x' * 43}"
    page.keyboard.insert_text(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This key is not known here")
    page.keyboard.press("Enter")
    told = page.get_by_role("alert")
    expect(told).to_contain_text("Too many tries. Try again in ")
    assert int(told.inner_text().split()[-2]) in range(1, 21)


def test_too_many_requests(own, page, watch):
    """A list that is refused for a while says for how many seconds."""
    watch.allow(failed(429))
    host = own.start(CE_RATE="0.05", CE_TOKEN_RATE="0")
    watch.origins.add(host.url)
    sign_in_to(page, host, host.account())
    told = page.locator(".note.red")
    expect(told).to_contain_text("Too many requests. Try again in ")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_the_store_is_away(own, page, watch):
    """A failure of the host is told in its words, with the trace; what was shown stays."""
    watch.allow(failed(503))
    host = own.start()
    watch.origins.add(host.url)
    account = host.account()
    account.project("shop")
    sign_in_to(page, host, account)
    expect(row(page, "shop")).to_be_visible()
    own.store.stop()
    look_again(page)
    told = page.get_by_role("alert")
    expect(told).to_contain_text("That did not work.", timeout=60_000)
    expect(told).to_contain_text("Trace codeengine-api-")
    expect(row(page, "shop")).to_be_visible()
