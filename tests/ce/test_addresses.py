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


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("url", ["ce.example.com", "localhost:5000/v2", "127.0.0.1/v2"])
def test_an_address_without_a_scheme(monkeypatch, url):
    """It is told what is missing; `ce` does not guess, for a guess may send a key in clear."""
    monkeypatch.setenv("CODE_ENGINE_URL", url)
    monkeypatch.setenv("CODE_ENGINE_APIKEY", KEY)
    done = run("project", "list", "-q")
    said = "FAILED\nCODE_ENGINE_URL has no scheme: an address begins with https://, as "
    assert (done.returncode, done.stderr[: len(said)]) == (2, said)


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


SPOILT = {  # as a file or another system's shell leaves it
    "a line end": ("{url}/v2\r\n", "{key}\r\n"),
    "blanks": (" {url}/v2 ", "\t{key} "),
    "no version": ("{url}", "{key}"),
    "a slash": ("{url}/", "{key}"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_variable_is_trimmed(other, nobody, monkeypatch, case):
    """And its address gets the version that it lacks: so the same as in a profile."""
    answers, got = other
    answers += [(200, '{"access_token": "t"}'), (200, '{"projects": []}')] * 2
    here = json.loads((nobody / "profiles" / "other.json").read_text())["url"].removesuffix("/v2")
    url, key = (text.format(url=here, key=KEY) for text in SPOILT[case])
    write(nobody / "profiles" / "other.json", url=url.strip(), apikey=KEY)
    assert run("project", "list", "-o", "json").returncode == 0
    monkeypatch.setenv("CODE_ENGINE_URL", url)
    monkeypatch.setenv("CODE_ENGINE_APIKEY", key)
    monkeypatch.setenv("CODE_ENGINE_AUTH_URL", f"{here} ")
    assert run("project", "list", "-o", "json").returncode == 0
    asked = [path.partition("?")[0] for path, _ in got]
    assert asked == ["/identity/token", "/v2/projects"] * 2


@pytest.mark.parametrize("name", ["CODE_ENGINE_URL", "CODE_ENGINE_APIKEY", "CODE_ENGINE_AUTH_URL"])
@pytest.mark.usefixtures("nobody")
def test_quotes_are_named(monkeypatch, name):
    """A .env file that no shell has read leaves them in."""
    values = {"CODE_ENGINE_URL": "https://127.0.0.1:1", "CODE_ENGINE_APIKEY": KEY}
    for variable, value in {**values, name: f"'{values.get(name, 'https://127.0.0.1:1')}'"}.items():
        monkeypatch.setenv(variable, value)
    done = run("project", "list", "-q")
    assert (done.returncode, done.stderr) == (
        2,
        f"FAILED\n{name} has quotes in it: leave them out.\n",
    )


OF_OTHERS = [
    "k93kd-an-IBM-Cloud-key",
    "ghp_abc",
    "ce_",
    "ce_a",
    "ce__b",
    f"{KEY}.x",
    f"x{KEY}",
    "ce_a_b c",
]


@pytest.mark.parametrize("key", OF_OTHERS)
def test_a_key_of_another_service_is_not_sent(other, nobody, monkeypatch, key):
    """Whatever it comes from: it may open something of somebody else's."""
    _, got = other
    here = json.loads((nobody / "profiles" / "other.json").read_text())["url"]
    said = "is no key of this service (ce_ID_SECRET); it was not sent to 127.0.0.1."
    done = [run("login", "--url", here, "--profile", "p", "--apikey", "-", text=key)]
    write(nobody / "profiles" / "other.json", url=here, apikey=key)
    done.append(run("project", "list", "-q"))
    (nobody / "active").unlink()
    write(nobody / "emulator" / "hub.json", hosting=here.removesuffix("/v2"))
    write(nobody / "emulator" / "credentials.json", account_id="a", apikey=key)
    done.append(run("quota", "-q"))
    monkeypatch.setenv("CODE_ENGINE_URL", here)
    monkeypatch.setenv("CODE_ENGINE_APIKEY", key)
    done.append(run("project", "list", "-q"))
    assert [one.returncode for one in done] == [2] * 4
    assert [said in one.stderr or " " in key for one in done] == [True] * 4
    assert not any(key in one.stderr for one in done if len(key) > len("ce__b"))
    assert "CODE_ENGINE_APIKEY is no key" in done[-1].stderr
    assert got == []


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
