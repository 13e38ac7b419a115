"""From the notation of the documented command table to click options.

`-n/--name*` is required, `†` needs it or an alternative, `?` is a flag, `…` may be repeated,
`=x` is the default; `NAME|--name` may be given as a bare word too; `[O Q W]` stands for the
options many commands share. A row can be pasted from the contract as it is. `--format:word` is
ours, where an option means something else than its name does elsewhere. What an option means is
decided by the commands, not here.
"""

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from ce.help.grammar import Switch
from ce.help.option_help import HELP, UNSUPPORTED

SHARED = {
    "F": "--force/-f/--f?",
    "I": "--ignore-not-found/--inf?",
    "O": "--output/-o",
    "Q": "--quiet/-q?",
    "W": "--wait/-w? --no-wait/--nw? --wait-timeout/--wto=600",
    "N": "--wait/-w:wait_once? --no-wait/--nw:wait_not? --wait-timeout/--wto=600",
    "A": "--output/-o:address",
}

PROJECT = "--project:acting"  # of every command that acts in one; no row of the table has it

WORD = re.compile(
    r"((?P<bare>[A-Z]+)\|)?(?P<names>[-\w/]+)(:(?P<word>\w+))?(?P<need>[*†]?)(?P<many>…?)(?P<flag>\??)"
    r"(=(?P<default>\S+))?"
)
BARE = "bare_"  # begins the parameter of a word that stands for an option, whose name follows
SPAN = re.compile(r"([1-9][0-9]{0,5})([smhd])")
DIGITS = re.compile(r"[0-9]{1,9}", re.ASCII)
DESTINATIONS = ("cidr_block", "private_path_service_gateway")
TWO_WAY = frozenset({"trusted_profiles_enabled"})  # switches whose `=false` changes something
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def output(_ctx: click.Context, _option: click.Parameter, value: str | None) -> Any:
    """Compile the format of the document, so that a bad one is refused before anything is done."""
    if value is None:
        return None
    from ce.text import documents  # noqa: PLC0415 - only who asks for a document pays for it

    return _writer(value, documents.WRITERS, "output")


def address(_ctx: click.Context, _option: click.Parameter, value: str | None) -> Any:
    """Compile the format of the document, or the address in it that is asked for."""
    if value is None:
        return None
    from ce.text import documents  # noqa: PLC0415 - only who asks for a document pays for it

    return _writer(value, documents.WRITERS | documents.ADDRESSES, "address")


def _writer(value: str, writers: Mapping[str, Callable[[str], Any]], word: str) -> Any:
    form, _, expression = value.partition("=")
    form = form.lower()
    make = writers.get(form)
    if make is None or bool(expression) != form.startswith("jsonpath"):
        from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

        near = [] if make else get_close_matches(form, writers, 1)
        meant = f"did you mean '{near[0]}'? " if near else ""
        raise click.BadParameter(f"{meant}{HELP[word]}")
    try:
        return make(expression)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def span(_ctx: click.Context, _option: click.Parameter, value: str | None) -> timedelta | None:
    """Read a span of time such as 30d; the refusal does not quote it."""
    if value is None:
        return None
    if (match := SPAN.fullmatch(value)) is None:
        raise click.BadParameter("write 30d, 12h, 90m or 45s.")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def number(_ctx: click.Context, _option: click.Parameter, value: str | None) -> int | None:
    """Read a whole number; the refusal does not quote what is none."""
    if value is None:
        return None
    if not DIGITS.fullmatch(value):
        raise click.BadParameter("is not a whole number.")
    return int(value)


def moment(_ctx: click.Context, _option: click.Parameter, value: str | None) -> Any:
    """Read a time, or a span of time before now; the refusal does not quote it."""
    if value is None:
        return None
    if match := SPAN.fullmatch(value):
        return timedelta(**{UNITS[match[2]]: int(match[1])})
    try:
        # Without a zone it is this machine's; at the ends of time another may have no such hour.
        return datetime.fromisoformat(value).astimezone(UTC)
    except (OverflowError, ValueError):
        said = "write 7d, 12h, 90m, 45s, or a time such as 2026-11-30T12:00:00Z."
        raise click.BadParameter(said) from None


def destinations(_ctx: click.Context, _option: click.Parameter, value: str) -> str:
    """Read which formats of destinations to list."""
    if not set(value.split(",")) <= set(DESTINATIONS):
        raise click.BadParameter(f"choose {DESTINATIONS[0]}, {DESTINATIONS[1]}, or both.")
    return value


