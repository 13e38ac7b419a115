"""Who calls: keys, tokens, and what holds of them."""

import base64
import dataclasses
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared import access
from shared.access import tokens
from shared.access.api_keys import present
from shared.errors import Error
from shared.keys.local import open_keyring
from shared.keys.signing import Signing, public_half
from tests.support import GRANT, WEEK, dump, paths_below

UNSET = {"description", "project_id", "created_by", "expires_at"}  # of an account's first key
NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def key(host):
    """The host's signing key."""
    settings = host.inside.settings
    return open_keyring(settings.keyring, settings.key_store).signing_key


@pytest.fixture
def claims(owner):
    """The claims of a token that is good."""
    return jwt.decode(owner.token, options={"verify_signature": False})


def b64(data):
    """Give what stands between the dots of a token."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(key, claims, **header):
    """Sign a token; a header of None leaves out what is there by default."""
    head = {"alg": "EdDSA", "typ": "at+jwt", **header}
    text = b64({name: value for name, value in head.items() if value is not None})
    text += "." + b64(claims)
    return f"{text}.{b64(key.sign(text.encode()))}"


def get(host, authorization):
    """Ask for projects with a header."""
    headers = {"Authorization": authorization}
    return requests.get(f"{host.url}/v2/projects", headers=headers, timeout=30)


def exchange(host, apikey, grant=GRANT, **headers):
    """Exchange a key as IBM's clients do."""
    form = {"grant_type": grant, "apikey": apikey, "response_type": "cloud_iam"}
    url = f"{host.url}/identity/token"
    return requests.post(url, data=form, headers=headers, timeout=30)


def test_as_ibm_does(host, owner):
    """The exchange takes what IBM's authenticator sends, to the byte, and answers in kind."""
    form = "grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey"
    raw = f"{form}&apikey={owner.apikey}&response_type=cloud_iam"
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "User-Agent": "ibm-python-sdk-core/iam-authenticator-3.28.0 os.name=Linux",
        "Authorization": "Basic Yng6Yng=",
    }
    before = time.time()
    answer = requests.post(f"{host.url}/identity/token", data=raw, headers=headers, timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    token = body.pop("access_token")
    expiration = body.pop("expiration")
    assert body == {
        "refresh_token": "not_supported",
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "ibm openid",
    }
    told = jwt.decode(token, options={"verify_signature": False})
    assert type(told["iat"]) is type(told["exp"]) is int
    assert int(before) <= told["iat"] <= time.time()
    assert told["exp"] - told["iat"] <= 3600
    assert told["exp"] == expiration
    assert (told["account"]["bss"], set(told["roles"])) == (owner.id, {"administrator", "manager"})
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "typ": "at+jwt"}
    assert owner.apikey not in json.dumps(told)


def test_exchange_by_name(host, owner):
    """Called by name, the exchange takes JSON and answers the same."""
    members = {"grant_type": GRANT, "apikey": owner.apikey}
    answer = requests.post(f"{host.functions}/issueToken", json=members, timeout=30)
    assert answer.status_code == 200
    assert get(host, f"Bearer {answer.json()['access_token']}").status_code == 200


def expect_bad_key(answer, said="Provided API key could not be found."):
    """Require the identity service's own form of refusal, the same for every bad key."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/json")
    body = answer.json()
    trace = answer.headers["X-Global-Transaction-ID"]
    assert body == {
        "errorCode": "BXNIM0415E",
        "errorMessage": said,
        "context": {"requestId": trace, "requestType": "incoming.Identity_Token"},
    }


@pytest.mark.parametrize(
    "text",
    [
        *("x", "ce_", "ce__", "ce_0123456789abcdef", "ce_0123456789abcdef_", "ce_é_x", "ce_a/b_x"),
        *("😀", "ce_.._x", "ce_unknown_x", "__", "a_b_c", "ce_0123456789abcdef_" + "A" * 43, "\n"),
        "x" * 512,
    ],
)
def test_unknown_key(host, text):
    """A key that does not exist is refused in IBM's words."""
    expect_bad_key(exchange(host, text))


