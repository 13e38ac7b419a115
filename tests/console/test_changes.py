"""What becomes of a change on its way: sent again, called off, or left behind by its person."""

import re

import pytest
from playwright.sync_api import expect

from tests.support import told, until
from tests.support.pages import failed
from tests.support.screens import create, nowhere, press, reach, row, toast

LOST = re.compile("/v1/apikeys$")


@pytest.fixture
def asked(projects):
    """The dialog for a new key, filled in."""
    projects.evaluate("location.hash = '#/keys'")
    press(projects, "Create key")
    projects.keyboard.insert_text("ci")
    projects.get_by_label(re.compile("^viewer")).check()
    return projects


def holding(page, where, method):
    """Give a list that takes the requests of a method, and keeps them from going out."""
    held = []

    def hold(route):
        """Keep it, or let it pass."""
        if route.request.method == method:
            held.append(route)
        else:
            route.continue_()

    page.route(where, hold)
    return held


def made(page, named):
    """Press Create, and wait until the answer has been given."""
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.get_by_role("dialog").get_by_role("button", name=named, exact=True).click()


@pytest.mark.slow
@pytest.mark.parametrize("status", [403, 429, 500, 504])
def test_lost_then_refused(asked, watch, account, status):
    """However often it is tried again, and whatever comes between, one key is made."""
    watch.allow(failed(status), failed(409))
    answers = [0, status, None]

    def lose(route):
        """Have the host make it and lose the answer, then refuse, then let it pass."""
        if route.request.method != "POST":
            return route.continue_()
        answer = answers.pop(0)
        if answer is None:
            return route.continue_()
        if answer == 0:
            route.fetch()
            return route.fulfill(status=status, content_type="text/html", body="<p>no</p>")
        return route.fulfill(status=status, content_type="text/html", body="<p>no</p>")

    asked.route(LOST, lose)
    for _ in range(3):
        made(asked, "Create")
    expect(asked.get_by_role("dialog")).to_contain_text("ci")
    names = [key["name"] for key in account.got("/v1/apikeys")["apikeys"]]
    assert names.count("ci") == 1
    assert answers == []


@pytest.mark.slow
def test_cancel_while_it_is_sent(asked):
    """A change that is on its way is not called off: the dialog stays, and shows what came."""
    held = holding(asked, LOST, "POST")
    asked.get_by_role("dialog").get_by_role("button", name="Create", exact=True).click()
    until(lambda: held or asked.wait_for_timeout(20))
    asked.get_by_role("button", name="Cancel").click()
    asked.keyboard.press("Escape")
    held[0].continue_()
    expect(asked.get_by_role("dialog")).to_contain_text("it is not shown again")


@pytest.mark.slow
def test_another_person_meanwhile(projects, watch, account, host, console_url):
    """What one person began is not done by the next who signs in, nor told to them."""
    watch.allow(failed(400, 401))
    body = {"name": "first", "roles": ["administrator", "manager"]}
    first = told.body(account.call("POST", "/v1/apikeys", body), 201)
    second = host.account()
    projects.goto("about:blank")
    projects.goto(console_url)
    projects.keyboard.insert_text(first["apikey"])
    projects.keyboard.press("Enter")
    create(projects, "shop")
    projects.evaluate("location.hash = '#/projects'")
    held = holding(projects, re.compile("/v2/projects/[^?]*$"), "DELETE")
    projects.get_by_role("button", name="⋯ of shop").click()
    projects.get_by_role("button", name="Delete…").click()
    projects.get_by_role("button", name=re.compile("^Delete, restorable")).click()
    until(lambda: held or projects.wait_for_timeout(20))
    assert account.call("DELETE", f"/v1/apikeys/{first['id']}").ok
    lists = "**/v2/projects?*"  # these alone would notice it only with the token's end
    projects.route(lists, lambda route: route.fulfill(status=401, json={}))
    projects.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(projects.get_by_text("Your session ended.")).to_be_visible()
    projects.unroute(lists)
    projects.get_by_label("API key", exact=True).fill(second.apikey)
    projects.keyboard.press("Enter")
    expect(projects.get_by_text("No projects yet")).to_be_visible()
    held[0].continue_()
    projects.wait_for_timeout(500)
    nowhere(projects, "shop")
    assert [one["status"] for one in account.got("/v2/projects")["projects"]] == ["active"]


@pytest.mark.slow
def test_restored_and_deleted_again(projects, watch, account):
    """A list that is a deletion behind restores the project all the same."""
    watch.allow(failed(404))
    shop = account.project("shop")
    account.delete(shop)
    projects.evaluate("location.hash = '#/deleted'")
    projects.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(row(projects, "shop")).to_be_visible()
    [reclamation] = account.got("/v1/reclamations")["resources"]
    actions = f"/v1/reclamations/{reclamation['id']}/actions"
    told.body(account.call("POST", f"{actions}/restore"), 200)
    account.delete(shop)
    reach(projects, row(projects, "shop").get_by_role("button", name=re.compile("^Restore")))
    projects.keyboard.press("Enter")
    toast(projects, "is back, complete.")
    assert [one["status"] for one in account.got("/v2/projects")["projects"]] == ["active"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [".", ".."])
def test_dots(projects, account, name):
    """An address of steps leads to nothing, and nothing is asked of the host for it."""
    shop = account.project("shop")
    asked = []
    projects.on("request", lambda request: asked.append(request.url))
    projects.evaluate("(to) => { location.hash = to }", f"#/projects/{shop['id']}/secrets/{name}")
    projects.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(projects.get_by_text("No secret of this name")).to_be_visible()
    assert not [url for url in asked if "secrets" in url]
