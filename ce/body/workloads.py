"""The options of what shall run: its probes, indices, port and code, and the rows they share.

No error repeats a value.
"""

import base64
import re
from pathlib import Path

import click

from ce.body.fields import Field, Read, chosen, plain, removed, texts
from ce.body.inputs import Inputs, pair
from ce.body.variables import MOUNTED, REMOVALS, environment, mounts, put_mounts, put_variables
from ce.call import Call
from ce.server import Doc, Failure

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
            if (member := key.replace("-", "_")) in found:
                raise click.UsageError(f"{flag}: '{key}' is given twice.")
            found[member] = PROBE[key](value)
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
        return "".join(str(call["array_indexes"]).split())
    if call["array_size"] < 1:
        raise click.UsageError("--array-size is at least 1.")
    return "0" if call["array_size"] == 1 else f"0-{call['array_size'] - 1}"


def above_zero(call: Call) -> int | None:
    """Read the target of concurrency; the documented default of 0 stands for none."""
    return call["concurrency_target"] or None


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
    text = Inputs().exact(call["inline_code"], "--inline-code")
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


VARIABLES = Field(
    "run_env_variables",
    ("env", "env_from_configmap", "env_from_secret", *REMOVALS),
    environment,
    put_variables,
)
MEMBERS = (
    VARIABLES,
    *plain(
        "cpu=scale_cpu_limit",
        "memory=scale_memory_limit",
        "trusted_profiles_enabled=run_compute_resource_token_enabled",
    ),
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
