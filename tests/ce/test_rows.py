"""Every row of the table of commands reaches an operation of the API, and nothing but operations.

What a command asked is read from the host's log. Rows on what a project holds are tried with
their transcripts, in test_cli_kinds; the others are here.
"""

import pytest

from shared.api import operations, route
from tests.support.cli import asked
from tests.support.cli_examples import ROWS
from tests.support.kept import kept


@pytest.mark.parametrize(("noun", "verb"), [row for row in ROWS if ROWS[row][1]])
def test_every_row_reaches_its_operation(ce, host, account, noun, verb, tmp_path, monkeypatch):
    """Each request of a command is an operation, and the row's own is among them."""
    monkeypatch.chdir(tmp_path)
    ce("project", "create", "-n", "old")
    ce("project", "delete", "-n", "old", "-f")
    ce("project", "create", "-n", "mine")
    ce("secret", "create", "-n", "plain", "-l", "A=b")
    ce("registry", "create", "-n", "login", "-u", "u", "-p", "p")
    ce("repo", "create", "-n", "git", "--ho", "github.com", "--kp", "-", text="key")
    if noun in {"audit", "certificate"}:
        kept(host.inside.app, account.id, "gone")
        host.hub("POST", "/schedules/sealAudit/run")
    words, expected = ROWS[noun, verb]
    before = len(host.log())
    ce(noun, verb, *words.split(), text="key")
    requests = asked(host.log()[before:])
    assert expected in {route(operations(), *request)[0].id for request in requests}, requests
