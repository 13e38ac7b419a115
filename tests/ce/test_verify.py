"""The auditor's file: alone, offline, and not to be talked into anything.

It shares no code with `shared/log/`, which makes what it verifies here.
"""

import ast
import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from ce import verify
from shared.log import Key, Note, Place, Proof, Signature, dump, entry, verified
from shared.log.notes import COSIGNATURE
from tests.support.certificates import (
    AT,
    LOG,
    MOVED,
    OTHER,
    SALT,
    TEST_ORIGIN,
    WITNESSES,
    certificate,
    cosign,
    held,
    private,
    statement,
    witness,
)

FILE = Path(verify.__file__)
VECTOR = Path(__file__).parents[1] / "vectors" / "log-1"

# Runs the file as a script in a process that ends with 97 as soon as it touches the network.
OFFLINE = """
import os, runpy, sys
sys.addaudithook(lambda event, _: event.startswith("socket.") and os._exit(97))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

SAYS = """\
Project    0b7c2a51-6f0e-4f5e-9a43-2f1d3c5b7e90
Asked for  2026-11-30T02:28:05Z by 'ci' (6cf9dbfe657ab702); restorable until 2026-12-07T02:28:05Z
Key        destroyed 2026-12-07T02:30:02Z; read back: refused
Documents  1 config_maps, 3 others, 1 secrets (1 undigested); destroyed by 2026-12-07T02:30:03Z
Log        ce.example.com/v1/log/1, entry 200 of 300, {witnesses} witnesses
"""
HELD = """\
OK: the certificate is what the log holds.
Not shown: copies that readers made before, exports, whether the key store told the truth.
"""
CLOCK = "TEST, not evidence: this host's clock was moved while the project existed.\n"
EMULATOR = "TEST, not evidence: it was made beside an emulator.\n"
TEST_HOST = "TEST, not evidence: its log is of a test host.\n"
NOT_IN_IT = (
    "FAILED: this certificate is not in the log: it, its proof or its key was changed.\n({why})\n"
)
IN_IT = "FAILED: this certificate is in the log, but that is not enough.\n({why})\n"


def refusal(shown, *witnesses):
    """Give why a certificate does not hold, "" if it does: as the functions of the file say."""
    try:
        keys = [verify.parsed_key(shown.key, verify.LOG)]
        keys += [verify.parsed_key(str(one), verify.WITNESS) for one in witnesses]
        place, seen = verify.proved(shown.record, shown.proof.decode(), *keys)
        verify.need(len(seen) == len(witnesses), "too few witnesses")
        verify.agreed(shown.record, place, min([*seen, 2**63]) + verify.LATE)
    except Exception as error:  # noqa: BLE001 - as `main` does
        return f"{type(error).__name__}: {error}"
    return ""


def alone(folder, shown, *options):
    """Copy the file into an empty folder, and run it there without a network."""
    (folder / "verify.py").write_bytes(FILE.read_bytes())
    (folder / "c").write_bytes(shown.record)
    (folder / "p").write_bytes(shown.proof)
    (folder / "log.vkey").write_text(f"{shown.key}\n")
    command = [sys.executable, "-I", "-c", OFFLINE, "verify.py", "c", "p", "--key", "log.vkey"]
    return subprocess.run(
        [*command, *options], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_certificate_alone_and_offline(tmp_path):
    """In a process of its own, without our modules, a certificate is verified; no socket opened."""
    done = alone(tmp_path, certificate(), "--witness", str(witness(1)))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == SAYS.format(witnesses="1 of 1") + HELD


def test_a_changed_certificate_alone_and_offline(tmp_path):
    """In a process of its own, a certificate with another byte is refused."""
    shown = certificate()
    changed = shown._replace(record=shown.record.replace(b"refused", b"Refused"))
    done = alone(tmp_path, changed)
    why = "ValueError: the log holds something else there"
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == NOT_IN_IT.format(why=why)


def test_the_network_would_be_noticed(tmp_path):
    """A file that opens a socket ends otherwise: what the two tests above stand on."""
    (tmp_path / "asks.py").write_text("import socket\nsocket.socket()\n")
    command = [sys.executable, "-I", "-c", OFFLINE, str(tmp_path / "asks.py")]
    assert subprocess.run(command, check=False).returncode == 97


def test_it_is_a_program(tmp_path, monkeypatch, capsys):
    """Where it lies it runs as well, and its exit code is what it found."""
    shown = certificate(**MOVED)
    (tmp_path / "c").write_bytes(shown.record)
    (tmp_path / "p").write_bytes(shown.proof)
    for options, code in ((["--allow-test"], 0), ([], 1)):
        files = [str(tmp_path / name) for name in ("c", "p")]
        monkeypatch.setattr(sys, "argv", [str(FILE), *files, "--key", shown.key, *options])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(FILE), run_name="__main__")
        assert ended.value.code == code
    assert capsys.readouterr().out.endswith(CLOCK)


def test_the_file():
    """It has 150 lines at most, and imports the standard library and `cryptography` alone."""
    text = FILE.read_text()
    assert len(text.splitlines()) <= 150
    nodes = list(ast.walk(ast.parse(text)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} - sys.stdlib_module_names == {"cryptography"}
    assert not names & {"socket", "ssl", "http", "urllib", "subprocess", "ctypes"}


def test_vector_a():
    """The vector's proof leads to its checkpoint, as `shared/log/` has it."""
    made = json.loads((VECTOR / "a.json").read_text())
    keys = verify.parsed_key(made["log"], 1), verify.parsed_key(made["witness"], 4)
    record = made["entries"][3]["record"].encode()
    proof = (VECTOR / "a.tlog-proof").read_text()
    place = "ce.example.com/v1/log/1, entry 3 of 5"
    assert verify.proved(record, proof, *keys) == (place, [made["time"]])
    with pytest.raises(ValueError, match="something else"):
        verify.proved(record + b" ", proof, *keys)


