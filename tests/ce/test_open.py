"""`ce open`: a browser is handed a file, never the code, and nothing of it stays behind."""

import json
import os
import re
import signal
import stat
import sys
import time
from threading import Thread

import pytest
import requests

from ce.verbs import console
from shared.access import CODE_GRANT
from shared.access.signin import live_of
from tests.support import told, until
from tests.support.cli import run
from tests.support.cli_home import token
from tests.support.terminal import Terminal

CODE = re.compile(r"/#/signin\?code=([A-Za-z0-9_-]{43})\b")
# What a desktop's opener is here: it notes what it is given, and every process's arguments.
OPENER = """#!{python}
import json, os, sys
from pathlib import Path
page = Path(sys.argv[-1])
lines = []
for one in Path("/proc").glob("[0-9]*"):
    try:
        lines.append((one / "cmdline").read_bytes().decode(errors="replace"))
    except OSError:
        pass
seen = {{
    "given": sys.argv[1:],
    "text": page.read_text(),
    "mode": page.stat().st_mode,
    "folder": page.parent.stat().st_mode,
    "processes": lines,
    "tty": any(os.isatty(number) for number in range(3)),
}}
new = Path("{seen}.new")
new.write_text(json.dumps(seen))
new.rename("{seen}")
sys.exit({code})
"""


@pytest.fixture
def desktop(request, tmp_path, monkeypatch):
    """Be on a desktop: give how its opener ends, and then what it was given."""
    request.getfixturevalue("ce")
    seen, folder = tmp_path / "seen.json", tmp_path / "bin"
    folder.mkdir()
    opener = folder / "xdg-open"
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PATH", str(folder), prepend=":")

    def ends(code):
        opener.write_text(OPENER.format(python=sys.executable, seen=seen, code=code))
        opener.chmod(0o700)
        return lambda: json.loads(until(seen.exists) and seen.read_text())

    return ends


def code_in(text):
    """Give the code of an address, wherever it stands in a text: the one there is."""
    (code,) = set(CODE.findall(text))
    return code


def exchange(host, code):
    """Exchange a code as the console does."""
    form = {"grant_type": CODE_GRANT, "code": code}
    return requests.post(f"{host.url}/identity/token", data=form, timeout=30)


def pages(home):
    """Give the pages that lie about."""
    return [*(home / "open").glob("*")]


@pytest.mark.slow
@pytest.mark.claim("ID4", "`ce open` shows the code to no other user and leaves no file")
def test_the_whole_way(host, desktop, tmp_path):
    """The opener is given a path alone; once the code is used, all of it is over."""
    seen, terminal = desktop(0), Terminal("open")
    terminal.until("Enter ends the wait.")
    found = seen()
    code = code_in(found["text"])
    (page,) = found["given"]
    assert page == str(pages(tmp_path)[0])
    modes = [stat.S_IMODE(found[name]) for name in ("mode", "folder")]
    assert modes == [0o600, 0o700]
    assert found["processes"]
    assert not [line for line in found["processes"] if code in line]
    assert not found["tty"]
    assert f'content="0; url={host.url}/#/signin?code={code}"' in found["text"]
    assert f'<a href="{host.url}/#/signin?code={code}" rel="noreferrer">' in found["text"]
    assert '<meta name="referrer" content="no-referrer">' in found["text"]
    assert "<script" not in found["text"]
    assert told.body(exchange(host, code), 200)["expires_in"] == 3600
    status, shown = terminal.end()
    lines = re.sub(r"\r\x1b\[K|[-|/\\] Waiting [^\r]*", "", shown).split("\r\n")
    assert status == 0
    assert lines == [
        f"Opening {host.url} in a browser...",
        "Click 'Sign in' there within 60 s. Enter ends the wait.",
        "OK",
        "Signed in.",
        "",
    ]
    assert code not in shown + host.log()
    assert pages(tmp_path) == []


def ended(terminal, how):
    """End the wait; give the exit code."""
    terminal.until("Enter ends the wait.")
    if isinstance(how, str):
        terminal.type(how)
    else:
        terminal.process.send_signal(how)
    return terminal.end()[0]


@pytest.mark.parametrize(
    ("how", "code"),
    [("\n", 0), ("\x03", 130), (signal.SIGTERM, 130), (signal.SIGHUP, 130)],
    ids=["Enter", "Ctrl-C", "SIGTERM", "SIGHUP"],
)
def test_the_wait_ends(desktop, tmp_path, how, code):
    """However it ends, the page is gone."""
    desktop(0)
    assert ended(Terminal("open"), how) == code
    assert pages(tmp_path) == []


def test_what_was_killed_is_swept(ce, desktop, tmp_path):
    """A page that stayed is removed by the next `ce open` once its minute is over, and no other."""
    desktop(0)
    assert ended(Terminal("open"), signal.SIGKILL) == -signal.SIGKILL
    (page,) = pages(tmp_path)
    ce("open", "--print")
    assert pages(tmp_path) == [page]
    for age in (-3600, 61):
        page.write_text("")
        os.utime(page, (time.time() - age,) * 2)
        ce("open", "--print")
        assert pages(tmp_path) == []


def test_nobody_signs_in(desktop, tmp_path, monkeypatch):
    """When the minute is over it is told, and the page is gone."""
    desktop(0)
    monkeypatch.setattr(console, "LIFE", 0)
    done = run("open")
    assert done.returncode == 1
    assert done.stderr == f"FAILED\n{console.UNUSED}\n"
    assert pages(tmp_path) == []


def test_an_opener_that_fails(desktop, tmp_path):
    """It is told at once, with what to do, and the page is gone."""
    seen = desktop(3)
    done = run("open")
    assert done.returncode == 1
    assert done.stderr == f"FAILED\n{console.UNOPENED}\n"
    assert code_in(seen()["text"]) not in done.stdout + done.stderr
    assert pages(tmp_path) == []


