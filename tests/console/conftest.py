"""Fixtures for tests in a real browser: one for each process, and a context for each test."""

import pytest

from tests.support.browser import launched
from tests.support.holding import VALUE, go
from tests.support.pages import DESKTOP, Watch, sign_in


@pytest.fixture(scope="session")
def browser():
    """The browser; that a test asks for it, even through another fixture, is its mark."""
    with launched() as browser:
        yield browser


@pytest.fixture
def console_url(host):
    """Where the console is."""
    return host.url


@pytest.fixture
def watch(console_url):
    """What the pages of this test did; `watch.allow` expects some of it, the rest fails it."""
    watch = Watch(console_url)
    yield watch
    unexpected = watch.unexpected()
    for context in watch.contexts:
        context.close()
    assert unexpected == []


@pytest.fixture
def new_page(browser, watch):
    """Make a page in a context of its own, as a second person or machine has it."""

    def make(**options):
        context = browser.new_context(
            **{"viewport": DESKTOP, "color_scheme": "light", "reduced_motion": "reduce"} | options
        )
        watch.add(context)
        return context.new_page()

    return make


@pytest.fixture
def page(new_page):
    """A fresh page: 1280 px wide, light, nothing stored."""
    return new_page()


@pytest.fixture
def signed_in(console_url):
    """Sign a page in with an account's key: `signed_in(page, account)`."""
    return lambda page, account: sign_in(page, console_url, account)


@pytest.fixture
def projects(page, signed_in, account):
    """The first screen of a fresh account."""
    signed_in(page, account)
    return page


@pytest.fixture
def project(account):
    """A project with one secret."""
    project = account.project("shop")
    account.secret(project, "db", {"PASSWORD": VALUE, "USER": "someone"})
    return project


@pytest.fixture
def shown(page, signed_in, account, project):
    """Show a place of the project to its account: `shown("secrets")`."""

    def show(place):
        signed_in(page, account)
        go(page, project, place)
        return page

    return show


@pytest.fixture
def secrets(shown):
    """The list of the project's secrets on the screen."""
    return shown("secrets")
