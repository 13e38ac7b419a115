"""A server whose answer does not end, in time or in size: `ce` does, with one sentence."""

import json
import socket
import threading
import time

import pytest

from ce.server import bounds, client, target
from ce.verbs import standing
from tests.support.cli import run
from tests.support.cli_home import log_in

TOKEN = json.dumps({"access_token": "t"}).encode()
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
# What is sent at once, and what comes drop by drop without an end.
DRIPS = {
    "head": (HEAD + b"X-Long: ", b"a"),
    "headers": (HEAD, b"X-A: a\r\n"),
    "body": (HEAD + b"Content-Length: 1000000\r\n\r\n{", b" "),
    "stream": (CHUNKED, b"1\r\n \r\n"),
    "no length": (HEAD + b"Connection: close\r\n\r\n", b" "),
}
DROP = 0.05  # seconds between two drops
PATIENCE = (0.3, 0.5)  # longer than a drop takes: no silence ends it


@pytest.fixture
def dripping(nobody):
    """Be logged in to a server that answers with a token, and all else as DRIPS says; or floods."""
    over, asked, threads = threading.Event(), [], []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer(connection, how):
            with connection:
                asked.append(request := connection.recv(65536).decode())
                if request.startswith("POST /identity"):
                    length = f"Content-Length: {len(TOKEN)}\r\nConnection: close\r\n\r\n".encode()
                    connection.sendall(HEAD + length + TOKEN)
                    return
                begin, drop = DRIPS.get(how, (CHUNKED, b"1000\r\n" + b" " * 4096 + b"\r\n"))
                try:
                    connection.sendall(begin)
                    while not over.wait(DROP if how in DRIPS else 0):
                        connection.sendall(drop)
                except OSError:
                    pass  # the other end has had enough of it

        def serve(how):
            while not over.is_set():
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=answer, args=(connection, how)))
                threads[-1].start()

        def start(how):
            log_in(nobody, server.getsockname()[1])
            threads.append(threading.Thread(target=serve, args=(how,)))
            threads[-1].start()
            return asked

        yield start
        over.set()
        server.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("how", DRIPS)
def test_an_answer_that_drips(dripping, monkeypatch, how):
    """No drop is late, and the whole has its time all the same: head, body or stream."""
    asked = dripping(how)
    there = client.Client(target.current(), PATIENCE)
    begun = time.monotonic()
    with pytest.raises(client.Failure) as failed:
        there.get("/projects")
    assert "did not end its answer within 0.8 seconds" in failed.value.messages[0]
    assert time.monotonic() - begun < 10
    assert len(asked) == 2
    monkeypatch.setattr(standing, "PATIENCE", PATIENCE)
    monkeypatch.setenv("CODE_ENGINE_PROJECT", "shop")
    done = run("target")
    assert done.returncode == 0
    assert "did not end its answer within 0.8 seconds" in done.stdout


def test_a_change_whose_answer_drips(dripping, monkeypatch):
    """It is sent again under its key, and then told as one of which nobody knows the end."""
    monkeypatch.setattr(client, "PAUSES", (0, 0))
    asked = dripping("body")
    there = client.Client(target.current(), (0.3, 10))
    monkeypatch.setattr(bounds.Bound, "__init__", _of_seconds(0.5))
    with pytest.raises(client.Failure) as failed:
        there.post("/projects", {"name": "x"})
    assert "Whether it was done is not known" in failed.value.messages[0]
    keys = [line for request in asked for line in request.split("\r\n") if "Idempotency" in line]
    assert (len(keys), len({*keys})) == (3, 1)
    assert not there.changed


def _of_seconds(seconds):
    """Give what makes a bound of so many seconds, whatever it is asked for."""
    make = bounds.Bound.__init__
    return lambda self, _: make(self, seconds)


def test_an_answer_without_an_end_in_size(dripping, monkeypatch):
    """It is read no further than any of the API's may go."""
    monkeypatch.setattr(bounds, "BYTES", bounds.MIB)
    dripping("flood")
    done = run("project", "list", "-q")
    assert (done.returncode, done.stdout) == (1, "")
    assert "answers with more than 1 MiB" in done.stderr


def test_a_list_without_an_end(other):
    """A page that names itself as the next is none of this API's."""
    answers, _ = other
    page = json.dumps({"projects": [], "next": {"start": "a"}})
    answers += [(200, TOKEN.decode()), (200, page), (200, page), (200, page)]
    done = run("project", "list", "-q")
    assert (done.returncode, len(answers)) == (1, 1)
    assert "does not answer as this API does" in done.stderr


def test_an_answer_that_is_no_list(other):
    """What has no such member is no page, and ends in no traceback."""
    answers, _ = other
    answers += [(200, TOKEN.decode()), (200, "{}")]
    done = run("project", "list", "-q")
    assert (done.returncode, answers) == (1, [])
    assert "does not answer as this API does" in done.stderr


def test_a_bound_ends_with_what_it_is_for(dripping):
    """No alarm is left behind, and none is set outside the main thread."""
    import signal

    before = signal.getsignal(signal.SIGALRM)
    dripping("body")
    there = client.Client(target.current(), PATIENCE)
    with pytest.raises(client.Failure):
        there.get("/projects")
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before
    held = []
    thread = threading.Thread(target=lambda: held.append(bounds.Bound(1)._holds))
    thread.start()
    thread.join()
    assert held == [False]
