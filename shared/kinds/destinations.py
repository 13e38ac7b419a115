"""Allowed outbound destinations: address ranges and private paths (contract section 4.8). Pure.

Ranges are compared as networks, however they are written.
"""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from typing import Any

from shared import quotas
from shared.errors import Error, invalid, raise_all
from shared.kinds.rules import Fields, absent, idle
from shared.lifecycle import Project

RANGE, PRIVATE_PATH = "cidr_block", "private_path_service_gateway"  # the types
CIDR, CRN = "cidr_block", "private_path_service_gateway_crn"  # the member that each type needs
EVERYTHING = IPv4Network("0.0.0.0/0")
DEFAULT = "allow-all"  # the entry that a project begins with, and that makes no other redundant
# No workload has business there; which ranges are reserved is ours.
_RESERVED = "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"
RESERVED = tuple(map(IPv4Network, _RESERVED))


def check_destination(
    new: Fields, *, old: Fields | None, others: Mapping[str, Fields], **_: object
) -> Iterable[str]:
    """Check a destination, and give the names of those it replaces (contract section 4.8).

    `others` have the members `type`, `cidr_block` and `private_path_service_gateway_crn`.
    Raises Error `missing_field`, `invalid_field`, `conflict` for a destination that is there or
    covered already, or `quota_exceeded` for a private path more than quotas.PRIVATE_PATHS.
    """
    raise_all(absent([CIDR if new["type"] == RANGE else CRN], new))
    rivals = {name: other for name, other in others.items() if other["type"] == new["type"]}
    if new["type"] == RANGE:
        return _check_range(new, old, rivals)
    _check_private_path(new, old, rivals)
    return ()


def _check_range(new: Fields, old: Fields | None, rivals: Mapping[str, Fields]) -> Iterable[str]:
    network = _network(new)
    # An unchanged range stays as it is, whatever has come to cover it since.
    if old and _network(old) == network:
        return ()
    if network == EVERYTHING:  # it takes the place of every other
        return tuple(rivals)
    if any(network.overlaps(reserved) for reserved in RESERVED):
        raise invalid(CIDR, "holds reserved addresses, which only `0.0.0.0/0` may")
    for name, taken in ((name, _network(other)) for name, other in rivals.items()):
        if network.subnet_of(taken) and (name, taken) != (DEFAULT, EVERYTHING):
            message = "Another destination has, or covers, this range already."
            raise Error("conflict", message, CIDR)
    return ()


def _check_private_path(new: Fields, old: Fields | None, rivals: Mapping[str, Fields]) -> None:
    if old and old[CRN] != new[CRN]:
        raise invalid(CRN, "cannot be changed")
    if any(other[CRN] == new[CRN] for other in rivals.values()):
        raise Error("conflict", "Another destination has this gateway already.", CRN)
    if not old and len(rivals) >= quotas.PRIVATE_PATHS:
        held = f"The project holds {len(rivals)} private path connections"
        raise Error("quota_exceeded", f"{held}, and no more fit in: delete one.")


def _network(destination: Fields) -> IPv4Network:
    try:
        return IPv4Network(destination[CIDR], strict=False)  # bits beyond its prefix are cleared
    except ValueError:
        raise invalid(CIDR, "must be an IPv4 range, as in `10.0.0.0/8`") from None


def present_destination(destination: Fields, _project: Project) -> dict[str, Any]:
    """Give a destination's status, and the isolation of a private path (contract section 4.8)."""
    if destination["type"] == RANGE:
        return idle("failed")
    return {**idle("failed"), "isolation_policy": destination.get("isolation_policy", "shared")}
