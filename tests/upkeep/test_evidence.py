"""What shows that a key half is gone: the key store's own answer, the same whenever it is asked."""

import json
from contextlib import suppress

import pytest

from shared import quotas
from shared.errors import Error
from shared.keys.backends import attested
from shared.store import Write
from shared.upkeep import advance, schedule
from tests.faults.faulty import Rule, troubled
from tests.support import reclaim, wired, with_key
from tests.support.ends import below, certificates, digest_of, ended, essence, made, said_of
from tests.support.former import in_form
from tests.upkeep.test_key_rotation import again
from tests.upkeep.test_missing_halves import Half, stored

STEPS = ["begin", "shred", "sweep", "tombstone"]
ABSENT = {"version": None, "state": "absent", "at": None, "read_back": "absent"}


@pytest.fixture
def local(app):
    """The domain over a folder of halves, with its check."""
    return again(app)


@pytest.fixture
def cloud(host, google, tmp_path):
    """The domain over the cloud's stand-in."""
    return again(with_key(wired(host.info["firestore"], tmp_path, **google.env())))


@pytest.fixture(params=["local", "cloud"])
def either(request):
    """Each of them, and Google's part, None where there is none."""
    google = request.getfixturevalue("google") if request.param == "cloud" else None
    return request.getfixturevalue(request.param), google


def versions_of(google, project):
    """Give the versions of a half as Google has them."""
    return google.secrets[f"half-{project}"]["versions"]


def test_of_a_folder(local):
    """Nothing is there, in the folder of this identity; and no time is kept of what is gone."""
    project = made(local)
    evidences = [local.keyring.destroy(project) for _ in range(3)]
    marker = json.loads((local.settings.key_store / ".identity.json").read_text())
    assert evidences == 3 * [[{"store": f"local/{marker['identity']}", **ABSENT}]]
    local.keyring.drop(project)
    assert not local.keyring.holds(project)


def test_of_secret_manager(cloud, google):
    """The version is DESTROYED, since when Google says, and refused; until it is dropped."""
    project = made(cloud)
    evidences = [cloud.keyring.destroy(project) for _ in range(3)]
    (version,) = versions_of(google, project)
    store = f"projects/demo-keys/secrets/half-{project}"
    gone = {"version": 1, "state": "DESTROYED", "at": f"{version['destroyTime'][:26]}Z"}
    assert evidences == 3 * [[{"store": store, **gone, "read_back": "refused"}]]
    assert not cloud.keyring.holds(project)
    for _ in range(2):
        cloud.keyring.drop(project)
    assert f"half-{project}" not in google.secrets
    assert cloud.keyring.destroy(project) == [{"store": store, **ABSENT}]


def test_of_many_versions(cloud, google):
    """Each is destroyed; eight are told of, and no number is passed over."""
    project = made(cloud)
    versions = versions_of(google, project)
    versions += [{"state": "ENABLED", "data": bytes(32)} for _ in range(150)]
    told = cloud.keyring.destroy(project)
    assert [one["version"] for one in told] == [*range(1, quotas.EVIDENCE + 1)]
    assert {version["state"] for version in versions} == {"DESTROYED"}


@pytest.mark.claim("F30", "a version that no list shows yet is read back by its number")
def test_a_version_that_no_list_shows(cloud, google, monkeypatch):
    """The list is behind by the newest one: nothing counts as destroyed until it is shown."""
    project = made(cloud)
    versions_of(google, project).append({"state": "ENABLED", "data": bytes(32)})
    listed = google._sm_versions

    def behind(name, **how):
        answer = listed(name, **how)
        told = [one for one in answer["versions"] if not one["name"].endswith("/2")]
        return answer | {"versions": told}

    with monkeypatch.context() as patched:
        patched.setattr(google, "_sm_versions", behind)
        with pytest.raises(Error) as refused:
            cloud.keyring.destroy(project)
        assert refused.value.code == "unavailable"
    assert [one["version"] for one in cloud.keyring.destroy(project)] == [1, 2]


def test_it_is_bounded():
    """Texts are cut; a number and a time that are none are left out."""
    told = attested("s" * 999, "1" * 99, "t" * 999, "soon", "absent")
    assert {name: value and len(value) for name, value in told.items()} == {
        "store": 300,
        "version": None,
        "state": 300,
        "at": None,
        "read_back": 6,
    }
    assert attested("", "\u0661", "", "2026-12-07T03:30:02.1+01:00", "")["version"] is None
    assert attested("", "7", "", "2026-12-07T03:30:02.123456789+01:00", "") == {
        "store": "",
        "version": 7,
        "state": "",
        "at": "2026-12-07T02:30:02.123456Z",
        "read_back": "",
    }


