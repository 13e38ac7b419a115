"""A value's chunks open together, in their places, or not at all.

`vectors/chunks-v1.json` and `-v2` pin what a chunk is bound to. They are made by running this file.
"""

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import forms, keys, projects, quotas, resources
from shared.keys import Undecryptable, envelope
from shared.kinds import CONFIG_MAPS, SECRETS
from shared.resources import sealing
from shared.store import Write, values
from tests.support import call, project_of

FILES = {v: Path(__file__).parents[1] / "vectors" / f"chunks-v{v}.json" for v in (1, 2)}
KEY = bytes(range(32))
PROJECT = project_of(id="25bbfb75-e821-4338-9413-d432c6e55f85", region="us-south")
RECORD = {"generation": 1}
STORED = {"name": "hub", "value_id": "v1", "body": {"format": "generic"}}
BASE = ("a" * 32, "us-south", PROJECT.id, "1", "secrets", "hub", "v1", "generic")
# SHA-256 of the canonical JSON of the clear body, by hand, and the number of the version.
GENERIC = (hashlib.sha256(b'{"format":"generic"}').hexdigest(), "0")
NOTHING = (hashlib.sha256(b"{}").hexdigest(), "0")
FORMER = {
    "the only chunk": (*BASE, "0", "last"),
    "the first of several": (*BASE, "0", ""),
    "the second of several": (*BASE, "1", ""),
    "the last of three": (*BASE, "2", "last"),
    "a kind without formats": (*BASE[:4], "config_maps", "hub", "v1", "", "0", "last"),
}
PLACES = {
    name: (*place, *(NOTHING if place[4] == "config_maps" else GENERIC))
    for name, place in FORMER.items()
}
LARGE = {"k": "x" * 1_048_576, "l": "y" * 1_000_000}  # three chunks


class Open:
    """A keyring with one data key for all projects."""

    def open(self, _project_id, _record):
        """Give the data key."""
        return KEY


def vectors(version):
    """Give the vectors of a version as they are to be committed."""
    made = []
    for number, (name, place) in enumerate((FORMER if version == 1 else PLACES).items()):
        salt, aad = bytes([number]) * 32, keys.binding(*place)
        sealed = envelope._seal_with(salt, KEY, b"a chunk", aad, bytes([version]))
        made.append({"name": name, "place": place, "aad": aad.hex(), "salt": salt.hex()})
        made[-1] |= {"data_key": KEY.hex(), "envelope": sealed.hex()}
    return made


def seal(data=LARGE, stored=STORED, kind=SECRETS):
    """Seal values in the place all tests here use."""
    own = {name: value for name, value in stored.items() if name != "body"}
    body = {**stored["body"], "data": data}
    return sealing.lock(Open(), PROJECT, RECORD, kind, own, body)[1]


def formerly(data=LARGE, stored=STORED, kind=SECRETS):
    """Seal values as they were in form 1."""
    plain, size = msgpack.packb({"data": data}), quotas.SEALED_PART_BYTES
    chunks = [plain[start : start + size] for start in range(0, len(plain), size)]
    places = sealing._places(PROJECT, RECORD, kind, stored, [True] * len(chunks))
    pairs = zip(chunks, places, strict=True)
    return [envelope._seal_with(os.urandom(32), KEY, *pair, b"\1") for pair in pairs]


def unseal(sealed, stored=STORED, kind=SECRETS, project=PROJECT, record=RECORD, form=2):
    """Open values."""
    whole = sealing.unlock(Open(), project, record, kind, stored, sealed, form)
    return {name: value for name, value in whole.items() if name not in stored["body"]}


def expect_refusal(*given, **place):
    """Require the one error without a detail."""
    with pytest.raises(Undecryptable) as refused:
        unseal(*given, **place)
    assert refused.value.args == ()
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("version", FILES)
def test_vectors(version):
    """The committed vectors are what is made today, and each envelope opens in its place."""
    committed = json.loads(FILES[version].read_text())
    assert committed == json.loads(json.dumps(vectors(version)))
    for vector in committed:
        aad = keys.binding(*vector["place"])
        assert keys.open_sealed(KEY, bytes.fromhex(vector["envelope"]), aad) == b"a chunk"


