"""What is pasted at a prompt that shows nothing: all of it, or nothing, and none of it shown."""

import pytest

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


def test_a_line_with_its_ends(mine):
    """A line and blank ones behind it are a line, as in a file."""
    code, shown = pasted(f"{HIDDEN} \u2014\r\n \n", *CREATE)
    assert code == 0, shown
    stored = mine("registry", "get", "-n", "x", "-d", "-o", "jsonpath={.data}")
    assert f'\\"password\\":\\"{HIDDEN} \u2014\\"' in stored.replace("\\\\", "\\")
