"""The code with one guard taken out: what the lifecycle machine must find.

A mutant is a function of `shared` compiled anew with one text of it replaced; it takes the place
of the true one wherever that is used, for as long as the block runs.
"""

import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from shared import lifecycle
from shared.access import roles
from shared.evidence import entries
from shared.keys import local
from shared.projects import projects, reclamations, slots
from shared.resources import change, readers, sealing, verbs
from shared.store import firestore
from shared.upkeep import orphans, purge, schedule
from shared.wire import denials


class Mutant(NamedTuple):
    """What is taken out, and where: in a function, one text for another."""

    name: str
    function: Any
    text: str
    instead: str


MUTANTS = [
    # Moves and deadlines.
    Mutant("restore_ignores_the_deadline", lifecycle.move, "now >= _deadline(project)", "False"),
    Mutant("restore_at_the_deadline", lifecycle.move, "now >= _dead", "now > _dead"),
    Mutant("moves_ignore_the_status", lifecycle.move, "not in sources", "in ()"),
    Mutant("deadline_a_second_late", lifecycle._stamps, "now + RETENTION",
           "now + RETENTION + timedelta(seconds=1)"),
    Mutant("moves_without_a_precondition", projects.move,
           "evidence.moved(app, read[path], project.changes(before))",
           "Write(path, new := evidence.moved(app, read[path], project.changes(before)).fields,"
           " tuple(new))"),
    Mutant("moves_without_an_entry", projects.move,
           "*held, moved, entry, *left]", "*held, moved, *left]"),
    Mutant("any_deletion_is_meant", reclamations._ended,
           "project.reclamation_id != wanted", "False"),
    Mutant("reclamations_are_of_projects", projects.move,
           "reclamation_id = app.new_id()", "reclamation_id = project_id"),
    Mutant("lost_answers_are_not_recognised", firestore.Store.transact,
           "if sent and read[operation].fields is not None", "if False"),
    Mutant("another_account_may", roles.owned,
           "!= principal.account", '!= document.fields["account_id"]'),
    # Create.
    Mutant("cap_off_by_one", slots.claim, "len(slots) >=", "len(slots) >"),
    Mutant("names_are_not_unique", slots.claim, "if name in slots.values()", "if False"),
    Mutant("claims_without_a_precondition", slots.claim,
           "update_time=region.update_time", "update_time=None"),
    Mutant("create_without_an_entry", projects.create,
           'evidence.by(app, call.origin, "project.create", project, now, **_committed(project)),',
           ""),
    # What a project holds.
    Mutant("writes_ignore_the_status", lifecycle.require_active, "!= ACTIVE", '== ""'),
    Mutant("writes_without_an_entry", change.commit,
           "verify(read[place.home]), entry, *left]", "verify(read[place.home]), *left]"),
    Mutant("secrets_are_told_without_an_entry", readers.noted, "if names and wanted", "if False"),
    Mutant("denials_without_an_entry", denials.leave, "if untold is None", "if True"),
    Mutant("the_count_is_not_kept", verbs.delete,
           "change.writes.extend(change.usage(kind).write({}, [place.key]))", ""),
    Mutant("values_are_stored_in_clear", sealing.lock, "if name not in kind.sealed", ""),
    # The purge.
    Mutant("purge_ignores_the_status", purge.advance,
           'document.fields["status"] != HARD_DELETING', "False"),
    Mutant("key_is_not_destroyed", purge._destroy, "app.keyring.destroy(project.id)", "[]"),
    Mutant("destruction_is_not_noted", purge._noted, '"shredding_at": now, ', ""),
    Mutant("key_is_destroyed_late", purge._destroy, "app.keyring.destroy(project.id)",
           "app.keyring.destroy(project.id) if project.nudged_at else []"),
    Mutant("half_stays_in_the_key_store", local.FileKeyStore.destroy, "file.unlink()", "pass"),
    Mutant("nothing_is_swept", purge._children, "if size <= quotas.SWEEP_BYTES", "if False"),
    Mutant("slot_is_not_freed", purge._tombstone, "release(project),", ""),
    Mutant("no_tombstone", purge._tombstone, """Write.create(
            f"tombstones/{project.id}",
            tombstone | {"status": str(project.status), "erased_at": now},
        ),""", ""),
    Mutant("end_without_an_entry", purge._tombstone,
           "*certificate.writes(app, project, shown, now),", ""),
    # The schedule.
    Mutant("nothing_expires", schedule._due, "return [", "return [] and ["),
    Mutant("nothing_is_tried_again", schedule._failed, "return [", "return [] and ["),
    Mutant("orphan_keys_stay", orphans.unconfirmed, "return [", "return [] and ["),
    Mutant("entries_are_overwritten", entries._stored,
           'Write.create(f"audit/{entry_id}", {', 'Write("audit/one", {'),
]  # fmt: skip


@contextmanager
def broken(mutant: Mutant) -> Iterator[None]:
    """Put a mutant in the place of the true function."""
    function, text = mutant.function, inspect.getsource(mutant.function)
    assert text.count(mutant.text) == 1, f"{mutant.name} is not in the code: {mutant.text}"
    space = dict(function.__globals__)
    exec(textwrap.dedent(text.replace(mutant.text, mutant.instead)), space)
    true, function.__code__ = function.__code__, space[function.__name__].__code__
    try:
        yield
    finally:
        function.__code__ = true
