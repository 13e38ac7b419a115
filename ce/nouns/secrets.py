"""The rows of `secret`, `registry` and `repo`, and what their commands show."""

from ce.body import masking, secrets
from ce.call import Rows, Verb
from ce.rows import Kind, Shape, as_table, count, date, project, since, text, with_data
from ce.verbs import resources

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
    names=secrets.KEY_NAMES,
)
SECRETS = as_table(
    "secrets",
    {
        "Name": text("name"),
        "Format": text("format"),
        "Data": count("data"),
        "Age": since("created_at"),
    },
)
ACCESS: Shape = {"Name": text("name"), "Project": project("name"), "Project ID": project("id")}
REGISTRY = with_data({**ACCESS, "Created": date("created_at")}, gap="", names={})
ACCESSES = as_table("secrets", {"Name": text("name"), "Age": since("created_at")})
REPO = with_data(
    {
        **ACCESS,
        "Age": since("created_at"),
        "Created": date("created_at"),
        "Host": text("host"),
    },
    gap="\n",
    names=secrets.KEY_NAMES,
    between=":\n",
)

VALUES = (
    "--access-key-id/--akid --access-key-id-prompt? --allow-empty? --cert-chain-file/--ccf "
    "--email/--em --from-env-file/-e†… --from-file/-f†… --from-json-file/--json "
    "--from-literal/-l†… --key-path/--kp --known-hosts-path/--khp --password/--pw "
    "--password-from-file/--spf "
    "--password-from-json-file/--spfj --private-key-file/--pkf --secret-access-key/--sak "
    "--secret-access-key-prompt? --username/-u"
)


LOGIN = (
    "--allow-empty? --email/-e --password/-p --password-from-file/--pf "
    "--password-from-json-file/--pfj"
)
HOSTS = "--known-hosts-path/--khp --allow-empty?"


NOUNS = {
    "secret": Rows(
        {
            "create": Verb(
                "Create a secret.",
                f"[O Q] -n/--name* --format/--fo=generic --server/-s=us.icr.io {VALUES}",
                "Creating {format} secret '{name}'...\nOK",
                resources.create,
            ),
            "delete": Verb(
                "Delete a secret.",
                "[F I Q] --name/-n*",
                "Deleting secret {name}...\nOK",
                resources.delete,
                asks="Are you sure you want to delete secret {name}? [y/N]> ",
            ),
            "get": Verb(
                "Show a secret; passwords and private keys stay REDACTED.",
                "[O Q] --name/-n* --decode/-d?",
                "Getting secret '{name}'...\nOK\n",
                resources.get,
                SECRET,
            ),
            "list": Verb(
                "List secrets.",
                "[O Q] --all/-a? --format/--fo --sort-by/-s=name",
                "Listing secrets...\nOK\n",
                resources.listing,
                SECRETS,
            ),
            "update": Verb(
                "Change values of a secret; what is not given stays.",
                f"[O Q] --name/-n* --server/-s --rm… {VALUES}",
                "Updating secret {name}..\nOK",
                resources.update,
            ),
        },
        Kind(
            "secrets",
            "secret",
            secrets.read,
            secrets.body,
            secrets.shown,
            masking("data"),
            update="PUT",
            filters={"format": "format"},
            listed=lambda call, doc: call["all"] or doc["format"] != "other",
            words=secrets.WORDS,
        ),
    ),
    "registry": Rows(
        {
            "create": Verb(
                "Create an image registry access secret.",
                f"[O Q] -n/--name* {LOGIN} --server/-s=us.icr.io --username/-u=iamapikey",
                "Creating image registry access secret {name}...\n\nOK",
                resources.create,
            ),
            "delete": Verb(
                "Delete an image registry access secret.",
                "[F I Q] --name/-n*",
                "Deleting image registry access secret {name}...\n\nOK",
                resources.delete,
                asks="Are you sure you want to delete the image registry access secret {name}? "
                "[y/N]> ",
            ),
            "get": Verb(
                "Show an image registry access secret as a Docker configuration.",
                "[O Q] --name/-n* --decode/-d?",
                "Getting image registry access secret {name}...\nOK\n",
                resources.get,
                REGISTRY,
            ),
            "list": Verb(
                "List image registry access secrets.",
                "[O Q] --sort-by/-s=name",
                "Listing image registry access secrets...\n\nOK\n",
                resources.listing,
                ACCESSES,
            ),
            "update": Verb(
                "Change an image registry access secret; what is not given stays.",
                f"[O Q] --name/-n* {LOGIN} --server/-s --username/-u",
                "Getting image registry access secret '{name}'...\n"
                "Updating image registry access secret '{name}'...\n\nOK",
                resources.update,
            ),
        },
        Kind(
            "secrets",
            "image registry access secret",
            secrets.read,
            secrets.body,
            secrets.shown_as_docker,
            masking("data"),
            update="PUT",
            form="registry",
        ),
    ),
    "repo": Rows(
        {
            "create": Verb(
                "Create a Git repository access secret.",
                f"[O Q] --host/--ho* --key-path/--kp* -n/--name* {HOSTS}",
                "Creating Git access secret {name}...\nOK",
                resources.create,
            ),
            "delete": Verb(
                "Delete a Git repository access secret.",
                "[F I Q] --name/-n*",
                "Deleting Git access secret {name}...\nOK",
                resources.delete,
                asks="Are you sure you want to delete the Git access secret {name}? [y/N]> ",
            ),
            "get": Verb(
                "Show a Git repository access secret, private key included.",
                "[O Q] --name/-n* --decode/-d?",
                "Getting Git access secret {name}...\nOK\n",
                resources.get,
                REPO,
            ),
            "list": Verb(
                "List Git repository access secrets.",
                "[O Q] --sort-by/-s=name",
                "Listing Git access secrets...\nOK\n",
                resources.listing,
                ACCESSES,
            ),
            "update": Verb(
                "Change a Git repository access secret; what is not given stays.",
                f"[O Q] --name/-n* --host/--ho --key-path/--kp {HOSTS}",
                "Getting Git access secret '{name}'...\nUpdating Git access secret '{name}'...\nOK",
                resources.update,
            ),
        },
        Kind(
            "secrets",
            "Git access secret",
            secrets.read,
            secrets.body,
            secrets.shown_as_repo,
            masking("data"),
            update="PUT",
            form="ssh_auth",
        ),
    ),
}
