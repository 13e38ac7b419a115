"""What the program tells of its commands: their shapes, options, examples and completion.

Never runs a command, and asks the server for nothing but the names that a shell completes.
`options` is read when a command is made.
"""

from ce.help import guide
from ce.help.groups import ALONE, SETTINGS, Aliased, Leaf, Makers, Verbatim

__all__ = [
    "ALONE",
    "SETTINGS",
    "Aliased",
    "Leaf",
    "Makers",
    "Verbatim",
    "guide",
]
