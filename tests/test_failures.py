"""A failure is told by its type and its places, whoever logs it; its text never goes out."""

import json
import logging
import sys
import threading
from types import SimpleNamespace

import pytest

from shared import failures

TEXT = "quoted-by-an-exception"


@pytest.fixture
def kept(monkeypatch):
    """This process as the functions' is, until the test ends."""
    for place, name in ((threading, "excepthook"), (sys, "excepthook"), (sys, "unraisablehook")):
        monkeypatch.setattr(place, name, getattr(place, name))
    before = logging.getLogRecordFactory()
    failures.keep_texts()
    yield
    logging.setLogRecordFactory(before)


def caught(error):
    """Raise an exception with a cause, and give it."""
    try:
        try:
            int(TEXT)
        except ValueError as cause:
            raise error from cause
    except type(error) as found:
        return found


ENDS = {
    "a thread": lambda error: threading.excepthook(
        SimpleNamespace(exc_type=type(error), exc_value=error)
    ),
    "the process": lambda error: sys.excepthook(type(error), error, error.__traceback__),
    "what cannot be raised": lambda error: sys.unraisablehook(
        SimpleNamespace(exc_type=type(error), exc_value=error, object=TEXT, err_msg=TEXT)
    ),
}


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("end", ENDS)
def test_what_nobody_catches(end, caplog, capsys):
    """It is one line of JSON: the type and the places."""
    ENDS[end](caught(ValueError(TEXT)))
    (record,) = caplog.records
    told = json.loads(record.getMessage())
    assert (told["message"], told["severity"]) == ("ValueError", "ERROR")
    assert "test_failures.py:" in told["at"]
    assert TEXT not in caplog.text + "".join(capsys.readouterr())


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("error", [SystemExit(TEXT), KeyboardInterrupt(TEXT)])
def test_an_end_that_is_wanted(error, caplog):
    """Whoever stops the process is no failure."""
    sys.excepthook(type(error), error, None)
    assert caplog.records == []


@pytest.mark.usefixtures("kept")
def test_a_library_that_logs_an_exception(caplog):
    """Its message is there, with type and places in place of the traceback."""
    caplog.handler.setFormatter(logging.Formatter("%(message)s"))
    error = caught(ValueError(TEXT))
    for told in (error, (type(error), error, error.__traceback__)):
        logging.getLogger("library").error("it failed", exc_info=told)
    logging.getLogger("library").error("nothing failed", exc_info=(None, None, None))
    assert TEXT not in caplog.text
    assert caplog.text.count("it failed\nValueError at ") == 2
    assert caplog.text.count("test_failures.py:") == 2


@pytest.mark.usefixtures("kept")
def test_a_thread(caplog):
    """A thread that dies of an exception says so, and not why."""
    thread = threading.Thread(target=caught, args=[SystemExit(TEXT)])
    other = threading.Thread(target=lambda: int(TEXT))
    for one in (thread, other):
        one.start()
        one.join(5)
    assert [json.loads(record.getMessage())["message"] for record in caplog.records] == [
        "ValueError"
    ]
    assert TEXT not in caplog.text


@pytest.mark.parametrize("severity", ["WARNING", "ERROR", "CRITICAL"])
def test_a_severity(severity, caplog):
    """A line's severity is the level at which it is logged, too: no filter drops it by mistake."""
    failures.tell(severity, "it fell", step="one")
    (record,) = caplog.records
    assert record.levelname == severity
    assert json.loads(record.message) == {
        "severity": severity,
        "message": "it fell",
        "step": "one",
    }
