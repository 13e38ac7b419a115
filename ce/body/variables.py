"""The options of variables and mounts, which name a part of a list that a body holds whole.

What is given is put over what is there, and what was not named stays as it is, whoever made it.
No error repeats a value.
"""

from typing import NamedTuple

import click

from ce.body.checks import apart, called, once
from ce.body.fields import flag
from ce.body.inputs import pair
from ce.call import Call
from ce.server import WITHIN, Doc, Failure

SOURCES = {"configmap": "config_map", "secret": "secret"}  # the options' words for the API's
MOUNTED = {
    "mount_configmap": "config_map",
    "mount_secret": "secret",
    "mount_data_store": "persistent_data_store",
}
REMOVALS = ("env_rm", "env_from_configmap_rm", "env_from_secret_rm")
# What a refusal calls the members of an entry.
PARTS = {
    "key": "its key",
    "mount_path": "its folder",
    "name": "its name",
    "prefix": "its prefix",
    "reference": "what it refers to",
    "sub_path": "its path",
    "value": "its value",
}
FULL = "_full_reference"


class Variables(NamedTuple):
    """Variables to have and not to have; of references to all keys, their type and name."""

    added: list[Doc]
    removed: list[str]
    detached: list[tuple[str, str]]


class Mounts(NamedTuple):
    """Mounts to have, and folders to mount nothing at."""

    added: list[Doc]
    removed: list[str]


def environment(call: Call) -> Variables:
    """Read the variables that options name, each once."""
    literals = (pair(text, "--env", "NAME=VALUE") for text in call["env"] or ())
    added = [{"type": "literal", "name": name, "value": value} for name, value in literals]
    detached = []
    for word, source in SOURCES.items():
        for text in call[f"env_from_{word}"] or ():
            added += _references(source, text, flag(f"env_from_{word}"))
        names = call[f"env_from_{word}_rm"] or ()
        detached += [(f"{source}{FULL}", name) for name in names]
    named = [(e["name"], e.get("value", "-"), option_of(e)) for e in added if "name" in e]
    once(named, "variable")
    apart(named, call["env_rm"] or (), flag("env_rm"), "variable")
    for word, source in SOURCES.items():
        whole = (
            (e["reference"], "-", option_of(e)) for e in added if e["type"] == f"{source}{FULL}"
        )
        removal = f"env_from_{word}_rm"
        apart(whole, call[removal] or (), flag(removal), "all of")
    each = {_apart(entry): entry for entry in added}
    return Variables([*each.values()], [*(call["env_rm"] or ())], detached)


def _references(source: str, text: str, option: str) -> list[Doc]:
    """Read `NAME`, `PREFIX=NAME`, or `NAME:KEY` with more keys, each perhaps as `VARIABLE=KEY`."""
    name, colon, keys = text.partition(":")
    if not colon:
        prefix, equals, reference = text.rpartition("=")
        entry = {"type": f"{source}{FULL}", "reference": reference}
        return [{**entry, "prefix": prefix} if equals else entry]
    found = []
    for part in keys.split(","):
        variable, equals, key = part.partition("=")
        key = key if equals else variable
        if not (name and variable and key):
            raise click.UsageError(
                f"{option} is not of the form NAME, PREFIX=NAME or NAME:KEY,KEY."
            )
        entry = {"type": f"{source}_key_reference", "name": variable}
        found.append({**entry, "reference": name, "key": key})
    return found


def put_variables(given: Variables, old: list[Doc] | None) -> list[Doc]:
    """Put variables over those there are: by name, or by what all keys are taken of."""
    before = old or []
    for name in given.removed:
        if not any(_named(entry, name) for entry in before):
            raise Failure(f"There is no environment variable '{name}' to remove.", code=WITHIN)
    for source in given.detached:
        if not any(_of(entry, source) for entry in before):
            raise Failure(f"Its variables are not those of all of '{source[1]}'.", code=WITHIN)
    new = {_apart(entry) for entry in given.added}
    kept = [
        entry
        for entry in before
        if _apart(entry) not in new
        and not any(_named(entry, name) for name in given.removed)
        and not any(_of(entry, source) for source in given.detached)
    ]
    return kept + given.added


def _apart(entry: Doc) -> tuple[str, ...]:
    """Give what tells an entry from others. Other clients may have left out anything."""
    if entry["type"].endswith(FULL):
        return entry["type"], entry.get("reference", ""), entry.get("prefix", "")
    return ("", entry.get("name", ""))


def _named(entry: Doc, name: str) -> bool:
    return not entry["type"].endswith(FULL) and entry.get("name") == name


def _of(entry: Doc, source: tuple[str, str]) -> bool:
    return (entry["type"], entry.get("reference")) == source


def mounts(call: Call) -> Mounts:
    """Read `FOLDER=NAME` or `FOLDER=NAME:PATH` of the options for mounts."""
    added = []
    for option, source in MOUNTED.items():
        for text in call[option] or ():
            folder, name = pair(text, flag(option), "FOLDER=NAME")
            reference, colon, inner = name.partition(":")
            entry = {"type": source, "mount_path": folder, "reference": reference}
            added.append({**entry, "sub_path": inner} if colon else entry)
    folders = [(_folder(e["mount_path"]), e["reference"], option_of(e)) for e in added]
    once(folders, "folder")
    apart(folders, map(_folder, call["mount_rm"] or ()), flag("mount_rm"), "folder")
    return Mounts(added, [*(call["mount_rm"] or ())])


def put_mounts(given: Mounts, old: list[Doc] | None) -> list[Doc]:
    """Put mounts over those there are, by their folders."""
    before = {_folder(entry["mount_path"]): entry for entry in old or ()}
    for folder in given.removed:
        if before.pop(_folder(folder), None) is None:
            raise Failure(f"Nothing is mounted at '{folder}'.", code=WITHIN)
    for entry in given.added:
        before.pop(_folder(entry["mount_path"]), None)
    return [*before.values(), *given.added]


def option_of(entry: Doc) -> str:
    """Give the option that an entry of a list is given by."""
    source = str(entry.get("type", "")).removesuffix(FULL).removesuffix("_key_reference")
    words = {source: f"env_from_{word}" for word, source in SOURCES.items()} | {"literal": "env"}
    if "mount_path" in entry:
        words = {source: option for option, source in MOUNTED.items()}
    return flag(words[source]) if source in words else ""


def place_in(entry: Doc, member: str) -> str:
    """Name the part of an entry that a refusal is about; "" where no option gives it."""
    if not (option := option_of(entry)):
        return ""
    name, value = str(entry.get("name") or entry.get("mount_path")), entry.get("value", "-")
    shown = called("", name, value).removeprefix("its") if name != "None" else ""
    return f"{option}{shown.rstrip()}: {PARTS.get(member, 'it')}"


def _folder(path: str) -> str:
    return path.rstrip("/")
