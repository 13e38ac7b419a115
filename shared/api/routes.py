"""Routes: from a method and a path, as it was sent, to an operation and its path parameters.

Segments are split before they are decoded: a parameter may hold an encoded `/`, as the CRN of a
resource instance does. What two readers of a path could understand differently does not exist.
"""

import re
from collections.abc import Collection, Mapping
from functools import cache
from urllib.parse import unquote_to_bytes

from shared.api.operations import Operation, operations
from shared.errors import Error, missing

BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
NO_NAMES = frozenset({"", ".", ".."})  # segments that say where, not what
# By the number of segments, the most literal first: where the literals stand, and by what they
# are the operations, by method.
Index = Mapping[int, list[tuple[tuple[int, ...], dict[tuple[str, ...], dict[str, Operation]]]]]


def route(among: Collection[str], method: str, path: str) -> tuple[Operation, dict[str, str]]:
    """Give the operation at a path, of those with these ids, and its path parameters.

    `path` is raw and without a query. HEAD goes where GET goes (RFC 9110, section 9.3.2).
    Raises Error `resource_not_found`, or `method_not_allowed` with the methods that are.
    """
    segments = _split(path)
    for places, by_literals in _index().get(len(segments), ()):
        there = by_literals.get(tuple(segments[place] for place in places), {})
        known = {verb: operation for verb, operation in there.items() if operation.id in among}
        if known:
            return _chosen(known, method), _parameters(known, segments)
    raise missing()


def _chosen(known: Mapping[str, Operation], method: str) -> Operation:
    if operation := known.get("GET" if method == "HEAD" else method):
        return operation
    allowed = ", ".join(sorted([*known, "HEAD"] if "GET" in known else known))
    message = f"The path takes only {allowed}."
    raise Error("method_not_allowed", message, headers={"Allow": allowed})


def _parameters(known: Mapping[str, Operation], segments: tuple[str, ...]) -> dict[str, str]:
    template = next(iter(known.values())).path[1:].split("/")
    pairs = zip(template, segments, strict=True)
    return {name[1:-1]: value for name, value in pairs if name.startswith("{")}


@cache
def _index() -> Index:
    found: dict[int, dict[tuple[int, ...], dict[tuple[str, ...], dict[str, Operation]]]] = {}
    for operation in operations().values():
        template = operation.path[1:].split("/")
        places = tuple(n for n, segment in enumerate(template) if not segment.startswith("{"))
        literals = tuple(template[place] for place in places)
        shapes = found.setdefault(len(template), {}).setdefault(places, {})
        shapes.setdefault(literals, {})[operation.method] = operation
    return {
        length: sorted(shapes.items(), key=lambda shape: -len(shape[0]))
        for length, shapes in found.items()
    }


def _split(path: str) -> tuple[str, ...]:
    """Give the segments of a path, decoded; raises Error `resource_not_found`."""
    first, *segments = path.split("/")
    if "%" in path or not path.isascii():
        segments = [_decoded(segment) for segment in segments]
    if first or not NO_NAMES.isdisjoint(segments):
        raise missing()
    return tuple(segments)


def _decoded(segment: str) -> str:
    """Decode a segment: it must be UTF-8, and every percent sign an escape."""
    if BAD_ESCAPE.search(segment):
        raise missing()
    try:
        return unquote_to_bytes(segment.encode("latin-1")).decode()
    except UnicodeError:
        raise missing() from None
