"""Firestore events, as Google's services and emulator send them: what changed, or a refusal."""

import base64
import json
import random
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import requests
from cloudevents.http import CloudEvent, from_http
from google.cloud.firestore_v1.types.document import Document
from hypothesis import given
from hypothesis import strategies as st

from emulator.log import Log
from emulator.ports import free
from shared.errors import Error
from shared.store import Change, Store, Write, change_of
from shared.store.events import DocumentEventData
from shared.store.values import encode, plain
from tests.support import own_firestore, until

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
PATH = "projects/25bbfb75-e821-4338-9413-d432c6e55f85"
OLD = {"status": "active", "purge_at": None, "tags": ["a"], "n": 1}
NEW = {"status": "soft_deleted", "purge_at": NOW, "tags": [], "slots": {"a-1": b"\x00\xff"}}
FORMS = {
    "bytes": lambda body: body,
    "base64 as bytes": base64.b64encode,
    "base64 as text": lambda body: base64.b64encode(body).decode(),
}
CHANGES = {
    "created": (None, NEW),
    "updated": (OLD, NEW),
    "deleted": (OLD, None),
    "unchanged": (OLD, OLD),
    "emptied": (OLD, {}),
    "created empty": (None, {}),
}


def message(before, after):
    """Give the bytes of an event's body."""
    data = DocumentEventData()
    for name, fields in (("old_value", before), ("value", after)):
        if fields is not None:
            document = plain(Document())
            document.name = f"projects/p/databases/(default)/documents/{PATH}"
            encode(fields, document.fields)
            getattr(data, name).CopyFrom(document)
    return data.SerializeToString()


def event(data, **attributes):
    """Give an event about a document."""
    head = {
        "type": "google.cloud.firestore.document.v1.written",
        "source": "//firestore.googleapis.com/projects/p/databases/(default)",
        "document": PATH,
        **attributes,
    }
    return CloudEvent({name: value for name, value in head.items() if value is not None}, data)


def expect_refusal(given_event):
    """Require that an event is refused, in words that repeat nothing of it."""
    with pytest.raises(Error) as refusal:
        change_of(given_event)
    assert refusal.value.code == "malformed_request"
    assert "canary" not in refusal.value.message


@pytest.mark.parametrize(("before", "after"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_change(form, before, after):
    """The body is read as bytes and as base64: what was, what is, and where."""
    assert change_of(event(form(message(before, after)))) == Change(PATH, before, after)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_of_nothing(form):
    """An event of no document, before or after, tells of no change."""
    assert change_of(event(form(message(None, None)))) == Change(PATH, None, None)


@given(st.dictionaries(st.text(min_size=1, max_size=9), st.text(max_size=30), max_size=4))
def test_any_fields(fields):
    """Whatever the fields are, each form of the body gives the same change."""
    body = message(fields, {"status": "x", **fields})
    for form in FORMS.values():
        assert change_of(event(form(body))) == Change(PATH, fields, {"status": "x", **fields})


RUBBISH = {
    "none": None,
    "JSON": {"value": {"fields": {}}},
    "a list": [1],
    "a number": 1,
    "text that is no base64": "canary: none",
    "bytes that are no message": b"\xff\xff\xff canary",
    "base64 of no message": base64.b64encode(b"\xff\xff\xff canary"),
    "a message cut short": message(None, NEW)[:-3],
    "base64 of a message cut short": base64.b64encode(message(None, NEW)[:-3]).decode(),
    "base64 cut short": base64.b64encode(message(None, NEW))[:-3],
    "text beyond ASCII": "canary é",
}


@pytest.mark.parametrize("data", RUBBISH.values(), ids=RUBBISH)
def test_rubbish(data):
    """What is no body of a document's event is refused."""
    expect_refusal(event(data))


@pytest.mark.parametrize("document", [None, ""])
def test_of_no_document(document):
    """An event that names no document is refused."""
    expect_refusal(event(message(None, NEW), document=document))


@given(st.binary(max_size=60))
def test_any_bytes(data):
    """Any bytes are read or refused with one code: nothing else is raised."""
    try:
        change = change_of(event(data))
    except Error as error:
        assert error.code == "malformed_request"  # noqa: PT017 - both ends are right
    else:
        assert change.path == PATH


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory):
    """What the public emulator really sends when a document is made, changed, verified, deleted."""
    caught = []

    class Catcher(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            caught.append((dict(self.headers), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Catcher)
    thread = Thread(target=server.serve_forever)
    thread.start()
    log = tmp_path_factory.mktemp("events") / "firestore.log"
    running = own_firestore.start(free(), f"127.0.0.1:{server.server_port}", log, Log(quiet=True))
    try:
        url = f"http://{running.address}/emulator/v1/projects/demo-events/eventarcTrigger"
        pattern = {"value": "projects/{projectId}", "matchType": "PATH_PATTERN"}
        trigger = {
            "eventType": "google.cloud.firestore.document.v1.written",
            "database": "(default)",
            "namespace": "(default)",
            "document": pattern,
        }
        answer = requests.post(url, params={"eventarcTriggerId": "t"}, json=trigger, timeout=60)
        assert answer.status_code == 200
        db = Store.connect("demo-events", running.address, random.random, "(default)")
        steps = (
            lambda _: Write.create(PATH, OLD),
            lambda document: Write.update(document, NEW),
            Write.verify,
            Write.delete,
        )
        for number, step in enumerate(steps, start=1):
            db.commit([step(db.read(PATH)[PATH])])
            until(lambda: len(caught) == number)  # noqa: B023 - called at once
        yield caught
    finally:
        running.stop()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("number", "before", "after"),
    [(0, None, OLD), (1, OLD, OLD | NEW), (2, OLD | NEW, OLD | NEW), (3, OLD | NEW, None)],
    ids=["created", "updated", "verified", "deleted"],
)
def test_real_delivery(deliveries, number, before, after):
    """A delivery as it really comes off the wire is read."""
    headers, body = deliveries[number]
    received = from_http(headers, body)
    assert received["type"] == "google.cloud.firestore.document.v1.written"
    assert change_of(received) == Change(PATH, before, after)


def test_real_delivery_is_base64(deliveries):
    """The emulator sends base64 where the service sends bytes: both are read alike."""
    headers, body = deliveries[1]
    assert body.isascii()
    raw = base64.b64decode(body)
    assert change_of(from_http(headers, raw)) == change_of(from_http(headers, body))


def test_real_delivery_in_json(deliveries):
    """A delivery in the structured form is read like one in the binary form."""
    headers, body = deliveries[1]
    received = from_http(headers, body)
    structured = {**received.get_attributes(), "data_base64": body.decode()}
    kind = {"content-type": "application/cloudevents+json"}
    again = from_http(kind, json.dumps(structured))
    assert change_of(again) == change_of(received)
