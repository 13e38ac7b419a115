"""The rules of jobs and job runs, and what is computed for their answers. Pure."""

from collections.abc import Iterator
from typing import Any

from shared import quotas
from shared.errors import Error, invalid, raise_all
from shared.kinds.rules import ENVIRONMENT, LOCATION, Fields, absent, computed, idle
from shared.kinds.workloads import MINTED, container_faults, json_bytes
from shared.lifecycle import Project

# Task mode only (contract section 4.3). A default that is filled in or inherited is not given.
TASK_DEFAULTS = {"scale_max_execution_time": 7200, "scale_retry_limit": 3}


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


def _faults(job: Fields, noun: str, given: Fields, old: Fields | None = None) -> Iterator[Error]:
    spec = job["scale_array_spec"]
    if any(last < first for first, last in index_ranges(spec)):
        yield invalid("scale_array_spec", "has a range that ends before it begins")
    if index_count(spec) > quotas.JOB_INDICES:
        yield invalid("scale_array_spec", f"has more than {quotas.JOB_INDICES} indices")
    for field, default in TASK_DEFAULTS.items():
        # Who writes back what was read gives the default that an answer has: that is no change.
        back = old is not None and old["run_mode"] == "daemon"
        said = (given.get(field) is not None and not back) or job.get(field, default) != default
        if job["run_mode"] == "daemon" and said:
            yield invalid(field, "is not allowed where `run_mode` is `daemon`")
    yield from container_faults(job)
    if json_bytes(job, *MINTED) > quotas.JOB_BYTES:
        limit = f"A {noun} may have at most {quotas.JOB_BYTES} bytes as JSON, defaults included."
        yield Error("payload_too_large", limit)


def check_job(new: Fields, *, given: Fields, old: Fields | None, **_: object) -> None:
    """Check a job (contract section 4.3). Raises Error `invalid_field` or `payload_too_large`."""
    raise_all(_faults(new, "job", given, old))


def present_job(_job: Fields, project: Project) -> dict[str, Any]:
    """Compute a job's environment, which is what needs no run (contract sections 1.6 and 12.24).

    A job has no status. That it has three variables is attested, which three is ours.
    """
    return {"computed_env_variables": computed(project, LOCATION)}


def check_job_run(new: Fields, *, given: Fields, **_: object) -> None:
    """Check a job run, with what it takes from its job (contract section 4.3).

    Raises Error `missing_field` for an image where there is no job, or as `check_job` does.
    """
    needed = () if new.get("job_name") else ("image_reference",)
    raise_all([*absent(needed, new), *_faults(new, "job run", given)])


def present_job_run(run: Fields, project: Project) -> dict[str, Any]:
    """Compute a job run's environment and status: all its indices wait (contract section 4.3)."""
    own = {"CE_JOB": run.get("job_name", ""), "CE_JOBRUN": run["name"]}
    count = index_count(run["scale_array_spec"])
    counts = {
        "requested": count,
        "pending": count,
        **dict.fromkeys(("running", "succeeded", "failed", "unknown"), 0),
    }
    status = idle("pending", **counts, pending_indices=run["scale_array_spec"])
    return {"computed_env_variables": computed(project, ENVIRONMENT, **own), **status}
