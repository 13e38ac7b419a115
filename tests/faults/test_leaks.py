"""No planted value and no key shows anywhere but where it belongs: `planting` plants, this looks.

Not looked at: the memory of running processes (it holds values while it works with them, and
Python clears none), and what the disk keeps of deleted files.
"""

import base64
import json
import logging
import os
import resource
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared import keys, quotas
from shared.app import App
from shared.calls import Answer, Call, Page, Principal
from shared.keys import envelope, keyring
from shared.keys.local import MARKER, open_keyring
from shared.kinds import table
from shared.lifecycle import Project
from shared.resources import data_key_path, sealing
from tests.faults.canaries import Canaries, documents, files, shows
from tests.faults.faulty import Rule, troubled
from tests.faults.hosts import troubled_host, worker
from tests.faults.planting import Planting, Program
from tests.support import ROOT, forms_of

pytestmark = pytest.mark.slow

LOUD = {  # every library says all that it can
    "CE_LOG_LEVEL": "debug",
    "GOOGLE_SDK_PYTHON_LOGGING_SCOPE": "google",
    "GRPC_VERBOSITY": "debug",
    "PYTHONFAULTHANDLER": "1",
}
BY_COLLECTION = {kind.collection: kind for kind in table.KINDS}


@dataclass(repr=False)  # it holds keys, and a failed test prints what it was given
class Story:
    """What was planted, where, and what a thief took along before the purge."""

    planting: Planting
    home: Path
    temporary: Path
    program: Program
    cores: set[str]
    stolen: dict[str, Any]
    keyring: Path  # a copy of the file
    halves: dict[str, bytes]
    taken: float  # when, by the store's clock, which is this machine's

    @property
    def doomed(self) -> str:
        """The path of the project that is destroyed."""
        return f"projects/{self.planting.doomed['id']}"

    @property
    def kept(self) -> str:
        """The path of the one that is not."""
        return f"projects/{self.planting.kept['id']}"

    def sealed(self, home: str) -> dict[str, list[bytes]]:
        """Give the envelopes of what was stolen of a project, by the path of the resource."""
        found = {}
        for path, fields in self.stolen.items():
            if path.startswith(home) and fields and "value_id" in fields and "sealed" in fields:
                parts = sealing.part_paths(path, fields)
                whole = [self.stolen[part]["bytes"] for part in parts]
                found[path] = whole or [fields["sealed"]]
        return found

    def opened(self, ring: Any, path: str, envelopes: list[bytes]) -> Any:
        """Open what was stolen, with a keyring or what a thief puts in its place."""
        home = "/".join(path.split("/")[:2])
        record = self.stolen[data_key_path(home.partition("/")[2])]
        kind = BY_COLLECTION[path.split("/")[2]]
        project, stored = Project.of(self.stolen[home]), self.stolen[path]
        return sealing.unlock(ring, project, record, kind, stored, envelopes)


