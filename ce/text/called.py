"""By which name the program was called: hints name it so, and can be pasted."""

import os
import re
import sys

PLUGIN = ("ce", "code-engine")  # of `ibmcloud`: the words before the command
HINT = re.compile(r"(['`])ce (?=[a-z])")  # as our texts write one


def as_plugin() -> bool:
    """Whether this is `ibmcloud`, and the command is ours.

    It is where a link is named so, and where the line of `ce shim` says so in CE_CALLED.
    """
    called = os.environ.get("CE_CALLED") or sys.argv[0].rpartition("/")[2]
    return called == "ibmcloud" and sys.argv[1:2] in ([word] for word in PLUGIN)


def program() -> str:
    """Give the words before a command: `ce`, or those of IBM's program."""
    return f"ibmcloud {sys.argv[1]}" if as_plugin() else "ce"


def hints(text: str) -> str:
    """Give a text whose commands begin with the name the program was called by."""
    return HINT.sub(rf"\1{program()} ", text)
