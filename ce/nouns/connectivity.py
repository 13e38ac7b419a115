"""The rows of `connectivity outbound`, and what its commands show."""

from ce.body import Field, always, plain
from ce.call import Call, Rows, Verb
from ce.nouns.shared import reason
from ce.rows import Cell, Kind, as_block, as_table, at, listed, project, text, worded
from ce.server import Doc
from ce.verbs import resources

RANGE, PRIVATE_PATH = "cidr_block", "private_path_service_gateway"
EVERYTHING = "0.0.0.0/0"
NAME = "--name/-n/--n/--cidr-name*"
WARNING = (
    f"Are you sure you want to update an allowed destination IP address range with '{EVERYTHING}'?"
    ", It will remove all other entries [y/N]> "
)


def _type(call: Call) -> str:
    """Read the type; the CRN of a gateway says it too."""
    guessed = call["pps_crn"] and "format" not in call.given
    return PRIVATE_PATH if guessed else str(call["format"])


def _widest(call: Call) -> bool:
    return bool(call["cidr"] == EVERYTHING)


def _wanted(call: Call, doc: Doc) -> bool:
    return doc["type"] in call["format"].split(",")


def _of_private_path(cell: Cell) -> Cell:
    return lambda call, doc: cell(call, doc) if doc["type"] == PRIVATE_PATH else None


DESTINATION = as_block(
    {"Project name": project("name"), "Name": text("name"), "Format": text("type")},
    {"IP address range": text("cidr_block")},
    {
        "Private path service": {
            "CRN": text("private_path_service_gateway_crn"),
            "Status": _of_private_path(worded("status")),
            "Reason": _of_private_path(reason),
            "Isolation policy": text("isolation_policy"),
            "Name": text("status_details.private_path_service_gateway.name"),
            "Endpoints": listed("status_details.private_path_service_gateway.service_endpoints"),
        }
    },
)


def _endpoints(_call: Call, doc: Doc) -> str:
    return ", ".join(at(doc, "status_details.private_path_service_gateway.service_endpoints") or ())


TABLES = {
    RANGE: ("CIDR ranges", {"Name": text("name"), "IP address range": text("cidr_block")}),
    PRIVATE_PATH: (
        "Private path connections",
        {"Name": text("name"), "Status": worded("status"), "Service endpoints": _endpoints},
    ),
}


def _destinations(call: Call, document: Doc) -> str:
    """Show a table of each format that was asked for."""
    found = document["allowed_outbound_destinations"]
    shown = []
    for form, (heading, columns) in TABLES.items():
        if form in call["format"].split(","):
            rows = {"rows": [doc for doc in found if doc["type"] == form]}
            lines = as_table("rows", columns)(call, rows).split("\n")
            shown.append("\n".join([f"{heading}:", *(f"  {line}" for line in lines)]))
    return "\n\n".join(shown)


CREATED = (
    "Creating allowed outbound destination '{name}'...\n|"
    "Successfully created allowed outbound destination '{name}'. Current status is '{status}'\n"
    "Run 'ce connectivity outbound get --name {name}' to see more details.\nOK"
)
NOUNS = {
    "outbound": Rows(
        {
            "create": Verb(
                "Allow to connect to a range of addresses, or through a private path.",
                f"[Q] {NAME} --cidr/-c --force/-f? --format/--fo:destination=cidr_block "
                "--pps-crn/--private-path-service-crn --pps-isolation-policy/--pip=shared",
                "Creating allowed destination IP address range '{name}'...\nOK",
                resources.create,
                asks=WARNING,
                asked=_widest,
                instead={"pps_crn": CREATED},
            ),
            "delete": Verb(
                "Delete an allowed outbound destination.",
                f"[F I Q] {NAME}",
                "Deleting allowed outbound destination '{name}'...\nOK",
                resources.delete,
                asks="Are you sure you want to delete allowed outbound destination '{name}'? "
                "[y/N]> ",
            ),
            "get": Verb(
                "Show an allowed outbound destination.",
                f"[O Q] {NAME}",
                "Getting allowed outbound destination '{name}'...\nOK\n",
                resources.get,
                DESTINATION,
            ),
            "list": Verb(
                "List allowed outbound destinations.",
                f"[O Q] --format:destinations={RANGE},{PRIVATE_PATH}",
                "Listing allowed outbound destinations...\nOK\n",
                resources.listing,
                _destinations,
            ),
            "update": Verb(
                "Change an allowed outbound destination.",
                f"[Q] {NAME} --cidr/-c --force/-f? --pps-isolation-policy/--pip",
                "Updating allowed destination IP address range '{name}'...\nOK",
                resources.update,
                asks=WARNING,
                asked=_widest,
                instead={
                    "pps_isolation_policy": "Updating allowed outbound destination '{name}'...\nOK"
                },
            ),
        },
        Kind(
            "allowed_outbound_destinations",
            "allowed outbound destination",
            fields=(
                Field("type", ("format",), _type, needed=always),
                *plain(
                    "cidr=cidr_block",
                    "pps_crn=private_path_service_gateway_crn",
                    "pps_isolation_policy=isolation_policy",
                ),
            ),
            listed=_wanted,
        ),
    ),
}
