"""How an operation becomes a function: one line each in the files beside this one.

    deleteProject = http("delete_project", projects.delete)

The function has the name that openapi.yaml gives under `x-function`; `FUNCTIONS` has them all.
"""

from collections.abc import Callable

import functions_framework
from flask import Request, Response
from flask.typing import ResponseReturnValue

from shared.api import operations
from shared.wire import Handler, serve

Function = Callable[[Request], ResponseReturnValue]
FUNCTIONS: dict[str, Function] = {}  # all that are bound, by their names
HANDLERS: dict[str, Handler] = {}  # what they serve, by operation


def http(operation: str, handler: Handler) -> Function:
    """Bind one operation to the function of its own."""
    return function({operation: handler})


def function(handlers: dict[str, Handler]) -> Function:
    """Bind the operations of one function; called by name, what is sent says which."""
    name = operations()[next(iter(handlers))].function

    def bound(request: Request) -> Response:
        return serve(request, handlers)

    bound.__name__ = name
    bound.__doc__ = f"Serve {', '.join(handlers)}."
    HANDLERS.update(handlers)
    FUNCTIONS[name] = functions_framework.http(bound)  # registers it, and gives it back
    return FUNCTIONS[name]
