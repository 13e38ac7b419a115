"""The log key, which the sealer alone reads from its secret; and the settings of a log."""

import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.keys.cloud import open_log_key
from shared.keys.signing import no_log_key
from shared.settings import Settings
from tests.support import ROOT
from tests.support.google_keys import KEY, PREFIX, PROJECT, SIGNING, STATE
from tests.support.keyrings import pem

NAME = f"projects/{PROJECT}/secrets/log-key"
CLOUD = {
    "CE_KMS_KEY": KEY,
    "CE_KEY_SECRETS": PREFIX,
    "CE_SIGNING_KEY": SIGNING,
    "CE_STATE_KEY": STATE,
}
LOCAL = {"FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"}


def stored(google, data):
    """Put a log key into its secret."""
    google.secrets["log-key"] = google.secret({})
    google.secrets["log-key"]["versions"].append({"state": "ENABLED", "data": data})
    google.allowed = {"seal": {"versions.access"}, "reveal": set()}


def test_of_a_secret(google):
    """Whoever may read it reads it once; who may not, reads nothing."""
    key = Ed25519PrivateKey.generate()
    stored(google, pem(key))
    read = open_log_key(NAME, google.as_("seal"))
    for first in (True, False):
        assert read(first=first).private_bytes_raw() == key.private_bytes_raw()
    assert google.callers["seal"] == 1
    with pytest.raises(PermissionError):
        open_log_key(NAME, google.as_("reveal"))(first=True)


@pytest.mark.parametrize("data", [b"", b"rubbish", b"-----BEGIN PRIVATE KEY-----\n"])
def test_what_is_none(google, caplog, data):
    """A secret that is no key is told by its name, and never made good."""
    stored(google, data)
    with pytest.raises(OSError, match="the log key is no Ed25519 key in PEM"):
        open_log_key(NAME, google.as_("seal"))(first=True)
    assert "the log key is no Ed25519 key in PEM" in caplog.text
    with pytest.raises(OSError, match="there is no log key"):
        no_log_key(first=True)


@pytest.mark.claim("E3", "who signs the log may do nothing else")
def test_its_identity_in_docs():
    """docs/security.md grants it to read two secrets, and no more."""
    text = (ROOT / "docs" / "security.md").read_text()
    row = re.search(r"^\| `reprieve-seal` \|(.*)\|$", text, re.MULTILINE).group(1)
    assert re.findall(r"`(\w+\.\w+)`", row) == ["versions.access"]


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({"CE_LOG_KEY": "log-key"}, "full resource name"),
        ({"CE_LOG_KEY": f"{NAME}/versions/1"}, "full resource name"),
        ({"CE_LOG_KEY": NAME, **LOCAL}, "for production"),
        (CLOUD | {"CE_LOG_KEY": f"{PREFIX}log"}, "CE_LOG_KEY .* a purge could destroy it"),
        ({"CE_LOG_PUBLIC": "yes"}, "must be 0 or 1"),
        ({"CE_ENDPOINT": "https://test.invalid"}, "no evidence"),
        ({"CE_ENDPOINT": "https://test.invalid:443/x"}, "no evidence"),
    ],
)
def test_settings_that_are_refused(env, why):
    """A log key that could be destroyed or is none, a switch that is none, a test's name."""
    with pytest.raises(ValueError, match=why):
        Settings.from_env(env)


def test_settings():
    """The log is public unless it is closed; its key is the sealer's, who else has none."""
    assert (Settings.from_env({}).log_key, Settings.from_env({}).log_public) == ("", True)
    said = Settings.from_env({"CE_LOG_KEY": NAME, "CE_LOG_PUBLIC": "0"})
    assert (said.log_key, said.log_public) == (NAME, False)
    assert Settings.from_env(LOCAL | {"CE_ENDPOINT": "http://test.invalid"}).log_key == ""
    both = {"CE_LOG_KEY": NAME, "CE_GOOGLE": "http://127.0.0.1:1", **LOCAL}
    assert Settings.from_env(both).log_key == NAME
