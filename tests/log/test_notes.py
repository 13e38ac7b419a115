"""Signed notes, keys and checkpoints: each in one form, and nothing that is unsigned counts."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.log import EMPTY, Checkpoint, Key, Note, Refused, Signature, opened, parse_lines, sign
from shared.log.notes import COSIGNATURE, ED25519
from tests.support.certificates import LOG, ORIGIN, OTHER, cosign, private, witness

ROOT = bytes(range(32))
TEXT = Checkpoint(ORIGIN, 5, ROOT).text
SIGNED = Checkpoint(ORIGIN, 5, ROOT).signed(LOG)
KEY = Key.of(ORIGIN, LOG)
STRANGE = Signature("unknown", b"\x00\x00\x00\x09", b"whatever")
LINE = SIGNED.decode().splitlines(keepends=True)[-1]


def note(*signatures, text=TEXT):
    """Give a note's bytes."""
    return Note(text, signatures).write()


def log_signature(text=TEXT):
    """Give the log's signature over a text."""
    return sign(text, ORIGIN, LOG)


def test_a_checkpoint():
    """A checkpoint is three lines and a signature, the same bytes each time."""
    assert f"{ORIGIN}\n5\n{base64.b64encode(ROOT).decode()}\n" == TEXT
    assert SIGNED == note(log_signature()) == Checkpoint(ORIGIN, 5, ROOT).signed(LOG)
    found = opened(SIGNED, KEY)
    assert (found.checkpoint, found.witnesses) == (Checkpoint(ORIGIN, 5, ROOT), {})


def test_an_empty_checkpoint():
    """A log without entries has the empty root, and no other."""
    assert opened(Checkpoint(ORIGIN, 0, EMPTY).signed(LOG), KEY).checkpoint.size == 0
    with pytest.raises(Refused, match="an empty tree has another root"):
        Checkpoint(ORIGIN, 0, ROOT).signed(LOG)


def test_a_key():
    """A vkey is read and written as it is, for logs and witnesses."""
    for key in (KEY, witness(1)):
        assert Key.parse(str(key)) == key
    assert len(KEY.id) == 4
    assert Key(ORIGIN, COSIGNATURE, KEY.public).id != KEY.id  # the type is part of it


def test_witnesses():
    """Each witness tells its time; a key that nobody knows is passed over."""
    data = note(log_signature(), STRANGE, cosign(TEXT, 1, 111), cosign(TEXT, 2, 222))
    assert opened(data, KEY).witnesses == {}
    assert opened(data, KEY, [witness(1)]).witnesses == {witness(1): 111}
    both = opened(data, KEY, [witness(1), witness(2)], demanded=2)
    assert both.witnesses == {witness(1): 111, witness(2): 222}
    with pytest.raises(Refused, match="too few witnesses"):
        opened(data, KEY, [witness(2)], demanded=2)


def test_a_witness_counts_once():
    """Neither two lines nor two names make two witnesses of one key."""
    second = private(32)
    twin = Key.of("witness.example.net/twin", second, COSIGNATURE)
    seen = cosign(TEXT, 1, 111)
    data = note(log_signature(), seen, seen, Signature(twin.name, twin.id, seen.value))
    found = opened(data, KEY, [witness(1), witness(1), twin], demanded=1)
    assert set(found.witnesses) == {witness(1), twin}
    with pytest.raises(Refused, match="too few witnesses"):
        opened(data, KEY, [witness(1), witness(1), twin], demanded=2)


