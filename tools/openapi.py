"""Makes what is derived from openapi.yaml and the rows of the kinds, at build time only.

`python -m tools.openapi` (`make fmt`) writes openapi.json, public.json, functions.yaml and the
indexes; all are committed, and `--check` compares them. Kinds are described once in openapi.yaml,
under `x-kinds`: here that becomes the operations of each.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from shared.kinds import BINDINGS, KINDS, Kind
from tools import manifest
from tools.codes import add_codes
from tools.refusals import METHODS, with_refusals

Schema = dict[str, Any]
ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "shared" / "api" / "openapi.yaml"
MANIFEST = ROOT / "functions" / "functions.yaml"
INDEXES = ROOT / "firestore.indexes.json"


def document() -> Schema:
    """Give the whole API, the operations and schemas of every kind included."""
    api: Schema = yaml.safe_load(SOURCE.read_text())
    template, schemas = api.pop("x-kinds"), api["components"]["schemas"]
    for name in [name for name, schema in schemas.items() if "x-inherits" in schema]:
        schemas[name] = _inherited(schemas, schemas[name])
    for kind in KINDS:
        _add_schemas(kind, schemas)
        _add_count(kind, schemas["ProjectContents"])
        api["paths"] |= _paths(kind, template, schemas)
    add_codes(schemas)
    for path, item in api["paths"].items():
        for method in METHODS & item.keys():
            item[method]["tags"] = [_tag(path)]
            if method != "get" and not item[method].get("x-repeatable"):
                once = {"$ref": "#/components/parameters/idempotency_key"}
                item[method]["parameters"] = [*item[method].get("parameters", ()), once]
    return with_refusals(deepcopy(api))  # without the sharing of YAML's aliases


def _tag(path: str) -> str:
    """Give what the documentation lists an operation under: its kind, or how its path begins."""
    literals = [part for part in path.split("/") if part not in {"", "v1", "v2"}]
    kinds = [kind.collection for kind in KINDS if kind.collection in literals]
    return (kinds or literals)[0].replace("apikeys", "API keys").replace("_", " ")


def _inherited(schemas: Schema, schema: Schema) -> Schema:
    base = schemas[schema["x-inherits"]]["properties"]
    left_out = schema.get("x-without", ())
    kept = {name: item for name, item in base.items() if name not in left_out}
    own = {name: value for name, value in schema.items() if not name.startswith("x-")}
    return own | {"properties": kept | own.get("properties", {})}


def _add_schemas(kind: Kind, schemas: Schema) -> None:
    """Add the schemas of a kind's answers and changes to those of its prototype."""
    prototype, own = schemas[f"{kind.schema}Prototype"], schemas[kind.schema]
    body = {name: item for name, item in prototype["properties"].items() if name != "name"}
    common = {name: schemas["Common"]["properties"][name] for name in kind.members}
    if kind.resource_type:
        common["resource_type"] = {"const": kind.resource_type}
    schemas[kind.schema] = own | {
        "type": "object",
        "required": [*kind.members, *own.get("required", ())],
        "properties": common | body | own.get("properties", {}),
    }
    entries = {"type": "array", "items": _ref(kind.schema)}
    page = {"limit": {"type": "integer"}, "first": _ref("Page"), "next": _ref("Page")}
    schemas[f"{kind.schema}List"] = {
        "type": "object",
        "required": ["limit", "first", kind.collection],
        "properties": page | {kind.collection: entries},
    }
    listed = {"type": "array", "items": _ref("ResourceMetadata")}
    schemas[f"{kind.schema}MetadataList"] = {
        **schemas[f"{kind.schema}List"],
        "properties": page | {kind.collection: listed},
    }
    change = {"PATCH": "Patch", "PUT": "Replacement"}.get(kind.update)
    if change and f"{kind.schema}{change}" not in schemas:
        required = [name for name in prototype.get("required", ()) if name != "name"]
        changes = {
            name: _patched(item, schemas, name in required)
            for name, item in body.items()
            if name not in kind.lasting
        }
        schemas[f"{kind.schema}{change}"] = (
            {"type": "object", "properties": changes}
            if change == "Patch"
            else {"type": "object", "required": required, "properties": body}
        )


def _add_count(kind: Kind, contents: Schema) -> None:
    """Let a project's contents tell how many there are of a kind."""
    contents["required"].append(kind.collection)
    contents["properties"][kind.collection] = {"type": "integer", "minimum": 0}


def _patched(schema: Schema, schemas: Schema, required: bool) -> Schema:
    """Give the schema of a member of a merge patch: it may be left out, and null removes it.

    What is required cannot be removed: null is refused there, and not only of the whole.
    """
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    needed = schema.get("required", ())
    schema = {name: value for name, value in schema.items() if name not in {"default", "required"}}
    if "type" in schema and not required:
        schema["type"] = [schema["type"], "null"]
    if "enum" in schema and not required:
        schema["enum"] = [*schema["enum"], None]
    if "properties" in schema:
        schema["properties"] = {
            name: _patched(item, schemas, name in needed)
            for name, item in schema["properties"].items()
        }
    return schema


