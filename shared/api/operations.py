"""The operations of openapi.yaml: their parameters, and checks of what comes in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from typing import Any

from shared import quotas
from shared.api.bodies import body_faults, declared, rule
from shared.api.document import document, resolved, validator
from shared.errors import Error, Target, invalid, raise_all, required

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of path, query or header, or (`name`) of calls by function name alone.

    `key` is its name in calls by function name: `If-Match` is `if_match`. `instead` is the key of
    the parameter in whose place it is given: exactly one of the two is. One that is the `rest` of a
    path is all that is left of it, slashes and all.
    """

    name: str
    key: str
    place: str
    required: bool
    schema: Mapping[str, Any]
    instead: str = ""
    rest: bool = False

    @property
    def target(self) -> Target:
        """Where a fault of this parameter lies."""
        return Target("header" if self.place == "header" else "parameter", self.name)


@dataclass(frozen=True)
class Operation:
    """One operation of the API."""

    id: str
    method: str
    path: str
    function: str
    permission: str | None
    private: bool
    status: int
    answers: str  # the media type of what is answered where nothing is refused
    closable: bool  # anybody's, unless CE_LOG_PUBLIC is 0
    parameters: tuple[Parameter, ...]
    media_types: tuple[str, ...]
    body_required: bool
    body_bytes: int
    body_schema: Mapping[str, Any]

    @cached_property
    def required(self) -> frozenset[str]:
        """The parameters a call cannot do without."""
        return frozenset(parameter.key for parameter in self.parameters if parameter.required)

    @cached_property
    def _body(self) -> Any:
        return validator(self.body_schema)

    @cached_property
    def _values(self) -> Any:
        properties = {parameter.key: parameter.schema for parameter in self.parameters}
        return validator({"properties": properties})

    def checked(
        self, given: Mapping[str, Any], body: Any, size: int = 0
    ) -> tuple[dict[str, Any], Any]:
        """Give the parameters and the body, if all is as it must be.

        Numbers are parsed, defaults filled in, undeclared members dropped. `size` is the body's
        in bytes. Raises Error `missing_field` or `invalid_field`, with the faults of the request:
        at most quotas.FAULTS_TOLD, and of a large body only the first.
        """
        values: dict[str, Any] = {}
        faults: list[Error] = []
        replaced = {p.instead: p.key for p in self.parameters if p.instead and p.key in given}
        for parameter in self.parameters:
            if parameter.key in given:
                values[parameter.key] = _parsed(given[parameter.key], parameter.schema)
                if other := replaced.get(parameter.key):
                    faults.append(invalid(parameter.target, f"must not be beside `{other}`"))
            elif parameter.required and parameter.key not in replaced:
                faults.append(required(parameter.target))
            elif "default" in parameter.schema:
                values[parameter.key] = parameter.schema["default"]
        targets = {parameter.key: parameter.target for parameter in self.parameters}
        found = self._values.iter_errors(values)
        faults += [invalid(targets[str(error.instance_path[0])], rule(error)) for error in found]
        faults += body_faults(self._body, body, size)
        raise_all(faults[: quotas.FAULTS_TOLD])
        return values, declared(self.body_schema, body)


def _parsed(value: Any, schema: Mapping[str, Any]) -> Any:
    """Give what a text stands for; anything else stays, and the schema refuses it."""
    if schema.get("type") == "boolean" and isinstance(value, str):
        return {"true": True, "false": False}.get(value, value)
    if schema.get("type") == "integer":
        if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
            return int(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
    return value


def _parameter(spec: Mapping[str, Any]) -> Parameter:
    name = spec["name"]
    schema = resolved(spec["schema"])
    key = name.lower().replace("-", "_")
    place, instead = spec.get("in", "name"), spec.get("x-for", "")
    rest = spec.get("x-rest", False)
    return Parameter(name, key, place, spec.get("required", False), schema, instead, rest)


def _operation(path: str, method: str, item: Mapping[str, Any]) -> Operation:
    spec = item[method]
    lists = item.get("parameters", ()), spec.get("parameters", ()), spec.get("x-by-name", ())
    parameters = map(resolved, chain.from_iterable(lists))
    content = spec.get("requestBody", {}).get("content", {})
    media_types = tuple(content)
    status = min(spec["responses"])
    answers = resolved(spec["responses"][status]).get("content", {})
    return Operation(
        id=spec["operationId"],
        method=method.upper(),
        path=path,
        function=spec["x-function"],
        permission=spec.get("x-permission"),
        private=spec.get("x-private", False),
        status=int(status),
        answers=next(iter(answers), "application/json"),
        closable=spec.get("x-closable", False),
        parameters=tuple(map(_parameter, parameters)),
        media_types=media_types,
        body_required=spec.get("requestBody", {}).get("required", False),
        body_bytes=spec.get("requestBody", {}).get("x-max-bytes", quotas.PLAIN_BODY_BYTES),
        body_schema=content[media_types[0]]["schema"] if media_types else {},
    )


@cache
def operations() -> Mapping[str, Operation]:
    """Give every operation by its id."""
    found = (
        _operation(path, method, item)
        for path, item in document()["paths"].items()
        for method in METHODS
        if method in item
    )
    return {operation.id: operation for operation in found}
