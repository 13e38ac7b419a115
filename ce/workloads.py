"""The options of what shall run: its variables, mounts, probes, indices and code.

They say which part of a list is meant, and a body holds the list whole: so each is put over what
is there by what tells its entries apart. No error repeats a value.
"""

import base64
import re
from pathlib import Path
from typing import NamedTuple

import click

from ce.call import Call
from ce.client import Doc
from ce.failure import Failure
from ce.inputs import Inputs, pair
from ce.members import Field, Read, chosen, plain, removed, texts

SOURCES = {"configmap": "config_map", "secret": "secret"}  # the options' words for the API's
MOUNTED = {
    "mount_configmap": "config_map",
    "mount_secret": "secret",
    "mount_data_store": "persistent_data_store",
}
PROBE = {
    "type": str,
    "path": str,
    "port": int,
    "interval": int,
    "timeout": int,
    "initial-delay": int,
    "failure-threshold": int,
}
VISIBILITY = {"public": "local_public", "private": "local_private", "project": "local"}
DIGITS = re.compile(r"[0-9]{1,9}", re.ASCII)


class Change(NamedTuple):
    """What becomes of a list: entries it gets, and what is taken out of it."""

    added: list[Doc]
    removed: list[str]  # names of variables, or folders of mounts
    detached: list[tuple[str, str]] = []  # noqa: RUF012 - a tuple's default, never changed


def environment(call: Call) -> Change:
    """Read the variables that options name."""
    added = [
        {"type": "literal", "name": name, "value": value}
        for name, value in (pair(text, "--env") for text in call["env"] or ())
    ]
    detached = []
    for word, source in SOURCES.items():
        for text in call[f"env_from_{word}"] or ():
            added += _references(source, text, f"--env-from-{word}")
        detached += [
            (f"{source}_full_reference", name) for name in call[f"env_from_{word}_rm"] or ()
        ]
    return Change(added, [*(call["env_rm"] or ())], detached)


def _references(source: str, text: str, flag: str) -> list[Doc]:
    """Read `NAME`, `PREFIX=NAME`, or `NAME:KEY` with more keys, each perhaps as `VARIABLE=KEY`."""
    name, colon, keys = text.partition(":")
    if not colon:
        prefix, equals, reference = text.rpartition("=")
        entry = {"type": f"{source}_full_reference", "reference": reference}
        return [{**entry, "prefix": prefix} if equals else entry]
    found = []
    for part in keys.split(","):
        variable, equals, key = part.partition("=")
        key = key if equals else variable
        if not (name and variable and key):
            raise click.UsageError(f"{flag} is not of the form NAME, PREFIX=NAME or NAME:KEY,KEY.")
        entry = {"type": f"{source}_key_reference", "name": variable}
        found.append({**entry, "reference": name, "key": key})
    return found


def put_variables(change: Change, old: list[Doc] | None) -> list[Doc]:
    """Put variables over those there are: by name, and full references by what they refer to."""
    kept = {_variable(one): one for one in old or ()}
    for name in change.removed:
        _take(kept, ("", name), f"There is no environment variable '{name}' to remove.")
    for reference in change.detached:
        _take(kept, reference, f"No reference to all of '{reference[1]}' is there to remove.")
    return [*(kept | {_variable(one): one for one in change.added}).values()]


def _variable(entry: Doc) -> tuple[str, str]:
    if entry["type"].endswith("full_reference"):
        return entry["type"], entry["reference"]
    return "", entry["name"]


def mounts(call: Call) -> Change:
    """Read `FOLDER=NAME` or `FOLDER=NAME:PATH` of the options for mounts."""
    added = []
    for option, source in MOUNTED.items():
        for text in call[option] or ():
            folder, name = pair(text, f"--{option.replace('_', '-')}")
            reference, colon, inner = name.partition(":")
            entry = {"type": source, "mount_path": folder, "reference": reference}
            added.append({**entry, "sub_path": inner} if colon else entry)
    return Change(added, [*(call["mount_rm"] or ())])


def put_mounts(change: Change, old: list[Doc] | None) -> list[Doc]:
    """Put mounts over those there are, by their folders."""
    kept = {("", one["mount_path"]): one for one in old or ()}
    for folder in change.removed:
        _take(kept, ("", folder), f"Nothing is mounted at '{folder}'.")
    return [*(kept | {("", one["mount_path"]): one for one in change.added}).values()]


def _take(kept: dict[tuple[str, str], Doc], key: tuple[str, str], missing: str) -> None:
    if kept.pop(key, None) is None:
        raise Failure(missing)


