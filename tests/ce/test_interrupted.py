"""Ctrl-C while a change is under way: that it may have been made is told, and what to do."""

import socket

import pytest

from tests.support.cli_home import log_in
from tests.support.terminal import Terminal

TOKEN = b'HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n{"access_token": "t"}\n'
ASKED = {
    "apikey create k": "A key whose text was not shown is of no use: 'ce apikey delete' deletes",
    "project create -n p": "'ce project list' shows it; look before you run it again.",
}


@pytest.fixture
def silent(nobody):
    """Be logged in to a server that gives a token and then says nothing; give what waits for it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        log_in(nobody, server.getsockname()[1])
        server.settimeout(60)
        kept = []

        def wait_for(beginning):
            connection, _ = server.accept()
            kept.append(connection)
            while not (asked := connection.recv(65536)).startswith(beginning):
                if asked.startswith(b"POST /identity"):
                    connection.sendall(TOKEN)

        yield wait_for
        for connection in kept:
            connection.close()


@pytest.mark.parametrize("line", ASKED)
def test_a_change_that_is_under_way(silent, line):
    """It may have been carried out: standard error says so, and how to look. The code is 130."""
    terminal = Terminal(*line.split())
    silent(b"POST /v")
    terminal.type("\x03")
    code, shown = terminal.end()
    assert code == 130
    assert "\nInterrupted: the request may have been carried out all the same. 'ce " in shown
    assert ASKED[line] in shown.replace("\r\n", "\n")


def test_what_only_looks(silent):
    """Nothing was asked to be changed, and nothing is said."""
    terminal = Terminal("project", "list")
    silent(b"GET /v")
    terminal.type("\x03")
    code, shown = terminal.end()
    assert (code, "Interrupted" in shown) == (130, False)


def test_a_wait_that_is_left(other):
    """What was made by then stays, and that is said."""
    answers, _ = other
    project = '{"id": "i", "name": "x", "status": "creating"}'
    answers += [(200, '{"access_token": "t"}'), (201, project), *[(200, project)] * 500]
    terminal = Terminal("project", "create", "-n", "x")
    terminal.until("Waiting for it")
    terminal.type("\x03")
    code, shown = terminal.end()
    assert code == 130
    assert "Interrupted: what was done by then stays, and what was begun goes on." in shown
