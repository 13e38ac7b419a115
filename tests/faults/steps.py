"""The lifecycle's atomic steps, as `shared` does them: one read, or one commit, or one key act."""

from collections.abc import Iterator

from tests.faults.contents import Contents
from tests.faults.creates import Creates
from tests.faults.frame import Step, without
from tests.faults.model import (
    ACTIVE,
    APPLIED,
    BY_RECLAMATION,
    CONFIRMED,
    FORMER,
    GONE,
    HARD,
    LATE,
    NEW,
    NO_HALF,
    NONE,
    REQUESTS,
    SCHEDULE,
    SOURCES,
    Job,
    Project,
    State,
)
from tests.faults.moves import Moves
from tests.faults.purging import Purging
from tests.faults.tending import Tending


class Steps(Creates, Moves, Contents, Tending, Purging):
    """What can happen next in a world."""

    def after(self, state: State) -> Iterator[Step]:
        """Give every step that can be taken."""
        jobs = state.jobs
        requests = sum(job.kind in REQUESTS for job in jobs)
        workers = sum(job.kind == "purge" for job in jobs)
        kinds: set[str] = set()
        if requests < self.world.requests:
            kinds |= REQUESTS
        if len(jobs) - requests - workers < self.world.schedules:
            kinds |= SCHEDULE
        for p, project in enumerate(state.projects):
            for kind in sorted(self.world.kinds & kinds):
                yield from self.begin(state, kind, p)
            if project.events:
                if workers < self.world.workers:
                    yield from self.begin(state, "purge", p)
                yield from self._events(state, p, project)
            yield from self._disk(state, p, project)
        for job in dict.fromkeys(jobs):
            yield from self.go_on(state, job)
            if "crash" in self.faults:
                yield self._crash(state, job)
        if state.clock < self.world.horizon:
            yield "the clock ticks", state._replace(clock=state.clock + 1), ""

    def _events(self, state: State, p: int, project: Project) -> Iterator[Step]:
        if "drop" in self.faults:
            lost = project._replace(events=project.events - 1)
            yield f"an event of {p} is lost", self._with(state, p, lost, state.jobs), ""
        if "duplicate" in self.faults and project.events < self.world.events:
            twice = project._replace(events=project.events + 1)
            yield f"an event of {p} is doubled", self._with(state, p, twice, state.jobs), ""

    def _disk(self, state: State, p: int, project: Project) -> Iterator[Step]:
        """Take a half out of sight and back, each once; put one back that is destroyed.

        Not while a purge looks: that the key store is the right one then is its identity's.
        """
        if any(job.kind == "purge" and job.p == p for job in state.jobs):
            return
        seen = project.half != NO_HALF and not project.begun and not project.stamped
        if "away" in self.faults and (project.away == 1 or (seen and not project.away)):
            word = "is back" if project.away else "is out of sight"
            moved = project._replace(away=project.away + 1)
            yield f"the half of {p} {word}", self._with(state, p, moved, state.jobs), ""
        if "back" in self.faults and project.half == GONE and project.status and not project.back:
            put = project._replace(half=CONFIRMED, back=1)
            yield f"the half of {p} is put back", self._with(state, p, put, state.jobs), ""

    def _crash(self, state: State, job: Job) -> Step:
        """End a job between two steps; an event that was being delivered comes again."""
        project = state.projects[job.p]
        if job.kind == "purge" and "redelivery" not in self.off:
            project = self._event(project)
        ended = self._with(state, job.p, project, without(state.jobs, job))
        return f"{job.kind} {job.p} dies before `{job.at}`", ended, ""

    def begin(self, state: State, kind: str, p: int) -> Iterator[Step]:
        """Give the first step of a job: its read, and what it decides on it."""
        project = state.projects[p]
        if kind == "purge":
            yield from self._take(state, p, project)
        elif job := self._decided(state, kind, p, project):
            yield f"{kind} {p} reads", self._join(state, job), ""
        asked = kind in BY_RECLAMATION and project.deletions > 1
        if asked and (job := self._move(state, kind, p, project, FORMER)):
            yield f"{kind} {p} reads, by a former reclamation", self._join(state, job), ""

    def _decided(self, state: State, kind: str, p: int, project: Project) -> Job | None:
        """Give the job that goes on from its read; None when it is refused."""
        off, status = self.off, project.status
        match kind:
            case "create":
                fresh = (project.half, project.tomb, status) == (NO_HALF, 0, NONE)
                new = fresh and not any(j.kind == kind and j.p == p for j in state.jobs)
                at = "commit" if "key_first" in off else "key"
                return Job(kind, p, at) if new and self._room(state, p) else None
            case "write":
                ok = status == ACTIVE or (status and "write_status" in off)
                return Job(kind, p, "pick", 1) if ok else None
            case "read":
                ok = status == ACTIVE or (status and "read_status" in off)
                return Job(kind, p, "open", 1, 0, 0 if status == ACTIVE else LATE) if ok else None
            case "nudge":
                return Job(kind, p, "commit") if status == HARD else None
            case "settle":
                return Job(kind, p, self._settles(project)) if project.half == NEW else None
            case _:
                return self._move(state, kind, p, project)

    def go_on(self, state: State, job: Job) -> Iterator[Step]:
        """Give the next step of a job under way."""
        if job.at == "again":
            yield from self._again(state, job)
        elif job.kind in SOURCES:
            yield from self._commit_move(state, job)
        else:
            yield from getattr(self, f"_{job.kind}_{job.at}")(state, job)

    def _again(self, state: State, job: Job) -> Iterator[Step]:
        """Read anew after no answer: the entry of this very request tells that it was applied."""
        kind, p, project = job.kind, job.p, state.projects[job.p]
        ended = state._replace(jobs=without(state.jobs, job))
        if job.extra & APPLIED and "operation_id" not in self.off:
            yield f"{kind} {p} finds its own entry: done", ended, ""
        elif kind == "create":
            yield f"create {p} is refused its own name", ended, "I22: refused, and done"
        elif (found := self._decided(ended, kind, p, project)) and self._meant(job):
            again = found._replace(extra=job.extra)
            yield f"{kind} {p} reads again", self._join(ended, again), ""
        else:
            why = "I22: refused, and done" if job.extra & APPLIED else ""
            yield f"{kind} {p} reads again and is refused", ended, why

    def _meant(self, job: Job) -> bool:
        """Tell whether a project read again is still in the deletion that was meant."""
        return not job.extra & FORMER or "reclamation" in self.off
