"""`ce` without our API: starting, usage, exit codes, prompts, whom it asks, who else may answer."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ce.rows import NOUNS
from ce.server import Failure, target
from tests.support.cli import run
from tests.support.cli_home import KEY, token, write
from tests.support.terminal import Terminal

PASSWORD = "pa55-w0rd-nobody-may-see"


def process(*args):
    """Run `ce` as a process of its own."""
    command = [sys.executable, "-m", "ce", *args]
    return subprocess.run(command, input="", capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize(
    ("args", "code", "out", "error"),
    [
        (("version",), 0, "version:  v", ""),
        (("project", "destroy"), 2, "", "Usage: "),
        (("project", "list"), 4, "Getting projects...\n", "FAILED\nNot logged in"),
    ],
)
def test_exit_codes_are_the_process_s(args, code, out, error):
    """How a command ended is the exit code, and standard output and error are told apart."""
    done = process(*args)
    assert (done.returncode, bool(done.stderr)) == (code, bool(error))
    assert done.stdout.startswith(out)
    assert done.stderr.startswith(error)


@pytest.mark.parametrize("args", [("--help",), ("help",), ("h",), ("-h",)])
def test_help_names_every_group(args):
    """Help lists the groups, however it is asked for."""
    done = run(*args)
    assert done.returncode == 0
    names = [noun.parent or noun.name for noun in NOUNS]
    for name in (*names, "emulator", "version"):
        assert f"\n  {name} " in done.stdout


def test_help_of_a_command_by_alias():
    """`help` follows aliases to a command and shows all names of its options."""
    done = run("help", "recl", "delete")
    assert done.returncode == 0
    for option in ("--force", "--f", "--guid", "--nw", "--wto"):
        assert option in done.stdout
    assert run("help", "recl", "nothing").returncode == 2


def test_a_group_alone_shows_its_help():
    """The commands there are go where a pager reads them, and that is no mistake."""
    done = run("secret")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\n  create " in done.stdout


def test_version():
    """`version` and `v` print one line."""
    assert run("version") == run("v")
    assert run("v").stdout.startswith("version:  v")


@pytest.mark.usefixtures("nobody")
def test_not_logged_in(monkeypatch):
    """Without a target a command says what to do; a URL alone is no login."""
    done = run("project", "list")
    assert (done.returncode, done.stdout) == (4, "Getting projects...\n")
    assert "ce emulator start" in done.stderr
    monkeypatch.setenv("CODE_ENGINE_URL", "http://127.0.0.1:9/v2")
    done = run("project", "list")
    assert done.returncode == 4
    assert "CODE_ENGINE_APIKEY" in done.stderr


@pytest.mark.usefixtures("unreachable")
def test_unreachable():
    """A host that does not answer is a failure that quotes no key."""
    done = run("project", "list")
    assert done.returncode == 1
    assert "Cannot reach 127.0.0.1:" in done.stderr
    assert KEY not in done.stdout + done.stderr


@pytest.mark.usefixtures("unreachable")
def test_a_document_asked_for_leaves_no_progress():
    """With -o nothing but the document is printed, so a failure leaves standard output empty."""
    done = run("project", "list", "-o", "json")
    assert (done.returncode, done.stdout) == (1, "")


USAGE = {
    "no password": ("secret", "create", "-n", "x", "--format", "basic_auth", "-u", "me"),
    "not a pair": ("secret", "create", "-n", "x", "--from-literal", PASSWORD),
    "unquoted": ("registry", "create", "-n", "x", "-p", "two", PASSWORD),
    "wrong format": ("secret", "create", "-n", "x", "-l", "A=" + PASSWORD, "--email", "e"),
    "pairs": ("secret", "create", "-n", "x", "--fo", "hmac", "-l", "A=" + PASSWORD),
    "no format": ("secret", "create", "-n", "x", "--format", "sealed"),
    "nothing given": ("secret", "create", "-n", "x"),
    "no file": ("secret", "create", "-n", "x", "--from-file", "K=/nowhere/at/all"),
    "stdin twice": ("secret", "create", "-n", "x", "-f", "A=-", "-f", "B=-"),
    "stdin unnamed": ("secret", "create", "-n", "x", "-f", "-"),
    "not json": ("registry", "create", "-n", "x", "--pfj", "-"),
    "not text": ("secret", "create", "-n", "x", "--json", "-"),
    "bad line": ("secret", "create", "-n", "x", "--from-env-file", "-"),
    "no server option": ("secret", "create", "-n", "x", "--fo", "tls", "--kp", "k"),
    "neither": ("project", "get"),
    "both": ("project", "get", "--id", "1", "--name", "x"),
    "no name": ("project", "create"),
    "endpoint": ("project", "select", "-n", "x", "--endpoint", "private"),
    "template": ("project", "list", "-o", "jsonpath={.a"),
    "no such format": ("project", "list", "-o", "xml"),
    "bare jsonpath": ("project", "list", "-o", "jsonpath"),
    "no certificate": ("secret", "create", "-n", "x", "--fo", "tls"),
    "no terminal": ("secret", "create", "-n", "x", "--fo", "hmac", "--secret-access-key-prompt"),
    "too many words": ("project", "get", "-n", "x", PASSWORD),
    "a bare text": ("secret", "create", "-n", "x", "-e", "/dev/null", "-l", f"={PASSWORD}"),
    "a number": ("secret", "create", "-n", "x", "--json", "@number.json"),
    "a list": ("secret", "create", "-n", "x", "--json", "@list.json"),
    "no field": ("registry", "create", "-n", "x", "--pfj", "@number.json"),
    "not utf-8": ("secret", "create", "-n", "x", "-f", "@latin"),
}
INPUTS = {
    "latin": f"{PASSWORD}\xe9",
    "number.json": '{"n": 1, "apikey": 1}',
    "list.json": f'["{PASSWORD}"]',
}


@pytest.mark.usefixtures("unreachable")
@pytest.mark.parametrize("args", USAGE.values(), ids=USAGE)
def test_usage(args, tmp_path):
    """A wrong call exits 2 before anything is asked, and never quotes a value."""
    for name, content in INPUTS.items():
        (tmp_path / name).write_text(content, encoding="latin-1")
    done = run(*(word.replace("@", f"{tmp_path}/") for word in args), text=PASSWORD)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Error: " in done.stderr
    assert PASSWORD not in done.stderr


@pytest.mark.usefixtures("unreachable")
@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_cannot_climb_out_of_its_collection(name):
    """A name that a URL would fold into the collection's parent is never sent."""
    done = run("project", "get", "--id", name)
    assert done.returncode == (1 if name else 2)
    assert ("is no name" if name else "--id: its value is empty") in done.stderr


