"""The event's, the schedule's and the private functions: called by their own identity alone."""

import json
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt.algorithms import RSAAlgorithm

from shared import access
from shared.access import platform
from shared.errors import Error
from shared.settings import Settings
from shared.store.events import DocumentEventData
from shared.store.values import encode
from tests.functions.test_functions import running, state
from tests.support import WEEK

FUNCTIONS = {
    "event": "onProjectWritten",
    "schedule": "enforceRetention",
    "seal": "sealAudit",
    "admin": "createAccount",
}
WHO = {name: f"{name}@demo.iam.gserviceaccount.com" for name in FUNCTIONS}
URL = "https://enforce-retention.example.test"
PATH = "projects/00000000-0000-4000-8000-000000000000"
HEAD = {
    "ce-id": "1",
    "ce-specversion": "1.0",
    "ce-type": "google.cloud.firestore.document.v1.written",
    "ce-source": "//firestore.googleapis.com/projects/demo/databases/(default)",
    "ce-document": PATH,
    "Content-Type": "application/protobuf",
}


class Issuer:
    """An issuer of OIDC tokens on this machine: signs them, and publishes its key."""

    def __init__(self):
        self.key, self.asked = generate_private_key(65537, 2048), 0
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked += 1
                row = RSAAlgorithm.to_jwk(issuer.key.public_key(), as_dict=True) | {"kid": "one"}
                body = json.dumps({"keys": [row]}).encode()
                self.send_response({"/certs": 200, "/moved": 302}.get(self.path, 500))
                self.send_header("Location", "/certs")
                self.end_headers()
                self.wfile.write(b"" if self.path == "/moved" else body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/certs"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self, who, *, key=None, algorithm="RS256", head=None, **claims):
        """Sign a token of a service account; a claim of None is left out."""
        now = int(time.time())
        whole = {"iss": "https://accounts.google.com", "aud": URL, "sub": "1", "iat": now}
        whole |= {"exp": now + 3600, "email": WHO.get(who, who), "email_verified": True, **claims}
        whole = {name: value for name, value in whole.items() if value is not None}
        key = None if algorithm == "none" else key or self.key
        return jwt.encode(whole, key, algorithm, headers=head or {"kid": "one"})


@pytest.fixture(scope="module")
def issuer():
    """An issuer that stands for Google's."""
    issuer = Issuer()
    yield issuer
    issuer.server.shutdown()
    issuer.server.server_close()


@pytest.fixture
def cloud(app, issuer):
    """A deployment as in production, whose issuer is the file's."""
    allowed = {name: frozenset({email}) for name, email in WHO.items()}
    there = {"emulator": None, "callers": allowed, "function_url": URL, "oidc_keys": issuer.url}
    return replace(app, settings=replace(app.settings, **there))


def refused(app, caller, **environ):
    """Give the code that a call is refused with, or None; no refusal repeats what was sent."""
    found = None
    try:
        access.admit(app, caller, environ)
    except Error as error:
        found = error
    sent = [str(value) for value in environ.values() if len(str(value)) > 12]
    assert not any(value in str(found) for value in sent)
    return found and found.code


def bearer(token):
    """Give the environment of a request with a token, from this machine."""
    return {"HTTP_AUTHORIZATION": f"Bearer {token}", "REMOTE_ADDR": "127.0.0.1"}


OTHER = generate_private_key(65537, 2048)
TOKENS = {
    "another key": lambda issuer: issuer.token("schedule", key=OTHER),
    "an unknown key": lambda issuer: issuer.token("schedule", head={"kid": "two"}),
    "no key named": lambda issuer: issuer.token("schedule", head={"kid": ""}),
    "another algorithm": lambda issuer: issuer.token("schedule", algorithm="PS256"),
    "a shared secret": lambda issuer: issuer.token("schedule", key="k" * 64, algorithm="HS256"),
    "no signature": lambda issuer: issuer.token("schedule", algorithm="none"),
    "expired": lambda issuer: issuer.token("schedule", exp=int(time.time()) - 60),
    "expired a moment ago": lambda issuer: issuer.token("schedule", exp=int(time.time())),
    "not yet": lambda issuer: issuer.token("schedule", iat=int(time.time()) + 600),
    "no expiry": lambda issuer: issuer.token("schedule", exp=None),
    "another issuer": lambda issuer: issuer.token("schedule", iss="https://issuer.example"),
    "no issuer": lambda issuer: issuer.token("schedule", iss=None),
    "another function": lambda issuer: issuer.token("schedule", aud="https://other.example.test"),
    "several functions": lambda issuer: issuer.token("schedule", aud=[URL, "https://x.test"]),
    "no audience": lambda issuer: issuer.token("schedule", aud=None),
    "no e-mail": lambda issuer: issuer.token("schedule", email=None),
    "rubbish": lambda _: "rubbish",
    "empty": lambda _: "",
}


@pytest.mark.claim("F31", "a token that is not Google's for this very function is refused")
@pytest.mark.parametrize("make", TOKENS.values(), ids=TOKENS)
def test_tokens_that_do_not_hold(cloud, issuer, make):
    """Signature, algorithm, issuer, audience, times and claims are each asked for."""
    assert refused(cloud, "schedule", **bearer(make(issuer))) == "unauthorized"


@pytest.mark.claim("F31", "only the identity that a setting names is admitted, with its own token")
def test_who_is_admitted(cloud, issuer):
    """The account the setting names; no other, none unverified, and nobody without a token."""
    for ahead in (0, 30):  # seconds that the issuer's clock is
        token = issuer.token("schedule", iat=int(time.time()) + ahead)
        assert refused(cloud, "schedule", **bearer(token)) is None
    for odd in (
        issuer.token("someone@example.com"),
        issuer.token("schedule", email_verified=False),
        issuer.token("schedule", email_verified="true"),
        issuer.token("schedule", email=["schedule"]),
    ):
        assert refused(cloud, "schedule", **bearer(odd)) in {"forbidden", "unauthorized"}
    local = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost"}
    for environ in ({}, local, {**local, platform.MARK: "host"}, {"HTTP_AUTHORIZATION": "Basic x"}):
        assert refused(cloud, "schedule", **environ) == "unauthorized"


@pytest.mark.claim("F31", "production without a caller or an audience set admits nobody")
@pytest.mark.parametrize("unset", [{"callers": {}}, {"function_url": ""}])
def test_production_fails_closed(cloud, issuer, unset):
    """What nobody has set up is closed, not open."""
    bare = replace(cloud, settings=replace(cloud.settings, **unset))
    for caller in WHO:
        for token in (issuer.token(caller), issuer.token(caller, aud="")):
            assert refused(bare, caller, **bearer(token)) in {"unauthorized", "forbidden"}


@pytest.mark.claim("F33", "the scheduler's token opens neither the event's nor private functions")
def test_each_function_has_its_own_caller(cloud, issuer):
    """A service account is admitted where its setting is, and nowhere else."""
    for caller in WHO:
        for who in WHO:
            found = refused(cloud, caller, **bearer(issuer.token(who)))
            assert found == (None if who == caller else "forbidden")


@pytest.mark.claim("F31", "tokens of unknown keys make no flood at the issuer")
def test_keys_are_fetched_seldom(cloud, issuer):
    """Whatever tokens come, the keys are fetched once in a while."""
    refused(cloud, "schedule", **bearer(issuer.token("schedule")))
    before = issuer.asked
    for number in range(20):
        odd = issuer.token("schedule", head={"kid": f"k{number}"})
        assert refused(cloud, "schedule", **bearer(odd)) == "unauthorized"
    assert issuer.asked - before <= 1


@pytest.mark.claim("F31", "while the issuer's keys cannot be had nobody is admitted")
def test_no_keys(cloud, issuer):
    """An issuer that is away is told as something to try again."""
    away = replace(cloud, settings=replace(cloud.settings, oidc_keys=f"{issuer.url}/none"))
    assert refused(away, "schedule", **bearer(issuer.token("schedule"))) == "unavailable"


def test_keys_come_from_the_issuer_alone(cloud, issuer, monkeypatch):
    """No proxy of the environment's is asked, and no redirect followed; both could give keys."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, issuer.url)  # were it asked, it would answer as the issuer
    before = issuer.asked
    away = replace(cloud, settings=replace(cloud.settings, oidc_keys="http://127.0.0.2:9/certs"))
    assert refused(away, "schedule", **bearer(issuer.token("schedule"))) == "unavailable"
    assert issuer.asked == before
    moved = issuer.url.replace("/certs", "/moved")
    there = replace(cloud, settings=replace(cloud.settings, oidc_keys=moved))
    assert refused(there, "schedule", **bearer(issuer.token("schedule"))) == "unavailable"
    assert issuer.asked == before + 1


@pytest.mark.parametrize(
    ("url", "emulator"),
    [
        ("https://keys.example/certs", "127.0.0.1:1"),
        ("http://10.0.0.1/certs", "127.0.0.1:1"),
        ("http://127.0.0.1.example/certs", "127.0.0.1:1"),
        ("http://127.0.0.1:9/certs", ""),
    ],
)
def test_whose_keys(url, emulator):
    """Other keys than Google's are believed on this machine alone, beside an emulator."""
    with pytest.raises(ValueError, match="CE_OIDC_KEYS"):
        Settings.from_env({"CE_OIDC_KEYS": url, "FIRESTORE_EMULATOR_HOST": emulator})


STRANGE = {
    "a tenant": {"Authorization": "Bearer {token}"},
    "any credentials": {"Authorization": "Basic eDp4"},
    "a rebound name": {"Host": "evil.example"},
    "a web page": {"Origin": "https://evil.example"},
    "a local page": {"Origin": "http://localhost:3000"},
    "a proxy": {"X-Forwarded-For": "127.0.0.1"},
}


@pytest.mark.claim("F31", "tenants, pages and proxies call no event, schedule or private function")
@pytest.mark.parametrize("caller", FUNCTIONS)
def test_strangers_at_a_function(host, owner, caller):
    """Alone under functions-framework it is called from this machine, by who shows nothing."""
    before = state(host, owner)
    with running(host, FUNCTIONS[caller]) as url:
        for name, headers in STRANGE.items():
            filled = {key: value.format(token=owner.token) for key, value in headers.items()}
            sent = (HEAD if caller == "event" else {"Content-Type": "application/json"}) | filled
            answer = requests.post(url, data=b"{}", headers=sent, timeout=30)
            assert (name, answer.status_code) == (name, 403)
            assert answer.json()["errors"][0]["code"] == "forbidden"
    assert state(host, owner) == before


@pytest.mark.claim("F31", "the tenants' ports serve no event, schedule or private function")
@pytest.mark.parametrize("name", FUNCTIONS.values())
def test_strangers_at_the_ports(host, owner, name):
    """Under no name and no path, with a token or without; headers that tell who calls are air."""
    before = state(host, owner)
    project = host.info["project"]
    marks = {"Reprieve-Caller": "host", "reprieve.caller": "host", "X-CloudScheduler": "true"}
    for url in (host.functions, host.url):
        for path in (f"/{name}", f"/{project}/us-central1/{name}", "/internal/accounts"):
            for headers in ({}, marks, {"Authorization": f"Bearer {owner.token}"}):
                answer = requests.post(url + path, json={}, headers=headers, timeout=30)
                assert answer.status_code in {401, 403, 404, 405}
    assert state(host, owner) == before


def test_a_port_is_not_the_host(app):
    """Were a function of the platform ever served on a port, it would refuse what comes there."""
    near = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:5001"}
    for caller in WHO:
        assert refused(app, caller, **near) is None
        assert refused(app, caller, **near, **{platform.MARK: "port"}) == "forbidden"
        assert refused(app, caller, **{platform.MARK: "host"}) is None
        for address in ("10.0.0.1", "", "::ffff:10.0.0.1", "localhost"):
            assert refused(app, caller, **near | {"REMOTE_ADDR": address}) == "forbidden"
        assert refused(app, caller, REMOTE_ADDR="::1", HTTP_HOST="[::1]:8090") is None


def test_an_allowed_caller_is_asked_for_beside_an_emulator_too(app, issuer):
    """With the setting there is no exception for this machine, but for the host itself."""
    there = {"callers": {"event": frozenset({WHO["event"]})}, "oidc_keys": issuer.url}
    app = replace(app, settings=replace(app.settings, function_url=URL, **there))
    near = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1"}
    assert refused(app, "event", **near) == "unauthorized"
    assert refused(app, "event", **bearer(issuer.token("event"))) is None
    assert refused(app, "event", **{platform.MARK: "host"}) is None


def forged(project, **changes):
    """Give the body of an event that says what a project is, whatever it is."""
    event = DocumentEventData()
    encode(
        project | {"status": "hard_deleting", "shredded_at": None, **changes},
        event.value.fields,
    )
    return event.SerializeToString()


@pytest.mark.claim("F32", "a forged event with the right identity changes nothing of any account")
@pytest.mark.claim("F33", "the scheduler's token is refused by the event function and the API")
def test_forged_events(host, owner, issuer):
    """An event is a hint: the project is asked what it is, whoever says what."""
    project, other = owner.project(), host.account().project()
    owner.secret(project, "s", {"k": "v"})
    deleted = owner.project()
    owner.delete(deleted)
    host.quiet()
    before = state(host, owner), host.inside.below(f"projects/{other['id']}")
    env = {"CE_EVENT_CALLER": WHO["event"], "CE_SCHEDULE_CALLER": WHO["schedule"]}
    env |= {"CE_FUNCTION_URL": URL, "CE_OIDC_KEYS": issuer.url}
    fields = before[0][0][project["id"]]
    with running(host, "onProjectWritten", **env) as url:
        for who, status in (("event", 200), ("schedule", 403), (None, 401)):
            token = {"Authorization": f"Bearer {issuer.token(who)}"} if who else {}
            for target in (project, deleted, other, {"id": "none"}, {"id": "../x"}):
                head = HEAD | {"ce-document": f"projects/{target['id']}"} | token
                body = forged(fields, id=target["id"], account_id=owner.id)
                assert requests.post(url, data=body, headers=head, timeout=30).status_code == status
    service = {"Authorization": f"Bearer {issuer.token('schedule')}"}
    for path in ("/v2/projects", "/v1/apikeys"):
        assert requests.get(host.url + path, headers=service, timeout=30).status_code == 401
    assert (state(host, owner), host.inside.below(f"projects/{other['id']}")) == before


@pytest.mark.claim("F32", "what the schedule is sent names no project and no time")
def test_the_schedule_takes_no_orders(host, owner, issuer):
    """The right identity may call it; nothing that it sends is looked at."""
    project = owner.project()
    owner.delete(project)
    env = {"CE_SCHEDULE_CALLER": WHO["schedule"], "CE_FUNCTION_URL": URL}
    orders = {"project_id": project["id"], "now": "2999-01-01T00:00:00Z", "offset": 2 * WEEK}
    with running(host, "enforceRetention", **env, CE_OIDC_KEYS=issuer.url) as url:
        head = {"Authorization": f"Bearer {issuer.token('schedule')}"}
        done = requests.post(url, json=orders, params=orders, headers=head, timeout=60)
        assert (done.status_code, done.json()["expired"]) == (200, 0)
        woken = requests.post(f"{url}/wake", json=orders, params=orders, headers=head, timeout=60)
        assert (woken.status_code, woken.json()["failed"]) == (200, 0)
        for path in ("", "/wake"):
            assert requests.post(url + path, json={}, timeout=30).status_code == 401
    assert owner.status(project) == "soft_deleted"