def probe(option: str) -> Read:
    """Read a probe: KEY=VALUE, as often as there is something to say."""
    flag = f"--{option.replace('_', '-')}"

    def read(call: Call) -> Doc:
        found: Doc = {}
        for key, value in (pair(text, flag) for text in call[option]):
            if key not in PROBE:
                raise click.UsageError(f"{flag}: choose {', '.join(PROBE)}.")
            if PROBE[key] is int and not DIGITS.fullmatch(value):
                raise click.UsageError(f"{flag}: '{key}' is not a number.")
            found[key.replace("-", "_")] = PROBE[key](value)
        return found

    return read


def put_probe(given: Doc, old: Doc | None) -> Doc:
    """Put what is said of a probe over what it is."""
    return {**(old or {}), **given}


def indices(call: Call) -> str:
    """Read the indices of an array, or its size."""
    if call.given >= {"array_indexes", "array_size"}:
        raise click.UsageError("Give only one of --array-indexes and --array-size.")
    if "array_size" not in call.given:
        return str(call["array_indexes"])
    if call["array_size"] < 1:
        raise click.UsageError("--array-size is at least 1.")
    return "0" if call["array_size"] == 1 else f"0-{call['array_size'] - 1}"


def port(call: Call) -> int:
    """Read `PORT` or `http1:PORT`."""
    name, _, number = call["port"].rpartition(":")
    if name == "h2c":
        raise click.UsageError("--port: h2c is not supported: the API keeps a number only.")
    if name not in {"", "http1"} or not DIGITS.fullmatch(number):
        raise click.UsageError("--port is not of the form PORT.")
    return int(number)


def code(call: Call) -> str:
    """Read code from a file, or the reference of a bundle."""
    if call["inline_code"] and call["code_bundle"]:
        raise click.UsageError("Give only one of --inline-code and --code-bundle.")
    if call["code_bundle"]:
        return str(call["code_bundle"]).removeprefix("cr://")
    text = Inputs().text(call["inline_code"])
    return f"data:text/plain;base64,{base64.b64encode(text.encode()).decode()}"


def saved(call: Call, function: Doc) -> Doc:
    """Write inline code to the file of --save; one that is made is its owner's alone."""
    if call["save"] is None:
        return function
    _, comma, text = function["code_reference"].partition(",")
    if not comma:
        raise Failure("It has no inline code to save: its code is in a bundle.")
    file = Path(call["save"])
    try:
        file.touch(0o600)
        file.write_bytes(base64.b64decode(text))
    except OSError as error:
        raise Failure(f"Cannot write the file of --save: {error.strerror}.") from None
    return function


def runtime(call: Call) -> str:
    """Read a runtime; of a family, such as nodejs, its default."""
    family = str(call["runtime"])
    if "-" in family:
        return family
    known = call.client.get("/function_runtimes")["function_runtimes"]
    return next((r["id"] for r in known if r["family"] == family and r["default"]), family)


def counted(spec: str) -> int:
    """Count the indices of `1,3-5`, each once."""
    count, reached = 0, -1
    ends = [part.partition("-") for part in spec.split(",")]
    for first, last in sorted((int(first), int(last or first)) for first, _, last in ends):
        count += max(0, last - max(first - 1, reached))
        reached = max(reached, last)
    return count


def visible(**flags: str) -> Field:
    """Give the row of who may call it."""
    return chosen("managed_domain_mappings", VISIBILITY, "visibility", **flags)


REMOVALS = ("env_rm", "env_from_configmap_rm", "env_from_secret_rm")
VARIABLES = Field(
    "run_env_variables",
    ("env", "env_from_configmap", "env_from_secret", *REMOVALS),
    environment,
    put_variables,
)
TRUSTED = Field(
    "run_compute_resource_token_enabled", ("trusted_profiles_enabled",), lambda _call: True
)
MEMBERS = (
    VARIABLES,
    TRUSTED,
    *plain("cpu=scale_cpu_limit", "memory=scale_memory_limit"),
)
CONTAINER = (
    *MEMBERS,
    *texts("argument", "run_arguments", "arguments_clear"),
    *texts("command", "run_commands", "commands_clear"),
    *removed("service_account_clear=run_service_account", "registry_secret_clear=image_secret"),
    *plain(
        "image=image_reference",
        "registry_secret=image_secret",
        "service_account=run_service_account",
        "ephemeral_storage=scale_ephemeral_storage_limit",
    ),
    Field("run_volume_mounts", (*MOUNTED, "mount_rm"), mounts, put_mounts),
)
