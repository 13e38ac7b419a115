"""The rules of apps, and what is computed for their answers and their revisions'. Pure."""

from collections.abc import Iterator
from typing import Any

from shared import quotas
from shared.errors import Error, invalid, raise_all
from shared.kinds.rules import ENVIRONMENT, Fields, computed, idle
from shared.kinds.workloads import MINTED, container_faults, endpoints, json_bytes
from shared.lifecycle import Project


def check_app(new: Fields, **_: object) -> None:
    """Check an app (contract section 4.2). Raises Error `invalid_field` or `payload_too_large`."""
    raise_all(_faults(new))


def _faults(app: Fields) -> Iterator[Error]:
    if 0 < app["scale_max_instances"] < app["scale_min_instances"]:  # 0: no maximum
        yield invalid("scale_min_instances", "is above `scale_max_instances`")
    yield from container_faults(app)
    if json_bytes(app, *MINTED, "run_env_variables") > quotas.CLEAR_BYTES:
        most = f"An app may have at most {quotas.CLEAR_BYTES} bytes as JSON beside its environment."
        yield Error("payload_too_large", most)


def present_app(app: Fields, project: Project) -> dict[str, Any]:
    """Compute an app's environment, endpoints and status (contract sections 1.6 and 4.2)."""
    latest = f"{app['name']}-{app['revision']:05}"
    status = idle("warning", latest_created_revision=latest)
    return {**status, **_in_common(app, project, app["name"]), **endpoints(app, project)}


def present_revision(revision: Fields, project: Project) -> dict[str, Any]:
    """Compute an app revision's environment and status (contract section 4.2).

    Active or not, no revision has an instance.
    """
    own = {"resource_type": "app_revision_v2", **idle("warning", actual_instances=0)}
    return own | _in_common(revision, project, revision["app_name"])


def _in_common(workload: Fields, project: Project, app_name: str) -> dict[str, Any]:
    target = workload.get("scale_concurrency_target", workload["scale_concurrency"])
    environment = computed(project, ENVIRONMENT, CE_APP=app_name)
    return {"computed_env_variables": environment, "scale_concurrency_target": target}
