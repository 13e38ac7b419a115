"""Failures that nobody is told about in full: logged by place, never by their text.

The text of an unknown exception can quote what it failed on, and that may be a secret.
"""

import json
import logging
import secrets
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger("reprieve")


class Failed(Exception):  # noqa: N818 - a function's end, for the platform to try again
    """A function failed; the log line of this trace says where."""


def new_trace() -> str:
    """Mint the name of a request, in the form of contract section 6."""
    return f"codeengine-api-{secrets.token_hex(16)}"


def log_failure(error: BaseException, trace: str, **about: str) -> None:
    """Log a failure as one JSON line: its type, the places it passed, and what it was about."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
    entry = {"severity": "ERROR", "message": type(error).__name__, "trace": trace, "at": places}
    log.error(json.dumps(entry | about))


@contextmanager
def contained() -> Iterator[None]:
    """Let no exception's text out of an event or schedule function; raises Failed instead."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the last resort, and it must hold
        trace = new_trace()
        log_failure(error, trace)
        raise Failed(trace) from None
