"""The worlds that are walked, and every guard of the lifecycle's code with what it prevents.

A removal names the guards to take out, the world in which that shows, the invariant that breaks,
and the line of the code that is the guard. Where one guard stands behind another, only both
together show: then it names both.
"""

from typing import NamedTuple

from tests.faults.model import World

MOVES = frozenset({"create", "delete", "restore", "reclaim", "expire"})
ENDS = frozenset({"create", "delete", "reclaim", "nudge"})
PURGE = ENDS | {"write", "fail", "retry"}
LOSING = frozenset({"lost", "crash", "drop"})

WORLDS = {
    world.name: world
    for world in (
        World("life", kinds=MOVES | {"write"}, requests=2, horizon=3),
        World("moves", kinds=MOVES | {"retry", "fail"}, requests=2, schedules=2, workers=0),
        World(
            "purge",
            kinds=PURGE,
            workers=2,
            horizon=0,
            faults=frozenset({"crash", "drop", "lie"}),
            events=2,
            resources=2,
        ),
        World(
            "disks",
            kinds=PURGE,
            workers=2,
            horizon=0,
            faults=frozenset({"crash", "away", "back"}),
        ),
        World("slots", "ab", kinds=ENDS, requests=2, workers=2, horizon=0),
        World("names", "aa", 2, kinds=ENDS, requests=2, horizon=0),
        World("release", "ab", 2, kinds=ENDS - {"nudge"}, workers=2, horizon=0),
        World("orphans", kinds=ENDS | {"settle"}, schedules=2, horizon=0),
        World("keys", kinds=ENDS | {"read", "write"}, requests=3, horizon=0),
        World("writers", kinds=ENDS | {"write"}, requests=3, horizon=0),
        World("answers", kinds=MOVES - {"expire"}, requests=2, workers=0, faults=LOSING),
        World("lost", kinds=MOVES, faults=LOSING),
        World("whole", workers=2),
        World(
            "crashes",
            kinds=PURGE - {"nudge"},
            requests=2,
            workers=2,
            horizon=0,
            faults=frozenset({"crash"}),
            events=2,
        ),
    )
}
WIDE = World("wide", requests=2, workers=2)  # by the program alone: it takes two minutes


class Removal(NamedTuple):
    """Guards taken out, where it shows, as what; and where in the code they stand."""

    guards: tuple[str, ...]
    world: str
    breaks: str
    file: str
    line: str  # a regular expression that finds the guard

    @property
    def stop(self) -> str:
        """How what is found begins: with an invariant, or with all that is said of it."""
        return self.breaks if ":" in self.breaks else f"{self.breaks}:"


def _of(guards: str, world: str, breaks: str, file: str, line: str) -> Removal:
    return Removal(tuple(guards.split(" + ")), world, breaks, f"shared/{file}.py", line)


