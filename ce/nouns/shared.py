"""What the rows of several nouns have in common: options of what runs, and how it is shown."""

from ce.call import Call
from ce.rows import Lines, Shape, at, date, listed, rows, since, text, worded
from ce.server import Doc
from ce.text import table, words

# What the documentation builds from source: accepted, to be refused in one line.
BUILD = (
    "--build-commit/--commit/--bcm/--cm/--revision --build-context-dir/--context-dir/--bcdr/--cdr "
    "--build-git-repo-secret/--git-repo-secret/--bgrs/--grs/--repo "
    "--build-source/--source/--bsrc/--src --build-timeout/--bto"
)
BUILD_IMAGE = (
    f"{BUILD} --build-dockerfile/--dockerfile/--bdf/--df --build-size/--size/--bsz/--sz "
    "--build-strategy/--strategy/--bstr/--str"
)
REBUILD = (
    "--build-clear/--bc? --build-commit-clear/--commit-clear/--bcmc/--cmc? "
    "--build-git-repo-secret-clear/--git-repo-secret-clear/--bgrsc/--grsc? --rebuild?"
)
VARIABLES = (
    "--env/-e… --env-from-configmap/--env-cm… --env-from-secret/--env-sec… --force/-f:unchecked? "
    "--trusted-profiles-enabled/--trusted/--tpe?"
)
VARIABLES_RM = "--env-from-configmap-rm/--env-cm-rm… --env-from-secret-rm/--env-sec-rm… --env-rm…"
LISTS = (
    "--argument/--arg/-a… --command/--cmd/-c… --mount-configmap/--mount-cm… "
    "--mount-data-store/--mount-ds… --mount-secret/--mount-sec… --service-account/--sa"
)
LISTS_RM = (
    "--arguments-clear/--ac? --commands-clear/--cc? --mount-rm… --service-account-clear/--sac?"
)
IMAGE = "--image/-i --registry-secret/--rs"

# Documented commands that are refused, and why.
NO_LOGS = {
    "events": "nothing runs, so there are no system events.",
    "logs": "nothing runs, so there are no logs.",
    "restart": "nothing runs, so there is nothing to start again.",
}
NO_SERVICES = dict.fromkeys(
    ("bind", "unbind"),
    "there are no service instances here; 'ce binding' binds a service access secret.",
)

TYPES = {
    "literal": "Literal",
    "config_map_full_reference": "ConfigMap full reference",
    "secret_full_reference": "Secret full reference",
    "config_map_key_reference": "ConfigMap key reference",
    "secret_key_reference": "Secret key reference",
}


def _variable(entry: Doc) -> tuple[str, str, str]:
    """Show a variable: what is referred to stands as the options have it."""
    form, name, reference = (entry.get(key, "") for key in ("type", "name", "reference"))
    if form == "literal":
        return TYPES[form], name, entry.get("value", "")
    if form.endswith("full_reference"):
        return TYPES[form], reference, f"{entry['prefix']}=" if entry.get("prefix") else ""
    return TYPES[form], name, f"{reference}:{entry.get('key', '')}"


def variables(*members: str) -> Lines:
    """Show the variables of some members, those set by Reprieve among them."""

    def lines(_call: Call, doc: Doc) -> list[str] | None:
        found = [_variable(entry) for member in members for entry in doc.get(member) or ()]
        return table(("Type", "Name", "Value"), sorted(found)).split("\n") if found else None

    return lines


def reason(_call: Call, doc: Doc) -> str:
    """Show why its status is what it is."""
    return words(at(doc, "status_details.reason") or "")


def endpoint(_call: Call, doc: Doc) -> str:
    """Show where it would be called."""
    return str(doc.get("endpoint") or doc.get("endpoint_internal", ""))


def summary(_call: Call, doc: Doc) -> str:
    """Show a status with its reason."""
    return f"{words(doc['status']).capitalize()}: {words(at(doc, 'status_details.reason') or '')}"


# What runs, before and after what it gets to run with.
RUN: Shape = {
    "Environment Variables": variables("run_env_variables"),
    "Commands": listed("run_commands"),
    "Arguments": listed("run_arguments"),
    "Image": text("image_reference"),
    "Registry Secret": text("image_secret"),
}
MOUNTS: Shape = {
    "Volume Mounts": rows(
        "run_volume_mounts",
        {
            "Mount Path": text("mount_path"),
            "Type": worded("type"),
            "Reference": text("reference"),
            "Sub Path": text("sub_path"),
        },
    )
}
SIZES: Shape = {
    "CPU": text("scale_cpu_limit"),
    "Ephemeral Storage": text("scale_ephemeral_storage_limit"),
    "Memory": text("scale_memory_limit"),
}


def last(heading: str) -> Shape:
    """Show the newest of what was made from it."""
    inner = {
        "Name": text("newest.name"),
        "Age": since("newest.created_at"),
        "Created": date("newest.created_at"),
    }
    return {heading: inner}
