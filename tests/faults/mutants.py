"""The code with one guard taken out: what the lifecycle machine must find.

A mutant is a function of `shared` compiled anew with one text of it replaced; it takes the place
of the true one wherever that is used, for as long as the block runs.
"""

import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from shared import (
    audit,
    auth,
    lifecycle,
    local_keys,
    places,
    projects,
    purge,
    resources,
    retention,
    store,
)


class Mutant(NamedTuple):
    """What is taken out, and where: in a function, one text for another."""

    name: str
    function: Any
    text: str
    instead: str


MUTANTS = [
    # Moves and deadlines.
    Mutant("restore_ignores_the_deadline", lifecycle.move, 'now >= project["purge_at"]', "False"),
    Mutant("restore_at_the_deadline", lifecycle.move, 'now >= project["p', 'now > project["p'),
    Mutant("moves_ignore_the_status", lifecycle.move, "status not in sources", "False"),
    Mutant("deadline_a_second_late", lifecycle._stamps, "now + RETENTION",
           "now + RETENTION + timedelta(seconds=1)"),
    Mutant("moves_without_a_precondition", projects._transition,
           "writes.update(read[path], changes)", "writes.Write(path, changes, tuple(changes))"),
    Mutant("moves_without_an_entry", projects._transition, "changes), witness]", "changes)]"),
    Mutant("lost_answers_are_not_recognised", store.Store.transact,
           "if sent and read[operation].fields is not None", "if False"),
    Mutant("another_account_may", auth.owned,
           "!= principal.account", '!= document.fields["account_id"]'),
    # Create.
    Mutant("cap_off_by_one", projects.create, "len(slots) >=", "len(slots) >"),
    Mutant("names_are_not_unique", projects.create, "if name in slots.values()", "if False"),
    Mutant("claims_without_a_precondition", projects._claim,
           "update_time=region.update_time", "update_time=None"),
    Mutant("create_without_an_entry", projects.create,
           'audit.by(call, "project.create", project, now),', ""),
    # What a project holds.
    Mutant("writes_ignore_the_status", lifecycle.require_active, "!= ACTIVE", '== ""'),
    Mutant("writes_without_an_entry", places.Place.witnesses,
           ", audit.by(call, action, project.fields or {}, now, self.key)", ""),
    Mutant("the_count_is_not_kept", resources.delete,
           "*place.usage(read).write({}, [place.key]),", ""),
    Mutant("values_are_stored_in_clear", places.Place.stored,
           "if name not in self.kind.sealed", ""),
    # The purge.
    Mutant("purge_ignores_the_status", purge.advance,
           'document.fields["status"] != HARD_DELETING', "False"),
    Mutant("key_is_not_destroyed", purge.advance, "app.keyring.destroy(project_id)", "pass"),
    Mutant("key_is_destroyed_late", purge.advance, "app.keyring.destroy(project_id)",
           "document.fields.get('nudged_at') and app.keyring.destroy(project_id)"),
    Mutant("half_stays_in_the_key_store", local_keys.FileKeyStore.destroy, "file.unlink()", "pass"),
    Mutant("nothing_is_swept", purge.advance, "if children:", "if False:"),
    Mutant("slot_is_not_freed", purge._tombstone,
           "writes.Write(region, {}, mask=[slot(project_id)]),", ""),
    Mutant("no_tombstone", purge._tombstone,
           'writes.create(f"tombstones/{project_id}", tombstone),', ""),
    Mutant("end_without_an_entry", purge._tombstone,
           'audit.entry(f"{project_id}.erase", "project.erase", project, now, who),', ""),
    # The schedule.
    Mutant("nothing_expires", retention._due, "return [", "return [] and ["),
    Mutant("nothing_is_tried_again", retention._failed, "return [", "return [] and ["),
    Mutant("orphan_keys_stay", retention._unconfirmed, "return [", "return [] and ["),
    Mutant("entries_are_overwritten", audit.entry, 'writes.create(f"audit/{entry_id}", fields)',
           'writes.Write("audit/one", fields)'),
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
