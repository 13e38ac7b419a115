"""A command: its row in the table, and one run of it.

What a run says and asks is the verbs' (`ce.verbs.dialog`); whom it asks is its client's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any

from ce.server import Client, target


@dataclass(frozen=True)
class Verb:
    """One command: options, transcript, what runs, what it prints after OK."""

    help: str
    takes: str
    says: str
    run: "Callable[[Call], Any]"
    shows: "Callable[[Call, Any], str] | None" = None
    asks: str = ""
    asked: "Callable[[Call], bool]" = lambda _call: True  # whether it asks this time
    instead: Mapping[str, str] = field(default_factory=dict)  # the transcript with an option
    anywhere: bool = False  # whether it is the same in every project
    left: str = ""  # what to do where Ctrl-C left it without its answer
    # Takes back what is of no use unread, where it could not be shown; gives what to say of it.
    undo: "Callable[[Call, Any], str] | None" = None


@dataclass(frozen=True)
class Rows:
    """The commands of a noun; `kind` is for those on resources kept in a project.

    `refused` are documented commands that cannot be honoured, by name, each with the reason.
    """

    verbs: Mapping[str, Verb]
    kind: Any = None
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Noun:
    """A group of commands. Its rows are in a module of `ce.nouns` and read when they are needed."""

    name: str
    aliases: tuple[str, ...]
    help: str
    module: str
    parent: str = ""  # the group it is in, where its name has two words

    @property
    def typed(self) -> str:
        """The words of it on the command line."""
        return f"{self.parent} {self.name}".strip()

    @cached_property
    def rows(self) -> Rows:
        """The noun's rows."""
        rows: Rows = import_module(f"ce.nouns.{self.module}").NOUNS[self.name]
        return rows

    @property
    def verbs(self) -> Mapping[str, Verb]:
        """The commands, by name."""
        return self.rows.verbs

    @property
    def kind(self) -> Any:
        """What they are about; None for what is not kept in a project."""
        return self.rows.kind

    def acts(self, verb: Verb) -> bool:
        """Whether a command of it acts in a project, and takes the name of one."""
        return self.kind is not None and not verb.anywhere


@dataclass
class Call:
    """One run of one verb. `given` are the options typed, not defaulted."""

    noun: Noun
    verb: Verb
    options: Mapping[str, Any]
    given: frozenset[str] = frozenset()
    name: str = ""  # the verb's
    said: bool = field(default=False, init=False)  # whether its progress line is printed

    def __getitem__(self, option: str) -> Any:
        """Return an option's value; None for one this command does not take."""
        return self.options.get(option)

    @cached_property
    def client(self) -> Client:
        """The API of the current target, until a command asks another."""
        named = self["project"] if self.noun.acts(self.verb) else None
        return Client(target.current(), project=named)
