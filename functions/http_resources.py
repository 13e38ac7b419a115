"""Every other kind over HTTP, from the table of kinds: one function a verb of each.

`putJob`, `getJob`, `listJobs`, `deleteJob`, ... are made here; functions.yaml lists them.
"""

from collections.abc import Callable
from functools import partial

import functions_framework
from flask import Request, Response

from shared import app_revisions, resources
from shared.kinds import KINDS, SECRETS, Kind
from shared.rest import Handler, serve
from shared.schema import operations


def operations_of(kind: Kind) -> dict[str, Handler]:
    """Give the operations of a kind, by their ids."""
    change = {"PATCH": f"update_{kind.noun}", "PUT": f"replace_{kind.noun}"}.get(kind.update)
    return {
        f"create_{kind.noun}": partial(resources.create, kind),
        **({change: partial(resources.update, kind)} if change else {}),
        f"get_{kind.noun}": partial(resources.get, kind),
        f"list_{kind.collection}": partial(resources.listing, kind),
        f"delete_{kind.noun}": partial(resources.delete, kind),
    }


OPERATIONS: dict[str, Handler] = {
    "list_app_revisions": app_revisions.listing,
    "get_app_revision": app_revisions.get,
    "delete_app_revision": app_revisions.delete,
    "list_app_instances": app_revisions.instances,
    "list_function_runtimes": app_revisions.runtimes,
}
for row in KINDS:
    OPERATIONS |= operations_of(row) if row is not SECRETS else {}


def _function(name: str) -> Callable[[Request], Response]:
    """Make the function that serves the operations which name it."""
    served = [op for op in OPERATIONS if operations()[op].function == name]

    def function(request: Request) -> Response:
        return serve(request, OPERATIONS, *served)

    function.__name__ = name
    function.__doc__ = f"Serve {', '.join(served)}."
    functions_framework.http(function)  # registers it, and gives it back
    return function


FUNCTIONS = {
    name: _function(name) for name in {operations()[op].function: None for op in OPERATIONS}
}
globals().update(FUNCTIONS)
