"""Bodies held against their schemas: what is wrong with one, filled in, or shown.

Messages are our own, made of the rule that was broken: the validator's would quote the value, and
that may be a secret.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any

import jsonschema_rs

from shared import quotas
from shared.api.document import named, resolved, validator, words
from shared.errors import Error, invalid, raise_all, required

SAY_KEY = re.compile(r"[A-Za-z0-9_.\-]{1,253}")  # a key of the caller's that a message may name


def declared(schema: Mapping[str, Any], value: Any, fill: bool = False) -> Any:
    """Give a value without the members that its schema does not declare; fill in defaults.

    Integers come as such, however they were written.
    """
    schema = resolved(schema)
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        found = {name: declared(known[name], value[name], fill) for name in known if name in value}
        return {**_defaults(known, found), **found} if fill else found
    if isinstance(value, list) and "items" in schema:
        return [declared(schema["items"], item, fill) for item in value]
    if isinstance(value, float) and "integer" in schema.get("type", ()):
        return int(value)  # 1.0 and -0.0 are integers too (JSON Schema); clients read no such
    return value


def _defaults(known: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    left = {name: resolved(schema) for name, schema in known.items() if name not in found}
    return {name: spec["default"] for name, spec in left.items() if "default" in spec}


def filled(schema: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Give a checked body with the defaults of the schema's prototype, and without its name."""
    whole: dict[str, Any] = declared(named(f"{schema}Prototype"), body, fill=True)
    whole.pop("name", None)
    return whole


def whole(schema: str, body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Check a body that was put together, then fill it as `filled` does.

    Raises Error `missing_field` or `invalid_field`.
    """
    raise_all(body_faults(_validator_of(schema), {**body, "name": name}, 0))
    return filled(schema, body)


def suffices(schema: str, body: Mapping[str, Any], name: str) -> bool:
    """Tell whether a body could make a resource of this name."""
    found: bool = _validator_of(schema).is_valid({**body, "name": name})
    return found


def shown(name: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Give the members that a schema declares, in its order: the store keeps none."""
    found: dict[str, Any] = declared(named(name), members)
    return found


@cache
def _validator_of(schema: str) -> Any:
    return validator(named(f"{schema}Prototype"))


def body_faults(validator: Any, body: Any, size: int) -> Iterator[Error]:
    """Give what is wrong with a body of so many bytes: of a large one the first fault alone."""
    for error in _errors(validator, body, size):
        path = [str(part) for part in error.instance_path]
        if error.kind.name == "required":
            yield required(".".join([*path, error.kind.property]))
        else:
            name = ".".join(part for part in path if SAY_KEY.fullmatch(part)) or "body"
            yield invalid(name, rule(error))


def rule(error: Any) -> str:  # noqa: PLR0911 - one sentence a rule
    """Say which rule was broken, without the value that broke it."""
    kind = error.kind
    match kind.name:
        case "type":
            return f"must be of type {' or '.join(kind.types)}"
        case "pattern":
            return f"must {words().get(kind.pattern, f'match `{kind.pattern}`')}"
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
            return f"has a key that is not allowed: it {rule(kind.error)}"
        case _:
            return "is not valid"


def _errors(validator: Any, body: Any, size: int) -> Iterator[Any]:
    """Give the validator's errors, of one pass; it collects all before it gives the first."""
    if size > quotas.FAULTS_SOUGHT_BYTES:
        try:
            validator.validate(body)
        except jsonschema_rs.ValidationError as error:
            yield error
    else:
        yield from islice(validator.iter_errors(body), quotas.FAULTS_TOLD)
