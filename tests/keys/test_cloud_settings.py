"""Which keyring a deployment has, by its settings, and where the cloud's one asks."""

import subprocess
import sys

import pytest

from shared.app import App
from shared.keys.cloud import open_keyring
from shared.settings import Settings
from tests.support import ROOT
from tests.support.google_keys import (
    KEY,
    PREFIX,
    SIGNING,
    STATE,
)
from tests.support.keyrings import STORE


def test_addresses(monkeypatch):
    """In production the addresses are Google's, over TLS, and nothing of the environment's."""
    import google.auth
    from google.oauth2.credentials import Credentials

    monkeypatch.setattr(google.auth, "default", lambda **_: (Credentials("t"), None))
    ring = open_keyring((KEY, PREFIX, SIGNING, STATE), STORE)
    apis = ring._wrapper._kms, ring._halves._api
    assert [api._address for api in apis] == [
        "https://cloudkms.googleapis.com",
        "https://secretmanager.googleapis.com",
    ]
    assert not any(api._session.trust_env for api in apis)


CLOUD = {
    "CE_KMS_KEY": KEY,
    "CE_KEY_SECRETS": PREFIX,
    "CE_SIGNING_KEY": SIGNING,
    "CE_STATE_KEY": STATE,
}


def test_settings():
    """All four names or none; a stand-in for Google only on this machine, beside an emulator."""
    assert Settings.from_env(CLOUD).cloud_keys == (KEY, PREFIX, SIGNING, STATE)
    assert Settings.from_env({}).cloud_keys is None
    for name, value in CLOUD.items():
        for bad in ("", "halves", value + "/x", value + "\n", "/" + value):
            with pytest.raises(ValueError, match=name):
                Settings.from_env(CLOUD | {name: bad})
    for project in ("demo-keys", "1234567890"):  # who destroys halves may destroy it
        bad = f"{PREFIX}signing".replace("demo-keys", project)
        for name in ("CE_SIGNING_KEY", "CE_STATE_KEY"):
            with pytest.raises(ValueError, match=f"{name} begins with"):
                Settings.from_env(CLOUD | {name: bad})
    local = {"FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"}
    stand_in = {"CE_GOOGLE": "http://manage@127.0.0.1:1"}
    assert Settings.from_env(CLOUD | local | stand_in).google == stand_in["CE_GOOGLE"]
    with pytest.raises(ValueError, match="are for production"):  # or it would take real halves
        Settings.from_env(CLOUD | local)
    for env in (stand_in, local | {"CE_GOOGLE": "http://10.0.0.1:1"}):
        with pytest.raises(ValueError, match="CE_GOOGLE is for tests"):
            Settings.from_env(CLOUD | env)


@pytest.mark.claim("keys.5", "the local back end of the keyring is refused in production")
@pytest.mark.parametrize("more", [{}, {"CE_KEYRING": "k", "CE_KEY_STORE": "s"}])
def test_local_keys_in_production(tmp_path, monkeypatch, more):
    """Without the cloud's names production does not start, and makes no file."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="local keyring is refused in production"):
        App.from_settings(Settings.from_env(more))
    assert list(tmp_path.iterdir()) == []


def test_a_local_start_loads_none_of_it():
    """The cloud's back end is imported where it is configured, and nowhere else."""
    code = (
        "import sys, functions.main, shared.app;"
        "print([name for name in sys.modules if name.startswith('shared.keys.cloud')], "
        "'shared.keys.local' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[] True", done.stderr
