"""The worlds that are walked, and every guard of the lifecycle's code with what it prevents.

A removal names the guards to take out, the world in which that shows, and the invariant that
breaks. Where one guard stands behind another, only both together show: then it names both.
"""

from typing import NamedTuple

from tests.reliability.model import World

LIFE = frozenset({"create", "delete", "restore", "reclaim", "expire"})
PURGE = frozenset({"create", "reclaim", "write", "nudge", "fail", "retry"})

WORLDS = {
    world.name: world
    for world in (
        World("life", kinds=LIFE | {"write"}, requests=2, schedules=1, horizon=3),
        World("moves", kinds=LIFE | {"retry", "fail"}, requests=2, schedules=2, workers=0),
        World("purge", kinds=PURGE, workers=2, horizon=0, faults=frozenset({"crash", "drop", "lie"}), events=2, resources=2),
        World("slots", "ab", kinds=frozenset({"create", "reclaim", "nudge"}), requests=2, workers=2, horizon=0),
        World("names", "aa", 2, kinds=frozenset({"create", "reclaim", "nudge"}), requests=2, workers=1, horizon=0),
        World("orphans", kinds=frozenset({"create", "reclaim", "settle", "nudge"}), requests=1, schedules=2, workers=1, horizon=0),
        World("keys", kinds=frozenset({"create", "read", "write", "reclaim", "nudge"}), requests=3, workers=1, horizon=0),
        World("answers", kinds=LIFE, requests=2, horizon=2, faults=frozenset({"lost", "crash", "drop"})),
    )
}


class Removal(NamedTuple):
    """Guards taken out, what they say, where it shows, and as what."""

    guards: tuple[str, ...]
    said: str
    world: str
    breaks: str


REMOVALS: list[Removal] = []
