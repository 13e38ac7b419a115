"""Holds the lock files against pyproject.toml (`make check`); `make lock` renews them.

tests/requirements.lock pins all that a checkout installs, deploy/requirements.lock what functions/
and shared/ need of it, which deploy/requirements.in names. It reads files alone: it must never ask
an index.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
WHOLE, NAMES, PART = "tests/requirements.lock", "deploy/requirements.in", "deploy/requirements.lock"
HASH = re.compile(r"hash=sha256:[0-9a-f]{64}")
EXACT = re.compile(r"==([^*,=]+)")


class Pin(NamedTuple):
    """A package at a version; one name may have several, each for other machines."""

    name: str
    version: Version


def main() -> None:
    """Print what is wrong; exit with 1 if anything is."""
    wrong = list(problems(ROOT))
    print("\n".join(wrong) or "the locks hold what pyproject.toml admits")
    sys.exit(bool(wrong))


def problems(root: Path) -> Iterator[str]:
    """Give what is wrong with the locks, a line each."""
    asked = tomllib.loads((root / "pyproject.toml").read_text())
    whole, wrong = pins(root / WHOLE)
    yield from (f"{WHOLE}: {line}" for line in wrong)
    part, wrong = pins(root / PART)
    yield from (f"{PART}: {line}" for line in wrong)
    everything = asked["project"]["optional-dependencies"] | {
        "": asked["project"]["dependencies"],
        "build-system": asked["build-system"]["requires"],
    }
    own = asked["project"]["name"]  # an extra may name others of the project's
    needs = [need for texts in everything.values() for need in parsed(texts) if need.name != own]
    yield from (f"{WHOLE}: {line}" for line in unmet(needs, whole))
    ranges = {key(need): need for need in parsed(asked["project"]["dependencies"])}
    for name in names(root / NAMES):
        if name not in ranges:
            yield f"{NAMES}: {name} is no dependency in pyproject.toml"
        else:
            yield from (f"{PART}: {line}" for line in unmet([ranges[name]], part))
    for pin in sorted(part - whole):
        yield f"{PART}: {pin.name} {pin.version} is not what {WHOLE} tests"


def pins(lock: Path) -> tuple[set[Pin], list[str]]:
    """Give what a lock pins, and which of its lines pin nothing, or not to the byte."""
    found, wrong = set(), []
    for line in lines(lock):
        said, *options = line.split(" --")
        pin = pin_of(said)
        if pin is None:
            wrong.append(f"{said!r} is no package at one version")
        elif not options or not all(HASH.fullmatch(option) for option in options):
            wrong.append(f"{pin.name} has no hash, or more than hashes")
        else:
            found.add(pin)
    return found, wrong


def pin_of(said: str) -> Pin | None:
    """Give what a line pins, if it is a package at one version."""
    try:
        need = Requirement(said)
    except InvalidRequirement:
        return None
    exact = EXACT.fullmatch(str(need.specifier))
    return Pin(key(need), Version(exact[1])) if exact else None


def lines(file: Path) -> list[str]:
    """Give the lines of a file of requirements, joined where they go on, without comments."""
    text = re.sub(r"(?m)(^|\s)#.*$", "", file.read_text()).replace("\\\n", " ")
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def names(file: Path) -> list[str]:
    """Give the packages that a file names."""
    return [canonicalize_name(line) for line in lines(file)]


def parsed(texts: list[str]) -> list[Requirement]:
    """Give what is required."""
    return [Requirement(text) for text in texts]


def key(need: Requirement) -> str:
    """Give a package's name in the form that compares."""
    return canonicalize_name(need.name)


def unmet(needs: list[Requirement], locked: set[Pin]) -> Iterator[str]:
    """Give each requirement that is not pinned, or pinned to what its range does not admit."""
    for need in needs:
        versions = [pin.version for pin in locked if pin.name == key(need)]
        if not versions:
            yield f"{need.name} is not locked: `make lock UPGRADE=` adds it"
        for version in versions:
            if not need.specifier.contains(version, prereleases=True):
                yield f"{need.name} {version} is locked, pyproject.toml asks for {need.specifier}"


if __name__ == "__main__":
    main()
