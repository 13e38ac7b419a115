"""Allowed outbound destinations: what is there, covered, reserved, replaced or too many."""

import json
from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Error
from shared.kinds import destinations

CRN = "crn:v1:bluemix:public:is:eu-de:a/0123::private-path-service-gateway:"


def cidr(block):
    """Give a destination that is a range, with or without its block."""
    return {"type": "cidr_block"} | ({} if block is None else {"cidr_block": block})


def path(key, **more):
    """Give a destination that is a private path, with or without its gateway."""
    named = {} if key is None else {"private_path_service_gateway_crn": CRN + key}
    return {"type": "private_path_service_gateway", **named, **more}


def ask(new, old=None, others=None):
    """Give what a destination replaces, or code and field of its refusal."""
    try:
        return sorted(destinations.check_destination(new, old=old, others=others or {}))
    except Error as error:
        (entry,) = error.entries()
        values = [v for k, v in new.items() if k != "type" and v != "0.0.0.0/0"]
        assert not [value for value in values if value and value in json.dumps(entry)]
        return entry["code"], entry.get("target", {}).get("name")


def ranges(**blocks):
    """Give others that are ranges, by name, beside a private path."""
    found = {name.replace("_", "-"): cidr(block) for name, block in blocks.items()}
    return found | {"path": path("a")}


REDUNDANT = ("conflict", "cidr_block")
INVALID = ("invalid_field", "cidr_block")


@pytest.mark.parametrize(
    ("block", "others", "expected"),
    [
        ("192.68.3.0/24", {}, []),
        ("192.68.3.0/24", ranges(allow_all="0.0.0.0/0"), []),
        ("192.68.3.0/24", ranges(mine="0.0.0.0/0"), REDUNDANT),
        ("10.0.0.0/8", ranges(a="10.0.0.0/8"), REDUNDANT),
        ("10.1.2.3/8", ranges(a="10.0.0.0/8"), REDUNDANT),
        ("10.0.0.0/8", ranges(a="10.9.9.9/8"), REDUNDANT),
        ("10.1.0.0/16", ranges(a="11.0.0.0/8", b="10.0.0.0/8"), REDUNDANT),
        ("10.1.0.0/16", ranges(allow_all="10.0.0.0/8"), REDUNDANT),
        ("10.0.0.0/8", ranges(a="10.1.0.0/16", b="11.0.0.0/8"), []),
        ("0.0.0.0/0", {}, []),
        ("0.0.0.0/0", ranges(allow_all="0.0.0.0/0", a="10.0.0.0/8"), ["a", "allow-all"]),
        ("1.2.3.4/0", ranges(a="10.0.0.0/8"), ["a"]),
        ("0.1.0.0/16", {}, INVALID),
        ("127.0.0.1/32", {}, INVALID),
        ("169.254.169.254/32", {}, INVALID),
        ("224.0.0.1/32", {}, INVALID),
        ("240.0.0.0/4", {}, INVALID),
        ("255.255.255.255/32", {}, INVALID),
        ("0.0.0.0/1", {}, INVALID),
        ("64.0.0.0/2", {}, INVALID),
        ("160.0.0.0/3", {}, INVALID),
        ("126.0.0.0/8", {}, []),
        ("300.0.0.0/8", {}, INVALID),
        ("10.0.0.0/33", {}, INVALID),
        ("::1/128", {}, INVALID),
        ("", {}, ("missing_field", "cidr_block")),
        (None, {}, ("missing_field", "cidr_block")),
    ],
)
def test_new_range(block, others, expected):
    """A range is refused when it is there, covered or reserved; the widest replaces all others."""
    assert ask(cidr(block), None, others) == expected


@pytest.mark.parametrize(
    ("block", "old", "others", "expected"),
    [
        ("10.1.0.0/16", "10.1.0.0/16", ranges(a="10.0.0.0/8"), []),
        ("10.1.2.3/16", "10.1.0.0/16", ranges(a="10.0.0.0/8"), []),
        ("10.2.0.0/16", "10.1.0.0/16", ranges(a="10.0.0.0/8"), REDUNDANT),
        ("0.0.0.0/0", "0.0.0.0/0", ranges(a="10.0.0.0/8"), []),
        ("0.0.0.0/0", "10.1.0.0/16", ranges(a="10.0.0.0/8"), ["a"]),
        (None, "10.1.0.0/16", {}, ("missing_field", "cidr_block")),
    ],
)
def test_changed_range(block, old, others, expected):
    """A range that stays the same is held to nothing that came after it."""
    assert ask(cidr(block), cidr(old), others) == expected


@given(st.integers(1, 2**32 - 1), st.integers(1, 32), st.integers(0, 31))
def test_covered_is_refused(address, prefix, less):
    """Of a range and one that holds it, the smaller is refused after the larger."""
    inner = IPv4Network((address, prefix), strict=False)
    outer = inner.supernet(new_prefix=max(1, prefix - less))
    found = ask(cidr(str(inner)), None, {"outer": cidr(str(outer))})
    reserved = any(inner.overlaps(one) for one in destinations.RESERVED)
    assert found == (INVALID if reserved else REDUNDANT)


PATHS = {name: path(name) for name in "abc"}
GATEWAY = "private_path_service_gateway_crn"


@pytest.mark.parametrize(
    ("new", "old", "others", "expected"),
    [
        (path("x"), None, {"allow-all": cidr("0.0.0.0/0")}, []),
        (path("x"), None, {"a": PATHS["a"], "b": PATHS["b"], "r": cidr("10.0.0.0/8")}, []),
        (path("x"), None, PATHS, ("quota_exceeded", None)),
        (path("x", isolation_policy="dedicated"), path("x"), PATHS, []),
        (path("b"), None, PATHS, ("conflict", GATEWAY)),
        (path("y"), path("x"), {}, ("invalid_field", GATEWAY)),
        (path(None), None, {}, ("missing_field", GATEWAY)),
    ],
)
def test_private_path(new, old, others, expected):
    """A gateway is connected once, at most three in a project, and cannot be exchanged."""
    assert ask(new, old, others) == expected


def test_strays_of_the_other_type():
    """What belongs to the other type is ignored, not refused."""
    assert ask(cidr("10.0.0.0/8") | {GATEWAY: "", "isolation_policy": "shared"}) == []
    assert ask(path("x", cidr_block="127.0.0.1/32")) == []


def test_present():
    """Nothing is connected, and that is told; isolation is a private path's alone."""
    status = {"status": "failed", "status_details": {"reason": "no_runtime_attached"}}
    assert destinations.present_destination(cidr("10.0.0.0/8"), {}) == status
    shared = status | {"isolation_policy": "shared"}
    assert destinations.present_destination(path("x"), {}) == shared
    dedicated = path("x", isolation_policy="dedicated")
    assert destinations.present_destination(dedicated, {}) == status | {
        "isolation_policy": "dedicated"
    }
