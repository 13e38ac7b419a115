"""The states of the console's screens, each brought about as a person would."""

import re

from playwright.sync_api import expect

from tests.support import told
from tests.support.pages import failed, sign_in
from tests.support.screens import choose, look_again, press, row, toast

UNKNOWN = f"ce_{'0' * 16}_{'x' * 43}"
STATES = {}


def state(call):
    """Note a state: its name is what it is called by."""
    STATES[call.__name__] = call
    return call


class Screen:
    """A page, and the account with something of all kinds that it is signed in with."""

    def __init__(self, page, watch, host, account):
        self.page, self.watch, self.host, self.account = page, watch, host, account

    def open(self, address="projects", by=None):
        """Sign in, and go to an address."""
        self.page.goto("about:blank")  # whoever was signed in before is forgotten
        sign_in(self.page, self.host.url, by or self.account)
        self.page.evaluate("(to) => { location.hash = to }", f"#/{address}")
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0)
        return self.page

    def keys(self, *names):
        """Press keys."""
        for name in names:
            self.page.keyboard.press(name)

    def project(self, word):
        """Give one of the account's projects: by its state, or its name."""
        found = self.account.got("/v2/projects")["projects"]
        return next(one for one in found if word in (one["status"], one["name"]))


@state
def signed_out(screen):
    """The first page."""
    screen.page.goto(screen.host.url)


@state
def by_code(screen):
    """The question that the link of `ce open` leads to."""
    code = told.body(screen.account.call("POST", "/v1/signin_codes", {}), 201)["code"]
    screen.page.goto(f"{screen.host.url}/#/signin?code={code}")
    expect(screen.page.get_by_role("button", name="Not me")).to_be_visible()


@state
def used_code(screen):
    """A link that was used."""
    screen.watch.allow(failed(400))
    screen.page.goto(f"{screen.host.url}/#/signin?code={'x' * 43}")
    expect(screen.page.get_by_role("alert").first).to_be_visible()


@state
def refused_key(screen):
    """A key that nobody has."""
    screen.watch.allow(failed(400))
    screen.page.goto(screen.host.url)
    screen.page.keyboard.insert_text(UNKNOWN)
    screen.keys("Enter")
    screen.page.get_by_label("Show the key").check()
    expect(screen.page.get_by_role("alert")).to_be_visible()


@state
def projects(screen):
    """The list, of projects of all kinds."""
    expect(screen.open().get_by_text("Test clock.")).to_be_visible()


@state
def no_projects(screen):
    """The list of who has none."""
    expect(screen.open(by=screen.host.account()).get_by_text("No projects yet")).to_be_visible()


@state
def nothing_fits(screen):
    """A filter that nothing fits."""
    expect(screen.open("projects?q=zzz").get_by_text("No project fits.")).to_be_visible()


@state
def loading(screen):
    """A list that takes its time."""
    screen.page.route("**/v2/projects?*", lambda _: None)
    sign_in(screen.page, screen.host.url, screen.account)
    expect(screen.page.locator(".skeleton").first).to_be_visible()


@state
def project_menu(screen):
    """A row's menu."""
    press(screen.open(), "⋯ of shop")


@state
def denied_menu(screen):
    """A row's menu, of a key that may not."""
    press(screen.open(by=screen.account.another_key("viewer")), "⋯ of shop")


@state
def account_menu(screen):
    """Who one is."""
    press(screen.open(), "us-south ▾, account menu")


@state
def shortcuts(screen):
    """The help."""
    screen.open()
    screen.keys("?")


@state
def making(screen):
    """A project's name is asked for."""
    press(screen.open(), "Create project")


@state
def name_held(screen):
    """A project's name is held by a deleted one."""
    screen.watch.allow(failed(409))
    press(screen.open(), "Create project")
    screen.page.keyboard.insert_text("legacy-crm")
    screen.keys("Enter")
    expect(screen.page.get_by_role("button", name="Restore it")).to_be_visible()


@state
def deleting(screen):
    """What a deletion takes."""
    choose(screen.open(), "shop", "Delete…")
    expect(screen.page.get_by_role("dialog")).to_contain_text("1 secret can no longer be read")


