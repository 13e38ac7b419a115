"""One grammar for the words of every command: which option each means, before any is obeyed.

1. What follows `--`, and the value of an option, is not looked at.
2. `-X` and `--X` are the option of that name or alias, whole, however many letters X has: the
   documented program reads its words so (Go's `flag`), and scripts are written for it.
3. Else `-X` is one-letter switches together, as in `-fq`. It is never a letter with its value
   attached: `-cl`, meant as `--cl`, would make a public application whose command is `l`.
4. What picks the one that is acted on is given once, or twice the same.
5. A switch takes `=true` or `=false` (1, 0, t, f, in any case), and no word of its own for it;
   `=false` is the opposite. Of a switch and its inverse the last counts.

A refusal names a word that is no option only if it cannot be a secret with a dash before it: see
`_safe`.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import islice

import click

TOLD = dict.fromkeys(("true", "t", "1"), True) | dict.fromkeys(("false", "f", "0"), False)
PLAIN = re.compile(r"--[a-z]+(-[a-z]+)*|-[a-z][a-z0-9-]*")  # as options and names are written
# Options whose values may be secret, and how a word begins that has the name of one in it.
SECRET = frozenset(
    (
        *("access_key_id", "apikey", "argument", "command", "env", "from_literal"),
        *("password", "secret_access_key", "username"),
    )
)
# Options that pick what is acted on: of two words for one of these, one is a slip.
PICKS = frozenset(("application", "build", "id", "job", "jobrun", "name", "project", "url"))
OPENINGS = (
    "--akid",
    "--apikey",
    "--env",
    "--from-literal",
    "--password",
    "--pw",
    "--sak",
    "--secret",
)

Options = Mapping[str, click.Option]


class Switch(click.Option):
    """A flag; what is read is told its value, which `spelled` writes out."""

    def add_to_parser(self, parser: "click.parser._OptionParser", _ctx: click.Context) -> None:
        """Have it take a value."""
        parser.add_option(self, self.opts, dest=self.name, action="store")


class Spelled(click.Command):
    """A command whose words are read by this grammar."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Spell the options out, then read them; what a shell completes may be half a word."""
        try:
            args = spelled(ctx, self.get_params(ctx), args)
        except click.UsageError as refusal:
            refusal.ctx = ctx  # it tells how the command is used
            if not ctx.resilient_parsing:
                raise
        return super().parse_args(ctx, args)


def spelled(ctx: click.Context, params: Iterable[click.Parameter], words: list[str]) -> list[str]:
    """Give the words with every option under its long name, and every switch with its value.

    Raises click.UsageError for a word that is no option, and for a switch told something else.
    """
    options = [param for param in params if isinstance(param, click.Option)]
    known = {name.lstrip("-"): option for option in options for name in option.opts}
    found: list[str] = []
    picked: dict[str, str] = {}
    left = iter(enumerate(words, 1))
    for place, word in left:
        if word == "--" or not (word.startswith("-") or ctx.allow_interspersed_args):
            return [*found, word, *(more for _, more in left)]
        if word == "-" or not word.startswith("-"):
            found.append(word)
            continue
        name, equals, value = word.partition("=")
        meant = _meant(known, name)
        if not meant:
            raise click.UsageError(_refusal(ctx, known, name, place))
        for option in meant:
            if option.is_flag:
                found += _told(known, option, value if equals else "true")
            else:
                told = [value] if equals else [more for _, more in islice(left, 1)]
                _once(option, told, picked)
                found += [f"{_long(option)}={value}"] if equals else [_long(option), *told]
    return found


def _once(option: click.Option, told: list[str], picked: dict[str, str]) -> None:
    """Refuse a second word for what picks the one that is acted on."""
    if told and option.name in PICKS and picked.setdefault(option.name, told[0]) != told[0]:
        raise click.UsageError(f"{_long(option)} is given twice, and not the same.")


def _meant(known: Options, word: str) -> list[click.Option]:
    """Give the options that a word stands for; none if it stands for no option."""
    name = word[2:] if word.startswith("--") else word[1:]
    if name in known:
        return [known[name]]
    letters = [known.get(letter) for letter in word[1:]]
    switches = [option for option in letters if option is not None and option.is_flag]
    return switches if len(switches) == len(letters) else []


def _told(known: Options, option: click.Option, value: str) -> list[str]:
    name = _long(option)
    if (on := TOLD.get(value.lower())) is None:
        raise click.UsageError(f"{name} is a switch: write {name}, {name}=true or {name}=false.")
    if not isinstance(option, Switch):  # click's own: --help, --version
        return [name] * on
    bare = name.removeprefix("--")
    inverse = known.get(bare.removeprefix("no-") if bare.startswith("no-") else f"no-{bare}")
    rest = [_switched(_long(inverse), not on)] if isinstance(inverse, Switch) else []
    return [_switched(name, on), *rest]


def _switched(name: str, on: bool) -> str:
    return f"{name}={str(on).lower()}"


def _long(option: click.Option) -> str:
    return next(name for name in option.opts if name.startswith("--"))


def _refusal(ctx: click.Context, known: Options, word: str, place: int) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    near = get_close_matches(word.lstrip("-"), [name for name in known if len(name) > 1], 1)
    letter = known.get(word[1:2])
    ask = f" Did you mean '--{near[0]}'?" if near else ""
    if not near and letter is not None and not letter.is_flag:
        ask = f" A value is a word of its own: '{word[:2]} VALUE'."
    if not ask and isinstance(ctx.command, click.Group):
        ask = " Options stand behind the whole command."
    if _safe(known, word):
        return f"No such option '{word}'.{ask}"
    where = f"word {place} after '{ctx.command_path}'"
    return f"No such option: {where}, which is not shown since it may hold a secret.{ask}"


def _safe(known: Options, word: str) -> bool:
    """Whether a word can be shown: it is plain, and begins with no name of what may be secret.

    Of `-pass` the letter decides, for it may be meant as `-p ass`; what is no letter of this
    command may be that of a password in another, so more than the letter is not shown either.
    """
    if not PLAIN.fullmatch(word):
        return False
    if word.startswith("--"):
        return not word.startswith(OPENINGS)
    option = known.get(word[1])
    return len(word) == 2 or (option is not None and option.name not in SECRET)
