"""How the stand-in for Google's part answers over HTTP: its statuses, its error bodies, its faults.

What it answers is `google_keys`'s.
"""

import json
import socketserver
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

CODES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
}


class GoogleError(Exception):
    """An error in Google's words."""

    def __init__(self, status, message=""):
        self.status, self.message = status, message or f"{status} canary-in-an-answer"


class Server(ThreadingHTTPServer):
    """A server of many calls at once."""

    request_queue_size = 256
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, address):
        """Say nothing of a caller that went away."""

    def server_bind(self):
        """Look up no name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]


def handler(google):
    """Make the handler of requests to this `Google`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60
        wbufsize = -1  # head and body leave together

        def handle_one(self):
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if parts.path == "/token":
                self.reply(*google.token(raw))
                return
            try:
                scheme, _, caller = self.headers.get("Authorization", "").partition(" ")
                caller = caller if scheme == "Bearer" else ""
                path, body = parts.path.removeprefix("/v1/"), json.loads(raw or b"{}")
                answer, do = google.answer(self.command, path, query, body, caller)
                code = 200
            except GoogleError as error:
                code, do = CODES[error.status], ""
                told = {"code": code, "message": error.message, "status": error.status}
                answer = {"error": told}
            if do in ("cut", "hang", "lost"):
                self.close_connection = True
                return
            if do == "page":
                self.reply(404, "<html>no such page</html>")
            else:
                self.reply(code, json.dumps(answer))

        def reply(self, code, text):
            content = text.encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = handle_one  # noqa: N815

        def log_message(self, *_):
            """Say nothing."""

    return Handler
