"""Fixtures: one host for the whole run, accounts in it, and the domain wired directly."""

import pytest
from tests.support import Host, wired


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


@pytest.fixture
def app(host, tmp_path):
    """The domain wired in this process, to a database and a key store of its own."""
    return wired(host.info["firestore"], tmp_path)
