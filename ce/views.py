"""What people see of a document: tables and blocks, each a mapping of heading to cell.

A cell that answers None is a line the API gave nothing for: it is left out, never invented.
Ages run by the server's clock, which on an emulator can be moved.
"""

from collections.abc import Callable, Mapping

from ce import render
from ce.call import Call
from ce.client import Doc
from ce.secret_data import KEY_NAMES

Cell = Callable[[Call, Doc], str | None]
View = Callable[[Call, Doc], str]


def text(key: str) -> Cell:
    """Show a member as it is."""
    return lambda _call, doc: doc.get(key)


def words(key: str) -> Cell:
    """Show a status with spaces."""
    return lambda _call, doc: render.words(doc[key])


def since(key: str) -> Cell:
    """Show the time since."""
    return lambda call, doc: _seconds(call, doc.get(key), -1)


def until(key: str) -> Cell:
    """Show the time until."""
    return lambda call, doc: _seconds(call, doc.get(key), 1)


def date(key: str, write: Callable[[str], str] = render.short_date) -> Cell:
    """Show a time in the local zone."""
    return lambda _call, doc: write(doc[key]) if doc.get(key) else None


def project(key: str) -> Cell:
    """Show the selected project's name or id."""
    return lambda call, _doc: call.project[key]


def as_table(collection: str, columns: Mapping[str, Cell]) -> View:
    """Show the documents of a list, one a line."""
    return lambda call, document: render.table(
        list(columns),
        [[cell(call, doc) or "" for cell in columns.values()] for doc in document[collection]],
    )


def as_block(lines: Mapping[str, Cell]) -> View:
    """Show one document, a member a line."""
    return lambda call, doc: render.block((key, cell(call, doc)) for key, cell in lines.items())


def with_data(lines: Mapping[str, Cell], gap: str) -> View:
    """Show one document and, below, its data, a key a line."""
    head = as_block(lines)

    def view(call: Call, doc: Doc) -> str:
        data = {KEY_NAMES.get(key, key): value for key, value in (doc.get("data") or {}).items()}
        rows = (f"{render.safe(key)}: {value}" for key, value in sorted(data.items()))
        return "\n".join([head(call, doc) + gap, "Data:", "---", *rows])

    return view


def with_note(view: View, note: str) -> View:
    """Show one document and, below, what to do about it."""
    return lambda call, doc: f"{view(call, doc)}\n\n{note}"


def _seconds(call: Call, when: str | None, sign: int) -> str | None:
    if when is None:
        return None
    return render.age(sign * (render.instant(when) - call.client.now).total_seconds())


def _selected(call: Call, doc: Doc) -> str:
    found = doc["status"] == "active" and (call.selected or {}).get("id") == doc["id"]
    return str(found).lower()


# The default group is `default`, filled up with zeros to the length of an id.
def _group(_call: Call, doc: Doc) -> str:
    identity = str(doc.get("resource_group_id", ""))
    return "default" if identity.rstrip("0") in {"", "default"} else identity


def _roles(_call: Call, doc: Doc) -> str:
    return ", ".join(doc["roles"])


def _left(call: Call, doc: Doc) -> str:
    left = _seconds(call, doc.get("expires_at"), 1) or "never"
    return "expired" if left == "0s" else left


PROJECT = as_block(
    {
        "Name": text("name"),
        "ID": text("id"),
        "CRN": text("crn"),
        "Status": words("status"),
        "Selected": _selected,
        "Region": text("region"),
        "Resource Group": _group,
        "Age": since("created_at"),
        "Created": date("created_at", render.long_date),
    }
)
CONTEXT = as_block({"Name": text("name"), "ID": text("id"), "Region": text("region")})
PROJECTS = as_table(
    "projects",
    {
        "Name": text("name"),
        "ID": text("id"),
        "Status": words("status"),
        "Selected": _selected,
        "Tags": lambda _call, doc: ", ".join(doc.get("tags", ())),
        "Region": text("region"),
        "Resource Group": _group,
        "Age": since("created_at"),
    },
)
RECLAMATION = as_block(
    {
        "Name": text("name"),
        "Reclamation ID": text("id"),
        "Status": words("status"),
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
        "Status": words("status"),
        "Region": text("region"),
        "Resource Group": _group,
        "Age": since("project_created_at"),
        "Time to Hard Deletion": until("target_time"),
    },
)
SECRET = with_data(
    {
        "Name": text("name"),
        "ID": text("id"),
        "Format": text("format"),
        "Project Name": project("name"),
        "Project ID": project("id"),
        "Age": since("created_at"),
        "Created": date("created_at"),
    },
    gap="\n",
)
SECRETS = as_table(
    "secrets",
    {
        "Name": text("name"),
        "Format": text("format"),
        "Data": lambda _call, doc: str(len(doc.get("data") or ())),
        "Age": since("created_at"),
    },
)
REGISTRY = with_data(
    {
        "Name": text("name"),
        "Project": project("name"),
        "Project ID": project("id"),
        "Created": date("created_at"),
    },
    gap="",
)
REGISTRIES = as_table("secrets", {"Name": text("name"), "Age": since("created_at")})
APIKEY = with_note(
    as_block(
        {
            "Name": text("name"),
            "ID": text("id"),
            "Description": text("description"),
            "Roles": _roles,
            "Project ID": text("project_id"),
            "Created": date("created_at", render.long_date),
            "Expires": date("expires_at", render.long_date),
            "API Key": text("apikey"),
        }
    ),
    "Keep the API key now: it is not shown again.",
)
APIKEYS = as_table(
    "apikeys",
    {
        "Name": text("name"),
        "ID": text("id"),
        "Roles": _roles,
        "Project ID": text("project_id"),
        "Expires": _left,
        "Age": since("created_at"),
    },
)
