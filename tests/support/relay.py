"""What stands between a client and the host, and loses answers: the change is made all the same."""

import http.server
import threading
from contextlib import contextmanager

import requests

CUT = 0  # in place of a status: the connection ends without an answer
KEPT = ("content-length", "transfer-encoding", "connection", "host")


@contextmanager
def losing(url, *answers):
    """Pass requests on to `url`; the first changes are answered by these statuses, or CUT.

    Gives the relay's address, and the changes: method, path, `Idempotency-Key`, real status.
    """
    left, changes, session = list(answers), [], requests.Session()

    class Handler(http.server.BaseHTTPRequestHandler):
        def handle_any(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in KEPT}
            to = (self.command, url + self.path, body, headers)
            method, address, data, sent = to
            real = session.request(method, address, data=data, headers=sent, timeout=60)
            if method != "GET" and not self.path.startswith("/identity"):
                key = self.headers.get("Idempotency-Key")
                changes.append((method, self.path, key, real.status_code))
                if left:
                    return self.lose(left.pop(0))
            self.send_response(real.status_code)
            for name, value in real.headers.items():
                if name.lower() not in KEPT:
                    self.send_header(name, value)
            return self.end(real.content)

        def lose(self, status):
            if status == CUT:
                self.close_connection = True
                return
            self.send_response(status)
            self.end(b"<html>")

        def end(self, content):
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

        def log_message(self, *_):
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", changes
        finally:
            server.shutdown()
            thread.join()
