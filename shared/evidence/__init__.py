"""What is remembered of each change, and how it is proved.

An entry, and the record of what a request that may be sent again was answered, is a write like any
other, for the commit of the change itself. Only what was read or denied, which changes nothing, is
committed here, alone. Neither holds a value or a key, and an entry no body. What decides a
project's life is written and believed with its MAC alone.
"""

from shared.evidence.entries import (
    BEGUN,
    DENIED,
    INDEX,
    STATEMENT,
    SUCCESS,
    SYSTEM,
    TYPE,
    along,
    begun,
    by,
    by_system,
    denied,
    ended,
    genuine,
    leave,
    moment,
    name_digest,
    of_end,
    of_key,
    of_migration,
    of_trail,
    operation,
    said,
)
from shared.evidence.repeats import Once
from shared.evidence.standing import MAC, born, holds, meaning, moved, ours, require_ours
from shared.evidence.standing import ended as project_ended
