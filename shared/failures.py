"""Failures that nobody is told about in full: logged by place, never by their text.

The text of an unknown exception can quote what it failed on, and that may be a secret.
"""

import json
import logging
import secrets
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

log = logging.getLogger("reprieve")


class Failed(Exception):
    """A function failed; the log line of this trace says where."""


def new_trace() -> str:
    """Make the name of a request, in the form of contract section 6."""
    return f"codeengine-api-{secrets.token_hex(16)}"


def tell(severity: str, message: str, **about: str) -> None:
    """Log one JSON line, as Cloud Logging reads it; its severity is also the record's level."""
    entry = {"severity": severity, "message": message}
    log.log(logging.getLevelNamesMapping()[severity], json.dumps(entry | about))


def log_failure(error: BaseException, trace: str, **about: str) -> None:
    """Log a failure as one JSON line: its type, the places it passed, and what it was about."""
    tell("ERROR", type(error).__name__, **{"trace": trace, "at": _places(error)} | about)


def _places(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))


def keep_texts() -> None:
    """Let no exception's text out of this process by itself, whichever library or thread logs it.

    A log record shows an exception's type and places in place of its traceback, and so is told
    what ends a thread, or the process, or could not be raised. May be repeated.
    """
    logging.setLogRecordFactory(_record)
    threading.excepthook = lambda end: _ended(end.exc_type, end.exc_value)
    sys.unraisablehook = lambda lost: _ended(lost.exc_type, lost.exc_value)
    sys.excepthook = lambda kind, error, _: _ended(kind, error)


def _record(*args: Any, **named: Any) -> logging.LogRecord:
    record = logging.LogRecord(*args, **named)
    if isinstance(record.exc_info, tuple) and record.exc_info[1]:  # what a formatter would format
        error = record.exc_info[1]
        record.exc_text = f"{type(error).__name__} at {_places(error)}"
    return record


def _ended(kind: type[BaseException], error: BaseException | None) -> None:
    if not issubclass(kind, SystemExit | KeyboardInterrupt):
        log_failure(error or kind(), new_trace())


@contextmanager
def contained() -> Iterator[None]:
    """Let no exception's text out of an event or schedule function; raises Failed instead."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the last resort, and it must hold
        trace = new_trace()
        log_failure(error, trace)
        raise Failed(trace) from None
