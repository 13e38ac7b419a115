"""Create, step by step: read the region, make the key, claim and store at once, confirm."""

from collections.abc import Iterator

from tests.faults.frame import Frame, Step, stale_region, without
from tests.faults.model import ACTIVE, APPLIED, CONFIRMED, KEY, NEW, Job, State


class Creates(Frame):
    """The steps of `projects.create`."""

    def _room(self, state: State, p: int) -> bool:
        """`projects.create`: tell whether the region as read has a slot, and the name, to give."""
        held = [q for q, other in enumerate(state.projects) if other.slot]
        name = self.world.names[p]
        if len(held) >= self.world.cap and "cap" not in self.off:
            return False
        return "name" in self.off or all(self.world.names[q] != name for q in held)

    def _create_key(self, state: State, job: Job) -> Iterator[Step]:
        """`keyring.create`, within `projects.create`: the second half is in the key store."""
        at = "confirm" if "key_first" in self.off else "commit"
        then = job._replace(at=at)
        yield f"create {job.p} makes its key", self._next(state, job, then, half=NEW), ""

    def _create_commit(self, state: State, job: Job) -> Iterator[Step]:
        """`projects.create`: the commit of slot, name, project, key and entry."""
        p, off, project = job.p, self.off, state.projects[job.p]
        if not job.fresh and "region_precondition" not in off:
            ended = self._next(state, job, None)
            if self._room(state, p):
                again = self._join(ended, job._replace(fresh=1))
                yield f"create {p} comes second, and reads again", again, ""
            return
        if project.key and "create_fence" not in off:
            yield f"create {p} finds itself fenced off", self._next(state, job, None), ""
            return
        jobs = stale_region(without(state.jobs, job))
        if "create_at_once" in off:
            claimed = project._replace(slot=1)
            then = (job._replace(at="store"),)
            yield f"create {p} claims", self._with(state, p, claimed, (*jobs, *then)), ""
            return
        noted = "create_entry_in_commit" not in off
        stored = self._event(project._replace(status=ACTIVE, key=KEY, slot=1, created=int(noted)))
        at = "key" if "key_first" in off else "confirm"
        yield f"create {p} commits", self._with(state, p, stored, (*jobs, Job("create", p, at))), ""
        if "lost" in self.faults:
            again = Job("create", p, "again", 0, 0, APPLIED)
            lost = self._with(state, p, stored, (*jobs, again))
            yield f"create {p} commits, and the answer is lost", lost, ""

    def _create_store(self, state: State, job: Job) -> Iterator[Step]:
        """Without one commit: the project is stored after its slot."""
        stored = self._next(state, job, None, status=ACTIVE, key=KEY, created=1)
        yield f"create {job.p} is stored", stored, ""

    def _create_confirm(self, state: State, job: Job) -> Iterator[Step]:
        """`keyring.confirm`, the end of `projects.create`."""
        half = state.projects[job.p].half
        done = self._next(state, job, None, half=CONFIRMED if half == NEW else half)
        yield f"create {job.p} confirms its key", done, ""