@pytest.mark.usefixtures("unreachable")
def test_a_password_is_asked_for_without_echo():
    """The prompt appears, what is typed does not, and the command goes on."""
    args = ("secret", "create", "-n", "x", "--format", "basic_auth", "-u", "me")
    code, shown = Terminal(*args).answer(f"{PASSWORD}\n")
    assert code == 1
    assert shown.startswith("Password> \r\nCreating basic_auth secret 'x'...\r\nFAILED\r\n")
    assert PASSWORD not in shown


@pytest.mark.usefixtures("unreachable")
@pytest.mark.parametrize(("typed", "code"), [("\x03", 130), ("\x04", 2)], ids=["Ctrl-C", "Ctrl-D"])
def test_a_prompt_can_be_left(typed, code):
    """Ctrl-C ends the command with 130; the end of input is a password that was not given."""
    ended, shown = Terminal("registry", "create", "-n", "x", "--pf", "-").answer(typed)
    assert ended == code
    assert "Traceback" not in shown
    assert ("was not given" in shown) == (code == 2)


@pytest.mark.usefixtures("unreachable")
def test_escapes_in_a_name_do_not_reach_the_terminal():
    """A name with an escape sequence is shown, not obeyed."""
    _, shown = Terminal("project", "create", "-n", "x\x1b[2J").answer()
    assert "Creating project 'x\\u001b[2J'..." in shown
    assert "\x1b" not in shown


TOKEN = (200, '{"access_token": "t"}')


@pytest.mark.parametrize(
    ("answers", "code", "said"),
    [
        ([(200, "<html>")], 4, "The server answered 200 So and gave no reason."),
        ([(503, '{"errorMessage": "Down for now."}')], 1, "Down for now."),
        ([TOKEN, (200, "<html>")], 1, "does not answer as this API does"),
        ([TOKEN, (302, "")], 1, "The server answered 302 So and gave no reason."),
        ([TOKEN, (400, '{"errors": [{"message": "No.", "target": {"name": "n"}}]}')], 1, "n: No."),
        ([TOKEN, (401, ""), TOKEN, (401, "")], 4, "answered 401"),
    ],
)
def test_who_else_may_answer(other, answers, code, said):
    """A proxy's page, a redirect, a server that is down: one sentence, and nothing is followed."""
    to_come, got = other
    to_come += answers
    done = run("project", "list")
    assert (done.returncode, to_come) == (code, [])
    assert said in done.stderr
    assert "/elsewhere" not in [path for path, _ in got]
    assert KEY not in done.stderr


