"""Whom to ask, as whom, how, and what to do when that fails.

Never falls through from a broken target to another one, never follows a redirect, and puts
neither a key nor what was sent into an error. `target`, `profiles` and `place` are used by
their own names; `advice` is read when something failed.
"""

from ce.server import addresses, place, profiles, target
from ce.server.client import Client, Doc, path
from ce.server.failure import (
    EXIT_CODES,
    FAILED,
    INTERRUPTED,
    NONE,
    OK,
    READER_GONE,
    USAGE,
    WITHIN,
    Declined,
    Failure,
)
from ce.server.profiles import PLACE, REGION, Profile
from ce.server.waiting import until

__all__ = [
    "EXIT_CODES",
    "FAILED",
    "INTERRUPTED",
    "NONE",
    "OK",
    "PLACE",
    "READER_GONE",
    "REGION",
    "USAGE",
    "WITHIN",
    "Client",
    "Declined",
    "Doc",
    "Failure",
    "Profile",
    "addresses",
    "path",
    "place",
    "profiles",
    "target",
    "until",
]