@state
def undo(screen):
    """What happened, and Undo."""
    choose(screen.open(), "billing", "Delete…")
    screen.keys("Tab", "Enter")
    toast(screen.page, "is deleted, restorable until")
    screen.page.locator(".toast").hover()


@state
def said_why_not(screen):
    """What a key may not do, said where it is pressed."""
    press(screen.open(by=screen.account.another_key("viewer")), "Create project")
    toast(screen.page, "It takes the role editor or administrator")
    screen.page.locator(".toast").hover()


@state
def deleted(screen):
    """What is deleted."""
    expect(row(screen.open("deleted"), "legacy-crm")).to_be_visible()


@state
def nothing_deleted(screen):
    """Nothing is deleted."""
    screen.open("deleted", by=screen.host.account()).get_by_text("Nothing is deleted").wait_for()


@state
def destroying(screen):
    """The name is asked for."""
    choose(screen.open("deleted"), "legacy-crm", "Destroy now…")


@state
def name_matches(screen):
    """The name is typed."""
    destroying(screen)
    screen.page.keyboard.insert_text("legacy-crm")
    expect(screen.page.get_by_text("The name matches.")).to_be_visible()


@state
def settings(screen):
    """A project's facts."""
    page = screen.open(f"projects/{screen.project('active')['id']}/settings")
    expect(page.get_by_text("crn:")).to_be_visible()


@state
def adding(screen):
    """A secret, key by key."""
    press(screen.open(f"projects/{screen.project('shop')['id']}/secrets"), "Add secret")


@state
def adding_lines(screen):
    """A secret, from a `.env` file."""
    adding(screen)
    press(screen.page, "From a .env file")


@state
def deleted_project(screen):
    """A deleted project."""
    page = screen.open(f"projects/{screen.project('soft_deleted')['id']}/secrets")
    expect(page.get_by_text("Not readable while deleted.")).to_be_visible()


@state
def no_such_project(screen):
    """A project that is not."""
    screen.open("projects/0/settings").get_by_text("it may have been destroyed").wait_for()


@state
def no_such_page(screen):
    """No page."""
    expect(screen.open("nowhere").get_by_text("Nothing is at this address.")).to_be_visible()


@state
def refused_list(screen):
    """A key that may not look at projects."""
    screen.watch.allow(failed(403))
    screen.open(by=screen.account.another_key("purge")).get_by_text("project.view.").wait_for()


@state
def keys(screen):
    """The keys."""
    expect(screen.open("keys").get_by_text("(this session)")).to_be_visible()


@state
def keys_denied(screen):
    """A key that may not see them."""
    screen.open("keys", by=screen.account.another_key("editor"))
    screen.page.get_by_text("Your key may not see API keys.").wait_for()


@state
def key_asked(screen):
    """What a new key may do."""
    keys(screen)
    press(screen.page, "Create key")
    screen.page.get_by_label("Expires").select_option("on a day…")


@state
def key_made(screen):
    """A key's text."""
    keys(screen)
    press(screen.page, "Create key")
    screen.page.keyboard.insert_text("ci")
    screen.page.get_by_role("checkbox", name=re.compile("^viewer")).check()
    press(screen.page, "Create")
    expect(screen.page.get_by_text("Copy it now: it is not shown again.")).to_be_visible()


@state
def revoking(screen):
    """The own key, which is the last."""
    keys(screen)
    press(screen.page, "Revoke… first")


@state
def offline(screen):
    """The host does not answer."""
    screen.watch.allow("ERR_INTERNET_DISCONNECTED")
    page = screen.open()
    page.context.set_offline(True)
    look_again(page)
    expect(page.get_by_text("Offline.")).to_be_visible()


@state
def ended(screen):
    """The session has ended, over a dialog."""
    screen.watch.allow(failed(400, 401))
    key = screen.account.another_key("administrator")
    press(screen.open(by=key), "Create project")
    screen.account.call("DELETE", f"/v1/apikeys/{key.key_id}")
    screen.page.keyboard.insert_text("typed")
    screen.keys("Enter")
    expect(screen.page.get_by_role("dialog", name="Sign in")).to_be_visible()
