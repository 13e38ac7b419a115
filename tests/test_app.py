"""Settings, the offset of the clock, and what is shown of them: nothing secret, nothing moved."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from shared import projects, quotas
from shared.app import App
from shared.errors import Error
from shared.settings import Settings
from tests.support import call, wired

ID = "25bbfb75-e821-4338-9413-d432c6e55f85"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LOCAL = {"FIRESTORE_EMULATOR_HOST": "127.0.0.1:8080"}


def test_repr_tells_nothing(host, tmp_path):
    """Nothing that holds keys shows them when printed."""
    app = wired(host.info["firestore"], tmp_path)
    record = app.keyring.create(ID, NOW)
    stored = json.loads((tmp_path / "keyring.json").read_text())
    texts = [*stored["keks"].values(), stored["signing_key"]]
    half = (tmp_path / "keys" / f"{ID}.new").read_bytes().partition(b"\n")[2]
    keys = [*map(base64.b64decode, texts), half, app.keyring.open(ID, record)]
    ring = app.keyring
    holders = (app, app.settings, ring, ring._wrapper, ring._halves, ring.signing_key)
    for shown in [form(holder) for holder in holders for form in (repr, str)]:
        for key in keys:
            assert not any(
                trace in shown
                for trace in (key.hex(), base64.b64encode(key).decode(), repr(key)[2:-1])
            )


@pytest.mark.parametrize("host", [{}, {"FIRESTORE_EMULATOR_HOST": ""}])
@pytest.mark.parametrize("more", [{}, {"CE_KEYRING": "k"}, {"GOOGLE_CLOUD_PROJECT": "demo-x"}])
def test_no_local_keyring_in_production(host, more):
    """Without the emulator this is production, where the local keyring is refused."""
    with pytest.raises(ValueError, match="local keyring is refused in production"):
        App.from_settings(Settings.from_env(host | more))


def test_no_moved_clock_in_production():
    """In production nobody moves the clock."""
    with pytest.raises(ValueError, match=r"CE_CLOCK_FILE .* refused in production"):
        Settings.from_env({"CE_CLOCK_FILE": "clock"})


def test_defaults():
    """What the environment leaves out has its default."""
    settings = Settings.from_env(LOCAL)
    assert (settings.region, settings.project, settings.database) == (
        "us-south",
        "demo-reprieve",
        "(default)",
    )
    assert settings.endpoint == "https://api.us-south.codeengine.cloud.ibm.com"
    assert settings.projects_per_region == quotas.PROJECTS_PER_REGION == 20
    assert settings.clock_file is None
    assert (settings.keyring, settings.key_store) == (None, None)


def test_from_the_environment():
    """What the environment says, holds."""
    settings = Settings.from_env(
        LOCAL
        | {
            "CE_REGION": "eu-de",
            "CE_KEYRING": "/h/keyring.json",
            "CE_PROJECTS_PER_REGION": "3",
            "CE_CLOCK_FILE": "/c",
            "CE_DATABASE": "other",
        }
    )
    assert settings.endpoint == "https://api.eu-de.codeengine.cloud.ibm.com"
    assert settings.keyring == Path("/h/keyring.json")
    assert (settings.projects_per_region, settings.clock_file) == (3, Path("/c"))
    assert settings.database == "other"


@pytest.mark.parametrize("region", ["", "x/y", "a.b", "US", "-x", "x-", "us-south\n", "a" * 64])
def test_bad_region(region):
    """A region stands in addresses: what is no label of a host name is refused at the start."""
    with pytest.raises(ValueError, match="CE_REGION"):
        Settings.from_env(LOCAL | {"CE_REGION": region})


@pytest.mark.parametrize("number", ["", "x", "1.5"])
def test_bad_number(number):
    """A number that is none is refused at the start."""
    with pytest.raises(ValueError, match="invalid literal"):
        Settings.from_env(LOCAL | {"CE_PROJECTS_PER_REGION": number})


@pytest.mark.parametrize("form", ["0", "3", "x", "1 ", "02", "1.0"])
def test_bad_form(form):
    """A store's form that this version does not read is refused at the start."""
    with pytest.raises(ValueError, match="CE_STORE_FORM must be 1 or 2"):
        Settings.from_env(LOCAL | {"CE_STORE_FORM": form})