def test_every_bit_of_vector_a():
    """No change of a bit verifies under the witness; both files pass the same ones without it."""
    made = json.loads((VECTOR / "a.json").read_text())
    log, seer = verify.parsed_key(made["log"], 1), verify.parsed_key(made["witness"], 4)
    ours, record = Key.parse(made["log"]), made["entries"][3]["record"].encode()
    leaf = entry(Place.unpack(bytes.fromhex(made["entries"][3]["extra"])), record)
    whole, passed = (VECTOR / "a.tlog-proof").read_bytes(), 0
    for at in range(len(whole) * 8):
        data = bytearray(whole)
        data[at // 8] ^= 1 << at % 8
        try:
            _, seen = verify.proved(record, data.decode(), log, seer)
        except Exception:  # noqa: BLE001 - as `main` does
            continue
        assert seen == []
        assert verified(Proof.parse(bytes(data)), leaf, ours)
        passed += 1
    assert passed == 176


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 255, 256, 257, 300])
def test_every_tree(size):
    """Its own way through the tree and that of `shared/log/` agree at each index."""
    for index in range(0, size, max(1, size // 24)):
        shown = held(b"{}", size=size, index=index)
        assert refusal(shown).startswith("KeyError")  # it is in the log, and says nothing
        moved = Proof.parse(shown.proof)
        for other in {(index + 1) % size, size} - {index}:
            wrong = Proof(other, moved.path, moved.checkpoint, moved.extra).write()
            assert refusal(shown._replace(proof=wrong)).startswith("ValueError: the ")


def test_every_byte_of_a_certificate():
    """No byte of a certificate can be another one."""
    shown = certificate()
    assert refusal(shown, witness(1)) == ""
    for at in range(len(shown.record)):
        changed = bytearray(shown.record)
        changed[at] ^= 1
        wrong = shown._replace(record=bytes(changed))
        assert refusal(wrong) == "ValueError: the log holds something else there"


def test_every_byte_of_a_proof():
    """No byte of a proof can be another one, where the witness is demanded."""
    shown = certificate()
    for at in range(len(shown.proof)):
        changed = bytearray(shown.proof)
        changed[at] ^= 1
        assert refusal(shown._replace(proof=bytes(changed)), witness(1))


def test_keys_as_texts_and_files(verdict, tmp_path):
    """A key may be a text or a file; another log's key, or a witness's, opens nothing."""
    shown = certificate()
    (tmp_path / "log.vkey").write_text(shown.key)
    assert verdict(shown, key=str(tmp_path / "log.vkey"))[0] == 0
    name, unsigned = "ce.example.com/v1/log/1", "the log has not signed it"
    for key, why in (
        (str(Key.of(OTHER, LOG)), unsigned),
        (str(Key.of(name, private(9))), unsigned),
        (str(Key.of(name, LOG, COSIGNATURE)), "a wrong type"),
        (str(witness(1)), "a wrong type"),
        (shown.key.replace(shown.key.split("+")[1], "00000000"), "a vkey has another key's id"),
        (shown.key.replace("log/1", "log/2"), "a vkey has another key's id"),
    ):
        assert verdict(shown, key=key) == (1, NOT_IN_IT.format(why=f"ValueError: {why}"))
    (tmp_path / "log.vkey").write_text(f"{shown.key}\n\n")
    assert verdict(shown, key=str(tmp_path / "log.vkey")) == (
        1,
        NOT_IN_IT.format(why="ValueError: a vkey is not in its form"),
    )


def test_another_origin(verdict):
    """A checkpoint that the key has signed for another log is refused."""
    shown = certificate()
    proof = Proof.parse(shown.proof)
    text = Note.parse(proof.checkpoint).text.replace("log/1", "log/2")
    key = Key.of("ce.example.com/v1/log/1", LOG)
    note = Note(text, (Signature(key.name, key.id, LOG.sign(text.encode())),)).write()
    wrong = Proof(proof.index, proof.path, note, proof.extra).write()
    code, out = verdict(shown._replace(proof=wrong))
    assert (code, out) == (1, NOT_IN_IT.format(why="ValueError: the log has not signed it"))


def test_witnesses(verdict):
    """As many witnesses as are named are demanded, or as many as one says."""
    shown = certificate(times=(AT, AT + 5))
    seers = [option for number in (1, 2) for option in ("--witness", str(witness(number)))]
    third = ["--witness", str(Key.of("w3", private(9), COSIGNATURE))]
    assert verdict(shown) == (0, SAYS.format(witnesses="0 of 0") + HELD)
    assert verdict(shown, *seers) == (0, SAYS.format(witnesses="2 of 2") + HELD)
    assert verdict(shown, *seers, *third, "--witnesses", "2")[0] == 0
    assert verdict(shown, *seers, *third) == (
        1,
        IN_IT.format(why="ValueError: 2 of 3 witnesses demanded have signed it"),
    )
    assert verdict(shown, "--witnesses", "1")[0] == 1
    assert verdict(shown, *seers[:2], *seers[:2])[0] == 1  # the same one twice is one


def test_a_witness_under_two_names(verdict):
    """One key is one witness, whatever it is called."""
    twin = Key.of("twin", WITNESSES[witness(1).name], COSIGNATURE)

    def lines(text):
        seen = cosign(text, 1, AT)
        return [seen, Signature(twin.name, twin.id, seen.value)]

    shown = held(dump(statement()), lines=lines)
    seers = ["--witness", str(witness(1)), "--witness", str(twin)]
    assert verdict(shown, *seers)[0] == 1
    assert verdict(shown, *seers, "--witnesses", "1")[0] == 0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda one: one._replace(value=bytes(72)), "InvalidSignature: "),
        (
            lambda one: one._replace(value=one.value[1:]),
            "ValueError: a signature is of another size",
        ),
        (
            lambda one: one._replace(value=one.value[:7] + b"\0" + one.value[8:]),
            "InvalidSignature: ",
        ),
    ],
)
def test_a_wrong_witness(verdict, change, why):
    """A line of a known witness that does not hold refuses all, even if none is demanded."""
    shown = held(dump(statement()), lines=lambda text: [change(cosign(text, 1, AT))])
    seer = ("--witness", str(witness(1)))
    assert verdict(shown)[0] == 0  # it is unknown
    assert verdict(shown, *seer, "--witnesses", "0") == (1, NOT_IN_IT.format(why=why))


