"""What ties to a component: bindings and domain mappings, their rules and answers. Pure.

Whether the component exists is nobody's concern here.
"""

from collections.abc import Mapping
from typing import Any

from shared.errors import Error
from shared.kinds.rules import Fields, idle
from shared.lifecycle import Project

CNAME = "custom.{subdomain}.{region}.codeengine.appdomain.cloud"  # contract section 1.6


def _tie(binding: Fields) -> tuple[str, str, str]:
    """Give what no two bindings may share, all of it."""
    component = binding["component"]
    return component["resource_type"], component["name"], binding["secret_name"]


def check_binding(new: Fields, *, others: Mapping[str, Fields], **_: object) -> None:
    """Check a binding: a secret goes to a component once (contract section 4.6).

    `others` have `component` and `secret_name`. Raises Error `conflict`.
    """
    if _tie(new) in map(_tie, others.values()):
        raise Error("conflict", "The secret is bound to this component already.", "secret_name")


def present_binding(_binding: Fields, _project: Project) -> dict[str, Any]:
    """Give a binding's status: nothing runs that could use it (contract section 4.6)."""
    return {"status": "pending"}


def present_domain_mapping(_mapping: Fields, project: Project) -> dict[str, Any]:
    """Compute a domain mapping's target and status (contract sections 1.6 and 4.7)."""
    target = CNAME.format(subdomain=project.subdomain, region=project.region)
    mine = {"cname_target": target, "user_managed": True, "visibility": "custom"}
    return {**mine, **idle("failed")}