def cores():
    """Give what looks like a picture of a process's memory, where the host runs."""
    return {path.name for path in ROOT.glob("*core*") if path.is_file()}


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Plant everything, on a host of its own that says all that it can; then destroy a project."""
    home, temporary = (tmp_path_factory.mktemp(name) for name in ("leaks", "temporary"))
    before, allowed = cores(), resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (allowed[1], allowed[1]))  # as far as it may
    with troubled_host(home / "host", TMPDIR=str(temporary), **LOUD) as host:
        resource.setrlimit(resource.RLIMIT_CORE, allowed)
        planting = Planting(host)
        planting.watch()
        planting.everything()
        planting.watch()
        program = Program(planting, home / "ce", temporary)
        program.everything(tmp_path_factory.mktemp("given"))
        yield taken_along(
            Story(planting, home / "host", temporary, program, before, {}, home, {}, 0)
        )


def taken_along(story):
    """Take what a thief may have: the whole store, the keyring; and for control the key store."""
    inside = story.planting.host.inside
    story.stolen, story.taken = inside.everything(), time.time()
    story.keyring = story.temporary.parent / "stolen-keys.json"
    story.keyring.write_bytes(inside.settings.keyring.read_bytes())
    halves = [file for file in inside.keys.iterdir() if file.name != MARKER]
    story.halves = {file.name: file.read_bytes() for file in halves}
    values, thief = story.planting.values, open_keyring(inside.settings.keyring, inside.keys)
    stored = json.loads(story.keyring.read_text())
    for name, key in [*stored["keks"].items(), ("signing key", stored["signing_key"])]:
        values.keys |= {f"{name}, as it is stored": key, name: base64.b64decode(key)}
    for name, half in story.halves.items():
        values.keys[f"the half of {name}"] = half.partition(b"\n")[2]
    for home in (story.doomed, story.kept):
        project = home.partition("/")[2]
        record = story.stolen[data_key_path(project)]
        values.keys[f"the data key of {project}"] = thief.open(project, record)
        first = thief._wrapper.now().unwrap(record["kek"], record["wrapped"], project)
        values.keys[f"the first half of {project}"] = first
    tokens = json.loads((story.planting.host.state / "tokens.json").read_text())
    values.keys |= {f"the token of the {name}": token for name, token in tokens.items()}
    return story


def state_files(story):
    """Give the files of the host, but for those whose very purpose is to hold keys."""
    state, inside = story.planting.host.state, story.planting.host.inside
    own = [state / name for name in ("hub.json", "tokens.json", "credentials.json")]
    return dict(files(story.home, but=(*own, inside.settings.keyring, inside.keys)))


PLACES = {  # where is looked, and how much there must be at least: nothing in nothing is no proof
    "the store": (lambda story: documents(story.stolen), 100),
    "the audit trail": (
        lambda story: documents({p: f for p, f in story.stolen.items() if p.startswith("audit/")}),
        40,
    ),
    "the key store": (lambda story: dict(files(story.planting.host.inside.keys)), 2),
    "logs and state": (state_files, 3),
    "all files of the host": (lambda story: dict(files(story.home)), 8),
    "refusals": (lambda story: story.planting.refusals, 150),
    "arguments and environments": (lambda story: story.planting.seen, 30),
    "what ce says": (lambda story: story.planting.said, 12),
    "what ce keeps": (lambda story: dict(files(story.program.home)), 2),
    "temporary files": (lambda story: {**dict(files(story.temporary)), "": b"none"}, 1),
}
HOLD_KEYS = {"the key store", "all files of the host", "what ce keeps"}  # it is what they are for


@pytest.mark.slow
@pytest.mark.claim("F43", "values planted all over the API show nowhere, whatever fails")
@pytest.mark.claim("ID2", "no secret value in errors, logs, audit, arguments or temporary files")
@pytest.mark.parametrize("place", PLACES)
def test_values(story, place, record_property):
    """At debug level, with errors that quote values and workers killed: no trace of any value."""
    look, least = PLACES[place]
    found, values = look(story), story.planting.values
    assert len(found) >= least
    assert shows(values.marks(), found) == []
    size = sum(map(len, found.values())) / 1e6
    forms = len(next(iter(values.marks().values())))
    record_property("said", f"{len(values.planted)} values, {forms} forms: {place}, {size:.1f} MB")


@pytest.mark.slow
@pytest.mark.claim("F43", "keys, halves, data keys, API keys and tokens show nowhere else")
@pytest.mark.parametrize("place", [place for place in PLACES if place not in HOLD_KEYS])
def test_keys(story, place, record_property):
    """Keys of every sort lie where they belong, in files of the user's alone, and only there."""
    keys = story.planting.values.keys_by_form()
    assert shows(keys, PLACES[place][0](story)) == []
    record_property("said", f"{len(keys)} keys: {place}")


@pytest.mark.slow
def test_each_file_of_keys_holds_its_own(story):
    """A half lies in its file and in no other; what holds keys is readable for its owner alone."""
    inside = story.planting.host.inside
    keys = story.planting.values.keys_by_form()
    for name, content in files(inside.keys, story.planting.host.state):
        found = {row.partition(" in ")[0] for row in shows(keys, {name: content})}
        allowed = {
            "keyring.json": {key for key in keys if "local-" in key or "signing" in key},
            "tokens.json": {"the token of the hub", "the token of the events"},
            "hub.json": {"the token of the hub"},
        }.get(Path(name).name, {f"the half of {Path(name).name}"})
        assert found <= allowed, name
        if found:
            assert Path(name).stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_it_happened(story):
    """The host was loud, all sorts of refusals were given, and workers died and came back."""
    planting, log = story.planting, story.planting.host.log()
    wanted = {201, 202, 400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 417, 500, 503}
    assert set(planting.statuses) >= wanted
    assert log.count("died, starting another") == 3
    assert log.count('"severity": "DEBUG"') > 100  # Google's
    for name in ("urllib3.connectionpool", "[DEBUG] Closing connection", '"message": "ValueError"'):
        assert name in log
    assert len(planting.values.planted) > 300
    assert cores() == story.cores


