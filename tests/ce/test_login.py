"""Logging in: what is tried, what is stored and how, what is never shown, and how it fails."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from ce.server import profiles, target
from tests.support.cli import matches, run
from tests.support.cli_home import KEY, write

TOKEN = (200, '{"access_token": "t"}')
OK = "Logging in to {url}/v2...\nOK\n\n"


def login(*args, code=0, text="", **env):
    """Log in as the options say; give what was written to the stream that matters."""
    done = run("login", *args, text=text, **env)
    assert done.returncode == code, done
    return done.stderr if code else done.stdout


def stored(home):
    """Give the bytes of every file of a home, by path."""
    files = (path for path in home.rglob("*") if path.is_file())
    return {str(path.relative_to(home)): path.read_bytes() for path in files}


def projects(account):
    """Give the projects of an account."""
    return account.got("/v2/projects")["projects"]


@pytest.fixture
def key(account, nobody):
    """A file with the API key of a fresh account, apart from the home of `ce`."""
    file = nobody.parent / f"{nobody.name}.key"
    file.write_text(f"{account.apikey}\n")
    return f"@{file}"


@pytest.fixture
def work(host, key):
    """Be logged in to the host, with the profile `work`."""
    login("--url", host.url, "--apikey", key, "--profile", "work")


def test_login(host, account, nobody, key):
    """The key is tried, then kept in a file of its owner's; what is targeted is told, no key."""
    said = login("--url", host.url, "--apikey", key)
    target = (
        "Endpoint:  {url}/v2\nAccount:  {account}\nRegion:  us-south\nResource Group:  default\n"
        "Project:  none: 'ce project select --name NAME'\nFrom:  profile 'default'\n"
    )
    matches((OK + target).replace("{url}", host.url).replace("{account}", account.id), said)
    file = nobody / "profiles" / "default.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert (nobody / "active").read_text() == "default\n"
    assert json.loads(file.read_text())["apikey"] == account.apikey
    assert run("project", "create", "-n", "mine").returncode == 0
    assert projects(account)[0]["name"] == "mine"
    shown = run("target").stdout
    assert "\nProject:         mine (" in shown
    assert account.apikey not in said + shown


@pytest.mark.parametrize(
    "text", ["{}\n", "\ufeff{}", '{{"name": "k", "apikey": "{}"}}', "\n\n {}\r\n\r\n"]
)
def test_where_the_key_comes_from(host, account, nobody, text):
    """A key is a line, or `apikey` in the document that made it, of a file or of what is piped."""
    text = text.format(account.apikey)
    (nobody / "key").write_text(text, encoding="utf-8")
    for number, source in enumerate((f"@{nobody / 'key'}", "-", "@-")):
        login("--profile", f"p{number}", "-a", host.url, "--apikey", source, text=text)
        assert profiles.load(f"p{number}").apikey == account.apikey


@pytest.mark.usefixtures("work")
def test_a_key_made_here_logs_in_elsewhere(host, nobody):
    """`apikey create -o json` is a file that `login --apikey @FILE` takes."""
    made = run("apikey", "create", "ci", "--role", "viewer", "-o", "json").stdout
    (nobody / "ci.json").write_text(made)
    login("--url", host.url, "--apikey", f"@{nobody / 'ci.json'}", "--profile", "ci")
    done = run("project", "create", "-n", "x")
    assert done.returncode == 1
    assert "`project.create`" in done.stderr
    assert "the role administrator or editor" in done.stderr


def test_a_key_on_the_command_line_is_refused(host, account, nobody):
    """It is seen by others there: it says so, quotes nothing, stores nothing."""
    said = login("--url", host.url, "--apikey", account.apikey, code=2)
    assert "never the key itself" in said
    assert account.apikey not in said
    assert stored(nobody) == {}


