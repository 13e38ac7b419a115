"""Exports of the local host: what is in one, what it brings back, and what is refused.

The functions are the real ones, each host has a Firestore of its own.
"""

import json
import shutil
import stat
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

import pytest

from emulator import Refused, commands, exports, firestore, imports
from emulator.state import State
from tests.support import ROOT, WEEK, Account, Host, halves_in

pytestmark = pytest.mark.slow

PROJECT = "demo-reprieve"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Where the module's hosts and exports lie."""
    return tmp_path_factory.mktemp("exports")


def begin(folder, *options):
    """Start a host on a state folder of its own."""
    return Host(folder, "--firestore-port", "0", "--hub-port", "0", *options).start()


def check(folder):
    """Check an export as an import does, whole."""
    with tempfile.TemporaryDirectory() as home:
        return imports.take(folder, PROJECT, Path(home) / "copy")


def first(host):
    """Give the first account of a host."""
    made = json.loads((host.state / "credentials.json").read_text())
    return Account(host, made["account_id"], made["apikey"])


@pytest.fixture(scope="module")
def exported(home):
    """An export, and the projects in it: one with a secret, one deleted, one purged since."""
    host, folder = begin(home / "one"), home / "saved"
    try:
        account = first(host)
        projects = {name: account.project(name) for name in ("kept", "deleted", "purged")}
        for project in projects.values():
            account.secret(project, "s", {"k": f"value of {project['name']}"})
        account.delete(projects["deleted"])
        host.set_clock(3600)
        assert commands.export(State(host.state), folder) == 0
        account.destroy(projects["purged"])
        account.gone(projects["purged"])
    finally:
        host.stop()
    return folder, projects, account.apikey


def value(account, project):
    """Give the secret's value."""
    answer = account.call("GET", f"/v2/projects/{project['id']}/secrets/s")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_it_is_its_owners_alone_and_says_what_it_holds(exported):
    """Folders 0700, files 0600; the manifest says that keys are in it, and names every file."""
    folder, projects, _ = exported
    modes = {stat.S_IMODE(p.stat().st_mode) for p in (folder, *folder.rglob("*")) if p.is_dir()}
    assert modes == {0o700}
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    manifest = json.loads((folder / exports.MANIFEST).read_text())
    assert "It holds every key" in manifest["about"]
    assert {str(path.relative_to(folder)) for path in files} == {
        *manifest["files"],
        exports.MANIFEST,
    }
    halves = halves_in(folder / "keys")
    assert halves == {project["id"] for project in projects.values()}


@pytest.mark.slow
def test_a_host_goes_on_where_another_was_exported(exported, home):
    """Same key, same clock, same secrets; a deleted project can be restored. Then it exports."""
    folder, projects, apikey = exported
    mine = home / "mine"
    shutil.copytree(folder, mine)
    others = [home / f".mine.{name}" for name in ("old", "new")]  # names as others have them
    for other in others:
        other.mkdir()
        (other / "notes").touch()
    host = begin(home / "two", "--import", str(mine), "--export-on-exit")
    try:
        account = first(host)
        assert account.apikey == apikey
        assert host.hub("GET", "/clock")["offset"] == 3600
        assert account.action(projects["deleted"], "restore").status_code == 200
        for name, project in projects.items():
            assert value(account, project) == {"k": f"value of {name}"}
        assert "what was destroyed since is back" in host.log()
        assert not {"import", "before-import"} & {path.name for path in host.state.iterdir()}
        account.secret(projects["kept"], "later", {"k": "v"})
        # It is whole still: what is not restored is purged when its time has come.
        account.delete(projects["purged"])
        host.advance(WEEK)
        host.enforce()
        account.gone(projects["purged"])
    finally:
        host.stop()
    assert host.process.returncode == 0
    assert f"{mine} is written. It holds every key" in host.log()
    assert check(mine).made_at > check(folder).made_at
    halves = halves_in(mine / "keys")
    assert halves == {projects[name]["id"] for name in ("kept", "deleted")}
    assert {path for path in home.iterdir() if path.name.startswith(".")} == {*others}
    assert all((other / "notes").exists() for other in others)


