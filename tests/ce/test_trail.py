"""`ce audit` and `ce certificate`: the trail in words, and a certificate verified offline."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.certificates import TEST_ORIGIN, certificate, witness
from tests.support.cli import run
from tests.support.kept import SALT, kept, name_digest

HEAD = ["Time", "Who", "Action", "On", "Outcome", "Index"]
# Ends with 97 as soon as the network is touched.
OFFLINE = """
import os, sys
sys.addaudithook(lambda event, _: event.startswith("socket.") and os._exit(97))
from ce.cli import main
main(sys.argv[1:])
"""


@pytest.fixture
def inside(host):
    """The domain wired to the host's own store and keys."""
    return host.inside.app


def rows(shown):
    """Give the rows of a table, each with its cells."""
    lines = shown.split("\n\n", 1)[1].splitlines()
    return [re.split(" {2,}", line) for line in lines]


def listed(ce, *words):
    """Give the rows of the trail without their times."""
    head, *found = rows(ce("audit", "list", *words))
    assert head == HEAD
    return [row[1:] for row in found]


def test_the_trail_in_words(ce):
    """Who did what, on what: names of resources, of keys, and of projects that are there."""
    ce("project", "create", "--name", "shop")
    ce("secret", "create", "-n", "db", "-l", "A=b")
    ce("apikey", "create", "ci", "--role", "auditor")
    shown = ce("audit", "list")
    assert shown.startswith("Listing audit entries...\nOK\n\nTime ")
    found = listed(ce)
    assert [row[:4] for row in found] == [
        ["operator", "account.create", "first", "success"],
        ["first", "project.create", "shop", "success"],
        ["first", "secret.create", "db", "success"],
        ["first", "apikey.create", "ci", "success"],
    ]
    assert "=b" not in shown


def test_what_is_listed_of_it(ce):
    """By project, time, action, who, and how many; a filter that matches nothing lists nothing."""
    for name in ("shop", "other"):
        ce("project", "create", "--name", name)
        ce("secret", "create", "-n", f"in-{name}", "-l", "A=b")
    key = json.loads(ce("apikey", "create", "ci", "--role", "auditor", "-o", "json"))
    of_shop = [
        ["first", "project.create", "shop", "success"],
        ["first", "secret.create", "in-shop"],
    ]
    assert [row[:4] for row in listed(ce, "--project", "shop")] == [
        of_shop[0],
        [*of_shop[1], "success"],
    ]
    created = listed(ce, "--action", "secret.create")
    assert [row[2] for row in created] == ["in-shop", "in-other"]
    assert listed(ce, "--action", "codeengine.secret.create") == created
    assert (
        listed(ce, "--initiator", "first", "--since", "1h", "--action", "secret.create") == created
    )
    assert listed(ce, "--initiator", key["id"]) == []
    assert listed(ce, "--initiator", "nobody") == []
    assert listed(ce, "--until", "1h") == []
    assert listed(ce, "--until", "0001-01-01T00:00:00Z") == []
    assert listed(ce, "--since", (datetime.now(UTC) + timedelta(days=1)).isoformat()) == []
    done = run("audit", "list", "--limit", "1", "--action", "secret.create")
    assert done.returncode == 0
    assert len(rows(done.stdout)) == 2
    at = re.fullmatch("There are more: --since '(.+)' goes on with .+\n", done.stderr)[1]
    assert [row[2] for row in listed(ce, "--action", "secret.create", "--since", at)] == [
        "in-other"
    ]
    document = json.loads(ce("audit", "list", "-o", "json"))
    assert all("on" not in entry for entry in document["audit_entries"])
    assert ce("audit", "list", "--quiet").startswith("Time ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--since", "yesterday"), "write 7d, 12h, 90m, 45s, or a time such as"),
        (("--until", "7"), "write 7d, 12h, 90m, 45s, or a time such as"),
        (("--since", "999999d"), "--since is before all times"),
        (("--since", "9999-12-31T23:59:59-14:00"), "or a time such as"),
        (("--until", "0001-01-01T00:00:00+14:00"), "or a time such as"),
        (("--limit", "few"), "is not a whole number"),
        (("--limit", "0"), "--limit: at least 1."),
        (("shop",), "too many words"),
    ],
)
def test_what_is_not_understood(ce, words, says):
    """Times and numbers that are none are refused, and not quoted."""
    assert says in ce("audit", "list", *words, code=2)


