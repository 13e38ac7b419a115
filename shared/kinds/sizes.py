"""CPU, memory and storage of what shall run: exact quantities, and which go together. Pure."""

import re
from collections.abc import Mapping
from decimal import Decimal

from shared.errors import Error, invalid
from shared.kinds.rules import Fields

Pairs = frozenset[tuple[Decimal, Decimal]]

CPU, MEMORY, STORAGE = "scale_cpu_limit", "scale_memory_limit", "scale_ephemeral_storage_limit"
QUANTITY = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([num]|[kKMGTPE]i?B?)?")
UNITS = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("KMGTPE", 1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
}


def quantity(text: str) -> Decimal | None:
    """Give a quantity in cores or bytes, exactly; None for what is none, such as `1.2.3G`.

    Units are decimal, or binary with an `i`; an added `B` changes nothing (contract section 0,
    QTY: ten characters at most, which is what keeps the product exact).
    """
    found = QUANTITY.fullmatch(text)
    if not found:
        return None
    unit = (found[2] or "").removesuffix("B")
    return Decimal(found[1]) * UNITS[unit.replace("k", "K")]


def _pairs(table: Mapping[str, str]) -> Pairs:
    """Read a table of cores, each with the gigabytes that go with them."""
    found = ((cores, size) for cores, sizes in table.items() for size in sizes.split())
    return frozenset((Decimal(cores), Decimal(size) * UNITS["G"]) for cores, size in found)


# Contract section 4.2, for apps and jobs; section 4.5 for functions.
CONTAINERS = _pairs(
    {
        "0.125": "0.25 0.5 1",
        "0.25": "0.5 1 2",
        "0.5": "1 2 4",
        "1": "2 4 8",
        "2": "4 8 16",
        "4": "8 16 32",
        "6": "12 24 48",
        "8": "16 32",
        "10": "20 40",
        "12": "24 48",
    }
)
FUNCTIONS = _pairs({"0.25": "1", "0.5": "2", "1": "4"})
STORAGE_FLOOR = Decimal("400e6")  # bytes any workload may have, however small its memory


def faults(workload: Fields, pairs: Pairs) -> list[Error]:
    """Give what is wrong with the sizes of a workload (contract section 4.2).

    Its memory must go with its CPU, and its ephemeral storage, if it has any, be no more than its
    memory or 400M.
    """
    given = [field for field in (CPU, MEMORY, STORAGE) if field in workload]
    known = {field: size for field in given if (size := quantity(workload[field])) is not None}
    if len(known) < len(given):
        says = "must be a number, with a unit or without, as in `0.25` or `400M`"
        return [invalid(field, says) for field in given if field not in known]
    found = []
    if (known[CPU], known[MEMORY]) not in pairs:
        found.append(invalid(MEMORY, f"does not go with `{CPU}`: see the pairs that are supported"))
    if known.get(STORAGE, 0) > max(STORAGE_FLOOR, known[MEMORY]):
        says = f"may exceed neither 400M nor `{MEMORY}`, the larger of them"
        found.append(invalid(STORAGE, says))
    return found
