"""The rows of `application` and `revision`, and what their commands show."""

from ce.body import (
    CONTAINER,
    Field,
    above_zero,
    masking,
    plain,
    port,
    probe,
    put_probe,
    removed,
    visible,
)
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
    endpoint,
    reason,
    summary,
    variables,
)
from ce.rows import HEAD, Kind, Related, Shape, as_block, as_table, nothing, since, text, titled
from ce.server import Doc
from ce.text import safe
from ce.verbs import resources

SHOWN = "--cluster-local/--cl? --no-cluster-local/--ncl? --visibility/-v"
PROBES = "--probe-live/--pl… --probe-ready/--pr…"
NEW = (
    "--concurrency/--cn=100 --concurrency-target/--ct=0 --cpu=1 --ephemeral-storage/--es=400M "
    "--max-scale/--max/--maxscale=10 --memory/-m=4G --min-scale/--min/--minscale=0 "
    "--port/-p --request-timeout/--rt/--timeout/-t=300 --scale-down-delay/--sdd=0 --user/-u=0"
)
OLD = (
    "--concurrency/--cn --concurrency-target/--ct --cpu --ephemeral-storage/--es "
    "--max-scale/--max/--maxscale --memory/-m --min-scale/--min/--minscale --port/-p "
    "--request-timeout/--rt/--timeout/-t --scale-down-delay/--sdd --user/-u "
    "--probe-live-clear/--plr? --probe-ready-reset/--prr? --registry-secret-clear/--rsc?"
)
BOTH = f"{IMAGE} {LISTS} {VARIABLES} {SHOWN} {PROBES} --rn/--revision-name {BUILD_IMAGE}"
CREATED = "Run `ce application get -n '{name}'` to check the application status.\nOK\n"
UPDATED = "Run 'ce application get -n {name}' to check the application status.\nOK\n"

MEMBERS = (
    *CONTAINER,
    *removed("probe_live_clear=probe_liveness", "probe_ready_reset=probe_readiness"),
    *plain(
        "concurrency=scale_concurrency",
        "max_scale=scale_max_instances",
        "min_scale=scale_min_instances",
        "request_timeout=scale_request_timeout",
        "scale_down_delay=scale_down_delay",
        "user=run_as_user",
    ),
    Field("scale_concurrency_target", ("concurrency_target",), above_zero),
    Field("image_port", ("port",), port),
    Field("probe_liveness", ("probe_live",), probe("probe_live"), put_probe),
    Field("probe_readiness", ("probe_ready",), probe("probe_ready"), put_probe),
    visible(cluster_local="project", no_cluster_local="public"),
)

REVISION_OF_APP = as_block(
    {
        "Age": since("created_at"),
        "Latest": text("latest"),
        "Image": text("image_reference"),
        "Running Instances": text("status_details.actual_instances"),
    }
)


def _revisions(call: Call, doc: Doc) -> list[str] | None:
    """Show the latest revision; with --show-all-revisions those before it too."""
    newest = doc["status_details"].get("latest_created_revision")
    lines = []
    for revision in doc.get("related", ()):
        latest = revision["name"] == newest
        if latest or call["show_all_revisions"]:
            block = REVISION_OF_APP(call, {**revision, "latest": latest})
            lines += [f"{safe(revision['name'])}:", *(f"  {line}" for line in block.split("\n"))]
    return lines or None


SCALE: Shape = {
    "Concurrency": text("scale_concurrency"),
    "Maximum Scale": text("scale_max_instances"),
    "Minimum Scale": text("scale_min_instances"),
    "Scale Down Delay": text("scale_down_delay"),
    "Timeout": text("scale_request_timeout"),
}
WHAT: Shape = {
    **RUN,
    "Environment Variables": variables("computed_env_variables", "run_env_variables"),
    "Resource Allocation": SIZES,
    **MOUNTS,
    "Port": text("image_port"),
}
APPLICATION = as_block(
    {
        **HEAD,
        "URL": text("endpoint"),
        "Cluster Local URL": text("endpoint_internal"),
        "Status Summary": summary,
    },
    WHAT,
    {"Revisions": _revisions},
    {"Runtime": SCALE},
)
APPLICATIONS = as_table(
    "apps",
    {
        "Name": text("name"),
        "Status": titled("status"),
        "URL": text("endpoint"),
        "Latest": text("status_details.latest_created_revision"),
        "Age": since("created_at"),
        "Conditions": nothing,
        "Reason": reason,
    },
)
REVISION = as_block({**HEAD, "Status Summary": summary}, WHAT, {"Runtime": SCALE}, indent=4)
REVISIONS = as_table(
    "revisions",
    {
        "Name": text("name"),
        "Application": text("app_name"),
        "Status": titled("status"),
        "URL": nothing,
        "Latest": lambda _call, doc: "true" if doc["latest"] else "",
        "Tag": nothing,
        "Traffic": nothing,
        "Age": since("created_at"),
        "Conditions": nothing,
        "Reason": reason,
    },
)

NOUNS = {
    "application": Rows(
        {
            "create": Verb(
                "Create an application. Nothing runs it: it stays in warning.",
                f"[A Q W] -n/--name* {NEW} {BOTH}",
                f"Creating application '{{name}}'...\n|{CREATED}",
                resources.create,
                endpoint,
            ),
            "delete": Verb(
                "Delete an application, with its revisions and what is bound to it.",
                "[F I N Q] --name/-n*",
                "|Deleted application '{name}'",
                resources.delete,
                asks="Are you sure you want to delete application '{name}'? [y/N]> ",
            ),
            "get": Verb(
                "Show an application.",
                "[A Q] --name/-n* --show-all-revisions/-r?",
                "Getting application '{name}'...\nOK\n",
                resources.get,
                APPLICATION,
            ),
            "list": Verb(
                "List applications.",
                "[O Q] --sort-by/-s=name",
                "Listing all applications...\nOK\n",
                resources.listing,
                APPLICATIONS,
            ),
            "update": Verb(
                "Change an application; what is not given stays. It makes a revision.",
                f"[A Q W] --name/-n* {OLD} {LISTS_RM} {VARIABLES_RM} {BOTH} {REBUILD}",
                f"Updating application '{{name}}' to latest revision.\n|{UPDATED}",
                resources.update,
                endpoint,
            ),
        },
        Kind(
            "apps",
            "application",
            masked=masking("run_env_variables"),
            fields=MEMBERS,
            renewed=True,
            related=Related("revisions", "app_name", below=True),
            done=frozenset({"ready", "warning"}),
        ),
        NO_LOGS | NO_SERVICES,
    ),
    "revision": Rows(
        {
            "delete": Verb(
                "Delete a revision of an application.",
                "[F I Q] --name/-n*",
                "Deleting application revision '{name}'...\nOK",
                resources.delete,
                asks="Are you sure you want to delete application revision '{name}'? [y/N]> ",
            ),
            "get": Verb(
                "Show a revision of an application.",
                "[O Q] --name/-n*",
                "Getting application revision '{name}'...\nGetting application '{owner}'...\nOK\n",
                resources.get,
                REVISION,
            ),
            "list": Verb(
                "List the revisions of applications.",
                "[O Q] --application/--app/-a --sort-by/-s=name",
                "Listing all application revisions...\nOK\n",
                resources.listing,
                REVISIONS,
            ),
        },
        Kind(
            "revisions",
            "revision",
            masked=masking("run_env_variables"),
            within="apps",
            owner="application",
        ),
        NO_LOGS,
    ),
}
