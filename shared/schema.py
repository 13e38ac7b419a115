"""The operations of openapi.yaml: their parameters, and checks of what comes in.

Reads openapi.json, which `shared.compile` makes of it (parsing YAML at start-up would cost a cold
start most of a second). Messages are our own, made of the rule that was broken: the validator's
would quote the value, and that may be a secret.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema_rs

from shared import quotas
from shared.errors import Error, Target, raise_all

COMPILED = Path(__file__).with_name("openapi.json")
METHODS = ("get", "post", "put", "patch", "delete")
SAY_KEY = re.compile(r"[A-Za-z0-9_.\-]{1,253}")  # a key of the caller's that a message may name


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of path, query or header.

    `key` is its name in calls by function name: `If-Match` is `if_match`.
    """

    name: str
    key: str
    place: str
    required: bool
    schema: Mapping[str, Any]

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
        return _validator(self.body_schema)

    @cached_property
    def _values(self) -> Any:
        properties = {parameter.key: parameter.schema for parameter in self.parameters}
        return _validator({"properties": properties})

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
        for parameter in self.parameters:
            if parameter.key in given:
                values[parameter.key] = _parsed(given[parameter.key], parameter.schema)
            elif parameter.required:
                message = f"`{parameter.name}` is required."
                faults.append(Error("missing_field", message, parameter.target))
            elif "default" in parameter.schema:
                values[parameter.key] = parameter.schema["default"]
        named = {parameter.key: parameter for parameter in self.parameters}
        for error in self._values.iter_errors(values):
            parameter = named[str(error.instance_path[0])]
            message = f"`{parameter.name}` {_rule(error)}."
            faults.append(Error("invalid_field", message, parameter.target))
        faults.extend(_body_faults(self._body, body, size))
        raise_all(faults[: quotas.FAULTS_TOLD])
        return values, _declared(self.body_schema, body)


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


def _errors(validator: Any, body: Any, size: int) -> Iterable[Any]:
    """Give the validator's errors: it collects them all before it gives the first."""
    if validator.is_valid(body):
        return ()
    if size <= quotas.FAULTS_SOUGHT_BYTES:
        return islice(validator.iter_errors(body), quotas.FAULTS_TOLD)
    try:
        validator.validate(body)
    except jsonschema_rs.ValidationError as error:
        return (error,)
    return ()


def _declared(schema: Mapping[str, Any], value: Any, fill: bool = False) -> Any:
    """Give a value without the members that its schema does not declare; fill in defaults.

    Integers come as such, however they were written.
    """
    schema = _resolved(schema)
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        found = {name: _declared(known[name], value[name], fill) for name in known if name in value}
        return {**_defaults(known, found), **found} if fill else found
    if isinstance(value, list) and "items" in schema:
        return [_declared(schema["items"], item, fill) for item in value]
    if isinstance(value, float) and "integer" in schema.get("type", ()):
        return int(value)  # 1.0 and -0.0 are integers too (JSON Schema); clients read no such
    return value


def _defaults(known: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    resolved = {name: _resolved(schema) for name, schema in known.items() if name not in found}
    return {name: spec["default"] for name, spec in resolved.items() if "default" in spec}


def filled(prototype: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Give a checked body with the defaults of its schema, and without its name."""
    whole: dict[str, Any] = _declared(_named(prototype), body, fill=True)
    whole.pop("name", None)
    return whole


def whole(prototype: str, body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Check a body that was put together, then fill it as `filled` does.

    Raises Error `missing_field` or `invalid_field`.
    """
    raise_all(list(_body_faults(_validator_of(prototype), {**body, "name": name}, 0)))
    return filled(prototype, body)


def suffices(prototype: str, body: Mapping[str, Any], name: str) -> bool:
    """Tell whether a body could make a resource of this name."""
    found: bool = _validator_of(prototype).is_valid({**body, "name": name})
    return found


def shown(name: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Give the members that a schema declares, in its order: the store keeps none."""
    found: dict[str, Any] = _declared(_named(name), members)
    return found


@cache
def _validator_of(name: str) -> Any:
    return _validator(_named(name))


def _named(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _document()["components"]["schemas"][name]
    return found


def _body_faults(validator: Any, body: Any, size: int) -> Iterator[Error]:
    for error in _errors(validator, body, size):
        path = [str(part) for part in error.instance_path]
        if error.kind.name == "required":
            name = ".".join([*path, error.kind.property])
            yield Error("missing_field", f"`{name}` is required.", Target("field", name))
        else:
            name = ".".join(part for part in path if SAY_KEY.fullmatch(part)) or "body"
            yield Error("invalid_field", f"`{name}` {_rule(error)}.", Target("field", name))


def _rule(error: Any) -> str:  # noqa: PLR0911 - one sentence a rule
    """Say which rule was broken, without the value that broke it."""
    kind = error.kind
    match kind.name:
        case "type":
            return f"must be of type {' or '.join(kind.types)}"
        case "pattern":
            return f"must {_words().get(kind.pattern, f'match `{kind.pattern}`')}"
        case "enum":
            options = (f"`{option}`" for option in kind.options if option is not None)
            return f"must be one of {', '.join(options)}"
        case "const":
            return f"must be `{kind.expected_value}`"
        case "minLength" | "minItems" | "minimum":
            return f"is below its minimum of {kind.limit}"
        case "maxLength" | "maxItems" | "maximum" | "maxProperties":
            return f"is above its maximum of {kind.limit}"
        case "propertyNames":
            return "has a key that is not allowed"
        case _:
            return "is not valid"


@cache
def _words() -> dict[str, str]:
    """Give the patterns that the document says in words."""
    found: dict[str, str] = {}

    def walk(item: Any) -> None:
        if isinstance(item, dict):
            if "x-says" in item:
                found[item["pattern"]] = item["x-says"]
            item = list(item.values())
        for inner in item if isinstance(item, list) else ():
            walk(inner)

    walk(_document())
    return found


@cache
def _document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(COMPILED.read_text())
    return loaded


def _validator(schema: Mapping[str, Any]) -> Any:
    whole = {**schema, "components": {"schemas": _document()["components"]["schemas"]}}
    return jsonschema_rs.Draft202012Validator(whole, mask="…")


def _resolved(item: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in item:
        return item
    found: Any = _document()
    for part in item["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def _parameter(spec: Mapping[str, Any]) -> Parameter:
    name = spec["name"]
    schema = _resolved(spec["schema"])
    key = name.lower().replace("-", "_")
    return Parameter(name, key, spec["in"], spec.get("required", False), schema)


def _operation(path: str, method: str, item: Mapping[str, Any]) -> Operation:
    spec = item[method]
    parameters = map(_resolved, [*item.get("parameters", ()), *spec.get("parameters", ())])
    content = spec.get("requestBody", {}).get("content", {})
    media_types = tuple(content)
    return Operation(
        id=spec["operationId"],
        method=method.upper(),
        path=path,
        function=spec["x-function"],
        permission=spec.get("x-permission"),
        private=spec.get("x-private", False),
        status=int(min(spec["responses"])),
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
        for path, item in _document()["paths"].items()
        for method in METHODS
        if method in item
    )
    return {operation.id: operation for operation in found}
