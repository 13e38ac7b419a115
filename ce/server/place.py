"""Which project a command acts in: what names one goes before what is selected.

`--project`, else CODE_ENGINE_PROJECT, else the nearest `.ce.toml` of the folder and its parents,
else the selection. What names a project and is broken, or names none that is there, is an error:
`ce` never falls through to another project.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ce.server import addresses
from ce.server.failure import USAGE, Failure
from ce.server.target import Target, selected
from ce.text import blank

OPTION, VARIABLE, FILE = "--project", "CODE_ENGINE_PROJECT", ".ce.toml"
SELECTION = "the selection ('ce project select')"
ID = re.compile("[0-9a-z]{8}(-[0-9a-z]{4}){3}-[0-9a-z]{12}")
BYTES = 65536  # of a .ce.toml, at most
LIST = "'ce project list' shows them all."
EMPTY = f"{VARIABLE} is empty: set it to a project, or unset it; {OPTION} goes before it."
Project = dict[str, str]  # `id`, `name`, and what says so as `from`


class Asks(Protocol):
    """What a project is looked up by: the client of a target."""

    target: Target

    def get(self, where: str, **params: str) -> dict[str, Any]:
        """Read one document."""

    def pages(self, where: str, key: str, **params: str) -> Iterator[dict[str, Any]]:
        """Read a list to its end."""


@dataclass(frozen=True)
class Named:
    """The name or ID of a project, and what says it."""

    word: str
    source: str


def named(option: str | None = None) -> Named | None:
    """Give what names a project; None where only the selection does.

    Raises Failure for an option or a variable without a name, and for a broken `.ce.toml`.
    """
    if option is not None:
        if blank(option):
            raise Failure(f"{OPTION} is given no name and no ID.", exit_code=USAGE)
        return Named(option, OPTION)
    if (variable := os.environ.get(VARIABLE)) is not None:
        if blank(variable):
            raise Failure(EMPTY, exit_code=USAGE)
        return Named(addresses.trimmed(variable, VARIABLE), VARIABLE)
    file = _nearest()
    return Named(_read(file), str(file)) if file else None


def known(where: Target, option: str | None = None) -> Project | None:
    """Give the project as far as it is known without asking: of what is named, what the name is."""
    found, said = selected(where), named(option)
    if said is None:
        return found and {**found, "from": SELECTION}
    member = _member(said.word)
    if found and said.word == found[member]:
        return {**found, "from": said.source}
    return {member: said.word, "from": said.source}


def acting(client: Asks, option: str | None) -> Project:
    """Give the project that a command acts in, looked up where only its name or ID is known.

    Raises Failure where there is none, with what to do.
    """
    found = known(client.target, option)
    if found is None:
        raise Failure(
            "No project is selected: run 'ce project select --name NAME', "
            "or 'ce project create --name NAME' for a new one."
        )
    if not {"id", "name"} <= found.keys():
        found |= looked_up(client, found)
    return found


def overridden(project: Project) -> str:
    """Tell what goes before a selection that was just made; "" where nothing does."""
    try:
        said = named()
    except Failure as failure:
        return f"Note: {failure.messages[0]}\n"
    if said is None or said.word == project[_member(said.word)]:
        return ""
    return f"Note: {said.source} names project '{said.word}', and goes before what is selected.\n"


def looked_up(client: Asks, found: Project) -> Project:
    """Give id and name of a project of which one is known. Raises Failure where there is none."""
    source, missing = found["from"], "There is no project '{}', which {} names: nothing was done."
    if word := found.get("id"):
        try:
            return _members(client.get(f"/projects/{word}"))
        except Failure as failure:
            if failure.status == 403:  # who may act in it need not be one who may look at it
                return {"name": word}
            if failure.status != 404:
                raise
            raise Failure(missing.format(word, source), *failure.messages, LIST) from None
    word = found["name"]
    try:
        projects = [doc for doc in client.pages("/projects", "projects") if doc["name"] == word]
    except Failure as failure:
        if failure.status != 403:
            raise
        more = f"{source} has a project's name, which only a key that may look finds: give its ID."
        raise failure.saying(*failure.messages, more) from None
    if not projects:
        raise Failure(missing.format(word, source), LIST)
    # Beside one that is being destroyed another may have its name already.
    return _members(next((doc for doc in projects if doc["status"] == "active"), projects[0]))


def _member(word: str) -> str:
    """Tell what a word is: an ID wherever it has its form, whoever else is called so."""
    return "id" if ID.fullmatch(word) else "name"


def _members(doc: dict[str, Any]) -> Project:
    return {"id": doc["id"], "name": doc["name"]}


def _nearest() -> Path | None:
    try:
        here = Path.cwd()
    except OSError:  # the folder one stands in is gone
        return None
    files = (folder / FILE for folder in (here, *here.parents))
    return next((file for file in files if os.path.lexists(file)), None)


def _read(file: Path) -> str:
    """Give the project that a file names. Raises Failure for whatever else it is."""
    import tomllib  # noqa: PLC0415 - few commands need it

    try:
        # In a folder for everybody another user's would send secrets to a project of theirs.
        if {file.lstat().st_uid, file.stat().st_uid} - {0, os.geteuid()}:
            raise _broken(file, "belongs to another user")
        if not file.is_file():
            raise _broken(file, "is no file")
        with file.open("rb") as content:
            text = content.read(BYTES + 1)
        if len(text) > BYTES:
            raise _broken(file, "is too large")
        found = tomllib.loads(text.decode("utf-8-sig"))
    except OSError as error:
        raise _broken(file, f"cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise _broken(file, "is not TOML") from None
    others = sorted(found.keys() - {"project"})
    if others:
        raise _broken(file, f"has the key '{others[0]}'")
    word = found.get("project")
    if not isinstance(word, str) or blank(word):
        raise _broken(file, "names no project")
    return word


def _broken(file: Path, what: str) -> Failure:
    return Failure(
        f'{file} {what}: it takes one line of yours, project = "NAME", and nothing else. '
        f"{OPTION} and {VARIABLE} go before it.",
        exit_code=USAGE,
    )
