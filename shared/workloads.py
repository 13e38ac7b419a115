"""The rules of apps, jobs, job runs and functions, and what is computed for their answers. Pure.

They are the hooks of `kinds`: `check_*` raises what the schema cannot say, `present_*` computes.
Nothing runs, and every status says so. No error repeats a value: environment and code are sealed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared import compute, quotas
from shared.errors import Error, Target, raise_all
from shared.rules import (
    ENVIRONMENT,
    LOCATION,
    NO_RUNTIME,
    Rule,
    absent,
    broken,
    computed,
    invalid,
    oversize,
)

Fields = Mapping[str, Any]

# Contract section 4.5: one default a family; nodejs-20 is deprecated, yet clients create with it.
RUNTIMES = tuple(
    {
        "id": f"{family}-{version}",
        "name": f"{title} {version}",
        "family": family,
        "default": state == "default",
        "deprecated": state == "deprecated",
        "optimized": False,
    }
    for family, title, version, state in (
        ("nodejs", "Node.js", "20", "deprecated"),
        ("nodejs", "Node.js", "22", "default"),
        ("nodejs", "Node.js", "24", ""),
        ("python", "Python", "3.11", "default"),
        ("python", "Python", "3.13", ""),
    )
)
RUNTIME_IDS = tuple(runtime["id"] for runtime in RUNTIMES)

# Contract section 1.6, by `managed_domain_mappings`; one that is `local` has no endpoint outside.
ENDPOINTS = {
    "local_public": "https://{name}.{subdomain}.{region}.codeengine.appdomain.cloud",
    "local_private": "https://{name}.{subdomain}.private.{region}.codeengine.appdomain.cloud",
}
INTERNAL_ENDPOINT = "http://{name}.{subdomain}.svc.cluster.local"

# Task mode only (contract section 4.3). A hook sees defaults filled in: these count as not given.
TASK_DEFAULTS = {"scale_max_execution_time": 7200, "scale_retry_limit": 3}
MINTED = ("id", "created_at", "entity_tag", "value_id")  # members that no body has


def index_ranges(spec: str) -> list[tuple[int, int]]:
    """Give the ranges of a `scale_array_spec` such as `1,3-5`: first and last index of each."""
    ends = (part.partition("-") for part in spec.split(","))
    return [(int(first), int(last or first)) for first, _, last in ends]


def index_count(spec: str) -> int:
    """Give how many different indices there are, without walking through them."""
    count, reached = 0, -1
    for first, last in sorted(index_ranges(spec)):
        count += max(0, last - max(first - 1, reached))
        reached = max(reached, last)
    return count


def _task_only(field: str, default: int) -> Rule:
    def is_broken(job: Fields) -> bool:
        return job["run_mode"] == "daemon" and bool(job.get(field, default) != default)

    return field, is_broken, "is not allowed where `run_mode` is `daemon`"


APP_RULES: tuple[Rule, ...] = (
    (
        "scale_min_instances",
        lambda app: 0 < app["scale_max_instances"] < app["scale_min_instances"],  # 0: no maximum
        "is above `scale_max_instances`",
    ),
)
JOB_RULES: tuple[Rule, ...] = (
    (
        "scale_array_spec",
        lambda job: any(last < first for first, last in index_ranges(job["scale_array_spec"])),
        "has a range that ends before it begins",
    ),
    (
        "scale_array_spec",
        lambda job: index_count(job["scale_array_spec"]) > quotas.JOB_INDICES,
        f"has more than {quotas.JOB_INDICES} indices",
    ),
    *(_task_only(field, default) for field, default in TASK_DEFAULTS.items()),
)
FUNCTION_RULES: tuple[Rule, ...] = (
    (
        "runtime",
        lambda function: function["runtime"] not in RUNTIME_IDS,
        f"must be one of {', '.join(f'`{runtime}`' for runtime in RUNTIME_IDS)}",
    ),
    (
        "scale_concurrency",
        lambda function: (
            function["scale_concurrency"] > 1 and not function["runtime"].startswith("nodejs-")
        ),
        "may exceed 1 only with a Node.js runtime",
    ),
)


def _mount_faults(workload: Fields) -> Iterator[Error]:
    """Give what is wrong with volume mounts (contract sections 0 and 4.2)."""
    mounts = workload["run_volume_mounts"]
    paths = [mount["mount_path"].rstrip("/") for mount in mounts]
    for number, mount in enumerate(mounts):
        where = f"run_volume_mounts.{number}"
        if paths[number] in paths[:number]:
            yield invalid(f"{where}.mount_path", "is that of another mount")
        # Its default is true for every type: only false was surely given.
        if mount["type"] != "persistent_data_store" and mount.get("read_only") is False:
            yield invalid(f"{where}.read_only", "can be false only for a `persistent_data_store`")
    stores = sum(mount["type"] == "persistent_data_store" for mount in mounts)
    if stores > quotas.DATA_STORE_MOUNTS:
        most = f"has more than {quotas.DATA_STORE_MOUNTS} of type `persistent_data_store`"
        yield invalid("run_volume_mounts", most)


def _container_faults(workload: Fields) -> list[Error]:
    """Give what is wrong with an app's or job's sizes, mounts and environment."""
    return [
        *compute.faults(workload, compute.CONTAINERS),
        *_mount_faults(workload),
        *oversize(workload, "run_env_variables"),
    ]


def _json_bytes(workload: Fields, *without: str) -> int:
    """Give how many bytes of JSON the members make, but for some."""
    body = {name: value for name, value in workload.items() if name not in without}
    return len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


def _endpoints(workload: Fields, project: Fields) -> dict[str, str]:
    """Give the URLs an app or function would have (contract section 1.6)."""
    place = {**project, "name": workload["name"]}
    found = {"endpoint_internal": INTERNAL_ENDPOINT.format_map(place)}
    if form := ENDPOINTS.get(workload["managed_domain_mappings"]):
        found["endpoint"] = form.format_map(place)
    return found


def check_app(new: Fields, _old: Fields | None, _others: Mapping[str, Fields]) -> Iterable[str]:
    """Check an app (contract section 4.2). Raises Error `invalid_field` or `payload_too_large`."""
    found = [*broken(APP_RULES, new), *_container_faults(new)]
    if _json_bytes(new, *MINTED, "run_env_variables") > quotas.CLEAR_BYTES:
        most = f"An app may have at most {quotas.CLEAR_BYTES} bytes as JSON beside its environment."
        found.append(Error("payload_too_large", most))
    raise_all(found)
    return ()


def present_app(app: Fields, project: Fields) -> dict[str, Any]:
    """Compute an app's environment, endpoints and status (contract sections 1.6 and 4.2)."""
    latest = f"{app['name']}-{app['revision']:05}"
    return {
        "computed_env_variables": computed(project, ENVIRONMENT, CE_APP=app["name"]),
        "scale_concurrency_target": app.get("scale_concurrency_target", app["scale_concurrency"]),
        "status": "warning",
        "status_details": {"latest_created_revision": latest, "reason": NO_RUNTIME},
        **_endpoints(app, project),
    }


