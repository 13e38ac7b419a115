"""What the terminal shows: one line a request, delivery, run or notice, for people or as JSON.

It must never be given a query string, a header or a body.
"""

import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

_PRINTABLE = quote("", safe="") + "/:@!$&'()*+,;=-._~% "


@dataclass(frozen=True)
class Log:
    """Where lines go; `quiet` keeps only faults."""

    quiet: bool = False
    as_json: bool = False

    def call(self, name: str, what: str, status: int, seconds: float) -> None:
        """One request, delivery or scheduled run that was answered."""
        if self.quiet and status < 500:
            return
        # Quoted: a path is the caller's, and could carry escape codes to the terminal.
        what, latency = quote(what, safe=_PRINTABLE), round(seconds * 1000)
        now = datetime.now().astimezone()
        if self.as_json:
            severity = "ERROR" if status >= 500 else "INFO"
            fields = {"severity": severity, "time": now.isoformat(timespec="milliseconds")}
            say(
                json.dumps(
                    fields
                    | {"function": name, "request": what, "status": status, "latency_ms": latency}
                )
            )
        else:
            say(f"{now:%H:%M:%S}  {name}  {what}  {status}  {latency}ms")

    def note(self, topic: str, text: str, *, mark: str = "i") -> None:
        """One thing worth knowing."""
        if not self.quiet:
            self._say("INFO", mark, topic, text)

    def fault(self, topic: str, text: str) -> None:
        """One thing that went wrong; also said when quiet."""
        self._say("ERROR", "✗", topic, text)

    def block(self, text: str, **fields: Any) -> None:
        """Print several lines for people; in JSON, only the fields."""
        if not self.quiet:
            say(json.dumps({"severity": "INFO"} | fields) if self.as_json else text)

    def _say(self, severity: str, mark: str, topic: str, text: str) -> None:
        if self.as_json:
            say(json.dumps({"severity": severity, "message": f"{topic}: {text}"}))
        else:
            say(f"{mark}  {topic}: {text}")


def say(line: str) -> None:
    """Print what a command was asked for."""
    # A reader that went away (`| head`) must not take the host down.
    with suppress(OSError, ValueError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