def test_a_project_that_is_not_there(ce):
    """A name that no project has, nor had, is said to be none, with what lists them."""
    said = ce("audit", "list", "--project", "none", code=1)
    assert "Project 'none' was not found; 'ce project list' shows them all" in said


def test_who_may_not_read_the_trail(ce, account, monkeypatch):
    """Other roles are told which one does it take."""
    monkeypatch.setenv("CODE_ENGINE_APIKEY", account.another_key("viewer").apikey)
    said = ce("audit", "list", code=1)
    assert "do not include `audit.view`" in said
    assert "the role administrator or auditor" in said


def test_an_auditor(ce, account, monkeypatch):
    """The role `auditor` is enough to read the trail and to list certificates."""
    monkeypatch.setenv("CODE_ENGINE_APIKEY", account.another_key("auditor").apikey)
    assert listed(ce)
    assert ce("certificate", "list").startswith("Listing certificates...\nOK\n\nProject ID ")


def test_certificates_in_a_list(ce, inside, account):
    """Which projects were destroyed, when, and how far the log is; the salt is in the document."""
    project = kept(inside, account.id)
    ((head, *_), row) = rows(ce("certificate", "list"))
    assert head == "Project ID"
    assert row[:4] == [project, "2026-12-07T02:30:03Z", "false", "waiting"]
    (told,) = json.loads(ce("certificate", "list", "-o", "json"))["certificates"]
    assert (told["name_salt"], row[4]) == (SALT.hex(), told["sha256"])