def test_the_form():
    """What the setting names is demanded; where it names none, the newest, in production too."""
    for env in ({}, LOCAL, {"CE_STORE_FORM": ""}, {"CE_STORE_FORM": "2"}):
        assert Settings.from_env(env).store_form == 2
    assert Settings.from_env({"CE_STORE_FORM": "1"}).store_form == 1


def test_what_is_told_of_readings():
    """Of secrets, or of all that is sealed; a word that is neither is refused at the start."""
    for env, told in (({}, "secrets"), ({"CE_AUDIT_READS": ""}, "secrets")):
        assert Settings.from_env(LOCAL | env).audit_reads == told
    assert Settings.from_env({"CE_AUDIT_READS": "all"}).audit_reads == "all"
    for word in ("none", "0", "ALL", "secrets,all"):
        with pytest.raises(ValueError, match="CE_AUDIT_READS must be secrets or all"):
            Settings.from_env(LOCAL | {"CE_AUDIT_READS": word})


@pytest.mark.parametrize("moment", ["now", "2026-01-31", "2026-01-31T12:00:00", "0", "1790000000"])
def test_bad_moment(moment):
    """A time without its zone could be one of several, and is refused at the start."""
    with pytest.raises(ValueError, match="CE_KEYS_SINCE must be a time with its zone"):
        Settings.from_env(LOCAL | {"CE_KEYS_SINCE": moment})


def test_a_moment():
    """Of whatever zone it is."""
    for text in ("2026-11-23T12:00:00Z", "2026-11-23T13:00:00+01:00"):
        assert Settings.from_env({"CE_KEYS_SINCE": text}).keys_since == NOW
    assert Settings.from_env({"CE_KEYS_SINCE": ""}).keys_since is None


@pytest.mark.parametrize(
    ("content", "seconds"), [(None, 0), ("0", 0), ("604800", 604800), ("-1.5\n", -1.5)]
)
def test_offset(app, content, seconds):
    """Lifecycle time is the store's time and the offset in the file, read anew each time."""
    if content is not None:
        app.settings.clock_file.write_text(content)
    read = app.store.read("none/x")
    assert app.offset() == timedelta(seconds=seconds)
    assert app.now(read) == read.time + timedelta(seconds=seconds)
    assert app.now(NOW) == NOW + timedelta(seconds=seconds)
    app.settings.clock_file.write_text("60")
    assert app.offset() == timedelta(minutes=1)


@pytest.mark.claim("F71", "a clock file that says no time: 503, CRITICAL, the file named")
def test_damaged_offset(app, caplog, subtests):
    """It stops everything rather than deciding by a wrong time, and nobody waits for a pipe."""
    file = app.settings.clock_file
    contents = (b"", b"soon", b"nan", b"inf", b"-1e11", b"4e9", b"1e300", b"9" * 400, b"\xff")
    makes = {content: partial(file.write_bytes, content) for content in contents}
    makes |= {"a folder": file.mkdir, "a pipe": lambda: os.mkfifo(file)}
    makes |= {"a link to nothing": lambda: file.symlink_to("nowhere")}
    for said, make in makes.items():
        file.unlink(missing_ok=True)
        make()
        with subtests.test(f"{said!r:.20}"):
            caplog.clear()
            for act in (lambda: projects.create(app, call(body={"name": "p"})), app.offset):
                with pytest.raises(Error) as refused:
                    act()
                assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})
            line = json.loads(caplog.records[-1].message)
            assert (line["severity"], str(file) in line["message"]) == ("CRITICAL", True)
        if file.is_dir():
            file.rmdir()
    file.unlink()
    assert app.offset() == timedelta(0)
