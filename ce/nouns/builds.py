"""The rows of `build` and `buildrun`, and what their commands show."""

import click

from ce.body import Field, always, masking, plain, removed, value
from ce.call import Call, Rows, Verb
from ce.nouns.shared import NO_LOGS, last, reason, summary
from ce.rows import HEAD, Kind, Related, Shape, as_block, as_table, rows, since, text, titled
from ce.server import Doc
from ce.text import span
from ce.verbs import resources

NEW = (
    "--dockerfile/--df=Dockerfile --size/--sz=medium --strategy/--str=dockerfile --timeout/--to=600"
)
OLD = "--dockerfile/--df --size/--sz --strategy/--str --timeout/--to"
BOTH = (
    "--commit/--cm/--revision --context-dir/--cdr --git-repo-secret/--grs/--repo/-r --image/-i "
    "--registry-secret/--rs --source/--src"
)


def _url(call: Call) -> str:
    """Read the URL of a repository; what is on this machine goes nowhere."""
    source = str(call["source"])
    if "://" not in source and not source.startswith("git@"):
        raise click.UsageError(
            "--source takes the URL of a Git repository: Reprieve builds nothing, and takes no "
            "source from this machine."
        )
    return source


def _alone(call: Call) -> bool:
    """Tell whether a run is of no build, and so takes nothing from one."""
    return not call["build"]


def _timeout(_call: Call, doc: Doc) -> str:
    return span(doc["timeout"])


def _strategy(_call: Call, doc: Doc) -> str:
    return f"{doc['strategy_type']}-{doc['strategy_size']}"


MEMBERS = (
    *removed("git_repo_secret_clear=source_secret", "commit_clear=source_revision"),
    *plain(
        "build_type=source_type",
        "commit=source_revision",
        "context_dir=source_context_dir",
        "dockerfile=strategy_spec_file",
        "git_repo_secret=source_secret",
        "image=output_image",
        "registry_secret=output_secret",
        "size=strategy_size",
        "timeout=timeout",
    ),
    Field("source_url", ("source",), _url),
)
SOURCE: Shape = {
    "Image": text("output_image"),
    "Registry Secret": text("output_secret"),
    "Build Strategy": _strategy,
    "Timeout": _timeout,
    "Source": text("source_url"),
    "Commit": text("source_revision"),
    "Context Directory": text("source_context_dir"),
    "Dockerfile": text("strategy_spec_file"),
}
BUILD = as_block(
    {**HEAD, "Status": titled("status"), "Reason": reason},
    last("Last Build Run"),
    SOURCE,
    {
        "Build Runs": rows(
            "related",
            {
                "Name": text("name"),
                "Status": summary,
                "Image": text("output_image"),
                "Age": since("created_at"),
            },
        )
    },
)
BUILDS = as_table(
    "builds",
    {
        "Name": text("name"),
        "Status": titled("status"),
        "Reason": reason,
        "Image": text("output_image"),
        "Build Strategy": _strategy,
        "Age": since("created_at"),
        "Last Build Run Name": text("newest.name"),
        "Last Build Run Age": since("newest.created_at"),
    },
)
BUILDRUN = as_block(
    HEAD,
    {"Summary": titled("status"), "Status": titled("status"), "Reason": reason},
    {"Build Name": text("build_name"), **SOURCE},
)
BUILDRUNS = as_table(
    "build_runs",
    {
        "Name": text("name"),
        "Status": titled("status"),
        "Build Name": text("build_name"),
        "Age": since("created_at"),
    },
)

NOUNS = {
    "build": Rows(
        {
            "create": Verb(
                "Create a build, which build runs are made from.",
                f"[O Q] -n/--name* --build-type/--bt=git {NEW} {BOTH} --force/-f:unchecked?",
                "Creating build {name}...\nOK",
                resources.create,
            ),
            "delete": Verb(
                "Delete a build.",
                "[F I Q] --name/-n*",
                "Deleting build '{name}'...\nOK",
                resources.delete,
                asks="Are you sure you want to delete build {name}? [y/N]> ",
            ),
            "get": Verb(
                "Show a build and its build runs.",
                "[O Q] --name/-n*",
                "Getting build '{name}'\nOK\n",
                resources.get,
                BUILD,
            ),
            "list": Verb(
                "List builds.",
                "[O Q] --sort-by/-s=name",
                "Listing builds...\nOK\n",
                resources.listing,
                BUILDS,
            ),
            "update": Verb(
                "Change a build; what is not given stays.",
                f"[O Q] --name/-n* {OLD} {BOTH} --commit-clear/--cmc? "
                "--git-repo-secret-clear/--grsc? --force/-f:unchecked?",
                "Updating build {name}...\nOK",
                resources.update,
            ),
        },
        Kind(
            "builds",
            "build",
            masked=masking("run_build_params"),
            fields=(
                *MEMBERS,
                Field("strategy_type", ("strategy",), value("strategy"), needed=always),
            ),
            related=Related("build_runs", "build_name"),
        ),
    ),
    "buildrun": Rows(
        {
            "submit": Verb(
                "Submit a build run, of a build or of its own. Nothing runs it: it stays pending.",
                f"[N O Q] -n/--name --build/-b/--bd {NEW} {BOTH} --service-account/--sa",
                "Submitting build run '{name}'...\n|"
                "Run 'ce buildrun get -n {name}' to check the build run status.\nOK",
                resources.create,
            ),
            "delete": Verb(
                "Delete a build run, or all of a build.",
                "[F I Q] --build/-b† --name/-n†",
                "Deleting build run '{name}'...\nOK",
                resources.delete,
                asks="Are you sure you want to delete build run {name}? [y/N]> ",
            ),
            "get": Verb(
                "Show a build run.",
                "[O Q] --name/-n*",
                "Getting build run '{name}'...\nOK\n",
                resources.get,
                BUILDRUN,
            ),
            "list": Verb(
                "List build runs.",
                "[O Q] --build/-b --sort-by/-s=name",
                "Listing builds...\nOK\n",
                resources.listing,
                BUILDRUNS,
            ),
        },
        Kind(
            "build_runs",
            "build run",
            masked=masking("run_build_params"),
            fields=(
                *MEMBERS,
                Field("strategy_type", ("strategy",), value("strategy"), needed=_alone),
                *plain("build=build_name", "service_account=service_account"),
            ),
            filters={"build": "build_name"},
            done=frozenset({"succeeded"}),
            ends=True,
        ),
        {
            "cancel": "nothing runs it, and the API has nothing to cancel it by; "
            "'ce buildrun delete' removes it.",
            **NO_LOGS,
        },
    ),
}
