"""The rows of `configmap`, and what its commands show."""

import click

from ce.body import Field, Inputs, always, masking
from ce.call import Call, Rows, Verb
from ce.rows import HEAD, Kind, as_table, count, since, text, with_data
from ce.server import Failure
from ce.verbs import resources

VALUES = "--from-env-file/-e†… --from-file/-f†… --from-literal/-l†…"
MORE = "\nRun 'ce configmap get -n {name}' to see more details."
SOURCES = ("from_env_file", "from_file", "from_literal")


def _read(call: Call) -> tuple[dict[str, str], tuple[str, ...]]:
    if not call.given.intersection((*SOURCES, "rm")):
        raise click.UsageError("Give --from-literal, --from-file or --from-env-file.")
    removed = call["rm"] or ()
    env_files, files, literals = (call[source] for source in SOURCES)
    return Inputs().pairs(env_files, files, literals, removed), removed


def _put(change: tuple[dict[str, str], tuple[str, ...]], old: dict[str, str]) -> dict[str, str]:
    given, removed = change
    if missing := [key for key in removed if key not in (old or {})]:
        raise Failure(f"There is no key '{missing[0]}' to remove.")
    return {key: value for key, value in (old or {}).items() if key not in removed} | given


NOUNS = {
    "configmap": Rows(
        {
            "create": Verb(
                "Create a config map.",
                f"[O Q] -n/--name* {VALUES}",
                f"Creating Configmap '{{name}}'...\nOK{MORE}",
                resources.create,
                instead={"from_file": f"Creating configmap '{{name}}'...\nOK{MORE}"},
            ),
            "delete": Verb(
                "Delete a config map.",
                "[F I Q] --name/-n*",
                "Deleting Configmap '{name}'...\nOK",
                resources.delete,
                asks="Are you sure you want to delete configmap '{name}'? [y/N]> ",
            ),
            "get": Verb(
                "Show a config map and its values.",
                "[O Q] --name/-n*",
                "Getting configmap '{name}'...\nOK\n",
                resources.get,
                with_data(HEAD, gap="\n", names={}),
            ),
            "list": Verb(
                "List config maps.",
                "[O Q] --sort-by/-s=name",
                "Listing Configmaps...\n|",
                resources.listing,
                as_table(
                    "config_maps",
                    {"Name": text("name"), "Data": count("data"), "Age": since("created_at")},
                ),
            ),
            "update": Verb(
                "Change values of a config map; what is not given stays.",
                f"[O Q] --name/-n* {VALUES} --rm…",
                f"Updating configmap '{{name}}'...\nOK{MORE}",
                resources.update,
            ),
        },
        Kind(
            "config_maps",
            "configmap",
            masked=masking("data"),
            fields=(Field("data", (*SOURCES, "rm"), _read, _put, needed=always),),
            update="PUT",
        ),
    ),
}
