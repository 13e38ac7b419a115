"""Walk every interleaving of a world, breadth first: the first broken state has a shortest way.

`make model` walks all worlds, then takes out each guard in turn and prints how the lifecycle breaks
without it; `make model GUARDS="cap slot"` does so for the guards with such a word in their names.
Bounded: a world of more than MOST states is refused.
"""

import sys
import time
from collections import deque
from dataclasses import dataclass

from tests.faults.guards import REMOVALS, WIDE, WORLDS, Removal
from tests.faults.model import FAILED, HARD, NEW, SOFT, State, World, broken, unfinished
from tests.faults.steps import Steps

MOST = 4_000_000
SETTLED = 80  # steps of the schedule and its events after which it must have come to rest


@dataclass(frozen=True)
class Found:
    """What a walk found: how many states, and the first that is broken, with the way to it."""

    states: int
    why: str = ""
    trace: tuple[str, ...] = ()


def explore(world: World, stop: str = "", deepest: int = sys.maxsize) -> Found:
    """Walk a world to its end, or to the first broken state (whose words begin with `stop`).

    No way of more than `deepest` steps is walked.
    """
    steps = Steps(world)
    start = world.start
    came: dict[State, tuple[State, str] | None] = {start: None}
    rested: dict[tuple[object, ...], str] = {}
    todo = deque([(start, 0)])
    while todo:
        state, taken = todo.popleft()
        for label, after, why in steps.after(state):
            new = after not in came
            whys = [why]
            if new:
                whys += broken(world, after), _unsettled(steps, after, rested)
            for found in filter(None, whys):
                if found.startswith(stop):
                    return Found(len(came), found, (*_way(came, state), label))
            if new:
                came[after] = (state, label)
                if taken + 1 < deepest:
                    todo.append((after, taken + 1))
        if len(came) > MOST:
            raise OverflowError(f"world `{world.name}` has more than {MOST} states")
    return Found(len(came))


def _way(came: dict[State, tuple[State, str] | None], state: State) -> list[str]:
    way = []
    while before := came[state]:
        state, label = before
        way.append(label)
    return way[::-1]


def _unsettled(steps: Steps, state: State, rested: dict[tuple[object, ...], str]) -> str:
    """Tell what is wrong with where a state ends if from now on nothing fails and nobody asks."""
    if state.jobs or any(project.events for project in state.projects):
        return ""  # it is reached without them too: they may die, and be lost
    if state.projects not in rested:
        rested[state.projects] = unfinished(_settled(steps, state))
    return rested[state.projects]


def _settled(steps: Steps, state: State) -> State:
    """Give where the schedule and its events alone bring a state, a long time later."""
    seen = tuple(p._replace(away=2) if p.away else p for p in state.projects)
    state = state._replace(clock=1_000, projects=seen)
    calm = Steps(steps.world._replace(faults=frozenset()))
    for _ in range(SETTLED):
        step = _next(calm, state)
        if step is None:
            return state
        state = step
    return state


def _next(calm: Steps, state: State) -> State | None:
    if state.jobs:
        return next((after for _, after, _ in calm.go_on(state, state.jobs[0])), None)
    for p, project in enumerate(state.projects):
        wanted = {SOFT: "expire", FAILED: "retry", HARD: "nudge"}.get(project.status, "")
        if project.events:
            wanted = "purge"
        elif project.half == NEW:
            wanted = "settle"
        if wanted and f"no_{wanted}" not in calm.off:
            return next((after for _, after, _ in calm.begin(state, wanted, p)), None)
    return None


def removed(removal: Removal) -> Found:
    """Walk a removal's world without its guards, until its invariant breaks."""
    world = WORLDS[removal.world]
    return explore(world._replace(off=frozenset(removal.guards)), removal.stop)


def main(words: list[str]) -> int:
    """Print what was found; 1 if a world is broken, or a removal is not found."""
    bad, total, began = 0, 0, time.monotonic()
    chosen = [one for one in REMOVALS if _meant(one, words)]
    for world in () if words else (*WORLDS.values(), WIDE):
        found = explore(world)
        total += found.states
        bad += bool(found.why)
        print(f"{world.name:10} {found.states:9,} states  {found.why or 'all invariants hold'}")
        _tell(found)
    for removal in chosen:
        found = removed(removal)
        bad += not found.why
        name = " + ".join(removal.guards)
        print(f"\nwithout {name} ({removal.file}), in `{removal.world}`:")
        print(f"  {found.why or 'NOT FOUND'} [{len(found.trace)} steps, {found.states:,} states]")
        _tell(found)
    spent = time.monotonic() - began
    print(f"\n{total:,} states; {len(chosen)} removals, {bad} not as they must be; {spent:.0f} s")
    return bool(bad or not chosen)


def _meant(removal: Removal, words: list[str]) -> bool:
    """Tell whether one of the words is in the name of one of the guards."""
    return not words or any(word in guard for word in words for guard in removal.guards)


def _tell(found: Found) -> None:
    for number, label in enumerate(found.trace, 1):
        print(f"    {number:2} {label}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
