"""The rules of functions, their runtimes, and what is computed for their answers. Pure."""

from collections.abc import Iterator
from typing import Any

from shared import quotas
from shared.errors import Error, invalid, raise_all
from shared.kinds import sizes
from shared.kinds.rules import ENVIRONMENT, Fields, computed, idle, oversize
from shared.kinds.workloads import endpoints
from shared.lifecycle import Project

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


def _is_inline(code_reference: str) -> bool:
    """Tell code from an image: `data:latest` is one too, but no image has a comma."""
    return code_reference.startswith("data:") and "," in code_reference


def check_function(new: Fields, **_: object) -> None:
    """Check a function (contract section 4.5). Raises Error `invalid_field`, `payload_too_large`.

    Inline code is the whole data URL, at most quotas.INLINE_CODE_BYTES of it.
    """
    raise_all(_faults(new))


def _faults(function: Fields) -> Iterator[Error]:
    runtime, code = function["runtime"], function["code_reference"]
    if runtime not in RUNTIME_IDS:
        yield invalid("runtime", f"must be one of {', '.join(f'`{name}`' for name in RUNTIME_IDS)}")
    if function["scale_concurrency"] > 1 and not runtime.startswith("nodejs-"):
        yield invalid("scale_concurrency", "may exceed 1 only with a Node.js runtime")
    yield from sizes.faults(function, sizes.FUNCTIONS)
    if _is_inline(code) and len(code) > quotas.INLINE_CODE_BYTES:
        limit = f"`code_reference` may hold at most {quotas.INLINE_CODE_BYTES} bytes of code."
        yield Error("payload_too_large", limit, "code_reference")
    yield from oversize(function, "run_env_variables", code)


def present_function(function: Fields, project: Project) -> dict[str, Any]:
    """Compute a function's environment, endpoints and status (contract sections 1.6 and 4.5).

    Code in an image is a bundle, and so `code_binary`, whatever was sent.
    """
    bundled = not _is_inline(function["code_reference"])
    return {
        "computed_env_variables": computed(project, ENVIRONMENT, CE_FUNCTION=function["name"]),
        "code_binary": bundled or function.get("code_binary", False),
        **idle("offline"),
        **endpoints(function, project),
    }
