"""The `ce` program: a click command for every row of the table, and the exit code of each end.

Must start fast: what is slow to import is imported where it is used. No argument is ever quoted
in an error, since it may be a password.
"""

import os
import sys
from functools import partial
from typing import Any, NoReturn

import click

from ce.call import Call, Noun, Verb
from ce.help import ALONE, SETTINGS, Aliased, Leaf, Makers, Verbatim, guide
from ce.rows import EMULATOR, KEYS, NOUNS, OWN, OWN_NOUNS, PARENTS, REFUSED, ROOT
from ce.server import (
    FAILED,
    INTERRUPTED,
    OK,
    READER_GONE,
    USAGE,
    Declined,
    Failure,
    target,
)
from ce.text import Unwritten, as_plugin, emit, hints, settle
from ce.text import program as called


def command(noun: Noun, name: str, verb: Verb) -> click.Command:
    """Make the click command of one row."""
    from ce.body import whole  # noqa: PLC0415 - not for `--help`
    from ce.help import options as forms  # noqa: PLC0415 - likewise

    def run(**options: Any) -> None:
        ctx = click.get_current_context()
        _refuse_extra(ctx)
        given = forms.given(ctx, options)
        forms.refuse_unsupported(ctx.command.params, given)
        settled = forms.settled(options)
        whole(settled)
        execute(Call(noun, verb, settled, given, name))

    key = f"{noun.typed} {name}".strip()
    takes = f"{verb.takes} {forms.PROJECT}" if noun.acts(verb) else verb.takes
    return Leaf(name, key, callback=run, params=[*forms.parse(takes)], help=verb.help)


def refusal(name: str, reason: str) -> click.Command:
    """Make a documented command that cannot be honoured: it says why, whatever it is given."""

    def run() -> None:
        ctx = click.get_current_context()
        raise click.UsageError(f"'{ctx.command_path}' is not supported: {reason}")

    settings = {**SETTINGS, "ignore_unknown_options": True}
    text = f"Not supported: {reason}"
    return click.Command(name, callback=run, help=text, hidden=True, context_settings=settings)


def execute(call: Call) -> None:
    """Run a command to its OK or its FAILED."""
    from ce.verbs import dialog  # noqa: PLC0415 - not for `--help`

    document = None
    try:
        document = call.verb.run(call)
        dialog.finish(call, document)
    except KeyboardInterrupt:
        if dialog.interrupted(call):
            raise click.Abort from None
        raise
    except Unwritten:
        dialog.lost(call, document)
        raise
    except Failure as failure:
        if failure.status == 404 and call["ignore_not_found"]:
            dialog.finish(call, None)
            return
        dialog.fail(call, failure)
        raise


def group(noun: Noun) -> click.Group:
    """Make the click group of one noun; its rows are read when a command of it is needed."""
    text = _help(noun.help, noun.aliases)
    return Aliased(partial(_verbs, noun), name=noun.name, help=text, key=noun.typed)


def _verbs(noun: Noun) -> Makers:
    found: Makers = {
        (name,): partial(command, noun, name, verb) for name, verb in noun.verbs.items()
    }
    refused = noun.rows.refused.items()
    return found | {(name,): partial(refusal, name, reason) for name, reason in refused}


def _nouns(parent: str) -> Makers:
    nouns = [noun for noun in NOUNS if noun.parent == parent]
    return {(noun.name, *noun.aliases): partial(group, noun) for noun in nouns}


def _help(text: str, aliases: tuple[str, ...]) -> str:
    return f"{text} Alias: {', '.join(aliases)}." if aliases else text


def emulator(*words: str) -> NoReturn:
    """Become the emulator's own command, on the state kept for it under CE_HOME."""
    args = [*words, *click.get_current_context().args]
    state = ["--state", str(target.home() / "emulator")]
    given = [args[0], *state, *args[1:]] if args and not args[0].startswith("-") else args
    sys.stdout.flush()
    # -P: the folder one stands in is no place to import from, whatever it holds.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "emulator", *given])  # noqa: S606


def _admin() -> Makers:
    """Make what an operator does."""
    keys = partial(emulator, "keys")
    text = "List, rotate or prune key-encryption keys."
    migrate = partial(emulator, "migrate")
    form = "Give the store the newest form, after a yes to what that vouches for."
    return {
        ("keys",): lambda: Verbatim("keys", KEYS, callback=keys, help=text),
        ("migrate",): lambda: Verbatim("migrate", callback=migrate, help=form),
    }


def _root() -> Makers:
    parents: Makers = {
        (name, *aliases): partial(
            Aliased, partial(_nouns, name), name=name, help=_help(text, aliases), key=name
        )
        for name, aliases, text in PARENTS
    }
    return {
        **_nouns(""),
        **parents,
        **{names: partial(refusal, names[0], reason) for names, reason in REFUSED.items()},
        **{(name,): partial(_own, name) for name in OWN},
        **{(noun.name, *noun.aliases): partial(group, noun) for noun in OWN_NOUNS},
        ("emulator",): lambda: Verbatim(
            "emulator", EMULATOR, callback=emulator, help="Run everything on this machine."
        ),
        ("doctor",): lambda: Verbatim(
            "doctor",
            callback=partial(emulator, "doctor"),
            help="Check this machine, and say what to do.",
        ),
        ("admin",): lambda: Aliased(
            _admin, name="admin", help="Operate: keys list|rotate|prune, migrate."
        ),
        **guide.commands(),
    }


def _own(name: str) -> click.Command:
    return command(ROOT, name, ROOT.verbs[name])


def program() -> click.Group:
    """Make the root of all commands."""
    text = "Projects and secrets you can take back for seven days."
    params = [guide.version_option()]
    return Aliased(_root, OWN, "ce", alone=ALONE, name="ce", help=text, params=params)


def main(args: list[str] | None = None) -> NoReturn:
    """Run, and exit with the code that says how it ended."""
    settle()
    sys.exit(_run(_typed() if args is None else args))


def _typed() -> list[str]:
    """Give the words of the command; called as `ibmcloud`, those after `ce` or `code-engine`."""
    return sys.argv[2:] if as_plugin() else sys.argv[1:]


def _run(args: list[str]) -> int:
    try:
        return _ran(args)
    except Failure as failure:
        if not failure.told:
            emit("".join(f"{line}\n" for line in ("FAILED", *failure.messages)), error=True)
        return failure.exit_code
    except Unwritten as error:
        if error.gone:
            return READER_GONE
        emit(f"Cannot write to standard output: {error.reason}.\n", error=True)
    except OSError as error:  # of a file that nothing expected to fail
        where = f"{error.filename}: " if error.filename else ""
        emit(f"FAILED\n{where}{error.strerror or 'input or output failed'}.\n", error=True)
    return FAILED


def _ran(args: list[str]) -> int:
    try:
        code = program().main(args, prog_name=called(), standalone_mode=False)
    except Declined:
        return FAILED
    except click.exceptions.NoArgsIsHelpError as help_:  # a group alone shows what it has
        emit(f"{help_.format_message()}\n")
        return OK
    except click.UsageError as error:
        if error.ctx is not None:
            emit(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help'.\n", error=True)
        emit(f"Error: {hints(error.format_message())}\n", error=True)
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    return code if isinstance(code, int) else OK


def _refuse_extra(ctx: click.Context) -> None:
    if ctx.args:
        named = any(param.name == "name" for param in ctx.command.params)
        hint = " A name is given by --name." if named and not ctx.params["name"] else ""
        many = f"{len(ctx.args)} too many words; a value with spaces needs quotes."
        raise click.UsageError(many + hint, ctx)
