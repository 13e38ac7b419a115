"""The cloud's keyring: how it calls Google, what it takes for an answer, and who may do what."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from shared import quotas
from shared.errors import Error
from shared.keys import Undecryptable
from shared.keys.cloud import rest
from shared.keys.cloud.rest import crc32c
from tests.keys.test_keyring import (
    HOUR,
    ID,
    NOW,
    OTHER,
    expect_out_of_reach,
    expect_undecryptable,
    numbered,
)
from tests.support import traces_of
from tests.support.google_keys import (
    KEY,
    OTHER_KEY,
    OTHERS,
    SIGNING_KEYS,
    Fault,
    stamp,
)
from tests.support.keyrings import STORE, pem, public_pem, rotated

ED = ed25519.Ed25519PrivateKey.generate()


def end(ring):
    """Destroy a half, and take away what is left of it."""
    ring.destroy(ID)
    ring.drop(ID)


def calls(google, act):
    """Give the calls that something takes."""
    google.fault()
    act()
    return google.calls


def test_calls(cloud):
    """How many round trips each operation takes: this is what it costs, and what can fail."""
    ring, google = cloud.ring, cloud.google
    record = ring.create(ID, NOW)
    assert calls(google, lambda: ring.create(OTHER, NOW)) == ["kms.encrypt", "sm.create", "sm.add"]
    assert calls(google, lambda: ring.confirm(ID)) == ["sm.update"]
    assert calls(google, lambda: ring.open(ID, record)) == ["sm.access", "kms.decrypt"]
    assert calls(google, lambda: ring.open(ID, record)) == []
    assert calls(google, lambda: ring.unconfirmed(NOW, 9)) == ["sm.list"]
    assert calls(google, lambda: ring.confirmed("")) == ["sm.list"]
    assert calls(google, ring.keks) == ["kms.key", "kms.list"]
    new = rotated(ring)
    assert calls(google, lambda: ring.rewrap(ID, record, new)) == ["kms.decrypt", "kms.encrypt"]
    assert calls(google, lambda: ring.holds(ID)) == ["sm.versions"]
    back = ["sm.versions", "sm.access", "sm.access"]  # of the version, and of the next one
    gone = ["sm.get", "sm.versions", "sm.destroy", *back]
    assert calls(google, lambda: ring.destroy(ID)) == gone
    assert calls(google, lambda: ring.destroy(ID)) == ["sm.get", *back]
    assert calls(google, lambda: ring.drop(ID)) == ["sm.get", "sm.delete"]
    again = ["sm.get", "sm.versions", "sm.access", "sm.delete"]
    assert calls(google, lambda: ring.destroy(ID)) == again
    assert calls(google, lambda: ring.holds(ID)) == ["sm.versions", "sm.access"]
    again = cloud.again()
    public = ["sm.access", "sm.versions"]
    assert calls(google, lambda: again.verifying_keys) == public
    assert calls(google, lambda: (again.signing_key, again.verifying_keys)) == [
        "sm.access",
        *public,
    ]
    assert calls(google, lambda: again.verifies(b"", again.sign(b""))) == []


@pytest.mark.parametrize(
    ("data", "sum_"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_checksum(data, sum_):
    """CRC-32C as RFC 3720 has it (appendix B.4), and the customary check value."""
    assert crc32c(data) == sum_


ONCE = [("refuse", status) for status in ("UNAVAILABLE", "INTERNAL", "RESOURCE_EXHAUSTED")]
ONCE += [(do, "") for do in ("cut", "lost", "corrupt", "unread", "page")]


@pytest.mark.parametrize(("do", "status"), ONCE)
@pytest.mark.parametrize("on", ["kms.encrypt", "kms.decrypt", "sm.create", "sm.add", "sm.access"])
def test_one_bad_answer(cloud, on, do, status):
    """Failed, cut, lost after it was applied, damaged, not Google's: the next try counts."""
    cloud.google.fault(Fault(on, do, status, times=1))
    record = cloud.ring.create(ID, NOW)
    key = cloud.ring.open(ID, record)
    cloud.google.fault()
    assert cloud.again().open(ID, record) == key
    cloud.ring.destroy(ID)
    assert cloud.halves() == set()


