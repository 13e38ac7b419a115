"""The table of nouns, what a kind of resource is, and how people see it.

Never asks the API and decides nothing. Whoever shows help needs the table alone, so kinds and
views are read when the first of their names is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ce.rows.nouns import EMULATOR, KEYS, NOUNS, OWN, OWN_NOUNS, PARENTS, REFUSED, ROOT

if TYPE_CHECKING:
    from ce.rows.kind import Kind, Related
    from ce.rows.views import (
        HEAD,
        Cell,
        Lines,
        Shape,
        as_block,
        as_table,
        at,
        count,
        date,
        listed,
        nothing,
        project,
        rows,
        seconds,
        since,
        stacked,
        text,
        titled,
        until,
        with_data,
        with_note,
        worded,
    )
else:

    def __getattr__(name: str) -> Any:
        """Find a name of kinds or of views."""
        modules = (import_module(f"ce.rows.{file}") for file in ("kind", "views"))
        for module in modules:
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(name)


__all__ = [
    "EMULATOR",
    "HEAD",
    "KEYS",
    "NOUNS",
    "OWN",
    "OWN_NOUNS",
    "PARENTS",
    "REFUSED",
    "ROOT",
    "Cell",
    "Kind",
    "Lines",
    "Related",
    "Shape",
    "as_block",
    "as_table",
    "at",
    "count",
    "date",
    "listed",
    "nothing",
    "project",
    "rows",
    "seconds",
    "since",
    "stacked",
    "text",
    "titled",
    "until",
    "with_data",
    "with_note",
    "worded",
]
