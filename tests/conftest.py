"""Fixtures: one host for the whole run, accounts in it, and the domain wired directly."""

import sys
from dataclasses import replace

import pytest

from shared import quotas
from shared.keys.local import open_keyring
from shared.store import Store
from tests.support import Host, cli, stand_alone, wired, with_key
from tests.support.cli_home import nobody, other, unreachable  # noqa: F401 - fixtures
from tests.support.counting import Counting
from tests.support.google_keys import Google
from tests.support.keyrings import Cloud, Local
from tests.support.kinds import Home

pytest_plugins = ["tests.support.browser"]
stand_alone()  # before anything is started, or reads a setting


@pytest.fixture(scope="session")
def host(tmp_path_factory):
    """A running host with its own Firestore emulator; its schedule runs only when told."""
    home = tmp_path_factory.mktemp("ce")
    host = Host(home, "--firestore-port", "0", "--hub-port", "0").start()
    yield host
    host.stop()


@pytest.fixture
def account(host):
    """A fresh account, with an API key that may do everything; time runs as it does outside."""
    host.set_clock(0)
    return host.account()


@pytest.fixture(scope="module")
def owner(host):
    """An account for one file of tests; time runs as it does outside."""
    host.set_clock(0)
    return host.account()


@pytest.fixture
def app(host, tmp_path):
    """The domain wired in this process, to a database and a key store of its own."""
    return with_key(wired(host.info["firestore"], tmp_path))


@pytest.fixture
def counted(app):
    """The domain over a client that counts what goes through it, and that client."""
    old = app.store
    api = Counting(old._api)
    store = Store(api, old._database, old._jitter, token="owner")
    return replace(app, store=store), api


@pytest.fixture
def ce(host, account, tmp_path, monkeypatch):
    """Run `ce` as a fresh account, check its exit code, give what it wrote (why, if it failed)."""
    (tmp_path / "emulator").symlink_to(host.state)
    monkeypatch.setenv("CE_HOME", str(tmp_path))
    monkeypatch.setenv("CODE_ENGINE_URL", f"{host.url}/v2")
    monkeypatch.setenv("CODE_ENGINE_AUTH_URL", host.url)
    monkeypatch.setenv("CODE_ENGINE_APIKEY", account.apikey)

    def run(*args, code=0, text=""):
        done = cli.run(*args, text=text)
        assert done.returncode == code, f"{args}: {done.stdout}{done.stderr}"
        return done.stderr if code else done.stdout

    return run


@pytest.fixture
def mine(ce):
    """Run `ce` as an account with one project, selected."""
    ce("project", "create", "--name", "myproject")
    return ce


@pytest.fixture
def file(tmp_path):
    """Where the keyring file will be."""
    return tmp_path / "home" / "keyring.json"


@pytest.fixture
def folder(tmp_path):
    """Where the key store is."""
    place = tmp_path / "store" / "keys"
    place.mkdir(parents=True)
    return place


@pytest.fixture
def ring(file, folder):
    """A keyring at its first use."""
    return open_keyring(file, folder)


@pytest.fixture
def google():
    """Google's part of the cloud's keyring."""
    google = Google()
    yield google
    google.close()


@pytest.fixture
def cloud(google):
    """A keyring of the cloud, and what lies behind it."""
    return Cloud(google)


@pytest.fixture
def swift(monkeypatch):
    """A breaker that soon tries again, for tests that open it."""
    monkeypatch.setattr(quotas, "KEY_PAUSE", 0.2)


@pytest.fixture(params=["local", "cloud"])
def vault(request, tmp_path):
    """A keyring at its first use, of each back end, and what lies behind it."""
    if request.param == "local":
        return Local(tmp_path)
    return request.getfixturevalue("cloud")


@pytest.fixture(scope="module")
def estate(host):
    """A project of an account of its own, for all of a file's tests."""
    host.set_clock(0)
    return Home(host.account())


@pytest.fixture
def home(estate):
    """The file's project; what a test creates in it is deleted afterwards."""
    yield estate
    estate.clear()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish():
    """Save what was measured of this process: a worker that takes 10 s to end is killed."""
    if (coverage := sys.modules.get("coverage")) and (measured := coverage.Coverage.current()):
        measured.save()


def pytest_collection_modifyitems(items):
    """Send claims along with the tests' reports, for `make prove`."""
    for item in items:
        for mark in item.iter_markers("claim"):
            item.user_properties.append(("claim", mark.args))
