"""functions.yaml out of openapi.yaml: a row for each function that an operation names.

Those kept by hand are at the head of the file: `api`, `identity`, `createAccount`, `rotateKeys`,
`signKeys`, `vouchProjects`, `resealValues`, `onProjectWritten`, `enforceRetention`, `sealAudit`.
Build time only.
"""

from typing import Any

from tools.refusals import METHODS

Schema = dict[str, Any]
BEGIN = "  # All others follow from shared/api/openapi.yaml: `make fmt` writes them.\n"
ENDPOINT = (
    "  {name}: {{entryPoint: {name}, serviceAccount: reprieve-{identity}@, platform: gcfv2, "
    "region: [us-central1], availableMemoryMb: 512, concurrency: 80, "
    "environmentVariables: {{THREADS: '96'}}, timeoutSeconds: 30, httpsTrigger: {{}}}}\n"
)


def written(text: str, api: Schema) -> str:
    """Give functions.yaml with the functions of all operations after those kept by hand."""
    head, _, _ = text.partition(BEGIN)
    reveals: dict[str, bool] = {}
    for path in api["paths"].values():
        for spec in (path[method] for method in METHODS & path.keys()):
            name = spec["x-function"]
            reveals[name] = reveals.get(name, False) or spec.get("x-opens", False)
    rows = (
        ENDPOINT.format(name=name, identity="reveal" if opens else "manage")
        for name, opens in sorted(reveals.items())
        if f"  {name}: " not in head
    )
    return head + BEGIN + "".join(rows)
