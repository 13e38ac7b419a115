"""A purge that finds: what is not there was not destroyed, unless its destruction had begun."""

import json

import pytest

from shared.errors import Error
from shared.keys import Undecryptable
from shared.keys.local import MARKER
from shared.projects import reclamations
from shared.store import Write
from shared.upkeep import purge, schedule
from tests.faults.faulty import Rule, troubled
from tests.support import call, halves_in, reclaim, wired, with_key
from tests.support.standing import rewritten
from tests.upkeep.test_key_rotation import again, make, value
from tests.upkeep.test_purge import STEPS

HOUR = 3600
SAID = "a key half is missing that nobody destroyed"


@pytest.fixture(params=["local", "cloud"])
def store(request, host, tmp_path):
    """The domain over each back end, a project that is being destroyed, and its half."""
    google = request.getfixturevalue("google") if request.param == "cloud" else None
    env = google.env() if google else {}
    app = again(with_key(wired(host.info["firestore"], tmp_path, **env)))
    project = make(app)
    reclaim(app, project)
    return app, project, Half(app, google, project)


class Half:
    """A key half as whoever owns the key store has it in hand."""

    def __init__(self, app, google, project):
        self.google, self.name = google, f"half-{project}"
        self.file = app.settings.key_store and app.settings.key_store / project
        self.copy = None

    def take(self):
        """Take it away."""
        if self.google:
            self.copy = self.google.secrets.pop(self.name)
        else:
            self.copy = self.file.read_bytes()
            self.file.unlink()

    def put(self, content=None):
        """Put it back, or something in its place."""
        if self.google:
            self.google.secrets[self.name] = content or self.copy
        else:
            self.file.write_bytes(self.copy if content is None else content)

    def there(self):
        """Tell whether it is there."""
        if self.google:
            return self.name.removeprefix("half-") in self.google.halves()
        return self.file.exists()


def stored(app, project):
    """Give a project as it is stored."""
    return app.store.read(f"projects/{project}")[f"projects/{project}"].fields


def after(app, hours):
    """Run the schedule some hours later."""
    app.settings.clock_file.write_text(str(hours * HOUR))
    return {word: n for word, n in schedule.enforce(app).items() if n}


def told(caplog):
    """Give the lines of the log."""
    return [json.loads(record.message) for record in caplog.records]


@pytest.mark.claim("F53", "a half that is missing is failed and told as ERROR, never shredded")
def test_missing(store, caplog):
    """It is looked for each hour; when it is back it is found, and destroyed."""
    app, project, half = store
    half.take()
    for hours in (0, 2, 4):
        caplog.clear()
        assert purge.advance(app, project) == "fail"
        assert [(line["severity"], line["message"], line["project"]) for line in told(caplog)] == [
            ("ERROR", SAID, project)
        ]
        now = stored(app, project)
        assert (now["status"], now.get("shredded_at")) == ("hard_deletion_failed", None)
        assert purge.advance(app, project) == "nothing"
        assert after(app, hours + 0.5) == {}
        assert after(app, hours + 2) == {"retried": 1}
    _, entries = app.store.query("audit", ("project_id", "==", project), order="at", limit=99)
    acts = [entry.contents["action"].rpartition(".")[2] for entry in entries]
    assert acts[-6:] == ["fail", "retry"] * 3
    half.put()
    assert [purge.advance(app, project) for _ in STEPS] == STEPS
    assert not half.there()


@pytest.mark.claim("F53", "a half that is gone since its destruction began counts as destroyed")
@pytest.mark.parametrize("do", ["before", "after"])
def test_begun(store, do):
    """Who died before its stamp is gone on after: the half was found, and is gone since."""
    app, project, half = store
    assert purge.advance(app, project) == "begin"
    assert stored(app, project)["shredding_at"] == stored(app, project)["progress_at"]
    there, _ = troubled(app, Rule("commit", do, last=9))
    with pytest.raises(Error):
        purge.advance(there, project)
    assert not half.there()
    rest = STEPS[1:] if do == "before" else STEPS[2:]
    assert [purge.advance(app, project) for _ in rest] == rest


@pytest.mark.claim("F54", "a half that comes back before the end is destroyed with the end")
def test_put_back(store):
    """The disk as it was an hour ago: before the tombstone it is destroyed once more."""
    app, project, half = store
    half.take()
    half.put()
    assert [purge.advance(app, project) for _ in range(3)] == ["begin", "shred", "sweep"]
    half.put()
    assert purge.advance(app, project) == "tombstone"
    assert not half.there()
    assert stored(app, project) is None