def test_none_is_none(local):
    """A key store that shows nothing of what it destroyed is not believed."""
    project = made(local)
    reclaim(local, project)
    assert advance(local, project) == "begin"
    with pytest.raises(Error) as refused:
        advance(troubled(local, Rule("destroy", "lie"))[0], project)
    assert refused.value.code == "unavailable"
    assert stored(local, project).get("shredded_at") is None


EDGES = [(on, do) for on in ("destroy", "commit", "drop") for do in ("before", "after")]


@pytest.mark.slow
@pytest.mark.claim("F1", "the same certificate after a fault at any edge, over each key store")
@pytest.mark.usefixtures("swift")
def test_the_same_after_any_fault(either, subtests):
    """Counts, digest, evidence and all else but the times; and nothing of the half is left."""
    app, google = either
    app.store._jitter = lambda: 0.0
    good = None
    for number in range(len(STEPS)):
        for on, do in [("", ""), *EDGES]:
            with subtests.test(step=number, on=on, do=do):
                project = made(app)
                reclaim(app, project)
                foretold = digest_of(below(app, project))
                assert [advance(app, project) for _ in range(number)] == STEPS[:number]
                error = "ServiceUnavailable" if on == "commit" else "down"
                there = troubled(app, Rule(on, do, error=error, last=1))[0]
                with suppress(Error):
                    advance(there, project)
                ended(app, project)
                said = said_of(app, project)
                assert said["destroyed"]["digest"] == foretold
                good = good or essence(said)
                assert essence(said) == good
                if google:  # where it was not dropped the schedule does it
                    schedule.enforce(app)
                    assert f"half-{project}" not in google.secrets
    assert len(certificates(app)) == len(STEPS) * (1 + len(EDGES))


@pytest.mark.claim("F57", "what is left of a half is dropped with the end, or by the schedule")
def test_dropped(cloud, google):
    """An emptied secret holds nothing, is no half that is back, and does not stay."""
    project = made(cloud)
    reclaim(cloud, project)
    there = troubled(cloud, Rule("drop", "before", error="down"))[0]
    assert [advance(there, project) for _ in STEPS] == STEPS
    assert f"half-{project}" in google.secrets
    assert not cloud.keyring.holds(project)
    assert schedule.enforce(cloud)["returned"] == 0
    assert f"half-{project}" not in google.secrets
    other = made(cloud)
    reclaim(cloud, other)
    assert [advance(cloud, other) for _ in STEPS] == STEPS
    assert f"half-{other}" not in google.secrets


@pytest.mark.claim("F54", "a half that is put back is in the evidence as it was destroyed at last")
def test_what_is_put_back(either):
    """The stamp is not what counts: before the end the key store is asked again."""
    app, google = either
    project = made(app)
    reclaim(app, project)
    half = Half(app, google, project)
    half.take()
    half.put()
    assert [advance(app, project) for _ in range(2)] == STEPS[:2]
    noted = stored(app, project)["evidence"]
    if google:
        whole = {"state": "ENABLED", "data": b"h" * 32}
        half.copy["versions"] = [whole for _ in half.copy["versions"]]
    half.put()
    ended(app, project)
    shown = said_of(app, project)["key"]["evidence"]
    assert {one["read_back"] for one in shown} == {"refused" if google else "absent"}
    assert (shown != noted) == bool(google)  # there it says since when


@pytest.mark.claim("I13", "no certificate of a key that somebody says is gone, and that is not")
def test_a_planted_stamp(either):
    """In the former form a stamp may be planted: the key store is asked before the end."""
    app, _ = either
    project = made(app)
    reclaim(app, project)
    app, path = in_form(app, 1), f"projects/{project}"
    document = app.store.read(path)[path]
    stamp = {"shredded_at": document.contents["progress_at"], "swept": 0}
    unsigned = {name: value for name, value in document.contents.items() if name != "mac"}
    app.store.commit([Write.replace(document, unsigned | stamp)])
    there = troubled(app, Rule("destroy", "before", error="down"))[0]
    assert advance(there, project) == "sweep"
    with pytest.raises(Error):
        advance(there, project)
    assert certificates(app) == {}
    assert app.keyring.holds(project)
    assert advance(app, project) == "tombstone"
    assert not app.keyring.holds(project)
    assert said_of(app, project)["key"]["evidence"][0]["read_back"] in {"refused", "absent"}
