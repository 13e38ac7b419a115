"""What comes of a prompt, and of files that other programs wrote."""

import pytest

from ce.server import profiles
from tests.support.terminal import Terminal

ASKED = {
    "a password": (("registry", "create", "-n", "x"), "Password (or --password-from-file)"),
    "by option": (
        ("secret", "update", "-n", "x", "--secret-access-key-prompt"),
        "--secret-access-key-prompt",
    ),
    "of a file": (
        ("registry", "update", "-n", "x", "--password-from-file", "-"),
        "--password-from-file: the first line",
    ),
}


@pytest.mark.usefixtures("unreachable")
@pytest.mark.parametrize("case", ASKED)
def test_enter_alone_is_no_credential(case):
    """Enter at a prompt is refused before anything is asked of the server."""
    args, where = ASKED[case]
    terminal = Terminal(*args)
    terminal.until_hidden()
    terminal.type("\n")
    code, shown = terminal.end()
    assert code == 2
    assert where in shown
    assert "is empty: nothing was stored. --allow-empty stores it." in shown


def test_a_profile_that_an_editor_has_marked(nobody):
    """A byte order mark before a profile's JSON is no damage."""
    file = nobody / "profiles" / "mine.json"
    file.parent.mkdir()
    file.write_text('{"url": "https://ce.example.com/v2", "apikey": "k"}', encoding="utf-8-sig")
    file.chmod(0o600)
    assert profiles.load("mine").apikey == "k"
