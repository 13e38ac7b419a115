"""A command while it runs: its row, its options, and what it says as it goes.

The row's transcript is split at `|`, or else at `OK`: what stands before is printed before the
work, the rest after. With a document asked for, the document is all that reaches standard output.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any

from ce import config
from ce.client import Client, Doc
from ce.failure import TIMED_OUT, Declined, Failure
from ce.render import emit, emit_document, instant, safe, words
from ce.spinner import Spinner

YES, NO = frozenset({"y", "yes"}), frozenset({"n", "no", ""})
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 1.0


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


@dataclass
class Call:
    """One run of one verb. `given` are the options typed, not defaulted."""

    noun: Noun
    verb: Verb
    options: Mapping[str, Any]
    given: frozenset[str] = frozenset()
    name: str = ""  # the verb's
    said: bool = field(default=False, init=False)

    def __getitem__(self, option: str) -> Any:
        """Return an option's value; None for one this command does not take."""
        return self.options.get(option)

    @cached_property
    def client(self) -> Client:
        """The API of the current target."""
        return Client(config.target())

    def aim(self, region: str | None) -> None:
        """Ask another region of the target, from here on."""
        self.client = Client(config.target(region or ""))

    @property
    def selected(self) -> dict[str, str] | None:
        """The selected project, id and name."""
        return config.selected(self.client.target)

    def select(self, project: Mapping[str, str] | None) -> None:
        """Select a project for the commands to come."""
        config.select(self.client.target, project)

    @cached_property
    def project(self) -> dict[str, str]:
        """The selected project, or what to do to have one."""
        if (found := self.selected) is None:
            raise Failure(
                "No project is selected: run 'ce project select --name NAME', "
                "or 'ce project create --name NAME' for a new one."
            )
        return found

    @property
    def waits(self) -> bool:
        """Whether to wait: unless told not to, or, where `[N]` stands for `[W]`, if told to."""
        default = "W" in self.verb.takes.partition("]")[0].strip("[").split()
        return not self["no_wait"] and bool(self["wait"] or default)

    @property
    def transcript(self) -> tuple[str, str]:
        """What is printed before the work, and what after."""
        other = (says for option, says in self.verb.instead.items() if option in self.given)
        says = next(other, self.verb.says)
        before, bar, after = says.partition("|")
        if bar:
            return before, after
        before, ok, after = says.partition("OK")
        return before, ok + after

    def tell(self, text: str) -> None:
        """Print progress, unless there is to be none."""
        if not self["output"] and not self["quiet"]:
            emit(text)

    def say(self, **names: str) -> None:
        """Print the progress line, once."""
        if not self.said:
            self.tell(self._filled(self.transcript[0], names))
        self.said = True

    def _filled(self, text: str, names: Mapping[str, Any]) -> str:
        words = {**self.options, **names}
        known = {key: safe(word) for key, word in words.items() if isinstance(word, str)}
        # What has no name yet is told without one.
        return text.format_map(defaultdict(str, known)).replace(" ''", "")

    def confirm(self, asks: str = "", **names: str) -> None:
        """Ask before what cannot be taken back; end of input is a no."""
        question = asks or self.verb.asks
        if self["force"] or not question or not self.verb.asked(self):
            return
        emit(self._filled(question, names))
        answer = sys.stdin.readline()
        if not (sys.stdin.isatty() and answer.endswith("\n")):
            emit("\n")  # a terminal has shown the answer's own
        if not answer:
            emit("No answer: nothing was done; --force does not ask.\n", error=True)
        said = answer.strip().lower()
        if said not in YES | NO:
            emit("Neither yes nor no: nothing was done.\n", error=True)
        if said not in YES:
            raise Declined

    def order(self, found: Iterable[Doc], since: str = "created_at") -> list[Doc]:
        """Sort by name, or the youngest first."""
        if self["sort_by"] == "age":
            return sorted(found, key=lambda doc: instant(doc[since]), reverse=True)
        return sorted(found, key=lambda doc: str(doc.get("name") or doc["id"]))

    def finish(self, document: Any) -> None:
        """Print the document asked for, or OK and what the verb shows."""
        if self["output"]:
            text = self["output"](document)
            emit_document(text if text.endswith("\n") else f"{text}\n")
            return
        names = document if isinstance(document, dict) else {}
        if (after := self._filled(self.transcript[1], names)) and not self["quiet"]:
            emit(f"{after}\n")
        if self.verb.shows:
            emit(f"{self.verb.shows(self, document)}\n")

    def fail(self, failure: Failure) -> None:
        """Print FAILED and each message on its line, after the progress line."""
        self.say(name=self["name"] or self["id"] or "")
        emit("FAILED\n", error=True)
        messages = [*failure.messages]
        if failure.status == 404 and "project" in self.__dict__:
            # What is missing may be the project itself, destroyed since it was selected.
            messages.append(
                f"The selected project is '{self.project['name']}'; if that is gone, "
                "'ce project select --name NAME' selects another."
            )
        for message in filter(None, (*messages, self._advice(failure))):
            emit(f"{' '.join(self._as_typed(message).split())}\n", error=True)
        if failure.detail:
            emit(f"{failure.detail}\n", error=True)

    def _as_typed(self, message: str) -> str:
        """Call what the server has a name for by the option that gave it."""
        for option in self.given:
            message = message.replace(f"`{option}`", f"--{option.replace('_', '-')}")
        return message

    def _advice(self, failure: Failure) -> str:
        if not failure.code:
            return ""
        from ce import advice  # noqa: PLC0415 - only what fails needs it

        command = f"ce {self._group} {self.name}".replace("  ", " ")
        known = {"command": command, "noun": self._group or "project", "remedy": self._remedy}
        return advice.after(failure, **known)

    @property
    def _group(self) -> str:
        """The noun as it is typed."""
        return f"{self.noun.parent} {self.noun.name}".strip()

    @property
    def _remedy(self) -> str:
        return self.client.target.remedy if "client" in self.__dict__ else ""

    def wait(self, doing: str, status: Callable[[], str], goal: frozenset[str]) -> None:
        """Poll until the goal is reached, unless there is to be no waiting."""
        if not self.waits:
            return
        end = time.monotonic() + self["wait_timeout"]
        pause = SHORTEST_PAUSE
        with Spinner(doing, quiet=bool(self["quiet"])) as spinner:
            while (reached := status()) not in goal:
                if reached.endswith("failed"):
                    raise Failure(
                        f"It ended as '{words(reached)}'. 'ce {self._group} get' shows more."
                    )
                left = end - time.monotonic()
                if left <= 0:
                    raise Failure(
                        f"Timed out after {self['wait_timeout']} seconds of waiting {doing}; "
                        f"it is '{words(reached)}' and goes on without us. --wait-timeout waits "
                        "for longer.",
                        exit_code=TIMED_OUT,
                    )
                spinner.pause(min(pause, left))
                pause = min(pause * 2, LONGEST_PAUSE)
