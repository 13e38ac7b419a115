"""From options to the members of a body: one row a member, read first, then put over what is there.

Reading is where a wrong option is refused, before anything is asked of the API. Values pass
through here in clear: nothing is printed or raised with one in it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from ce.body.checks import no_choice
from ce.call import Call
from ce.server import Doc

REDACTED = "REDACTED"
Read = Callable[[Call], Any]
Fold = Callable[[Any, Any], Any]


def instead(given: Any, _old: Any) -> Any:
    """Put what is given in the place of what is there."""
    return given


def never(_call: Call) -> bool:
    """Leave a member out unless its option was typed."""
    return False


def always(_call: Call) -> bool:
    """Send a member with every creation."""
    return True


def flag(option: str) -> str:
    """Write an option as it is typed."""
    return f"--{option.replace('_', '-')}"


@dataclass(frozen=True)
class Field:
    """A member of a body, and the options that give it.

    `fold(given, old)` puts what was read over what is there. A member that is `needed` is read at a
    creation even if no option was typed: the API has no default for it.
    """

    member: str  # dotted, where it is within another
    options: tuple[str, ...]
    read: Read
    fold: Fold = instead
    needed: Callable[[Call], bool] = never


Values = list[tuple[Field, Any]]


def plain(*rows: str) -> tuple[Field, ...]:
    """Give the rows of options whose value is the member's, each as `option=member`."""
    return tuple(Field(member, (option,), value(option)) for option, member in _split(rows))


def value(option: str) -> Read:
    """Read an option as it is."""
    return lambda call: call[option]


def texts(option: str, member: str, clear: str) -> tuple[Field, ...]:
    """Give the rows of a list of texts, and of the flag that empties it."""
    return (
        Field(member, (clear,), lambda _call: []),
        Field(member, (option,), lambda call: [*call[option]]),
    )


def removed(*rows: str) -> tuple[Field, ...]:
    """Give the rows of flags that take a member away, each as `flag=member`."""
    return tuple(Field(member, (option,), _nothing) for option, member in _split(rows))


def _split(rows: Iterable[str]) -> Iterator[tuple[str, str]]:
    for row in rows:
        option, _, member = row.partition("=")
        yield option, member


def _nothing(_call: Call) -> None:
    """Give what a merge patch takes a member away by."""


def chosen(member: str, words: Mapping[str, str], option: str, **flags: str) -> Field:
    """Give the row of a choice, whose words are not the API's; a flag stands for a word."""

    def read(call: Call) -> str:
        given = [call[option]] * bool(call[option]) + [flags[f] for f in flags if call[f]]
        if len(given) != 1:
            raise click.UsageError(f"Give only one of {', '.join(map(flag, (option, *flags)))}.")
        if given[0] not in words:
            raise no_choice(f"{flag(option)} has none of its words", given[0], [*words])
        return words[given[0]]

    return Field(member, (option, *flags), read)


def read(call: Call, form: str | None) -> Values:
    """Read the options that were given; at a creation (`form` is a text) also what is needed."""
    return [
        (row, row.read(call))
        for row in call.noun.kind.fields
        if call.given.intersection(row.options) or (form is not None and row.needed(call))
    ]


def body(_form: str, values: Values, current: Doc | None = None) -> Doc:
    """Build what is sent: the members given, put over those that are there."""
    found: Doc = {}
    for row, given in values:
        home, *inner = row.member.split(".")
        old = found[home] if home in found else (current or {}).get(home)
        if inner:
            found[home] = {**(old or {}), inner[0]: given}
        else:
            found[home] = row.fold(given, old)
    return found


def unmasked(doc: Doc) -> Doc:
    """Return a document that holds nothing secret."""
    return doc


def masking(*names: str) -> Callable[[Doc], Doc]:
    """Return a document's keys and names, and of the members that may hold secrets no value."""
    return lambda doc: {**doc, **{name: _masked(doc[name]) for name in names if doc.get(name)}}


def _masked(member: Any) -> Any:
    if isinstance(member, dict):
        return dict.fromkeys(sorted(member), REDACTED)
    if isinstance(member, list):
        return [{**one, "value": REDACTED} if "value" in one else one for one in member]
    return REDACTED if member.startswith("data:") and "," in member else member