REMOVALS = [
    # Create.
    _of(
        "cap", "slots", "I1", "projects/slots", r"if len\(slots\) >= app.settings.projects_per_reg"
    ),
    _of("name", "names", "I4", "projects/slots", r"if name in slots.values\(\)"),
    _of("region_precondition", "slots", "I1", "projects/slots", r"update_time=region.update_time"),
    _of(
        "create_at_once",
        "life",
        "I2",
        "projects/projects",
        r"slots.claim\(app, read\[region\], pro",
    ),
    _of("key_first", "life", "I8", "projects/projects", r"key.update\(app.keyring.create\(project"),
    _of("create_fence", "orphans", "I5", "projects/projects", r"Write.create\(data_key_path\(pro"),
    _of(
        "create_entry_in_commit",
        "slots",
        "I15",
        "projects/projects",
        r"evidence.by\(app, call.origin, .project.create",
    ),
    # Moves.
    _of("delete_status", "moves", "I14", "lifecycle", r'"delete": \(frozenset\(\{ACTIVE\}\), SOFT'),
    _of("restore_status", "moves", "I14", "lifecycle", r'"restore": \(frozenset\(\{SOFT_DELETED\}'),
    _of("expire_status", "moves", "I7", "lifecycle", r'"expire": \(frozenset\(\{SOFT_DELETED\}'),
    _of("reclaim_status", "moves", "I14", "lifecycle", r'"reclaim": \(frozenset\(\{SOFT_DELETED\}'),
    _of(
        "reclamation",
        "moves",
        "I24",
        "projects/reclamations",
        r"if project.reclamation_id != wanted",
    ),
    _of("fail_status", "moves", "I14", "lifecycle", r'"fail": \(frozenset\(\{HARD_DELETING\}'),
    _of("retry_status", "moves", "I14", "lifecycle", r'"retry": \(frozenset\(\{HARD_DELETION_FA'),
    _of("restore_deadline", "moves", "I6", "lifecycle", r'verb == "restore" and now >= _deadline'),
    _of("expire_deadline", "moves", "I7", "lifecycle", r'verb == "expire" and now < _deadline'),
    _of("one_clock", "moves", "I6", "projects/projects", r"now, verb = app.now\(read\)"),
    _of("commit_deadline", "moves", "I6", "store/tries", r"self._end - time.monotonic\(\), quotas"),
    _of(
        "move_precondition",
        "moves",
        "I14",
        "projects/projects",
        r"evidence.moved\(app, read\[path\], project.changes",
    ),
    _of("audit_in_commit", "moves", "I15", "projects/projects", r"\*held, moved, entry, "),
    _of(
        "operation_id",
        "answers",
        "I22",
        "store/firestore",
        r"sent and read\[operation\].fields is not None",
    ),
    _of(
        "audit_once + move_precondition",
        "answers",
        "I15: one request made two changes",
        "evidence/entries",
        r"Write.create\(f.audit/",
    ),
    # What a project holds.
    _of("write_status", "writers", "I12", "resources/reading", r"require_active\(project\)"),
    _of(
        "write_verify", "writers", "I12", "resources/change", r"Write.verify\(read\[place.home\]\)"
    ),
    _of(
        "resource_precondition", "writers", "I22", "resources/change", r"Write.replace\(document, s"
    ),
    _of("read_status", "keys", "I9", "resources/reading", r"require_active\(project\)"),
    _of("cache_forget", "keys", "I11", "keys/memory", r"del self._kept\[place\]"),
    _of("cache_count", "keys", "I11", "keys/memory", r"if moment == self._forgotten"),
    # The purge.
    _of("half_found", "disks", "I11", "upkeep/purge", r"app.keyring.holds\(project.id\)"),
    _of("begun_first", "disks", "L1/L2", "upkeep/purge", r"Step\(.begin., _noted"),
    _of(
        "begin_precondition",
        "disks",
        "I5",
        "upkeep/purge",
        r"evidence.moved\(app, document, \{.shredding_at",
    ),
    _of(
        "lost_precondition",
        "disks",
        "I5",
        "upkeep/purge",
        r"evidence.moved\(app, document, after.changes",
    ),
    _of("destroyed_again", "disks", "I11", "upkeep/purge", r"_tombstone, act=_destroy"),
    _of("purge_status", "life", "I8", "upkeep/purge", r'fields\["status"\] != HARD_DELETING'),
    _of(
        "shred_first", "purge", "I10", "upkeep/purge", r"act\(app, project\)\n +try:\n +app.store.c"
    ),
    _of("stamp_after", "purge", "I11", "upkeep/purge", r'stamp = \{"shredded_at": now'),
    _of("stamp_seen", "purge", "L1/L2", "upkeep/purge", r"if project.shredded_at is None"),
    _of("read_back", "purge", "I11", "keys/local/key_store", r"if file.exists\(\)"),
    _of(
        "stamp_precondition",
        "purge",
        "I5",
        "upkeep/purge",
        r"\*\*_clock\(app\)\}\n +return \[evidence.moved\(app, document, stamp\), Write",
    ),
    _of(
        "sweep_precondition",
        "purge",
        "I5",
        "upkeep/purge",
        r'"progress_at": now\}\n +return \[evidence.moved\(app, document, stamp\)',
    ),
    _of("sweep_all", "purge", "I12", "upkeep/purge", r"if found is not None"),
    _of("end_precondition", "purge", "I14", "upkeep/purge", r"Write.delete\(document\)"),
    _of("end_precondition + end_once", "purge", "I15", "upkeep/purge", r"Write.create\(\n +f.tomb"),
    _of("tombstone_in_commit", "purge", "I5", "upkeep/purge", r"Write.create\(\n +f.tombstones/"),
    _of("slot_in_commit", "purge", "I2", "upkeep/purge", r"release\(project\),"),
    _of("slot_alone", "release", "I2", "projects/slots", r"mask=\[_slot\(project.id\)\]"),
    _of(
        "erase_entry_in_commit",
        "purge",
        "I15",
        "upkeep/purge",
        r"\*certificate.writes\(app, project",
    ),
    # The schedule.
    _of("no_expire", "life", "L1/L2", "upkeep/schedule", r"SOFT_DELETED, .purge_at., now"),
    _of("no_nudge", "purge", "L1/L2", "upkeep/schedule", r"\(.nudged., _nudge, document\)"),
    _of(
        "redelivery + no_nudge",
        "crashes",
        "L1/L2",
        "wire/serving",
        r"with contained\(\):\n +yield app",
    ),
    _of("no_retry", "purge", "L1/L2", "upkeep/schedule", r"\(.retried., _moved\(.retry.\)"),
    _of("no_settle", "orphans", "I23", "upkeep/orphans", r"\(.orphans., act, project_id\)"),
    _of("no_purge", "purge", "L1/L2", "upkeep/purge", r"def advance\("),
    _of(
        "nudge_precondition", "purge", "I5", "upkeep/schedule", r"Write.update\(document, \{.nudged"
    ),
    _of("settle_looks", "orphans", "I23", "upkeep/orphans", r"if read\[project\].fields is not"),
    _of("fence_once", "orphans", "I8", "upkeep/orphans", r"Write.create\(key, NEVER\)"),
    _of(
        "fence_looks", "orphans", "I5", "upkeep/orphans", r"store.read\(project\)\[project\].fields"
    ),
    _of("bury_once", "orphans", "I5", "upkeep/orphans", r"Write.create\(tombstone, never\)"),
    _of("fence_first", "orphans", "I8", "upkeep/orphans", r"never\)\]\)\n    app.keyring.destroy"),
]