def present_revision(revision: Fields, project: Fields) -> dict[str, Any]:
    """Compute an app revision's environment and status (contract section 4.2).

    Active or not, no revision has an instance.
    """
    target = revision.get("scale_concurrency_target", revision["scale_concurrency"])
    return {
        "resource_type": "app_revision_v2",
        "computed_env_variables": computed(project, ENVIRONMENT, CE_APP=revision["app_name"]),
        "scale_concurrency_target": target,
        "status": "warning",
        "status_details": {"actual_instances": 0, "reason": NO_RUNTIME},
    }


def _job_faults(job: Fields, noun: str) -> list[Error]:
    found = [*broken(JOB_RULES, job), *_container_faults(job)]
    if _json_bytes(job, *MINTED) > quotas.JOB_BYTES:
        limit = f"A {noun} may have at most {quotas.JOB_BYTES} bytes as JSON, defaults included."
        found.append(Error("payload_too_large", limit))
    return found


def check_job(new: Fields, _old: Fields | None, _others: Mapping[str, Fields]) -> Iterable[str]:
    """Check a job (contract section 4.3). Raises Error `invalid_field` or `payload_too_large`."""
    raise_all(_job_faults(new, "job"))
    return ()


def present_job(_job: Fields, project: Fields) -> dict[str, Any]:
    """Compute a job's environment, which is what needs no run (contract sections 1.6 and 12.24).

    A job has no status. That it has three variables is attested, which three is ours.
    """
    return {"computed_env_variables": computed(project, LOCATION)}


def check_job_run(new: Fields, _old: Fields | None, _others: Mapping[str, Fields]) -> Iterable[str]:
    """Check a job run, with what it takes from its job (contract section 4.3).

    Raises Error `missing_field` for an image where there is no job, or as `check_job` does.
    """
    needed = () if new.get("job_name") else ("image_reference",)
    raise_all([*absent(needed, new), *_job_faults(new, "job run")])
    return ()


def present_job_run(run: Fields, project: Fields) -> dict[str, Any]:
    """Compute a job run's environment and status: all its indices wait (contract section 4.3)."""
    own = {"CE_JOB": run.get("job_name", ""), "CE_JOBRUN": run["name"]}
    count = index_count(run["scale_array_spec"])
    details = {
        "requested": count,
        "pending": count,
        **dict.fromkeys(("running", "succeeded", "failed", "unknown"), 0),
        "pending_indices": run["scale_array_spec"],
        "reason": NO_RUNTIME,
    }
    return {
        "computed_env_variables": computed(project, ENVIRONMENT, **own),
        "status": "pending",
        "status_details": details,
    }


def _is_inline(code_reference: str) -> bool:
    """Tell code from an image: `data:latest` is one too, but no image has a comma."""
    return code_reference.startswith("data:") and "," in code_reference


def check_function(
    new: Fields, _old: Fields | None, _others: Mapping[str, Fields]
) -> Iterable[str]:
    """Check a function (contract section 4.5). Raises Error `invalid_field`, `payload_too_large`.

    Inline code is the whole data URL, at most quotas.INLINE_CODE_BYTES of it.
    """
    code = new["code_reference"]
    found = [*broken(FUNCTION_RULES, new), *compute.faults(new, compute.FUNCTIONS)]
    if _is_inline(code) and len(code) > quotas.INLINE_CODE_BYTES:
        limit = f"`code_reference` may hold at most {quotas.INLINE_CODE_BYTES} bytes of code."
        found.append(Error("payload_too_large", limit, Target("field", "code_reference")))
    raise_all([*found, *oversize(new, "run_env_variables", code)])
    return ()


def present_function(function: Fields, project: Fields) -> dict[str, Any]:
    """Compute a function's environment, endpoints and status (contract sections 1.6 and 4.5).

    Code in an image is a bundle, and so `code_binary`, whatever was sent.
    """
    bundled = not _is_inline(function["code_reference"])
    return {
        "computed_env_variables": computed(project, ENVIRONMENT, CE_FUNCTION=function["name"]),
        "code_binary": bundled or function.get("code_binary", False),
        "status": "offline",
        "status_details": {"reason": NO_RUNTIME},
        **_endpoints(function, project),
    }
