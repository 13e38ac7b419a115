"""openapi.json as it would be if functions were called by name alone, for schemathesis to read."""

from itertools import chain

METHODS = ("get", "post", "put", "patch", "delete")
# What a call by name can be answered, however little the operation takes by its path.
BODY = {"400": "BadRequest", "413": "PayloadTooLarge", "415": "UnsupportedMediaType"}
JSON = "application/json"


def by_name(api, prefix):
    """Give the document of all functions: POST, with one body that merges all parameters.

    The second operation of a function stands at the function's other address, below `prefix`.
    """
    paths = {}
    for path, item in api["paths"].items():
        for spec in (item[method] for method in METHODS if method in item):
            name = f"/{spec['x-function']}"
            at = name if name not in paths else prefix + name
            if spec["x-function"] != "api":  # that one has no name to call it by
                paths[at] = {"post": called(api, path, item.get("parameters", ()), spec)}
    order = sorted(paths, key=lambda path: "/delete" in path)  # stable: what is read is there
    return {**api, "paths": {path: paths[path] for path in order}}


def called(api, path, shared, spec):
    """Give an operation as a call by name; `x-path` keeps where it was."""
    content = spec.get("requestBody", {}).get("content", {JSON: {"schema": {}}})
    schema = dict(resolved(api, next(iter(content.values()))["schema"]))
    found = [resolved(api, item) for item in chain(shared, spec.get("parameters", ()))]
    keys = {item["name"].lower().replace("-", "_"): item for item in found}
    required = [key for key, item in keys.items() if item.get("required")]
    schema |= {
        "type": "object",
        "properties": {
            **{key: item["schema"] for key, item in keys.items()},
            **schema.get("properties", {}),
        },
        "required": [*required, *schema.get("required", ())],
    }
    refusals = {status: {"$ref": f"#/components/responses/{name}"} for status, name in BODY.items()}
    return {
        "operationId": spec["operationId"],
        "x-path": path,
        "requestBody": {
            "required": bool(schema["required"]),
            "content": {JSON: {"schema": schema}},
        },
        "responses": {**refusals, **spec["responses"]},
        **({"security": spec["security"]} if "security" in spec else {}),
    }


def resolved(api, item):
    """Give what a reference means."""
    while "$ref" in item:
        found = api
        for part in item["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        item = found
    return item
