"""`ce audit verify`: an export is held against the log in it, offline, and no change passes."""

import base64
import hashlib
import json
import subprocess
import sys

import pytest

from shared.log import Key
from tests.ce.test_trail import OFFLINE
from tests.ce.trails import GONE, OWN, checkpoint, export
from tests.support.certificates import AT, ORIGIN, private, witness
from tests.support.cli import run

KEY, CHAIN = "--key", b"reprieve/audit-chain/v1\n"
HELD = "OK: the entries are what the log holds."


@pytest.fixture
def made(tmp_path):
    """An export, and the log's key."""
    folder = tmp_path / "trail"
    folder.mkdir()
    return folder, export(folder)


def verified(folder, *options):
    """Verify an export: exit code, what is said, and what is complained of."""
    done = run("audit", "verify", str(folder), *options)
    return done.returncode, done.stdout, done.stderr


def change(folder, number=1, without=(), **members):
    """Change members of the account's entry of a number; take some away."""
    file = folder / "entries.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    (entry,) = (one for one in lines if one["seq"] == number)
    entry |= members
    for name in without:
        del entry[name]
    file.write_text("".join(f"{json.dumps(one)}\n" for one in lines))


def refused(folder, key, why):
    """Verify an export that does not hold, for a reason."""
    code, out, err = verified(folder, KEY, key)
    assert (code, err) == (1, "")
    assert out.startswith("FAILED: these entries are not what the log holds.\n(")
    assert why in out


def test_an_export_that_holds(made):
    """What was done is told with its place, and nothing is missing."""
    folder, key = made
    code, out, err = verified(folder, KEY, key)
    assert (code, err) == (0, "")
    assert out == (
        "Log        ce.example.com/v1/log/1, 300 entries, 0 witnesses\n"
        "Entries    5 of the account, none missing; 0 more wait, or cannot be shown\n"
        "Export     is entry 28 of the log, number 5\n"
        f"{HELD}\n"
    )


def test_without_a_key_of_ones_own(made):
    """The export's own key is taken where none is given, and that is said."""
    folder, _ = made
    code, out, _ = verified(folder)
    assert code == 0
    assert out.endswith("is the export's own: compare it with one from elsewhere.\n")


def test_alone_and_offline(made):
    """In a process of its own, without a login; a socket would end it otherwise."""
    folder, key = made
    command = [sys.executable, "-c", OFFLINE, "audit", "verify", str(folder), KEY, key]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    assert (done.returncode, done.stderr) == (0, "")
    assert HELD in done.stdout


def test_witnesses(made):
    """As many must have signed as are demanded, or as are named."""
    folder, key = made
    first, second = (["--witness", str(witness(number))] for number in (1, 2))
    assert verified(folder, KEY, key, *first)[0] == 0
    code, out, _ = verified(folder, KEY, key, *first, *second)
    assert code == 1
    assert "1 of 2 witnesses demanded have signed it" in out
    assert verified(folder, KEY, key, *first, *second, "--witnesses", "1")[0] == 0


@pytest.mark.parametrize(
    "members",
    [
        {"record": base64.b64encode(b'{"_type":"urn:reprieve:audit:v1"}').decode()},
        {"salt": "00" * 16},
        {"prev": "00" * 31 + "01"},
        {"seq": 9},
        {"index": 8},
        {"action": "codeengine.c.d"},
        {"id": "e9"},
        {"record": "e30"},
    ],
    ids=lambda members: next(iter(members)),
)
def test_a_changed_entry(made, members):
    """Whatever of an entry is changed, what its members tell included: exit code 1."""
    folder, key = made
    change(folder, 2, **members)
    refused(folder, key, "")


@pytest.mark.parametrize("name", ["_type", "id", "action", "project_id", "key_name", "suppressed"])
def test_a_member_taken_away(made, name):
    """Each member of the record stands beside it, what the API does not tell excepted."""
    folder, key = made
    change(folder, 2, without=[name])
    refused(folder, key, "")


@pytest.mark.parametrize(
    ("number", "members", "why"),
    [
        (2, {"names": ["x"]}, "tells otherwise than its record"),
        (2, {"email": "x@example.com"}, "tells otherwise than its record"),
        (2, {"suppressed": True}, "tells otherwise than its record"),
        (2, {"suppressed": 1.0}, "tells otherwise than its record"),
        (2, {"status": "waiting"}, "'e2' is sealed, and is told otherwise"),
        (2, {"record": None}, "an entry without a record is 'sealed'"),
        (2, {"record": None, "status": "refused"}, "entry 2 is 'refused'"),
        (1, {"seq": True}, "a number is none"),
        (1, {"index": False}, "a number is none"),
        (5, {"index": -272}, "a number is none"),
        (1, {"epoch": True}, "a number is none"),
    ],
)
def test_a_lie_of_an_entry(made, number, members, why):
    """A line tells no more than its record, numbers are numbers, and its status is what it is."""
    folder, key = made
    change(folder, number, **members)
    refused(folder, key, why)