def test_the_trail_of_a_destroyed_project(ce, inside, account):
    """A project that is gone is found by the name it had, which its certificate shows."""
    project = kept(inside, account.id, "täglich")
    for word in ("täglich", "ta\u0308glich", project):
        (row,) = listed(ce, "--project", word)
        assert row[1:4] == ["project.erase", project, "success"]
    kept(inside, account.id, "täglich")
    assert "2 destroyed projects had this name" in ce(
        "audit", "list", "--project", "täglich", code=1
    )


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """Run `ce` as a process without a login, beside a certificate; the network ends it."""
    for name in [name for name in os.environ if name.startswith(("CE_", "CODE_ENGINE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")

    def run(shown, *options):
        (tmp_path / "c").write_bytes(shown.record)
        (tmp_path / "p").write_bytes(shown.proof)
        (tmp_path / "log.vkey").write_text(f"{shown.key}\n")
        command = [sys.executable, "-c", OFFLINE, "certificate", "verify", *options]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    return run


WORDS = ("c", "p", "--key", "log.vkey")
OK = "OK: the certificate is what the log holds.\n"


def test_a_certificate_that_holds(alone):
    """It is verified by the auditor's file, in its words, without a login and without a network."""
    code, out, err = alone(certificate(), *WORDS)
    assert (code, err) == (0, "")
    assert out.startswith("Project    0b7c2a51-6f0e-4f5e-9a43-2f1d3c5b7e90\nAsked for  2026-11-30")
    assert OK in out
    assert out.splitlines()[-1].startswith("Not shown: copies that readers made before")


def test_a_certificate_that_does_not_hold(alone):
    """Exit code 1, and why on standard output: as the auditor's file alone would say it."""
    shown = certificate()
    changed = shown._replace(record=shown.record.replace(b'"ci"', b'"me"'))
    code, out, err = alone(changed, *WORDS)
    assert (code, err) == (1, "")
    assert out.startswith("FAILED: this certificate is not in the log: it, its proof or its key")


def test_a_test_is_no_evidence(alone):
    """A certificate of a test fails, unless that is allowed."""
    shown = certificate(TEST_ORIGIN, predicate__test=True)
    code, out, _ = alone(shown, *WORDS)
    assert code == 1
    assert out.splitlines()[-1].startswith("TEST, not evidence: ")
    assert alone(shown, *WORDS, "--allow-test")[0] == 0


def test_witnesses(alone):
    """As many witnesses must have signed as are demanded; by default all that are named."""
    shown, keys = certificate(), [f"--witness={witness(number)}" for number in (1, 2)]
    assert alone(shown, *WORDS, keys[0])[0] == 0
    assert alone(shown, *WORDS, *keys)[0] == 1
    assert alone(shown, *WORDS, *keys, "--witnesses", "1")[0] == 0
    code, _, err = alone(shown, *WORDS, "--witnesses", "33")
    assert code == 2
    assert "--witnesses: at most 32" in err


def test_a_name_shown(alone):
    """Whoever has the salt shows the project's name; another name or salt fails."""
    shown = certificate(predicate__project__name_digest=name_digest("täglich"))
    salt = SALT.hex()
    code, out, _ = alone(shown, *WORDS, "--name", "ta\u0308glich", "--salt", salt.upper())
    assert code == 0
    assert "is the name that this project had." in out.splitlines()[-1]
    for name, other in (("shop", salt), ("täglich", "00" * 16)):
        code, out, _ = alone(shown, *WORDS, "--name", name, "--salt", other)
        assert code == 1
        assert "had another name, or another salt" in out
    for words in (("--name", "shop"), ("--salt", salt), ("--name", "shop", "--salt", "12")):
        assert alone(shown, *WORDS, *words)[0] == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("c",), "Give CERTIFICATE and PROOF, two files."),
        (("c", "p"), "Give --key"),
        (("c", "none", "--key", "log.vkey"), "PROOF: cannot read 'none' (No such file"),
        (("c", "p", "--key", "none"), "--key: cannot read 'none' (No such file"),
        (("c", "p", "--key", "log.vkey", "--witness", "."), "--witness: cannot read '.' (Is a "),
        (("c", "p", "x", "--key", "log.vkey"), "1 too many words"),
        (("c", "p", "--certificate", "c", "--key", "log.vkey"), "Give it once, as CERTIFICATE or"),
    ],
)
def test_what_cannot_be_verified(alone, words, says):
    """What is missing, or cannot be read, is said with exit code 2, and nothing is verified."""
    code, out, err = alone(certificate(), *words)
    assert (code, out) == (2, "")
    assert says in err


def test_files_called_anything(alone, tmp_path):
    """A file's name may look like an option."""
    shown = certificate()
    (tmp_path / "--help").write_bytes(shown.record)
    assert alone(shown, "--certificate=--help", "--proof", "p", "--key=log.vkey")[0] == 0


def test_output_that_is_lost(tmp_path):
    """Where it cannot be told that a certificate holds, the exit code is 1."""
    shown = certificate()
    (tmp_path / "c").write_bytes(shown.record)
    (tmp_path / "p").write_bytes(shown.proof)
    command = [sys.executable, "-m", "ce", "certificate", "verify"]
    command += [str(tmp_path / "c"), str(tmp_path / "p"), "--key", shown.key]
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = subprocess.run(command, stdout=full, stderr=-1, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "Cannot write to standard output: No space left on device.\n",
    )


def test_rubbish(alone):
    """Whatever the files hold, it ends with FAILED and 1, in words and without a traceback."""
    shown = certificate()
    for content in (b"", b"\xff\xfe", b"{}", b"[" * 100_000, bytes(1000)):
        for name in ("c", "p"):
            rubbish = shown._replace(**{"record" if name == "c" else "proof": content})
            code, out, err = alone(rubbish, *WORDS)
            assert (code, err) == (1, "")
            assert out.startswith("FAILED: ")
