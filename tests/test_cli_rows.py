"""Every row of the table of commands reaches an operation of the API, and nothing but operations.

What a command asked is read from the host's log. Rows on what a project holds are examples, with
their transcripts; the others are in `ROWS` below.
"""

import pytest

from ce.commands import NOUNS
from shared.routes import route
from shared.schema import operations
from tests.cli_examples import EXAMPLES
from tests.cli_support import asked

# The least a row can be asked, and the operation it is there for. `mine` is active and selected,
# with a generic and a registry secret in it; `old` is soft deleted.
ROWS = {
    ("project", "create"): ("-n new", "create_project"),
    ("project", "current"): ("", "get_project"),
    ("project", "delete"): ("-n mine -f", "delete_project"),
    ("project", "get"): ("-n mine", "list_projects"),
    ("project", "list"): ("", "list_projects"),
    ("project", "restore"): ("-n old", "restore_project"),
    ("project", "select"): ("-n mine", "list_projects"),
    ("reclamation", "delete"): ("-n old -f", "reclaim_project"),
    ("reclamation", "get"): ("-n old", "list_reclamations"),
    ("reclamation", "list"): ("", "list_reclamations"),
    ("reclamation", "restore"): ("-n old", "restore_project"),
    ("secret", "create"): ("-n new -l A=b", "create_secret"),
    ("secret", "delete"): ("-n plain -f", "delete_secret"),
    ("secret", "get"): ("-n plain", "get_secret"),
    ("secret", "list"): ("", "list_secrets"),
    ("secret", "update"): ("-n plain -l A=c", "replace_secret"),
    ("registry", "create"): ("-n new -u u -p p", "create_secret"),
    ("registry", "delete"): ("-n login -f", "delete_secret"),
    ("registry", "get"): ("-n login", "get_secret"),
    ("registry", "list"): ("", "list_secrets"),
    ("registry", "update"): ("-n login -p q", "replace_secret"),
    ("apikey", "create"): ("new", "create_api_key"),
    ("apikey", "delete"): ("first -f", "delete_api_key"),
    ("apikey", "list"): ("", "list_api_keys"),
}


def test_every_row_is_tried():
    """Here, or with its transcript among the examples."""
    rows = {(f"{noun.parent} {noun.name}".strip(), verb) for noun in NOUNS for verb in noun.verbs}
    examples = {(example.noun, example.verb) for example in EXAMPLES}
    assert rows == examples | set(ROWS)


@pytest.mark.parametrize(("noun", "verb"), ROWS)
def test_every_row_reaches_its_operation(ce, host, noun, verb):
    """Each request of a command is an operation, and the row's own is among them."""
    ce("project", "create", "-n", "old")
    ce("project", "delete", "-n", "old", "-f")
    ce("project", "create", "-n", "mine")
    ce("secret", "create", "-n", "plain", "-l", "A=b")
    ce("registry", "create", "-n", "login", "-u", "u", "-p", "p")
    words, expected = ROWS[noun, verb]
    before = len(host.log())
    ce(noun, verb, *words.split())
    requests = asked(host.log()[before:])
    assert expected in {route(operations(), *request)[0].id for request in requests}, requests
