"""The rows of `function`, and what its commands show."""

from ce.body import MEMBERS, Field, code, masking, plain, runtime, saved, visible
from ce.call import Call, Rows, Verb
from ce.nouns.shared import (
    BUILD,
    NO_LOGS,
    NO_SERVICES,
    REBUILD,
    VARIABLES,
    VARIABLES_RM,
    endpoint,
    reason,
    variables,
)
from ce.rows import HEAD, Kind, as_block, as_table, since, text, titled
from ce.server import Doc
from ce.verbs import resources

NEW = (
    "--runtime/-r* --cpu=1 --main/--fn-main=main --maxexecutiontime/--met=60 --memory/-m=4G "
    "--scale-down-delay/--sdd=1 --visibility/-v=public"
)
OLD = (
    "--runtime/-r --cpu --main/--fn-main --maxexecutiontime/--met --memory/-m "
    "--scale-down-delay/--sdd --visibility/-v"
)
BOTH = f"--code-bundle/--cb --code-bundle-secret/--cs/--cbs --inline-code {VARIABLES} {BUILD}"
MORE = "OK\nRun 'ce function get -n {name}' to see more details.\n"


def _bundle(_call: Call, doc: Doc) -> str | None:
    """Show where a bundle is; inline code is not shown, --save writes it to a file."""
    found = str(doc["code_reference"])
    return None if found.startswith("data:") and "," in found else f"cr://{found}"


# Like most, but for the ID.
UNNUMBERED = {heading: cell for heading, cell in HEAD.items() if heading != "ID"}
FUNCTION = as_block(
    {**UNNUMBERED, "URL": text("endpoint"), "Status": titled("status"), "Reason": reason},
    {"Environment Variables": variables("run_env_variables")},
    {
        "Resources": {
            "CPU": text("scale_cpu_limit"),
            "Memory": text("scale_memory_limit"),
            "Max Execution Time": text("scale_max_execution_time", "{} seconds"),
        }
    },
    {
        "Function Code": {
            "Runtime": text("runtime", "{} (managed)"),
            "Bundle Secret": text("code_secret"),
            "Code Bundle": _bundle,
            "Main": text("code_main", "{}()"),
        }
    },
)
FUNCTIONS = as_table(
    "functions",
    {
        "Name": text("name"),
        "Status": titled("status"),
        "URL": text("endpoint"),
        "CPU": text("scale_cpu_limit"),
        "Memory": text("scale_memory_limit"),
        "Age": since("created_at"),
    },
)
RUNTIMES = as_table(
    "function_runtimes",
    {
        "Name": text("name"),
        "ID": text("id"),
        "Family": text("family"),
        "Default": text("default"),
    },
)

NOUNS = {
    "function": Rows(
        {
            "create": Verb(
                "Create a function. Nothing runs it: it stays offline.",
                f"[A Q W] -n/--name* {NEW} {BOTH}",
                f"Creating function '{{name}}'...\n|{MORE}",
                resources.create,
                endpoint,
            ),
            "delete": Verb(
                "Delete a function, with what is bound to it.",
                "[F I Q] --name/-n*",
                "Deleting function '{name}'...\nOK",
                resources.delete,
                asks="Are you sure you want to delete function '{name}'? [y/N]> ",
            ),
            "get": Verb(
                "Show a function.",
                "[A Q] --name/-n* --save/-s",
                "Getting function '{name}'...\nOK\n",
                resources.get,
                FUNCTION,
            ),
            "list": Verb(
                "List functions.", "[O Q] --sort-by/-s=name", "|", resources.listing, FUNCTIONS
            ),
            "runtimes": Verb(
                "List what a function can be written for.",
                "[O Q] --all/-A?",
                "|",
                resources.runtimes,
                RUNTIMES,
                anywhere=True,
            ),
            "update": Verb(
                "Change a function; what is not given stays.",
                f"[A Q W] --name/-n* {OLD} {BOTH} {VARIABLES_RM} {REBUILD}",
                f"Updating function '{{name}}'...\n|{MORE}",
                resources.update,
                endpoint,
            ),
        },
        Kind(
            "functions",
            "function",
            shown=saved,
            masked=masking("code_reference", "run_env_variables"),
            fields=(
                *MEMBERS,
                *plain(
                    "code_bundle_secret=code_secret",
                    "main=code_main",
                    "maxexecutiontime=scale_max_execution_time",
                    "scale_down_delay=scale_down_delay",
                ),
                Field("code_reference", ("inline_code", "code_bundle"), code),
                Field("runtime", ("runtime",), runtime),
                visible(),
            ),
            done=frozenset({"ready", "offline"}),
        ),
        NO_LOGS | NO_SERVICES,
    ),
}
