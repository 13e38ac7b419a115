"""The audit trail as tests read it: what the records say."""

import json
from typing import Any

from shared.store import Store

STATEMENT = "https://in-toto.io/Statement/v1"  # a certificate, which says it in its own way


def said(entry: dict[str, Any]) -> dict[str, Any]:
    """Give what the record of a stored entry says, with its time as a time.

    The index beside it has to say the same.
    """
    told: dict[str, Any] = json.loads(entry["record"])
    index = ("account_id", "project_id", "action", "outcome", "initiator")
    if told["_type"] == STATEMENT:
        return {name: entry[name] for name in (*index, "at")} | {"statement": told}
    assert {name: told[name] for name in index} == {name: entry[name] for name in index}
    assert told["at"] == f"{entry['at']:%Y-%m-%dT%H:%M:%S.%f}Z"
    return {**told, "at": entry["at"]}


def entries(store: Store, *about: str) -> list[dict[str, Any]]:
    """Give what the trail says, the oldest first: all, or where a field has a value."""
    filters = [(about[0], "==", about[1])] if about else []
    found = store.query("audit", *filters, order="at", limit=9999)[1]
    return [said(entry.contents) for entry in found]