@pytest.mark.parametrize(
    "name", ["id", "account_id", "project_id", "action", "outcome", "initiator", "at"]
)
def test_a_lie_of_a_certificate(made, name):
    """What stands beside a certificate is what it says: whose it is, when, and that it is one."""
    folder, key = made
    change(folder, GONE, **{name: "other"})
    refused(folder, key, "tells otherwise than its record")


def test_a_member_said_twice(made):
    """A line that says something twice is refused: others would read the other one."""
    folder, key = made
    file = folder / "entries.jsonl"
    file.write_text(file.read_text().replace("{", '{"action": "codeengine.c.d", ', 1))
    refused(folder, key, "a member is there twice")


def test_an_entry_that_waits(made):
    """It is said to be unproved; what it tells is what its record says all the same."""
    folder, key = made
    file = folder / "entries.jsonl"
    lines = file.read_text()
    entry = json.loads(lines.splitlines()[1]) | {"status": "waiting"}
    entry |= dict.fromkeys(("seq", "index", "epoch", "prev"))
    file.write_text(f"{lines}{json.dumps(entry)}\n")
    code, out, _ = verified(folder, KEY, key)
    assert code == 0
    assert "; 1 more wait, or cannot be shown: they are not proved\n" in out
    file.write_text(f"{lines}{json.dumps(entry | {'action': 'codeengine.c.d'})}\n")
    refused(folder, key, "tells otherwise than its record")


@pytest.mark.parametrize("change", [{"project": "x"}, {"at": "2026"}, {"entry": "e2"}])
def test_an_export_that_lies_of_itself(made, tmp_path, change):
    """Whose it is is what its own entry says, so no account's is passed off as one project's."""
    for folder, key in (made, (tmp_path / "less", None)):
        if key is None:
            folder.mkdir()
            key = export(folder, skip=(2,))  # noqa: PLW2901 - of the other export
        file = folder / "export.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | change))
        refused(folder, key, "")


def test_entries_of_another_project(tmp_path):
    """An export of one project has that one's entries alone, each once."""
    key = export(tmp_path, project="p")
    file = tmp_path / "entries.jsonl"
    lines = file.read_text()
    first = lines.splitlines()[0]
    file.write_text(f"{lines}{first}\n")
    refused(tmp_path, key, "entry 1 is there twice")
    file.write_text(lines)
    assert verified(tmp_path, KEY, key)[0] == 0
    for name in ("account_id", "project_id"):
        folder = tmp_path / name
        folder.mkdir()
        key = export(folder, project="p", **{name: "other"})
        file = folder / "export.json"
        said = json.loads(file.read_text())
        file.write_text(json.dumps(said | {"project": {"project_id": "other"}.get(name, "p")}))
        refused(folder, key, "is another's")


@pytest.mark.parametrize("number", range(1, OWN + 1))
def test_a_missing_entry(tmp_path, number):
    """An account's entry that is left out is missed; a key for one project claims no such thing."""
    for project, code in ((None, 1), ("p", int(number == OWN))):
        folder = tmp_path / f"{project}"
        folder.mkdir()
        key = export(folder, project=project, skip=(number,))
        assert verified(folder, KEY, key)[0] == code


def test_an_erased_record(made):
    """An entry whose record's time is over has its place in the chain, and nothing is claimed."""
    folder, key = made
    gone = {"record": None, "salt": None, "status": "erased"}
    change(folder, 2, **gone, action="codeengine.c.d")
    code, out, _ = verified(folder, KEY, key)
    assert code == 0
    assert out.splitlines()[1:] == [
        "Entries    4 of the account; 0 more wait, or cannot be shown",
        "Erased     1: not shown, and what is told of them is not proved",
        "Export     is entry 28 of the log, number 5",
        "OK: the entries that are shown are what the log holds.",
    ]
    change(folder, OWN, **gone)
    refused(folder, key, "the entry of the export is not in the log")


def test_an_erased_record_at_the_end(made):
    """What has no record is bound by the entry after it: the last one would be by nothing."""
    folder, key = made
    file = folder / "entries.jsonl"
    lines = file.read_text()
    entry = json.loads(lines.splitlines()[-1]) | {"id": "e6", "seq": 6, "index": 100}
    data = bundled(folder)[28]
    prev = hashlib.sha256(CHAIN + bytes.fromhex(entry["prev"]) + data).hexdigest()
    entry |= {"prev": prev, "record": None, "status": "erased"}
    file.write_text(f"{lines}{json.dumps(entry)}\n")
    refused(folder, key, "the last entry has no record")


