"""What is no export, or one that was made to do harm, is one line that names it, and no more."""

import json
import os
import shutil
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from emulator import Refused, exports, firestore, imports, state
from tests.support import ROOT
from tests.support.exported import PROJECT, kept_by, listed_anew, write
from tests.support.keyrings import pem

ESCAPES = "\x1b]0;title\x07\x1b[2J\x9b31m\u202e\u2028"
# What is no JSON object that an export has in any of its files.
NO_JSON = {
    "nothing": b"",
    "cut short": b"{",
    "a list": b"[]",
    "null": b"null",
    "not a number": b'{"version": NaN}',
    "beyond any number": b'{"version": 1e999}',
    "too many digits": b'{"version": 1%s}' % (b"0" * 5000),
    "nested lists": b"[" * 100_000,
    "nested objects": b'{"a":' * 100_000,
    "a name twice": b'{"format": "reprieve-local-host", "format": "x"}',
    "Latin-1": b'{"format": "\xe9"}',
    "half a character": rb'{"format": "\ud800"}',
    "zeros": b"\0" * 100,
    "escapes": ESCAPES.encode(),
    "a pickle": b"cos\nsystem\n(S'touch /tmp/x'\ntR.",
}
WRONG = (None, True, -1, 1.5, 2**70, "", "x", ESCAPES, [], {}, [[]], {"x": ESCAPES})
MEMBERS = {  # of each file, what must be of its type
    exports.MANIFEST: ("format", "version", "project", "made_at", "files"),
    "keyring.json": ("current", "keks", "signing_key", "state_key"),
    "credentials.json": ("account_id", "apikey"),
}
CLOCKS = (b"", b"nan", b"-inf", b"1e999", b"4e9", b"soon", b"\xff", b"1" * 5000, b"0x10")
PEM = pem(Ed25519PrivateKey.generate())
LOG_KEYS = (b"", b"x", PEM.replace(b"PRIVATE", b"PUBLIC"), PEM + PEM, PEM[:-1], PEM + 999 * b"x")
NAMES = ("keys/half", "keys/.A", f"keys/{ESCAPES}", ".profile", "sitecustomize.py")


@pytest.fixture(scope="module")
def made(host, tmp_path_factory):
    """An export with a real keyring, two halves, an account and a clock."""
    home = tmp_path_factory.mktemp("made")
    return write(
        home / "saved", kept_by(home / "state"), firestore.Firestore(host.info["firestore"])
    )


def _member(name, member, value, folder):
    """Give a member of a file another value."""
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | {member: value}))
    if name != exports.MANIFEST:
        listed_anew(folder)


def _content(name, content, folder):
    """Give a file another content, which the manifest lists."""
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    if name != exports.MANIFEST:
        listed_anew(folder)


def _instead(name, make, folder):
    """Have something else than a file under the name of one."""
    if (folder / name).is_dir():
        shutil.rmtree(folder / name)
    else:
        (folder / name).unlink()
    make(folder / name)


def _socket(path):
    with socket.socket(socket.AF_UNIX) as bound:
        here = Path.cwd()
        os.chdir(path.parent)  # the name of a socket is short
        try:
            bound.bind(path.name)
        finally:
            os.chdir(here)


def _outside(path):
    path.symlink_to(path.parents[1] / "outside")


KINDS = {
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "a socket": _socket,
    "a link to nothing": lambda path: path.symlink_to("nothing"),
    "a link outside": _outside,
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a device": lambda path: path.symlink_to("/dev/zero"),
}


def _deep(folder):
    deep = folder / exports.NAME / "/".join("d" * 20)
    deep.mkdir(parents=True)
    (deep / "f").touch()
    listed_anew(folder)


def _without(name, folder):
    (folder / name).unlink()
    listed_anew(folder)


def _half(folder):
    return next((folder / "keys").glob("?" * 36 + "*"))


def _large(path):
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a file full of holes: who reads it all does not come back


def contents():
    """Give a name and a change for each export a file of which holds what it must not."""
    for name, members in MEMBERS.items():
        for said, content in NO_JSON.items():
            yield f"{name}: {said}", partial(_content, name, content)
        yield f"{name}: too large", partial(_instead, name, _large)
        for member in members:
            for value in WRONG:
                if not (member in {"account_id", "apikey"} and value == "x"):
                    yield f"{name}: {member} {value!r}", partial(_member, name, member, value)
    for content in CLOCKS:
        yield f"clock {content!r:.20}", partial(_content, "clock", content)
    for content in LOG_KEYS:
        yield f"log.key {content!r:.40}", partial(_content, "log.key", content)