@pytest.mark.usefixtures("ce")
def test_without_a_display(host, account, monkeypatch):
    """It says so and what to do, and asks for no code."""
    for name in console.DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    done = run("open")
    assert (done.returncode, done.stdout) == (1, f"Opening {host.url} in a browser...\n")
    assert done.stderr == f"FAILED\n{console.NOWHERE}\n"
    assert host.inside.document(live_of(account.key_id)) is None


@pytest.mark.parametrize("more", [(), ("-q",)], ids=["", "quiet"])
def test_printed(host, desktop, tmp_path, more):
    """Standard output is the address and nothing else; it is good once, and nothing is opened."""
    desktop(0)
    done = run("open", "--print", *more)
    assert done.returncode == 0
    assert done.stdout == f"{host.url}/#/signin?code={code_in(done.stdout)}\n"
    assert done.stderr == "Good once, within 60 s, for whoever has it: paste it into a browser.\n"
    codes = [exchange(host, code_in(done.stdout)).status_code for _ in "12"]
    assert codes == [200, 400]
    assert pages(tmp_path) == []
    assert not (tmp_path / "seen.json").exists()


def test_the_emulator_s_own_account(host, ce, monkeypatch):
    """Where nobody is logged in it is the local host's first account."""
    for name in ("URL", "AUTH_URL", "APIKEY"):
        monkeypatch.delenv(f"CODE_ENGINE_{name}")
    code = code_in(ce("open", "--print"))
    answer = requests.post(f"{host.url}/identity/signin_code", json={"code": code}, timeout=30)
    mine = json.loads((host.state / "credentials.json").read_text())["account_id"]
    assert told.body(answer, 200)["account_id"] == mine


def test_six_codes(ce):
    """A key whose codes are all waiting is told what to do."""
    for _ in range(5):
        ce("open", "--print")
    assert console.MANY in ce("open", "--print", code=1)


def test_what_is_not_ours_stays(ce, tmp_path):
    """Old pages go; a file of another name, a folder and what a link leads to are not touched."""
    folder, another = tmp_path / "open", tmp_path / "another"
    for place in (folder, another):
        place.mkdir(mode=0o755)
        for name in ("notes.md", f"{'0' * 16}.html"):
            (place / name).write_text("mine")
            os.utime(place / name, (1, 1))
    (folder / f"{'1' * 16}.html").mkdir()
    ce("open", "--print")
    assert sorted(path.name for path in folder.iterdir()) == [f"{'1' * 16}.html", "notes.md"]
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.rename(tmp_path / "before")
    folder.symlink_to(another)
    assert "is a link: remove it" in ce("open", "--print", code=1)
    assert len([*another.iterdir()]) == 2


@pytest.mark.slow
def test_a_revoked_key_signs_nobody_in(account, desktop):
    """Its codes end with it: that is not told as a sign-in."""
    desktop(0)
    terminal = Terminal("open")
    terminal.until("Enter ends the wait.")
    assert account.call("DELETE", f"/v1/apikeys/{account.apikey.split('_')[1]}").ok
    status, shown = terminal.end()
    assert status
    assert console.USED not in shown


@pytest.mark.slow
def test_a_code_that_may_have_expired(desktop, monkeypatch, host):
    """Late in its minute, what is gone is not told as used."""
    seen = desktop(0)
    monkeypatch.setattr(console, "SURE", 0)
    click = Thread(target=lambda: exchange(host, code_in(seen()["text"])))
    click.start()
    done = run("open")
    click.join()
    assert done.returncode == 1
    assert done.stderr == f"FAILED\n{console.UNSURE}\n"


def test_in_clear_to_this_machine_alone(ce, monkeypatch):
    """A code goes over http to nobody else, as a key does."""
    monkeypatch.setenv("CODE_ENGINE_URL", "http://ce.example.com/v2")
    monkeypatch.setenv("CODE_ENGINE_AUTH_URL", "http://ce.example.com")
    assert "http to ce.example.com would send the key in clear" in ce("open", "--print", code=2)


def refusal(status, code):
    """Give an answer that refuses."""
    return status, json.dumps({"errors": [{"code": code, "message": "No."}]})


@pytest.mark.parametrize(
    "answer",
    [refusal(404, "resource_not_found"), refusal(405, "method_not_allowed"), (200, "{}")],
    ids=["404", "405", "another answer"],
)
def test_a_server_that_makes_no_codes(other, answer):
    """One that is older, or is another, is told as such."""
    answers, _ = other
    answers += [token("viewer"), answer]
    done = run("open", "--print")
    assert done.returncode == 1
    assert "does not make sign-in codes: it is older than this 'ce'" in done.stderr


def test_a_code_that_was_lost(other):
    """One whose answer was lost is left to expire, and another is asked for."""
    answers, got = other
    made = 201, json.dumps({"code": 43 * "A", "expires_at": "2026-11-30T12:00:00Z"})
    answers += [token("viewer"), refusal(409, "already_made"), made]
    done = run("open", "--print")
    assert done.stdout.endswith(f"/#/signin?code={43 * 'A'}\n")
    assert [path for path, _ in got] == ["/identity/token", *["/v1/signin_codes"] * 2]


@pytest.mark.parametrize("code", [43 * "A" + "&x", '"><script>', "a b", "", 5, None])
def test_a_server_that_answers_otherwise(other, code):
    """What is no code by its form gets into no page and no address."""
    answers, _ = other
    answers += [token("viewer"), (201, json.dumps({"code": code}))]
    done = run("open", "--print")
    assert (done.returncode, done.stdout) == (1, "")
