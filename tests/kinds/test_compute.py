"""Quantities are exact, and only the supported sizes go together."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kinds import sizes
from shared.kinds.sizes import CONTAINERS, FUNCTIONS, quantity

G = 10**9
# Contract sections 4.2 and 4.5, written out by hand: how many pairs, and one of each row.
ROWS = (
    *(("0.125", "0.25G"), ("0.25", "2G"), ("0.5", "4G"), ("1", "2G"), ("2", "16G")),
    *(("4", "32G"), ("6", "12G"), ("8", "32G"), ("10", "40G"), ("12", "48G")),
)


def workload(cpu, memory, storage=None):
    """Give a workload of these sizes."""
    more = {} if storage is None else {"scale_ephemeral_storage_limit": storage}
    return {"scale_cpu_limit": cpu, "scale_memory_limit": memory, **more}


def faulty(workload, pairs=CONTAINERS):
    """Give the fields at fault, in order."""
    found = sizes.faults(workload, pairs)
    assert {fault.code for fault in found} <= {"invalid_field"}
    return [fault.target.name.removeprefix("scale_").removesuffix("_limit") for fault in found]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1.", 1),
        (".5", Decimal("0.5")),
        ("0125m", Decimal("0.125")),
        ("125000u", Decimal("0.125")),
        ("1n", Decimal("0.000000001")),
        ("400M", 400_000_000),
        ("400MB", 400_000_000),
        ("1k", 1000),
        ("1K", 1000),
        ("1Ki", 1024),
        ("1KiB", 1024),
        ("1Gi", 1024**3),
        ("2T", 2 * 1000**4),
        ("2Pi", 2 * 1024**5),
        ("99999999Ei", 99_999_999 * 1024**6),
    ],
)
def test_quantity(text, value):
    """A quantity is read exactly, with decimal and binary units."""
    assert quantity(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.2.3G",
        "G",
        "1B",
        "1mB",
        "1ee",
        "1e3",
        "1GG",
        "1iG",
        "1G\n",
        "-1",
        "\u0661",
        "1 G",
    ],
)
def test_no_quantity(text):
    """What only looks like a quantity is none."""
    assert quantity(text) is None


@given(st.integers(0, 10**7 - 1), st.sampled_from("kMGTPE"), st.sampled_from(["", "B"]))
def test_units_step_by_a_thousand(number, unit, byte):
    """A unit is a thousand of the one before, however many digits there are."""
    below = {"k": "", "M": "k", "G": "M", "T": "G", "P": "T", "E": "P"}[unit]
    assert quantity(f"{number}{unit}{byte}") == 1000 * quantity(f"{number}{below}")


def test_pairs():
    """The tables have the pairs of the contract and no more."""
    assert len(CONTAINERS) == 27
    assert {(Decimal(cpu), quantity(memory)) for cpu, memory in ROWS} <= CONTAINERS
    assert {(Decimal("0.25"), G), (Decimal("0.5"), 2 * G), (Decimal(1), 4 * G)} == FUNCTIONS


@pytest.mark.parametrize(
    ("workload", "fields"),
    [
        (workload("1", "4G", "400M"), []),
        (workload("1", "4000M", "0.4G"), []),
        (workload("1000m", "4000000000"), []),
        (workload("0.125", "250M", "400M"), []),
        (workload("0.125", "250M", "401M"), ["ephemeral_storage"]),
        (workload("1", "4G", "4G"), []),
        (workload("1", "4G", "4001M"), ["ephemeral_storage"]),
        (workload("12", "48G", "48G"), []),
        (workload("1", "4Gi"), ["memory"]),
        (workload("3", "4G"), ["memory"]),
        (workload("0.125", "2G"), ["memory"]),
        (workload("1", "3G", "8G"), ["memory", "ephemeral_storage"]),
        (workload("1.2.3", "4G", "9G"), ["cpu"]),
        (workload(".", "1e", "BG"), ["cpu", "memory", "ephemeral_storage"]),
    ],
)
def test_sizes(workload, fields):
    """Memory goes with CPU, and storage is no more than memory or 400M."""
    assert faulty(workload) == fields


@pytest.mark.parametrize(("cpu", "memory", "fields"), [("0.25", "1G", []), ("1", "2G", ["memory"])])
def test_sizes_of_functions(cpu, memory, fields):
    """Functions have pairs of their own."""
    assert faulty(workload(cpu, memory), FUNCTIONS) == fields
