"""Whose a key store is: away, emptied, swapped, another database's; nothing is lost or made."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from emulator import state
from shared.errors import Error
from shared.keys import check_value, identity
from shared.keys.local import MARKER
from shared.store import Write
from shared.upkeep import purge, schedule
from tests.faults.faulty import Rule, troubled
from tests.keys.test_keyring import NOW
from tests.support import halves_in, paths_below, reclaim, wired, with_key
from tests.upkeep.test_key_rotation import DATA, again, make, value

HOUR = 3600


def move_back(folder):
    """Put a key store back that was moved away."""
    if folder.exists():
        folder.rmdir()
    folder.with_name("moved").rename(folder)


def rewritten(marker, **changes):
    """Change a marker; a copy stays beside its folder."""
    shutil.copy(marker, marker.parent.with_name("marker"))
    marker.write_text(json.dumps(json.loads(marker.read_text()) | changes))


def put_back(marker):
    """Put a marker back."""
    marker.parent.with_name("marker").replace(marker)


GONE = {  # what becomes of a key store, and how it is put right
    "moved away": (lambda k: k.rename(k.with_name("moved")), move_back),
    "an empty folder in its place": (
        lambda k: (k.rename(k.with_name("moved")), k.mkdir()),
        move_back,
    ),
    "no folder": (
        lambda k: (k.rename(k.with_name("moved")), k.touch()),
        lambda k: (k.unlink(), move_back(k)),
    ),
    "without its marker": (
        lambda k: (k / MARKER).rename(k.with_name("marker")),
        lambda k: k.with_name("marker").rename(k / MARKER),
    ),
    "with another's marker": (
        lambda k: rewritten(k / MARKER, identity="0" * 32),
        lambda k: put_back(k / MARKER),
    ),
    "with another database's marker": (
        lambda k: rewritten(k / MARKER, database="demo-other/(default)"),
        lambda k: put_back(k / MARKER),
    ),
    "with a damaged marker": (
        lambda k: (rewritten(k / MARKER), (k / MARKER).write_bytes(b"\xff{")),
        lambda k: put_back(k / MARKER),
    ),
}


@pytest.fixture
def app(host, tmp_path):
    """The domain with the checks of a start, to a database and a key store of its own."""
    return again(with_key(wired(host.info["firestore"], tmp_path)))


def refused(act):
    """Require Error `unavailable`, with a time to come back at."""
    with pytest.raises(Error) as error:
        act()
    assert (error.value.code, "Retry-After" in error.value.headers) == ("unavailable", True)


def critical(caplog):
    """Give what was said as CRITICAL."""
    told = [json.loads(record.message) for record in caplog.records]
    return [line["message"] for line in told if line["severity"] == "CRITICAL"]


def stored(app, path=check_value.PATH):
    """Give a document."""
    return app.store.read(path)[path].fields


def everything(app):
    """Give all paths of the store."""
    return set(paths_below(app.store, "", 1000))


def files(folder):
    """Give every file and its content."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_made_once(app):
    """The marker is its owner's alone, and says what `settings/keyring` says, and whose it is."""
    keys = app.settings.key_store
    assert not keys.exists()
    make(app)
    marker = json.loads((keys / MARKER).read_text())
    assert stored(app)["made"] is True
    assert marker == {
        "identity": stored(app)["identity"],
        "database": f"{app.settings.project}/(default)",
    }
    assert [path.stat().st_mode & 0o777 for path in (keys, keys / MARKER)] == [0o700, 0o600]
    before = files(keys), stored(app)
    assert make(again(app), "q")
    assert (files(keys).items() >= before[0].items(), stored(app)) == (True, before[1])
    assert state.is_key(MARKER)  # so exports hold it


@pytest.mark.claim("F51", "a key store that is away, emptied or another's: 503, nothing is made")
@pytest.mark.parametrize("what", GONE)
def test_gone_and_back(app, caplog, what):
    """Create, read and purge wait, in a running and a new process; put right, all is there."""
    project, doomed = make(app), make(app, "doomed")
    reclaim(app, doomed)
    away, back = GONE[what]
    keys = app.settings.key_store
    there, fresh = again(app), again(app)
    there.keyring.ready()
    away(keys)
    before, held = everything(app), files(keys.parent)
    for process in (app, there, fresh):
        process.keyring._memory._kept.clear()
        for act in (
            lambda p=process: make(p, "new"),
            lambda p=process: value(p, project),
            lambda p=process: purge.advance(p, doomed),
            lambda p=process: p.keyring.destroy(doomed),
            lambda p=process: p.keyring.unconfirmed(NOW, 9),
        ):
            refused(act)
    assert any(str(keys) in line for line in critical(caplog))
    assert (everything(app), files(keys.parent)) == (before, held)
    assert stored(app, f"projects/{doomed}").get("shredding_at") is None
    app.settings.clock_file.write_text(str(2 * HOUR))
    assert schedule.enforce(there)["failed"] == 2  # it could look for no orphans and strays
    back(keys)
    for process in (app, there, again(app)):
        assert value(process, project) == DATA
    steps = [purge.advance(there, doomed) for _ in range(5)]
    assert steps == ["begin", "shred", "sweep", "tombstone", "nothing"]
    assert halves_in(keys) == {project}
    assert make(there, "new")


def test_keys_in_memory_serve_on(app):
    """For a minute at most what was opened can be read, as while a key store is down."""
    project = make(app)
    assert value(app, project) == DATA
    GONE["moved away"][0](app.settings.key_store)
    assert value(app, project) == DATA
    with pytest.raises(Error):
        value(again(app), project)


