"""The rows of `project` and `reclamation`, and what their commands show."""

from ce.call import Call, Rows, Verb
from ce.rows import as_block, as_table, at, date, since, text, until, worded
from ce.server import Doc, target
from ce.text import render
from ce.verbs import projects


def _selected(call: Call, doc: Doc) -> str:
    found = (
        doc["status"] == "active"
        and (target.selected(call.client.target) or {}).get("id") == doc["id"]
    )
    return str(found).lower()


# The default group is `default`, filled up with zeros to the length of an id.
def _group(_call: Call, doc: Doc) -> str:
    identity = str(doc.get("resource_group_id", ""))
    return "default" if identity.rstrip("0") in {"", "default"} else identity


def _tags(_call: Call, doc: Doc) -> str | None:
    return ", ".join(doc.get("tags") or ()) or None


CBR = "details.cbr.data_plane"
NETWORKS = {"public": "Public internet", "private": "IBM Cloud private network"}


def _private(_call: Call, doc: Doc) -> str:
    return str(not at(doc, "details.vpe_not_enabled")).lower()


def _addresses(_call: Call, doc: Doc) -> list[str] | None:
    """Show the addresses by network, with a blank line after each."""
    found = {heading: at(doc, f"egress_ips.{key}") for key, heading in NETWORKS.items()}
    return [line for heading, ips in found.items() if ips for line in (heading, *ips, "")] or None


PROJECT = as_block(
    {
        "Name": text("name"),
        "ID": text("id"),
        "CRN": text("crn"),
        "Status": worded("status"),
        "Enabled": lambda _call, doc: str(at(doc, "details.project") == "enabled").lower(),
        "Application Private Visibility Supported": _private,
        "Selected": _selected,
        "Tags": _tags,
        "Region": text("region"),
        "Resource Group": _group,
        "Age": since("created_at"),
        "Created": date("created_at", render.long_date),
        "Updated": date("updated_at", render.long_date),
    },
    {
        "Connectivity": {
            "Outbound - Source IP addresses": _addresses,
            "Inbound - Context-based restrictions for the data plane": {
                "Enforcement status": text(f"{CBR}.enforcement"),
                "Public internet": text(f"{CBR}.inbound_public"),
                "IBM Cloud private network": text(f"{CBR}.inbound_private"),
                "Last applied": date(f"{CBR}.last_synced_at", render.long_date),
            },
        }
    },
)
CONTEXT = as_block({"Name": text("name"), "ID": text("id"), "Region": text("region")})
PROJECTS = as_table(
    "projects",
    {
        "Name": text("name"),
        "ID": text("id"),
        "Status": worded("status"),
        "Selected": _selected,
        "Tags": _tags,
        "Region": text("region"),
        "Resource Group": _group,
        "Age": since("created_at"),
    },
)
RECLAMATION = as_block(
    {
        "Name": text("name"),
        "Reclamation ID": text("id"),
        "Status": worded("status"),
        "Region": text("region"),
        "Resource Group": _group,
        "Age": since("project_created_at"),
        "Created": date("project_created_at", render.long_date),
        "Updated": date("updated_at", render.long_date),
        "Time to Hard Deletion": until("target_time"),
    }
)
RECLAMATIONS = as_table(
    "resources",
    {
        "Name": text("name"),
        "ID": text("resource_instance_id"),
        "Reclamation ID": text("id"),
        "Status": worded("status"),
        "Region": text("region"),
        "Resource Group": _group,
        "Age": since("project_created_at"),
        "Time to Hard Deletion": until("target_time"),
    },
)

PICK = "--id/--guid† --name/-n†"


NOUNS = {
    "project": Rows(
        {
            "create": Verb(
                "Create a project and select it.",
                "[O Q W] -n/--name* --endpoint/-e --no-select/--ns? --tag/-t…",
                "Creating project '{name}'...\nOK",
                projects.create,
            ),
            "current": Verb(
                "Show the selected project.",
                "[O Q]",
                "Getting the current project context...\nOK\n",
                projects.current,
                CONTEXT,
            ),
            "delete": Verb(
                "Delete a project; it can be restored for seven days.",
                "[F Q W] --hard? --id/--guid† NAME|--name/-n†",
                "Deleting project `{name}`\nOK",
                projects.delete,
                asks="Are you sure you want to delete project '{name}'? [y/N]> ",
            ),
            "get": Verb(
                "Show a project.",
                f"[O Q] {PICK}",
                "Getting project '{name}'...\nOK\n",
                projects.get,
                PROJECT,
            ),
            "list": Verb(
                "List projects, those that can still be restored too.",
                "[O Q] --all-resource-groups/--all? --regions/-r --sort-by/-s=name",
                "Getting projects...\nOK\n",
                projects.listing,
                PROJECTS,
            ),
            "restore": Verb(
                "Restore a deleted project, complete.",
                f"[Q W] {PICK}",
                "Restoring project '{name}'...\nOK",
                projects.restore,
            ),
            "select": Verb(
                "Select the project that commands act on.",
                f"[Q] --endpoint/-e --kubecfg/-k? {PICK}",
                "Selecting project '{name}'...\nOK",
                projects.select,
            ),
        },
        refused={
            "tag": "the API cannot change the tags of a project; "
            "'ce project create --tag' gives them.",
            "update": "there are no service IDs to bind services with; "
            "'ce binding create' needs none.",
        },
    ),
    "reclamation": Rows(
        {
            "delete": Verb(
                "Delete a deleted project for good, now.",
                f"[F Q W] {PICK}",
                "Hard deleting project '{name}'...\nOK",
                projects.reclaim,
            ),
            "get": Verb(
                "Show when a deleted project ends.",
                f"[O Q] {PICK}",
                "Getting project reclamation\nOK\n",
                projects.get_reclamation,
                RECLAMATION,
            ),
            "list": Verb(
                "List deleted projects and when each ends.",
                "[O Q] --all-resource-groups/--all? --regions/-r --sort-by/-s=name",
                "Getting project reclamations...\nOK",
                projects.list_reclamations,
                RECLAMATIONS,
            ),
            "restore": Verb(
                "Restore a deleted project, complete.",
                f"[Q W] {PICK}",
                "Restoring project '{name}'...\nOK",
                projects.restore,
            ),
        },
    ),
}
