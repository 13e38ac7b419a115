"""Every way a request can fail says what to do next: the server's refusals, and not reaching it."""

import http.server
import json
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ce.server import advice, target
from shared import access
from shared.errors import STATUS
from tests.support.cli import run
from tests.support.cli_home import KEY

TOKEN = (200, '{"access_token": "t"}')


def test_every_refusal_says_what_to_do():
    """Each code of the API has its advice, and a role that helps is one that the server knows."""
    assert set(STATUS) <= set(advice.ADVICE)
    verbs = {verb for allowed in access.ROLES.values() for verb in allowed}
    assert {
        verb: tuple(role for role, allowed in access.ROLES.items() if verb in allowed)
        for verb in sorted(verbs, key=[*advice.ROLES].index)
    } == advice.ROLES


def refused(code, status, message="No.", *headers):
    """Answer with the API's own refusal."""
    body = {"errors": [{"code": code, "message": message}], "trace": "t-1", "status_code": status}
    return (status, json.dumps(body), *headers)


REFUSALS = {
    "another key": (refused("unauthorized", 401), 4, "Run 'ce login' with a key"),
    "a role": (refused("forbidden", 403, "No `entity.manage`."), 1, "the role manager or writer:"),
    "no permission": (refused("forbidden", 403), 1, "Log in with another key"),
    "too fast": (refused("too_many_requests", 429, "No.", ("Retry-After", "7")), 1, "in 7 seconds"),
    "down": (
        refused("unavailable", 503),
        1,
        "Nothing was half done: run the command again in a few",
    ),
    "our fault": (refused("internal", 500), 1, "under the trace t-1"),
    "changed": (refused("precondition_failed", 412), 1, "look at it with 'ce secret get'"),
    "gone": (refused("resource_not_found", 404), 1, "'ce secret list' shows what there is"),
    "bad": (refused("invalid_field", 400), 1, "'ce secret list --help' lists the options"),
    "a proxy's": ((403, "<html>"), 1, "Something else answers there"),
    "a gateway": ((504, "<html>"), 1, "Whether it was done is not known"),
    "elsewhere": ((307, ""), 1, "Something else answers there"),
    "not ours": ((400, '{"errors": [1], "trace": 1}'), 1, "Something else answers there"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(other, case):
    """What the server says is told first, and in the next line what to do."""
    answers, _ = other
    answer, code, said = REFUSALS[case]
    target.select(target.current(), {"id": "i", "name": "n"})
    again = [TOKEN, answer] if code == 4 else []
    answers += [TOKEN, answer, *again]
    done = run("secret", "list", "-q")
    assert (done.returncode, answers) == (code, [])
    assert said in done.stderr
    assert done.stderr.startswith("FAILED\n")
    assert len(done.stderr.splitlines()) == 3 + ("gone" in case)


@pytest.fixture
def days():
    """For how many days the certificate of `untrusted` holds, from the day before yesterday."""
    return 3


@pytest.fixture
def untrusted(tmp_path, days):
    """A server whose certificate nobody vouches for; give its port, and the certificate."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    begin = datetime.now(UTC) - timedelta(days=2)
    end = begin + timedelta(days=days)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, end)
    with_name = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    text = key.private_bytes(*form, serialization.NoEncryption())
    file = tmp_path / "certificate.pem"
    file.write_bytes(text + with_name.sign(key, None).public_bytes(form[0]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    class Quiet(http.server.HTTPServer):
        def handle_error(self, *_):
            """Say nothing: the client leaves, as it should."""

    with Quiet(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server.server_port, file
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("nobody")
def test_a_certificate_that_nobody_vouches_for(untrusted, monkeypatch):
    """The key is not sent, and the way to trust an authority of one's own is told, and is one."""
    port, certificate = untrusted
    args = ("login", "--url", f"https://localhost:{port}", "--apikey", "-")
    done = run(*args, text=KEY)
    assert done.returncode == 1
    assert f"Cannot reach localhost:{port} (SSLError). {advice.UNTRUSTED}" in done.stderr
    assert KEY not in done.stderr
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    assert "The server answered 501" in run(*args, text=KEY).stderr


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize(
    ("days", "host", "said"),
    [(1, "localhost", "has expired"), (3, "127.0.0.1", "is for another name")],
)
def test_what_is_wrong_with_a_certificate(untrusted, monkeypatch, host, said):
    """Expired, and for another name: told apart from an authority that is not known."""
    port, certificate = untrusted
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    done = run("login", "--url", f"https://{host}:{port}", "--apikey", "-", text=KEY)
    assert (done.returncode, f"Its certificate {said}" in done.stderr) == (1, True)


def test_a_port_that_speaks_no_tls(other, nobody):
    """Its certificate is not what is wrong."""
    url = json.loads((nobody / "profiles" / "other.json").read_text())["url"]
    args = ("--profile", "p", "--url", url.replace("http:", "https:"), "--apikey", "-")
    done = run("login", *args, text=KEY)
    assert (done.returncode, "(SSLError). Nothing speaks TLS there" in done.stderr) == (1, True)
    assert other[1] == []


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("name", ["none.pem", "", "junk.pem"], ids=["none", "a folder", "junk"])
def test_authorities_that_cannot_be_read(monkeypatch, tmp_path, name):
    """The variable and the file are named, before the key is sent."""
    (tmp_path / "junk.pem").write_text("-----BEGIN CERTIFICATE-----\njunk\n")
    file = str(tmp_path / name) if name else str(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", file)
    done = run("login", "--url", "https://127.0.0.1:9", "--apikey", "-", text=KEY)
    said = f"REQUESTS_CA_BUNDLE names '{file}', which cannot be read"
    assert (done.returncode, said in done.stderr) == (1, True)


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("proxy", ["http://[bad", "ftp://x", "://", "http://h:99999"])
def test_a_proxy_that_is_no_address(monkeypatch, proxy):
    """It is named, and no library's error is shown."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, proxy)
    done = run("login", "--url", "https://ce.invalid", "--apikey", "-", text=KEY)
    assert (done.returncode, "HTTPS_PROXY" in done.stderr) == (1, True)


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize(
    ("proxy", "said"),
    [({}, "(ConnectionError). Check"), ({"HTTPS_PROXY": "http://127.0.0.1:9"}, "NO_PROXY")],
    ids=["no such host", "no proxy there"],
)
def test_a_host_out_of_reach(monkeypatch, proxy, said):
    """A name that is none, and a proxy that does not answer, are told apart."""
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    monkeypatch.delenv("https_proxy", raising=False)
    for name, value in proxy.items():
        monkeypatch.setenv(name, value)
    done = run("login", "--url", "https://ce.invalid", "--apikey", "-", text=KEY)
    assert done.returncode == 1
    assert "Cannot reach ce.invalid:https (" in done.stderr
    assert said in done.stderr


def test_a_refusal_names_the_option_that_was_given(ce):
    """What the server calls by its own name is told as it was typed, and nothing else is."""
    assert "\n--id must be a UUID" in ce("project", "get", "--id", "123", code=1)
    said = ce("project", "create", "-n", "a/b", code=1)
    assert "--name must" in said
    assert "`name`" not in said


def test_what_mends_the_emulator_s_key_can_be_pasted():
    """Each command is named whole."""
    remedy = target.SOURCES[target.EMULATOR][1]
    assert all(f"'ce emulator {verb}'" in remedy for verb in ("stop", "start"))