USAGE = {
    "no address": ((), "Give --url"),
    "no terminal": (("-a", "https://x"), "--apikey @FILE"),
    "no host": (("-a", "https://"), "--url is no address"),
    "a port": (("-a", "https://x:y"), "--url is no address"),
    "a bracket": (("-a", "https://[x"), "--url is no address"),
    "a scheme": (("-a", "ftp://x"), "--url is no address"),
    "a password": (("-a", f"https://me:{KEY}@x"), "--url is no address"),
    "a query": (("-a", f"https://x?k={KEY}"), "--url is no address"),
    "in clear": (
        ("-a", "http://ce.example.com"),
        "ce.example.com would send the key in clear",
    ),
    "in clear, auth": (("-a", "https://x", "--auth-url", "http://y"), "http to y would send"),
    "no region": (("-a", "https://{region}.x"), "give --region"),
    "a region": (("-a", "https://{region}.x", "-r", "x/y@z"), "--region is not"),
    "a group": (("-a", "https://x", "-g", "Mine"), "--group takes"),
    "no file": (
        ("-a", "https://x", "--apikey", "@/nowhere"),
        "--apikey: cannot read the file that it names: No such file",
    ),
    "an empty key": (("-a", "https://x", "--apikey", "-"), "no API key"),
    "two words": (("-a", "https://x", "--apikey", "-"), "no API key"),
    "two lines": (("-a", "https://x", "--apikey", "-"), "no API key"),
    "no apikey": (("-a", "https://x", "--apikey", "-"), "'-' has no text field 'apikey'"),
    "too many": (("-a", "https://x", KEY), "1 too many words"),
}


@pytest.mark.parametrize("case", USAGE)
def test_usage(nobody, case):
    """What cannot work is refused before anybody is asked, and says what would."""
    args, said = USAGE[case]
    texts = {
        "two words": f"{KEY} {KEY}\n",
        "two lines": f"{KEY}\n{KEY}\n",
        "no apikey": f'{{"key": "{KEY}"}}',
    }
    done = login(*args, code=2, text=texts.get(case, ""))
    assert said in done
    assert KEY not in done
    assert stored(nobody) == {}


@pytest.mark.usefixtures("work")
def test_a_wrong_key_changes_nothing(host, nobody):
    """A key that the server does not know ends with 4, and leaves the login there was."""
    before = stored(nobody)
    said = login("--url", host.url, "--apikey", "-", text=f"{KEY}\n", code=4)
    assert said.startswith("FAILED\nProvided API key could not be found.\nNothing was stored: ")
    assert KEY not in said
    assert stored(nobody) == before


def test_a_wrong_address_changes_nothing(other, nobody):
    """A server that takes the key and is no such API is not logged in to."""
    answers, _ = other
    port = json.loads((nobody / "profiles" / "other.json").read_text())["url"]
    before = stored(nobody)
    answers += [(200, '{"access_token": "t"}'), (200, "<html>")]
    said = login("--url", port, "--apikey", "-", text=KEY, code=1)
    assert "does not answer as this API does" in said
    assert "Something else answers there" in said
    assert stored(nobody) == before


@pytest.mark.usefixtures("unreachable")
def test_nobody_there():
    """An address where nobody answers is told as such, with what to look at."""
    said = login("--apikey", "-", text=KEY, code=1)
    assert "Cannot reach 127.0.0.1:" in said
    assert "Check that the server runs" in said


@pytest.mark.usefixtures("work")
def test_another_address_needs_another_profile(host, nobody, key):
    """A login to elsewhere does not replace a profile, unless told to."""
    before = stored(nobody)
    said = login("--url", "https://elsewhere.example.com", "--apikey", key, code=2)
    assert "give --profile" in said
    assert stored(nobody) == before
    login("--apikey", key)  # the same address again needs no --url
    login("--url", host.url, "--apikey", key, "--profile", "second")
    assert [profile["name"] for profile in listed()] == ["second", "work"]
    assert (nobody / "active").read_text() == "second\n"


def listed():
    """Give the profiles as a document."""
    return json.loads(run("profile", "list", "-o", "json").stdout)["profiles"]


def test_a_region_is_checked(host, nobody, key):
    """A host serves one region, and a login or a target for another is refused."""
    said = login("--url", host.url, "--apikey", key, "-r", "eu-de", code=1)
    assert "serves us-south, not eu-de" in said
    assert stored(nobody) == {}
    login("--url", host.url, "--apikey", key, "-r", "us-south")
    done = run("target", "-r", "eu-de")
    assert done.returncode == 1
    assert "ce login --url URL --profile NAME" in done.stderr
    assert "\nRegion:          us-south\n" in run("target", "-r", "us-south").stdout


