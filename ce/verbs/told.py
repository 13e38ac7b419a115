"""The lines of an export: each tells what its record says, no more, no less, nothing otherwise.

That the record is the log's is not found out here.
"""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

from ce import verify as auditor
from ce.server import Doc

END = "codeengine.project.erase"
AUDIT, STATEMENT = "urn:reprieve:audit:v1", auditor.KIND["_type"]  # types of a record
NUMBERS = ("seq", "epoch", "index")
BESIDE = {*NUMBERS, "record", "salt", "prev", "status"}  # of a line, and of no record
UNTOLD = {"email", "kek", "path"}  # of a record; the API tells them nowhere else
HIDDEN = {"erased", "refused", "former"}  # statuses of an entry without a record
need = auditor.need


def entries(file: Path) -> list[Doc]:
    """Give the entries of an export's file. Raises ValueError for one that lies about its record.

    Of one without a record nothing is checked: nothing may be believed.
    """
    lines = file.read_bytes().decode().removesuffix("\n").split("\n")
    found = [json.loads(line, object_pairs_hook=_once) for line in lines]
    for one in found:
        _agrees(one)
    return found


def _once(members: list[tuple[str, Any]]) -> Doc:
    """Refuse an object that says something twice: readers differ in which they take."""
    found = dict(members)
    need(len(found) == len(members), "a member is there twice")
    return found


def _agrees(one: Doc) -> None:
    """Refuse an entry that tells more, less or otherwise than its record."""
    for number in map(one.get, NUMBERS):
        need(number is None or (type(number) is int and number >= 0), "a number is none")
    if one["record"] is None:
        need(one["status"] in HIDDEN, f"an entry without a record is {one['status']!a}")
        return
    far = "waiting" if one["index"] is None else "sealed"
    need(one["status"] == far, f"{one['id']!a} is {far}, and is told otherwise")
    record = json.loads(b64decode(one["record"], validate=True))
    told = _told(record)
    left = {name: told[name] for name in UNTOLD & told.keys() - one.keys()}
    beside = {name: value for name, value in one.items() if name not in BESIDE} | left
    # As text: True is 1, and 1 is 1.0, otherwise.
    same = json.dumps(beside, sort_keys=True) == json.dumps(told, sort_keys=True)
    need(same, f"{one['id']!a} tells otherwise than its record")


def _told(record: Doc) -> Doc:
    """Give what is told of a record: itself; of a certificate, whose and when it is."""
    if record["_type"] != STATEMENT:
        need(record["_type"] == AUDIT, "a record is of another type")
        return record
    project, line = (record["predicate"][name] for name in ("project", "timeline"))
    return {
        "id": f"{project['id']}.erase",
        "account_id": project["account"],
        "project_id": project["id"],
        "action": END,
        "outcome": "success",
        "initiator": "retention",
        "at": line["erased"],
    }
