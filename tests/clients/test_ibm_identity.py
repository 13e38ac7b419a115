"""IBM's own authenticator, as PyPI has it, against the host: tokens for keys, and what it sends."""

import base64
import time
from urllib.parse import parse_qsl

import jwt
import pytest
from ibm_cloud_sdk_core import ApiException
from ibm_cloud_sdk_core.authenticators import BearerTokenAuthenticator, IAMAuthenticator
from ibm_code_engine_sdk.code_engine_v2 import CodeEngineV2
from ibm_platform_services import ResourceControllerV2

GRANT = "urn:ibm:params:oauth:grant-type:apikey"


@pytest.fixture(scope="module")
def owner(host):
    """An account with one project."""
    host.set_clock(0)
    account = host.account()
    account.project("mine")
    return account


@pytest.fixture
def sent(monkeypatch):
    """Every request that IBM's token manager sends, as it goes out."""
    from requests import Session

    send, seen = Session.send, []

    def noted(self, request, **kwargs):
        seen.append(request)
        return send(self, request, **kwargs)

    monkeypatch.setattr(Session, "send", noted)
    return seen


def names(host, authenticator):
    """Give the names of the projects that IBM's SDK lists with an authenticator."""
    service = CodeEngineV2(authenticator=authenticator)
    service.set_service_url(f"{host.url}/v2")
    return [project["name"] for project in service.list_projects().get_result()["projects"]]


FORMS = {
    "as it comes": {},
    "with a scope": {"scope": "ibm openid"},
    "as a known client": {"client_id": "bx", "client_secret": "bx"},
    "with a header": {"headers": {"X-Own": "1"}},
}


@pytest.mark.parametrize("options", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("end", ["", "/identity/token"])
def test_authenticator(host, owner, sent, options, end):
    """IBM's authenticator gets its token however it is set up; the SDK then sees the account."""
    authenticator = IAMAuthenticator(owner.apikey, url=host.url + end, **options)
    assert names(host, authenticator) == ["mine"]
    exchange, listing = sent
    assert exchange.url == f"{host.url}/identity/token"
    form = {"grant_type": GRANT, "apikey": owner.apikey, "response_type": "cloud_iam"}
    form |= {"scope": options["scope"]} if "scope" in options else {}
    assert parse_qsl(exchange.body) == [*form.items()]
    assert exchange.headers["Content-Type"] == "application/x-www-form-urlencoded"
    basic = "Basic " + base64.b64encode(b"bx:bx").decode() if "client_id" in options else None
    assert exchange.headers.get("Authorization") == basic
    assert listing.headers["Authorization"].startswith("Bearer ey")


def test_one_token_for_many_calls(host, owner, sent):
    """A token is kept until it ages: IBM's manager reads from it when it was issued and ends."""
    authenticator = IAMAuthenticator(owner.apikey, url=host.url)
    assert [names(host, authenticator) for _ in range(3)] == [["mine"]] * 3
    assert len(sent) == 4
    manager = authenticator.token_manager
    assert time.time() + 3500 < manager.expire_time <= time.time() + 3600
    assert manager.refresh_time < manager.expire_time
    manager.expire_time = 0
    names(host, authenticator)
    assert len(sent) == 6


def test_a_key_that_is_none(host):
    """A key that is not known is told as IBM tells it, and is not repeated."""
    with pytest.raises(ApiException) as refusal:
        names(host, IAMAuthenticator("nobody-s-key", url=host.url))
    assert (refusal.value.status_code, refusal.value.message) == (
        400,
        "Provided API key could not be found.",
    )
    assert refusal.value.http_response.json()["errorCode"] == "BXNIM0415E"
    assert "nobody-s-key" not in refusal.value.http_response.text


def test_a_token_of_one_s_own(host, owner):
    """A token can be given instead of a key, and a bad one is refused in IBM's words."""
    assert names(host, BearerTokenAuthenticator(owner.token)) == ["mine"]
    with pytest.raises(ApiException) as refusal:
        names(host, BearerTokenAuthenticator("x.y.z"))
    assert refusal.value.status_code == 401
    assert refusal.value.message == "The token is not valid."


def test_a_key_for_one_project(host, owner):
    """To IBM's SDKs a key for one project is a login that sees no other."""
    scoped = owner.another_key(project_id=owner.project("scoped")["id"])
    try:
        authenticator = IAMAuthenticator(scoped.apikey, url=host.url)
        assert names(host, authenticator) == ["scoped"]
        controller = ResourceControllerV2(authenticator=authenticator)
        controller.set_service_url(host.url)
        assert controller.list_reclamations().get_result() == {"resources": []}
    finally:
        (found,) = scoped.got("/v2/projects")["projects"]
        owner.destroy(found)
        owner.gone(found)


def test_what_terraform_s_provider_casts(host, owner):
    """The claims that it takes for what they are without a look, of an account's key and another's.

    As `fetchUserDetails` in its `ibm/conns/config.go` does, where another type is a panic.
    """
    authenticator = IAMAuthenticator(owner.apikey, url=host.url, client_id="bx", client_secret="bx")
    manager = authenticator.token_manager
    answer = manager.request_token()
    assert answer["token_type"] == "Bearer"
    header = f"{answer['token_type']} {answer['access_token']}"
    claims = jwt.decode(header[len("Bearer ") :], options={"verify_signature": False})
    identity, account = claims["id"], claims["account"]
    assert isinstance(account, dict)
    casts = (identity, claims["iss"], account["bss"], claims["iam_id"], claims["scope"])
    assert [type(cast) for cast in casts] == [str] * len(casts)
    assert "email" not in claims  # else it must be a text, and is looked at for the user's id
    assert (account["bss"], account["valid"], account["frozen"]) == (owner.id, True, False)
    assert identity == claims["iam_id"] == f"iam-ServiceId-{claims['sub']}"
    assert (claims["scope"], claims["grant_type"]) == ("ibm openid", GRANT)
    assert jwt.get_unverified_header(header[len("Bearer ") :])["alg"] != "none"
    assert names(host, BearerTokenAuthenticator(answer["access_token"])) == ["mine"]