def test_of_a_test(verdict):
    """What was made under a moved clock is no evidence; it can be looked at all the same."""
    shown = certificate(**MOVED)
    says = SAYS.format(witnesses="0 of 0") + CLOCK
    assert verdict(shown) == (1, says)
    assert verdict(shown, "--allow-test") == (0, says + HELD)


WORLD = "predicate__environment"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"predicate__test": True}, EMULATOR),
        ({"predicate__test": 0}, EMULATOR),
        ({WORLD: {"clock": "store", "store": "emulator"}}, EMULATOR),
        ({WORLD: {"clock": "moved", "store": "firestore"}}, CLOCK),
        ({WORLD: {"clock": "store", "store": "firestore", "more": 1}}, EMULATOR),
        ({WORLD: {"clock": "host"}}, CLOCK),
    ],
)
def test_what_says_that_it_is_a_test(verdict, changes, why):
    """Either of the two is enough: what it says outright, and where it says that it was made."""
    shown, says = certificate(**changes), SAYS.format(witnesses="0 of 0") + why
    assert verdict(shown) == (1, says)
    assert verdict(shown, "--allow-test") == (0, says + HELD)


def test_a_name(verdict):
    """Who has the salt can show that it is of a project of this name, and of no other."""
    shown, salt = certificate(), SALT.hex()
    assert verdict(shown, "--name", "shop", "--salt", salt)[0] == 0
    other = "its project had another name, or another salt"
    for options in (
        ("--name", "Shop", "--salt", salt),
        ("--name", "shop", "--salt", salt[2:]),
        ("--name", "", "--salt", salt),
        ("--name", "shop"),
    ):
        wrong = verdict(shown, *options)
        assert wrong == (1, IN_IT.format(why=f"ValueError: {other}"))
    assert verdict(shown, "--name", "shop", "--salt", "x")[0] == 1