@pytest.mark.parametrize(
    ("on", "do"),
    [
        *(("kms.encrypt", do) for do in ("refuse", "lost", "corrupt", "unread", "page")),
        *(("sm.add", do) for do in ("refuse", "lost", "unread", "page")),
        *(("sm.create", do) for do in ("refuse", "cut", "page")),
    ],
)
@pytest.mark.usefixtures("swift")
def test_only_bad_answers_to_a_create(cloud, on, do):
    """No key comes of it; what was stored on the way is an orphan that the schedule finds."""
    cloud.google.fault(Fault(on, do))
    with expect_out_of_reach():
        cloud.ring.create(ID, NOW)
    assert len(cloud.google.calls) <= 2 + quotas.KEY_TRIES
    cloud.google.fault()
    if ID in cloud.halves():
        assert cloud.again().unconfirmed(NOW + HOUR, 9) == [ID]
    end(cloud.again())
    assert cloud.google.secrets.keys() == OTHERS


@pytest.mark.parametrize("do", ["refuse", "corrupt", "page", "cut"])
@pytest.mark.parametrize("on", ["kms.decrypt", "sm.access"])
@pytest.mark.usefixtures("swift")
def test_only_bad_answers_to_an_open(cloud, on, do):
    """No key, and no word that it were gone: another server's 404 is none of Google's."""
    record = cloud.ring.create(ID, NOW)
    cloud.google.fault(Fault(on, do))
    with expect_out_of_reach():
        cloud.ring.open(ID, record)


@pytest.mark.parametrize("on", ["sm.versions", "sm.destroy", "sm.access", "sm.delete"])
@pytest.mark.parametrize("do", ["refuse", "lost"])
@pytest.mark.parametrize("times", [1, 9])
@pytest.mark.usefixtures("swift")
def test_destroying_through_faults(cloud, on, do, times):
    """It ends destroyed, or says that it did not; then it can be done again."""
    record = cloud.ring.create(ID, NOW)
    cloud.google.fault(Fault(on, do, times=times))
    if times == 1 or (do, on) in {("lost", "sm.access"), ("lost", "sm.delete")}:
        end(cloud.ring)  # that it was applied shows at the next try
    else:
        with expect_out_of_reach():
            end(cloud.ring)
    cloud.google.fault()
    end(cloud.again())
    assert cloud.google.secrets.keys() == OTHERS
    expect_undecryptable(cloud.again(), ID, record)


def test_a_read_back_that_tells_nothing(cloud):
    """An odd answer to the last look at a half is none: it is asked again another time."""
    cloud.ring.create(ID, NOW)
    cloud.google.fault(Fault("sm.access", "refuse", "INVALID_ARGUMENT"))
    with expect_out_of_reach():
        cloud.ring.destroy(ID)
    cloud.google.fault()
    end(cloud.ring)
    assert cloud.google.secrets.keys() == OTHERS


@pytest.mark.claim("F30", "a list of versions that is behind is no proof that a half is gone")
def test_a_list_that_is_behind(cloud):
    """What can be read is there; and the deletion is sent whatever list and reading say."""
    cloud.ring.create(ID, NOW)
    behind, ring = Fault("sm.versions", "refuse", "NOT_FOUND"), cloud.again("retain")
    cloud.google.fault(behind)
    with expect_out_of_reach():
        ring.destroy(ID)
    assert cloud.halves() == {ID}
    cloud.google.fault(behind, Fault("sm.access", "refuse", "PERMISSION_DENIED"))
    with expect_out_of_reach():
        ring.destroy(ID)
    cloud.google.fault(behind, Fault("sm.access", "refuse", "NOT_FOUND"))
    ring.destroy(ID)
    assert cloud.google.secrets.keys() == OTHERS


def test_another_half_is_never_added(cloud):
    """A secret that another create made is left alone, also if it has no version yet."""
    cloud.google.fault(Fault("sm.add", "refuse", "INVALID_ARGUMENT"))
    with expect_out_of_reach():
        cloud.ring.create(ID, NOW)
    cloud.google.fault()
    with expect_out_of_reach():
        cloud.ring.create(ID, NOW)
    assert cloud.google.secrets[f"half-{ID}"]["versions"] == []


