"""Templates in a browser: lists of names, and each as the text that is stored."""

import json
import re

import pytest
from playwright.sync_api import expect

from shared.kinds import CONFIG_MAPS, KINDS, SECRETS
from tests.support.holding import everywhere, go, made
from tests.support.kinds import Home
from tests.support.pages import failed, sign_in
from tests.support.screens import choose, nowhere, press, quoted, row, toast

IMAGE = "icr.io/a/b"
HOSTILE = "<img src=x onerror=alert(1)>\u202e"


@pytest.fixture
def project(account):
    """A project with a job that has a run, and an app."""
    project = account.project("shop")
    variables = [{"type": "literal", "name": "A", "value": HOSTILE}]
    more = {"image_reference": IMAGE, "run_env_variables": variables}
    made(account, project, "jobs", name="nightly", **more)
    made(account, project, "job_runs", job_name="nightly", name="first")
    made(account, project, "apps", name="web", image_reference=IMAGE)
    return project


@pytest.fixture
def templates(shown):
    """The lists on the screen."""
    return shown("templates")


def test_lists_and_one(templates, account, project):
    """By the keyboard: a kind is chosen, one is opened, and is the very text that is stored."""
    page = templates
    expect(page.get_by_text("Reprieve runs nothing.")).to_be_visible()
    expect(row(page, "web")).to_be_visible()
    press(page, "Jobs 1")
    expect(page.get_by_role("button", name="Jobs 1")).to_have_attribute("aria-pressed", "true")
    assert page.url.endswith("/templates?kind=jobs")
    row(page, "nightly").get_by_role("link").press("Enter")
    expect(page.locator("pre")).to_be_visible()
    text = page.locator("pre .value").evaluate("node => node.textContent")
    stored = account.got(f"/v2/projects/{project['id']}/jobs/nightly")
    assert json.loads(text) == stored
    assert page.locator("main img").count() == 0
    expect(page.get_by_text("ce job get --name nightly --project shop")).to_be_visible()
    page.get_by_role("link", name="All jobs").press("Enter")
    expect(row(page, "nightly")).to_be_visible()
    nowhere(page)


@pytest.mark.slow
def test_deleted_with_what_depends(templates, account, project):
    """What goes along is said before; then the job and its run are gone."""
    page = templates
    press(page, "Jobs 1")
    choose(page, "nightly", "Delete…")
    dialog = page.get_by_role("dialog", name=f"Delete job {quoted('nightly')}?")
    expect(dialog).to_contain_text("Its runs and bindings go with it")
    everywhere(page)
    press(page, "Delete job", dialog)
    toast(page, f"{quoted('nightly')} is deleted.")
    expect(page.get_by_role("heading", name="No jobs")).to_be_visible()
    assert account.got(f"/v1/projects/{project['id']}/contents")["job_runs"] == 0


@pytest.mark.slow
def test_every_kind(page, signed_in, account):
    """Each kind that is stored has a chip, a list, and its text; axe finds nothing in any."""
    home = Home(account, account.project("all"))
    project = home.project
    kinds = [kind for kind in KINDS if kind not in (SECRETS, CONFIG_MAPS)]
    keys = {kind: home.made(kind)[kind.key] for kind in kinds}
    signed_in(page, account)
    for kind, key in keys.items():
        go(page, project, f"templates?kind={kind.collection}")
        expect(page.locator("[aria-pressed=true]")).to_have_text(
            re.compile(r"^[A-Z][a-z ]+ [1-9]$")
        )
        row(page, key).get_by_role("link").press("Enter")
        expect(page.locator("pre")).to_contain_text(key)
    everywhere(page)


@pytest.mark.slow
def test_states(templates, project, watch):
    """Lists, none of a kind, one, and what is not there: axe finds nothing in any."""
    page = templates
    watch.allow(failed(404))
    everywhere(page)
    press(page, "Builds 0")
    expect(page.get_by_role("heading", name="No builds")).to_be_visible()
    everywhere(page)
    go(page, project, "templates/jobs/nightly")
    expect(page.locator("pre")).to_be_visible()
    everywhere(page)
    go(page, project, "templates/jobs/none")
    expect(page.get_by_role("alert")).to_have_text("No job of this name is in this project.")
    everywhere(page)
    for where in ("templates/secrets/x", "templates/jobs", "templates/jobs/a/b"):
        go(page, project, where)
        expect(page.get_by_text("Nothing is at this address.")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("roles", [("auditor",), ("manager",)])
def test_roles(page, console_url, account, project, watch, roles):
    """Who may not look at values sees names; who may not look at projects sees lists uncounted."""
    watch.allow(failed(403))
    sign_in(page, console_url, account.another_key(*roles, "viewer"))
    go(page, project, "templates")
    row(page, "web").get_by_role("link").press("Enter")
    if roles == ("auditor",):
        said = "Your key may not do this. It takes entity.view."
        expect(page.get_by_role("alert")).to_have_text(said)
    else:
        expect(page.locator("pre")).to_contain_text(IMAGE)
    everywhere(page)
