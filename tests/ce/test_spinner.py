"""The line of a wait: whatever ends the wait, what was written is erased."""

import sys
import time

import pytest

from ce.text import spinner

MODULE = sys.modules["ce.text.spinner"]
TURNING = "| Waiting for it, 1s"


def test_ctrl_c_in_the_first_line_erases_it(monkeypatch):
    """It may come as soon as the line is there, before anything else is done."""
    written = []

    def write(text):
        written.append(text)
        if len(written) == 1:
            raise KeyboardInterrupt

    times = iter([0.0, 1.0, 1.0])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(time, "monotonic", lambda: next(times))
    monkeypatch.setattr(MODULE, "_write", write)
    with pytest.raises(KeyboardInterrupt), spinner("for it", quiet=False) as pause:
        pause(1)
    assert written == [MODULE.ERASE + TURNING, MODULE.ERASE]
