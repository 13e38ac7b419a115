"""The model of the lifecycle: its worlds hold, and it finds every guard that is taken out."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.reliability import contents, creates, moves, purging, steps, tending
from tests.reliability.explorer import explore, removed
from tests.reliability.guards import REMOVALS, WORLDS
from tests.reliability.model import SOURCES

ROOT = Path(__file__).parents[2]


def named(removal):
    """Give a removal's guards in words."""
    return " and ".join(removal.guards)


@cache
def walked(name):
    """Walk a world once."""
    return explore(WORLDS[name])


@pytest.mark.claim("model", "the lifecycle's invariants hold in every state of the model")
@pytest.mark.parametrize("name", WORLDS)
def test_world_holds(name, record_property):
    """Every interleaving of a world is walked to its end, and no invariant breaks."""
    found = walked(name)
    record_property("said", f"{name}: {found.states:,} states")
    assert found.why == "", "\n".join(found.trace)
    assert found.states > 100


@pytest.mark.claim("model", "the model finds every guard of the lifecycle that is taken out")
@pytest.mark.parametrize("removal", REMOVALS, ids=named)
def test_removal_is_found(removal):
    """Without the guard its invariant breaks, and the shortest way there is known."""
    found = removed(removal)
    assert found.why.startswith(f"{removal.breaks}:")
    assert found.trace


@pytest.mark.parametrize("removal", REMOVALS, ids=named)
def test_guard_is_in_the_code(removal):
    """A guard of the model is a line of the code: where that changes, so must the model."""
    assert re.search(removal.line, (ROOT / removal.file).read_text())


def test_every_switch_is_taken_out():
    """No guard of the model's steps is left out of the removals."""
    text = "".join(
        Path(module.__file__).read_text()
        for module in (contents, creates, moves, purging, steps, tending)
    )
    switches = set(re.findall(r'"(\w+)" (?:not )?in (?:self\.)?off', text))
    switches |= set(re.findall(r'_upserted\(job, project, "(\w+)"\)', text))
    switches |= {f"{verb}_status" for verb in SOURCES if verb != "erase"}
    switches |= {f"no_{kind}" for kind in ("expire", "nudge", "retry", "settle", "purge")}
    assert switches == {guard for removal in REMOVALS for guard in removal.guards}
