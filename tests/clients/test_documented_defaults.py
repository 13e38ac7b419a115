"""The documented defaults are what a resource is made with when nothing is said of them."""

import json
import re

import pytest

from ce.help.option_help import UNSUPPORTED
from tests.clients.test_documented_commands import COMMANDS, DEFAULTS, made
from tests.support.cli_examples import IMAGE, SOURCE

LEAST = {
    "application create": ("-i", IMAGE),
    "build create": ("-i", "x/y", "--rs", "hub", "--src", SOURCE, "-f"),
    "buildrun submit": ("-i", "x/y", "--rs", "hub", "--src", SOURCE),
    "function create": ("-r", "nodejs-22", "--cb", "x/y"),
    "job create": ("-i", IMAGE),
    "jobrun submit": ("-i", IMAGE),
    "registry create": ("-p", "p"),
    "secret create": ("--fo", "registry", "-u", "u", "--pw", "p"),
}
# Other words for another default, and what of it nobody waits for.
APART = {"--array-size", "--wait-timeout", "--format"}
OWN = re.compile(r"id|name|href|.*_url|.*_at|entity_tag|endpoint.*|computed_.*|status.*")


def defaults(words):
    """Give the documented defaults of a command as one would type them."""
    options = next(options for command, _, options in COMMANDS if command == words)
    refused = {n for o in made(words).params if o.help.startswith(UNSUPPORTED) for n in o.opts}
    for option in options:
        name = next(name for name in option["names"].split("/") if name.startswith("--"))
        if option["default"] and name not in refused | APART and (words, name) not in DEFAULTS:
            yield from (name, option["default"])


def document(mine, words, name):
    """Read what was made, without what is its own."""
    noun = words.rpartition(" ")[0]
    found = json.loads(mine(*noun.split(), "get", "-n", name, "-o", "json"))
    return {member: value for member, value in found.items() if not OWN.fullmatch(member)}


@pytest.mark.parametrize("words", LEAST)
def test_documented_defaults(mine, words):
    """To type every documented default changes nothing."""
    typed = [*defaults(words)]
    assert typed
    for name, more in (("silent", ()), ("typed", typed)):
        mine(*words.split(), "-n", name, *LEAST[words], *more, "-q")
    assert document(mine, words, "silent") == document(mine, words, "typed")
