"""`ce audit export` and `checkpoint`, `ce certificate get`: what is handed on, and verified."""

import json
import re
import threading

import pytest

from tests.support.cli import run
from tests.support.kept import SALT, kept

COUNTED = re.compile(r"Entries    (\d+) of the account, none missing")


@pytest.fixture
def inside(host):
    """The domain wired to the host's own store and keys."""
    return host.inside.app


@pytest.fixture
def seal(host):
    """Run the log's schedule once."""
    return lambda: host.hub("POST", "/schedules/sealAudit/run")


@pytest.fixture
def sealing(seal):
    """Run the log's schedule again and again beside a test."""
    over = threading.Event()

    def go_on():
        while not over.wait(0.2):
            seal()

    beside = threading.Thread(target=go_on)
    beside.start()
    yield
    over.set()
    beside.join()


def test_an_export(ce, tmp_path, sealing):  # noqa: ARG001 - the log goes on beside it
    """It waits until the log has its own entry, and what it wrote holds, with nothing missing."""
    for name in ("shop", "other"):
        ce("project", "create", "--name", name)
    folder = tmp_path / "trail"
    said = ce("audit", "export", str(folder))
    entries = [json.loads(line) for line in (folder / "entries.jsonl").read_text().splitlines()]
    assert [entry["action"].partition(".")[2] for entry in entries] == [
        *("account.create", "project.create", "project.create", "audit.export"),
    ]
    size = (folder / "log" / "1" / "checkpoint").read_text().split("\n")[1]
    assert said == (
        f"Exporting the audit trail to '{folder}'...\nOK\nWrote 4 entries, and the log of {size}.\n"
    )
    modes = {oct(file.stat().st_mode & 0o777) for file in folder.rglob("*") if file.is_file()}
    assert modes == {"0o600"}
    assert (folder / "verify.py").read_text().startswith('"""Verify a certificate')
    out = ce("audit", "verify", str(folder))
    assert COUNTED.search(out)[1] == "4"
    ce("audit", "checkpoint", "--append", str(tmp_path / "kept"))
    again = tmp_path / "again"
    ce("audit", "export", str(again))
    out = ce("audit", "verify", str(again), "--since", str(tmp_path / "kept"))
    assert COUNTED.search(out)[1] == "5"
    kept_size = (tmp_path / "kept").read_text().split("\n")[1]
    assert f"Since      {kept_size} entries, which are the beginning of these\n" in out
    other = run("audit", "export", str(folder))
    assert (other.returncode, "is not empty: give a new folder" in other.stderr) == (2, True)
    changed = json.dumps(entries[1] | {"key_name": "nobody"})
    (folder / "entries.jsonl").write_text(
        "".join(f"{json.dumps(one)}\n" for one in (entries[0], *entries[2:])) + changed
    )
    assert run("audit", "verify", str(folder)).returncode == 1


def test_an_export_of_one_project(ce, account, tmp_path, monkeypatch, sealing):  # noqa: ARG001
    """A key for one project exports that one's entries, and its export claims no more."""
    project = account.project("shop")
    account.project("other")
    key = account.another_key("auditor", project_id=project["id"])
    monkeypatch.setenv("CODE_ENGINE_APIKEY", key.apikey)
    folder = tmp_path / "trail"
    ce("audit", "export", str(folder))
    entries = [json.loads(line) for line in (folder / "entries.jsonl").read_text().splitlines()]
    assert {entry["project_id"] for entry in entries} == {project["id"]}
    out = ce("audit", "verify", str(folder))
    assert f"Entries    {len(entries)} of one project; 0 more wait" in out


def test_an_export_with_a_certificate(ce, inside, account, tmp_path, sealing):  # noqa: ARG001
    """A certificate is an entry as others are: it is in the export, and holds."""
    project = kept(inside, account.id)
    folder = tmp_path / "trail"
    ce("audit", "export", str(folder))
    assert f'"{project}.erase"' in (folder / "entries.jsonl").read_text()
    assert COUNTED.search(ce("audit", "verify", str(folder)))


def test_an_export_that_does_not_wait(ce, tmp_path, seal):
    """Without waiting it is written as it is; what waits is not yet shown by the log."""
    ce("project", "create", "--name", "shop")
    seal()
    folder = tmp_path / "trail"
    ce("audit", "export", str(folder), "--no-wait")
    done = run("audit", "verify", str(folder))
    assert done.returncode == 1
    assert "the entry of the export is not in the log" in done.stdout


