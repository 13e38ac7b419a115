"""Who the cloud's keyring calls Google as, and what each of the four identities needs and may."""

import json
import re
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from threading import Event

import google.auth
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.credentials import Credentials

from shared import quotas
from shared.errors import Error
from shared.keys import RECORD
from shared.keys import cloud as cloud_keys
from tests.keys.test_keyring import (
    HOUR,
    ID,
    NOW,
    OTHER,
    expect_out_of_reach,
    expect_undecryptable,
    numbered,
)
from tests.support import ROOT, until
from tests.support.google_keys import KEY, OTHERS, PREFIX, SIGNING, STATE, Fault
from tests.support.keyrings import IDENTITIES, STORE, pem, rotated


def work(cloud, identity):
    """Do all that an identity is there for, with what only a bad day asks of it."""
    ring, google = cloud.again(identity), cloud.google
    assert ring.state.mac(RECORD, b"")
    record = cloud.ring.create(OTHER, NOW)
    if identity in ("reveal", "manage"):
        google.fault(Fault("sm.create", "lost", times=1))
        ring.create(ID, NOW)
        google.fault()
        ring._halves.confirm(ID)
        assert ring.verifying_keys
    if identity == "manage":
        assert ring.sign(b"a message")
    if identity == "reveal":
        assert ring.open(OTHER, record)
        google.secrets[f"half-{ID}"]["versions"][0]["state"] = "DESTROYED"
        expect_undecryptable(ring, ID, record)
    if identity == "retain":
        assert ring.unconfirmed(NOW + HOUR, 9) == [OTHER]
        ring._halves.confirm(OTHER)
        ring.destroy(OTHER)
        ring.drop(OTHER)
    if identity == "rotate":
        ring.rewrap(OTHER, record, rotated(ring))
        ring.remove_kek(record["kek"])
    ring._halves.verify()


def clean(google):
    """Take every half away, and what a rotation has made."""
    google.add_key(KEY)
    for name in [name for name in google.secrets if name not in OTHERS]:
        del google.secrets[name]


@pytest.mark.claim("E3", "each identity does its job with what the docs grant, and needs all of it")
@pytest.mark.parametrize("identity", IDENTITIES)
def test_what_an_identity_needs(cloud, identity):
    """With the permissions of its row the job is done; with any one less it is not."""
    work(cloud, identity)
    granted = IDENTITIES[identity]
    for one in sorted(granted):
        clean(cloud.google)
        cloud.google.allowed[identity] = granted - {one}
        with pytest.raises((OSError, Error)):
            work(cloud, identity)


@pytest.mark.claim("E3", "no identity does another's job: wraps, unwraps or destroys")
def test_what_an_identity_may_not(cloud):
    """`manage` opens nothing, `retain` neither makes nor opens, and only `retain` destroys."""
    record = cloud.ring.create(ID, NOW)
    ids = {name: cloud.again(name) for name in IDENTITIES}
    for name, may in {
        "create": {"reveal", "manage"},
        "open": {"reveal"},
        "destroy": {"retain"},
        "sign": {"manage"},
        "verify": {"reveal", "manage"},
        "vouch": set(IDENTITIES),
    }.items():
        for identity, ring in ids.items():
            act = {
                "create": lambda r=ring, i=identity: r.create(f"{i}-{OTHER}", NOW),
                "open": lambda r=ring: r.open(ID, record),
                "destroy": lambda r=ring: r.destroy(f"manage-{OTHER}"),
                "sign": lambda r=ring: r.sign(b""),
                "verify": lambda r=ring: r.verifying_keys,
                "vouch": lambda r=ring: r.state.mac(RECORD, b""),
            }[name]
            with nullcontext() if identity in may else expect_out_of_reach():
                act()
    with pytest.raises(PermissionError):
        ids["manage"]._wrapper.unwrap(record["kek"], record["wrapped"], ID)