NUMBERS = (
    *("array_size", "array_size_var_override", "concurrency", "concurrency_target"),
    *("limit", "max_scale", "maxexecutiontime", "min_scale", "request_timeout", "retrylimit"),
    *("scale_down_delay", "timeout", "user", "wait_timeout", "witnesses"),
)
CALLBACKS: dict[str, Any] = {
    "output": output,
    "address": address,
    "expires_in": span,
    "since": moment,
    "until": moment,
    "destinations": destinations,
}
CALLBACKS |= dict.fromkeys(NUMBERS, number)


class Words(click.Choice[str]):
    """A choice of words, in any case; the refusal does not quote what is none of them."""

    def __init__(self, *words: str) -> None:
        super().__init__(words, case_sensitive=False)

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Say what may be chosen."""
        del value, ctx
        return f"choose {' or '.join(self.choices)}."


TYPES: dict[str, Any] = {
    "destination": Words(*DESTINATIONS),
    "sort_by": Words("name", "age"),
}


def parse(takes: str) -> list[click.Parameter]:
    """Turn a row such as `[O Q W] -n/--name* --tag/-t…` into options."""
    words = [*_expand(takes)]
    bare = [match for word in words if (match := WORD.fullmatch(word)) and match["bare"]]
    arguments = [
        click.Argument(
            [BARE + _dest(m["names"])],
            required=False,
            metavar=f"[{m['bare']}]",
            shell_complete=_completion(_dest(m["names"])),
        )
        for m in bare
    ]
    return [*map(_option, words), *arguments]


def _dest(names: str) -> str:
    """Give the name of an option by what it is called: its first long name."""
    long = next(name for name in names.split("/") if name.startswith("--"))
    return long.lstrip("-").replace("-", "_")


def _completion(word: str) -> Callable[..., Any] | None:
    """Give what completes a value, read when a shell asks; a choice completes itself."""
    if word in TYPES:
        return None

    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> Any:
        from ce.help import completion  # noqa: PLC0415 - only a shell's question needs it

        return completion.complete(word, ctx, incomplete)

    return complete


def settled(options: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options, a bare word in its option's place."""
    found = {name: value for name, value in options.items() if not name.startswith(BARE)}
    for bare in options.keys() - found.keys():
        name, word = bare.removeprefix(BARE), options[bare]
        if word is not None and found[name] is not None:
            what = "the name" if name == "name" else "it"
            raise click.UsageError(f"Give {what} once, as {name.upper()} or with --{name}.")
        found[name] = found[name] if word is None else word
    return found


def given(ctx: click.Context, options: Mapping[str, Any]) -> frozenset[str]:
    """Name the options typed. A switch that was told to be off is as if it had not been."""
    typed = click.core.ParameterSource.COMMANDLINE
    return frozenset(
        name
        for name, value in options.items()
        if ctx.get_parameter_source(name) is typed and (value is not False or name in TWO_WAY)
    )


def _expand(takes: str) -> Iterator[str]:
    shared, bracket, own = takes.rpartition("]")
    yield from own.split()
    if bracket:
        for letter in shared.strip("[ ").split():
            yield from SHARED[letter].split()


def _option(word: str) -> click.Option:
    match = WORD.fullmatch(word)
    if match is None:
        raise ValueError(f"not in the notation of options: {word}")
    names, dest = match["names"].split("/"), _dest(match["names"])
    word = match["word"] or dest
    if match["flag"]:
        return Switch([dest, *names], is_flag=True, help=HELP[word])
    # click takes a default of None for a value given.
    default: dict[str, Any] = (
        {"default": match["default"], "show_default": True} if match["default"] else {}
    )
    return click.Option(
        [dest, *names],
        required=match["need"] == "*",
        multiple=bool(match["many"]),
        type=TYPES.get(word),
        callback=CALLBACKS.get(word),
        shell_complete=_completion(word),
        help=HELP[word],
        **default,
    )


def refuse_unsupported(options: Iterable[click.Parameter], given: Container[str]) -> None:
    """Refuse what the documentation has and cannot work here, rather than ignore it."""
    for option in options:
        text = getattr(option, "help", None) or ""
        if option.name in given and text.startswith(UNSUPPORTED):
            flag = next(name for name in option.opts if name.startswith("--"))
            raise click.UsageError(f"{flag} is n{text[1:]}")