@pytest.mark.slow
def test_no_picture_of_the_memory(story):
    """A crash leaves no core, though the shell that started the host allowed one."""
    host = story.planting.host
    for pid in (host.process.pid, worker(host)):
        limits = Path(f"/proc/{pid}/limits").read_text()
        line = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        assert line.split()[4:6] == ["0", "0"]


VALUE = Canaries().plant("to be found", " %/+&=?#\"\\'<>é😀\u2028")
CARRIERS = {
    "a file": lambda form, folder: (
        (folder / "a").write_bytes(b"before" + form + b"after") and dict(files(folder))
    ),
    "the name of a file": lambda form, folder: (
        (folder / (form.hex()[:200])).write_bytes(form) and dict(files(folder))
    ),
    "a document": lambda form, _: documents({"a/b": {"k": [{"l": b"before" + form}]}}),
    "the path of a document": lambda form, _: (
        documents({f"a/{form.decode('latin-1')}": {}}) | documents({"a/b": {"k": form}})
    ),
}


def _logged(form, folder):
    """Log a form as the host's libraries would."""
    handler = logging.FileHandler(folder / "log", encoding="latin-1")
    record = logging.LogRecord("x", 10, "x.py", 1, "said %s", (form.decode("latin-1"),), None)
    handler.emit(record)
    handler.close()
    return dict(files(folder))


CARRIERS["a log"] = _logged


@pytest.mark.parametrize("carrier", CARRIERS)
def test_the_search_finds(tmp_path, carrier, subtests):
    """Each form, planted on purpose, is found in each sort of place: the search can fail."""
    for number, (form, text) in enumerate(forms_of(VALUE).items()):
        with subtests.test(form):
            folder = tmp_path / str(number)
            folder.mkdir()
            found = CARRIERS[carrier](text, folder)
            assert shows({"it": {form: text}}, found)
            assert shows({"it": forms_of(VALUE)}, {"x": b"\0" + text + b"\0"})
            assert not shows({"it": forms_of(Canaries().plant("other"))}, found)


