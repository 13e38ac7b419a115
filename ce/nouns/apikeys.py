"""The rows of `apikey`, and what its commands show."""

from ce.call import Call, Rows, Verb
from ce.rows import as_block, as_table, date, seconds, since, text, with_note
from ce.server import Doc
from ce.text import render
from ce.verbs import apikeys


def _roles(_call: Call, doc: Doc) -> str:
    return ", ".join(doc["roles"])


def _left(call: Call, doc: Doc) -> str:
    left = seconds(call, doc.get("expires_at"), 1) or "never"
    return "expired" if left == "0s" else left


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


NOUNS = {
    "apikey": Rows(
        {
            "create": Verb(
                "Make an API key and show it, this once. Without roles it may only look.",
                "[O Q] NAME|--name/-n† --role/-r… --project/--proj --project-id/--pid "
                "--expires-in/--ei --description/-d",
                "Creating API key '{name}'...\nOK\n",
                apikeys.create,
                APIKEY,
                undo=apikeys.unmake,
                left="A key whose text was not shown is of no use: 'ce apikey delete' deletes it.",
            ),
            "delete": Verb(
                "Delete an API key; its tokens end with it, but for lists of the account.",
                "[F I Q] NAME|--name/-n† --id†",
                "Deleting API key '{name}'...\nOK",
                apikeys.delete,
                asks="Are you sure you want to delete API key '{name}'? [y/N]> ",
            ),
            "list": Verb(
                "List API keys; none is ever shown again.",
                "[O Q] --sort-by/-s=name",
                "Listing API keys...\nOK\n",
                apikeys.listing,
                APIKEYS,
            ),
        },
    ),
}