def test_permissions_in_docs():
    """docs/security.md grants each identity what is tested here, and no more."""
    text = (ROOT / "docs" / "security.md").read_text()
    for identity, granted in IDENTITIES.items():
        row = re.search(rf"^\| `reprieve-{identity}` \|(.*)\|$", text, re.MULTILINE).group(1)
        plain = {name.partition("@")[0] for name in granted}
        assert set(re.findall(r"`(\w+\.\w+)`", row)) == plain, identity
        assert ("signing key's secret" in row) == ("versions.access@signing" in granted), identity
        assert ("public half" in row) == ("versions.access@public" in granted), identity
        assert ("state key's secret" in row) == ("versions.access@state" in granted), identity


def account(google, folder):
    """Write the key file of a service account, whose tokens the stand-in gives."""
    named = {
        "type": "service_account",
        "client_email": "manage@demo.iam.gserviceaccount.com",
        "private_key": pem(rsa.generate_private_key(65537, 2048)).decode(),
        "token_uri": f"{google.address}/token",
    }
    file = folder / "account.json"
    file.write_text(json.dumps(named))
    return str(file)


@pytest.mark.slow
@pytest.mark.usefixtures("swift")
def test_credentials(cloud, tmp_path, monkeypatch):
    """Google's own library finds who we are and renews the token; without one nothing is sent."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", account(cloud.google, tmp_path))
    monkeypatch.setattr(cloud_keys, "GOOGLE", cloud.google.address)
    ring = cloud_keys.open_keyring((KEY, PREFIX, SIGNING, STATE), STORE)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    found = ring._wrapper._kms._caller.credentials
    ring.create(ID, NOW)
    found.token = None  # as after an answer that it is not valid any more
    ring.create(OTHER, NOW)
    assert cloud.google.calls.count("token") == 2
    assert cloud.google.callers["manage"] == 6
    cloud.google.fault()
    found.expiry = datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=2)
    ring.create(numbered(2), NOW)  # a token that will not last is renewed beside the calls
    until(lambda: "token" in cloud.google.calls)
    until(lambda: found.expiry > datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=30))
    found.token = None
    monkeypatch.setattr(quotas, "KEY_CALL", 0.5)
    cloud.google.fault(Fault("token", "refuse"))
    with expect_out_of_reach():
        ring.create(numbered(1), NOW)
    assert set(cloud.google.calls) == {"token"}


@pytest.mark.usefixtures("swift")
def test_a_token_that_was_revoked(cloud):
    """An answer that the token is not valid drops it, so that the next try has another."""
    cloud.google.fault(Fault("kms.encrypt", "refuse", "UNAUTHENTICATED"))
    ring = cloud.again()
    with expect_out_of_reach():
        ring.create(ID, NOW)
    assert cloud.google.calls == ["kms.encrypt"]
    assert ring._wrapper._kms._caller.credentials.token is None


class Hanging(Credentials):
    """Credentials whose renewal takes as long as the test wants."""

    def __init__(self):
        super().__init__()
        self.token, self.asked, self.released = None, 0, Event()

    def refresh(self, _):
        """Hang, then give a token."""
        self.asked += 1
        self.released.wait(60)
        self.token, self.expiry = "manage", None


@pytest.mark.claim("F26", "a token's renewal that hangs holds nobody longer than a call")
def test_a_renewal_that_hangs(cloud, monkeypatch):
    """One renewal is under way, whoever calls; a token that is still good serves meanwhile."""
    hanging = Hanging()
    monkeypatch.setattr(google.auth, "default", lambda **_: (hanging, None))
    monkeypatch.setattr(cloud_keys, "GOOGLE", cloud.google.address)
    ring = cloud_keys.open_keyring((KEY, PREFIX, SIGNING, STATE), STORE)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(quotas, "KEY_CALL", 0.3)
            for _ in range(3):
                with expect_out_of_reach():
                    ring.create(ID, NOW)
        assert (hanging.asked, cloud.google.calls) == (1, [])
        soon = datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=2)
        hanging.token, hanging.expiry = "manage", soon
        assert ring.create(ID, NOW)
        assert (hanging.asked, hanging.expiry) == (1, soon)
    finally:
        hanging.released.set()
    until(lambda: hanging.expiry is None)
