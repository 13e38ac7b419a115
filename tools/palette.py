"""Makes a browser's PNG small: its 256 commonest colours, and the nearest of them for the rest."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import chain

HEAD = b"\x89PNG\r\n\x1a\n"
COLOURS = 256
CHANNELS = 3  # what a page's picture has: red, green, blue of 8 bits each


def shrunk(png: bytes) -> bytes:
    """Give the same picture with a palette; raises ValueError for what is no page."""
    parts = dict(_chunks(png))
    width, height, *form = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    if form != [8, 2, 0, 0, 0]:
        raise ValueError(f"not a plain RGB picture: {form}")
    pixels = _pixels(zlib.decompress(parts[b"IDAT"]), width * CHANNELS, height)
    counts = Counter(chain.from_iterable(pixels))
    palette = [colour for colour, _ in counts.most_common(COLOURS)]
    number = {colour: _nearest(colour, palette) for colour in counts}
    rows = b"".join(b"\0" + bytes(number[pixel] for pixel in row) for row in pixels)
    return HEAD + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", bytes(chain.from_iterable(palette))),
            _chunk(b"IDAT", zlib.compress(rows, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give a picture's chunks, those of its pixels as one."""
    at, pixels = len(HEAD), b""
    while at < len(png):
        size, name = struct.unpack_from(">I4s", png, at)
        body = png[at + 8 : at + 8 + size]
        at += size + 12
        if name == b"IDAT":
            pixels += body
        else:
            yield name, body
    yield b"IDAT", pixels


def _pixels(data: bytes, width: int, height: int) -> list[list[tuple[int, ...]]]:
    """Undo the filter of each row (PNG, section 9)."""
    before, rows = bytearray(width), []
    for number in range(height):
        at = number * (width + 1)
        row = bytearray(data[at + 1 : at + 1 + width])
        for place in range(width) if data[at] else ():
            left = row[place - CHANNELS] if place >= CHANNELS else 0
            corner = before[place - CHANNELS] if place >= CHANNELS else 0
            up = before[place]
            guess = (0, left, up, (left + up) // 2, _paeth(left, up, corner))[data[at]]
            row[place] = (row[place] + guess) & 255
        rows.append(list(zip(*[iter(row)] * CHANNELS, strict=True)))
        before = row
    return rows


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda one: abs(guess - one))


def _nearest(colour: tuple[int, ...], palette: list[tuple[int, ...]]) -> int:
    def far(place: int) -> int:
        return sum((a - b) ** 2 for a, b in zip(colour, palette[place], strict=True))

    return min(range(len(palette)), key=far)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