def test_who_is_not_known(verdict):
    """Of what version 0.1.0 deleted nobody knows who asked, or what its key half was."""
    nobody = {"predicate__requested_by": {"id": None, "name": None}}
    code, out = verdict(certificate(**nobody))
    assert (code, out.splitlines()[1].partition(" by ")[2][:12]) == (0, "None (None);")


def test_of_a_test_host(verdict):
    """A log beside an emulator says so by its name, whatever the certificate says."""
    shown = certificate(origin=TEST_ORIGIN)
    code, out = verdict(shown)
    assert (code, out.splitlines()[-1]) == (1, TEST_HOST.strip())
    assert verdict(shown, "--allow-test")[0] == 0


def test_times_and_witnesses(verdict):
    """No witness can have seen what was yet to come, by 300 seconds; of a test, it can."""
    seer = ("--witness", str(witness(1)))
    assert verdict(certificate(times=(AT - 299,)), *seer)[0] == 0
    code, out = verdict(certificate(times=(AT - 300,)), *seer)
    assert (code, out) == (1, IN_IT.format(why="ValueError: it is dated after it was seen"))
    test = certificate(times=(AT - 9999,), **MOVED)
    assert verdict(test, *seer)[0] == 1
    assert verdict(test, *seer, "--allow-test")[0] == 0