def test_disabled_is_not_gone(cloud):
    """A version that an operator disabled can be enabled again: 503, and not lost."""
    record = cloud.ring.create(ID, NOW)
    version = cloud.google.secrets[f"half-{ID}"]["versions"][0]
    version["state"] = "DISABLED"
    with expect_out_of_reach():
        cloud.ring.open(ID, record)
    version["state"] = "ENABLED"
    assert cloud.ring.open(ID, record)
    version["state"] = "DESTROYED"
    expect_undecryptable(cloud.again(), ID, record)


def test_disabled_key_encryption_key(cloud):
    """A key-encryption key that is disabled is out of reach, and not wrong."""
    record = cloud.ring.create(ID, NOW)
    cloud.google.keys[KEY]["versions"][0]["state"] = "DISABLED"
    with expect_out_of_reach():
        cloud.ring.open(ID, record)


def test_unconfirmed_among_others(cloud):
    """Pages are followed; another prefix's secrets are not ours; a damaged note is no obstacle."""
    google = cloud.google
    notes = {"created-at": "soon", "store": STORE}
    told = {"labels": {"reprieve_half": "new"}, "annotations": notes}
    for number in range(quotas.SECRETS_LISTED + 5):
        google.secrets[f"half-{numbered(number)}"] = google.secret(dict(told))
    google.secrets[f"other-{ID}"] = google.secret(dict(told))
    google.secrets["half-unlabelled"] = google.secret({})
    cloud.again(store="demo/other").create(OTHER, NOW)  # by mistake: one prefix, two databases
    found = cloud.ring.unconfirmed(datetime.now(UTC) + HOUR, 10**3)
    assert sorted(found) == [numbered(number) for number in range(quotas.SECRETS_LISTED + 5)]
    assert cloud.ring.unconfirmed(datetime.now(UTC) - HOUR, 10**3) == []
    assert cloud.again(store="demo/other").unconfirmed(NOW + HOUR, 10**3) == [OTHER]


def test_confirmed_among_others(cloud):
    """Neither another prefix's nor another database's; a page that Google forgot begins anew."""
    google, other = cloud.google, cloud.again(store="demo/other")
    for ring, project_id in ((cloud.ring, ID), (other, OTHER)):
        ring.create(project_id, NOW)
        ring.confirm(project_id)
    google.secrets[f"other-{ID}"] = google.secret({"labels": {"reprieve_half": "confirmed"}})
    assert cloud.ring.confirmed("") == ([ID], "")
    assert other.confirmed("") == ([OTHER], "")
    assert cloud.ring.confirmed("forgotten") == ([], "")


def test_since_when_a_key_is_old(cloud):
    """A key rests from when KMS has certainly stopped wrapping with it."""
    ring, google = cloud.ring, cloud.google
    before = datetime.now(UTC)
    old, new = [*ring.keks()][-1], rotated(ring)
    assert old != new
    keks = ring.keks()
    assert keks[new] is None
    assert keks[old] >= before + quotas.KMS_PRIMARY
    google.keys[KEY]["primary"] = 1  # somebody set it back: nobody knows since when
    assert ring.keks() == {new: datetime.max.replace(tzinfo=UTC), old: None}
    google.keys[KEY]["versions"][0]["state"] = "DISABLED"
    assert [*ring.keks()] == [new, old]


@pytest.mark.claim("keys.4", "an old key rests from when its successor may have become the primary")
def test_since_when_a_key_is_old_after_a_spare(cloud):
    """A version made up to an hour ago may become the primary only now: that is waited for too."""
    ring, google = cloud.ring, cloud.google
    versions, before = google.keys[KEY]["versions"], datetime.now(UTC)
    versions[0]["createTime"] = stamp(before - 2 * quotas.KMS_SPARE)
    google.behind = quotas.KMS_SPARE * 0.9
    google.add_version(google.keys[KEY])  # by a rotation cut short
    old = [*ring.keks()][-1]
    assert rotated(ring).endswith("/2")
    assert ring.keks()[old] >= before + quotas.KMS_PRIMARY


