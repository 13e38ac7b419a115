"""The audit trail: one entry a change, written in the same commit as the change.

An entry says who, what, when and on which project (contract section 9). It never holds a value,
a key or a body.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared import writes
from shared.app import Call

SYSTEM = "retention"  # who acts when nobody does


def by(call: Call, action: str, project: Mapping[str, Any], now: datetime) -> writes.Write:
    """Give the entry of a change that a caller asked for; its request names it.

    `action` is as in contract section 9, such as `secret.create`.
    """
    who = {"initiator": call.principal.subject, "correlation_id": call.trace}
    return entry(call.trace, action, project, now, who)


def entry(
    entry_id: str,
    action: str,
    project: Mapping[str, Any],
    now: datetime,
    who: Mapping[str, str],
) -> writes.Write:
    """Give the write of one entry; it must be the first of its id, so a change happens once."""
    fields = {
        "action": f"codeengine.{action}",
        "account_id": project["account_id"],
        "project_id": project["id"],
        "at": now,
        "outcome": "success",
        **who,
    }
    return writes.create(f"audit/{entry_id}", fields)
