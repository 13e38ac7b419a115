"""How the words of `ce emulator` are read: as those of `ce` are, so that no slip is swallowed.

An option is known by its whole name, with one dash or two; no value is attached to a letter, and
no name is shortened: `-ojson` and `--qui` are no options.
"""

import argparse
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, NoReturn

PLAIN = re.compile(r"--?[a-z][a-z0-9-]*")
NUMBER = re.compile(r"-\d")


class Parser(argparse.ArgumentParser):
    """A command's parser, which spells its words out before it reads them."""

    def __init__(self, **how: Any) -> None:
        self.named: dict[str, argparse.Action] = {}
        shape = argparse.RawDescriptionHelpFormatter
        super().__init__(allow_abbrev=False, formatter_class=shape, **how)

    def add_argument(self, *names: str, **how: Any) -> argparse.Action:
        """Add a word or an option, and know its names."""
        action = super().add_argument(*names, **how)
        self.named |= {name.lstrip("-"): action for name in action.option_strings}
        return action

    def spelled(self, words: Iterable[str]) -> list[str]:
        """Give the words with each option under its long name, and its value attached to that.

        What follows `--` is not looked at. Ends with code 2 at a word that is no option.
        """
        found: list[str] = []
        left = iter(words)
        for word in left:
            if word == "--":
                return [*found, word, *left]
            if word == "-" or word[:1] != "-" or NUMBER.match(word):
                found.append(word)
                continue
            name, equals, value = word.partition("=")
            action = self.named.get(name.removeprefix("-").removeprefix("-"))
            if action is None:
                self.error(self._refusal(name))
            long = action.option_strings[-1]
            if equals and action.nargs == 0:
                self.error(f"{long} is a switch: it takes no value.")
            if not equals and action.nargs is None:  # one value, whatever it begins with
                found += [f"{long}={more}" for more in islice(left, 1)] or [long]
            else:
                found.append(f"{long}{equals}{value}")
        return found

    def _refusal(self, name: str) -> str:
        near = get_close_matches(name.lstrip("-"), [n for n in self.named if len(n) > 1], 1)
        ask = f" Did you mean '--{near[0]}'?" if near else ""
        if not near and name[:2] != "--" and name[1] in self.named:
            ask = f" A value is a word of its own: '{name[:2]} VALUE'."
        return (
            f"No such option '{name}'.{ask}" if PLAIN.fullmatch(name) else f"No such option.{ask}"
        )

    def error(self, message: str) -> NoReturn:
        """End with code 2, and what is wrong."""
        self.exit(2, f"{self.format_usage()}Try '{self.prog} --help'.\nError: {message}\n")


def spelled(parser: Parser, commands: Mapping[str, Parser], words: list[str]) -> list[str]:
    """Give all words spelled out: what stands before the command by `parser`, the rest by that."""
    at = next((n for n, word in enumerate(words) if word[:1] != "-"), len(words))
    before, rest = parser.spelled(words[:at]), words[at:]
    if not rest:
        return before
    if rest[0] not in commands:
        near = get_close_matches(rest[0], commands, 1)
        ask = f" Did you mean '{parser.prog} {near[0]}'?" if near else ""
        parser.error(f"No such command '{rest[0]}'.{ask}")
    return [*before, rest[0], *commands[rest[0]].spelled(rest[1:])]