def _paths(kind: Kind, template: Schema, schemas: Schema) -> Schema:
    """Give the path items of a kind."""
    words = {
        "{collection}": kind.collection,
        "{noun}": kind.noun,
        "{label}": kind.label,
        "{labels}": kind.collection.replace("_", " "),
        "{Kind}": kind.schema,
        "{Kinds}": kind.collection.title().replace("_", ""),
        "{write}": "put" if kind.update else "create",
    }
    parts = "collection", "item", "metadata", "data"
    many, one, listed, data = (_with_words(template[part], words) for part in parts)
    for item in (many, listed):
        item["get"]["parameters"] += [
            {"$ref": f"#/components/parameters/{name}"} for name in kind.filters
        ]
    many["post"]["responses"][str(kind.created)] = many["post"]["responses"].pop("201")
    key = schemas[f"{kind.schema}Prototype"]["properties"].get(kind.key, _ref("Id"))
    described = {"description": f"The {kind.label}", "required": True, "schema": key}
    for item in (one, data):
        item["parameters"].append({"name": kind.key, "in": "path", **described})
    if BINDINGS.collection in kind.dependents:
        one["delete"]["parameters"] = [{"$ref": "#/components/parameters/keep_service_access"}]
    for method in {"put", "patch"} - {kind.update.lower()}:
        del one[method]
    for operation in (many["post"], one.get(kind.update.lower()), data["patch"]):
        if operation:
            operation["requestBody"]["x-max-bytes"] = kind.body_bytes
            if "entity_tag" not in kind.members:
                operation["responses"][min(operation["responses"])].pop("headers", None)
    if "entity_tag" not in kind.members:
        del one["get"]["responses"]["200"]["headers"]
    if not kind.sealed:
        _open_nothing(many, one)
    home = f"/projects/{{project_id}}/{kind.collection}"
    ours = {f"/v1{home}": listed} | ({f"/v1{home}/{{{kind.key}}}": data} if kind.keyed else {})
    return {f"/v2{home}": many, f"/v2{home}/{{{kind.key}}}": one, **ours}


def _open_nothing(*items: Schema) -> None:
    """Take `x-opens` from the operations of a kind that holds nothing sealed."""
    for item in items:
        for method in METHODS & item.keys():
            item[method].pop("x-opens", None)


def _with_words(item: Any, words: Mapping[str, str]) -> Any:
    if isinstance(item, str):
        for word, text in words.items():
            item = item.replace(word, text)
        return item
    if isinstance(item, dict):
        return {name: _with_words(value, words) for name, value in item.items()}
    return [_with_words(value, words) for value in item] if isinstance(item, list) else item


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def published(document: dict[str, Any]) -> dict[str, Any]:
    """Give a document without its private operations, and without what only they refer to."""
    paths = {}
    for path, item in document["paths"].items():
        kept = {
            name: spec
            for name, spec in item.items()
            if name not in METHODS or not spec.get("x-private", False)
        }
        if METHODS & kept.keys():
            paths[path] = kept
    document = document | {"paths": paths}
    reached: set[str] = set()
    ahead = {reference for name in document.keys() - {"components"}
             for reference in _references(document[name])}  # fmt: skip
    while ahead:
        reached |= ahead
        ahead = {deeper for one in ahead for deeper in _references(_at(document, one))} - reached
    components = {
        section: {
            name: item
            for name, item in items.items()
            if section == "securitySchemes" or f"#/components/{section}/{name}" in reached
        }
        for section, items in document["components"].items()
    }
    return document | {"components": components}


def _references(value: Any) -> Iterator[str]:
    """Give every reference within a value."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from _references(inner)


def _at(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def indexes(text: str) -> str:
    """Give firestore.indexes.json with the indexes of every kind after those written by hand."""
    kept = json.loads(text)
    groups = {kind.collection for kind in KINDS} | {"revisions"}
    composite = [row for row in kept["indexes"] if row["collectionGroup"] not in groups]
    overrides = [row for row in kept["fieldOverrides"] if row["collectionGroup"] not in groups]
    for kind in KINDS:
        for name in kind.filters:
            fields = [{"fieldPath": at, "order": "ASCENDING"} for at in (f"body.{name}", kind.key)]
            group = {"collectionGroup": kind.collection, "queryScope": "COLLECTION"}
            composite.append(group | {"fields": fields})
        for group in (kind.collection, *(["revisions"] if kind.revised else ())):
            paths = ("body", "sealed", "sha256") if kind.sealed else ("body", "sha256")
            overrides += [
                {"collectionGroup": group, "fieldPath": path, "indexes": []} for path in paths
            ]
    rows = {"indexes": composite, "fieldOverrides": overrides}
    parts = [
        f'  "{name}": [\n' + ",\n".join(f"    {json.dumps(row)}" for row in found) + "\n  ]"
        for name, found in rows.items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def compiled() -> dict[Path, str]:
    """Give what each derived file must hold."""
    api = document()
    return {
        SOURCE.with_name("openapi.json"): _json(api),
        SOURCE.with_name("public.json"): _json(published(api)),
        MANIFEST: manifest.written(MANIFEST.read_text(), api),
        INDEXES: indexes(INDEXES.read_text()),
    }


def _json(value: Schema) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    for path, text in compiled().items():
        if sys.argv[1:] != ["--check"]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.exit(f"{path.name} is not what openapi.yaml and the kinds say: run `make fmt`.")
