"""A home of one's own for `ce`: logged in nowhere, to nobody, or to a server that is not ours."""

import base64
import http.server
import json
import os
import socket
import threading

import pytest

KEY = "ce_0123456789abcdef_nobody-may-see"


def write(path, **content):
    """Write a JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    path.chmod(0o600)


def log_in(home, port):
    """Log in to a port of this machine."""
    write(home / "profiles" / "other.json", url=f"http://127.0.0.1:{port}/v2", apikey=KEY)
    (home / "active").write_text("other\n")


def token(*roles):
    """Give an answer with a token that names roles."""
    payload = base64.urlsafe_b64encode(json.dumps({"roles": roles}).encode()).decode()
    return 200, json.dumps({"access_token": f"h.{payload.rstrip('=')}.s"})


@pytest.fixture
def nobody(tmp_path, monkeypatch):
    """Be logged in nowhere, with a home of one's own."""
    for name in [name for name in os.environ if name.startswith(("CODE_ENGINE_", "CE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def unreachable(nobody):
    """Be logged in to an API that nobody answers for."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and never listening: refused, and nobody else's
        log_in(nobody, taken.getsockname()[1])
        yield


@pytest.fixture
def other(nobody):
    """Be logged in to a server that is not ours: its answers, each once, and what it was sent."""
    answers, got = [], []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            got.append((self.path, self.headers.get("Authorization")))
            status, body, *headers = answers.pop(0)
            self.send_response(status, "So")
            for name, value in (("Location", "/elsewhere"), *headers):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def do_PATCH(self):
            self.do_POST()

        def do_DELETE(self):
            self.do_GET()

        def do_HEAD(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        log_in(nobody, server.server_port)
        yield answers, got
        server.shutdown()
        thread.join()
