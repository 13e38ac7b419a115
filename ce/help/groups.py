"""The shapes of commands: groups made when they are needed, and help that ends with examples.

Help is never cut short: a text that does not fit goes on in the next line.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from ce.help.grammar import Spelled

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# Extra arguments are let in to be refused without being quoted.
SETTINGS = {"help_option_names": ["--help", "-h"], "allow_extra_args": True}

# Words that people try, for the command that does it; no help names them.
TRIED = {"ls": "list", "show": "get", "rm": "delete", "add": "create", "undelete": "restore"}

# And words that stand alone, where a noun is missing: most mean a project.
ALONE = {
    "add": "project create --name NAME",
    "create": "project create --name NAME",
    "current": "project current",
    "delete": "project delete --name NAME",
    "get": "project get --name NAME",
    "list": "project list",
    "ls": "project list",
    "restore": "project restore --name NAME",
    "rm": "project delete --name NAME",
    "select": "project select --name NAME",
    "show": "project get --name NAME",
    "undelete": "project restore --name NAME",
    "undo": "project restore --name NAME",
    "use": "project select --name NAME",
    "whoami": "target",
}

Makers = dict[tuple[str, ...], Callable[[], click.Command]]


def write_examples(formatter: click.HelpFormatter, key: str) -> None:
    """Write the examples of a command, or of each command of a group."""
    from ce.help.examples import shown  # noqa: PLC0415 - only help needs them

    if lines := shown(key):
        with formatter.section("Examples"):
            for line in lines:  # as they are: a wrapped line could not be pasted
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class Aliased(Spelled, click.Group):
    """A group whose commands answer to aliases, and are made when they are needed.

    `helps` are help texts by name, for commands that are costly to make; `alone` are words that
    are no commands here, with what each may mean.
    """

    def __init__(
        self,
        makers: Callable[[], Makers],
        helps: Mapping[str, str] | None = None,
        key: str = "",
        alone: Mapping[str, str] | None = None,
        **rest: Any,
    ) -> None:
        super().__init__(context_settings=SETTINGS, **rest)
        self._makers = makers
        self._alone = alone or {}
        self._helps = helps or {}
        self._key = key

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Name every command once."""
        return sorted(names[0] for names in self._makers())

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Make the command a name or alias stands for, or a word that people try for it."""
        makers = self._makers()
        tried = (name, TRIED.get(name, name))
        return next(
            (make() for one in tried for names, make in makers.items() if one in names), None
        )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; of a word that is none, say which was meant."""
        name = args[0]
        if name[:1] != "-" and self.get_command(ctx, name) is None and not ctx.resilient_parsing:
            meant = self.meant(ctx, args)
            ask = f" Did you mean '{ctx.command_path} {meant}'?" if meant else ""
            raise click.UsageError(f"No such command '{name}'.{ask}", ctx)
        return super().resolve_command(ctx, args)

    def meant(self, ctx: click.Context, args: list[str]) -> str:
        """Give the command that a word is likest to, with the next word if that is one of its."""
        from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

        known = [name for names in self._makers() for name in names]
        tried = [word for word, command in TRIED.items() if command in known]
        if args[0] in self._alone:
            return self._alone[args[0]]
        found = get_close_matches(args[0].lower(), [*known, *tried, *self._alone], 1)
        if not found or found[0] in self._alone:
            return self._alone[found[0]] if found else ""
        name = found[0] if found[0] in known else TRIED[found[0]]
        below = self.get_command(ctx, name)
        if not isinstance(below, Aliased) or len(args) < 2:
            return name
        # What is no command there is not told back: it may be a value.
        more = args[1] if below.get_command(ctx, args[1]) else below.meant(ctx, args[1:])
        return f"{name} {more}".strip()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their help, whole."""
        rows = []
        for name in self.list_commands(ctx):
            text, made = self._helps.get(name), None
            if text is None and (made := self.get_command(ctx, name)) is not None:
                text = made.help
            if text and not (made and made.hidden):
                rows.append((name, text))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show an example of each command."""
        write_examples(formatter, self._key)


class Leaf(Spelled):
    """A command that shows examples."""

    def __init__(self, name: str, key: str, **rest: Any) -> None:
        super().__init__(name, context_settings=SETTINGS, **rest)
        self._key = key

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the examples."""
        write_examples(formatter, self._key)


class Verbatim(click.Command):
    """A command whose arguments are not ours to read; `words` are what may come first."""

    def __init__(self, name: str, words: tuple[str, ...] = (), **rest: Any) -> None:
        super().__init__(name, **rest)
        self._words = words

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take everything as it is."""
        ctx.args = args
        return args

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete the first word."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - slow

        found = () if ctx.args else self._words
        return [CompletionItem(word) for word in found if word.startswith(incomplete)]
