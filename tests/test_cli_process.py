"""`ce` as a process, without a host: starting, usage, exit codes, prompts, whom it asks."""

import json
import os
import pty
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ce import config
from ce.failure import Failure

PASSWORD = "pa55-w0rd-nobody-may-see"


@pytest.fixture
def env(tmp_path):
    """Give an environment in which nobody is logged in."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CODE_ENGINE_", "CE_"))}
    return kept | {"CE_HOME": str(tmp_path)}


@pytest.fixture
def unreachable(env):
    """Give an environment whose API nobody answers for."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and never listening: refused, and nobody else's
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v2"
        yield env | {"CODE_ENGINE_URL": url, "CODE_ENGINE_APIKEY": "key-nobody-may-see"}


def run(*args, env, text=""):
    """Run `ce` with these arguments and this standard input."""
    command = [sys.executable, "-m", "ce", *args]
    return subprocess.run(
        command, env=env, input=text, capture_output=True, text=True, timeout=60, check=False
    )


def test_help_imports_nothing_slow(env):
    """`ce --help` starts fast: no HTTP client, no YAML, no jsonpath."""
    code = (
        "import sys, ce.cli\n"
        "try: ce.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "slow = {'requests', 'yaml', 'jsonpath_ng', 'wcwidth', 'http.client', 'ssl', 'email'}\n"
        "sys.exit(sorted(slow & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("args", [("--help",), ("help",), ("h",), ("-h",)])
def test_help_names_every_group(args, env):
    """Help lists the groups, however it is asked for."""
    done = run(*args, env=env)
    assert done.returncode == 0
    for name in ("project", "reclamation", "secret", "registry", "emulator", "version"):
        assert f"\n  {name} " in done.stdout


def test_help_of_a_command_by_alias(env):
    """`help` follows aliases to a command and shows all names of its options."""
    done = run("help", "recl", "delete", env=env)
    assert done.returncode == 0
    for option in ("--force", "--f", "--guid", "--nw", "--wto"):
        assert option in done.stdout
    assert run("help", "recl", "nothing", env=env).returncode == 2


def test_version(env):
    """`version` and `v` print one line."""
    for word in ("version", "v"):
        done = run(word, env=env)
        assert (done.returncode, done.stdout.split()[0]) == (0, "version:")


def test_not_logged_in(env):
    """Without a target a command exits 4 and says what to do."""
    done = run("project", "list", env=env)
    assert (done.returncode, done.stdout) == (4, "Getting projects...\n")
    assert done.stderr.startswith("FAILED\nNot logged in")
    assert "ce emulator start" in done.stderr


def test_a_url_without_a_key_is_not_logged_in(env):
    """A URL alone is no login, and the emulator's is not taken in its place."""
    done = run("project", "list", env=env | {"CODE_ENGINE_URL": "http://127.0.0.1:9/v2"})
    assert done.returncode == 4
    assert "CODE_ENGINE_APIKEY" in done.stderr


def test_unreachable(unreachable):
    """A host that does not answer is a failure that quotes no key."""
    done = run("project", "list", env=unreachable)
    assert done.returncode == 1
    assert "Cannot reach http://127.0.0.1" in done.stderr
    assert "key-nobody-may-see" not in done.stdout + done.stderr


def test_a_document_asked_for_leaves_no_progress(unreachable):
    """With -o nothing but the document is printed, so a failure leaves standard output empty."""
    done = run("project", "list", "-o", "json", env=unreachable)
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
    "no such verb": ("project", "destroy"),
}


@pytest.mark.parametrize("args", USAGE.values(), ids=USAGE)
def test_usage(args, unreachable):
    """A wrong call exits 2 before anything is asked, and never quotes a value."""
    done = run(*args, env=unreachable, text=PASSWORD)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stderr


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_cannot_climb_out_of_its_collection(name, unreachable):
    """A name that a URL would fold into the collection's parent is never sent."""
    done = run("project", "get", "--id", name, env=unreachable)
    assert done.returncode == 1
    assert "is no name" in done.stderr


