"""What the rules of all kinds are made of: faults, sizes, the computed environment. Pure.

Used by the files that hold the hooks of the kinds. No fault here repeats a value.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared import quotas
from shared.errors import Error, required
from shared.lifecycle import Project

Fields = Mapping[str, Any]

# What runs is told where it runs (contract section 1.6).
LOCATION = {
    "CE_API_BASE_URL": "https://api.private.{project.region}.codeengine.cloud.ibm.com",
    "CE_PROJECT_ID": "{project.id}",
    "CE_REGION": "{project.region}",
}
ENVIRONMENT = LOCATION | {
    "CE_DOMAIN": "{project.region}.codeengine.appdomain.cloud",
    "CE_SUBDOMAIN": "{project.subdomain}",
}


def idle(status: str, **details: Any) -> dict[str, Any]:
    """Give the status of what shall run, with the reason: Reprieve stores it, and runs nothing."""
    return {"status": status, "status_details": {**details, "reason": "no_runtime_attached"}}


def absent(fields: Iterable[str], resource: Fields) -> list[Error]:
    """Give the faults of the fields that the resource needs and lacks."""
    return [required(field) for field in fields if not resource.get(field)]


def oversize(resource: Fields, member: str, *more: str) -> Iterator[Error]:
    """Give the fault of a resource whose sealed values exceed quotas.TEMPLATE_BYTES of UTF-8.

    The values are those in the list `member`, and `more`.
    """
    values = (item.get("value", "") for item in resource.get(member, ()))
    if sum(len(value.encode()) for value in (*more, *values)) > quotas.TEMPLATE_BYTES:
        limit = f"`{member}` may hold at most {quotas.TEMPLATE_BYTES} bytes of UTF-8 in all values."
        yield Error("payload_too_large", limit, member)


def computed(project: Project, forms: Mapping[str, str], **own: str) -> list[dict[str, str]]:
    """Give `computed_env_variables`: the forms filled in for the project, and its own variables."""
    values = {name: form.format(project=project) for name, form in forms.items()} | own
    return [{"type": "literal", "name": name, "value": values[name]} for name in sorted(values)]
