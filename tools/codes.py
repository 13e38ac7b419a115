"""The codes of errors as docs/api.md tells them: its table becomes part of the API's description.

Build time only. It stands in the schema of an error, beside `code`, as `x-codes`.
"""

import re
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parents[1] / "docs" / "api.md"
ROW = re.compile(r"^\| `(\w+)` \| (\d{3}) \| (.+) \|$", re.MULTILINE)


def codes() -> list[dict[str, Any]]:
    """Give each code, the status it comes with, and when it is told, by status."""
    section = TABLE.read_text().partition("\n## Errors\n")[2].partition("\n## ")[0]
    rows = [
        {"code": code, "status": int(status), "when": when}
        for code, status, when in ROW.findall(section)
    ]
    return sorted(rows, key=lambda row: row["status"])


def add_codes(schemas: dict[str, Any]) -> None:
    """Say in the schema of an error which codes there are."""
    entry = schemas["Error"]["properties"]["errors"]["items"]["properties"]
    entry["code"] |= {"x-codes": codes()}