def test_key_made_and_not_used(cloud):
    """What a rotation cut short has made is used by the next one, unless it is old."""
    ring, google = cloud.ring, cloud.google
    first = [*ring.keks()][-1]
    google.fault(Fault("kms.primary", "refuse", "FAILED_PRECONDITION"))
    with expect_out_of_reach():
        ring.add_kek(first, datetime.now(UTC))
    google.fault()
    assert rotated(ring).endswith("/2")
    google.behind = 2 * quotas.KMS_SPARE
    google.add_version(google.keys[KEY])
    google.behind = timedelta(0)
    assert rotated(ring).endswith("/4")
    ring.add_kek(first, datetime.now(UTC))
    assert [*ring.keks()][-1].endswith("/4")


def test_lost_answer_to_a_new_key(cloud):
    """A version is made once, whatever becomes of the answer."""
    google, first = cloud.google, [*cloud.ring.keks()][-1]
    google.fault(Fault("kms.make", "lost"))
    with expect_out_of_reach():
        cloud.ring.add_kek(first, datetime.now(UTC))
    assert google.calls.count("kms.make") == 1
    google.fault()
    assert rotated(cloud.ring).endswith("/2")
    assert len(google.keys[KEY]["versions"]) == 2


def test_two_rotations_at_once(cloud):
    """Two that rotate at the same time leave one key in use, and no more than one to spare."""
    first, together = [*cloud.ring.keks()][-1], Barrier(2)

    def add(ring):
        together.wait(10)
        ring.add_kek(first, datetime.now(UTC))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(add, (cloud.again(), cloud.again())))
    keks = cloud.ring.keks()
    assert [*keks][-1] != first
    assert len(keks) in (2, 3)


def test_removing_a_key(cloud):
    """An old version is destroyed; not the one in use, not one twice, and a lie is noticed."""
    ring, google = cloud.ring, cloud.google
    old, new = [*ring.keks()][-1], rotated(ring)
    with pytest.raises(KeyError):
        ring.remove_kek(new)
    google.fault(Fault("kms.destroy", "lie"))
    with expect_out_of_reach():
        ring.remove_kek(old)
    google.fault()
    ring.remove_kek(old)
    assert google.keys[KEY]["versions"][0]["state"] == "DESTROY_SCHEDULED"
    with pytest.raises(KeyError):
        ring.remove_kek(old)


def test_a_primary_that_lingers(cloud):
    """Halves are wrapped anew under the newest key even while KMS still uses the old primary."""
    ring = cloud.ring
    record = ring.create(ID, NOW)
    new = rotated(ring)
    ring.keks()
    cloud.google.keys[KEY]["primary"] = 1  # as one of Google's machines may see it for a while
    assert ring.rewrap(ID, record, new)["kek"] == new


def test_answer_of_another_key(cloud, monkeypatch):
    """A version's name is taken from the settings; an answer that names another key is none."""
    answer = cloud.google._kms_encrypt
    other = {"name": f"{OTHER_KEY}/cryptoKeyVersions/1"}
    with monkeypatch.context() as patch:
        patch.setattr(cloud.google, "_kms_encrypt", lambda *a, **k: answer(*a, **k) | other)
        with expect_out_of_reach():
            cloud.again().create(ID, NOW)
    same = {"name": f"{KEY}/cryptoKeyVersions/1".replace("demo-keys", "1234567890")}
    with monkeypatch.context() as patch:
        patch.setattr(cloud.google, "_kms_encrypt", lambda *a, **k: answer(*a, **k) | same)
        assert cloud.ring.create(ID, NOW)["kek"] == f"{KEY}/cryptoKeyVersions/1"
    keys = cloud.google.keys
    cloud.google.add_key(OTHER_KEY)
    with pytest.raises(Undecryptable):
        cloud.ring._wrapper.unwrap(f"{OTHER_KEY}/cryptoKeyVersions/1", b"x" * 64, ID)
    keys[KEY]["versions"][0]["createTime"] = "soon"
    with expect_out_of_reach():
        cloud.ring.keks()


