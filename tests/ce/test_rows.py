"""Every row of the table of commands reaches an operation of the API, and nothing but operations.

What a command asked is read from the host's log. Rows on what a project holds are tried with
their transcripts, in test_cli_kinds; the others are here.
"""

import pytest

from shared.api import operations, route
from tests.support.cli import asked
from tests.support.cli_examples import ROWS


@pytest.mark.parametrize(("noun", "verb"), ROWS)
def test_every_row_reaches_its_operation(ce, host, noun, verb):
    """Each request of a command is an operation, and the row's own is among them."""
    ce("project", "create", "-n", "old")
    ce("project", "delete", "-n", "old", "-f")
    ce("project", "create", "-n", "mine")
    ce("secret", "create", "-n", "plain", "-l", "A=b")
    ce("registry", "create", "-n", "login", "-u", "u", "-p", "p")
    ce("repo", "create", "-n", "git", "--ho", "github.com", "--kp", "-", text="key")
    words, expected = ROWS[noun, verb]
    before = len(host.log())
    ce(noun, verb, *words.split(), text="key")
    requests = asked(host.log()[before:])
    assert expected in {route(operations(), *request)[0].id for request in requests}, requests
