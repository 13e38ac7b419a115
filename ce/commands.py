"""THE table of commands: noun by verb, with options and transcript as the documentation has them.

A row says everything that is particular to a command; a new kind of resource is a new row.
Nothing is decided here, and no request is made.
"""

from ce import apikeys, projects, resources, secret_data, views
from ce.call import Noun, Verb
from ce.resources import Kind

PICK = "--id/--guid† --name/-n†"

PROJECT = Noun(
    "project",
    ("proj",),
    "Manage projects.",
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
            views.CONTEXT,
        ),
        "delete": Verb(
            "Delete a project; it can be restored for seven days.",
            f"[F Q W] --hard? {PICK}",
            "Deleting project `{name}`\nOK",
            projects.delete,
            asks="Are you sure you want to delete project '{name}'? [y/N]> ",
        ),
        "get": Verb(
            "Show a project.",
            f"[O Q] {PICK}",
            "Getting project '{name}'...\nOK\n",
            projects.get,
            views.PROJECT,
        ),
        "list": Verb(
            "List projects, those that can still be restored too.",
            "[O Q] --all-resource-groups/--all? --regions/-r --sort-by/-s=name",
            "Getting projects...\nOK\n",
            projects.listing,
            views.PROJECTS,
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
)

RECLAMATION = Noun(
    "reclamation",
    ("recl",),
    "Manage deleted projects that can still be restored.",
    {
        "delete": Verb(
            "Delete a deleted project for good, now.",
            f"[F Q W] {PICK}",
            "Hard deleting project '{name}'...\nOK",
            projects.reclaim,
            asks="Are you sure you want to hard delete project '{name}'? [y/N]> ",
        ),
        "get": Verb(
            "Show when a deleted project ends.",
            f"[O Q] {PICK}",
            "Getting project reclamation\nOK\n",
            projects.get_reclamation,
            views.RECLAMATION,
        ),
        "list": Verb(
            "List deleted projects and when each ends.",
            "[O Q] --all-resource-groups/--all? --regions/-r --sort-by/-s=name",
            "Getting project reclamations...\nOK",
            projects.list_reclamations,
            views.RECLAMATIONS,
        ),
        "restore": Verb(
            "Restore a deleted project, complete.",
            f"[Q W] {PICK}",
            "Restoring project '{name}'...\nOK",
            projects.restore,
        ),
    },
)

VALUES = (
    "--access-key-id/--akid --access-key-id-prompt? --cert-chain-file/--ccf --email/--em "
    "--from-env-file/-e†… --from-file/-f†… --from-json-file/--json --from-literal/-l†… "
    "--key-path/--kp --known-hosts-path/--khp --password/--pw --password-from-file/--spf "
    "--password-from-json-file/--spfj --private-key-file/--pkf --secret-access-key/--sak "
    "--secret-access-key-prompt? --username/-u"
)

SECRET = Noun(
    "secret",
    (),
    "Manage secrets of the selected project.",
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
            views.SECRET,
        ),
        "list": Verb(
            "List secrets.",
            "[O Q] --all/-a? --format/--fo --sort-by/-s=name",
            "Listing secrets...\nOK\n",
            resources.listing,
            views.SECRETS,
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
        secret_data.read,
        secret_data.body,
        secret_data.shown,
        secret_data.masked,
        unlisted="other",
        words=secret_data.WORDS,
    ),
)

LOGIN = "--email/-e --password/-p --password-from-file/--pf --password-from-json-file/--pfj"

REGISTRY = Noun(
    "registry",
    (),
    "Manage image registry access secrets of the selected project.",
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
            asks="Are you sure you want to delete the image registry access secret {name}? [y/N]> ",
        ),
        "get": Verb(
            "Show an image registry access secret as a Docker configuration.",
            "[O Q] --name/-n* --decode/-d?",
            "Getting image registry access secret {name}...\nOK\n",
            resources.get,
            views.REGISTRY,
        ),
        "list": Verb(
            "List image registry access secrets.",
            "[O Q] --sort-by/-s=name",
            "Listing image registry access secrets...\n\nOK\n",
            resources.listing,
            views.REGISTRIES,
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
        secret_data.read,
        secret_data.body,
        secret_data.shown_as_docker,
        secret_data.masked,
        form="registry",
    ),
)

APIKEY = Noun(
    "apikey",
    (),
    "Manage the API keys of the account.",
    {
        "create": Verb(
            "Make an API key and show it, this once. Without roles it may only look.",
            "[O Q] NAME|--name/-n† --role/-r… --project/--proj --project-id/--pid "
            "--expires-in/--ei --description/-d",
            "Creating API key '{name}'...\nOK\n",
            apikeys.create,
            views.APIKEY,
        ),
        "delete": Verb(
            "Delete an API key; tokens it was exchanged for live out their hour.",
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
            views.APIKEYS,
        ),
    },
)

NOUNS = (PROJECT, RECLAMATION, SECRET, REGISTRY, APIKEY)
