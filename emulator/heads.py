"""How the local host takes in a request's head while nobody has a thread for it.

Each byte is looked at once, however few come at a time: the loop that waits for all heads would
otherwise work for the square of their length.
"""

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException

LONGEST_LINE = 8190  # bytes of a request's first line: the most gunicorn takes with a limit
LONGEST_HEAD = 65_536  # bytes of a head
LINE_END = b"\r\n"
END = 2 * LINE_END


class Head:
    """What has come of a request's head, and of what follows it."""

    def __init__(self, come: bytes) -> None:
        self.come = bytearray(come)
        self._seen = 0  # bytes of it that were looked at

    def is_whole(self) -> bool:
        """Look at what is new; whether the head has an end. Raises ParseException if it is none."""
        seen, self._seen = self._seen, len(self.come)
        # An empty line may come before (RFC 9112, section 2.2).
        begin = len(LINE_END) if self.come.startswith(LINE_END) else 0
        line = begin + LONGEST_LINE + len(LINE_END)
        if seen < line <= len(self.come) and self.come.find(LINE_END, begin, line) < 0:
            raise LimitRequestLine(0, 0)
        partly = len(END) - 1  # bytes that may have come of it
        end = self.come.find(END, max(begin, seen - partly))
        if (end if end >= 0 else len(self.come) - partly) - begin > LONGEST_HEAD:
            raise LimitRequestHeaders("")
        if self.come.startswith(LINE_END, begin) or (end < 0 and self._is_bare(seen)):
            raise ParseException  # no head begins so, or none ever ends so
        return end >= 0

    def _is_bare(self, seen: int) -> bool:
        """Whether a line feed has come alone."""
        lines = self.come.count(LINE_END, max(seen - 1, 0))
        return self.come.count(b"\n", seen) != lines
