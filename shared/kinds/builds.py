"""The rules of builds and build runs, and what is computed for their answers. Pure.

No error repeats a value: build parameters are sealed.
"""

from typing import Any

from shared.errors import raise_all
from shared.kinds.rules import Fields, Rule, absent, broken, idle, oversize
from shared.lifecycle import Project

AD_HOC = ("output_image", "output_secret", "strategy_type")  # a run without a build needs them


def _git_only(field: str) -> Rule:
    def is_broken(build: Fields) -> bool:
        return build["source_type"] == "local" and bool(build.get(field))

    return field, is_broken, "is not allowed where `source_type` is `local`"


SOURCE_RULES = tuple(map(_git_only, ("source_url", "source_revision", "source_secret")))


def _check(new: Fields, needed: tuple[str, ...]) -> None:
    url = ("source_url",) if needed and new["source_type"] == "git" else ()
    found = [*absent((*needed, *url), new), *broken(SOURCE_RULES, new)]
    raise_all([*found, *oversize(new, "run_build_params")])


def check_build(new: Fields, **_: object) -> None:
    """Check a build: a source is of git, with its URL, or local, without (contract section 4.4).

    Raises Error `missing_field`, `invalid_field` or `payload_too_large`.
    """
    _check(new, AD_HOC)


def present_build(_build: Fields, _project: Project) -> dict[str, Any]:
    """Give a build's status: it is registered; nothing it refers to was looked at (4.4)."""
    return {"status": "ready", "status_details": {"reason": "registered"}}


def check_build_run(new: Fields, **_: object) -> None:
    """Check a build run; one without a build needs what a build has (contract section 4.4).

    Raises Error `missing_field`, `invalid_field` or `payload_too_large`.
    """
    _check(new, () if new.get("build_name") else AD_HOC)


def present_build_run(run: Fields, _project: Project) -> dict[str, Any]:
    """Compute a build run's status, and the build's name: empty without one (contract 4.4)."""
    return {"build_name": run.get("build_name", ""), **idle("pending")}