def beside(app, host, tmp_path, kind):
    """Give a second database on the key store, and by the keyring, of the first one."""
    if kind == "another project":
        return with_key(wired(host.info["firestore"], tmp_path))
    name = app.settings.project
    second = wired(host.info["firestore"], tmp_path, name, CE_DATABASE="second")
    if kind == "a copy":
        copied = [Write(path, stored(app, path)) for path in everything(app)]
        second.store.commit(copied)
        return second
    return with_key(second)


@pytest.mark.claim("F52", "a second database on a key store is refused; no half of the first goes")
@pytest.mark.parametrize("kind", ["another project", "another name", "a copy"])
def test_a_second_database(app, host, tmp_path, caplog, kind):
    """It makes, opens, destroys and takes for an orphan nothing, whatever it knows of a project."""
    project, keys = make(app), app.settings.key_store
    (keys / project).rename(keys / f"{project}.new")  # its confirmation was lost
    held = files(keys)
    second = again(beside(app, host, tmp_path, kind))
    second.settings.clock_file.write_text(str(2 * HOUR))
    if kind == "a copy":
        reclaim(second, project)
        refused(lambda: purge.advance(second, project))
    for process in (second, again(second)):
        refused(lambda p=process: make(p, "q"))
        refused(lambda p=process: p.keyring.destroy(project))
        done = schedule.enforce(process)
        assert (done["orphans"], done["failed"]) == (0, 2)
    assert files(keys) == held
    said = f"the key store {keys} is of the database {app.settings.project}/(default)"
    assert [line for line in critical(caplog) if said not in line] == []
    assert value(again(app), project) == DATA
    if kind != "a copy":  # given a key store of its own it begins
        own = replace(second.settings, key_store=tmp_path / "own")
        assert make(again(replace(second, settings=own)), "q")


@pytest.mark.claim("F51", "a start cut short at any of its writes is made good by the next")
@pytest.mark.parametrize("do", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2])
def test_a_start_cut_short(app, do, number):
    """Killed before or after each commit: the next one ends with one identity, made."""
    there, script = troubled(app, Rule("commit", do, first=number))
    there.keyring.check = lambda *what: check_value.check(there.store, *what)
    refused(there.keyring.ready)
    assert script.rules[0].met
    fresh = again(app)
    fresh.keyring.ready()
    assert stored(app)["made"] is True
    marker = json.loads((app.settings.key_store / MARKER).read_text())
    assert marker["identity"] == stored(app)["identity"]
    assert [path.name for path in app.settings.key_store.iterdir()] == [MARKER]


def test_two_databases_begin_at_once(host, tmp_path):
    """One of them has the key store, with all of its processes; the other is refused."""
    pair = [wired(host.info["firestore"], tmp_path) for _ in range(2)]
    processes = [again(app) for app in pair for _ in range(4)]

    def begin(app):
        with suppress(Error):
            app.keyring.ready()
            return app.settings.project
        return None

    with ThreadPoolExecutor(8) as pool:
        begun = [*pool.map(begin, processes)]
    (winner,) = {name for name in begun if name}
    assert begun.count(winner) == 4
    owner = json.loads((tmp_path / "keys" / MARKER).read_text())["database"]
    assert owner == f"{winner}/(default)"


@pytest.mark.claim("F51", "a key store of a former version is adopted where its halves are")
class TestBeforeThereWereIdentities:
    """A database and a key store of a former version, which has noted none."""

    @pytest.fixture
    def project(self, app):
        """Make a project of that time."""
        project = make(app)
        (app.settings.key_store / MARKER).unlink()
        kept = {k: v for k, v in stored(app).items() if k not in (identity.IDENTITY, identity.MADE)}
        app.store.commit([Write(check_value.PATH, kept)])
        return project

    def test_adopted(self, app, project):
        """Where the halves are, the store is marked once; eight processes agree."""
        processes = [again(app) for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            assert [*pool.map(lambda p: value(p, project), processes)] == [DATA] * 8
        marker = json.loads((app.settings.key_store / MARKER).read_text())
        assert (marker["identity"], stored(app)["made"]) == (stored(app)["identity"], True)

    @pytest.mark.parametrize("what", ["moved away", "an empty folder in its place", "no folder"])
    def test_not_adopted(self, app, project, caplog, what):
        """One that is away at the upgrade is waited for; nothing is marked in its place."""
        away, back = GONE[what]
        away(app.settings.key_store)
        held = files(app.settings.key_store.parent)
        there = again(app)
        refused(lambda: make(there, "q"))
        refused(lambda: there.keyring.destroy(project))
        assert stored(app)["made"] is False
        assert files(app.settings.key_store.parent) == held
        said = f"the key store {app.settings.key_store} holds no key half"
        assert any(line.startswith(said) for line in critical(caplog))
        back(app.settings.key_store)
        assert value(again(app), project) == DATA

    def test_without_a_check_value(self, app, project):
        """The same where the database lost what it knew of its keys."""
        app.store.commit([Write.discard(check_value.PATH)])
        GONE["moved away"][0](app.settings.key_store)
        refused(lambda: make(again(app), "q"))
        assert stored(app)["made"] is False
        GONE["moved away"][1](app.settings.key_store)
        assert value(again(app), project) == DATA

    def test_only_what_is_being_destroyed(self, app, project):
        """A half that may be destroyed already tells nothing: the store is adopted."""
        reclaim(app, project)
        (app.settings.key_store / project).unlink()
        again(app).keyring.ready()
        assert (app.settings.key_store / MARKER).exists()
