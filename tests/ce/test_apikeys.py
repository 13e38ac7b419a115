"""`ce apikey`, second accounts, and the documented shell lines: each a process of its own."""

import json
import os
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.cli import matches

SCRIPTS = Path(sys.executable).parent
TEXT = r"ce_[0-9a-f]{16}_[A-Za-z0-9_-]{43}"
ONE_LINER = (
    "from ibm_code_engine_sdk.code_engine_v2 import CodeEngineV2 as C; "
    "print(C.new_instance().list_projects().get_result())"
)
CONTROLLER = (
    "from ibm_platform_services import ResourceControllerV2 as C; "
    "print(C.new_instance().list_reclamations().get_result())"
)


@pytest.fixture
def shell(ce, tmp_path):  # noqa: ARG001 - it is there for the CE_HOME that `ce` made
    """Run lines in a shell in which nobody is logged in; give standard output, or fail."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CODE_ENGINE_", "RESOURCE_CONTROLLER_", "CE_", "FIRESTORE_", "IBM"))
    }
    env |= {"CE_HOME": str(tmp_path), "PATH": f"{SCRIPTS}{os.pathsep}{env['PATH']}"}

    def run(lines, code=0):
        command = ["sh", "-euc", lines]
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr if code else done.stdout

    return run


def test_who_may_end_the_seven_days(ce, account, monkeypatch):
    """An editor's `delete --hard` changes nothing; with the role `purge` it destroys."""
    project = account.project("mine")
    hard = ("project", "delete", "--name", "mine", "--hard", "--force")
    for roles, code in ((("editor",), 1), (("editor", "purge"), 0)):
        given = [part for role in roles for part in ("--role", role)]
        monkeypatch.setenv("CODE_ENGINE_APIKEY", account.apikey)
        made = json.loads(ce("apikey", "create", "k", *given, "--output", "json"))
        monkeypatch.setenv("CODE_ENGINE_APIKEY", made["apikey"])
        said = ce(*hard, code=code)
        assert ("`project.purge`: nothing was deleted." in said) == bool(code)
        assert account.status(project) == ("active" if code else "gone")


@pytest.fixture
def process(ce):  # noqa: ARG001 - it is there for the environment that `ce` set
    """Run `ce` as a process of its own, logged in as a fresh account."""

    def run(*args, code=0, text=""):
        command = [sys.executable, "-m", "ce", *args]
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr if code else done.stdout

    return run


def token_of(account, apikey):
    """Give the account's projects as another key of it sees them."""
    return type(account)(account.host, account.id, apikey).call("GET", "/v2/projects")


@pytest.mark.slow
def test_the_documented_lines(shell):
    """The environment of the host and one line of Python: IBM's SDK lists the projects."""
    said = shell(f'eval "$(ce emulator env)"\npython -c {shlex.quote(ONE_LINER)}')
    assert "'projects': [" in said
    assert "'limit': 100" in said
    said = shell(f'eval "$(ce emulator env)"\npython -c {shlex.quote(CONTROLLER)}')
    assert "'resources': [" in said


def test_env_is_what_ibm_reads(shell, host):
    """The exports name the API, where its tokens come from, how to log in, and no trace."""
    lines = shell("ce emulator env").splitlines()
    told = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    assert told["CODE_ENGINE_URL"] == f"{host.url}/v2"
    assert told["CODE_ENGINE_AUTH_URL"] == host.url
    assert told["CODE_ENGINE_AUTH_TYPE"] == "iam"
    assert re.fullmatch(TEXT, told["CODE_ENGINE_APIKEY"])
    assert not any("TRACE" in name for name in told)


@pytest.mark.slow
def test_a_second_account(shell, host):
    """A second account is made by one line, sees nothing of the first, and its key works."""
    shell("ce project create -n of-the-first")
    lines = shell("ce emulator account create")
    told, *exports = lines.splitlines()
    assert re.fullmatch("# account [0-9a-f]{32}; its key is not shown again", told)
    assert all(line.startswith("export ") for line in exports)
    (key,) = set(re.findall(TEXT, lines))
    assert key not in shell("ce emulator env")
    seen = shell(
        f"eval {shlex.quote(lines)}\nce project list -q\nce project create -n of-the-second -q\n"
        "ce project list -q -o 'jsonpath={.projects[*].name}'"
    )
    assert "of-the-first" not in seen
    assert seen.endswith("\nof-the-second")
    first = shell("ce project list -q -o 'jsonpath={.projects[*].name}'").split()
    assert "of-the-first" in first
    assert "of-the-second" not in first
    shell("ce project delete -n of-the-first --hard -f")
    stored = host.inside.document(f"api_keys/{key.split('_')[1]}")
    assert stored["roles"] == ["administrator", "manager"]


def test_roles_of_a_second_account(shell):
    """The key of a second account has the roles it is given; one nobody knows is refused."""
    lines = shell("ce emulator account create --role viewer -r reader -r auditor")
    refused = shell(f"eval {shlex.quote(lines)}\nce project create -n x", code=1)
    assert "`project.create`" in refused
    assert "must be one of" in shell("ce emulator account create -r owner", code=1)


