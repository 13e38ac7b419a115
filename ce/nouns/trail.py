"""The rows of `audit` and `certificate`, and what their commands show."""

from ce.call import Call, Rows, Verb
from ce.rows import as_table, date, text
from ce.server import Doc
from ce.verbs import certificates, exports, trail


def _who(_call: Call, doc: Doc) -> str:
    return str(doc.get("key_name") or doc["initiator"] or "")


def _action(_call: Call, doc: Doc) -> str:
    return str(doc["action"] or "").removeprefix(trail.ACTION)


def _index(_call: Call, doc: Doc) -> str:
    return str(doc["status"] if doc["index"] is None else doc["index"])


def exported_verify(call: Call) -> None:
    """Verify an export, by what is slow to import."""
    from ce.verbs import exported  # noqa: PLC0415 - for this alone

    exported.verify(call)


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
            "checkpoint": Verb(
                "Get the log's newest checkpoint; keep it, and the log cannot be rewritten unseen.",
                "[O Q] --append",
                "Getting the checkpoint of the log...\nOK\n",
                exports.checkpoint,
                lambda _call, doc: str(doc["checkpoint"]).rstrip(),
            ),
            "export": Verb(
                "Write the account's entries, and the log that holds them, to a folder.",
                "[O Q W] DIR|--dir†",
                "Exporting the audit trail to '{name}'...\n|OK\n"
                "Wrote {entries} entries, and the log of {size}.",
                exports.export,
            ),
            "list": Verb(
                "List what was done, by whom, the oldest first.",
                "[O Q] --project/--proj:trail --since --until --action --initiator --limit",
                "Listing audit entries...\nOK\n",
                trail.listing,
                ENTRIES,
            ),
            "verify": Verb(
                "Verify an export against the log in it: without a login, and without a network.",
                "DIR|--dir† --key --since:kept --witness… --witnesses",
                "",
                exported_verify,
            ),
        },
    ),
    "certificate": Rows(
        {
            "get": Verb(
                "Write a certificate, its proof and the log's key to files.",
                "[O Q] NAME|--name/-n† --id† --out",
                "Getting certificate of project '{name}'...\nOK\n"
                "Wrote {files}. Compare log.vkey with one from elsewhere.",
                certificates.get,
            ),
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