def test_the_marks_find_what_is_cut():
    """A value that shows only in part is found by its head or its tail, whatever is about it."""
    values = Canaries()
    value = values.plant("x")
    for form, text in forms_of(value).items():
        for piece in (text[: len(text) * 2 // 3], text[len(text) // 3 :]):
            assert shows(values.marks(), {"x": piece}), form
    for offset in range(3):
        text = base64.b64encode(b"x" * offset + value.encode() + b"yyyy")
        assert shows(values.marks(), {"x": text})


@pytest.fixture(scope="module")
def destroyed(story):
    """The story after one of its two projects was permanently deleted."""
    planting = story.planting
    thief = open_keyring(story.keyring, planting.host.inside.keys)
    for path, envelopes in story.sealed(story.doomed).items():  # the copy is good
        assert story.opened(thief, path, envelopes)
    planting.account.destroy(planting.doomed)
    planting.account.gone(planting.doomed)
    planting.host.quiet()
    return story, thief


@pytest.mark.slow
@pytest.mark.claim("F36", "after a purge, copies of store and keyring made before decrypt nothing")
def test_copies_decrypt_nothing(destroyed, record_property):
    """Neither with the keyring nor with any key that is left; the other project's still open."""
    story, _ = destroyed
    planting, tries = story.planting, 0
    inside = planting.host.inside
    for ring_file in (story.keyring, inside.settings.keyring):
        ring = open_keyring(ring_file, inside.keys)
        for path, envelopes in story.sealed(story.kept).items():
            assert story.opened(ring, path, envelopes)
        for path, envelopes in story.sealed(story.doomed).items():
            with pytest.raises(keys.Undecryptable):
                story.opened(ring, path, envelopes)
            for key in guesses(story):
                tries += 1
                with pytest.raises(keys.Undecryptable):
                    story.opened(Guess(key), path, envelopes)
    record_property("said", f"{len(story.sealed(story.doomed))} values, {tries} guesses")


@dataclass(repr=False)
class Guess:
    """A keyring with one key."""

    key: bytes

    def open(self, *_):
        """Give it."""
        return self.key


def guesses(story):
    """Give what a thief without the second half could take for the data key."""
    project, values = story.doomed.partition("/")[2], story.planting.values
    gone = (f"the half of {project}", f"the data key of {project}")
    left = [k for name, k in values.keys.items() if isinstance(k, bytes) and name not in gone]
    first = values.keys[f"the first half of {project}"]
    label = b"reprieve/v1/data-key/" + project.encode()
    seconds = [b"", bytes(32), first, *left]
    yield from left
    for second in seconds:
        yield envelope.derive(first + second, None, label)


@pytest.mark.slow
@pytest.mark.claim("F36", "a key in a process's memory opens nothing a minute after")
def test_the_key_cache_ends(destroyed, monkeypatch):
    """Who had opened the project before the purge can for 60 s, and not longer."""
    story, thief = destroyed
    path, envelopes = next(iter(story.sealed(story.doomed).items()))
    later = time.monotonic() + quotas.KEY_CACHE_LIFETIME
    monkeypatch.setattr(keyring.time, "monotonic", lambda: later)
    with pytest.raises(keys.Undecryptable):
        story.opened(thief, path, envelopes)
    assert not [
        place for place in thief._memory._kept if place[0] == story.doomed.partition("/")[2]
    ]


@pytest.mark.slow
@pytest.mark.claim("F36", "what the store still gives of the past decrypts nothing")
def test_the_past_decrypts_nothing(destroyed):
    """A read of the store as it was before the purge finds ciphertexts, and they do not open."""
    story, _ = destroyed
    inside = story.planting.host.inside
    domain = App(inside.settings, inside.store, open_keyring(story.keyring, inside.keys))
    then = datetime.fromtimestamp(story.taken, UTC)
    past, _ = troubled(domain, Rule("batch_get_documents", "stale", at=then))
    paths = list(story.sealed(story.doomed))
    found = past.store.read(*paths)
    assert {path: found[path].fields for path in paths} == {p: story.stolen[p] for p in paths}
    assert not any(inside.store.read(*paths)[path].fields for path in paths)
    for path, envelopes in story.sealed(story.doomed).items():
        with pytest.raises(keys.Undecryptable):
            story.opened(domain.keyring, path, envelopes)


@pytest.mark.slow
@pytest.mark.claim("F36", "after a purge nothing of the project is in the store's own export")
def test_the_export(destroyed, tmp_path, record_property):
    """Firestore's emulator writes out all it has: of the project that is left, ciphertexts."""
    story, _ = destroyed
    host = story.planting.host
    host.firestore.export(host.info["project"], tmp_path, "export")
    written = dict(files(tmp_path))
    whole = b"".join(written.values())
    assert shows(story.planting.values.marks(), written) == []
    assert shows(story.planting.values.keys_by_form(), written) == []
    counts = {}
    for home in (story.doomed, story.kept):
        pieces = [one[33:65] for row in story.sealed(home).values() for one in row]
        pieces.append(story.stolen[data_key_path(home.partition("/")[2])]["wrapped"])
        counts[home] = sum(piece in whole for piece in pieces), len(pieces)
    assert counts[story.doomed][0] == 0
    assert counts[story.kept][0] == counts[story.kept][1] > 20
    record_property("said", f"0 of {counts[story.doomed][1]} ciphertexts and keys in it")


@pytest.mark.slow
@pytest.mark.claim(
    "F36", "after a purge no file and no document holds a value or the project's key"
)
def test_nothing_is_left(destroyed):
    """Everything is looked at anew: the store, the key store, logs and state."""
    story, _ = destroyed
    inside, values = story.planting.host.inside, story.planting.values
    project = story.doomed.partition("/")[2]
    gone = {name: forms for name, forms in values.keys_by_form().items() if project in name}
    assert len(gone) == 3
    now = {**documents(inside.everything()), **dict(files(story.home, story.temporary))}
    assert shows(values.marks() | gone, now) == []
    assert os.listdir(inside.keys) != []  # noqa: PTH208 - its names
    assert project not in inside.key_halves()


def test_what_is_handed_on_shows_nothing():
    """A call, an answer, a page, a document and a write show no value when they are printed."""
    from shared.store import Document, Write

    secret, body = "shown", {"data": {"k": "shown"}}
    who = Principal("key", "account", frozenset())
    for thing in (
        Call(who, {"if_match": secret}, body, "trace"),
        Answer(body),
        Page("secrets", [body], None),
        Answer(page=Page("secrets", [body], None)),
        Document("a/b", body),
        Write.create("a/b", body),
    ):
        assert secret not in repr(thing)
        assert secret not in str(replace(thing))