def project(status):
    """Answer with a project in this state."""
    return 200, json.dumps({"id": "i", "name": "x", "status": status})


RECLAMATIONS, DONE = (200, json.dumps({"resources": [{"id": "r"}]})), (200, "{}")


@pytest.mark.parametrize(
    ("verb", "answers", "said"),
    [
        (("delete", "--hard", "-f"), [project("hard_deletion_failed")], "'hard deletion failed'"),
        (("restore",), [(404, "")], "gone for good"),
        (("restore",), [(500, '{"errors": [{"code": "internal"}]}')], "internal"),
    ],
)
def test_what_is_waited_for_may_fail(other, verb, answers, said):
    """A wait ends when what it waits for cannot come any more, and says so."""
    to_come, _ = other
    held = [(200, "{}")] if "--hard" in verb else []
    found = [token("administrator"), project("soft_deleted"), *held]
    to_come += [*found, RECLAMATIONS, DONE, *answers]
    done = run("project", *verb, "--id", "i")
    assert (done.returncode, to_come) == (1, [])
    assert said in done.stderr


def test_a_project_that_takes_its_time_is_waited_for(other):
    """It is selected only when it is active."""
    answers, got = other
    answers += [TOKEN, project("creating"), project("creating"), project("active")]
    assert run("project", "create", "-n", "x").stdout == "Creating project 'x'...\nOK\n"
    assert [path for path, _ in got[2:]] == ["/v2/projects/i"] * 2
    assert target.selected(target.current()) == {"id": "i", "name": "x"}


def run_of(status):
    """Answer with a job run in this state."""
    return 200, json.dumps({"name": "r", "status": status, "status_details": {}})


@pytest.mark.parametrize(("end", "code"), [("completed", 0), ("failed", 1)])
def test_a_run_that_something_runs_is_waited_for(other, end, code):
    """With a runtime behind the API a run takes its time, and how it ends is how `ce` ends."""
    answers, got = other
    target.select(target.current(), {"id": "i", "name": "n"})
    answers += [TOKEN, run_of("pending"), run_of("running"), run_of(end)]
    done = run("jobrun", "submit", "-n", "r", "-i", "x/y", "--wait")
    assert (done.returncode, answers) == (code, [])
    assert [path for path, _ in got[2:]] == ["/v2/projects/i/job_runs/r"] * 2
    assert ("It ended as 'failed'." in done.stderr) == bool(code)


@pytest.mark.parametrize(
    ("args", "answers"),
    [
        (("jobrun", "submit", "-n", "r", "-i", "x/y", "--wait"), [run_of("running")]),
        (("app", "create", "-n", "r", "-i", "x/y"), [run_of("deploying")]),
        (("app", "update", "-n", "r"), [(200, '{"entity_tag": "1"}'), run_of("deploying")]),
        (("app", "delete", "-n", "r", "-f", "--wait"), [(202, ""), (200, "")]),
        (("project", "create", "-n", "r"), [project("creating"), project("creating")]),
        (
            ("project", "restore", "--id", "i"),
            [project("soft_deleted"), RECLAMATIONS, DONE, project("creating")],
        ),
    ],
)
def test_a_wait_ends(other, args, answers):
    """Whatever is waited for, a wait that does not end in time exits 124 and says how it stands."""
    to_come, _ = other
    target.select(target.current(), {"id": "i", "name": "n"})
    to_come += [TOKEN, *answers]
    done = run(*args, "--wait-timeout", "0", "-q")
    assert (done.returncode, done.stdout, to_come) == (124, "", [])
    assert "Timed out after 0 seconds of waiting for " in done.stderr
    assert "goes on without us." in done.stderr


EVIL = "a\x1b]0;title\x07\x1b[2J\x9b31m\u202egnp.exe"
PROJECT = {
    "id": EVIL,
    "name": EVIL,
    "crn": EVIL,
    "region": EVIL,
    "status": EVIL,
    "resource_group_id": EVIL,
    "created_at": "2026-01-01T00:00:00Z",
}
INSTANCE = {"guid": EVIL, "tags": [EVIL], "updated_at": "2026-01-01T00:00:00Z"}
DETAILS = {"project": EVIL, "cbr": {"data_plane": {"enforcement": EVIL, "inbound_public": EVIL}}}
LISTED = {"resources": [INSTANCE], "next_url": ""}
PAGE = {"resources": [], "next_url": "/v2/resource_instances?limit=1&start=b"}


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        (("project", "list"), [{"projects": [PROJECT]}, PAGE, LISTED, LISTED]),
        (
            ("project", "get", "--id", "i"),
            [PROJECT, INSTANCE, DETAILS, {"public": [EVIL], "private": [EVIL]}],
        ),
        (("project", "list"), [{"errors": [{"message": EVIL, "target": {"name": EVIL}}]}]),
    ],
)
def test_what_another_api_answers(other, words, answers):
    """An API that is not ours may answer anything, in any member."""
    to_come, _ = other
    failed = any("errors" in answer for answer in answers)
    to_come += [TOKEN, *((400 if failed else 200, json.dumps(answer)) for answer in answers)]
    done = run(*words)
    assert (done.returncode, to_come) == (int(failed), [])
    assert "\\u202egnp.exe" in done.stdout + done.stderr
    assert not {"\x1b", "\x9b", "\u202e", "\x07"}.intersection(done.stdout + done.stderr)


