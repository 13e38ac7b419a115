"""Values from outside the command line: files, standard input, hidden prompts.

What is read here is secret. No error may quote it: a message names the option, the file or the
line number, never the text. `-` and `@-` are standard input, `@FILE` is FILE.
"""

import json
import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import click

from ce.body.checks import apart, called, keyed, misspelt, once
from ce.text import Cut, bare, broken, hidden_line

STDIN = "-"


class Inputs:
    """The inputs of one command; standard input can be given to one option only."""

    def __init__(self) -> None:
        self._stdin_of = ""  # the option that it was read for

    def text(self, path: str, option: str) -> str:
        """Read a file for its meaning: line ends as they are, no byte order mark."""
        return unmarked(self.exact(path.removeprefix("@"), option))

    def exact(self, path: str, option: str) -> str:
        """Read a file that is kept byte for byte.

        Where there is none the value itself may stand in the name's place: it is not shown.
        """
        try:
            return self._bytes(path, option).decode()
        except OSError as error:
            there = path == STDIN or os.path.lexists(path)
            file = f"'{path}'" if there else "the file that it names"
            raise click.UsageError(f"{option}: cannot read {file}: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise click.UsageError(f"{option}: '{path}' is not text in UTF-8.") from None

    def first_line(self, path: str) -> str:
        """Read a password file, which is one line: what is below it would be lost."""
        option = "--password-from-file"
        if _asks(path):
            return hidden("Password", option)
        text = self.text(path, option).replace("\r\n", "\n").replace("\r", "\n")
        line, _, more = text.partition("\n")
        if "\0" in line:
            raise click.UsageError(f"{option}: the file is no text: it has a zero byte.")
        if more.strip():
            held = "more than a line" if line.strip() else "more, though its first line is empty"
            file = path.removeprefix("@")
            whole = "cat" if file == STDIN else f"cat {shlex.quote(file)}"
            raise click.UsageError(
                f"{option} takes one line, and '{path}' holds {held}: "
                f'to store all of it, give --password "$({whole})".'
            )
        return line

    def apikey(self, source: str) -> str:
        """Read an API key: a line, or a JSON object with it as `apikey`."""
        if _asks(source):
            return hidden("API key", "--apikey @FILE")
        text = bare(self.text(source, "--apikey"))
        if not text.startswith("{"):
            return text
        where = f"--apikey: '{source}'"
        return _field(_object(text, where), "apikey", where)

    def fields(self, path: str, option: str) -> dict[str, Any]:
        """Read a JSON object."""
        return _object(self.text(path, option), f"{option}: '{path}'")

    def field(self, path: str, name: str, option: str) -> str:
        """Read one text of a JSON object."""
        return _field(self.fields(path, option), name, f"{option}: '{path}'")

    def env_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str, str]]:
        """Read KEY=VALUE lines, without blank ones and comments; give where each is, too."""
        for path in paths:
            lines = [
                (f"line {number} of '{path}'", line.removesuffix("\r"))
                for number, line in enumerate(self.text(path, "--from-env-file").split("\n"), 1)
                if line.strip() and not line.startswith("#")
            ]
            if not lines:
                raise click.UsageError(f"--from-env-file: '{path}' holds no line KEY=VALUE.")
            for where, line in lines:
                if "\0" in line:
                    raise click.UsageError(f"{where} is no text: it has a zero byte.")
                yield *keyed(*pair(line, where), where), where

    def files(self, specs: Iterable[str]) -> Iterator[tuple[str, str, str]]:
        """Read `KEY=FILE` or `FILE`, whose name is then the key; give the option, too."""
        for spec in specs:
            key, equals, path = spec.partition("=")
            if not equals and key == STDIN:
                raise click.UsageError("--from-file needs a key for standard input: KEY=-.")
            option, file = "--from-file", path if equals else spec
            hint = "" if equals else f"; give {option} KEY={shlex.quote(spec)}"
            text = self.exact(file, option)
            yield *keyed(key if equals else Path(spec).name, text, option, hint), option

    def pairs(
        self,
        env_files: Iterable[str],
        files: Iterable[str],
        literals: Iterable[str],
        removed: Iterable[str] = (),
    ) -> dict[str, str]:
        """Read the values that `--from-env-file`, `--from-file` and `--from-literal` give.

        None of them is one that `--rm` removes.
        """
        where = "--from-literal"
        typed = [(*keyed(*pair(text, where), where), where) for text in literals or ()]
        lines = [*self.env_files(env_files or ())]
        read = [*self.files(files or ())]
        found = once(chain(lines, read, typed))
        lines = [(key, value, f"--from-env-file: {line}") for key, value, line in lines]
        apart(chain(lines, read, typed), removed, "--rm")
        return found

    def _bytes(self, path: str, option: str) -> bytes:
        if path != STDIN:
            return Path(path).read_bytes()
        if self._stdin_of:
            both = f"{self._stdin_of} and {option}"
            raise click.UsageError(f"Only one option can read standard input (-): {both} would.")
        self._stdin_of = option
        return sys.stdin.buffer.read()


def unmarked(text: str) -> str:
    """Drop the byte order mark that some editors put before a text; it means nothing."""
    return text.removeprefix("\ufeff")


def _asks(path: str) -> bool:
    """Whether standard input is meant, and somebody is there to type."""
    return path.removeprefix("@") == STDIN and sys.stdin.isatty()


def _object(text: str, where: str) -> dict[str, Any]:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        once((name, name, f"{where} as JSON") for name, _ in pairs)
        return dict(pairs)

    try:
        found = json.loads(text, object_pairs_hook=members)
    except (RecursionError, ValueError):
        raise click.UsageError(f"{where} is not JSON.") from None
    if not isinstance(found, dict):
        raise click.UsageError(f"{where} is not a JSON object.")
    return found


def _field(fields: dict[str, Any], name: str, where: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or broken(value):
        near = misspelt([name], fields)
        has = f"; it has {called('field', near[1], near[1])}" if near else ""
        raise click.UsageError(f"{where} has no text field '{name}'{has}.")
    return value


def pair(text: str, where: str, form: str = "KEY=VALUE") -> tuple[str, str]:
    """Split KEY=VALUE, or what else is said so."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise click.UsageError(f"{where} is not of the form {form}.")
    return key, value


def hidden(label: str, option: str) -> str:
    """Ask without echo; where nobody can answer, say which option to give."""
    if not sys.stdin.isatty():
        raise click.UsageError(
            f"{label} is missing and there is no terminal to ask: give {option}."
        )
    try:
        return unmarked(hidden_line(f"{label}> "))
    except EOFError:
        raise click.UsageError(f"{label} was not given.") from None
    except Cut as cut:
        raise click.UsageError(f"{label}: {cut}: nothing was stored. Give {option}.") from None
