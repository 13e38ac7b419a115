"""The operator's `createAccount`: on record each time, and it takes no key from anybody."""

from dataclasses import replace

import pytest
import requests

from shared.access import api_keys, key_id
from shared.calls import OPERATOR
from shared.errors import Error
from shared.upkeep import rotation
from tests.access.test_platform import URL, WHO, issuer  # noqa: F401 - a fixture
from tests.functions.test_functions import running
from tests.support import call, principal_of
from tests.support.entries import entries as trail

APIKEY = f"ce_{16 * '7'}_{43 * 'A'}"
MINE, OTHER = 32 * "1", 32 * "2"


def operator(email="ops@example.com", **body):
    """Give a call of the operator's."""
    return replace(call(body=body), principal=replace(OPERATOR, email=email))


def entries(app):
    """Give the audit entries there are, the oldest first."""
    return trail(app.store)


@pytest.mark.claim("R1", "the operator makes no account and no key without a trace")
def test_each_call_has_its_entry(app):
    """Who, by the verified e-mail; which key of which account, with which roles; never its text."""
    made = api_keys.create_account(app, operator()).body
    for _ in range(2):
        api_keys.create_account(app, operator(account_id=made["account_id"], apikey=APIKEY))
    api_keys.create_account(app, operator(account_id=MINE, roles=["viewer"]))
    told = entries(app)
    ids = [key_id(made["apikey"]), *[16 * "7"] * 2]
    assert [entry["granted"]["id"] for entry in told[:3]] == ids
    assert [entry["account_id"] for entry in told] == [*[made["account_id"]] * 3, MINE]
    assert [entry["granted"]["roles"] for entry in told[2:]] == [
        ["administrator", "manager"],
        ["viewer"],
    ]
    for entry in told:
        assert (entry["action"], entry["project_id"]) == ("codeengine.account.create", None)
        assert (entry["initiator"], entry["email"]) == ("operator", "ops@example.com")
        assert entry["correlation_id"].startswith("codeengine-api-")
    secrets = [text.split("_", 2)[2] for text in (made["apikey"], APIKEY)]
    assert not any(secret in repr(told) for secret in secrets)


@pytest.mark.claim("E1", "the operator's key replaces no other: not another account's, nor its own")
def test_no_key_is_taken_over(app):
    """An id that another key has is refused, whatever account and text come with it."""
    api_keys.create_account(app, operator(account_id=MINE, apikey=APIKEY, roles=["viewer"]))
    path, before = f"api_keys/{16 * '7'}", app.store.read(f"api_keys/{16 * '7'}").documents
    for odd in (
        {"account_id": OTHER, "apikey": APIKEY},
        {"apikey": APIKEY},  # of an account that is made for it
        {"account_id": MINE, "apikey": APIKEY[:-1] + "B"},
    ):
        with pytest.raises(Error) as refusal:
            api_keys.create_account(app, operator(**odd))
        assert refusal.value.code == "conflict"
        assert not any(value in refusal.value.message for value in odd.values())
    assert app.store.read(path).documents == before
    assert len(entries(app)) == 1


def test_a_tenant_s_key_is_not_registered_again(app):
    """It would lose what it was made with: roles, an end, a project."""
    narrow = {"name": "k", "roles": ["viewer"], "expires_at": "2999-01-01T00:00:00Z"}
    made = api_keys.create(app, call(body=narrow)).body
    before = app.store.read(f"api_keys/{made['id']}").documents
    with pytest.raises(Error) as refusal:
        api_keys.create_account(app, operator(account_id=32 * "a", apikey=made["apikey"]))
    assert refusal.value.code == "conflict"
    assert app.store.read(f"api_keys/{made['id']}").documents == before


def test_its_own_key_is_registered_again(app):
    """As the local host does at every start: tokens of before go on, unless its roles changed."""
    mine = {"account_id": MINE, "apikey": APIKEY}
    api_keys.create_account(app, operator(**mine))
    who = principal_of(app, APIKEY)
    api_keys.create_account(app, operator(**mine))
    asks = replace(call(id=16 * "7"), principal=who)
    assert api_keys.get(app, asks).body["roles"] == ["administrator", "manager"]
    api_keys.create_account(app, operator(**mine, roles=["administrator"]))
    with pytest.raises(Error, match="gone or has changed"):
        api_keys.get(app, asks)


def test_the_e_mail_is_the_token_s(host, issuer):  # noqa: F811 - the fixture
    """It comes from the platform's verified token, and from nothing else that is sent."""
    env = {"CE_ADMIN_CALLER": WHO["admin"], "CE_FUNCTION_URL": URL, "CE_OIDC_KEYS": issuer.url}
    forged = {"email": "else@example.com", "principal": "else@example.com"}
    with running(host, "createAccount", **env) as url:
        head = {"Authorization": f"Bearer {issuer.token('admin')}", "From": "else@example.com"}
        answer = requests.post(url, json=forged, headers=head, timeout=30)
        assert requests.post(url, json={}, timeout=30).status_code == 401
    assert answer.status_code == 201
    (entry,) = trail(host.inside.store, "account_id", answer.json()["account_id"])
    assert (entry["initiator"], entry["email"]) == ("operator", WHO["admin"])


def test_without_a_token_there_is_no_e_mail(host):
    """The local host calls its own function without one, and the entry claims none."""
    account = host.account()
    (entry,) = trail(host.inside.store, "account_id", account.id)
    assert entry["initiator"] == "operator"
    assert "email" not in entry


def test_rotations_tell_it_too(app):
    """The operator's other private function leaves the e-mail as well."""
    kek = rotation.rotate(app, operator(step="list")).body["current"]
    rotation.rotate(app, operator(step="add", kek=kek))
    begun, ended = entries(app)
    assert (begun["outcome"], ended["outcome"]) == ("begun", "success")
    assert ended["because"] == begun["id"]
    for entry in (begun, ended):
        assert (entry["action"], entry["email"]) == ("codeengine.keys.rotate", "ops@example.com")
