"""The schedule but for its moves: nudges, and key halves that nobody confirmed.

A half without a project whose tombstone is there, which `orphans.strays` looks for, is settled as
one that nobody confirmed: destroyed again.
"""

from collections.abc import Iterator

from tests.faults.frame import Frame, Step
from tests.faults.model import CONFIRMED, ERASED, FENCE, GONE, NEVER, NEW, Job, Project, State


class Tending(Frame):
    """The steps of `schedule._nudge` and `orphans._settle`."""

    def _settles(self, project: Project) -> str:
        """`orphans._settle`: what it decides by its read."""
        if project.status and "settle_looks" not in self.off:
            return "confirm"
        if project.tomb or "fence_first" in self.off:
            return "destroy"
        return "look" if project.key else "fence"

    def _nudge_commit(self, state: State, job: Job) -> Iterator[Step]:
        """`schedule._nudge`: the commit."""
        project = state.projects[job.p]
        if not job.fresh and "nudge_precondition" not in self.off:
            yield f"nudge {job.p} comes second", self._next(state, job, None), ""
            return
        why = "" if project.status else "I5: a project document appears that nobody created"
        yield f"nudge {job.p}", self._written(state, job, project), why

    def _settle_confirm(self, state: State, job: Job) -> Iterator[Step]:
        """`orphans._settle`: the project is stored."""
        half = state.projects[job.p].half
        done = self._next(state, job, None, half=CONFIRMED if half == NEW else half)
        yield f"settle {job.p} confirms the key", done, ""

    def _settle_fence(self, state: State, job: Job) -> Iterator[Step]:
        """`orphans._settle`: what keeps a late create out, in the place of its first half."""
        if state.projects[job.p].key and "fence_once" not in self.off:
            yield f"settle {job.p} comes second", self._next(state, job, None), ""
            return
        then = job._replace(at="look")
        yield f"settle {job.p} fences the create off", self._next(state, job, then, key=FENCE), ""

    def _settle_look(self, state: State, job: Job) -> Iterator[Step]:
        """`orphans._settle`: the second read; a project that is there came between."""
        if state.projects[job.p].status and "fence_looks" not in self.off:
            yield f"settle {job.p} finds the project", self._next(state, job, None), ""
            return
        then = job._replace(at="bury")
        yield f"settle {job.p} finds no project", self._next(state, job, then), ""

    def _settle_bury(self, state: State, job: Job) -> Iterator[Step]:
        """`orphans._settle`: the tombstone."""
        project = state.projects[job.p]
        if project.tomb and "bury_once" not in self.off:
            yield f"settle {job.p} comes second", self._next(state, job, None), ""
            return
        why = "I5: the record of an erasure is overwritten" if project.tomb == ERASED else ""
        then = None if "fence_first" in self.off else job._replace(at="destroy")
        yield f"settle {job.p} writes a tombstone", self._next(state, job, then, tomb=NEVER), why

    def _settle_destroy(self, state: State, job: Job) -> Iterator[Step]:
        """`orphans._settle`: the half of a project that never will be goes."""
        then = job._replace(at="fence") if "fence_first" in self.off else None
        done = self._next(state, job, then, half=GONE, cached=0)
        yield f"settle {job.p} destroys the key", done, ""
