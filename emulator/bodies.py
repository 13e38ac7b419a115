"""How the local host reads bodies: whole, and not for ever.

Each takes the place of gunicorn's reader of the same framing, which lets through what is cut short,
and takes any number of chunks.
"""

from typing import Any

from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.errors import NoMoreData, ParseException

# Chunks of a body that may be of any size; bytes of all others, at the mean: Go's gzip writes 240.
FEW, SMALL = 64, 128
TRAILERS = 8190  # bytes after the last chunk, which nobody reads


class WholeReader(LengthReader):  # type: ignore[misc]
    """Reads a body of a length that was announced; one that ends before is none."""

    def read(self, size: int) -> bytes:
        """Read so many bytes, fewer only where the body is at its end. Raises NoMoreData."""
        wanted = min(self.length, size)
        got: bytes = super().read(size)
        if len(got) < wanted:
            raise NoMoreData
        return got


class ChunkReader(ChunkedReader):  # type: ignore[misc]
    """Reads a body that comes in chunks; one of very small ones is work without end, and none."""

    def __init__(self, req: Any, unreader: Any) -> None:
        super().__init__(req, unreader)
        self.limit_trailer_section = TRAILERS
        self._chunks, self._bytes = 0, 0
        self.refused = False

    def parse_chunk_size(self, unreader: Any, data: Any = None) -> Any:
        """Read the head of a chunk. Raises ParseException where there are far too many."""
        size, rest = super().parse_chunk_size(unreader, data)
        self._chunks += 1
        self._bytes += size
        if self._chunks > FEW + self._bytes // SMALL:
            self.refused = True
            raise ParseException
        return size, rest
