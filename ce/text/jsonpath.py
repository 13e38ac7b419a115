"""kubectl's jsonpath templates over jsonpath-ng: `{.a.b[*].name}`, text, `{range}...{end}`.

Owns the template around the expressions; the expressions are jsonpath-ng's. A template is
compiled before anything is asked of the API, so a slip in it never follows a change.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

Piece = Callable[[Any, Any], str]  # (the whole document, the current item) -> text

# A quoted string inside braces may itself hold braces.
SEGMENT = re.compile(r"""\{((?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^{}"'])*)\}""")

# To jsonpath-ng many a key is a word of its grammar (`where`), a number (`1pass`) or two keys
# (`8a-b`), so every key is quoted; kubectl writes a dot inside one as `\.`. Quoted texts, and
# numbers that something is compared with, are no keys.
KEY = re.compile(
    r"""(?P<other>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|[=<>~]\s*-?\d+(?:\.\d+)?)"""
    r"""|\.(?P<key>(?:[\w-]|\\\.)+)"""
)


def template(text: str) -> Callable[[Any], str]:
    """Compile a template; ValueError says what is wrong with it."""
    tokens = list(_tokens(text if "{" in text else f"{{{text}}}"))
    pieces, _ = _compile(tokens)
    return lambda document: "".join(piece(document, document) for piece in pieces)


def find(text: str) -> Callable[[Any], list[Any]]:
    """Compile one expression, braces optional, to the list of what it matches."""
    inner = SEGMENT.fullmatch(text.strip())
    select = _select(inner[1] if inner else text)
    return lambda document: select(document, document)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    for match in SEGMENT.finditer(text):
        yield "text", text[position : match.start()]
        yield "expression", match[1].strip()
        position = match.end()
    yield "text", text[position:]
    if re.search(r"[{}]", SEGMENT.sub("", text)):
        raise ValueError("a brace is not closed.")


def _compile(
    tokens: list[tuple[str, str]], *, inside: bool = False
) -> tuple[list[Piece], list[tuple[str, str]]]:
    pieces: list[Piece] = []
    while tokens:
        (kind, text), tokens = tokens[0], tokens[1:]
        if kind == "expression" and text == "end":
            if not inside:
                raise ValueError("{end} without {range}.")
            return pieces, tokens
        if kind == "expression" and text.startswith("range "):
            body, tokens = _compile(tokens, inside=True)
            pieces.append(_range(_select(text[6:]), body))
        else:
            pieces.append(_literal(text) if kind == "text" else _expression(text))
    if inside:
        raise ValueError("{range} without {end}.")
    return pieces, []


def _literal(text: str) -> Piece:
    return lambda _document, _item: text


def _range(select: Callable[[Any, Any], list[Any]], body: list[Piece]) -> Piece:
    return lambda document, item: "".join(
        piece(document, each) for each in select(document, item) for piece in body
    )


def _expression(text: str) -> Piece:
    if text[:1] == text[-1:] == '"':
        return _literal(_quoted(text))
    select = _select(text)
    return lambda document, item: " ".join(_show(value) for value in select(document, item))


def _quoted(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        raise ValueError("a quoted text is malformed.") from None


def _select(text: str) -> Callable[[Any, Any], list[Any]]:
    from jsonpath_ng.exceptions import JSONPathError  # noqa: PLC0415 - slow to import
    from jsonpath_ng.ext.parser import parse  # noqa: PLC0415

    path = text.strip()
    absolute = path.startswith("$")
    rest = path[1:] if path[:1] in {"$", "@"} else path
    rest = "" if rest == "." else rest if rest[:1] in {"", ".", "["} else f".{rest}"
    try:
        compiled = parse("$" + KEY.sub(_quote_key, rest))
    except JSONPathError:
        raise ValueError(f"cannot read the expression {text!r}.") from None
    return lambda document, item: [
        match.value for match in compiled.find(document if absolute else item)
    ]


def _quote_key(match: re.Match[str]) -> str:
    return match["other"] or f".'{match['key'].replace(chr(92), '')}'"


def _show(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
