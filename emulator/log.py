"""What the terminal shows: one line a request, delivery, run or notice, for people or as JSON.

It must never be given a query string, a header or a body. Of a path it shows what can be a name.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulator import terminal

NAME = 16  # characters of a function's name: onProjectWritten and enforceRetention fit
BESIDE = NAME + 26  # characters of a line that are not method and path: time, status, ms, gaps
# Segments of a path that are told: names of what there is, of functions, and numbers. Anything else
# may be a secret at the wrong place, or carry escape codes to the terminal.
_NAME = re.compile(r"[a-z0-9._-]{0,63}|[A-Za-z]{1,40}|\(default\)")
_QUERY = re.compile(r"\?[^\s\"']+")
COLOURS = {2: terminal.GREEN, 3: terminal.CYAN, 4: terminal.YELLOW}  # by a status's first digit
LEVELS = {"debug", "info", "warning", "error", "critical"}


class _Line(logging.Formatter):
    """A line of a library: its level, its name, and what it says, without an address's query."""

    def format(self, record: logging.LogRecord) -> str:
        text = _QUERY.sub("?…", super().format(record))
        ours = record.name == "reprieve"  # writes whole lines
        return text if ours else f"{record.levelname} {record.name}: {text}"


def libraries(level: str) -> None:
    """Print what libraries log, from a level on."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Line())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


@dataclass(frozen=True)
class Log:
    """Where lines go; `quiet` keeps only faults, `lively` is for a terminal."""

    quiet: bool = False
    as_json: bool = False
    lively: bool = False

    def call(self, name: str, what: str, status: int, seconds: float) -> None:
        """One request, delivery or scheduled run that was answered."""
        if self.quiet and status < 500:
            return
        what, latency = _shown(what), round(seconds * 1000)
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
            colour = COLOURS.get(status // 100, terminal.RED)
            shown = terminal.paint(str(status), colour) if self.lively else str(status)
            place = f"{name:<{NAME}}  {what}".ljust(NAME + 2 + terminal.room(BESIDE))
            terminal.LINES.say(f"{now:%H:%M:%S}  {place}  {shown}  {latency:>5}ms")

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

    def clear(self) -> None:
        """Wipe the line that another process's spinner may have left."""
        if self.lively:
            terminal.LINES.wipe()

    @contextmanager
    def waiting(self, topic: str, text: str) -> Iterator[Callable[[str], None]]:
        """Say what is waited for, and how far it is: by a spinner on a terminal, else by lines."""
        if self.lively and not self.quiet and not self.as_json:
            with terminal.Spinner(f"{topic}: {text}") as spinner:
                yield lambda more: spinner.tell(f"{topic}: {text}: {more}")
        else:
            self.note(topic, text)
            yield lambda more: self.note(topic, more)

    def _say(self, severity: str, mark: str, topic: str, text: str) -> None:
        if self.as_json:
            say(json.dumps({"severity": severity, "message": f"{topic}: {text}"}))
        else:
            say(f"{mark}  {topic}: {text}")


def _shown(what: str) -> str:
    """Give a verb and a path, with what cannot be a name left out."""
    verb, _, path = what.partition(" ")
    segments = (part if _NAME.fullmatch(part) else "…" for part in path.split("/"))
    return f"{verb} {'/'.join(segments)}" if path else verb


def say(line: str) -> None:
    """Print what a command was asked for; whoever chose its texts, they act on no terminal."""
    terminal.LINES.say(terminal.plain(line))
