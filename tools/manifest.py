"""functions.yaml out of openapi.yaml: a row for each function that an operation names.

Those kept by hand are at the head of the file: `api`, `identity`, `createAccount`, `rotateKeys`,
`signKeys`, `resealValues`, `onProjectWritten` and `enforceRetention`. Build time only.
"""

from typing import Any

from shared.kinds import KINDS
from tools.refusals import METHODS

Schema = dict[str, Any]
BEGIN = "  # All others follow from shared/api/openapi.yaml: `make fmt` writes them.\n"
ENDPOINT = (
    "  {name}: {{entryPoint: {name}, serviceAccount: reprieve-{identity}@, platform: gcfv2, "
    "region: [us-central1], availableMemoryMb: 512, concurrency: 80, "
    "environmentVariables: {{THREADS: '96'}}, timeoutSeconds: 30, httpsTrigger: {{}}}}\n"
)
# The schemas that show what is stored sealed.
SEALED = {f"{kind.schema}{of}" for kind in KINDS if kind.sealed
          for of in ("", *["Revision"] * kind.revised)}  # fmt: skip


def written(text: str, api: Schema) -> str:
    """Give functions.yaml with the functions of all operations after those kept by hand."""
    head, _, _ = text.partition(BEGIN)
    reveals: dict[str, bool] = {}
    for path in api["paths"].values():
        for spec in (path[method] for method in METHODS & path.keys()):
            name = spec["x-function"]
            reveals[name] = reveals.get(name, False) or _shows_sealed(api, spec)
    rows = (
        ENDPOINT.format(name=name, identity="reveal" if shows else "manage")
        for name, shows in sorted(reveals.items())
        if f"  {name}: " not in head
    )
    return head + BEGIN + "".join(rows)


def _shows_sealed(api: Schema, spec: Schema) -> bool:
    """Tell whether an operation's success shows what is stored sealed.

    Its function alone runs as the identity that may unwrap a project's key.
    """
    return not SEALED.isdisjoint(_schemas(api, spec["responses"][min(spec["responses"])]))


def _schemas(api: Schema, item: Any) -> set[str]:
    """Give the names of the schemas that an item refers to, and these refer to in turn."""
    if isinstance(item, dict) and "$ref" in item:
        found: Any = api
        for part in item["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return {part, *_schemas(api, found)}
    inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    return {name for one in inner for name in _schemas(api, one)}