def test_a_region_that_nobody_tells_is_not_taken_on_trust(other):
    """A server that does not say which region it serves is none's in particular."""
    answers, _ = other
    answers += [TOKEN, (200, '{"projects": []}')]
    said = login("-r", "eu-de", "--apikey", "-", text=KEY, code=1)
    assert "does not say which region it serves: leave --region out." in said


@pytest.mark.usefixtures("work")
def test_a_group_is_where_projects_are_made(account):
    """The targeted resource group is that of new projects, until it is another."""
    group = "0123456789abcdef0123456789abcdef"
    assert f"\nResource Group:  {group}\n" in run("target", "-g", group).stdout
    assert run("project", "create", "-n", "there").returncode == 0
    assert "\nResource Group:  default\n" in run("target", "-g", "Default").stdout
    assert run("project", "create", "-n", "here").returncode == 0
    groups = {p["name"]: p["resource_group_id"] for p in projects(account)}
    assert groups["there"] == group
    assert groups["here"].startswith("default0")


@pytest.mark.usefixtures("work")
def test_logout(account, nobody):
    """Key and selection are gone from the disk; the address stays for the next login."""
    run("project", "create", "-n", "mine")
    said = run("logout")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == (
        "Logging out of 'work'...\n"
        "OK\nNo command has a server to ask now: 'ce login' logs in again.\n"
    )
    assert [*stored(nobody)] == ["profiles/work.json"]
    assert account.apikey.encode() not in b"".join(stored(nobody).values())
    assert run("project", "list").returncode == 4
    assert [profile["status"] for profile in listed()] == ["logged out"]
    login("--profile", "work", "--apikey", "-", text=account.apikey)
    assert run("project", "list").returncode == 0
    assert run("logout").returncode == 0
    assert run("logout").stdout.startswith("OK\nNo profile is in use: there is nothing to log out")
    assert run("logout", "-q").stdout == ""
    (nobody / "active").write_text("work\n")
    assert "'work' is logged out: 'ce login'" in run("project", "list").stderr


@pytest.mark.usefixtures("work")
def test_logout_takes_the_key_whatever_else_fails():
    """An edited address, or a selection that cannot be removed, keeps no key on the disk."""
    profile = replace(profiles.load("work"), url="http://ce.example.com/v2")
    profiles.save("work", profile)
    assert run("logout").returncode == 0
    assert profiles.load("work") == replace(profile, apikey="")
    here = replace(profile, url="http://127.0.0.1:9/v2")
    profiles.save("work", here)
    (target.of_profile("work", here).selection / "x").mkdir(parents=True)
    assert run("logout", "--profile", "work").returncode == 0
    assert profiles.load("work").apikey == ""


def test_a_profile_with_an_edited_address_can_be_logged_in_anew(host, nobody, key):
    """What the profile was before does not keep a login from replacing it."""
    write(nobody / "profiles" / "work.json", url="http://ce.example.com/v2", apikey=KEY)
    login("--url", host.url, "--apikey", key, "--profile", "work")
    assert KEY.encode() not in b"".join(stored(nobody).values())


@pytest.mark.parametrize("region", ["x/y", "a.b", "US", "\x1b[2J", "-x"])
def test_a_region_that_is_none_is_not_stored(other, nobody, region):
    """A server's word for its region goes into addresses: it is checked as one of the user's is."""
    answers, _ = other
    answers += [TOKEN, (200, '{"projects": []}', ("X-Reprieve-Region", region))]
    before = stored(nobody)
    said = login("--apikey", "-", text=KEY, code=1)
    assert "names a region that is none, such as us-south: nothing was stored" in said
    assert stored(nobody) == before


@pytest.mark.usefixtures("work")
def test_the_emulators_login_is_apart(host, nobody):
    """Neither login replaces the other, and logging out leaves the emulator's as it was."""
    emulator = nobody / "emulator"
    emulator.symlink_to(host.state)
    before = (emulator / "credentials.json").read_bytes()
    local = json.loads(before)["apikey"]
    login("--url", host.url, "--apikey", "-", "--profile", "work", text=local)
    target.select(target.current(), {"id": "i", "name": "of-the-profile"})
    (nobody / "active").unlink()
    target.select(target.current(), {"id": "i", "name": "of-the-emulator"})
    (nobody / "active").write_text("work\n")
    assert "profile 'work'" in run("target").stdout
    assert "Commands go to the local emulator now" in run("logout").stdout
    shown = json.loads(run("target", "-o", "json").stdout)
    assert (shown["source"], shown["url"]) == ("emulator", f"{host.url}/v2")
    assert shown["account"] == json.loads(before)["account_id"]
    assert shown["project"]["name"] == "of-the-emulator"
    assert "nothing to log out of" in run("logout").stdout
    done = run("target", "-g", "default")
    assert done.returncode == 1
    assert f"'ce login --url {host.url} --profile NAME'" in done.stderr
    assert (emulator / "credentials.json").read_bytes() == before


