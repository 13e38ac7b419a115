"""The state key: where it comes from, that it stays, and what holds while it cannot be had."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from shared.errors import Error
from shared.keys import LIFECYCLE, RECORD
from shared.keys.local import open_keyring
from tests.support import traces_of
from tests.support.google_keys import Fault
from tests.support.keyrings import rotated

MESSAGE = b"a message"
LOST = "the state key cannot be read"


def written(file):
    """Give what the keyring file holds."""
    return json.loads(file.read_text())


def without(file):
    """Take the state key out of the file, as version 0.1.0 never made one."""
    kept = {name: value for name, value in written(file).items() if name != "state_key"}
    file.write_text(json.dumps(kept))
    return kept


def told(caplog):
    """Give the lines of the log that are CRITICAL."""
    lines = map(json.loads, caplog.messages)
    return [line["message"] for line in lines if line["severity"] == "CRITICAL"]


def refused(ring):
    """Require that nothing can be vouched for now, twice."""
    for purpose in (RECORD, LIFECYCLE):
        with pytest.raises(Error) as error:
            ring.state.mac(purpose, MESSAGE)
        assert (error.value.code, error.value.status) == ("unavailable", 503)
        with pytest.raises(Error):
            ring.state.holds(purpose, MESSAGE, bytes(32))


def test_a_key_a_purpose(vault):
    """The same in every process; another purpose, message or bit is another MAC."""
    state, again = vault.ring.state, vault.again().state
    mac = state.mac(RECORD, MESSAGE)
    assert (len(mac), again.mac(RECORD, MESSAGE)) == (32, mac)
    assert again.holds(RECORD, MESSAGE, mac)
    assert not again.holds(LIFECYCLE, MESSAGE, mac)
    assert not again.holds(RECORD, MESSAGE + b"x", mac)
    for odd in (mac[:-1], mac + b"x", mac[:-1] + bytes([mac[-1] ^ 1]), b"", None, mac.hex(), 0):
        assert not again.holds(RECORD, MESSAGE, odd)


def test_made_with_the_file(file, ring):
    """It is 32 random bytes of its own, which a rotation keeps."""
    assert ring.state.mac(RECORD, MESSAGE)
    stored = written(file)
    assert len(base64.b64decode(stored["state_key"])) == 32
    assert stored["state_key"] not in (stored["signing_key"], *stored["keks"].values())
    rotated(ring)
    assert written(file)["state_key"] == stored["state_key"]


def test_added_once(file, folder, ring):
    """A file of version 0.1.0 gets one, and keeps all else; what was vouched for holds after."""
    rotated(ring)
    before = without(file)
    mac = open_keyring(file, folder).state.mac(RECORD, MESSAGE)
    assert {name: value for name, value in written(file).items() if name != "state_key"} == before
    assert open_keyring(file, folder).state.holds(RECORD, MESSAGE, mac)


@pytest.mark.usefixtures("ring")
def test_added_by_many_at_once(file, folder):
    """Eight that find none at once have one and the same: the file's lock is asked for."""
    for _ in range(5):
        without(file)
        together = Barrier(8)

        def made(_, together=together):
            together.wait()
            return open_keyring(file, folder).state.mac(RECORD, MESSAGE)

        with ThreadPoolExecutor(8) as pool:
            (mac,) = set(pool.map(made, range(8)))
        assert open_keyring(file, folder).state.holds(RECORD, MESSAGE, mac)


@pytest.mark.usefixtures("ring")
def test_a_file_that_cannot_be_written(file, folder, caplog):
    """Nothing is vouched for under an empty key; when it can be written it is given one."""
    without(file)
    lock = file.with_name(f".{file.name}.lock")
    lock.unlink(missing_ok=True)
    lock.mkdir()  # a file in whose folder nothing can be written
    ring = open_keyring(file, folder)
    refused(ring)
    assert told(caplog) == [
        f"{LOST} (the keyring file has none, and could not be given one): nothing is believed"
    ]
    lock.rmdir()
    assert open_keyring(file, folder).state.mac(RECORD, MESSAGE)
    assert ring.state.mac(RECORD, MESSAGE)  # it is read when it is there


@pytest.mark.usefixtures("ring")
@pytest.mark.parametrize("odd", ["", "x", None, 7, base64.b64encode(b"k" * 31).decode(), ["k"]])
def test_a_damaged_file(file, folder, odd, caplog):
    """A state key that is none makes the whole file damaged; it is left as it is."""
    file.write_text(json.dumps(written(file) | {"state_key": odd}))
    before = file.read_bytes()
    ring = open_keyring(file, folder)
    refused(ring)
    (line,) = told(caplog)
    assert "is damaged" in line
    assert file.read_bytes() == before


CLOUD = {  # what is wrong in Secret Manager, and what the log says of it
    "no secret": "Secret Manager refuses: NOT_FOUND",
    "no version": "Secret Manager refuses: NOT_FOUND",
    "disabled": "Secret Manager refuses: FAILED_PRECONDITION",
    "too short": "it is not 32 bytes",
    "too long": "it is not 32 bytes",
    "not allowed": "Secret Manager refuses: PERMISSION_DENIED",
    "out of reach": "Secret Manager does not answer",
}


def spoilt(google, how):
    """Spoil the state key of the cloud; give what puts it right."""
    secret, allowed = google.secrets["state-key"], google.allowed["manage"]
    (version,) = secret["versions"]
    data = version["data"]
    match how:
        case "no secret":
            del google.secrets["state-key"]
        case "no version":
            secret["versions"] = []
        case "disabled":
            version["state"] = "DISABLED"
        case "too short":
            version["data"] = data[:-1]
        case "too long":
            version["data"] = data + b"\n"  # as a shell's echo adds it
        case "not allowed":
            google.allowed["manage"] = allowed - {"versions.access@state"}
        case "out of reach":
            google.fault(Fault("sm.access", "refuse"))

    def right():
        version.update(data=data, state="ENABLED")
        secret["versions"] = [version]
        google.secrets["state-key"], google.allowed["manage"] = secret, allowed
        google.fault()

    return right


@pytest.mark.claim(
    "T3", "without the state key nothing is written or believed, and it is told once"
)
@pytest.mark.usefixtures("swift")
@pytest.mark.parametrize("how", CLOUD)
def test_in_the_cloud(cloud, how, caplog):
    """503 for all that needs it, one line that says why and shows nothing; put right it goes on."""
    google = cloud.google
    key = google.secrets["state-key"]["versions"][0]["data"]
    mac, ring = cloud.ring.state.mac(RECORD, MESSAGE), cloud.again("manage")
    right = spoilt(google, how)
    refused(ring)
    assert told(caplog) == [f"{LOST} ({CLOUD[how]}): nothing is believed"]
    shown = caplog.text.encode()
    assert not [trace for trace in traces_of(key[:-1]) if trace in shown]
    assert cloud.ring.state.holds(RECORD, MESSAGE, mac)  # who has read it goes on
    right()
    ring = cloud.again("manage") if how == "out of reach" else ring  # its breaker is open
    assert ring.state.holds(RECORD, MESSAGE, mac)


def test_calls(cloud):
    """It is read once by a process, whatever for."""
    ring, google = cloud.again(), cloud.google
    google.fault()
    for purpose in (RECORD, LIFECYCLE, RECORD):
        ring.state.mac(purpose, MESSAGE)
    assert google.calls == ["sm.access"]
