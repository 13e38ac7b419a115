"""Connections that the local host closes: no request is lost on them that it could have read."""

import os
import selectors
import socket
import threading
from contextlib import closing

import pytest
import requests
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn

from emulator.worker import Worker
from tests.support import Host, until

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
CLIENTS = 8


@pytest.mark.slow
@pytest.mark.claim("F69", "a host that stops answers or refuses each new connection: none is reset")
def test_a_stop(tmp_path):
    """Clients come without a pause, while a kept connection lets the worker wait for its end."""
    host = Host(tmp_path, "--firestore-port", "0", "--hub-port", "0").start()
    told, url = [], f"{host.url}/nothing"

    def come():
        while not (told and told[-1] == "refused"):
            try:
                told.append(requests.get(url, timeout=30).status_code)
            except requests.ConnectionError as error:
                told.append("refused" if "refused" in str(error) else str(error))

    kept = requests.Session()
    assert kept.get(url, timeout=30).status_code == 404
    clients = [threading.Thread(target=come) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    until(lambda: len(told) > 10 * CLIENTS)
    host.stop()
    for client in clients:
        client.join(30)
    assert {*told} == {404, "refused"}
    assert host.process.returncode == 0


@pytest.fixture
def idle():
    """A worker whose loop is turned by hand, and a connection of it that waits for a request."""
    config = Config()
    worker = Worker(0, os.getpid(), [], None, 30, config, Logger(config))
    worker.tpool, worker.poller = worker.get_thread_pool(), selectors.DefaultSelector()
    worker.method_queue.init()
    worker.poller.register(
        worker.method_queue, selectors.EVENT_READ, worker.method_queue.run_callbacks
    )
    worker.wsgi = nothing
    near, far = socket.socketpair()
    with closing(far):
        worker.nr_conns = 1
        worker.enqueue_req(TConn(worker.cfg, near, ("127.0.0.1", 1), ("127.0.0.1", 2)))
        yield worker, far
        worker.tpool.shutdown()
        worker.poller.close()
        worker.method_queue.close()
        worker.tmp.close()


def nothing(_, start):
    """Answer that there is nothing to say."""
    start("204 No Content", [])
    return []


@pytest.mark.claim("F69", "a request that comes as its idle connection is to be closed is answered")
def test_an_idle_connection(idle):
    """It came after the loop has looked, and before it closes what is late."""
    worker, client = idle
    client.sendall(GET)
    for waiting in worker._waiting.values():
        waiting.due = 0.0
    worker.murder_pending()
    client.settimeout(10)
    assert client.recv(12) == b"HTTP/1.1 204"
    until(lambda: worker.wait_for_and_dispatch_events(0.1) or worker._waiting)
    for waiting in worker._waiting.values():
        waiting.due = worker._looked = 0.0
    worker.murder_pending()
    while client.recv(1000):  # to the end: nothing more came, so now it is closed
        pass
