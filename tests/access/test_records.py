"""Records of API keys: a signature says that a key was made by us, whoever writes the database."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared import access, forms
from shared.access import api_keys, records
from shared.errors import Error
from shared.keys.local import open_keyring
from shared.store import Write
from tests.support import call, with_key

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OWNER = ["administrator", "manager"]


def made(app, **body):
    """Make an account's key; give its text, and the path and fields of its record."""
    body = {"account_id": "a" * 32, "roles": ["viewer"], **body}
    told = api_keys.create_account(app, call(body=body)).body
    path = records.path_of(told["apikey"].split("_")[1])
    return told["apikey"], path, app.store.read(path)[path].fields


def token(app, text):
    """Exchange a key."""
    return access.issue_token(app, call(body={"apikey": text})).body["access_token"]


def refused(app, text):
    """Require that a key is not one."""
    with pytest.raises(Error) as error:
        token(app, text)
    assert error.value.code == "apikey_not_found"


CHANGES = {
    "roles": OWNER,
    "account_id": "b" * 32,
    "project_id": "25bbfb75-e821-4338-9413-d432c6e55f85",
    "expires_at": datetime(2999, 1, 1, tzinfo=UTC),
    "created_at": NOW,
    "id": "0" * 16,
    "sha256": bytes(32),
    "signature": bytes(64),
}
TEXTS = ("sha256", "created_at")
ODD = {
    "no signature": {"signature": None},
    "a text for a signature": {"signature": "x"},
    "a role that is bytes": {"roles": [b"administrator"]},
    "no time": {"created_at": "now"},
    "half a signature": {"signature": bytes(32)},
}


@pytest.mark.claim("T8", "an API key planted or widened in the database is none: nothing is read")
def test_who_writes_the_database_makes_no_key(app, subtests, caplog):
    """Each signed member counts; the log names the record, and nothing that is in it."""
    text, path, stored = made(app)
    planted = {name: value for name, value in stored.items() if name != "signature"}
    edits = {f"{name} changed": stored | {name: value} for name, value in CHANGES.items()}
    edits |= {name: stored | change for name, change in ODD.items()}
    # What reads alike when it is signed, and is of another type.
    edits |= {f"{name} as a text": stored | {name: records._plain(stored[name])} for name in TEXTS}
    edits["account_id as bytes"] = stored | {"account_id": bytes.fromhex(stored["account_id"])}
    for name, fields in {**edits, "never signed": planted | {"roles": OWNER}}.items():
        with subtests.test(name):
            caplog.clear()
            app.store.commit([Write(path, fields)])
            refused(app, text)
            (line,) = map(json.loads, caplog.messages)
            assert (line["severity"], line["path"]) == ("CRITICAL", path)
            for act in (api_keys.get, api_keys.delete):
                with pytest.raises(Error) as error:
                    act(app, call(stored["account_id"], id=path.partition("/")[2]))
                assert error.value.code == "resource_not_found"
            listed = api_keys.listing(app, call(fields["account_id"])).page.entries
            assert {one["id"] for one in listed} <= {"key"}  # the caller's own
    app.store.commit([Write(path, stored)])
    assert token(app, text)


@pytest.mark.claim("T8", "the record of one API key does not count in another's place")
def test_a_record_in_another_place(app):
    """A signed record that is copied to another id is none there: it revives no deleted key."""
    text, path, stored = made(app)
    deleted, gone, _ = made(app)
    principal = access.authenticate(app, token(app, deleted))
    app.store.commit([Write(gone, stored)])  # of the same account and roles
    with pytest.raises(Error) as error:
        access.require_own(app, principal, app.store.read(gone))
    assert error.value.code == "unauthorized"
    other = text.replace(path.partition("/")[2], "f" * 16)
    digest = access.tokens.digest(other)
    app.store.commit([Write(records.path_of("f" * 16), stored | {"sha256": digest})])
    refused(app, other)
    app.store.commit([Write(records.path_of("f" * 16), stored)])
    refused(app, other)


def test_what_is_not_signed_may_change(app):
    """A name and a description are shown, and allow nothing."""
    text, path, stored = made(app)
    app.store.commit([Write(path, stored | {"name": "other", "description": "d"})])
    assert token(app, text)


