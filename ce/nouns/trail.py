"""The rows of `audit` and `certificate`, and what their commands show."""

from ce.call import Call, Rows, Verb
from ce.rows import as_table, date, text
from ce.server import Doc
from ce.verbs import certificates, trail


def _who(_call: Call, doc: Doc) -> str:
    return str(doc.get("key_name") or doc["initiator"])


def _action(_call: Call, doc: Doc) -> str:
    return str(doc["action"]).removeprefix(trail.ACTION)


def _index(_call: Call, doc: Doc) -> str:
    return str(doc["status"] if doc["index"] is None else doc["index"])


ENTRIES = as_table(
    "audit_entries",
    {
        "Time": date("at"),
        "Who": _who,
        "Action": _action,
        "On": text("on"),
        "Outcome": text("outcome"),
        "Index": _index,
    },
)
CERTIFICATES = as_table(
    "certificates",
    {
        "Project ID": text("project_id"),
        "Destroyed": date("erased_at"),
        "Test": text("test"),
        "Index": _index,
        "SHA-256": text("sha256"),
    },
)

NOUNS = {
    "audit": Rows(
        {
            "list": Verb(
                "List what was done, by whom, the oldest first.",
                "[O Q] --project/--proj:trail --since --until --action --initiator --limit",
                "Listing audit entries...\nOK\n",
                trail.listing,
                ENTRIES,
            ),
        },
    ),
    "certificate": Rows(
        {
            "list": Verb(
                "List the certificates of projects that were destroyed.",
                "[O Q]",
                "Listing certificates...\nOK\n",
                certificates.listing,
                CERTIFICATES,
            ),
            "verify": Verb(
                "Verify a certificate by its proof: without a login, and without a network.",
                "CERTIFICATE|--certificate† PROOF|--proof† --key --witness… --witnesses "
                "--allow-test? --name/-n:was_name --salt",
                "",
                certificates.verify,
            ),
        },
    ),
}
