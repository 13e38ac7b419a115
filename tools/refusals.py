"""The refusals of each operation, told one by one: what `default` leaves open in openapi.yaml.

Build time only. A rule is a row; what openapi.yaml says of a status itself stays as it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

METHODS = {"get", "post", "put", "patch", "delete"}
SHARED = "error"  # the one response that `default` refers to
STATE = {"project.manage", "project.create", "project.purge"}  # permissions to what moves a project


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the rules ask of an operation."""

    places: frozenset[str]  # where it takes parameters
    parameters: frozenset[str]  # their names
    body: bool
    permission: str | None


@dataclass(frozen=True, slots=True)
class _Rule:
    """A status, how its response is named and described, when it can be, and its header."""

    status: str
    name: str
    says: str
    holds: Callable[[_Asked], bool]
    header: tuple[str, str] | None = None


def _always(_: _Asked) -> bool:
    return True


def _takes_token(asked: _Asked) -> bool:
    return asked.permission is not None


def _takes_body(asked: _Asked) -> bool:
    return asked.body


def _takes_anything(asked: _Asked) -> bool:
    return asked.body or bool(asked.places)


def _names_something(asked: _Asked) -> bool:
    return "path" in asked.places


def _takes_address(asked: _Asked) -> bool:
    return bool(asked.places - {"header"})


def _compares(asked: _Asked) -> bool:
    return "If-Match" in asked.parameters


def _may_be_repeated(asked: _Asked) -> bool:
    return "Idempotency-Key" in asked.parameters


def _may_conflict(asked: _Asked) -> bool:
    inside = "project_id" in asked.parameters and str(asked.permission).startswith("entity.")
    return inside or asked.permission in STATE


_CHALLENGE = ("WWW-Authenticate", "How to authenticate")
_WAIT = ("Retry-After", "Seconds to wait before trying again")
# Contract section 6; 405 is no operation's answer, but that of a path.
RULES = (
    _Rule("400", "BadRequest", "A body, parameter or header breaks its rule", _takes_anything),
    _Rule("401", "Unauthorized", "No token, or one that fails", _takes_token, _CHALLENGE),
    _Rule("403", "Forbidden", "The roles do not allow it, or a limit is reached", _takes_token),
    _Rule("404", "NotFound", "There is none, or not for this account", _names_something),
    _Rule("406", "NotAcceptable", "`Accept` excludes JSON", _always),
    _Rule("409", "Conflict", "What is there, or the project's state, forbids it", _may_conflict),
    _Rule("412", "PreconditionFailed", "`If-Match` is not the current entity tag", _compares),
    _Rule("413", "PayloadTooLarge", "The body, or all its values, are over a limit", _takes_body),
    _Rule("414", "UriTooLong", "The address is longer than the host takes", _takes_address),
    _Rule("415", "UnsupportedMediaType", "Another media type, charset or coding", _takes_body),
    _Rule("422", "UnprocessableContent", "The `Idempotency-Key` is taken", _may_be_repeated),
    _Rule("429", "TooManyRequests", "The key's requests come too fast", _always, _WAIT),
    _Rule("500", "InternalError", "Our fault; the log has the trace", _always),
    _Rule("503", "Unavailable", "What may succeed when it is tried again", _always, _WAIT),
)


def with_refusals(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give a copy of an OpenAPI document whose operations list the refusals they can answer.

    They take the place of `default`. Responses shared by all are added to the components.
    """
    paths = {
        path: {
            name: _listed(document, item, spec) if name in METHODS else spec
            for name, spec in item.items()
        }
        for path, item in document["paths"].items()
    }
    components = document["components"]
    responses = {k: v for k, v in components["responses"].items() if k != SHARED}
    responses |= {rule.name: _response(rule) for rule in RULES}
    return {**document, "paths": paths, "components": {**components, "responses": responses}}


def _listed(
    document: Mapping[str, Any], item: Mapping[str, Any], spec: Mapping[str, Any]
) -> dict[str, Any]:
    """Give an operation with its refusals in order; its own responses come first."""
    asked = _asked(document, item, spec)
    own = {status: said for status, said in spec["responses"].items() if status != "default"}
    refusals = {
        rule.status: {"$ref": f"#/components/responses/{rule.name}"}
        for rule in RULES
        if rule.status not in own and rule.holds(asked)
    }
    return {**spec, "responses": dict(sorted((own | refusals).items()))}


def _asked(document: Mapping[str, Any], item: Mapping[str, Any], spec: Mapping[str, Any]) -> _Asked:
    shared = document["components"].get("parameters", {})
    parameters = [
        shared[parameter["$ref"].rpartition("/")[2]] if "$ref" in parameter else parameter
        for parameter in (*item.get("parameters", ()), *spec.get("parameters", ()))
    ]
    return _Asked(
        places=frozenset(parameter["in"] for parameter in parameters),
        parameters=frozenset(parameter["name"] for parameter in parameters),
        body="requestBody" in spec,
        permission=spec.get("x-permission"),
    )


def _response(rule: _Rule) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    content = {"application/json": {"schema": schema}}
    said: dict[str, Any] = {"description": rule.says, "content": content}
    if rule.header:
        name, description = rule.header
        said["headers"] = {name: {"description": description, "schema": {"type": "string"}}}
    return said
