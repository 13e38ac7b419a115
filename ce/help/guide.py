"""`help`, `version`, `completion` and `shim`: what `ce` tells of itself, without a server."""

from collections.abc import Callable

import click

from ce.help.groups import Leaf, Verbatim
from ce.server import EXIT_CODES
from ce.text import emit

# For each shell the line of its start-up file.
COMPLETION = {
    "bash": 'eval "$(ce completion bash)"',
    "zsh": 'eval "$(ce completion zsh)"',
    "fish": "ce completion fish | source",
}
# Only `ibmcloud ce` and `ibmcloud code-engine` are taken; a real `ibmcloud` keeps the rest. Where
# there is none, what a page begins with is ours too.
SHIM = {
    "sh": 'ibmcloud() { case "${1-}" in ce|code-engine) CE_CALLED=ibmcloud ce "$@";; '
    "login|logout|target) if (unset -f ibmcloud; command -v ibmcloud >/dev/null); "
    'then command ibmcloud "$@"; else ce "$@"; fi;; '
    '*) command ibmcloud "$@";; esac; }',
    "fish": 'function ibmcloud; switch "$argv[1]"; case ce code-engine; '
    "CE_CALLED=ibmcloud ce $argv; "
    "case login logout target; if command -sq ibmcloud; command ibmcloud $argv; "
    "else; ce $argv; end; case '*'; command ibmcloud $argv; end; end",
}
ENVIRONMENT = {
    "CE_HOME": "the folder of profiles, selections and the emulator's state; else "
    "$XDG_CONFIG_HOME/ce, else ~/.config/ce",
    "CODE_ENGINE_URL": "the address of the API; goes before every login",
    "CODE_ENGINE_APIKEY": "the API key for it",
    "CODE_ENGINE_AUTH_URL": "where keys are exchanged for tokens, if not at the same address",
    "CODE_ENGINE_PROJECT": "the project to act in, by name or ID, and never empty; goes before "
    ".ce.toml and what is selected, --project before it",
    "HTTPS_PROXY, NO_PROXY": "a proxy, and what is reached without it; never used for this machine",
    "REQUESTS_CA_BUNDLE": "a file of certificate authorities to trust",
    "DISPLAY, WAYLAND_DISPLAY, BROWSER": "one of them: that 'ce open' can open a browser",
    "COLUMNS": "the width of the terminal",
    "TERM": "dumb: show nothing that moves, and no colours",
    "NO_COLOR, CI": "set to anything: no colours from 'ce doctor' and 'ce emulator'; all else has "
    "none in any case",
}


def _exit_codes() -> str:
    return "Exit codes\n\n" + "".join(f"  {code:>3}  {text}\n" for code, text in EXIT_CODES.items())


def _environment() -> str:
    rows = (f"  {name}\n      {text}\n" for name, text in ENVIRONMENT.items())
    return "Environment variables\n\n" + "".join(rows)


TOPICS: dict[str, Callable[[], str]] = {"exit-codes": _exit_codes, "environment": _environment}


def explain(words: tuple[str, ...]) -> None:
    """Print a topic, or the help of a group or command."""
    if len(words) == 1 and words[0] in TOPICS:
        emit(TOPICS[words[0]]())
        return
    ctx = click.get_current_context().find_root()
    found: click.Command = ctx.command
    rest = [*words]
    while rest and not isinstance(found, Verbatim):
        word = rest.pop(0)
        inner = found.get_command(ctx, word) if isinstance(found, click.Group) else None
        if inner is None:
            raise click.UsageError(
                f"There is no such command, and no such topic; topics are {', '.join(TOPICS)}.", ctx
            )
        ctx, found = click.Context(inner, ctx, word), inner
    if isinstance(found, Verbatim):  # its help is its own to give
        ctx.args = [*rest, "--help"]
        found.invoke(ctx)
    emit(found.get_help(ctx) + "\n")


def version_option() -> click.Option:
    """Make `--version`, which says what the command `version` does."""

    def show(ctx: click.Context, _option: click.Parameter, given: bool) -> None:
        if given and not ctx.resilient_parsing:
            version()
            ctx.exit()

    return click.Option(
        ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=show,
        help="Show the version and exit.",
    )  # fmt: skip


def version() -> None:
    """Print the version."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - slow

    try:
        emit(f"version:  v{version('reprieve')}\n")
    except PackageNotFoundError:
        emit("version:  unknown\n")


def completion(shell: str) -> None:
    """Print the script that has a shell complete commands, options and names."""
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - slow

    make = get_completion_class(shell)
    program = click.get_current_context().find_root().command
    if make is not None:
        emit(make(program, {}, "ce", "_CE_COMPLETE").source())


def shim(shell: str) -> None:
    """Print the one line that sends `ibmcloud ce` here."""
    emit(f"{SHIM[shell]}\n")


def commands() -> dict[tuple[str, ...], Callable[[], click.Command]]:
    """Make the commands that need no server."""
    words = click.Argument(["words"], nargs=-1, metavar="[COMMAND...|TOPIC]")
    shells = click.Argument(["shell"], type=click.Choice([*COMPLETION]))
    kinds = click.Argument(["shell"], type=click.Choice([*SHIM]), default="sh")
    return {
        ("help", "h"): lambda: Leaf(
            "help",
            "help",
            callback=explain,
            params=[words],
            help=f"Show help, of a command or a topic: {', '.join(TOPICS)}. Alias: h.",
        ),
        ("version", "v"): lambda: Leaf(
            "version", "version", callback=version, help="Show the version. Alias: v."
        ),
        ("completion",): lambda: Leaf(
            "completion",
            "completion",
            callback=completion,
            params=[shells],
            help="Print the script for completion in bash, zsh or fish.",
        ),
        ("shim",): lambda: Leaf(
            "shim",
            "shim",
            callback=shim,
            params=[kinds],
            help="Print the line that has 'ibmcloud ce' call this program.",
        ),
    }
