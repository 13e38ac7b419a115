"""What a kind of resource is to the command line: a row, and no code of its own.

Which options give which members of a body stands in `fields`; everything else that is particular
to a kind is a column here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ce.body import Field
from ce.body import fields as members
from ce.call import Call
from ce.server import Doc


def as_it_is(_call: Call, doc: Doc) -> Doc:
    """Show a document as the API gives it."""
    return doc


def every(_call: Call, _doc: Doc) -> bool:
    """List whatever there is."""
    return True


@dataclass(frozen=True)
class Related:
    """What a view shows beside a resource: the runs of a job, the revisions of an application."""

    collection: str
    by: str  # the member that names the resource
    below: bool = False  # whether its path is below the resource's


@dataclass(frozen=True)
class Kind:
    """A collection below a project; `form` picks those of one format out of a shared one."""

    collection: str
    label: str
    read: Callable[[Call, str | None], Any] = members.read
    body: Callable[[str, Any, Doc | None], Doc] = members.body
    shown: Callable[[Call, Doc], Doc] = as_it_is  # as `get` shows it
    masked: Callable[[Doc], Doc] = members.unmasked  # as everything else does
    fields: tuple[Field, ...] = ()  # the members that options give
    copied: tuple[str, ...] = ()  # the members of one that is made again
    template: str = ""  # the member that names what it was made from
    fixed: tuple[str, ...] = ()  # the members that only that decides
    inherited: tuple[str, ...] = ()  # options that would take away what comes from there
    key: str = "name"  # the member that addresses it, and its option
    update: str = "PATCH"  # the method
    renewed: bool = False  # an update of nothing is an update too
    form: str = ""
    listed: Callable[[Call, Doc], bool] = every
    filters: Mapping[str, str] = field(default_factory=dict)  # option: the parameter of a list
    words: Mapping[str, str] = field(default_factory=dict)  # the command line's for the API's
    within: str = ""  # the collection of what it belongs to, whose name begins its own
    owner: str = ""  # and the option that names that
    related: Related | None = None
    done: frozenset[str] = frozenset()  # the states that are waited for
    ends: bool = False  # who waits for it wants its result

    @property
    def flags(self) -> dict[str, str]:
        """The options by the member they give or ask for, those that only take away left out."""
        found: dict[str, list[str]] = {}
        for row in self.fields:
            options = (name for name in row.options if not name.endswith(("_rm", "_clear")))
            found.setdefault(row.member, []).extend(map(members.flag, options))
        asked = {query: members.flag(option) for option, query in self.filters.items()}
        return asked | {
            member: " or ".join(options) for member, options in found.items() if options
        }

    def format_of(self, call: Call) -> str:
        """Return the API's word for the format asked for."""
        word = self.form or call["format"] or ""
        return self.words.get(word, word)
