"""The worker behind the three ports: a thread for a request, and none for whoever only waits.

One loop waits, without a thread, for the head of each request, for who is slow to take an answer,
and for the end of each connection. A thread is given to a request whose head is there whole. It
must never log what was sent, nor wait in the loop itself.
"""

import errno
import resource
import socket
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.errors import ParseException
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker
from werkzeug.http import http_date

from emulator import wire
from emulator.bodies import ChunkReader, WholeReader
from emulator.heads import LONGEST_LINE, Head
from emulator.outlet import Outlet

# Seconds a connection may stay open without a request: longer than most clients keep one (Go 90,
# curl 118), so that they end it, who know whether a request is under way.
IDLE = 120
HEAD, WHOLE = 10.0, 30.0  # seconds until a request's head is there; until its body is, too
TAKEN = 30.0  # seconds until a client must have taken its answer
LEFT = 33_554_432  # bytes of answers not taken yet, of all connections
LEAVE = 2.0  # seconds a client has to take the end of its answer and close
REST = 0.2  # seconds for the rest of a body that nobody wanted: a thread waits for it
LOOK = 0.25  # seconds between two looks for what is late
PIECE = 8192  # bytes read at a time
SPARE = 64  # descriptors kept for the requests that are worked on
FULL = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}  # the kernel has no more to give
# What is refused before there is a request, by the name of its error: status, code, message.
NO_REQUEST = {
    "LimitRequestLine": (414, "uri_too_long", f"The address exceeds {LONGEST_LINE} bytes."),
    "LimitRequestHeaders": (431, "headers_too_large", "The headers are too large."),
    "UnsupportedTransferCoding": (501, "not_implemented", "The transfer coding is not known."),
    "ExpectationFailed": (417, "expectation_failed", "Only `100-continue` can be expected."),
    "NoHostError": (400, "malformed_request", "A request of HTTP/1.1 names its `Host`."),
}
SERVER = "http"  # what it is made of is nobody's business
FAILED = (500, "internal", "Internal error.")
NOT_HTTP = (400, "malformed_request", "The request is not HTTP.")


