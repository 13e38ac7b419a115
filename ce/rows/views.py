"""How people see a document: tables and blocks, each a mapping of heading to cell.

A cell that answers None is a line the API gave nothing for: it is left out, never invented. A
mapping in a block's place is a block below its heading, a function that answers lines stands below
it too. Ages run by the server's clock, which on an emulator can be moved.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Union

from ce.call import Call
from ce.server import Doc
from ce.text import render

Cell = Callable[[Call, Doc], str | None]
Lines = Callable[[Call, Doc], list[str] | None]
Shape = Mapping[str, Union[Cell, Lines, "Shape"]]
View = Callable[[Call, Doc], str]


def at(doc: Doc, path: str) -> Any:
    """Find a member by its dotted path; None where there is none."""
    found: Any = doc
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def text(path: str, form: str = "{}") -> Cell:
    """Show a member as it is, in the form's place."""

    def cell(_call: Call, doc: Doc) -> str | None:
        found = at(doc, path)
        if isinstance(found, bool):
            return str(found).lower()
        return None if found is None or found == "" else form.format(found)

    return cell


def worded(path: str) -> Cell:
    """Show a status with spaces."""
    return lambda _call, doc: render.words(at(doc, path) or "")


def titled(path: str) -> Cell:
    """Show a status with spaces, and a capital first."""
    return lambda _call, doc: render.words(at(doc, path) or "").capitalize()


def count(path: str) -> Cell:
    """Show how many members something has."""
    return lambda _call, doc: str(len(at(doc, path) or ()))


def since(path: str) -> Cell:
    """Show the time since."""
    return lambda call, doc: seconds(call, at(doc, path), -1)


def until(path: str) -> Cell:
    """Show the time until."""
    return lambda call, doc: seconds(call, at(doc, path), 1)


def date(path: str, write: Callable[[str], str] = render.short_date) -> Cell:
    """Show a time in the local zone."""
    return lambda _call, doc: write(found) if (found := at(doc, path)) else None


def project(key: str) -> Cell:
    """Show the selected project's name or id."""
    return lambda call, _doc: call.client.project[key]


def nothing(_call: Call, _doc: Doc) -> str:
    """Show nothing in a column that the API has nothing for."""
    return ""


def listed(path: str) -> Lines:
    """Show the texts of a list, one a line."""
    return lambda _call, doc: [render.safe(line) for line in at(doc, path) or ()] or None


def rows(path: str, columns: Mapping[str, Cell]) -> Lines:
    """Show the documents of a member as a table; nothing where there are none."""
    table = as_table(path, columns)
    return lambda call, doc: table(call, doc).split("\n") if at(doc, path) else None


def as_table(path: str, columns: Mapping[str, Cell]) -> View:
    """Show the documents of a list, one a line."""
    return lambda call, document: render.table(
        list(columns),
        [[cell(call, doc) or "" for cell in columns.values()] for doc in at(document, path)],
    )


def as_block(*shapes: Shape, indent: int = 2) -> View:
    """Show one document, a member a line, with a blank line between shapes."""

    def view(call: Call, doc: Doc) -> str:
        blocks = (render.block(_pairs(call, doc, shape, indent), indent) for shape in shapes)
        return "\n\n".join(block for block in blocks if block)

    return view


def stacked(*views: View) -> View:
    """Show one document by several views, with a blank line between."""
    return lambda call, doc: "\n\n".join(view(call, doc) for view in views)


def _pairs(
    call: Call, doc: Doc, shape: Shape, indent: int
) -> list[tuple[str, str | Sequence[str] | None]]:
    """Give what stands after each heading: a text, the lines below it, or nothing."""
    found: list[tuple[str, str | Sequence[str] | None]] = []
    for heading, cell in shape.items():
        if isinstance(cell, Mapping):
            inner = render.block(_pairs(call, doc, cell, indent), indent)
            found.append((heading, inner.split("\n") if inner else None))
        else:
            found.append((heading, cell(call, doc)))
    return found


def with_data(lines: Shape, gap: str, names: Mapping[str, str], between: str = ": ") -> View:
    """Show one document and, below, its data, a key a line; some keys have other names here."""
    head = as_block(lines)

    def view(call: Call, doc: Doc) -> str:
        data = {names.get(key, key): value for key, value in (doc.get("data") or {}).items()}
        rows = (f"{render.safe(key)}{between}{value}" for key, value in sorted(data.items()))
        return "\n".join([head(call, doc) + gap, "Data:", "---", *rows])

    return view


def with_note(view: View, note: str) -> View:
    """Show one document and, below, what to do about it."""
    return lambda call, doc: f"{view(call, doc)}\n\n{note}"


def seconds(call: Call, when: str | None, sign: int) -> str | None:
    """Show the time between now and a moment: with 1 the time until it, with -1 since."""
    if when is None:
        return None
    return render.age(sign * (render.instant(when) - call.client.now).total_seconds())


# What the blocks of most kinds begin with.
NAMED: Shape = {
    "Name": text("name"),
    "ID": text("id"),
    "Project Name": project("name"),
    "Project ID": project("id"),
}
HEAD: Shape = {**NAMED, "Age": since("created_at"), "Created": date("created_at")}