def forged(signature, at=-1):
    """Give a signature with a bit changed."""
    value = bytearray(signature.value)
    value[at] ^= 1
    return signature._replace(value=bytes(value))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (note(forged(log_signature())), "a signature is wrong"),
        (note(log_signature(), forged(log_signature())), "a signature is wrong"),
        (note(log_signature(), forged(cosign(TEXT, 1, 5))), "a signature is wrong"),
        (note(log_signature(), forged(cosign(TEXT, 1, 5), at=7)), "a signature is wrong"),
        (
            note(log_signature(), Signature(witness(1).name, witness(1).id, b"\xff" * 72)),
            "a cosignature's time is too large",
        ),
        (note(sign(TEXT, "other", LOG)), "no known key signed it"),
        (note(STRANGE), "no known key signed it"),
        (note(cosign(TEXT, 1, 5)), "the log has not signed it"),
        (note(log_signature()._replace(value=bytes(63))), "a signature is of another size"),
        (
            note(log_signature(), cosign(TEXT, 1, 5)._replace(value=bytes(64))),
            "a signature is of .*",
        ),
        (
            note(log_signature(TEXT + "more\n"), text=TEXT + "more\n"),
            "a checkpoint has three lines",
        ),
        (note(log_signature(TEXT + "\n"), text=TEXT + "\n"), "a checkpoint has three lines"),
        (note(log_signature("\n5\nx\n"), text="\n5\nx\n"), "a checkpoint has three lines"),
        (note(log_signature("one\n"), text="one\n"), "a checkpoint has three lines"),
    ],
)
def test_wrong_signatures(data, why):
    """A known key's line that does not hold refuses the note, whoever else signed it."""
    with pytest.raises(Refused, match=f"^{why}$"):
        opened(data, KEY, [witness(1)])


def test_another_log():
    """A checkpoint that names another log than its key does is refused, though it is signed."""
    text = Checkpoint(OTHER, 5, ROOT).text
    with pytest.raises(Refused, match="it is of another log"):
        opened(note(sign(text, ORIGIN, LOG), text=text), KEY)
    with pytest.raises(Refused, match="no known key signed it"):
        opened(Checkpoint(OTHER, 5, ROOT).signed(LOG), KEY)


def test_keys_of_another_type():
    """A witness's key opens no log, and a log's key is no witness."""
    with pytest.raises(Refused, match="a log's key is of another type"):
        opened(SIGNED, witness(1))
    with pytest.raises(Refused, match="a witness's key is of another type"):
        opened(SIGNED, KEY, [KEY])


def test_two_keys_of_one_id(monkeypatch):
    """Where a name and an id are those of two keys, nobody knows whose line it is."""
    monkeypatch.setattr(Key, "id", b"same")
    with pytest.raises(Refused, match="two keys have the same name and id"):
        Note.parse(SIGNED).verified([KEY, Key.of(ORIGIN, private(7))])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n" + LINE.encode(),
        TEXT.encode(),
        SIGNED[:-1],
        SIGNED + b"\n",
        SIGNED + b"more",
        SIGNED.replace(b"\n", b"\r\n"),
        SIGNED.replace(b"\n5\n", b"\n5\t\n"),
        SIGNED.replace(b"\n5\n", b"\n5\x7f\n"),
        SIGNED.replace(b"\n5\n", b"\n5\xc2\x85\n"),
        SIGNED.replace(b"\n5\n", b"\n5\xff\n"),
        SIGNED + LINE.replace("— ", "- ").encode(),
        SIGNED + LINE.replace("— ", "—  ").encode(),
        SIGNED + LINE.replace("— ", "—\u00a0").encode(),
        SIGNED + LINE.replace(ORIGIN, "a+b").encode(),
        SIGNED + LINE.replace(ORIGIN, "a\u202eb").encode(),
        SIGNED + LINE.replace(ORIGIN, "a" * 256).encode(),
        SIGNED + LINE.replace("\n", " \n").encode(),
        SIGNED + b"\n" + LINE.encode() + b"\n",
        SIGNED + "— a AAAA\n".encode(),
        SIGNED + "— a AAAAAA==\n".encode(),
        SIGNED + "— a AAAAAAB=\n".encode(),
        SIGNED + "— a AAAAAAA\n".encode(),
        SIGNED + "— a AAAA_AA=\n".encode(),
        SIGNED + "— a \u00e9\n".encode(),
        SIGNED + LINE.encode() * 32,
        SIGNED + b"A" * 66000,
    ],
)
def test_other_forms(data):
    """What is no note, or one that is written in another way, is refused."""
    with pytest.raises(Refused):
        opened(data, KEY)