def test_places_are_the_vectors():
    """What is sealed opens under exactly the places of the vectors."""
    first, second, last = seal()
    names = ("the first of several", "the second of several", "the last of three")
    opened = [
        keys.open_sealed(KEY, one, keys.binding(*PLACES[name]))
        for one, name in zip((first, second, last), names, strict=True)
    ]
    assert [len(one) for one in opened[:2]] == [quotas.SEALED_PART_BYTES] * 2
    assert msgpack.unpackb(b"".join(opened)) == {"data": LARGE}
    (only,) = seal({"k": "v"})
    assert keys.open_sealed(KEY, only, keys.binding(*PLACES["the only chunk"]))
    (plain,) = seal({"k": "v"}, {**STORED, "body": {}}, CONFIG_MAPS)
    assert keys.open_sealed(KEY, plain, keys.binding(*PLACES["a kind without formats"]))


def test_the_former_form(caplog):
    """Envelopes of version 1 open while the form is 1, each of it counted, and none in form 2."""
    for data in ({"k": "v"}, LARGE):
        sealed = formerly(data)
        assert unseal(sealed, form=1) == {"data": data}
        expect_refusal(sealed)
        assert unseal(seal(data), form=1) == {"data": data}  # what is written meanwhile
    mixed = [*formerly()[:1], *seal()[1:]]  # as a read may find it while it is rewritten
    assert unseal(mixed, form=1) == {"data": LARGE}
    expect_refusal(mixed)
    told = [json.loads(record.message) for record in caplog.records]
    assert all(line["message"] == "of the former store form: envelope v1" for line in told)


def test_the_clear_body_is_bound():
    """No member of it can be changed, added or taken; in form 1 what was sealed then was not."""
    sealed = seal()
    for body in (
        {**STORED["body"], "image_reference": "evil"},
        {},
        {"format": "generic", "x": None},
    ):
        expect_refusal(sealed, {**STORED, "body": body})
        expect_refusal(sealed, {**STORED, "body": body}, form=1)
    more = {**STORED, "body": {**STORED["body"], "image_reference": "evil"}}
    assert unseal(formerly(), more, form=1)


PLAIN = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
PLAIN |= st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(min_size=1, max_size=8)
INNER = st.dictionaries(NAMES, PLAIN | st.lists(PLAIN, max_size=3), max_size=3)


@given(body=st.dictionaries(NAMES, PLAIN | INNER | st.lists(INNER, max_size=2), max_size=4))
def test_a_body_is_digested_alike(body):
    """What Firestore gives back of a body has the digest of what it was given, in any order."""
    there = values.Document()
    values.encode_write("x", Write("x", {"body": body}), write := values.Commit().writes.add())
    there.CopyFrom(write.update)
    back = values.decode(there.fields)["body"]
    assert forms.canonical(back) == forms.canonical(body)
    assert forms.canonical(dict(reversed(body.items()))) == forms.canonical(body)


@pytest.mark.parametrize("more", [-1, 0, 1])
@pytest.mark.parametrize("chunks", [1, 2])
def test_at_the_border(chunks, more):
    """At a chunk's border nothing is lost, and no empty chunk is made."""
    overhead = len(msgpack.packb({"data": {"k": "x" * 900_000}})) - 900_000
    size = chunks * quotas.SEALED_PART_BYTES + more - overhead
    sealed = seal({"k": "x" * size})
    assert len(sealed) == chunks + (more > 0)
    assert unseal(sealed) == {"data": {"k": "x" * size}}


@pytest.mark.claim("I17", "chunks cannot be dropped, reordered, repeated, added or mixed")
def test_no_other_arrangement():
    """Of three chunks only the three, in order, open; a chunk of another write fits nowhere."""
    one, two, three = seal()
    other = seal()[1]
    assert unseal([one, two, three]) == {"data": LARGE}
    for arrangement in (
        *([one], [two], [three], [one, two], [one, three], [two, three], [b""]),
        *([two, one, three], [one, three, two], [three, two, one], [one, one, three]),
        *([one, two, three, three], [one, two, two, three], [one, two, three, b""]),
    ):
        expect_refusal(arrangement)
    (alone,) = seal({"k": "v"})
    for mixed in ([alone, two, three], [one, two, alone], [alone, alone]):
        expect_refusal(mixed)
    assert unseal([one, other, three])  # the same value, sealed again in the same write's place
    elsewhere = {**STORED, "value_id": "v2"}
    again = seal(stored=elsewhere)
    expect_refusal([one, again[1], three])
    expect_refusal([again[0], two, three])