RSA = rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    "content", [b"", b"no pem", pem(RSA), public_pem(RSA), b"-----BEGIN X-----"]
)
@pytest.mark.parametrize("name", sorted(SIGNING_KEYS))
def test_bad_signing_key(cloud, caplog, name, content):
    """A secret that holds no Ed25519 key signs, or verifies, nothing; what it holds is not told."""
    cloud.google.secrets[name] = cloud.google.secret({}, [content])
    with expect_out_of_reach():
        cloud.ring.sign(b"a message")
    assert [json.loads(line.message)["severity"] for line in caplog.records] == ["CRITICAL"]
    assert "Ed25519" in caplog.text
    key = ed25519.Ed25519PrivateKey.generate()
    cloud.google.add_signing_key((pem(key), public_pem(key)))
    cloud.google.secrets[name]["versions"][0]["state"] = "DISABLED"
    assert cloud.ring.verifies(b"a message", cloud.ring.sign(b"a message"))
    assert cloud.ring.verifying_keys[0] == key.public_key().public_bytes_raw()


def test_a_public_key_of_another(cloud, caplog):
    """Nothing is signed with a key whose public half nobody has: it would be refused for good."""
    cloud.google.secrets["signing-key"]["versions"].append({"state": "ENABLED", "data": pem(ED)})
    with pytest.raises(Error, match="Nothing can be signed now"):
        cloud.ring.sign(b"a message")
    assert "the newest public key is not the signing key's" in caplog.text
    named = {"state": "ENABLED", "data": public_pem(ED)}
    cloud.google.secrets["signing-key-public"]["versions"].append(named)
    assert cloud.ring.verifies(b"a message", cloud.ring.sign(b"a message"))


def test_which_public_keys_verify(cloud):
    """Those of all versions that are neither destroyed nor disabled, whatever a list still says."""
    message = b"a message"
    old = cloud.ring.sign(message)
    cloud.google.add_signing_key()
    new = cloud.again().sign(message)
    assert [cloud.again().verifies(message, one) for one in (old, new)] == [True, True]
    assert not cloud.again().verifies(b"another", new)
    first = cloud.google.secrets["signing-key-public"]["versions"][0]
    for state in ("DISABLED", "DESTROYED"):
        first["state"] = state
        assert [cloud.again().verifies(message, one) for one in (old, new)] == [False, True]
    behind = Fault("sm.versions", "refuse", "UNAVAILABLE")  # no list is no list of none
    cloud.google.fault(behind)
    with expect_out_of_reach():
        _ = cloud.again().verifying_keys


def test_nothing_is_told(cloud, caplog):
    """At the highest log level no key, half, payload, token or text of Google's shows."""
    caplog.set_level(logging.DEBUG)
    ring = cloud.again("bearer-of-canaries")
    record = ring.create(ID, NOW)
    key, half = ring.open(ID, record), cloud.half(ID)
    cloud.google.fault(Fault("sm.access", "refuse", "PERMISSION_DENIED"))
    with pytest.raises(Error) as refused:
        cloud.again("bearer-of-canaries").open(ID, record)
    holders = (ring, ring._wrapper, ring._halves, ring._wrapper._kms, refused.value)
    chain = [refused.value.__cause__, refused.value.__context__]
    shown = caplog.text + "".join(f"{one!r} {one}" for one in (*holders, *chain))
    assert "PERMISSION_DENIED" in caplog.text
    for trace in (*traces_of(key.hex()), key.hex().encode(), half.hex().encode()):
        assert trace.decode() not in shown
    for raw in (key, half, record["wrapped"]):
        assert rest.packed("x", raw)["x"] not in shown
    assert "canar" not in shown


def test_times_of_google():
    """Google writes nanoseconds; they are read as what they are."""
    moment = datetime(2026, 11, 23, 12, 0, 0, 123456, UTC)
    assert stamp(moment) == "2026-11-23T12:00:00.123456789Z"
    assert datetime.fromisoformat(stamp(moment)) == moment