@pytest.mark.slow
def test_exec_imports_and_exports(exported, home):
    """A command sees what was exported; its own code is the code, and the host was exported."""
    folder, copy = exported[0], home / "from-exec"
    look = "import os, sys; sys.exit(9 if os.environ['CODE_ENGINE_APIKEY'] == sys.argv[1] else 1)"
    options = ["--import", str(folder), "--export-on-exit", str(copy)]
    command = [sys.executable, "-m", "emulator", "exec", "--state", str(home / "exec"), *options]
    done = subprocess.run(
        [*command, "--", sys.executable, "-c", look, exported[2]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (9, "", "")
    assert check(copy).folder == copy
    assert State(home / "exec").pid() is None


@pytest.mark.slow
def test_an_export_that_fails_is_said_and_keeps_what_is_there(exported, home):
    """Somebody put something else in the place meanwhile: exit code 1, and it stays."""
    place = home / "place"
    host = begin(home / "three", "--import", str(exported[0]), "--export-on-exit", str(place))
    place.mkdir()
    (place / "thesis.txt").write_text("dear to somebody")
    for words in (["--import", "x"], ["--export-on-exit", "y"]):
        command = [sys.executable, "-m", "emulator", "exec", "--state", str(host.state), *words]
        done = subprocess.run(
            [*command, "--", "true"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert (done.returncode, f"{words[0]} needs one of its own" in done.stderr) == (1, True)
    with pytest.raises(Refused, match="folder must be an absolute path"):
        commands.ask(State(host.state), "POST", "/export", {"folder": "here"})
    host.stop()
    assert host.process.returncode == 1
    assert f"{place} holds something else than an export: nothing was exported." in host.log()
    assert [path.name for path in place.iterdir()] == ["thesis.txt"]


@pytest.mark.claim("F64", "a replacement that was cut short: the former export is put back")
def test_a_replacement_that_was_cut_short_loses_nothing(exported, tmp_path):
    """Killed between its two renames the former export is put back; a draft is not in the way."""
    old, fresh = tmp_path / ".saved.reprieve-old", tmp_path / ".saved.reprieve-new"
    shutil.copytree(exported[0], old)
    fresh.mkdir()
    assert check(tmp_path / "saved").made_at
    assert (old.exists(), fresh.exists()) == (False, True)
    shutil.copytree(exported[0], old)
    (fresh / exports.MANIFEST).write_text(json.dumps({"format": exports.FORMAT}))
    assert check(tmp_path / "saved").made_at
    assert (old.exists(), fresh.exists()) == (True, True)  # an import removes nothing
    with pytest.raises(Refused, match="Firestore did not export"):
        write(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.name != "state"] == ["saved"]
    assert check(tmp_path / "saved").made_at


def write(folder, store=None):
    """Export to `saved` in a folder, by default from a Firestore that does not answer."""
    state = State(folder / "state")
    state.prepare()
    exports.write(
        folder / "saved", state, store or firestore.Firestore("127.0.0.1:1"), PROJECT, nullcontext()
    )


@pytest.mark.parametrize("content", ["vimrc", exports.MANIFEST])
def test_what_others_have_beside_a_place_is_let_alone(tmp_path, content):
    """Even under the names of our drafts: an import does not touch it, an export refuses it."""
    kept = []
    for name in (".saved.old", ".saved.new", ".saved.reprieve-old", ".saved.reprieve-new"):
        kept.append(tmp_path / name / content)
        kept[-1].parent.mkdir()
        kept[-1].write_text("dear to somebody")
    with pytest.raises(Refused, match="There is no export at"):
        check(tmp_path / "saved")
    for name in ("reprieve-new", "reprieve-old"):
        with pytest.raises(Refused, match=f"saved.{name} is in the way and is no export"):
            write(tmp_path)
        assert [path.read_text() for path in kept] == ["dear to somebody"] * len(kept)
        shutil.rmtree(tmp_path / f".saved.{name}")
        kept = [path for path in kept if path.parent.name != f".saved.{name}"]


class Meanwhile(firestore.Firestore):
    """A Firestore with nothing in it; while it exports somebody saves a file beside its own."""

    def export(self, _, folder, name):
        """Write the file that an export begins with, and that of somebody else."""
        (folder / name).mkdir()
        (folder / exports.DATA).touch()
        (folder.parent / "saved" / "notes.txt").write_text("dear to somebody")


@pytest.mark.parametrize("name", ["notes.txt", ".git/config", "keys/id_ed25519"])
def test_a_file_that_is_not_of_the_export_is_never_replaced(exported, tmp_path, name):
    """It is named, whether it was there before or came meanwhile, and all stays as it was."""
    shutil.copytree(exported[0], tmp_path / "saved")
    with pytest.raises(Refused, match=r"also holds notes[.]txt, which is not of the export"):
        write(tmp_path, Meanwhile("127.0.0.1:1"))
    (tmp_path / "saved" / "notes.txt").unlink()
    assert check(tmp_path / "saved").made_at
    file = tmp_path / "saved" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("dear to somebody")
    with pytest.raises(Refused, match=f"also holds {name}, which is not of the export"):
        write(tmp_path)
    assert file.read_text() == "dear to somebody"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["saved", "state"]


def test_git_does_not_add_an_export(exported, tmp_path):
    """One in a work tree would be committed with every key."""
    shutil.copytree(exported[0], tmp_path / "saved")
    (tmp_path / "code.py").touch()
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    listed = subprocess.run(
        ["git", "ls-files"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert listed.stdout == "code.py\n"


def test_a_place_is_no_export(tmp_path):
    """Only nothing, an empty folder or a former export is written over."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    exports.check_place(tmp_path / "new")
    for name, said in (("file", "is no folder"), ("link", "is no folder"), (".", "something else")):
        with pytest.raises(Refused, match=said):
            exports.check_place(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1"),
        ("CE_KEY_STORE", "/elsewhere"),
        ("CE_KEYRING", "/elsewhere/k"),
        ("CE_CLOCK_FILE", "/elsewhere/clock"),
        ("CE_DATABASE", "us-south"),
    ],
)
def test_what_is_kept_elsewhere_is_not_exported_in_part(tmp_path, monkeypatch, name, value):
    """The variable is named."""
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv(name, value)
    own = name != "FIRESTORE_EMULATOR_HOST"
    with pytest.raises(Refused, match=f"{name} names what is kept elsewhere"):
        exports.refuse_kept_elsewhere(State(tmp_path), own_firestore=own)


def test_export_on_exit_needs_a_place(tmp_path):
    """Without a folder and an import there is none."""
    words = ["start", "--state", str(tmp_path), "--export-on-exit"]
    done = subprocess.run(
        [sys.executable, "-m", "emulator", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "--export-on-exit needs a folder" in done.stderr) == (1, True)