def in_terminal(args, env, answers):
    """Run `ce` in a pseudo-terminal, answer each prompt, return (exit code, what was shown)."""
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover -- the child becomes ce
        os.execvpe(sys.executable, [sys.executable, "-m", "ce", *args], env)
    shown, waiting = b"", list(answers)
    while True:
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # the terminal is gone, and so is the child
            break
        if waiting and shown.endswith(b"> "):
            os.write(terminal, waiting.pop(0))
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_a_password_is_asked_for_without_echo(unreachable):
    """The prompt appears, what is typed does not, and the command goes on."""
    args = ("secret", "create", "-n", "x", "--format", "basic_auth", "-u", "me")
    code, shown = in_terminal(args, unreachable, [f"{PASSWORD}\n".encode()])
    assert code == 1
    assert shown.startswith("Password> \r\nCreating basic_auth secret 'x'...\r\nFAILED\r\n")
    assert PASSWORD not in shown


def test_ctrl_c_at_a_prompt(unreachable):
    """Ctrl-C ends the command with 130."""
    code, shown = in_terminal(("registry", "create", "-n", "x"), unreachable, [b"\x03"])
    assert code == 130
    assert "Traceback" not in shown


def test_escapes_in_a_name_do_not_reach_the_terminal(unreachable):
    """A name with an escape sequence is shown, not obeyed."""
    _, shown = in_terminal(("project", "create", "-n", "x\x1b[2J"), unreachable, [])
    assert "Creating project 'x\\u001b[2J'..." in shown
    assert "\x1b" not in shown


def test_emulator_arguments_pass_through(env, tmp_path):
    """`ce emulator` becomes the emulator's command, its state folder after the command word."""
    fake = tmp_path / "fake" / "emulator"
    fake.mkdir(parents=True)
    (fake / "__init__.py").touch()
    (fake / "__main__.py").write_text("import json, sys; print(json.dumps(sys.argv[1:]))")
    env = env | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), env.get("PYTHONPATH", "")])}
    for args, passed in {
        ("exec", "--x", "--", "ls", "-l"): ["exec", "--state", "@", "--x", "--", "ls", "-l"],
        ("clock", "advance", "7d"): ["clock", "--state", "@", "advance", "7d"],
        ("--help",): ["--help"],
        (): [],
    }.items():
        done = subprocess.run(
            [sys.executable, "-m", "ce", "emulator", *args],
            env=env,
            cwd=fake.parent,
            capture_output=True,
            check=False,
        )
        expected = [str(tmp_path / "emulator") if word == "@" else word for word in passed]
        assert json.loads(done.stdout) == expected, done.stderr


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Be in a home of one's own, with no target in the environment."""
    for name in ("CODE_ENGINE_URL", "CODE_ENGINE_APIKEY", "CODE_ENGINE_AUTH_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CE_HOME", str(tmp_path))
    return tmp_path


def write(path, **content):
    """Write a JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_whom_to_ask(home, monkeypatch):
    """The environment comes first, then the login, then the local emulator, else nobody."""
    with pytest.raises(Failure):
        config.target()
    write(home / "emulator" / "hub.json", hosting="http://127.0.0.1:5000", hub="", token="t")
    write(home / "emulator" / "credentials.json", account_id="a", apikey="local", url="")
    assert config.target().url == "http://127.0.0.1:5000/v2"
    assert (config.target().auth_url, config.target().local) == ("http://127.0.0.1:5000", True)
    write(home / "profiles" / "work.json", url="https://work/v2/", apikey="mine")
    (home / "active").write_text("work\n")
    assert config.target() == config.Target("https://work/v2", "https://work", "mine")
    monkeypatch.setenv("CODE_ENGINE_URL", "https://env/v2")
    monkeypatch.setenv("CODE_ENGINE_APIKEY", "k")
    monkeypatch.setenv("CODE_ENGINE_AUTH_URL", "https://iam/identity/token")
    assert config.target() == config.Target("https://env/v2", "https://iam", "k")
    assert "k'" not in repr(config.target())


def test_each_target_has_its_own_selection(home):
    """A selection is one target's, private, and can be forgotten."""
    one, two = (config.Target("https://x/v2", "https://x", key) for key in ("1", "2"))
    config.select(one, {"id": "i", "name": "n"})
    assert config.selected(one) == {"id": "i", "name": "n"}
    assert config.selected(two) is None
    assert config.selected(config.Target("https://x:5001/v2", "https://x", "1")) is not None
    assert one.selection.stat().st_mode & 0o777 == 0o600
    config.select(one, None)
    assert config.selected(one) is None
    assert list((home / "selected").iterdir()) == []
