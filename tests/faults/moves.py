"""Moves of the lifecycle: read, then a compare-and-set with the audit entry."""

from collections.abc import Iterator

from tests.faults.frame import Frame, Step, without
from tests.faults.model import (
    ACTIVE,
    ALLOWED,
    APPLIED,
    BY_RECLAMATION,
    FORMER,
    HARD,
    NONE,
    REQUESTS,
    RETENTION,
    SOFT,
    SOURCES,
    TARGET,
    TWIN,
    Job,
    Project,
    State,
)


class Moves(Frame):
    """The steps of `projects._transition`, asked for or by the schedule."""

    def _move(self, state: State, kind: str, p: int, project: Project, how: int = 0) -> Job | None:
        """Give the read of `projects._transition` and what `lifecycle.move` decides on it.

        `how` has FORMER where it is asked by the reclamation of a deletion before the last.
        """
        off, now = self.off, state.clock
        if not project.status or (how & FORMER and "reclamation" not in off):
            return None
        if project.status not in SOURCES[kind] and f"{kind}_status" not in off:
            return None
        if kind == "restore":
            if "one_clock" in off:
                now -= 1  # the host's clock, a tick behind the store's
            if now >= project.due and "restore_deadline" not in off:
                return None
        if kind == "expire" and now < project.due and "expire_deadline" not in off:
            return None
        return Job(kind, p, "commit", 1, state.clock, how)

    def _commit_move(self, state: State, job: Job) -> Iterator[Step]:
        """`projects._transition`: the commit."""
        kind, p, label = job.kind, job.p, f"{job.kind} {job.p} commits"
        project = state.projects[p]
        if job.at == "entry":
            yield f"{kind} {p} writes its audit entry", self._entered(state, job), ""
            return
        if (not job.fresh and "move_precondition" not in self.off) or (
            job.extra & APPLIED and "audit_once" not in self.off
        ):
            yield f"{kind} {p} comes second", self._next(state, job, None), ""
            return
        late = kind == "restore" and state.clock - job.seen > 1
        if late and "commit_deadline" not in self.off:
            yield f"{kind} {p} gives up", self._next(state, job, None), ""
            return
        why = self._why_not(job, project, late=late)
        changed = self._changed(job, project)
        if "audit_in_commit" in self.off:
            then: tuple[Job, ...] = (job._replace(at="entry"),)
        else:
            then, changed = (), self._noted(kind, changed)
        moved = self._written(state, job, changed, *then)
        twins = tuple(
            j._replace(extra=j.extra | APPLIED)
            if (j.kind, j.p, j.extra & TWIN) == (kind, p, TWIN) and job.extra & TWIN
            else j
            for j in moved.jobs
        )
        moved = moved._replace(jobs=tuple(sorted(self._former(kind, p, twins))))
        yield label, moved, why
        if "lost" in self.faults and not job.extra & ~FORMER and kind in REQUESTS:
            again = Job(kind, p, "again", 0, job.seen, job.extra | APPLIED)
            yield f"{label}, and the answer is lost", self._join(moved, again), why
            twin = job._replace(extra=job.extra | TWIN)
            jobs = (*without(state.jobs, job), twin, twin._replace(at="again"))
            tried = self._with(state, p, project, jobs)
            yield f"the commit of {kind} {p} is under way, and it tries again", tried, ""

    def _former(self, kind: str, p: int, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
        """Note for who is under way by a reclamation that another deletion has come since."""
        if kind != "delete":
            return jobs
        return tuple(
            j._replace(extra=j.extra | FORMER) if j.p == p and j.kind in BY_RECLAMATION else j
            for j in jobs
        )

    def _why_not(self, job: Job, project: Project, *, late: bool) -> str:  # noqa: PLR0911 - a line each
        """Give the invariant that this move breaks, by what is really stored."""
        status, kind = project.status, job.kind
        if job.extra & APPLIED:
            return "I15: one request made two changes under one entry"
        if job.extra & FORMER:
            return f"I24: a {kind} acts on another deletion than its own"
        if status == NONE:
            return "I5: a project document appears that nobody created"
        if kind == "restore" and (job.seen >= project.due or late):
            return "I6: restored at or after the deadline"
        if kind == "expire" and (status != SOFT or job.seen < project.due):
            return "I7: a purge begins before the deadline"
        if (status, TARGET[kind]) not in ALLOWED:
            return f"I14: {kind} moves from a status it must not leave"
        return ""

    def _changed(self, job: Job, project: Project) -> Project:
        """What `lifecycle.move` writes."""
        match job.kind:
            case "delete":
                due = job.seen + RETENTION
                deletions = min(project.deletions + 1, 2)
                return project._replace(
                    status=SOFT, due=due, kept=project.held, deletions=deletions
                )
            case "restore":
                return project._replace(status=ACTIVE, due=0, kept=0)
            case "expire" | "reclaim":
                return project._replace(status=HARD, kept=project.held)
            case _:
                return project._replace(status=TARGET[job.kind])

    def _noted(self, kind: str, project: Project) -> Project:
        """Write the audit entry of a move into the counts."""
        match kind:
            case "delete":
                return project._replace(deleted=project.deleted + 1)
            case "restore":
                return project._replace(deleted=project.deleted - 1)
            case "expire" | "reclaim":
                return project._replace(marked=project.marked + 1)
            case _:
                return project

    def _entered(self, state: State, job: Job) -> State:
        """Without one commit: the audit entry follows."""
        noted = self._noted(job.kind, state.projects[job.p])
        return self._with(state, job.p, noted, without(state.jobs, job))