@pytest.mark.parametrize(
    "change", [lambda k: k[:-1], lambda k: k + "A", lambda k: k.swapcase(), lambda k: " " + k]
)
def test_almost_the_key(host, owner, change):
    """A key that is almost the one stored is refused as one that does not exist."""
    expect_bad_key(exchange(host, change(owner.apikey)))


def test_secret_of_another_key(host, owner):
    """The id of one key with the secret of another is refused."""
    other = host.account().apikey.split("_", 2)
    mine = owner.apikey.split("_", 2)
    expect_bad_key(exchange(host, "_".join((*mine[:2], other[2]))))


@pytest.mark.parametrize(
    ("form", "code", "target"),
    [
        ({"apikey": "k"}, "missing_field", "grant_type"),
        ({"grant_type": GRANT}, "missing_field", "apikey"),
        ({"grant_type": GRANT, "apikey": ""}, "invalid_field", "apikey"),
        ({"grant_type": GRANT, "apikey": "x" * 513}, "invalid_field", "apikey"),
        ({"grant_type": "password", "apikey": "k"}, "invalid_field", "grant_type"),
    ],
)
def test_bad_exchange(host, form, code, target):
    """A form that is not as it must be is refused as anywhere else."""
    answer = requests.post(f"{host.url}/identity/token", data=form, timeout=30)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"], error["target"]["name"]) == (400, code, target)


@pytest.mark.parametrize(("hours", "good"), [(-1, False), (1, True)])
def test_expiring_key(host, hours, good):
    """A key is exchanged until it expires, and not after; who has all of it is told so."""
    account = host.account()
    expiry = datetime.now(UTC) + timedelta(hours=hours)
    host.inside.change_key(account.key_id, expires_at=expiry)
    answer = exchange(host, account.apikey)
    assert answer.status_code == (200 if good else 400)
    if not good:
        expect_bad_key(answer, "Provided API key has expired.")
        expect_bad_key(exchange(host, f"{account.apikey}x"))  # by its id alone it is as any other


def test_keys_are_stored_as_digests(host, owner):
    """Of a key, the store holds the SHA-256; its text is nowhere, and nor is a token."""
    _, key_id, secret = owner.apikey.split("_", 2)
    record = host.inside.document(f"api_keys/{key_id}")
    assert record["sha256"] == hashlib.sha256(owner.apikey.encode()).digest()
    assert set(record) - set(present(record)) == {"sha256", "signature", *UNSET}
    store = host.inside.store
    paths = paths_below(store, "", 100_000)
    chunks = [paths[start : start + 200] for start in range(0, len(paths), 200)]
    documents = [doc for chunk in chunks for doc in store.read(*chunk).documents.values()]
    heap = b"\n".join(piece for doc in documents for piece in dump({doc.path: doc.fields}))
    assert key_id.encode() in heap
    files = [path.read_bytes() for path in host.home.rglob("*") if path.is_file()]
    for text in (secret, owner.token, owner.token.split(".")[2]):
        assert not any(text.encode() in place for place in (heap, *files))


@pytest.mark.parametrize("form", ["{}", "Bearer {}", "bearer {}", "BEARER {}", "Bearer  {}"])
def test_header(host, owner, form):
    """A token comes bare or after Bearer."""
    assert get(host, form.format(owner.token)).status_code == 200


def test_tokens_do_not_age_with_the_clock(host, owner):
    """Moving the local host's clock a week on logs nobody out."""
    host.set_clock(WEEK)
    try:
        assert get(host, owner.token).status_code == 200
    finally:
        host.set_clock(0)


def test_our_own_signature(host, key, claims):
    """What the tests below sign is good but for what each of them changes."""
    assert get(host, signed(key, claims)).status_code == 200


