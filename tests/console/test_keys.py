"""API keys in a browser: made, shown once, revoked; and what a key may not see or give."""

import datetime as dt
import re
from contextlib import suppress

import pytest
from playwright.sync_api import Error, expect

from tests.support.pages import failed
from tests.support.screens import focused, nowhere, press, quoted, reach, row, toast, writes

TEXT = re.compile(r"ce_[0-9a-f]{16}_[A-Za-z0-9_-]{43}")
DAY = 24 * 3600


@pytest.fixture
def keys(page, signed_in, account):
    """The screen, of an account's first key: `keys()`, or of another one."""

    def make(by=account):
        signed_in(page, by)
        page.keyboard.type("gk")
        expect(page.get_by_role("heading", level=1)).to_have_text("API keys")
        return page

    return make


def fill(page, name, *roles):
    """Fill in a new key's name and roles, by the keyboard."""
    press(page, "Create key")
    page.keyboard.insert_text(name)
    for role in roles:
        reach(page, page.get_by_role("checkbox", name=re.compile(rf"^{role}\b")))
        page.keyboard.press("Space")


def shown(page):
    """Give the text of the key that was made, as the dialog shows it."""
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Copy it now: it is not shown again.")
    return TEXT.search(dialog.inner_text())[0]


def listed(account):
    """Give the account's keys by name."""
    return {key["name"]: key for key in account.got("/v1/apikeys")["apikeys"]}


def test_made_by_keyboard(keys, account):
    """A key is made; its text is shown once, and after Done it is nowhere."""
    page = keys()
    fill(page, "ci", "viewer", "reader")
    press(page, "Create")
    made = page.get_by_role("dialog", name=f"Key {quoted('ci')} is made")
    text = shown(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(made).to_be_visible()
    press(page, "Done")
    expect(row(page, "ci")).to_contain_text("reader, viewer")
    expect(row(page, "ci")).to_contain_text("in 90 d 0 h")
    nowhere(page, text, account.apikey)
    assert listed(account)["ci"]["id"] == text.split("_")[1]


@pytest.mark.slow
def test_copied(keys):
    """What is copied is the whole text, and it signs in."""
    page = keys()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    fill(page, "ci", "viewer")
    press(page, "Create")
    press(page, "Copy key")
    expect(page.get_by_role("dialog")).to_contain_text("Copied")
    text = page.evaluate("navigator.clipboard.readText()")
    assert TEXT.fullmatch(text)
    assert text in page.get_by_role("dialog").inner_text()


@pytest.mark.slow
def test_what_it_may_give(keys, account):
    """Only roles are offered whose verbs the own key has; none chosen is told, and asks nothing."""
    page = keys(account.another_key("administrator"))
    sent = writes(page)
    press(page, "Create key")
    boxes = page.get_by_role("checkbox")
    names = [boxes.nth(at).get_attribute("data-role") for at in range(boxes.count())]
    assert names == ["administrator", "editor", "operator", "viewer", "purge"]
    page.keyboard.insert_text("ci")
    press(page, "Create")
    expect(page.get_by_role("alert")).to_have_text("Choose at least one role.")
    assert sent == []


@pytest.mark.slow
def test_expiry_is_of_the_clock_that_keys_live_by(keys, account, host):
    """90 days are counted from the host's real time, wherever its test clock stands."""
    host.advance(200 * DAY)
    page = keys()
    expect(page.locator("main")).to_contain_text("This host's clock is 200 d 0 h ahead.")
    expect(row(page, "first")).to_contain_text("just now")
    fill(page, "ci", "viewer")
    press(page, "Create")
    press(page, "Done")
    expect(row(page, "ci")).to_contain_text("in 90 d 0 h")
    left = moment(listed(account)["ci"]["expires_at"]) - dt.datetime.now(dt.UTC)
    assert abs(left.total_seconds() - 90 * DAY) < 120


@pytest.mark.slow
def test_for_a_project_until_a_day(keys, account):
    """A key for one project, until the end of a day that is chosen; another without an end."""
    made = account.project("shop")
    account.delete(account.project("gone"))
    page = keys()
    fill(page, "one", "viewer")
    project = page.get_by_label("For", exact=True)
    assert project.locator("option").all_inner_texts() == ["all projects", "shop"]
    project.select_option("shop")
    page.get_by_label("Expires").select_option("on a day…")
    day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=20)
    page.get_by_label("Last day").fill(day.isoformat())
    expect(page.locator("dialog .command code")).to_contain_text(f"--project-id {made['id']}")
    press(page, "Create")
    press(page, "Done")
    expect(row(page, "one")).to_contain_text("shop")
    key = listed(account)["one"]
    assert key["project_id"] == made["id"]
    assert key["expires_at"] == f"{day.isoformat()}T23:59:59Z"
    fill(page, "two", "viewer")
    page.get_by_label("Expires").select_option("never")
    press(page, "Create")
    press(page, "Done")
    assert "expires_at" not in listed(account)["two"]


