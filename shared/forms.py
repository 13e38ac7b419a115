"""The forms of what is stored: which there are, and how the former one is met.

A form has a number, kept outside the database (`CE_STORE_FORM`). A release reads its own form and
the one before, and writes its own. While the setting names the former one, what has not what the
newest demands is accepted and counted; from then on it is refused, or who writes the database would
strip it.
"""

import json
from collections import Counter
from threading import Lock
from typing import Any

from shared.failures import tell

FORMER, NEWEST = 1, 2  # 2: key records are signed, envelopes bind the clear body beside them
_LOCK, _MET = Lock(), Counter[str]()


def accepted(what: str) -> None:
    """Count something of the former form that is accepted; log the 1st, 10th, 100th, ... of it."""
    with _LOCK:
        _MET[what] += 1
        count = _MET[what]
    if f"{count}".strip("0") == "1":
        tell("WARNING", f"of the former store form: {what}", count=f"{count}")


def canonical(value: Any) -> bytes:
    """Give JSON in the one form that digests and signatures are made over.

    Members in the order of their names' code points, no blanks, UTF-8, numbers as Python writes
    them: what Firestore gives back is written as what it was given.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()