@pytest.mark.claim("T1", "a ciphertext moved to any other place does not open")
@pytest.mark.parametrize(
    "place",
    [
        {"project": replace(PROJECT, id="35bbfb75-e821-4338-9413-d432c6e55f85")},
        {"project": replace(PROJECT, account_id="b" * 32)},
        {"project": replace(PROJECT, region="eu-de")},
        {"record": {"generation": 2}},
        {"kind": CONFIG_MAPS},
        {"stored": {**STORED, "name": "other"}},
        {"stored": {**STORED, "value_id": "v2"}},
        {"stored": {**STORED, "body": {"format": "tls"}}},
        {"stored": {**STORED, "body": {}}},
    ],
    ids="-".join,
)
@pytest.mark.parametrize("data", [{"k": "v"}, LARGE], ids=["one chunk", "three chunks"])
def test_no_other_place(place, data):
    """Of account, region, project, generation, kind, name, value and format each one counts."""
    sealed = seal(data)
    assert unseal(sealed) == {"data": data}
    expect_refusal(sealed, **place)


def secret(app, project, name, data, form="generic"):
    """Create a secret; give its path."""
    body = {"name": name, "format": form, "data": data}
    resources.create(SECRETS, app, call(body=body, project_id=project))
    return f"projects/{project}/secrets/{name}"


def value(app, path):
    """Get a secret's values."""
    _, project, _, name = path.split("/")
    return resources.get(SECRETS, app, call(project_id=project, name=name)).body["data"]


def put(app, path, **fields):
    """Change fields of a document, as who has the database can."""
    app.store.commit([Write.update(app.store.read(path)[path], fields)])


@pytest.mark.claim("T1", "who has the database cannot make one secret answer for another")
def test_moved_in_the_store(app):
    """Envelopes and parts exchanged in the store are refused alike, and open when put back."""
    one, other = (
        projects.create(app, call(body={"name": name})).body["id"] for name in ("one", "other")
    )
    small, large = {"username": "u", "password": "p"}, {"username": "v", "password": "x" * 950_000}
    paths = [
        secret(app, one, "a", small, "basic_auth"),
        secret(app, one, "b", small, "generic"),
        secret(app, other, "a", small, "basic_auth"),
    ]
    parted = [secret(app, one, name, large) for name in ("c", "d")]
    read = app.store.read(*paths, *parted)
    stored = {path: read[path].fields for path in (*paths, *parted)}
    for path in paths[1:]:
        for moved in (("sealed",), ("sealed", "value_id")):  # alone, and with what it is bound to
            put(app, paths[0], **{name: stored[path][name] for name in moved})
            with pytest.raises(Undecryptable):
                value(app, paths[0])
    put(app, paths[0], sealed=stored[paths[0]]["sealed"], value_id=stored[paths[0]]["value_id"])
    assert value(app, paths[0]) == small
    put(app, paths[1], body={**stored[paths[1]]["body"], "format": "basic_auth"})
    with pytest.raises(Undecryptable):
        value(app, paths[1])
    c, d = (sealing.part_paths(path, stored[path]) for path in parted)
    parts = {path: app.store.read(path)[path].fields["bytes"] for path in (*c, *d)}
    for path, source in ((c[0], d[0]), (c[1], d[1]), (c[0], c[1])):
        put(app, path, bytes=parts[source])
        with pytest.raises(Undecryptable):
            value(app, parted[0])
        put(app, path, bytes=parts[path])
    for count in (0, 1):
        put(app, parted[0], parts=count)
        with pytest.raises(Undecryptable):
            value(app, parted[0])
    put(app, parted[0], parts=2)
    assert value(app, parted[0]) == large


if __name__ == "__main__":
    for number, file in FILES.items():
        file.write_text(json.dumps(vectors(number), indent=1) + "\n")
