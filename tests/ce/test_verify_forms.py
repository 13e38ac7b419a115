"""Other forms of a certificate and of a proof than the one that each has: all are refused."""

import pytest

from shared.log import Proof, dump
from tests.ce.test_verify import NOT_IN_IT
from tests.support.certificates import (
    INDEX,
    PLACE,
    certificate,
    held,
    statement,
)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"attempts":1,', '"attempts":1,"attempts":1,'),
        lambda text: text.replace('"attempts":1,', '"attempts":2,"attempts":1,'),
        lambda text: text.replace('"attempts":1,', '"attempts":1.0,'),
        lambda text: text.replace('"attempts":1,', '"attempts":1e0,'),
        lambda text: text.replace('"attempts":1,', '"attempts":NaN,'),
        lambda text: text.replace('"attempts":1,', '"attempts":-Infinity,'),
        lambda text: text.replace('"attempts":1,', '"attempts":-0,'),
        lambda text: text.replace('"attempts":1,', '"attempts":9007199254740993,'),
        lambda text: text.replace('"attempts":1,', f'"attempts":{"9" * 400},'),
        lambda text: text.replace('"attempts":1,', '"attempts": 1,'),
        lambda text: text.replace('"attempts":1,', '"attempts":1,"\u00e9":1,'),
        lambda text: text.replace('"attempts":1,', '"attempts":"\\u0031",'),
        lambda text: text.replace('"attempts":1,', '"attempts":"\\ud800",'),
        lambda text: text + "\n",
        lambda text: text[:-1],
        lambda text: "[" * 100 * len(text),
        lambda text: "\ufeff" + text,
        lambda text: f"[{text}]",
        lambda text: text[:0] + "null",
    ],
)
def test_other_forms_of_a_certificate(verdict, change):
    """Bytes that are not their own canonical form are refused, though the log holds them."""
    code, out = verdict(held(change(dump(statement()).decode()).encode()))
    assert code == 1
    assert out.startswith("FAILED: this certificate is in the log, but that is not enough.\n(")


def test_no_text(verdict):
    """Bytes that are no UTF-8 are refused, in a certificate and in a proof."""
    shown = certificate()
    assert verdict(held(b"\xff"))[0] == 1
    assert verdict(shown._replace(proof=b"\xff" + shown.proof))[0] == 1


def edited(shown, old, new):
    """Give what is held with its proof edited."""
    text = shown.proof.decode()
    assert old in text
    return shown._replace(proof=text.replace(old, new, 1).encode())


HASH = Proof.parse(certificate().proof).path[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@v1", "@v2"),
        ("extra ", "extra  "),
        ("extra ", "extra AAAA"),
        ("=\nindex", "==\nindex"),
        ("index 200", "index 0200"),
        ("index 200", "index +200"),
        ("index 200", "index 201"),
        ("index 200", "index 300"),
        ("index 200", f"index {'9' * 19}"),
        ("index 200", "index \u0662\u0660\u0660"),
        ("index 200\n", "index 200\r\n"),
        ("index 200\n", "index 200\n\n"),
        ("index 200\n", "index 200\n" + "A" * 43 + "=\n"),
        ("index 200\n", "index 200\n" + ("A" * 43 + "=\n") * 60),
        ("\n300\n", "\n0300\n"),
        ("\n300\n", "\n300\nmore\n"),
        ("\n300\n", "\n300\x01\n"),
        ("\n300\n", f"\n{2**63}\n"),
        ("— ", "- "),
        ("— ", "—  "),
        ("— ", "—\u00a0"),
        ("— witness", "— wit+ness"),
        ("— witness", "— wit\x1bness"),
        ("— witness", "— wit\x9bness"),
        ("— witness", "— a AAAAAAA\n— witness"),
        ("— witness", "— a AAAAAAB=\n— witness"),
        ("— witness", "\n— witness"),
        ("— witness", "— a AAAAAAA=\n" * 31 + "— witness"),
    ],
)
def test_other_forms_of_a_proof(verdict, old, new):
    """A proof that is written in another way, or exceeds a bound, is refused."""
    code, out = verdict(edited(certificate(), old, new))
    assert code == 1
    assert out.startswith("FAILED: this certificate is not in the log")


def test_the_most_lines(verdict):
    """A note can have 32 lines of signatures; those of unknown keys are passed over."""
    assert verdict(edited(certificate(), "— witness", "— a AAAAAAA=\n" * 30 + "— witness"))[0] == 0
    shown = certificate()
    assert verdict(shown._replace(proof=shown.proof + b"\n"))[0] == 1
    assert verdict(shown._replace(proof=shown.proof[:-1]))[0] == 1
    proof = Proof.parse(shown.proof)
    for path in (proof.path[1:], proof.path[:-1], (*proof.path, HASH), (HASH, *proof.path)):
        wrong = Proof(INDEX, path, proof.checkpoint, proof.extra).write()
        why = "ValueError: the path is too long, or too short"
        assert verdict(shown._replace(proof=wrong)) == (1, NOT_IN_IT.format(why=why))


@pytest.mark.parametrize("extra", [None, bytes(55), bytes(57), PLACE.pack() + b"{", PLACE.salt])
def test_extras(verdict, extra):
    """What the entry is computed from has 56 bytes, and must be there."""
    shown = certificate()
    proof = Proof.parse(shown.proof)
    wrong = Proof(proof.index, proof.path, proof.checkpoint, extra).write()
    code, out = verdict(shown._replace(proof=wrong))
    why = "is of another size, or not in its one form" if extra else "the proof is not in its form"
    assert (code, out.count(why)) == (1, 1)


def test_a_byte_between_place_and_record(verdict):
    """No byte of a record can be taken for one of its place, though both hash to the same entry."""
    shown = certificate()
    proof = Proof.parse(shown.proof)
    moved = PLACE.pack() + shown.record[:1]
    wrong = Proof(proof.index, proof.path, proof.checkpoint, moved).write()
    code, out = verdict(shown._replace(record=shown.record[1:], proof=wrong))
    why = "ValueError: a base64 is of another size, or not in its one form"
    assert (code, out) == (1, NOT_IN_IT.format(why=why))
