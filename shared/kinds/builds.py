"""The rules of builds and build runs, and what is computed for their answers. Pure.

No error repeats a value: build parameters are sealed.
"""

from collections.abc import Iterator
from typing import Any

from shared.errors import Error, invalid, raise_all
from shared.kinds.rules import Fields, absent, idle, oversize
from shared.lifecycle import Project

AD_HOC = ("output_image", "output_secret", "strategy_type")  # a run without a build needs them
OF_GIT = ("source_url", "source_revision", "source_secret")


def check_build(new: Fields, **_: object) -> None:
    """Check a build: a source is of git, with its URL, or local, without (contract section 4.4).

    A build run needs what a build has, unless it names one. Raises Error `missing_field`,
    `invalid_field` or `payload_too_large`.
    """
    raise_all(_faults(new))


def _faults(build: Fields) -> Iterator[Error]:
    if not build.get("build_name"):
        yield from absent(AD_HOC, build)
        if build["source_type"] == "git":
            yield from absent(["source_url"], build)
    for field in OF_GIT:
        if build["source_type"] == "local" and build.get(field):
            yield invalid(field, "is not allowed where `source_type` is `local`")
    yield from oversize(build, "run_build_params")


def present_build(_build: Fields, _project: Project) -> dict[str, Any]:
    """Give a build's status: it is registered; nothing it refers to was looked at (4.4)."""
    return {"status": "ready", "status_details": {"reason": "registered"}}


def present_build_run(run: Fields, _project: Project) -> dict[str, Any]:
    """Compute a build run's status, and the build's name: empty without one (contract 4.4)."""
    return {"build_name": run.get("build_name", ""), **idle("pending")}
