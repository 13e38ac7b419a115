"""Documents as text, for `--output`: JSON, YAML and jsonpath.

Each writer is made from its expression before the command runs, so a bad one is refused first.
JSON and YAML say unprintable characters by their own escapes; what jsonpath finds is left as it is.
Owns formats only: what may be in a document is decided by the command.
"""

import json
from collections.abc import Callable
from typing import Any

from ce.text import jsonpath
from ce.text.render import LAYOUT, safe

# JSON and YAML end in a line end; what jsonpath finds is written to the byte.
Writer = Callable[[Any], str]


def _json(document: Any) -> str:
    # What may not reach a terminal can only be within a text, where JSON has the same escapes.
    return safe(json.dumps(document, indent=2, ensure_ascii=False), LAYOUT) + "\n"


def _yaml(document: Any) -> str:
    import yaml  # noqa: PLC0415 - slow to import, rarely asked for

    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    if safe(text, LAYOUT) != text:
        text = yaml.safe_dump(document, sort_keys=False)
    return text


def _matches_as_json(expression: str) -> Writer:
    find = jsonpath.find(expression)
    return lambda document: _json(find(document))


WRITERS: dict[str, Callable[[str], Writer]] = {
    "json": lambda _: _json,
    "yaml": lambda _: _yaml,
    "jsonpath": jsonpath.template,
    "jsonpath-as-json": _matches_as_json,
}


def _member(name: str) -> Callable[[str], Writer]:
    return lambda _: lambda document: f"{document.get(name, '')}\n"


# Of what can be called: its public or private URL, and that within the project.
ADDRESSES = {"url": _member("endpoint"), "project-url": _member("endpoint_internal")}