def test_a_changed_log(made):
    """Any byte of a bundle, any bundle too many or too few: exit code 1."""
    folder, key = made
    files = sorted((folder / "log" / "1" / "tile").rglob("*"))
    bundles = [file for file in files if file.is_file()]
    assert len(bundles) == 2
    for file in bundles:
        data = file.read_bytes()
        cut = [data[:-1], data[34:], data + data[:34], b"", bytes([data[0]]) + bytes(1) + data[2:]]
        flipped = [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in (0, 1, 2, 33, 40)]
        for other in (*cut, *flipped):
            if other != data:
                file.write_bytes(other)
                assert verified(folder, KEY, key)[0] == 1
        file.write_bytes(data)
    assert verified(folder, KEY, key)[0] == 0


def test_another_key(made):
    """A log that another key signed is not taken, nor a checkpoint that none did."""
    folder, _ = made
    assert verified(folder, KEY, str(Key.of(ORIGIN, private(9))))[0] == 1
    note = folder / "log" / "1" / "checkpoint"
    note.write_text(note.read_text().replace("\n300\n", "\n299\n"))
    assert verified(folder)[0] == 1


def bundled(folder):
    """Give the entries of an export's log."""
    home = folder / "log" / "1" / "tile"
    files = sorted(file for file in home.rglob("*") if file.is_file())
    data = b"".join(file.read_bytes() for file in files)
    return [data[at + 2 : at + 34] for at in range(0, len(data), 34)]


def test_since_a_checkpoint(made, tmp_path):
    """A checkpoint that was kept must be the beginning of the log: of several the last."""
    folder, key = made
    entries, kept = bundled(folder), tmp_path / "kept.txt"
    kept.write_text(f"{checkpoint(entries[:3])}\n{checkpoint(entries[:200], (AT,))}\n")
    code, out, _ = verified(folder, KEY, key, "--since", str(kept))
    assert code == 0
    assert "Since      200 entries, which are the beginning of these\n" in out
    others = [*entries[:199], bytes(32)]
    for note in (checkpoint(others), checkpoint([*entries, bytes(32)])):
        kept.write_text(note)
        assert verified(folder, KEY, key, "--since", str(kept))[0] == 1


def test_slips_of_the_keyboard(made, tmp_path):
    """A file or a key that is none is a mistake, told by its option: nothing is said of entries."""
    folder, key = made
    note, kept = checkpoint(bundled(folder)[:3]), tmp_path / "kept.txt"
    for content in ("none", "", f"{note}x", f"x\n{note}", note[:-1]):
        kept.write_text(content)
        code, out, err = verified(folder, KEY, key, "--since", str(kept))
        assert (code, out) == (2, "")
        assert "--since: cannot read" in err
    for words, option in (
        ((KEY, key, "--since", "/dev/full"), "--since"),
        ((KEY, key, "--witness", key), "--witness"),
        ((KEY, str(witness(1))), KEY),
        ((KEY, str(kept)), KEY),
    ):
        code, out, err = verified(folder, *words)
        assert (code, out) == (2, "")
        assert f"{option}: " in err


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda folder: (folder / "export.json").unlink(), 2),
        (lambda folder: (folder / "export.json").write_text("[]"), 2),
        (lambda folder: (folder / "entries.jsonl").unlink(), 2),
        (lambda folder: (folder / "log" / "1" / "checkpoint").unlink(), 2),
        (lambda folder: (folder / "entries.jsonl").write_text("{"), 1),
        (lambda folder: (folder / "entries.jsonl").write_text(""), 1),
        (lambda folder: (folder / "entries.jsonl").write_text("[]\n"), 1),
        (lambda folder: (folder / "log" / "1" / "checkpoint").write_text("\n"), 1),
        (lambda folder: (folder / "log" / "1" / "keys").write_text("\x1b[2J\n"), 1),
    ],
)
def test_what_is_no_export(made, damage, code):
    """A file that is not there is 2; one that is rubbish is 1; neither is a traceback."""
    folder, _ = made
    damage(folder)
    ended, out, err = verified(folder)
    assert ended == code
    assert "Traceback" not in out + err
    assert "\x1b" not in out + err


def test_no_folder():
    """Without a folder nothing is done, with exit code 2."""
    for words in ((), ("none",)):
        done = run("audit", "verify", *words)
        assert (done.returncode, done.stdout) == (2, "")