def test_the_account_of_version_0_1_0(host, owner, key, claims):
    """A token from before an upgrade names its account as a text, and holds until it expires."""
    before = {name: claims[name] for name in ("iss", "aud", "sub", "iat", "exp", "roles")}
    project = owner.project("before")
    for account, status in ((owner.id, 200), ("b" * 32, 401)):
        token = signed(key, before | {"account": account})
        path, headers = f"/v2/projects/{project['id']}", {"Authorization": token}
        assert requests.get(host.url + path, headers=headers, timeout=30).status_code == status
    expired = before | {"account": owner.id, "exp": int(time.time()) - 1}
    expect_refusal(get(host, signed(key, expired)))


def expect_refusal(answer):
    """Require that the caller is not known, and is told so alike for every bad token."""
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    (error,) = answer.json()["errors"]
    assert error["code"] == "unauthorized"
    assert error["message"] in {
        "The token is not valid.",
        "The token has expired.",
        "No token: send `Authorization: Bearer TOKEN`.",
    }


NEVER = time.time() + 10**6
CLAIMS = {
    **{
        f"no {name}": {name: None}
        for name in ("iss", "aud", "sub", "iat", "exp", "account", "roles")
    },
    "another audience": {"aud": "urn:reprieve:other"},
    "no audience but the issuer": {"aud": tokens.ISSUER},
    "another issuer": {"iss": "https://iam.cloud.ibm.com"},
    "expired": {"exp": int(time.time()) - 1},
    "long expired": {"exp": 0},
    "expiry as text": {"exp": "never"},
    "not yet": {"nbf": NEVER},
    "issued later": {"iat": NEVER},
    "a subject that is no text": {"sub": 1},
    "roles that are none": {"roles": 7},
    "a project that is no text": {"project": 7},
    "projects": {"project": [NOWHERE]},
    "an account of no text": {"account": 7},
    "accounts": {"account": ["a" * 32]},
    "an account of nothing": {"account": {}},
    "an account whose number is none": {"account": {"bss": 7, "valid": True}},
    "an account in an account": {"account": {"bss": {"bss": "a" * 32}}},
    "accounts of an account": {"account": {"bss": ["a" * 32]}},
    "roles that are no texts": {"roles": ["manager", 7]},
    "roles of an account": {"roles": {"manager": True}},
    "a subject of several": {"sub": ["a"]},
    "an issue of no number": {"iat": {}},
    "an expiry of several": {"exp": [NEVER]},
}


@pytest.mark.parametrize("change", CLAIMS.values(), ids=CLAIMS)
def test_claims(host, key, claims, change):
    """A token whose claims are not ours is refused, well signed as it may be."""
    changed = {name: value for name, value in (claims | change).items() if value is not None}
    expect_refusal(get(host, signed(key, changed)))


HEADERS = {
    "kid": {"kid": "1"},
    "jwk": {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}},
    "jku": {"jku": "https://example.com/keys"},
    "x5u": {"x5u": "https://example.com/keys"},
    "crit": {"crit": ["exp"]},
    "b64": {"b64": False},
    "zip": {"zip": "DEF"},
    "typ JWT": {"typ": "JWT"},
    "no typ": {"typ": None},
    "typ in capitals": {"typ": "AT+JWT"},
    "no alg": {"alg": None},
    "alg none": {"alg": "none"},
    "alg HS256": {"alg": "HS256"},
    "alg ES256": {"alg": "ES256"},
    "alg RS256": {"alg": "RS256"},
    "alg eddsa": {"alg": "eddsa"},
    "alg a list": {"alg": ["EdDSA"]},
}


@pytest.mark.parametrize("change", HEADERS.values(), ids=HEADERS)
def test_headers(host, key, claims, change):
    """A token with another algorithm, another type or a header nobody asked for is refused."""
    expect_refusal(get(host, signed(key, claims, **change)))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
@pytest.mark.parametrize("end", ["", "AA"])
def test_unsigned(host, claims, alg, end):
    """A token without a signature is refused."""
    expect_refusal(get(host, f"{b64({'alg': alg, 'typ': 'at+jwt'})}.{b64(claims)}.{end}"))


