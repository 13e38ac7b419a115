"""What is remembered of each change, and how it is proved.

An entry is a write like any other, for the commit of the change itself: nothing here commits, and
no entry holds a value, a key or a body.
"""

from shared.evidence.entries import (
    BEGUN,
    along,
    begun,
    by,
    by_system,
    ended,
    of_key,
    of_migration,
    operation,
)
