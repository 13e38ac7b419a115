"""The model of the lifecycle: its worlds hold, and it finds every guard that is taken out."""

import os
import re
from functools import cache
from pathlib import Path

import pytest

from tests.faults import contents, creates, moves, purging, steps, tending
from tests.faults.explorer import explore, main, removed
from tests.faults.guards import REMOVALS, WIDE, WORLDS
from tests.faults.model import SOURCES

ROOT = Path(__file__).parents[2]

# `make prove` walks the wide world too: it takes a minute.
LARGE, LONG = {"life", "answers", "slots", "whole", WIDE.name}, pytest.mark.slow
WALKED = {**WORLDS, **({WIDE.name: WIDE} if "HYPOTHESIS_EXAMPLES" in os.environ else {})}
LIFECYCLE = (
    "lifecycle",
    "projects/projects",
    "projects/slots",
    "upkeep/purge",
    "upkeep/schedule",
    "upkeep/orphans",
    "evidence/entries",
    "resources/change",
)
PRECONDITION = re.compile(
    r"Write\.(create|replace|update|verify|delete)\(|evidence\.(born|moved)\("
    r"|(exists|update_time)="
    r'|^    "\w+": \(frozenset|now (>=|<) _deadline'
)
MORE = 4  # steps that are walked beyond those in which two guards show together
BESIDE = {  # preconditions behind another that already decides, and why
    "evidence.born(app, project)": "no two requests mint one id",
    "exists=region.fields is not None": "update_time, for a region that is yet to be",
    "Write.verify(read[key]) for key in keys": "who calls is no part of the model: access/",
    "*usage.write({place.key: EVERYTHING})": "it goes with its project",
    **dict.fromkeys(
        ('"begun": True', '{"begun": False}', "Write.create(end.path,"),
        "it is of keys, which are no part of the model: upkeep/test_trail.py",
    ),
    '"erase": (frozenset({HARD_DELETING})': "the read of purge.advance decided it",
}


def named(removal):
    """Give a removal's guards in words."""
    return " and ".join(removal.guards)


@cache
def walked(name):
    """Walk a world once."""
    return explore(WALKED[name])


@cache
def taken_out(removal):
    """Take out a guard once."""
    return removed(removal)


@pytest.mark.claim("model", "the lifecycle's invariants hold in every state of the model")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=LONG if name in LARGE else ()) for name in WALKED]
)
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
    found = taken_out(removal)
    assert found.why.startswith(removal.stop)
    assert found.trace


def test_guards_are_in_the_code(subtests):
    """A guard of the model is a line of the code: where that changes, so must the model."""
    for removal in REMOVALS:
        with subtests.test(named(removal)):
            assert re.search(removal.line, (ROOT / removal.file).read_text())


@pytest.mark.parametrize("removal", [r for r in REMOVALS if len(r.guards) > 1], ids=named)
def test_one_stands_behind_the_other(removal):
    """Where two guards are taken out together, neither shows alone in as many steps and more."""
    deepest = len(taken_out(removal).trace) + MORE
    for guard in removal.guards:
        alone = WORLDS[removal.world]._replace(off=frozenset({guard}))
        assert explore(alone, removal.stop, deepest).why == ""


@pytest.mark.claim("model", "every precondition of the lifecycle's code is a guard of the model")
def test_every_precondition_is_a_guard(record_property):
    """No line of these files has one that no removal takes out, but for those told above."""
    guards, others = 0, []
    for name in LIFECYCLE:
        file = f"shared/{name}.py"
        text = (ROOT / file).read_text()
        spans = [re.search(r.line, text).span() for r in REMOVALS if r.file == file]
        known = {
            n for a, b in spans for n in range(text.count("\n", 0, a), text.count("\n", 0, b) + 1)
        }
        lines = [(n, line) for n, line in enumerate(text.split("\n")) if PRECONDITION.search(line)]
        guards += len(lines)
        others += [line for n, line in lines if n not in known and "def " not in line]
    assert [line for line in others if not any(text in line for text in BESIDE)] == []
    assert len(others) == len(BESIDE)
    record_property("said", f"{guards} lines, {len(REMOVALS)} removals")


@pytest.mark.claim("model", "the model finds every guard of the lifecycle that is taken out")
def test_traces_are_short_and_shown(capsys, record_property):
    """What `make model` prints of a guard is its invariant, and the steps that lead there."""
    found = [taken_out(removal) for removal in REMOVALS]
    steps = [len(one.trace) for one in found]
    record_property(
        "said",
        f"{len(REMOVALS)} removals, {sum(one.states for one in found):,} states; "
        f"traces of {min(steps)} to {max(steps)} steps",
    )
    assert main(["slot_alone"]) == 0
    shown = capsys.readouterr().out
    assert "I2: slots and projects disagree" in shown
    assert all(label in shown for label in removed_trace("slot_alone"))


def removed_trace(guard):
    """Give the shortest way to where a guard is missed."""
    return next(taken_out(one).trace for one in REMOVALS if one.guards == (guard,))


def test_every_switch_is_taken_out():
    """No guard of the model's steps is left out of the removals."""
    text = "".join(
        Path(module.__file__).read_text()
        for module in (contents, creates, moves, purging, steps, tending)
    )
    switches = set(re.findall(r'"(\w+)" (?:not )?in (?:self\.)?off', text))
    switches |= set(re.findall(r'_(?:upserted\(job, project|stamped\(state, job), "(\w+)"', text))
    switches |= {f"{verb}_status" for verb in SOURCES if verb != "erase"}
    switches |= {f"no_{kind}" for kind in ("expire", "nudge", "retry", "settle", "purge")}
    assert switches == {guard for removal in REMOVALS for guard in removal.guards}