def shapes():
    """Give a name and a change for each export with files that there must not be."""
    for path in ("../outside", "/etc/passwd", "keys/../clock", ESCAPES, "a" * 5000):
        yield f"lists {path!r:.40}", partial(_member, exports.MANIFEST, "files", {path: "0" * 64})
    for name in NAMES:
        yield f"has {name!r}", partial(_content, name, b"x")
    for name in (exports.MANIFEST, exports.DATA, "keyring.json", "clock", "keys", exports.NAME):
        for said, make in KINDS.items():
            if not (name in {"keys", exports.NAME} and said == "a folder"):
                yield f"{name} is {said}", partial(_instead, name, make)
    yield "deep", _deep
    yield "no keyring", partial(_without, "keyring.json")
    yield "a huge half", lambda folder: _large(_half(folder))
    yield "huge documents", partial(_instead, exports.DATA, _large)
    yield "no folder", shutil.rmtree
    yield "a half missing", lambda folder: _half(folder).unlink()
    yield "changed", lambda folder: (folder / exports.DATA).write_bytes(b"x")


@pytest.mark.claim("F66", "whatever an export is made of: one line that names it, at once")
def test_hostile_exports(made, tmp_path, subtests):
    """Refused in one line without control characters; nothing outside the copy is touched."""
    (tmp_path / "outside").write_text("dear to somebody")
    (tmp_path / "work").mkdir()
    for name, change in (*contents(), *shapes()):
        folder, copy = tmp_path / "saved", tmp_path / "copy"
        shutil.copytree(made, folder)
        change(folder)
        with subtests.test(name):
            with pytest.raises(Refused) as refused:
                imports.take(folder, PROJECT, copy)
            said = str(refused.value)
            assert said.startswith(("There is no export at ", str(folder)))
            assert said.isprintable()
            assert len(said) < 400
        for left in (folder, copy):
            shutil.rmtree(left, ignore_errors=True)
        assert {path.name for path in tmp_path.iterdir()} == {"outside", "work"}
    assert (tmp_path / "outside").read_text() == "dear to somebody"


SAID = {  # what is said of the faults that people meet
    "of Firebase's suite": (exports.MANIFEST, None, "Firebase's suite made it, without the keys"),
    "of something else": ("format", "x", "reprieve-export.json says nothing of one"),
    "newer": ("version", 3, "another version (format 3; this one reads 1 and 2)"),
    "of another project": ("project", "demo-x", "add '--project demo-x'"),
    "changed": (exports.DATA, b"x", "overall_export_metadata was changed"),
    "missing": ("clock", None, "is damaged: clock is missing"),
    "added": ("keys/x", b"", "keys/x does not belong to it"),
    "no keyring": ("keyring.json", b"{}", "keyring.json was changed"),
}


def test_what_is_said(made, tmp_path, subtests):
    """The fault by its name, and what to do."""
    for name, (what, value, said) in SAID.items():
        folder = tmp_path / name
        shutil.copytree(made, folder)
        if value is None:
            (folder / what).unlink()
        elif isinstance(value, bytes):
            (folder / what).write_bytes(value)
        else:
            _member(exports.MANIFEST, what, value, folder)
        with subtests.test(name), pytest.raises(Refused) as refused:
            imports.take(folder, PROJECT, tmp_path / "copy")
        assert said in str(refused.value)
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)


def test_what_is_taken(made, tmp_path):
    """All that was kept, and a copy of the documents; a marker of the key store comes along."""
    folder = tmp_path / "saved"
    shutil.copytree(made, folder)
    (folder / "keys" / ".identity.json").write_bytes(b"a random id\n")
    listed_anew(folder, made_at="2026-01-01\x1b10:00:00+00:00")
    found = imports.take(folder, PROJECT, tmp_path / "copy")
    assert found.made_at.isprintable()
    assert found.kept == {
        **state.State(made.parent / "state").kept(),
        "keys/.identity.json": b"a random id\n",
        "form.json": b'{"form": 2}\n',
    }
    assert found.data.read_bytes() == (folder / exports.DATA).read_bytes()
    assert found.data.is_relative_to(tmp_path / "copy")
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "copy", found.data.parent)}
    assert modes == {0}


def test_a_full_disk_is_named(made, tmp_path):
    """Not the export is at fault, but where its documents are to be copied."""
    code = "import sys, resource; from pathlib import Path; from emulator import imports; "
    code += "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); "
    code += "imports.take(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))"
    command = [sys.executable, "-c", code, str(made), PROJECT, str(tmp_path / "copy")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    said = f"Refused: {tmp_path / 'copy'} cannot be written: File too large. Nothing was imported."
    assert said in done.stderr


@pytest.mark.parametrize("words", [("start",), ("exec", "--", "true")], ids=lambda words: words[0])
def test_a_hostile_export_at_the_command_line(made, tmp_path, words):
    """Exit code 1, and one line on standard error."""
    folder = tmp_path / "saved"
    shutil.copytree(made, folder)
    _content("keys/" + ESCAPES, b"x", folder)
    name, *rest = words
    options = ["--state", str(tmp_path / "state"), "--project", PROJECT, "--import", str(folder)]
    ports = [f"--{port}-port=0" for port in ("hosting", "functions", "firestore", "hub")]
    done = subprocess.run(
        [sys.executable, "-m", "emulator", name, *options, *ports, *rest],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert f"{folder} is damaged: keys/\\x1b]0;title" in done.stderr
    assert done.stderr.strip().isprintable()
    assert not {"keyring.json", "import"} & {path.name for path in (tmp_path / "state").iterdir()}