def test_create_shows_the_key_once(process, account):
    """The text of a new key is printed once, and it is good for what was asked."""
    said = process("apikey", "create", "build server", "-d", "for CI")
    (key,) = re.findall(TEXT, said)
    matches(
        "Creating API key 'build server'...\nOK\n\n"
        f"Name:  build server\nID:  {key.split('_')[1]}\nDescription:  for CI\n"
        f"Roles:  reader, viewer\nCreated:  {{LONG}}\nAPI Key:  {key}\n\n"
        "Keep the API key now: it is not shown again.\n",
        said,
    )
    assert token_of(account, key).status_code == 200
    listed = process("apikey", "list")
    matches(
        "Listing API keys...\nOK\n\n"
        "Name  ID  Roles  Project ID  Expires  Age\n"
        f"build server  {key.split('_')[1]}  reader, viewer              never    {{AGE}}\n"
        f"first  {account.key_id}  administrator, manager              never    {{AGE}}\n",
        listed,
    )
    assert key not in listed + process("apikey", "list", "-o", "json")


def test_an_auditor(process, account, host):
    """A key with the role `auditor` is made; it sees projects, and is refused what they hold."""
    assert "purge or auditor." in process("apikey", "create", "--help")
    (key,) = re.findall(TEXT, process("apikey", "create", "audit", "--role", "auditor"))
    auditor = type(account)(host, account.id, key)
    assert auditor.got("/v1/apikeys/self")["roles"] == ["auditor"]
    project = account.project()["id"]
    assert auditor.got(f"/v1/projects/{project}/secrets")["secrets"] == []
    assert auditor.call("GET", f"/v2/projects/{project}/secrets").status_code == 403


def test_create_as_a_document(process, account):
    """As a document a new key has its text too, and all that was asked of it."""
    process("project", "create", "-n", "myproject")
    words = ("--name", "k", "-r", "writer", "--role", "viewer", "--project", "myproject")
    document = json.loads(process("apikey", "create", *words, "--expires-in", "30d", "-o", "json"))
    project = process("project", "current", "-o", "jsonpath={.id}").strip()
    assert document["roles"] == ["viewer", "writer"]
    assert document["project_id"] == project
    assert document["created_by"] == account.key_id
    (found,) = token_of(account, document["apikey"]).json()["projects"]
    assert found["id"] == project
    row = next(line for line in process("apikey", "list", "-q").splitlines() if line[:2] == "k ")
    assert re.search(rf"viewer, writer +{project} +(29d|30d) +\d+s$", row)
    by_id = process("apikey", "create", "k2", "--project-id", project, "-o", "jsonpath={.apikey}")
    assert len(token_of(account, by_id.strip()).json()["projects"]) == 1


@pytest.mark.slow
def test_delete(process, account):
    """A key is deleted by name or id, after a question; of two with one name, by id alone."""
    keys = [process("apikey", "create", name, "-o", "jsonpath={.id}").strip() for name in "aab"]
    said = process("apikey", "delete", "b", text="y\n")
    assert said.startswith("Are you sure you want to delete API key 'b'? [y/N]> ")
    assert said.endswith("Deleting API key 'b'...\nOK\n")
    assert "was not found" in process("apikey", "delete", "b", "-f", code=1)
    assert process("apikey", "delete", "b", "-f", "--inf") == "OK\n"
    assert "2 API keys have the name 'a'" in process("apikey", "delete", "-n", "a", "-f", code=1)
    assert process("apikey", "delete", "--id", keys[0], "-f") == "Deleting API key 'a'...\nOK\n"
    assert process("apikey", "delete", "a", "-f", "-q") == ""
    left = process("apikey", "list", "-q", "-o", "jsonpath={.apikeys[*].id}").split()
    assert left == [account.key_id]
    own = process("apikey", "delete", "first", text="first\n", code=1)
    assert own.splitlines()[-1].startswith("Nothing was done: ")


def test_an_expired_key_is_listed_as_such(process, host):
    """A key that cannot be exchanged any more says so; the local clock has no part in it."""
    key = process("apikey", "create", "short", "--expires-in", "90s", "-o", "jsonpath={.id}")
    host.inside.change_key(key.strip(), expires_at=datetime.now(UTC) - timedelta(seconds=1))
    host.advance(86400)
    process("apikey", "create", "long", "--ei", "2h", "-q")
    listed = process("apikey", "list", "-q", "-s", "age")
    assert re.search(r"(?m)^short .* expired +\d+s$", listed)
    assert re.search(r"(?m)^long .* (119m|2h) +\d+s$", listed)


WRONG = {
    "no name": ("create",),
    "two names": ("create", "a", "--name", "b"),
    "two words": ("create", "a", "b"),
    "a span of nothing": ("create", "a", "--expires-in", "0d"),
    "no span": ("create", "a", "--expires-in", "tomorrow"),
    "both projects": ("create", "a", "--project", "p", "--project-id", "i"),
    "neither": ("delete", "-f"),
    "both": ("delete", "a", "--id", "0123456789abcdef", "-f"),
}


@pytest.mark.parametrize("args", WRONG.values(), ids=WRONG)
def test_usage(ce, args):
    """A wrong call exits 2 and makes nothing."""
    said = ce("apikey", *args, code=2)
    assert "Error: " in said
    assert "tomorrow" not in said
    assert ce("apikey", "list", "-q", "-o", "jsonpath={.apikeys[*].name}") == "first"


def test_a_project_that_is_not_there(ce):
    """No key is made for a project that does not exist, by name or by id."""
    nowhere = "00000000-0000-4000-8000-000000000000"
    assert "'none' was not found" in ce("apikey", "create", "a", "--project", "none", code=1)
    assert "Resource not found" in ce("apikey", "create", "a", "--pid", nowhere, code=1)
    assert ce("apikey", "list", "-q", "-o", "jsonpath={.apikeys[*].name}") == "first"
