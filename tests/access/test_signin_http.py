"""Sign-in codes over HTTP: who may make one, what is told of one, and what is kept of it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests

from shared.access import CODE_GRANT
from shared.access.signin import live_of
from tests.functions.test_functions import running
from tests.support import Account, dump, forms_of, told

UNKNOWN = "Provided sign-in code is unknown, was used or has expired."


def made(key):
    """Make a code as `ce` does; give its text."""
    return told.body(key.call("POST", "/v1/signin_codes", {}), 201)["code"]


def post(host, path, **how):
    """Ask as a stranger does."""
    return requests.post(host.url + path, timeout=30, **how)


def preview(host, code):
    """Look whose a code is."""
    return post(host, "/identity/signin_code", json={"code": code})


def exchange(host, code):
    """Exchange a code as the console does."""
    return post(host, "/identity/token", data={"grant_type": CODE_GRANT, "code": code})


def session(key, answer):
    """Give a caller with the token that a code was exchanged for."""
    caller = Account(key.host, key.id, "")
    caller.__dict__["token"] = told.body(answer, 200)["access_token"]
    return caller


def refused(answer):
    """Give what is told of a code that is refused, but for the request's trace."""
    body = answer.json()
    assert body.pop("context")["requestType"] == "incoming.Identity_Token"
    return answer.status_code, body


def test_the_whole_way(host, account):
    """Made, looked at twice, exchanged once; the session is the key's, and no answer is kept."""
    asked = datetime.now(UTC)
    answer = account.call("POST", "/v1/signin_codes", {})
    body = told.body(answer, 201)
    assert set(body) == {"code", "expires_at"}
    assert len(body["code"]) == 43
    ends = datetime.fromisoformat(body["expires_at"])
    assert timedelta(seconds=57) < ends - asked <= timedelta(seconds=62)
    whole = {"name": "first", "account_id": account.id, "roles": ["administrator", "manager"]}
    whole |= {"expires_at": body["expires_at"]}
    looks = [preview(host, body["code"]) for _ in "12"]
    assert [told.body(look, 200) for look in looks] == [whole] * 2
    token = exchange(host, body["code"])
    assert {one.headers["Cache-Control"] for one in (answer, *looks, token)} == {"no-store"}
    assert told.body(token, 200)["expires_in"] == 3600
    caller = session(account, token)
    assert caller.call("POST", "/v2/projects", {"name": "p"}).status_code == 202
    again = caller.call("POST", "/v1/signin_codes", {})
    assert (again.status_code, again.json()["errors"][0]["code"]) == (403, "forbidden")
    known = {"errorCode": "BXNIM0415E", "errorMessage": UNKNOWN}
    for code in (body["code"], 43 * "A", "x", "ü"):
        assert refused(exchange(host, code)) == refused(preview(host, code)) == (400, known)


@pytest.mark.claim("ID4", "over HTTP one of eight exchanges at once is given a token")
def test_at_once(host, account):
    """The others are refused as for a code that never was."""
    code = made(account)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: exchange(host, code), range(8)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 7}


def test_each_role_and_scope(host, account):
    """Every key makes a code, and the session is for what the key is for: no more."""
    project, other = account.project(), account.project()
    reader = account.another_key("reader", project_id=project["id"])
    code = made(reader)
    assert told.body(preview(host, code), 200)["project_id"] == project["id"]
    caller = session(reader, exchange(host, code))
    assert caller.call("GET", f"/v2/projects/{project['id']}/secrets").status_code == 200
    assert caller.call("GET", f"/v2/projects/{other['id']}/secrets").status_code == 404
    assert caller.call("POST", f"/v2/projects/{project['id']}/secrets", {}).status_code == 403


