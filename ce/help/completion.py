"""What a shell may complete beyond commands and options: values, files, and names.

Read when a shell asks, and at no other time. Names are asked of the server, one page of them and
for a second or two at most; where that fails there are none, and nothing is said.
"""

import re
from collections.abc import Iterable, Mapping

import click
from click.shell_completion import CompletionItem

from ce.body import FILES
from ce.call import Noun
from ce.rows import NOUNS, OWN_NOUNS
from ce.server import Client, Failure, path, profiles, target

OUTPUT = ("json", "yaml", "jsonpath=", "jsonpath-as-json=")
VALUES: Mapping[str, tuple[str, ...]] = {
    "output": OUTPUT,
    "address": (*OUTPUT, "url", "project-url"),
    "build_type": ("git", "local"),
    "destination": ("cidr_block", "private_path_service_gateway"),
    "destinations": ("cidr_block", "private_path_service_gateway"),
    "format": ("generic", "basic_auth", "ssh", "tls", "registry", "hmac"),
    "mode": ("task", "daemon"),
    "pps_isolation_policy": ("shared", "dedicated"),
    "role": (
        *("administrator", "editor", "operator", "viewer"),
        *("manager", "writer", "reader", "purge", "auditor"),
    ),
    "service_account": ("default", "manager", "reader", "writer", "none"),
    "size": ("small", "medium", "large", "xlarge", "xxlarge"),
    "strategy": ("dockerfile", "buildpacks"),
    "target_type": ("app", "job", "function"),
    "visibility": ("public", "private", "project"),
}
MAKING = frozenset({"create", "submit", "resubmit"})  # their names are new
PLAIN = re.compile(r"[\w.-]+")  # other names would need quoting, each shell in its way
TIMEOUT = (1, 2)  # seconds to connect, to answer


def complete(word: str, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Complete the value of an option, or a bare name."""
    if word in FILES:
        return [CompletionItem(incomplete, type="file")]
    found = VALUES.get(word) or _names(word, ctx)
    return [CompletionItem(value) for value in found if value.startswith(incomplete)]


def _names(word: str, ctx: click.Context) -> Iterable[str]:
    noun = _noun(ctx)
    if word == "profile" or (noun and noun.module == "session" and word == "name"):
        return profiles.names()
    try:
        if word in {"project", "acting", "trail"}:
            return _asked("/projects", "projects", "name")
        if noun is None or ctx.info_name in MAKING or word not in {"name", "id", "number"}:
            return ()
        return _known(noun, word, ctx.params.get("project"))
    except (Failure, KeyError, TypeError):  # a server that is not this API answers anything
        return ()


def _known(noun: Noun, word: str, named: str | None) -> Iterable[str]:
    if noun.module == "projects":
        return _asked("/projects", "projects", word)
    if noun.name == "apikey":
        return _asked("/v1/apikeys", "apikeys", word)
    kind = noun.kind
    if kind is None or kind.within or word != kind.key:
        return ()
    client = Client(target.current(), TIMEOUT, named)
    form = {"format": kind.form} if kind.form else {}
    where = path("projects", client.project["id"], kind.collection)
    return _asked(where, kind.collection, word, client, **form)


def _asked(
    where: str, key: str, member: str, client: Client | None = None, **params: str
) -> Iterable[str]:
    client = client or Client(target.current(), TIMEOUT)
    found = client.get(where, limit="100", **params)[key]
    told = (doc[member] for doc in found)
    return [value for value in told if isinstance(value, str) and PLAIN.fullmatch(value)]


def _noun(ctx: click.Context) -> Noun | None:
    group = ctx.parent.command.name if ctx.parent else None
    return next((noun for noun in (*NOUNS, *OWN_NOUNS) if noun.name == group), None)