def _scarce(fileno: int) -> bool:
    """Whether descriptors run out: the kernel gives the lowest that is free."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return limit != resource.RLIM_INFINITY and fileno >= limit - SPARE


class NoHostError(ParseException):  # type: ignore[misc]
    """A request of HTTP/1.1 without a `Host` (RFC 9112, section 3.2)."""


@dataclass
class Waiting:
    """A connection that has no thread: until when, and what there is of its next head."""

    due: float
    head: Head | None = None  # None: it is being answered, or is to close
    answered: Future[Any] | None = None  # the answer whose rest is to be taken first


class Worker(ThreadWorker):  # type: ignore[misc]
    """Serves requests, each in a thread once its head is there."""

    fault: Callable[[str], None]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._due: dict[Any, float] = {}  # until when a connection in a thread may be read
        self._waiting: dict[Any, Waiting] = {}  # who has waited longest comes first
        self._looked, self._last = 0.0, float("inf")  # last: until when heads are waited for
        self._full = 0.0  # until when nobody is accepted

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection; where there is no room for more, who waits longest has to go.

        Where nobody waits, those who come do, for a moment.
        """
        try:
            super().accept(listener)
        except OSError as problem:
            if problem.errno not in FULL:
                raise
            if not self._make_room():
                self._full = time.monotonic() + LOOK
                self.set_accept_enabled(False)
        newest = next(reversed(self._waiting), None)
        if newest and (self.nr_conns >= self.worker_connections or _scarce(newest.sock.fileno())):
            self._make_room(newest)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Listen or not, asked before each wait for events; not while there is no room."""
        super().set_accept_enabled(enabled and time.monotonic() >= self._full)

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection a thread once a whole head is there, whether it is new or kept."""
        if not conn.initialized:
            conn.sock = Outlet(conn.sock)
            conn.init()
        head, now = Head(conn.parser.unreader.take_buffered()), time.monotonic()
        self._wait(conn, Waiting(min(now + (HEAD if head.come else IDLE), self._last), head))
        self._go_on(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Keep a connection that was answered, or let it end; in the loop, which may not wait."""
        if conn.sock.left:
            self._wait(conn, Waiting(time.monotonic() + TAKEN, answered=fs))
            self._spare(conn)
        elif not fs.cancelled() and fs.exception() is None and fs.result():
            self.enqueue_req(conn)
        else:
            self._leave(conn)

    def _leave(self, conn: Any) -> None:
        """Say that nothing more comes, and let the client close."""
        with suppress(OSError):  # it may be gone
            conn.sock.shutdown(socket.SHUT_WR)
        self._wait(conn, Waiting(time.monotonic() + LEAVE))

    def _wait(self, conn: Any, waiting: Waiting) -> None:
        self._waiting[conn] = waiting
        event = EVENT_WRITE if waiting.answered else EVENT_READ
        try:
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, event, partial(self._ready, conn))
        except (OSError, ValueError):  # it is closed
            self._drop(conn)

    def _ready(self, conn: Any, _: Any) -> None:
        """Take what has come of a connection that waits, or send it more of its answer."""
        waiting = self._waiting.get(conn)
        if waiting is None:  # it had to go while this event was on its way
            return
        try:
            piece = conn.sock.go_on() if waiting.answered else conn.sock.recv(PIECE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._drop(conn)
            return
        if waiting.answered:
            if not conn.sock.left:
                self._release(conn)
                self.finish_request(conn, waiting.answered)
        elif not piece:
            self._drop(conn)
        elif waiting.head is not None:
            if not waiting.head.come:
                waiting.due = min(time.monotonic() + HEAD, self._last)
            waiting.head.come += piece
            self._go_on(conn)

    def _go_on(self, conn: Any) -> None:
        """Hand a connection to a thread if its head is there, or refuse what can be none."""
        waiting = self._waiting.get(conn)
        if waiting is None or waiting.head is None:
            return
        try:
            whole = waiting.head.is_whole()
        except ParseException as error:
            self._refuse(conn, error)
            return
        if whole:
            self._release(conn)
            conn.parser.unreader.unread(bytes(waiting.head.come))
            super().enqueue_req(conn)

    def _refuse(self, conn: Any, error: Exception) -> None:
        """Answer what is no request, and let its connection end."""
        self._release(conn)
        self.handle_error(None, conn.sock, conn.client, error)
        self._leave(conn)

    def _release(self, conn: Any) -> None:
        """Wait for a connection no more."""
        self._waiting.pop(conn, None)
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)

    def _drop(self, conn: Any) -> None:
        """Close a connection that waits."""
        self._release(conn)
        self.nr_conns -= 1
        conn.close()

    def _make_room(self, newest: Any = None) -> bool:
        """Close the connection that has waited longest, but for the newest; False if none waits."""
        oldest = next(iter(self._waiting), newest)
        if oldest is newest:
            return False
        self._drop(oldest)
        return True

    def _spare(self, newest: Any) -> None:
        """Close those that have left the most of their answers for the longest, beyond a bound."""
        slow = [conn for conn, waiting in self._waiting.items() if waiting.answered]
        held = sum(len(conn.sock.left) for conn in slow)
        for conn in slow:
            if held <= LEFT or conn is newest:
                return
            held -= len(conn.sock.left)
            self._drop(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """Take who has come, close the doors, and let nobody who waits hold up the end.

        Who comes later is refused at once, where the host has closed its doors too, or waits for
        the next worker: nobody stands at a door that is closed in the end, and is reset.
        """
        for listener in self.sockets:
            self._accept_all(listener)
            listener.close()
        super()._cap_keepalive(deadline)
        self._last = deadline
        for waiting in self._waiting.values():
            if waiting.head is not None:
                waiting.due = min(waiting.due, deadline)

    def _accept_all(self, listener: socket.socket) -> None:
        for _ in range(self.cfg.backlog):
            before = self.nr_conns
            with suppress(OSError):  # too many: they are reset with the rest
                self.accept(listener)
            if self.nr_conns <= before:
                return

    def handle(self, conn: Any) -> Any:
        """Serve one request of a connection, whose head is there."""
        self._due[conn] = time.monotonic() + HEAD
        try:
            return super().handle(conn)
        finally:
            self._due.pop(conn, None)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request, whose body must be there in time, and whole."""
        self._due[conn] = time.monotonic() + WHOLE
        if req.version >= (1, 1) and not any(name == "HOST" for name, _ in req.headers):
            raise NoHostError
        if isinstance(req.body.reader, LengthReader):
            req.body.reader = WholeReader(req.body.reader.unreader, req.body.reader.length)
        elif isinstance(req.body.reader, ChunkedReader):
            req.body.reader = ChunkReader(req, req.unreader)
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn: Any, keepalive: Any) -> bool:
        """Whether a connection can be kept: not where the rest of a body is still to come."""
        reader = conn.parser.mesg.body.reader
        if not keepalive or (isinstance(reader, ChunkReader) and (reader.parser or reader.refused)):
            return False
        with suppress(OSError, ParseException):
            return bool(conn.parser.finish_body(deadline=time.monotonic() + REST))
        return False

    def murder_pending(self) -> None:
        """End what is late: the waiting, and the reading of those with a thread."""
        super().murder_pending()
        if (now := time.monotonic()) < self._looked + LOOK:
            return
        self._looked = now
        for conn in [conn for conn, waiting in self._waiting.items() if waiting.due < now]:
            self._ready(conn, None)  # its next request may have come since the loop looked
            if (waiting := self._waiting.get(conn)) and waiting.due < now:
                self._drop(conn)
        for conn in [conn for conn, due in self._due.copy().items() if due < now]:
            with suppress(OSError):
                conn.sock.shutdown(socket.SHUT_RD)

    def handle_error(self, _req: Any, client: socket.socket, _addr: Any, error: Exception) -> None:
        """Refuse in our envelope: gunicorn's page would repeat what was sent."""
        known = NO_REQUEST.get(type(error).__name__, NOT_HTTP)
        refused = isinstance(error, ParseException)
        status, code, message = known if refused else FAILED
        answer = wire.error(status, code, message)
        answer.headers |= {"Connection": "close", "Date": http_date(), "Server": SERVER}
        if not refused:  # a fault of the host's own: told by its place, for its text may quote
            at = traceback.extract_tb(error.__traceback__)[-1]
            self.fault(f"{type(error).__name__} at {at.filename}:{at.lineno}")
        head = f"HTTP/1.1 {answer.status}\r\n{answer.headers}"  # ends with the empty line
        with suppress(OSError):  # who asked may be gone
            write_nonblock(client, head.encode("latin-1") + answer.get_data())