def test_the_largest_note():
    """A note of 64 KiB is read, and none that is larger."""
    room = 2**16 + 2 - len(note(log_signature(), text="a\n"))
    text = "a" * (room - 1) + "\n"
    assert len(note(log_signature(text), text=text)) == 2**16
    with pytest.raises(Refused, match="the text is too large"):
        note(log_signature(text), text="a" + text)


def test_a_text_without_its_end():
    """A checkpoint's text ends with its third line."""
    assert Checkpoint.parse(TEXT) == Checkpoint(ORIGIN, 5, ROOT)
    for text in (f"{TEXT}more", TEXT[:-1]):
        with pytest.raises(Refused, match="a checkpoint has three lines"):
            Checkpoint.parse(text)


def test_the_most_signatures():
    """A note can have 32 lines."""
    assert opened(SIGNED + LINE.encode() * 31, KEY).checkpoint.size == 5
    assert opened(SIGNED + str(STRANGE).encode() + b"\n", KEY).checkpoint.size == 5


@pytest.mark.parametrize(
    "size", ["05", "+5", "-5", "5 ", " 5", "", "\u0665", "5.0", "0x5", f"{2**63}", "9" * 19]
)
def test_sizes(size):
    """A size that is not a decimal number in its one form is refused, though it is signed."""
    text = TEXT.replace("\n5\n", f"\n{size}\n")
    with pytest.raises(Refused, match="a number"):
        opened(note(log_signature(text), text=text), KEY)


@pytest.mark.parametrize("root", ["", "AAAA", base64.b64encode(bytes(31)).decode()[:-2] + "B="])
def test_roots(root):
    """A root that is not 32 bytes of base64 in its one form is refused, though it is signed."""
    text = f"{ORIGIN}\n5\n{root}\n"
    with pytest.raises(Refused, match="base64"):
        opened(note(log_signature(text), text=text), KEY)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        ORIGIN,
        str(KEY)[:-1],
        f"{KEY}A",
        f"{KEY}\n",
        str(KEY).replace(KEY.id.hex(), "00000000"),
        str(KEY).replace(KEY.id.hex(), KEY.id.hex().upper()),
        str(KEY).replace(ORIGIN, OTHER),
        f"a b+{KEY.id.hex()}+{str(KEY).split('+')[2]}",
        f"a+{KEY.id.hex()}+AAAA",
        f"a+{KEY.id.hex()}+{base64.b64encode(bytes([6]) + KEY.public).decode()}",
    ],
)
def test_other_vkeys(vkey):
    """What is no vkey, or has another key's id or name, is refused."""
    with pytest.raises(Refused):
        Key.parse(vkey)


@pytest.mark.parametrize(
    "act",
    [
        lambda: Key("", ED25519, bytes(32)),
        lambda: Key("a b", ED25519, bytes(32)),
        lambda: Key("a", 2, bytes(32)),
        lambda: Key("a", ED25519, bytes(31)),
        lambda: Note("no end", (log_signature(),)).write(),
        lambda: Note(TEXT, ()).write(),
        lambda: Note(TEXT, (Signature("a b", b"1234", b"5"),)).write(),
        lambda: Note(TEXT, (Signature("a", b"123", b"5"),)).write(),
        lambda: Note("a\tb\n", (log_signature(),)).write(),
        lambda: Checkpoint(ORIGIN, -1, ROOT).signed(LOG),
        lambda: Checkpoint(ORIGIN, 2**63, ROOT).signed(LOG),
        lambda: Checkpoint(ORIGIN, 1, b"short").signed(LOG),
        lambda: Checkpoint("a b", 1, ROOT).signed(LOG),
        lambda: parse_lines(""),
        lambda: parse_lines("\n"),
    ],
)
def test_what_is_not_made(act):
    """What could not be read again is not written."""
    with pytest.raises(Refused):
        act()


@settings(deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n"), min_size=1),
    st.integers(1, 4),
)
def test_any_text(text, lines):
    """Any text of UTF-8 without control characters is a note's, empty lines and all."""
    text += "\n"
    signature = sign(text, ORIGIN, LOG)
    data = Note(text, (signature,) * lines).write()
    assert Note.parse(data) == Note(text, (signature,) * lines)
    assert Note.parse(data).verified([KEY]) == {KEY: None}