def test_another_account_s(host, account):
    """A code is of its own key's account, whoever holds it; another's keys and bound are apart."""
    other = host.account()
    codes = [made(account) for _ in range(5)]
    assert account.call("POST", "/v1/signin_codes", {}).json()["errors"][0]["code"] == (
        "quota_exceeded"
    )
    theirs = made(other)
    assert other.call("DELETE", f"/v1/apikeys/{account.key_id}").status_code == 404
    assert told.body(preview(host, codes[0]), 200)["account_id"] == account.id
    caller = session(other, exchange(host, theirs))
    mine = account.project()
    assert caller.call("GET", f"/v2/projects/{mine['id']}").status_code == 404
    assert account.call("DELETE", f"/v1/apikeys/{account.key_id}").status_code == 204
    assert {exchange(host, code).status_code for code in codes} == {400}
    assert host.inside.document(live_of(account.key_id)) is None


def test_by_name(host, account):
    """Each is a function of its own, called by its name."""
    code = told.body(account.function("createSigninCode"), 201)["code"]
    named = {"previewSigninCode": {}, "issueToken": {"grant_type": CODE_GRANT}}
    for name, more in named.items():
        answer = requests.post(f"{host.functions}/{name}", json={"code": code, **more}, timeout=30)
        assert answer.status_code == 200
    assert exchange(host, code).status_code == 400


@pytest.mark.parametrize("token", ["", "Bearer x"])
def test_who_has_no_token(host, token):
    """Nobody makes a code without a token that holds."""
    headers = {"Authorization": token} if token else {}
    answer = post(host, "/v1/signin_codes", json={}, headers=headers)
    assert answer.status_code == 401


ODD = {
    "no code": ({}, "missing_field"),
    "no text": ({"code": 1}, "invalid_field"),
    "an empty code": ({"code": ""}, "invalid_field"),
    "a long code": ({"code": 513 * "a"}, "invalid_field"),
    "no object": ([], "invalid_field"),
}


@pytest.mark.parametrize(("body", "why"), ODD.values(), ids=ODD)
def test_malformed(host, body, why):
    """What is no code by its form is refused as all bodies are, and uses nothing up."""
    answer = post(host, "/identity/signin_code", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, why)
    if isinstance(body, dict):
        form = {"grant_type": CODE_GRANT, **body}
        answer = post(host, "/identity/token", data=form)
        assert answer.status_code == 400
        assert "A" * 20 not in answer.text


def test_a_code_twice_in_a_form(host, account):
    """A form with two codes is refused, and neither is used."""
    codes = [made(account) for _ in "12"]
    form = [("grant_type", CODE_GRANT), *(("code", code) for code in codes)]
    assert post(host, "/identity/token", data=form).status_code == 400
    assert [exchange(host, code).status_code for code in codes] == [200, 200]


@pytest.mark.claim("ID4", "a sign-in code is in no log, no audit entry and no document")
def test_nowhere(host, account):
    """Whatever became of it: made, looked at, exchanged, refused, and in each form."""
    codes = [made(account) for _ in "12"]
    for code in codes:
        preview(host, code)
    exchange(host, codes[0]), exchange(host, codes[0])
    entries = [
        fields
        for path, fields in host.inside.everything().items()
        if path.startswith("audit/") and fields["account_id"] == account.id
    ]
    actions = Counter(entry["action"] for entry in entries)
    assert actions["codeengine.signin.code"] == 2
    assert actions["codeengine.signin.token"] == 1
    assert {entry["initiator"] for entry in entries if "signin" in entry["action"]} == {
        account.key_id
    }
    places = b"\n".join(dump(host.inside.everything())) + host.log().encode()
    for code in codes:
        assert not [name for name, form in forms_of(code).items() if form in places]


@pytest.mark.claim("F35", "guesses at sign-in codes are slowed down, logins from there are not")
@pytest.mark.parametrize("name", ["previewSigninCode", "issueToken"])
def test_guesses(host, account, name):
    """All codes of an address count as one key: another code is no way round."""
    with running(host, name, CE_TOKEN_RATE="1") as url, requests.Session() as web:
        body = {"grant_type": CODE_GRANT, "apikey": "ce_00_x"}

        def guess(number):
            return web.post(url, json=body | {"code": f"{number:043}"}, timeout=30).status_code

        codes = [guess(number) for number in range(20)]
        assert codes[:4] == [400] * 4
        assert codes.count(429) > 8
        if name == "issueToken":
            form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey"}
            form["apikey"] = account.apikey
            assert web.post(url, data=form, timeout=30).status_code == 200