LINE, MORE = "predicate__timeline__", "predicate__"
BEFORE, LATER = "2026-11-01T08:59:59Z", "2027-01-01T00:00:00Z"
ORDER, FORM = "ValueError: its times are out of order", "ValueError: a time is not in its form"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({f"{LINE}restores": [BEFORE]}, ORDER),
        ({f"{LINE}restores": [LATER]}, ORDER),
        ({f"{LINE}restores": ["2026-11-20T10:00:01Z", "2026-11-20T10:00:00Z"]}, ORDER),
        ({f"{LINE}deleted": BEFORE}, ORDER),
        ({f"{LINE}deadline": "2026-11-30T02:28:04Z"}, ORDER),
        ({f"{LINE}claimed": "2026-12-07T02:30:02.000001Z"}, ORDER),
        ({f"{LINE}shredded": LATER}, ORDER),
        ({f"{LINE}swept": LATER}, ORDER),
        ({f"{LINE}erased": "2026-12-07T02:30:02Z"}, ORDER),
        ({f"{MORE}project__created_at": LATER}, ORDER),
        ({f"{LINE}deadline": LATER}, "ValueError: too early"),
        ({f"{LINE}cause": "whim"}, "KeyError: 'whim'"),
        ({f"{LINE}cause": None}, "KeyError: 'cause'"),
        ({f"{LINE}erased": None}, "KeyError: 'erased'"),
        (
            {f"{LINE}erased": 1796610603},
            "TypeError: expected string or bytes-like object, got 'int'",
        ),
        ({f"{LINE}erased": "2026-12-07T02:30:04"}, FORM),
        ({f"{LINE}erased": "2026-12-07T02:30:04+00:00"}, FORM),
        ({f"{LINE}erased": "2026-12-07 02:30:04Z"}, FORM),
        ({f"{LINE}erased": "2026-12-07T02:30:04Z\n"}, FORM),
        ({f"{LINE}erased": "2026-12-07T02:30:0\u0664Z"}, FORM),
        ({f"{LINE}erased": "2026-13-07T02:30:04Z"}, "ValueError: month must be in 1..12"),
        ({f"{LINE}restores": "never"}, FORM),
        ({"_type": "https://in-toto.io/Statement/v0.1"}, "ValueError: it is no such certificate"),
        ({"predicateType": "urn:other"}, "ValueError: it is no such certificate"),
        ({"subject": []}, "ValueError: it is no such certificate"),
        ({f"{MORE}project__id": "another"}, "ValueError: it is no such certificate"),
        ({f"{MORE}destroyed__digest": "00" * 32}, "ValueError: it is no such certificate"),
        ({"predicate": None}, "KeyError: 'predicate'"),
        ({f"{MORE}test": None}, "KeyError: 'test'"),
        ({f"{MORE}environment": None}, "KeyError: 'environment'"),
        ({f"{MORE}destroyed__undigested": None}, "KeyError: 'undigested'"),
        ({f"{MORE}key__evidence": []}, "ValueError: its key was not read back as gone"),
        (
            {f"{MORE}key__evidence": [{"read_back": "refused"}, {"read_back": "given"}]},
            "ValueError: its key was not read back as gone",
        ),
        ({f"{MORE}key__evidence": [{}]}, "KeyError: 'read_back'"),
        (
            {f"{MORE}destroyed__documents": {"secrets": "1"}},
            "ValueError: Unknown format code 'd' for object of type 'str'",
        ),
    ],
)
def test_contradictions(verdict, changes, why):
    """A certificate that the log holds, and that contradicts itself or lacks something, fails."""
    code, out = verdict(certificate(**changes))
    assert code == 1
    assert out == IN_IT.format(why=why)


def test_a_demand(verdict):
    """Who asked for it at once has it before the deadline; of many keys all were read back."""
    early = {
        f"{LINE}{name}": f"2026-11-30T02:28:0{5 + at}Z"
        for at, name in enumerate(("deleted", "claimed", "shredded", "swept"))
    } | {f"{LINE}erased": "2026-11-30T02:28:09.5Z"}
    evidence = [{"read_back": one} for one in ("refused", "absent")]
    shown = certificate(
        **early, **{f"{LINE}cause": "reclaim", f"{MORE}key__evidence": evidence}, times=()
    )
    code, out = verdict(shown)
    assert code == 0
    assert "read back: absent, refused\n" in out
    assert verdict(certificate(**early))[0] == 1  # it says that the deadline had come


def test_nothing_it_prints_moves_a_cursor(verdict):
    """Escape sequences, line ends and letters of other directions are shown as what they are."""
    name = "c\x1b[2Ji\nOK: the certificate is what the log holds.\r\u202e'\"\u00e9"
    code, out = verdict(certificate(predicate__requested_by={"id": name, "name": name}))
    assert code == 0
    assert out.isascii()
    assert [line.partition(" ")[0] for line in out.splitlines()] == [
        *("Project", "Asked", "Key", "Documents", "Log", "OK:", "Not")
    ]
    assert "\\x1b[2Ji\\nOK" in out
    code, out = verdict(certificate(predicate__timeline__cause="\x1b[2J\n"))
    assert (code, out) == (1, IN_IT.format(why="KeyError: '\\x1b[2J\\n'"))


def test_what_cannot_be_asked(verdict, tmp_path, capsys):
    """A file that is not there, and options that there are not, end with 2."""
    shown = certificate()
    for wrong in (
        ["c", "p"],
        [str(tmp_path / "none"), "p", "--key", shown.key],
        ["c", "p", "--key", shown.key, "--witnesses", "-1"],
        ["c", "p", "--key", shown.key, "--witnesses", "33"],
    ):
        with pytest.raises(SystemExit) as ended:
            verify.main(wrong)
        assert ended.value.code == 2
        assert "usage: python verify.py CERTIFICATE PROOF" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        verdict(shown, key=str(tmp_path / "none"))
