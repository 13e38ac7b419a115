"""The rows of the commands about `ce` itself: whom it asks, as whom, and what holds the quota."""

from ce.call import Call, Rows, Verb
from ce.rows import OWN, as_block, as_table, text
from ce.server import Doc
from ce.verbs import console, quota, session, standing


def _project(_call: Call, doc: Doc) -> str:
    found = doc.get("project")
    if not found:
        return "none: 'ce project select --name NAME'"
    name, identity = found.get("name"), found.get("id")
    return f"{name} ({identity})" if name and identity else name or identity or "none"


def _used(_call: Call, doc: Doc) -> str:
    return str(doc["active"]).lower()


TARGET = as_block(
    {
        "Endpoint": text("url"),
        "Account": text("account"),
        "Region": text("region"),
        "Resource Group": text("resource_group"),
        "Project": _project,
        "Project From": text("project.from"),
        "Project Status": standing.in_words,
        "From": text("from"),
    }
)
PROFILES = as_table(
    "profiles",
    {
        "Name": text("name"),
        "Active": _used,
        "Status": text("status"),
        "Endpoint": text("url"),
        "Region": text("region"),
    },
)
ADDRESS = "--region/-r:target_region --group/-g"

NOUNS = {
    "": Rows(
        {
            "login": Verb(
                OWN["login"],
                f"[O Q] --apikey --url/-a --auth-url {ADDRESS} --profile/-p",
                "Logging in to {url}...\nOK\n",
                session.login,
                TARGET,
            ),
            "logout": Verb(
                OWN["logout"],
                "[Q] --profile/-p",
                "Logging out of '{name}'...\nOK\n{remark}",
                session.logout,
            ),
            "target": Verb(OWN["target"], f"[O] {ADDRESS}", "", session.aim, TARGET),
            "open": Verb(
                OWN["open"],
                "[Q] --print?",
                "Opening {url} in a browser...\nOK\n{remark}",
                console.sign_in,
                instead={"print": ""},
            ),
            "quota": Verb(
                OWN["quota"],
                "[O Q] --region/-r:target_region",
                "Getting project slots...\nOK\n",
                quota.get,
                quota.view,
            ),
        }
    ),
    "profile": Rows(
        {
            "delete": Verb(
                "Delete a profile with its key; nothing on the server.",
                "[F Q] NAME|--name/-n†",
                "Deleting profile '{name}'...\nOK",
                session.delete,
                asks="Are you sure you want to delete profile '{name}'? [y/N]> ",
            ),
            "list": Verb(
                "List profiles, without their keys.",
                "[O Q]",
                "Listing profiles...\nOK\n",
                session.listing,
                PROFILES,
            ),
            "use": Verb(
                "Use a profile from now on.",
                "[Q] NAME|--name/-n†",
                "Using profile '{name}'...\nOK",
                session.use,
            ),
        }
    ),
}