@pytest.fixture
def proxied(nobody, other, monkeypatch):
    """Have the server that is not ours stand for the proxy too; give its address."""
    _, got = other
    profile = json.loads((nobody / "profiles" / "other.json").read_text())
    here = profile["url"].removesuffix("/v2")
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, here)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    return here, got


def test_no_proxy_sees_a_key_that_is_for_this_machine(nobody, other, proxied):
    """Whether a proxy is asked is decided by the host of each request, not of the API alone.

    A proxy is asked for whole addresses, in clear where they are http.
    """
    answers, _ = other
    here, got = proxied
    write(nobody / "profiles" / "other.json", url="https://x.invalid", auth_url=here, apikey=KEY)
    answers += [TOKEN]
    done = run("project", "list")
    assert "Cannot reach x.invalid:https (ProxyError)" in done.stderr
    assert got == [("/identity/token", None)]
    write(nobody / "profiles" / "other.json", url=here, auth_url="https://x.invalid", apikey=KEY)
    assert "Cannot reach x.invalid:https (ProxyError)" in run("project", "list").stderr


def test_a_token_that_aged_is_renewed_once(other):
    """A command that waits for long goes on with a fresh token, and reads a list to its end."""
    answers, got = other
    pages = ['{"projects": [], "next": {"start": "2"}}', '{"projects": []}']
    answers += [TOKEN, (401, ""), (200, '{"access_token": "u"}'), *((200, page) for page in pages)]
    assert run("project", "list", "-o", "json").returncode == 0
    assert [token for path, token in got if path.startswith("/v2")] == ["Bearer t"] + [
        "Bearer u"
    ] * 2


def test_whom_to_ask(nobody, monkeypatch):
    """The environment comes first, then the login, then the local emulator, else nobody."""
    with pytest.raises(Failure):
        target.current()
    write(nobody / "emulator" / "hub.json", hosting="http://127.0.0.1:5000", hub="", token="t")
    write(nobody / "emulator" / "credentials.json", account_id="a", apikey="local", url="")
    assert target.current().url == "http://127.0.0.1:5000/v2"
    assert (target.current().auth_url, target.current().account) == ("http://127.0.0.1:5000", "a")
    assert target.current().source == target.EMULATOR
    write(nobody / "profiles" / "other.json", url="https://ce.example/v2/", apikey="mine")
    (nobody / "active").write_text("other\n")
    assert target.current() == target.Target("https://ce.example/v2", "https://ce.example", "mine")
    monkeypatch.setenv("CODE_ENGINE_URL", "https://env/v2")
    monkeypatch.setenv("CODE_ENGINE_APIKEY", "k")
    monkeypatch.setenv("CODE_ENGINE_AUTH_URL", "https://iam/identity/token")
    assert target.current() == target.Target("https://env/v2", "https://iam", "k")
    assert "k'" not in repr(target.current())


def test_each_target_has_its_own_selection(nobody):
    """A selection is one target's, private, and can be forgotten."""
    one, two = (target.Target("https://x/v2", "https://x", key) for key in ("1", "2"))
    target.select(one, {"id": "i", "name": "n"})
    assert target.selected(one) == {"id": "i", "name": "n"}
    assert target.selected(two) is None
    assert target.selected(target.Target("https://x:5001/v2", "https://x", "1")) is not None
    profile = target.Target("https://x/v2", "https://x", "1", source=target.PROFILE, profile="p")
    assert target.selected(profile) is None
    assert one.selection.stat().st_mode & 0o777 == 0o600
    target.select(one, None)
    assert target.selected(one) is None
    assert list((nobody / "selected").iterdir()) == []


def test_where_ce_keeps_its_things(nobody, monkeypatch):
    """One folder, where such things are kept, unless CE_HOME says another."""
    assert target.home() == nobody
    monkeypatch.delenv("CE_HOME")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/c")
    assert target.home() == Path("/c/ce")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert target.home() == Path.home() / ".config" / "ce"
