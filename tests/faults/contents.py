"""What a project holds: read, then commit with the project verified; and reads."""

from collections.abc import Iterator

from tests.faults.frame import Frame, Step
from tests.faults.model import ACTIVE, CONFIRMED, NEW, SOFT, Job, State


class Contents(Frame):
    """The steps of `resources` and `places`."""

    def _write_pick(self, state: State, job: Job) -> Iterator[Step]:
        """`resources`: the read, which finds the resource or does not."""
        held = state.projects[job.p].held
        for n, bit in enumerate(self.bits):
            picked = Job("write", job.p, "commit", job.fresh, n, bool(held & bit))
            yield f"write {job.p} picks {n}", self._next(state, job, picked), ""

    def _write_commit(self, state: State, job: Job) -> Iterator[Step]:
        """`resources.create` or `delete`: the commit, with `Place.witnesses`."""
        p, project, bit = job.p, state.projects[job.p], self.bits[job.seen]
        fits = bool(project.held & bit) == bool(job.extra) or "resource_precondition" in self.off
        if not fits or (not job.fresh and "write_verify" not in self.off):
            yield f"write {p} comes second", self._next(state, job, None), ""
            return
        why = ""
        if bool(project.held & bit) != bool(job.extra):
            why = "I22: two writes of one resource stand on the same read"
        elif project.status not in (ACTIVE, SOFT):
            why = "I12: a resource is written after the mark"
        held = project.held & ~bit if job.extra else project.held | bit
        word = "deletes" if job.extra else "stores"
        yield f"write {p} {word} {job.seen}", self._next(state, job, None, held=held), why

    def _read_open(self, state: State, job: Job) -> Iterator[Step]:
        """`keyring.open`, within `Place.bodies`: out of the cache, or of the two halves."""
        project = state.projects[job.p]
        why = "I9: plaintext of a project that is not active" if job.extra else ""
        if project.cached:
            yield f"read {job.p} answers", self._next(state, job, None), why
        elif project.half in (NEW, CONFIRMED):
            then = job._replace(at="keep", fresh=1)
            yield f"read {job.p} opens the key", self._next(state, job, then), ""
        else:
            yield f"read {job.p} finds no key", self._next(state, job, None), ""

    def _read_keep(self, state: State, job: Job) -> Iterator[Step]:
        """The end of `keyring.open`: the cache keeps the key, unless one was shredded."""
        cached = 1 if job.fresh or "cache_count" in self.off else state.projects[job.p].cached
        why = "I9: plaintext of a project that is not active" if job.extra else ""
        yield f"read {job.p} answers", self._next(state, job, None, cached=cached), why
