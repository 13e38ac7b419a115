"""The purge: one event, one step of `purge.advance`."""

from collections.abc import Iterator

from tests.faults.frame import Frame, Step, stale, stale_region, without
from tests.faults.model import (
    CONFIRMED,
    ERASED,
    FAILED,
    FENCE,
    GONE,
    HARD,
    NEW,
    NONE,
    Job,
    Project,
    State,
)


class Purging(Frame):
    """The steps of `purge.advance`: find, begin, shred, stamp, sweep, tombstone."""

    def _take(self, state: State, p: int, project: Project) -> Iterator[Step]:
        """`on_project_written`, and the read of `purge.advance`."""
        taken = project._replace(events=project.events - 1)
        ok = project.status == HARD or (project.status and "purge_status" in self.off)
        if not ok:
            yield f"event of {p}: nothing", self._with(state, p, taken, state.jobs), ""
            return
        at = "look" if project.stamped and "stamp_seen" not in self.off else "destroy"
        if at == "destroy" and not project.begun:
            at = "find"
        if "shred_first" in self.off and project.held:
            at = "look"
        if "stamp_after" in self.off and at == "destroy":
            at = "stamp"
        seen = project.swept
        if "slot_alone" in self.off:  # what the map of the slots was
            seen = sum(other.slot << q for q, other in enumerate(state.projects))
        begun = self._with(state, p, taken, (*state.jobs, Job("purge", p, at, 1, seen)))
        yield f"event of {p}: purge reads", begun, ""

    def _purge_find(self, state: State, job: Job) -> Iterator[Step]:
        """`KeyStore.holds`: there is a half, or none that nobody destroyed."""
        project = state.projects[job.p]
        if "half_found" in self.off or (project.half in (NEW, CONFIRMED) and project.away != 1):
            then = job._replace(at="destroy" if "begun_first" in self.off else "begin")
            yield f"purge {job.p} finds the half", self._next(state, job, then), ""
        else:
            then = job._replace(at="fail")
            yield f"purge {job.p} finds no half", self._next(state, job, then), ""

    def _purge_begin(self, state: State, job: Job) -> Iterator[Step]:
        """`purge.advance`: the commit of `shredding_at`."""
        yield self._stamped(state, job, "begin_precondition", "notes that it begins", begun=1)

    def _purge_fail(self, state: State, job: Job) -> Iterator[Step]:
        """`purge.advance`: the commit of `hard_deletion_failed`."""
        yield self._stamped(state, job, "lost_precondition", "gives up", status=FAILED)

    def _stamped(self, state: State, job: Job, guard: str, word: str, **changes: int) -> Step:
        """Give the commit of one step of the purge, or that it comes second."""
        p, project = job.p, state.projects[job.p]
        why = self._upserted(job, project, guard)
        if why is None:
            return f"purge {p} comes second", self._next(state, job, None), ""
        return f"purge {p} {word}", self._written(state, job, project._replace(**changes)), why

    def _purge_destroy(self, state: State, job: Job) -> Iterator[Step]:
        """`KeyStore.destroy`; a store that lies is caught by its reading back."""
        p, then = job.p, job._replace(at="forget")
        half = state.projects[p].half if state.projects[p].away == 1 else GONE
        yield f"purge {p} destroys the key", self._next(state, job, then, half=half), ""
        if "lie" in self.faults and state.projects[p].half != GONE:
            told = f"the key store lies to purge {p}"
            if "read_back" in self.off:
                yield told, self._next(state, job, then), ""
            else:
                again = self._event(state.projects[p]).events
                yield told, self._next(state, job, None, events=again), ""

    def _purge_forget(self, state: State, job: Job) -> Iterator[Step]:
        """The end of `keyring.destroy`: the cache forgets."""
        p, then = job.p, None if "stamp_after" in self.off else job._replace(at="stamp")
        changes = {} if "cache_forget" in self.off else {"cached": 0}
        forgot = self._next(state, job, then, **changes)
        jobs = (j._replace(fresh=0) if j.kind == "read" and j.p == p else j for j in forgot.jobs)
        yield f"purge {p} forgets the key", forgot._replace(jobs=tuple(sorted(jobs))), ""

    def _upserted(self, job: Job, project: Project, guard: str) -> str | None:
        """Give what a commit of the purge breaks, None when its precondition refuses it."""
        if not job.fresh and guard not in self.off:
            return None
        return "" if project.status else "I5: a project document appears that nobody created"

    def _purge_stamp(self, state: State, job: Job) -> Iterator[Step]:
        """`purge.advance`: the commit of `shredded_at`, with the first half."""
        p, project = job.p, state.projects[job.p]
        why = self._upserted(job, project, "stamp_precondition")
        if why is None:
            yield f"purge {p} comes second", self._next(state, job, None), ""
            return
        then = (Job("purge", p, "destroy", 1),) if "stamp_after" in self.off else ()
        stamped = project._replace(stamped=1, key=0, swept=0)
        yield f"purge {p} stamps shredded_at", self._written(state, job, stamped, *then), why

    def _purge_look(self, state: State, job: Job) -> Iterator[Step]:
        """`store.below`, within `purge.advance`: one batch, or nothing left."""
        held, key = state.projects[job.p].held, state.projects[job.p].key
        if key == FENCE:  # the sweep finds it as it finds all below the project
            then = job._replace(at="sweep", extra=0)
            yield f"purge {job.p} finds a fence", self._next(state, job, then), ""
        if held and "sweep_all" not in self.off:
            for bit in self.bits:
                if held & bit:
                    then = job._replace(at="sweep", extra=bit)
                    yield f"purge {job.p} finds {bit}", self._next(state, job, then), ""
        else:
            then = job._replace(at="end" if "destroyed_again" in self.off else "anew")
            yield f"purge {job.p} finds nothing left", self._next(state, job, then), ""

    def _purge_anew(self, state: State, job: Job) -> Iterator[Step]:
        """`KeyStore.destroy`, once more before the tombstone."""
        then = job._replace(at="end")
        yield f"purge {job.p} destroys the key again", self._next(state, job, then, half=GONE), ""

    def _purge_sweep(self, state: State, job: Job) -> Iterator[Step]:
        """`purge.advance`: the commit that deletes a batch."""
        p, project = job.p, state.projects[job.p]
        why = self._upserted(job, project, "sweep_precondition")
        if why is None:
            yield f"purge {p} comes second", self._next(state, job, None), ""
            return
        if project.half != GONE and not project.back:
            why = "I10: a document is deleted before the key is gone"
        left = project._replace(held=project.held & ~job.extra, swept=job.seen + 1)
        swept = left if job.extra else project._replace(key=0)  # of a fence no count is held here
        yield f"purge {p} sweeps {job.extra}", self._written(state, job, swept), why

    def _purge_end(self, state: State, job: Job) -> Iterator[Step]:
        """`purge._tombstone`: the commit that ends a project."""
        p, off, project = job.p, self.off, state.projects[job.p]
        if (not job.fresh and "end_precondition" not in off) or (
            project.tomb and "end_once" not in off
        ):
            yield f"purge {p} comes second", self._next(state, job, None), ""
            return
        yield (
            f"purge {p} writes the tombstone",
            self._ended(state, job, project),
            self._why_not_end(project),
        )

    def _why_not_end(self, project: Project) -> str:
        """Give the invariant that this end breaks."""
        if project.tomb:
            return "I15: two ends of one project"
        if project.status == FAILED:
            return "I14: a project ends that has been given up"
        if project.swept != project.kept.bit_count() and "slot_alone" not in self.off:
            return "I20: the tombstone's count is not what was swept"
        return ""

    def _ended(self, state: State, job: Job, project: Project) -> State:
        """What `purge._tombstone` writes."""
        off, p = self.off, job.p
        gone = project._replace(
            status=NONE,
            tomb=0 if "tombstone_in_commit" in off else ERASED,
            slot=1 if "slot_in_commit" in off else 0,
            erased=project.erased + ("erase_entry_in_commit" not in off),
        )
        jobs = stale_region(stale(without(state.jobs, job), p))
        after = self._with(state, p, gone, jobs)
        if "slot_alone" in off:  # the whole map is written as it was read
            projects = (
                other._replace(slot=job.seen >> q & 1 if q != p else 0)
                for q, other in enumerate(after.projects)
            )
            after = after._replace(projects=tuple(projects))
        return after
