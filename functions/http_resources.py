"""What a project holds over HTTP, from the table of kinds: one function a verb of each.

`putSecret`, `getSecret`, `listSecrets`, `deleteSecret`, `putConfigMap`, ... are made here.
"""

from functools import partial

from functions.binding import function, http
from shared import resources
from shared.api import operations
from shared.kinds import KINDS, Kind
from shared.resources import keyed, metadata, revisions
from shared.wire import Handler

listAppRevisions = http("list_app_revisions", revisions.listing)
getAppRevision = http("get_app_revision", revisions.get)
deleteAppRevision = http("delete_app_revision", revisions.delete)
listAppInstances = http("list_app_instances", revisions.instances)
listFunctionRuntimes = http("list_function_runtimes", revisions.runtimes)
listSecretKeys = http("list_secret_keys", keyed.keys)
getSecretKey = http("get_secret_key", keyed.value)


def operations_of(kind: Kind) -> dict[str, Handler]:
    """Give the operations of a kind, by their ids."""
    change = {"PATCH": f"update_{kind.noun}", "PUT": f"replace_{kind.noun}"}.get(kind.update)
    return {
        f"create_{kind.noun}": partial(resources.create, kind),
        **({change: partial(resources.update, kind)} if change else {}),
        f"get_{kind.noun}": partial(resources.get, kind),
        f"list_{kind.collection}": partial(resources.listing, kind),
        f"delete_{kind.noun}": partial(resources.delete, kind),
        f"list_{kind.noun}_metadata": partial(metadata.listing, kind),
        **({f"patch_{kind.noun}": partial(keyed.patch, kind)} if kind.keyed else {}),
    }


def _bind(kind: Kind) -> None:
    """Bind a kind's operations, those of one function together: a put creates or changes."""
    together: dict[str, dict[str, Handler]] = {}
    for operation, handler in operations_of(kind).items():
        together.setdefault(operations()[operation].function, {})[operation] = handler
    for handlers in together.values():
        function(handlers)


for row in KINDS:
    _bind(row)
