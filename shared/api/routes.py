"""Routes: from a method and a path, as it was sent, to an operation and its path parameters.

Segments are split before they are decoded: a parameter may hold an encoded `/`, as the CRN of a
resource instance does. One that is the `rest` of its path may hold slashes as they are, and no
escapes: it has one form alone. What two readers of a path could understand differently does not
exist.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from urllib.parse import unquote_to_bytes

from shared.api.operations import Operation, operations
from shared.errors import Error, missing

BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
REST = "*"  # before the last segment of a template that takes all that is left of a path
NO_NAMES = frozenset({"", ".", ".."})  # segments that say where, not what


def route(among: Collection[str], method: str, path: str) -> tuple[Operation, dict[str, str]]:
    """Give the operation at a path, of those with these ids, and its path parameters.

    `path` is raw and without a query. HEAD goes where GET goes (RFC 9110, section 9.3.2).
    Raises Error `resource_not_found`, or `method_not_allowed` with the methods that are.
    """
    segments = _split(path)
    for template, there in _paths():
        parameters = _matched(template, segments, escaped="%" in path)
        if parameters is not None:
            known = {verb: operation for verb, operation in there.items() if operation.id in among}
            if known:
                return _chosen(known, method), parameters
    raise missing()


def _chosen(known: Mapping[str, Operation], method: str) -> Operation:
    if operation := known.get("GET" if method == "HEAD" else method):
        return operation
    allowed = ", ".join(sorted([*known, "HEAD"] if "GET" in known else known))
    message = f"The path takes only {allowed}."
    raise Error("method_not_allowed", message, headers={"Allow": allowed})


@cache
def _paths() -> list[tuple[list[str], dict[str, Operation]]]:
    """Give each path by its segments, with its operations by method; literals come first."""
    found: dict[str, dict[str, Operation]] = {}
    for operation in operations().values():
        rests = [f"{{{one.name}}}" for one in operation.parameters if one.rest]
        path = operation.path
        for rest in rests:
            path = path.replace(rest, REST + rest)
        found.setdefault(path, {})[operation.method] = operation
    paths = [(path[1:].split("/"), there) for path, there in found.items()]
    return sorted(paths, key=lambda path: [segment[0] in "{*" for segment in path[0]])


def _matched(
    template: Sequence[str], segments: Sequence[str], *, escaped: bool
) -> dict[str, str] | None:
    """Give the path parameters if the segments are of this template."""
    *head, last = template
    if last.startswith(REST) and not escaped and len(segments) > len(head):
        template = [*head, last.removeprefix(REST)]
        segments = [*segments[: len(head)], "/".join(segments[len(head) :])]
    if len(template) != len(segments):
        return None
    found = {}
    for name, value in zip(template, segments, strict=True):
        if name.startswith("{"):
            found[name[1:-1]] = value
        elif name != value:
            return None
    return found


def _split(path: str) -> list[str]:
    """Give the segments of a path, decoded; raises Error `resource_not_found`."""
    first, *segments = path.split("/")
    if "%" in path or not path.isascii():
        segments = [_decoded(segment) for segment in segments]
    if first or not NO_NAMES.isdisjoint(segments):
        raise missing()
    return segments


def _decoded(segment: str) -> str:
    """Decode a segment: it must be UTF-8, and every percent sign an escape."""
    if BAD_ESCAPE.search(segment):
        raise missing()
    try:
        return unquote_to_bytes(segment.encode("latin-1")).decode()
    except UnicodeError:
        raise missing() from None