@pytest.mark.usefixtures("account", "work")
def test_a_new_key_forgets_the_old_one_s_selection(host, nobody):
    """Another account in the same profile does not start with the project of the one before."""
    run("project", "create", "-n", "mine")
    other = host.account()
    login("--apikey", "-", text=other.apikey)
    assert "none" in run("target").stdout
    assert not (nobody / "selected").exists() or not [*(nobody / "selected").iterdir()]


BROKEN = {
    "not json": ("profiles/p.json", f"{KEY}", "'ce login --profile p --url URL' writes it anew"),
    "a list": ("profiles/p.json", f'["{KEY}"]', "is damaged"),
    "no address": ("profiles/p.json", f'{{"apikey": "{KEY}"}}', "is damaged"),
    "a number": ("profiles/p.json", f'{{"url": 1, "apikey": "{KEY}"}}', "is damaged"),
    "a bracket": ("profiles/p.json", f'{{"url": "https://[", "apikey": "{KEY}"}}', "is damaged"),
    "a region": (
        "profiles/p.json",
        f'{{"url": "https://{{region}}.x", "region": "y/", "apikey": "{KEY}"}}',
        "is damaged",
    ),
    "not text": ("profiles/p.json", "\xff", "is damaged"),
    "no key": ("profiles/p.json", '{"url": "https://x"}', "'ce login' logs in to it again"),
    "a folder": ("profiles/p.json/x", "", "(Is a directory): see "),
    "none": ("profiles/q.json", "{}", "There is no profile 'p'"),
    "no name": ("active", "../p\n", "does not name a profile"),
    "no text": ("active", "\xff", "does not name a profile"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_profile_is_no_other_login(nobody, case):
    """It ends with 4 and what mends it; the emulator beside it is not asked instead."""
    file, content, said = BROKEN[case]
    write(nobody / "emulator" / "hub.json", hosting="http://127.0.0.1:9")
    write(nobody / "emulator" / "credentials.json", account_id="a", apikey="k")
    (nobody / "active").write_text("p\n")
    path = nobody / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="latin-1")
    done = run("project", "list", "-q")
    assert done.returncode == 4
    assert said in done.stderr
    assert KEY not in done.stderr
    listing = run("profile", "list")
    assert KEY not in listing.stdout + listing.stderr


def test_a_broken_profile_can_be_mended(host, nobody, key):
    """Each command that an error names works: log in again, log out, delete, use."""
    path = nobody / "profiles" / "p.json"
    write(path)
    (nobody / "active").write_text("p\n")
    assert run("logout").returncode == 0
    assert not path.exists()
    write(path)
    login("--profile", "p", "--url", host.url, "--apikey", key)
    (nobody / "active").write_text("/\n")
    assert run("profile", "use", "p").stdout == "Using profile 'p'...\nOK\n"
    assert run("project", "list").returncode == 0
    (nobody / "active").write_text("/\n")
    login("--url", host.url, "--apikey", key)
    assert (nobody / "active").read_text() == "default\n"
    path.write_text("{")
    assert [profile["status"] for profile in listed()] == ["logged in", "damaged"]
    assert run("profile", "delete", "p", "--force").returncode == 0
    assert run("profile", "delete", "p", "--force").returncode == 1
    assert run("profile", "use", "p").returncode == 4
    assert run("logout", "--profile", "p").returncode == 4
    (path / "x").mkdir(parents=True)
    assert "remove it yourself" in run("profile", "delete", "p", "--force").stderr
    (path / "x").rmdir()
    path.rmdir()
    assert run("profile", "use", "a/b").returncode == 1
    assert run("profile", "use").returncode == 2
    (nobody / "active").write_text("/\n")
    assert run("profile", "delete", "default", "--force").returncode == 0
    assert listed() == []


@pytest.mark.usefixtures("work")
def test_a_profile_others_can_read(nobody):
    """It works, and says on standard error what to do about it."""
    path = nobody / "profiles" / "work.json"
    path.chmod(0o644)
    done = run("project", "list")
    assert done.returncode == 0
    assert done.stderr == (
        f"Warning: others may read the API key in {path}: run 'chmod 600 {path}'.\n"
    )
    run("target", "-g", "default")
    assert path.stat().st_mode & 0o777 == 0o600
    assert run("project", "list").stderr == ""


@pytest.mark.usefixtures("work")
def test_the_environment_goes_first(key, monkeypatch):
    """It is said where a login or a profile would otherwise seem to do nothing."""
    monkeypatch.setenv("CODE_ENGINE_URL", "https://env.example.com/v2")
    monkeypatch.setenv("CODE_ENGINE_APIKEY", KEY)
    for args in (("login", "--apikey", key), ("profile", "use", "work")):
        done = run(*args)
        assert done.returncode == 0
        assert "unset CODE_ENGINE_URL" in done.stderr
    shown = run("target")
    assert "From:            the environment (CODE_ENGINE_URL)\n" in shown.stdout
    assert "https://env.example.com/v2" in shown.stdout
    assert shown.stderr == ""
    assert KEY not in shown.stdout
    assert "unset CODE_ENGINE_URL" in target.current().remedy
    assert "the environment" in run("logout").stdout


@pytest.mark.usefixtures("unreachable")
def test_target_asks_nobody():
    """What is targeted is told also when the server is out of reach."""
    done = run("target", "-o", "json")
    assert (done.returncode, done.stderr) == (0, "")
    shown = json.loads(done.stdout)
    assert (shown["profile"], shown["resource_group"]) == ("other", "default")
    assert KEY not in done.stdout


@pytest.mark.usefixtures("work")
def test_profiles(host, key):
    """Profiles are listed without their keys, one of them in use."""
    login("--url", host.url, "--apikey", key, "--profile", "second")
    run("profile", "use", "work")
    matches(
        "Listing profiles...\nOK\n\nName    Active  Status     Endpoint  Region\n"
        f"second  false   logged in  {host.url}/v2  us-south\n"
        f"work    true    logged in  {host.url}/v2  us-south\n",
        run("profile", "list").stdout,
    )
    assert run("profile", "delete", "work", text="n\n").returncode == 1
    assert run("profile", "delete", "work", text="y\n").returncode == 0
    assert [profile["active"] for profile in listed()] == [False]


@pytest.mark.usefixtures("work")
def test_a_profile_is_written_whole_or_not(nobody):
    """With no room left the old profile stands, nothing is left beside it, and it says so."""
    before = stored(nobody)
    full = ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh"]  # no process below writes into a file
    command = [*full, sys.executable, "-m", "ce", "target", "-g", "default"]
    env = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 1
    assert "Cannot write" in done.stderr
    assert "What it held before is unchanged." in done.stderr
    assert stored(nobody) == before


def test_a_home_that_is_none(nobody, host, key, monkeypatch):
    """Where nothing can be stored a login fails, and says where it would have been."""
    (nobody / "profiles").write_text("")
    assert "set CE_HOME to another folder" in login("--url", host.url, "--apikey", key, code=1)
    home = nobody / "profiles" / "home"
    monkeypatch.setenv("CE_HOME", str(home))
    said = f"CE_HOME names '{home}', which can be no folder (Not a directory): set it to a folder."
    assert said in login("--url", host.url, "--apikey", key, code=2)


HUBS = ({}, {"hosting": 1}, {"hosting": None}, {"hosting": ["http://127.0.0.1:9"]})


def test_a_damaged_emulator_is_none(nobody, subtests):
    """What does not say where it serves, or has no key, is not asked; nor is a pipe waited for."""
    folder = nobody / "emulator"
    for hub in HUBS:
        write(folder / "hub.json", **hub)
        write(folder / "credentials.json", apikey="k")
        with subtests.test(str(hub)):
            done = run("project", "list", "-q")
            assert (done.returncode, "Not logged in" in done.stderr) == (4, True)
    write(folder / "hub.json", hosting="http://127.0.0.1:9")
    (folder / "credentials.json").unlink()
    os.mkfifo(folder / "credentials.json")
    assert run("project", "list", "-q").returncode == 4
