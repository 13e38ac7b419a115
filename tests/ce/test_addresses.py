"""A key goes over https, or to this machine: wherever the address comes from, and nowhere else.

0.0.0.0 stands for another machine: it reaches this one, and is none of its names.
"""

import json

import pytest

from ce.server import addresses
from tests.support.cli import run
from tests.support.cli_home import KEY, write

SAID = "http to 0.0.0.0 would send the key in clear: give https "
ODD = (  # what one library reads as this machine, another may read as another
    "http://0.0.0.0\\@127.0.0.1/v2",
    "http://127.0.0.1\\@0.0.0.0/v2",
    "http://127.0.0.1@0.0.0.0/v2",
    "http://0.0.0.0@127.0.0.1/v2",
    "http://0.0.0.0/\t@127.0.0.1/v2",
    "http://@127.0.0.1/v2",
    "http://127.0.0.1 .example/v2",
    "http://[::1/v2",
    "http://127.0.0.1:0/v2",
    "http:///v2",
    "ftp://127.0.0.1/v2",
    "127.0.0.1/v2",
    f"https://ce.example.com/v2?apikey={KEY}",
    f"https://{KEY}:x@ce.example.com/v2",
)


@pytest.fixture
def elsewhere(other):
    """An address of another machine; nothing that is sent to it may arrive."""
    answers, got = other
    answers[:] = [(200, json.dumps({"access_token": "t"}))] * 9
    yield f"http://0.0.0.0:{other_port()}"
    assert got == []


def other_port():
    """Give the port of the server that is not ours."""
    from ce.server import profiles

    return profiles.load("other").url.rpartition(":")[2].removesuffix("/v2")


@pytest.mark.parametrize("auth", [True, False])
def test_the_environment(elsewhere, monkeypatch, auth):
    """Of the API and of the tokens: both would be sent the key, or a token for it."""
    here, there = "https://127.0.0.1:1", elsewhere
    monkeypatch.setenv("CODE_ENGINE_URL", f"{here if auth else there}/v2")
    monkeypatch.setenv("CODE_ENGINE_AUTH_URL", there if auth else here)
    monkeypatch.setenv("CODE_ENGINE_APIKEY", KEY)
    for words in (("project", "list"), ("target",), ("quota",)):
        done = run(*words)
        assert (done.returncode, SAID in done.stderr) == (2, True)
        assert "CODE_ENGINE_URL" in done.stderr
        assert KEY not in done.stderr


@pytest.mark.parametrize("members", [("url",), ("auth_url",)])
def test_a_profile(elsewhere, nobody, members):
    """One that was edited, or written by another program."""
    addresses_ = {"url": "https://127.0.0.1:1/v2", "auth_url": ""} | dict.fromkeys(
        members, elsewhere
    )
    write(nobody / "profiles" / "other.json", apikey=KEY, **addresses_)
    done = run("project", "list")
    assert (done.returncode, SAID in done.stderr) == (2, True)
    assert "'ce login --url'" in done.stderr


@pytest.mark.parametrize("option", ["--url", "--auth-url"])
def test_a_login(elsewhere, tmp_path, option):
    """Refused before the key is read."""
    given = {"--url": "https://127.0.0.1:1", option: elsewhere}
    key = tmp_path / "key"
    key.write_text(KEY)
    words = [word for pair in given.items() for word in pair]
    done = run("login", *words, "--profile", "new", "--apikey", f"@{key}")
    assert (done.returncode, SAID in done.stderr) == (2, True)


def test_the_local_host_s_own_files(elsewhere, nobody):
    """Where they are not as the host wrote them, the key stays here all the same."""
    (nobody / "active").unlink()
    write(nobody / "emulator" / "hub.json", hosting=elsewhere)
    write(nobody / "emulator" / "credentials.json", account_id="a", apikey=KEY)
    done = run("project", "list")
    assert (done.returncode, SAID in done.stderr) == (2, True)


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("url", ODD)
def test_what_is_no_address(monkeypatch, url):
    """It is refused as such, and not shown: a key may be in it."""
    monkeypatch.setenv("CODE_ENGINE_URL", url)
    monkeypatch.setenv("CODE_ENGINE_APIKEY", KEY)
    done = run("project", "list")
    assert done.returncode == 2
    assert "CODE_ENGINE_URL is no address such as https://ce.example.com" in done.stderr
    assert KEY not in done.stderr
    assert "0.0" not in done.stderr


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:5000/v2", "http://localhost/v2", "HTTP://[::1]:1", "https://ce.example.com"],
)
def test_where_it_may_go(url):
    """This machine by its three names, and any other over https."""
    assert addresses.checked(url, "It", "do") == url


def test_a_redirect_is_not_followed(other):
    """A token is for the host it was asked of."""
    answers, got = other
    answers[:] = [
        (200, json.dumps({"access_token": "t"})),
        (302, "", ("Location", "http://0.0.0.0:1/")),
    ]
    assert run("project", "list").returncode == 1
    assert [path for path, _ in got] == ["/identity/token", "/v2/projects"]
