"""From the notation of the documented command table to click options.

`-n/--name*` is required, `†` needs it or an alternative, `?` is a flag, `…` may be repeated,
`=x` is the default; `NAME|--name` may be given as a bare word too; `[O Q W]` stands for the
options many commands share. A row can be pasted from the contract as it is. What an option means
is decided by the commands, not here.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import click

SHARED = {
    "F": "--force/-f/--f?",
    "I": "--ignore-not-found/--inf?",
    "O": "--output/-o",
    "Q": "--quiet/-q?",
    "W": "--wait/-w? --no-wait/--nw? --wait-timeout/--wto=600",
}

WORD = re.compile(
    r"((?P<bare>[A-Z]+)\|)?(?P<names>[-\w/]+)(?P<need>[*†]?)(?P<many>…?)(?P<flag>\??)"
    r"(=(?P<default>\S+))?"
)
BARE = "bare_word"  # the parameter of the word that stands for an option
SPAN = re.compile(r"([1-9][0-9]{0,5})([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

HELP = {
    "access_key_id": "The access key ID of an hmac secret.",
    "access_key_id_prompt": "Ask for the access key ID.",
    "all": "Show those that are hidden otherwise.",
    "all_resource_groups": "Show every resource group (they are shown in any case).",
    "cert_chain_file": "A file with the certificate chain of a tls secret, in PEM format.",
    "decode": "Show values decoded; passwords and private keys stay REDACTED.",
    "description": "What it is for.",
    "email": "The email address for the registry.",
    "endpoint": "Not supported: Reprieve has one endpoint.",
    "expires_in": "How long it can be used: 30d, 12h, 90m or 45s. Without it, for good.",
    "force": "Do not ask for confirmation.",
    "format": "generic, basic_auth, ssh, tls, registry or hmac.",
    "from_env_file": "A file of KEY=VALUE lines; blank lines and lines with # are skipped.",
    "from_file": "A value from a file: KEY=FILE, or FILE, whose name is the key. '-' is stdin.",
    "from_json_file": "A JSON file whose fields are the values. '-' is stdin.",
    "from_literal": "A value as KEY=VALUE. Other users can see it in the process list.",
    "hard": "Delete for good, at once. It cannot be restored.",
    "id": "The ID, in place of the name.",
    "ignore_not_found": "Do not fail if it does not exist.",
    "key_path": "A file with the private key of an ssh secret.",
    "known_hosts_path": "A file with the known hosts of an ssh secret.",
    "kubecfg": "Not supported: Reprieve has no Kubernetes API.",
    "name": "The name.",
    "no_select": "Do not select the new project.",
    "no_wait": "Return without waiting for the operation to complete.",
    "output": "json, yaml, jsonpath=EXPRESSION or jsonpath-as-json=EXPRESSION.",
    "password": "The password. Other users can see it in the process list.",
    "password_from_file": "A file whose first line is the password. '-' is stdin.",
    "password_from_json_file": "A JSON file whose field 'apikey' is the password.",
    "private_key_file": "A file with the private key of a tls secret, in PEM format.",
    "project": "The name of the one project it is for. Without it, the whole account.",
    "project_id": "The ID of that project, in place of its name.",
    "quiet": "Print no progress.",
    "regions": "Only these regions, separated by commas.",
    "rm": "A key to remove.",
    "role": "administrator, editor, operator, viewer, manager, writer or reader.",
    "secret_access_key": "The secret access key. Other users can see it in the process list.",
    "secret_access_key_prompt": "Ask for the secret access key, without echo.",
    "server": "The registry server.",
    "sort_by": "name or age.",
    "tag": "A tag for the project.",
    "username": "The user name.",
    "wait": "Wait for the operation to complete (the default).",
    "wait_timeout": "Seconds to wait at most.",
}


def output(_ctx: click.Context, _option: click.Parameter, value: str | None) -> Any:
    """Compile the format of the document, so that a bad one is refused before anything is done."""
    if value is None:
        return None
    from ce import documents  # noqa: PLC0415 - only who asks for a document pays for it

    form, _, expression = value.partition("=")
    make = documents.WRITERS.get(form)
    if make is None or bool(expression) != form.startswith("jsonpath"):
        raise click.BadParameter(HELP["output"])
    try:
        return make(expression)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def span(_ctx: click.Context, _option: click.Parameter, value: str | None) -> timedelta | None:
    """Read a span of time such as 30d; the refusal does not quote it."""
    if value is None:
        return None
    if (match := SPAN.fullmatch(value)) is None:
        raise click.BadParameter("write 30d, 12h, 90m or 45s.")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


CALLBACKS = {"output": output, "expires_in": span}
TYPES: dict[str, Any] = {
    "sort_by": click.Choice(["name", "age"]),
    "wait_timeout": click.IntRange(min=0),
}


def parse(takes: str) -> list[click.Parameter]:
    """Turn a row such as `[O Q W] -n/--name* --tag/-t…` into options."""
    words = [*_expand(takes)]
    bare = [match for word in words if (match := WORD.fullmatch(word)) and match["bare"]]
    arguments = [click.Argument([BARE], required=False, metavar=f"[{m['bare']}]") for m in bare]
    return [*map(_option, words), *arguments]


def settled(options: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options, a bare name in its option's place."""
    found = dict(options)
    word = found.pop(BARE, None)
    if word is not None:
        if found["name"] is not None:
            raise click.UsageError("Give the name once, as NAME or with --name.")
        found["name"] = word
    return found


def _expand(takes: str) -> Iterator[str]:
    shared, bracket, own = takes.rpartition("]")
    yield from own.split()
    if bracket:
        for letter in shared.strip("[ ").split():
            yield from SHARED[letter].split()


def _option(word: str) -> click.Option:
    match = WORD.fullmatch(word)
    if match is None:
        raise ValueError(f"not in the notation of options: {word}")
    names = match["names"].split("/")
    dest = next(n for n in names if n.startswith("--")).lstrip("-").replace("-", "_")
    if match["flag"]:
        return click.Option([dest, *names], is_flag=True, help=HELP[dest])
    # click takes a default of None for a value given.
    default: dict[str, Any] = (
        {"default": match["default"], "show_default": True} if match["default"] else {}
    )
    return click.Option(
        [dest, *names],
        required=match["need"] == "*",
        multiple=bool(match["many"]),
        type=TYPES.get(dest),
        callback=CALLBACKS.get(dest),
        help=HELP[dest],
        **default,
    )