def test_what_is_signed():
    """The form does not change: a signature made today must hold under every later version."""
    record = {
        "id": "0123456789abcdef",
        "sha256": bytes(range(32)),
        "account_id": "a" * 32,
        "roles": ["manager", "viewer"],
        "created_at": NOW,
        "expires_at": None,
        "project_id": None,
        "name": "not signed",
    }
    assert records.message(record) == (
        b'reprieve/api-key/v1\n{"account_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",'
        b'"created_at":"2026-11-23T12:00:00+00:00","expires_at":null,"id":"0123456789abcdef",'
        b'"project_id":null,"roles":["manager","viewer"],"sha256":'
        b'"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"}'
    )


def test_in_the_former_form(app, caplog):
    """A record without a signature counts there, and is counted; one that is wrong does not."""
    forms._MET.clear()
    text, path, stored = made(app)
    former = replace(app, settings=replace(app.settings, store_form=1))
    unsigned = {name: value for name, value in stored.items() if name != "signature"}
    app.store.commit([Write(path, unsigned)])
    refused(app, text)
    caplog.clear()
    assert token(former, text)
    (line,) = map(json.loads, caplog.messages)
    assert line["message"] == "of the former store form: API key without a signature"
    assert (line["severity"], line["count"]) == ("WARNING", "1")
    app.store.commit([Write(path, stored | {"roles": OWNER})])
    refused(former, text)


def renewed(app, kept=True):
    """Give the app as a process has it that starts after the signing key was replaced."""
    file, folder = app.settings.keyring, app.settings.key_store
    old = open_keyring(file, folder).verifying_keys
    open_keyring(file.with_name("other.json"), folder)
    other = json.loads(file.with_name("other.json").read_text())["signing_key"]
    public = [base64.b64encode(key).decode() for key in old] if kept else []
    stored = json.loads(file.read_text()) | {"signing_key": other, "verifying_keys": public}
    file.write_text(json.dumps(stored))
    return replace(app, keyring=open_keyring(file, folder))


@pytest.mark.claim("T8", "ending all tokens ends no key; a signing key destroyed ends its keys")
def test_a_signing_key_that_was_replaced(app):
    """The public half that is kept verifies records and no tokens; one that is gone neither."""
    text, _, stored = made(app)
    old = token(app, text)
    assert access.authenticate(app, old).account == stored["account_id"]
    after = renewed(app)
    with pytest.raises(Error) as error:
        access.authenticate(after, old)
    assert error.value.code == "unauthorized"
    assert access.authenticate(after, token(after, text)).account == stored["account_id"]
    assert len(after.keyring.verifying_keys) == 2
    refused(renewed(app, kept=False), text)


def at(app, moment, since=None):
    """Give the app as it is at a moment, with keys accepted since one."""
    settings = replace(app.settings, keys_since=since)
    return replace(app, settings=settings, wall=moment.timestamp)


@pytest.mark.claim(
    "T8", "a database restored: keys and tokens from before CE_KEYS_SINCE are refused"
)
def test_keys_since(app):
    """What a restored database brings back of revoked keys is no use; new ones are."""
    now = datetime.now(UTC).replace(microsecond=0)
    hour = timedelta(hours=1)
    before, after = at(app, now - hour / 2), at(app, now, since=now)
    text, path, stored = made(before)
    old = token(before, text)
    api_keys.delete(before, call(stored["account_id"], id=path.partition("/")[2]))
    app.store.commit([Write(path, stored)])  # from a copy of the database
    assert token(before, text)
    for there in (after, at(app, now, since=now - hour / 4)):
        refused(there, text)
        with pytest.raises(Error) as error:
            access.authenticate(there, old)
        assert error.value.code == "unauthorized"
    again, _, _ = made(with_key(after))
    assert access.authenticate(after, token(after, again)).account == stored["account_id"]
    listed = api_keys.listing(after, call(stored["account_id"])).page.entries
    assert len(listed) == 3  # the old one is shown, and can be deleted
    api_keys.delete(after, call(stored["account_id"], id=path.partition("/")[2]))