def test_checkpoints_kept(ce, tmp_path, seal):
    """A checkpoint is added once; to a log that is another than it was nothing is added."""
    ce("project", "create", "--name", "shop")
    seal()
    kept_in = tmp_path / "kept"
    shown = ce("audit", "checkpoint")
    for _ in range(2):
        assert ce("audit", "checkpoint", "--append", str(kept_in)) == shown
    note = kept_in.read_text()
    assert shown == f"Getting the checkpoint of the log...\nOK\n\n{note.rstrip()}\n"
    origin, size, root = note.split("\n")[:3]
    for old, new in ((origin, "other/log"), (f"\n{size}\n", f"\n{int(size) + 1}\n"), (root, "x")):
        kept_in.write_text(note.replace(old, new, 1))
        done = run("audit", "checkpoint", "--append", str(kept_in))
        assert done.returncode == 1
        assert kept_in.read_text() == note.replace(old, new, 1)
    for content in ("none", note[:-1], note[:-9], f"mine\n{note}", f"{note}mine\n"):
        kept_in.write_text(content)
        done = run("audit", "checkpoint", "--append", str(kept_in))
        assert (done.returncode, "nothing was added" in done.stderr) == (2, True)
        assert kept_in.read_text() == content
    for file in (tmp_path, "/dev/full"):
        assert run("audit", "checkpoint", "--append", str(file)).returncode == 2


def test_a_certificate(ce, inside, account, seal, tmp_path, monkeypatch):
    """By its name or ID it is written with its proof and the log's key, and verifies offline."""
    project = kept(inside, account.id, "täglich")
    out = tmp_path / "out"
    waits = run("certificate", "get", "täglich", "--out", str(out))
    assert waits.returncode == 1
    assert "is not in the log yet" in waits.stderr
    assert not out.exists()
    seal()
    monkeypatch.chdir(tmp_path)
    said = ce("certificate", "get", "--name", "täglich")
    files = "täglich.certificate.json, täglich.tlog-proof, log.vkey"
    assert said == (
        "Getting certificate of project 'täglich'...\nOK\n"
        f"Wrote {files}. Compare log.vkey with one from elsewhere.\n"
    )
    words = ["täglich.certificate.json", "täglich.tlog-proof", "--key", "log.vkey"]
    verified = run("certificate", "verify", *words, "--allow-test")
    assert verified.returncode == 0
    assert run("certificate", "verify", *words).returncode == 1  # of a host that is a test
    named = [*words, "--allow-test", "--name", "täglich", "--salt", SALT.hex()]
    assert "is the name that this project had" in run("certificate", "verify", *named).stdout
    ce("certificate", "get", project, "--out", str(out))
    assert {file.name for file in out.iterdir()} == {
        *(f"{project}.certificate.json", f"{project}.tlog-proof", "log.vkey"),
    }
    record = (out / f"{project}.certificate.json").read_bytes()
    assert record == (tmp_path / "täglich.certificate.json").read_bytes()
    ce("certificate", "get", "--id", project, "--out", str(out))  # once more: the same


@pytest.mark.usefixtures("ce")
def test_what_is_there_is_not_replaced(inside, account, seal, tmp_path):
    """A key or a certificate that is there and another stays: nothing is written."""
    project = kept(inside, account.id)
    seal()
    (tmp_path / "log.vkey").write_text("mine\n")
    done = run("certificate", "get", project, "--out", str(tmp_path))
    assert done.returncode == 1
    assert "is there, and another: nothing was written" in done.stderr
    assert (tmp_path / "log.vkey").read_text() == "mine\n"
    assert not (tmp_path / f"{project}.certificate.json").exists()


def test_a_proof_is_replaced_by_a_proof_alone(ce, inside, account, seal, tmp_path):
    """What only has a proof's name stays, and no link is followed, wherever it leads."""
    project = kept(inside, account.id)
    seal()
    names = [f"{project}.tlog-proof", f"{project}.certificate.json"]
    file, mine, new = tmp_path / names[0], tmp_path / "mine", tmp_path / "new"
    words = ("certificate", "get", project, "--out", str(tmp_path))
    mine.write_text("c2sp.org/tlog-proof@v1\n")
    for name, target in ((names[0], mine), (names[1], new)):
        (tmp_path / name).symlink_to(target)
        assert "nothing was written" in ce(*words, code=1)
        (tmp_path / name).unlink()
    assert (mine.read_text(), new.exists()) == ("c2sp.org/tlog-proof@v1\n", False)
    file.write_text("mine")
    assert "nothing was written" in ce(*words, code=1)
    assert file.read_text() == "mine"
    file.write_text("c2sp.org/tlog-proof@v1\nold")
    ce(*words)
    assert file.read_text().startswith("c2sp.org/tlog-proof@v1\nextra ")


def test_a_long_name(ce, inside, account, seal, tmp_path):
    """A project whose name no file can have has files called by its ID."""
    name = "\U0001f600" * 128
    project = kept(inside, account.id, name)
    seal()
    out = tmp_path / "out"
    ce("certificate", "get", "--name", name, "--out", str(out))
    assert {file.name for file in out.iterdir()} == {
        *(f"{project}.certificate.json", f"{project}.tlog-proof", "log.vkey"),
    }


def test_what_is_not_there(ce, inside, account):
    """A project that was not destroyed has none; of two of one name the ID is asked for."""
    ce("project", "create", "--name", "shop")
    said = ce("certificate", "get", "shop", code=1)
    assert "There is no certificate of a project of this name" in said
    for _ in range(2):
        kept(inside, account.id, "twice")
    assert "2 destroyed projects had this name: give --id" in ce(
        "certificate", "get", "twice", code=1
    )
    said = ce("certificate", "get", code=2)
    assert said.endswith("Give exactly one of NAME, --name and --id.\n")