@pytest.mark.slow
def test_no_longer_than_the_own_key(keys, account):
    """A key that ends makes none that lasts longer: what is chosen first is its own end."""
    end = dt.datetime.now(dt.UTC) + dt.timedelta(days=40)
    page = keys(account.another_key(expires_at=end.isoformat()))
    expect(page.get_by_text("(this session)")).to_be_visible()
    fill(page, "ci", "viewer")
    choices = page.get_by_label("Expires").locator("option").all_inner_texts()
    assert choices == ["in 30 days", "on a day…", "with the key you are signed in with"]
    press(page, "Create")
    press(page, "Done")
    assert moment(listed(account)["ci"]["expires_at"]) == end.replace(microsecond=0)


@pytest.mark.slow
def test_an_answer_that_is_lost(keys, account, watch):
    """The key is there and its text is lost: it says so, and the lost key is deleted from there."""
    page = keys()
    watch.allow("net::ERR_FAILED", failed(409))

    seen = []

    def lost(route):
        """Lose the first answer."""
        if seen:
            return route.continue_()
        seen.append(route.fetch())
        return route.abort()

    page.route(lambda url: url.endswith("/v1/apikeys"), lost)
    fill(page, "ci", "viewer")
    press(page, "Create")
    expect(page.get_by_role("dialog")).to_contain_text("The host does not answer.")
    assert set(listed(account)) == {"first", "ci"}
    press(page, "Create")
    told = page.get_by_role("alert").filter(has_text="The key exists, and its text is lost")
    expect(told).to_be_visible()
    press(page, "Delete the lost key")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert set(listed(account)) == {"first"}


@pytest.mark.claim("ID4", "a new key's text goes with its dialog")
@pytest.mark.slow
def test_the_text_goes_with_the_screen(keys):
    """Leaving the screen takes the text along; closing the tab asks first."""
    page = keys()
    fill(page, "ci", "viewer")
    press(page, "Create")
    text = shown(page)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    with suppress(Error):
        page.close(run_before_unload=True)
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Projects")
    nowhere(page, text)
    page.go_forward()
    expect(row(page, "ci")).to_be_visible()
    nowhere(page, text)


@pytest.mark.slow
def test_revoked(keys, account, watch):
    """What revoking does is told before; after it the key is gone, and reads nothing any more."""
    watch.allow(failed(404))
    other = account.another_key("administrator", "manager", name="ci")
    made = account.project("shop")
    other.another_key("viewer", name="made-by-ci")
    page = keys()
    sent = writes(page)
    press(page, "Revoke… ci")
    dialog = page.get_by_role("dialog", name=f"Revoke {quoted('ci')}?")
    assert focused(page) == "Cancel"
    expect(dialog).to_contain_text("can no longer read or change what projects hold, at once")
    expect(dialog).to_contain_text("within an hour")
    expect(dialog).to_contain_text("The key made with it stays.")
    expect(dialog).to_contain_text(f"ce apikey delete --id {other.key_id}")
    page.get_by_role("button", name="Revoke", exact=True).dblclick()
    toast(page, f"{quoted('ci')} is revoked.")
    expect(row(page, "ci")).to_have_count(0)
    assert len(sent) == 1
    assert other.call("GET", f"/v2/projects/{made['id']}").status_code == 401
    assert set(listed(account)) == {"first", "made-by-ci"}


@pytest.mark.slow
def test_the_own_key(keys, account):
    """Revoking the key one is signed in with says so, and that it is the last; then one is out."""
    page = keys()
    expect(row(page, "first")).to_contain_text("(this session)")
    press(page, "Revoke… first")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("This is the key you are signed in with.")
    expect(dialog).to_contain_text("It is the last one here that may make keys")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You revoked the key you were signed in with.")).to_be_visible()
    nowhere(page, account.apikey)


@pytest.mark.slow
@pytest.mark.parametrize("roles", [("editor", "manager"), ("auditor",)])
def test_a_key_without_apikey_view(keys, account, roles):
    """It is told what it takes; nothing is asked for, and nothing can be made."""
    page = keys(account.another_key(*roles))
    expect(page.locator("main")).to_contain_text("Your key may not see API keys.")
    sent = writes(page)
    press(page, "Create key")
    toast(page, "It takes the role administrator, and a key for all projects.")
    assert page.locator("table").count() == 0
    assert sent == []


def moment(text):
    """Give the time that a text says."""
    return dt.datetime.fromisoformat(text)