@pytest.mark.parametrize("form", ["raw", "PEM", "base64", "empty"])
@pytest.mark.parametrize("alg", ["HS256", "HS512"])
def test_public_key_as_secret(host, key, claims, form, alg):
    """The public key, which all may know, signs nothing."""
    public = key.public_key()
    secret = {
        "raw": public.public_bytes_raw(),
        "PEM": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "base64": b64(public.public_bytes_raw()).encode(),
        "empty": b"",
    }[form]
    text = f"{b64({'alg': alg, 'typ': 'at+jwt'})}.{b64(claims)}"
    made = hmac.new(secret, text.encode(), {"HS256": "sha256", "HS512": "sha512"}[alg]).digest()
    expect_refusal(get(host, f"{text}.{b64(made)}"))


def test_another_key(host, claims):
    """A token signed with any other key is refused."""
    expect_refusal(get(host, signed(Ed25519PrivateKey.generate(), claims)))


TAMPERED = {  # with the parts of a good token, and with payloads that say more
    "account": "{head}.{account}.{sign}",
    "account as it was": "{head}.{account as it was}.{sign}",
    "roles": "{head}.{roles}.{sign}",
    "expiry": "{head}.{expiry}.{sign}",
    "signature of other bytes": "{head}.{body}.{other}",
    "cut signature": "{head}.{body}.{cut}",
    "longer signature": "{head}.{body}.{sign}AAAA",
    "no signature": "{head}.{body}.",
    "no second dot": "{head}.{body}{sign}",
    "four parts": "{head}.{body}.{sign}.{sign}",
    "swapped": "{body}.{head}.{sign}",
    "no payload": "{head}..{sign}",
    "payload of no object": "{head}.{array}.{sign}",
    "nothing": "..",
    "not base64": "{head}.!{body}.{sign}",
    "a blank within": "{head}. {body}.{sign}",
}


@pytest.mark.parametrize("form", TAMPERED.values(), ids=TAMPERED)
def test_tampered(host, owner, claims, form):
    """No part of a token can be changed, left out or added to."""
    head, body, sign = owner.token.split(".")
    other = ("B" if sign[0] == "A" else "A") + sign[1:]
    payloads = {
        "account": b64(claims | {"account": claims["account"] | {"bss": "f" * 32}}),
        "account as it was": b64(claims | {"account": "f" * 32}),
        "roles": b64(claims | {"roles": [*claims["roles"], "editor"]}),
        "expiry": b64(claims | {"exp": claims["exp"] + 1}),
        "array": b64([claims]),
    }
    parts = {"head": head, "body": body, "sign": sign, "other": other, "cut": sign[:-4]}
    assert get(host, "{head}.{body}.{sign}".format(**parts)).status_code == 200
    expect_refusal(get(host, form.format(**parts, **payloads)))


@pytest.mark.parametrize("position", range(0, 85, 7))
def test_flipped_signature(host, owner, position):
    """No character of a signature can be another."""
    start = owner.token.rindex(".") + 1 + position
    letter = "B" if owner.token[start] == "A" else "A"
    expect_refusal(get(host, owner.token[:start] + letter + owner.token[start + 1 :]))


def test_a_cached_token_expires(app, owner, key, claims):
    """A token that was good is refused from the second of its expiry, though it is remembered."""
    app = dataclasses.replace(app, keyring=_with(app.keyring, key))
    token = signed(key, claims)
    at = lambda moment: dataclasses.replace(app, wall=lambda: moment)  # noqa: E731
    assert access.authenticate(at(claims["exp"] - 1), token).account == owner.id
    assert access.authenticate(at(claims["exp"] - 0.001), f"Bearer {token}").account == owner.id
    for moment in (claims["exp"], claims["exp"] + 1):
        with pytest.raises(Error) as refusal:
            access.authenticate(at(moment), token)
        assert (refusal.value.code, refusal.value.message) == (
            "unauthorized",
            "The token has expired.",
        )


def _with(keyring, key):
    """Give a keyring that signs with another key."""
    signing = Signing(lambda: key, lambda: (public_half(key),))
    return type(keyring)(keyring._wrapper, keyring._halves, signing, keyring.state)
