"""The rows of `job` and `jobrun`, and what their commands show."""

from ce.body import CONTAINER, REMOVALS, Field, counted, indices, masking, plain
from ce.call import Call, Rows, Verb
from ce.nouns.shared import (
    BUILD_IMAGE,
    IMAGE,
    LISTS,
    LISTS_RM,
    MOUNTS,
    NO_LOGS,
    NO_SERVICES,
    REBUILD,
    RUN,
    SIZES,
    VARIABLES,
    VARIABLES_RM,
    last,
    reason,
)
from ce.rows import (
    HEAD,
    Cell,
    Kind,
    Related,
    Shape,
    as_block,
    as_table,
    since,
    stacked,
    text,
    titled,
)
from ce.server import Doc
from ce.verbs import resources

ARRAY = "--array-indexes/--array-indices/--ai --array-size/--as/--instances/--is"
OVERRIDE = "--array-size-var-override/--array-size-variable-override/--asvo"
# A job's own, with the defaults of the documentation; in an update what is not given stays.
NEW = (
    "--array-indexes/--array-indices/--ai=0 --array-size/--as/--instances/--is=1 --cpu=1 "
    "--ephemeral-storage/--es=400M --maxexecutiontime/--met=7200 --memory/-m=4G --mode=task "
    "--retrylimit/-r=3"
)
OLD = (
    f"{ARRAY} --cpu --ephemeral-storage/--es --maxexecutiontime/--met --memory/-m --mode "
    "--retrylimit/-r"
)
JOB_NEW = f"{NEW} {IMAGE} {LISTS} {VARIABLES} {BUILD_IMAGE}"
JOB_OLD = (
    f"{OLD} {IMAGE} --registry-secret-clear/--rsc? {LISTS} {LISTS_RM} {VARIABLES} {VARIABLES_RM} "
    f"{BUILD_IMAGE} {REBUILD}"
)
CHECK = "Run 'ce jobrun get -n {name}' to check the job run status.\nOK"

MEMBERS = (
    *CONTAINER,
    Field("scale_array_spec", ("array_indexes", "array_size"), indices),
    *plain(
        "mode=run_mode", "maxexecutiontime=scale_max_execution_time", "retrylimit=scale_retry_limit"
    ),
)


def _size(_call: Call, doc: Doc) -> str:
    return str(counted(doc["scale_array_spec"]))


RUNTIME: Shape = {
    "Mode": text("run_mode"),
    "Array Indices": text("scale_array_spec"),
    "Array Size": _size,
    "JOB_ARRAY_SIZE Value": text("scale_array_size_variable_override"),
    "Max Execution Time": text("scale_max_execution_time"),
    "Retry Limit": text("scale_retry_limit"),
}
JOB = stacked(
    as_block(HEAD, last("Last Job Run")),
    as_block(
        {
            **RUN,
            "Resource Allocation": {"CPU": SIZES["CPU"], "Memory": SIZES["Memory"]},
            **MOUNTS,
        },
        {"Runtime": RUNTIME},
        indent=4,
    ),
)
STATES = ("failed", "pending", "requested", "running", "succeeded", "unknown")


def _in_state(state: str) -> Cell:
    """Show how many instances are in a state, if any are."""
    return lambda _call, doc: str(doc["status_details"].get(state) or "") or None


JOBRUN = as_block(
    HEAD,
    {**RUN, "Resource Allocation": SIZES, **MOUNTS},
    {"Runtime": RUNTIME},
    {
        "Status": {
            "Job": text("job_name"),
            "Summary": titled("status"),
            "Reason": reason,
            "Instance Statuses": {
                state.capitalize(): _in_state(state) for state in STATES if state != "requested"
            },
        }
    },
    indent=4,
)
JOBS = as_table(
    "jobs",
    {
        "Name": text("name"),
        "Age": since("created_at"),
        "Last Job Run Name": text("newest.name"),
        "Last Job Run Age": since("newest.created_at"),
    },
)
JOBRUNS = as_table(
    "job_runs",
    {
        "Name": text("name"),
        **{state.capitalize(): text(f"status_details.{state}") for state in STATES},
        "Age": since("created_at"),
    },
)

NOUNS = {
    "job": Rows(
        {
            "create": Verb(
                "Create a job, which job runs are made from.",
                f"[O Q W] -n/--name* {JOB_NEW}",
                "Creating job '{name}'...\nOK",
                resources.create,
            ),
            "delete": Verb(
                "Delete a job and its job runs.",
                "[F I Q] --name/-n* --orphan-job-runs/-o?",
                "Deleting job '{name}'...\nOK",
                resources.delete,
                asks="Are you sure you want to delete job {name}? [y/N]> ",
            ),
            "get": Verb(
                "Show a job.",
                "[O Q] --name/-n*",
                "Getting job '{name}'...\nOK\n",
                resources.get,
                JOB,
            ),
            "list": Verb("List jobs.", "[O Q] --sort-by/-s=name", "|", resources.listing, JOBS),
            "update": Verb(
                "Change a job; what is not given stays.",
                f"[O Q W] --name/-n* {JOB_OLD}",
                "Updating job '{name}'...\nOK",
                resources.update,
            ),
        },
        Kind(
            "jobs",
            "job",
            masked=masking("run_env_variables"),
            fields=MEMBERS,
            related=Related("job_runs", "job_name"),
        ),
        NO_LOGS | NO_SERVICES,
    ),
    "jobrun": Rows(
        {
            "submit": Verb(
                "Submit a job run, of a job or of its own. Nothing runs it: it stays pending.",
                f"[N O Q] -n/--name --job/-j {OVERRIDE} {NEW} {IMAGE} {LISTS} {VARIABLES}",
                f"Submitting job run '{{name}}'...\n|{CHECK}",
                resources.create,
            ),
            "resubmit": Verb(
                "Submit a job run like another, with what is given in the place of what that had.",
                f"[N O Q] --jobrun/-j* -n/--name {OVERRIDE} {OLD} {LISTS} {LISTS_RM} {VARIABLES} "
                f"{VARIABLES_RM}",
                f"Getting job run '{{jobrun}}'...\nRerunning job run '{{name}}'...\n|{CHECK}",
                resources.resubmit,
            ),
            "delete": Verb(
                "Delete a job run, or all of a job.",
                "[F I Q] --job/-j† --name/-n†",
                "Deleting job run '{name}'...\nOK",
                resources.delete,
                asks="Are you sure you want to delete job run {name}? [y/N]> ",
            ),
            "get": Verb(
                "Show a job run.",
                "[O Q] --name/-n*",
                "Getting jobrun '{name}'...\nOK\n",
                resources.get,
                JOBRUN,
            ),
            "list": Verb(
                "List job runs.",
                "[O Q] --job/-j --sort-by/-s=name",
                "Listing job runs...\nOK\n",
                resources.listing,
                JOBRUNS,
            ),
        },
        Kind(
            "job_runs",
            "job run",
            masked=masking("run_env_variables"),
            fields=(
                *MEMBERS,
                *plain(
                    "job=job_name", "array_size_var_override=scale_array_size_variable_override"
                ),
            ),
            copied=(
                *("job_name", "scale_array_size_variable_override", "run_as_user"),
                *(field.member for field in MEMBERS),
            ),
            template="job_name",
            fixed=("image_reference", "image_secret", "run_service_account"),
            inherited=REMOVALS,
            filters={"job": "job_name"},
            done=frozenset({"completed"}),
            ends=True,
        ),
        NO_LOGS,
    ),
}