@pytest.mark.claim("F54", "no tombstone while the key store does not answer")
@pytest.mark.usefixtures("swift")
def test_away_at_the_end(store):
    """What its second answer is counts: none is none."""
    app, project, _ = store
    assert [purge.advance(app, project) for _ in range(3)] == ["begin", "shred", "sweep"]
    there, script = troubled(app, Rule("destroy", "before", error="down"))
    for _ in range(2):
        with pytest.raises(Error) as refused:
            purge.advance(there, project)
        assert refused.value.code == "unavailable"
    assert stored(app, project)["status"] == "hard_deleting"
    script.set()
    assert purge.advance(there, project) == "tombstone"


def test_shredded_by_a_former_version(store):
    """It noted no beginning: what it stamped counts as found, and is destroyed again at the end."""
    app, project, half = store
    stamp = {"shredded_at": stored(app, project)["progress_at"], "swept": 0}
    rewritten(app, project, **stamp)  # and the key store was away at that time
    assert [purge.advance(app, project) for _ in range(3)] == ["sweep", "tombstone", "nothing"]
    assert not half.there()


@pytest.mark.claim("F53", "lost for good: who puts anything in its place says so, and it ends")
def test_lost_for_good(store):
    """docs/operations.md, "The key store is lost for good"; by its owner at once."""
    app, project, half = store
    half.take()
    assert purge.advance(app, project) == "fail"
    half.put(half.google.secret({}, [b"x"]) if half.google else b"")
    assert reclamations.reclaim(app, call(id=stored(app, project)["reclamation_id"])).body
    assert [purge.advance(app, project) for _ in STEPS] == STEPS
    assert not half.there()


@pytest.mark.claim("F52", "in the cloud too: a half of another database is not destroyed")
def test_a_copy_of_the_database(host, tmp_path, google, caplog):
    """A copy has the projects' ids, and the same prefix: the half is the first one's alone."""
    env = google.env()
    app = again(with_key(wired(host.info["firestore"], tmp_path, **env)))
    project = make(app)
    copy = again(
        wired(host.info["firestore"], tmp_path, app.settings.project, CE_DATABASE="copy", **env)
    )
    for path in [document.path for document in app.store.below("", 1000, "id")]:
        copy.store.commit([Write(path, app.store.read(path)[path].fields)])
    reclaim(copy, project)
    assert purge.advance(copy, project) == "begin"
    for _ in range(2):
        with pytest.raises(Error) as refused:
            purge.advance(copy, project)
        assert refused.value.code == "unavailable"
    assert f"is of the database {app.settings.project}/(default)" in caplog.text
    assert project in google.halves()
    reclaim(app, project)
    assert [purge.advance(app, project) for _ in STEPS] == STEPS
    assert [purge.advance(copy, project) for _ in STEPS[1:]] == STEPS[1:]  # it began


@pytest.mark.claim("F54", "a returned disk and an earlier copy of the database open nothing")
def test_a_returned_disk(host, tmp_path):
    """While the key store was away nothing was told as destroyed; what was, stays so."""
    app = again(with_key(wired(host.info["firestore"], tmp_path)))
    project = make(app)
    copy = {
        document.path: app.store.read(document.path)[document.path].fields
        for document in app.store.below("", 1000, "id")
    }
    reclaim(app, project)
    keys = app.settings.key_store
    disk = keys.rename(keys.with_name("disk"))
    keys.mkdir()  # where it is mounted
    for hours, word in ((0.5, "nudged"), (26, "given_up")):
        with pytest.raises(Error):
            purge.advance(app, project)
        assert after(app, hours)[word] == 1
        if word == "given_up":
            assert purge.advance(app, project) == "nothing"
            assert after(app, 27.5)["retried"] == 1
    assert stored(app, project).get("shredded_at") is None
    assert list(keys.iterdir()) == []
    keys.rmdir()
    disk.rename(keys)
    app.settings.clock_file.write_text(str(30 * HOUR))
    schedule.enforce(app)
    assert [purge.advance(app, project) for _ in STEPS] == STEPS
    assert halves_in(keys) == set()
    assert (keys / MARKER).exists()
    app.store.commit([Write(path, fields) for path, fields in copy.items()])
    with pytest.raises(Undecryptable):
        value(again(app), project)


def test_a_link_in_its_place(host, tmp_path):
    """What a link points to is not overwritten: the purge waits until the half is back."""
    app = again(with_key(wired(host.info["firestore"], tmp_path)))
    project = make(app)
    reclaim(app, project)
    half, elsewhere = app.settings.key_store / project, tmp_path / "elsewhere"
    kept = half.read_bytes()
    half.rename(elsewhere)
    half.symlink_to(elsewhere)
    assert purge.advance(app, project) == "begin"
    with pytest.raises(Error) as refused:
        purge.advance(app, project)
    assert refused.value.code == "unavailable"
    assert elsewhere.read_bytes() == kept
    elsewhere.replace(half)
    assert purge.advance(app, project) == "shred"
    assert not half.exists()
