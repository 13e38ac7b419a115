"""What each answer says to browsers, and what the local ports take from them."""

import re
from contextlib import suppress

import pytest
import requests

from shared.errors import Error
from shared.wire import answers as said
from shared.wire.answers import refusal
from tests.support import GRANT

WANTED = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
EVIL = ("evil.example", "evil.example:5000", "127.0.0.1.evil.example", "localhost.evil.example", "")
PORTS = ("hosting", "functions", "hub")


def answers(account):
    """Give answers of the API of every sort: done, refused, and what no function answered."""
    host, form = account.host, {"grant_type": GRANT, "apikey": account.apikey}
    yield account.call("GET", "/v2/projects")
    yield account.call("POST", "/v2/projects", {"name": "p"})
    yield account.call("POST", "/v2/projects", {"name": 1})
    yield account.call("GET", "/v2/none")
    yield account.call("PATCH", "/v2/projects")
    yield account.function("listProjects")
    yield account.function("none")
    yield requests.get(f"{host.url}/v2/projects", timeout=30)
    yield requests.post(f"{host.url}/identity/token", data=form, timeout=30)
    yield requests.get(f"{host.url}/openapi.json", timeout=30)
    yield requests.get(f"{host.info['hub']}/status", timeout=30)


@pytest.mark.claim("F44", "each answer bears the security headers, and no version of anything")
def test_headers(account):
    """Done or refused, by whatever port; pages have their own policy, as strict."""
    for answer in answers(account):
        found = {name: answer.headers.get(name) for name in WANTED}
        assert (answer.url, found) == (answer.url, WANTED)
        assert "Strict-Transport-Security" not in answer.headers  # it is no https
    for answer in (*answers(account), requests.get(f"{account.host.url}/docs", timeout=30)):
        assert answer.headers["Server"] == "http"
        assert not {"X-Powered-By", "Via"} & set(answer.headers)
        shown = {k: v for k, v in answer.headers.items() if k not in {"Date", "X-Reprieve-Now"}}
        assert not re.search(r"python|gunicorn|werkzeug|flask", str(shown), re.IGNORECASE)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_https(app, monkeypatch):
    """Where the API is reached by https, browsers are told to stay with it."""
    monkeypatch.setattr(said, "get_app", lambda: app)
    answer = refusal(Error("internal", "x."), "trace")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


@pytest.mark.claim("F44", "CORS is closed: no answer allows another origin, preflights are refused")
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000"])
def test_cors(account, origin):
    """A page of another origin reads nothing, with a token or without."""
    host = account.host
    ask = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    ask |= {"Access-Control-Request-Headers": "authorization"}
    for url in (f"{host.url}/v2/projects", f"{host.url}/identity/token"):
        preflight = requests.options(url, headers=ask, timeout=30)
        assert preflight.status_code == 405
        got = account.call("GET", "/v2/projects", headers={"Origin": origin})
        for answer in (preflight, got):
            assert not [n for n in answer.headers if n.lower().startswith("access-control")]
    by_name = requests.options(f"{host.functions}/createProject", headers=ask, timeout=30)
    assert by_name.status_code == 405


@pytest.mark.claim("F44", "a name rebound to this machine reaches none of the local ports")
@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("name", EVIL)
def test_rebinding(account, port, name):
    """Whatever else is right, a foreign Host is 403 on every port."""
    info = account.host.info
    token = info["token"] if port == "hub" else account.token
    path = {"hosting": "/v2/projects", "functions": "/listProjects", "hub": "/status"}[port]
    for address in (path, f"http://{name}{path}"):
        answer = requests.request(
            "POST" if port == "functions" else "GET",
            info[port] + (address if address == path else path),
            headers={"Host": name, "Authorization": f"Bearer {token}"},
            timeout=30,
        )
        assert answer.status_code in {400, 403}
        assert name == "" or name not in answer.text


@pytest.mark.claim("F44", "the hub answers no web page, and nobody without its token")
def test_the_hub(host):
    """Its token lies in a file of the user's alone; a page that had it would be refused too."""
    info = host.info
    token = {"Authorization": f"Bearer {info['token']}"}
    assert (host.state / "hub.json").stat().st_mode & 0o077 == 0
    for headers, status in (
        ({}, 401),
        ({"Authorization": "Bearer x"}, 401),
        (token | {"Origin": "http://localhost:5000"}, 403),
        (token, 200),
    ):
        assert (
            requests.get(f"{info['hub']}/status", headers=headers, timeout=30).status_code == status
        )
        with suppress(KeyError):
            del headers["Origin"]
