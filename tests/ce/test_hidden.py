"""What is pasted at a prompt that shows nothing: all of it, or nothing, and none of it shown."""

import time

import pytest

from ce.text.hidden import PAUSE
from tests.support.terminal import Terminal

HIDDEN = "sesame"
CREATE = ("registry", "create", "-n", "x", "-s", "icr.io", "-u", "me")
CUT = {
    "lines": (f"{HIDDEN}1\n{HIDDEN}2\n", "more than a line was typed or pasted"),
    "no line end": (f"{HIDDEN}1\n{HIDDEN}2", "more than a line was typed or pasted"),
    "a key": (f"-----BEGIN\n{HIDDEN}\n" * 40, "more than a line was typed or pasted"),
    "an empty line first": (f"\n{HIDDEN}\n", "more than a line was typed or pasted"),
    "too long a line": (HIDDEN * 1000 + "\n", "a terminal takes no line as long as that whole"),
}


def pasted(text, *words):
    """Paste a text at the first hidden prompt; give the exit code, and what was shown."""
    terminal = Terminal(*words)
    terminal.until("> ")
    terminal.until_hidden()
    terminal.type(text)
    code, shown = terminal.end()
    assert HIDDEN not in shown
    assert terminal.after == terminal.before
    return code, shown


@pytest.mark.parametrize("what", CUT)
def test_a_paste_of_lines(unreachable, what):  # noqa: ARG001 - logged in there
    """It is refused by name before anything is asked of the server, with the option to give."""
    text, said = CUT[what]
    code, shown = pasted(text, *CREATE)
    assert code == 2
    assert f"Error: Password: {said}" in shown
    assert "nothing was stored. Give --password-from-file." in shown


@pytest.mark.usefixtures("nobody")
def test_a_key_of_lines():
    """At the prompt of a login too."""
    code, shown = pasted(f"{HIDDEN}\n{HIDDEN}\n", "login", "--url", "http://127.0.0.1:1")
    assert (code, "Error: API key: more than a line" in shown) == (2, True)


@pytest.mark.usefixtures("unreachable")
def test_a_slow_paste():
    """Lines that come less than the pause apart, as over a slow line, are one paste."""
    took, code, shown = PAUSE, 0, ""
    for _ in range(20):  # a busy machine may type too late
        terminal = Terminal(*CREATE)
        terminal.until_hidden()
        began = time.monotonic()
        terminal.type(f"{HIDDEN}1\n")
        terminal.rest(began + 0.2)
        terminal.type(f"{HIDDEN}2\n")
        took = time.monotonic() - began
        code, shown = terminal.end()
        if took < PAUSE:
            break
    assert took < PAUSE
    assert code == 2, shown
    assert "more than a line was typed or pasted" in shown
    assert HIDDEN not in shown


ENDS = {
    "blank lines": f"{HIDDEN} \u2014\r\n \n",
    "a bracketed paste": f"\x1b[200~{HIDDEN} \u2014\x1b[201~\n",
    "its line's end within": f"\x1b[200~{HIDDEN} \u2014\n\x1b[201~",
}


@pytest.mark.parametrize("what", ENDS)
def test_a_line_with_its_ends(mine, what):
    """A line is one with blank ones behind it, as in a file, or with the markers of a paste."""
    code, shown = pasted(ENDS[what], *CREATE)
    assert code == 0, shown
    stored = mine("registry", "get", "-n", "x", "-d", "-o", "jsonpath={.data}")
    assert f'\\"password\\":\\"{HIDDEN} \u2014\\"' in stored.replace("\\\\", "\\")
