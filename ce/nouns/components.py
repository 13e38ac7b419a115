"""The rows of `binding` and `domainmapping`, which tie to a component, and what they show."""

from ce.body import Field, chosen, plain
from ce.call import Call, Rows, Verb
from ce.nouns.shared import reason
from ce.rows import Kind, as_block, as_table, project, since, text, worded
from ce.server import Doc
from ce.verbs import resources

TYPES = {
    "app": "app_v2",
    "application": "app_v2",
    "job": "job_v2",
    "function": "function_v2",
}
WORDS = {"app_v2": "app", "job_v2": "job", "function_v2": "function"}

TYPE = chosen("component", TYPES, "target_type")


def _read(call: Call) -> Doc:
    """Read the component, or what of it is to change."""
    named = {"name": call["target"]} if call["target"] else {}
    return {**named, "resource_type": TYPE.read(call)} if call["target_type"] else named


def _put(given: Doc, old: Doc | None) -> Doc:
    return {**(old or {}), **given}


COMPONENT = Field("component", ("target", "target_type"), _read, _put)


def _type(_call: Call, doc: Doc) -> str:
    found = str(doc["component"]["resource_type"])
    return WORDS.get(found, found)


TARGET = text("component.name")
BINDING = as_block(
    {
        "ID": text("id"),
        "Project Name": project("name"),
        "Project ID": project("id"),
        "Target Name": TARGET,
        "Target Type": _type,
        "Prefix": text("prefix"),
        "Secret Name": text("secret_name"),
        "Status": worded("status"),
    }
)
BINDINGS = as_table(
    "bindings",
    {
        "ID": text("id"),
        "Target": TARGET,
        "Target-Type": _type,
        "Prefix": text("prefix"),
        "Secret Name": text("secret_name"),
        "Status": worded("status"),
    },
)
DOMAINMAPPING = as_block(
    {
        "Domain Name": text("name"),
        "CNAME": text("cname_target"),
        "Target Name": TARGET,
        "Target Type": _type,
        "TLS Secret": text("tls_secret"),
        "Status": worded("status"),
        "Reason": reason,
    }
)
DOMAINMAPPINGS = as_table(
    "domain_mappings",
    {
        "Name": text("name"),
        "CNAME": text("cname_target"),
        "Target": TARGET,
        "Target-Type": _type,
        "Status": worded("status"),
        "Secret Name": text("tls_secret"),
        "Age": since("created_at"),
    },
)
DOMAIN = "--name/-n/--domain-name/--dn*"

NOUNS = {
    "binding": Rows(
        {
            "create": Verb(
                "Bind a service access secret to an application, job or function.",
                "[O Q] --target/-t* --target-type/--type* --prefix/-p* --secret/-s:bound*",
                "Creating binding for {target_type} '{target}'...\nOK\n"
                "Run 'ce binding get --id {id}' to see more details.",
                resources.create,
            ),
            "delete": Verb(
                "Delete a binding; the secret stays.",
                "[F I Q] --id*",
                "Deleting binding '{id}'...\nOK",
                resources.delete,
                asks="Are you sure you want to delete binding '{id}'? [y/N]> ",
            ),
            "get": Verb(
                "Show a binding.",
                "[O Q] --id*",
                "Getting binding '{id}'...\nOK\n",
                resources.get,
                BINDING,
            ),
            "list": Verb(
                "List bindings.",
                "[O Q]",
                "Listing bindings...\nOK\n",
                resources.listing,
                BINDINGS,
            ),
        },
        Kind(
            "bindings",
            "binding",
            fields=(COMPONENT, *plain("prefix=prefix", "secret=secret_name")),
            key="id",
        ),
    ),
    "domainmapping": Rows(
        {
            "create": Verb(
                "Map a domain to an application or function.",
                f"[Q] {DOMAIN} --target/-t* --target-type/--type* --tls-secret/--secret/--tls*",
                "OK\nDomain mapping successfully created.",
                resources.create,
            ),
            "delete": Verb(
                "Delete a domain mapping.",
                f"[F I Q] {DOMAIN}",
                "Deleting domain mapping '{name}'...\nOK",
                resources.delete,
                asks="Are you sure you want to delete domain mapping '{name}'? [y/N]> ",
            ),
            "get": Verb(
                "Show a domain mapping.",
                f"[O Q] {DOMAIN}",
                "Getting domainmapping '{name}'...\nOK\n",
                resources.get,
                DOMAINMAPPING,
            ),
            "list": Verb(
                "List domain mappings.",
                "[O Q] --all/-a? --sort-by/-s=name",
                "Listing domain mappings...\nOK\n",
                resources.listing,
                DOMAINMAPPINGS,
            ),
            "update": Verb(
                "Change what a domain maps to; what is not given stays.",
                f"[Q] {DOMAIN} --target/-t --target-type/--type --tls-secret/--secret/--tls",
                "Updating domainmapping '{name}'...\n|",
                resources.update,
            ),
        },
        Kind(
            "domain_mappings",
            "domain mapping",
            fields=(COMPONENT, *plain("tls_secret=tls_secret")),
            listed=lambda call, doc: bool(call["all"] or doc["user_managed"]),
        ),
    ),
}
