"""The lifecycle's atomic steps, as `shared` does them: one read, or one commit, or one key act.

A guard is a sentence of the code that `World.off` takes out; `guards` lists them. A job that loses
its precondition ends here: that it reads again is the same as that another one begins.
"""

from collections.abc import Iterator

from tests.reliability.model import (
    ACTIVE,
    ALLOWED,
    APPLIED,
    CONFIRMED,
    ERASED,
    FAILED,
    GONE,
    HARD,
    LATE,
    NEVER,
    NEW,
    NO_HALF,
    NONE,
    REQUESTS,
    RETENTION,
    SCHEDULE,
    SOFT,
    SOURCES,
    TARGET,
    TWIN,
    Job,
    Project,
    State,
    World,
)

Step = tuple[str, State, str]  # what happens, what is then, which invariant the step itself breaks
OF_PROJECT = {*SOURCES, "write", "nudge", "purge"}  # what these read is the project document


def without(jobs: tuple[Job, ...], job: Job) -> tuple[Job, ...]:
    """Give the jobs but one."""
    n = jobs.index(job)
    return jobs[:n] + jobs[n + 1 :]


def stale(jobs: tuple[Job, ...], p: int) -> tuple[Job, ...]:
    """Note that the project document was written."""
    return tuple(j._replace(fresh=0) if j.p == p and j.kind in OF_PROJECT else j for j in jobs)


def stale_region(jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    """Note that the region's document was written."""
    return tuple(j._replace(fresh=0) if j.kind == "create" else j for j in jobs)


class Steps:
    """What can happen next in a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.off = world.off
        self.faults = world.faults
        self.bits = [1 << n for n in range(world.resources)]

    def after(self, state: State) -> Iterator[Step]:
        """Give every step that can be taken."""
        jobs = state.jobs
        requests = sum(job.kind in REQUESTS for job in jobs)
        workers = sum(job.kind == "purge" for job in jobs)
        kinds = set()
        if requests < self.world.requests:
            kinds |= REQUESTS
        if len(jobs) - requests - workers < self.world.schedules:
            kinds |= SCHEDULE
        for p, project in enumerate(state.projects):
            for kind in self.world.kinds & kinds:
                yield from self.begin(state, kind, p)
            if project.events:
                if workers < self.world.workers:
                    yield from self.begin(state, "purge", p)
                yield from self._events(state, p, project)
        for job in set(jobs):
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

    def _crash(self, state: State, job: Job) -> Step:
        """End a job between two steps; an event that was being delivered comes again."""
        project = state.projects[job.p]
        if job.kind == "purge":
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

    def _join(self, state: State, *jobs: Job) -> State:
        return state._replace(jobs=tuple(sorted((*state.jobs, *jobs))))

    def _with(self, state: State, p: int, project: Project, jobs: tuple[Job, ...]) -> State:
        projects = (*state.projects[:p], project, *state.projects[p + 1 :])
        return State(state.clock, projects, tuple(sorted(jobs)))

    def _event(self, project: Project) -> Project:
        return project._replace(events=min(project.events + 1, self.world.events))

    def _written(self, state: State, job: Job, project: Project, *then: Job) -> State:
        """Give the state after the project document was written."""
        jobs = (*stale(without(state.jobs, job), job.p), *then)
        return self._with(state, job.p, self._event(project), jobs)

    def _next(self, state: State, job: Job, then: Job | None, **changes: int) -> State:
        """Give the state after a job's step that no other job notices."""
        jobs = without(state.jobs, job) + ((then,) if then else ())
        return self._with(state, job.p, state.projects[job.p]._replace(**changes), jobs)

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

    def _room(self, state: State, p: int) -> bool:
        """Tell whether the region as read has a slot, and the name, to give."""
        held = [q for q, other in enumerate(state.projects) if other.slot]
        name = self.world.names[p]
        if len(held) >= self.world.cap and "cap" not in self.off:
            return False
        return "name" in self.off or all(self.world.names[q] != name for q in held)

    def _settles(self, project: Project) -> str:
        if project.status and "settle_looks" not in self.off:
            return "confirm"
        if "fence_first" in self.off:
            return "destroy"
        return "fence" if project.tomb == 0 else "destroy"

    def _move(self, state: State, kind: str, p: int, project: Project) -> Job | None:
        off, now = self.off, state.clock
        if not project.status:
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
        return Job(kind, p, "commit", 1, state.clock)

    def go_on(self, state: State, job: Job) -> Iterator[Step]:
        """Give the next step of a job under way."""
        if job.at == "again":
            yield from self._again(state, job)
        elif job.kind in SOURCES:
            yield from self._commit_move(state, job)
        else:
            yield from getattr(self, f"_{job.kind}_{job.at}")(state, job)

    # Moves: read, then a compare-and-set.

    def _commit_move(self, state: State, job: Job) -> Iterator[Step]:
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
            then, changed = (), self._noted(kind, project, changed)
        moved = self._written(state, job, changed, *then)
        twins = tuple(
            j._replace(extra=j.extra | APPLIED)
            if (j.kind, j.p, j.extra & TWIN) == (kind, p, TWIN) and job.extra & TWIN
            else j
            for j in moved.jobs
        )
        moved = moved._replace(jobs=tuple(sorted(twins)))
        yield label, moved, why
        if "lost" in self.faults and not job.extra and kind in REQUESTS:
            again = Job(kind, p, "again", 0, job.seen, APPLIED)
            yield f"{label}, and the answer is lost", self._join(moved, again), why
            jobs = (*without(state.jobs, job), job._replace(extra=TWIN))
            tried = self._with(state, p, project, (*jobs, job._replace(at="again", extra=TWIN)))
            yield f"the commit of {kind} {p} is under way, and it tries again", tried, ""

    def _why_not(self, job: Job, project: Project, *, late: bool) -> str:
        """Give the invariant that this move breaks, by what is really stored."""
        status, kind = project.status, job.kind
        if job.extra & APPLIED:
            return "I15: one request made two changes under one entry"
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
        match job.kind:
            case "delete":
                due = job.seen + RETENTION
                return project._replace(status=SOFT, due=due, kept=project.held)
            case "restore":
                return project._replace(status=ACTIVE, due=0, kept=0)
            case "expire" | "reclaim":
                return project._replace(status=HARD, kept=project.held)
            case _:
                return project._replace(status=TARGET[job.kind])

    def _noted(self, kind: str, before: Project, project: Project) -> Project:
        """Write the audit entry of a move into the counts."""
        match kind:
            case "delete":
                return project._replace(deleted=project.deleted + 1)
            case "restore":
                return project._replace(deleted=project.deleted - 1)
            case "expire":
                return project._replace(marked=project.marked + 1)
            case "reclaim":
                direct = before.status == ACTIVE  # it deletes and marks at once
                return project._replace(
                    marked=project.marked + 1, deleted=project.deleted + direct
                )
            case _:
                return project

    def _entered(self, state: State, job: Job) -> State:
        project = state.projects[job.p]
        noted = self._noted(job.kind, project, project)
        return self._with(state, job.p, noted, without(state.jobs, job))

    def _again(self, state: State, job: Job) -> Iterator[Step]:
        """Read anew after no answer: the entry of this very request tells that it was applied."""
        kind, p, project = job.kind, job.p, state.projects[job.p]
        ended = state._replace(jobs=without(state.jobs, job))
        if job.extra & APPLIED and "operation_id" not in self.off:
            yield f"{kind} {p} finds its own entry: done", ended, ""
        elif kind == "create":
            yield f"create {p} is refused its own name", ended, "I22: refused, and done"
        elif found := self._decided(ended, kind, p, project):
            again = found._replace(extra=job.extra)
            yield f"{kind} {p} reads again", self._join(ended, again), ""
        else:
            why = "I22: refused, and done" if job.extra & APPLIED else ""
            yield f"{kind} {p} reads again and is refused", ended, why

    # Create: read the region, make the key, claim slot and name with the project, confirm.

    def _create_key(self, state: State, job: Job) -> Iterator[Step]:
        at = "confirm" if "key_first" in self.off else "commit"
        then = job._replace(at=at)
        yield f"create {job.p} makes its key", self._next(state, job, then, half=NEW), ""

    def _create_commit(self, state: State, job: Job) -> Iterator[Step]:
        p, off, project = job.p, self.off, state.projects[job.p]
        if not job.fresh and "region_precondition" not in off:
            ended = self._next(state, job, None)
            if self._room(state, p):
                again = self._join(ended, job._replace(fresh=1))
                yield f"create {p} comes second, and reads again", again, ""
            return
        if project.tomb and "create_fence" not in off:
            yield f"create {p} finds a tombstone", self._next(state, job, None), ""
            return
        jobs = stale_region(without(state.jobs, job))
        if "create_at_once" in off:
            claimed = project._replace(slot=1)
            then = (job._replace(at="store"),)
            yield f"create {p} claims", self._with(state, p, claimed, (*jobs, *then)), ""
            return
        stored = self._event(project._replace(status=ACTIVE, key=1, slot=1, created=1))
        at = "key" if "key_first" in off else "confirm"
        yield f"create {p} commits", self._with(state, p, stored, (*jobs, Job("create", p, at))), ""
        if "lost" in self.faults:
            again = Job("create", p, "again", 0, 0, APPLIED)
            lost = self._with(state, p, stored, (*jobs, again))
            yield f"create {p} commits, and the answer is lost", lost, ""

    def _create_store(self, state: State, job: Job) -> Iterator[Step]:
        stored = self._next(state, job, None, status=ACTIVE, key=1, created=1)
        yield f"create {job.p} is stored", stored, ""

    def _create_confirm(self, state: State, job: Job) -> Iterator[Step]:
        half = state.projects[job.p].half
        done = self._next(state, job, None, half=CONFIRMED if half == NEW else half)
        yield f"create {job.p} confirms its key", done, ""

    # What a project holds: read, then commit with the project verified; and reads.

    def _write_pick(self, state: State, job: Job) -> Iterator[Step]:
        held = state.projects[job.p].held
        for n, bit in enumerate(self.bits):
            picked = Job("write", job.p, "commit", job.fresh, n, bool(held & bit))
            yield f"write {job.p} picks {n}", self._next(state, job, picked), ""

    def _write_commit(self, state: State, job: Job) -> Iterator[Step]:
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
        cached = 1 if job.fresh or "cache_count" in self.off else state.projects[job.p].cached
        why = "I9: plaintext of a project that is not active" if job.extra else ""
        yield f"read {job.p} answers", self._next(state, job, None, cached=cached), why

    # The schedule: nudges, and key halves that nobody confirmed.

    def _nudge_commit(self, state: State, job: Job) -> Iterator[Step]:
        project = state.projects[job.p]
        if not job.fresh and "nudge_precondition" not in self.off:
            yield f"nudge {job.p} comes second", self._next(state, job, None), ""
            return
        why = "" if project.status else "I5: a project document appears that nobody created"
        yield f"nudge {job.p}", self._written(state, job, project), why

    def _settle_confirm(self, state: State, job: Job) -> Iterator[Step]:
        half = state.projects[job.p].half
        done = self._next(state, job, None, half=CONFIRMED if half == NEW else half)
        yield f"settle {job.p} confirms the key", done, ""

    def _settle_fence(self, state: State, job: Job) -> Iterator[Step]:
        project = state.projects[job.p]
        there = project.status and "fence_absent" not in self.off
        if there or (project.tomb and "fence_once" not in self.off):
            yield f"settle {job.p} comes second", self._next(state, job, None), ""
            return
        why = "I5: the record of an erasure is overwritten" if project.tomb == ERASED else ""
        then = None if "fence_first" in self.off else job._replace(at="destroy")
        yield f"settle {job.p} writes a tombstone", self._next(state, job, then, tomb=NEVER), why

    def _settle_destroy(self, state: State, job: Job) -> Iterator[Step]:
        then = job._replace(at="fence") if "fence_first" in self.off else None
        done = self._next(state, job, then, half=GONE, cached=0)
        yield f"settle {job.p} destroys the key", done, ""

    # The purge: one event, one step.

    def _take(self, state: State, p: int, project: Project) -> Iterator[Step]:
        taken = project._replace(events=project.events - 1)
        ok = project.status == HARD or (project.status and "purge_status" in self.off)
        if not ok:
            yield f"event of {p}: nothing", self._with(state, p, taken, state.jobs), ""
            return
        at = "look" if project.stamped else "destroy"
        if "shred_first" in self.off and project.held:
            at = "look"
        if "stamp_after" in self.off and at == "destroy":
            at = "stamp"
        seen = project.swept
        if "slot_alone" in self.off:  # what the map of the slots was
            seen = sum(other.slot << q for q, other in enumerate(state.projects))
        begun = self._with(state, p, taken, (*state.jobs, Job("purge", p, at, 1, seen)))
        yield f"event of {p}: purge reads", begun, ""

    def _purge_destroy(self, state: State, job: Job) -> Iterator[Step]:
        p, then = job.p, job._replace(at="forget")
        yield f"purge {p} destroys the key", self._next(state, job, then, half=GONE), ""
        if "lie" in self.faults and state.projects[p].half != GONE:
            told = f"the key store lies to purge {p}"
            if "read_back" in self.off:
                yield told, self._next(state, job, then), ""
            else:
                again = self._event(state.projects[p]).events
                yield told, self._next(state, job, None, events=again), ""

    def _purge_forget(self, state: State, job: Job) -> Iterator[Step]:
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
        p, project = job.p, state.projects[job.p]
        why = self._upserted(job, project, "stamp_precondition")
        if why is None:
            yield f"purge {p} comes second", self._next(state, job, None), ""
            return
        then = (Job("purge", p, "destroy", 1),) if "stamp_after" in self.off else ()
        stamped = project._replace(stamped=1, key=0, swept=0)
        yield f"purge {p} stamps shredded_at", self._written(state, job, stamped, *then), why

    def _purge_look(self, state: State, job: Job) -> Iterator[Step]:
        held = state.projects[job.p].held
        if held and "sweep_all" not in self.off:
            for bit in self.bits:
                if held & bit:
                    then = job._replace(at="sweep", extra=bit)
                    yield f"purge {job.p} finds {bit}", self._next(state, job, then), ""
        else:
            then = job._replace(at="end")
            yield f"purge {job.p} finds nothing left", self._next(state, job, then), ""

    def _purge_sweep(self, state: State, job: Job) -> Iterator[Step]:
        p, project = job.p, state.projects[job.p]
        why = self._upserted(job, project, "sweep_precondition")
        if why is None:
            yield f"purge {p} comes second", self._next(state, job, None), ""
            return
        if project.half != GONE:
            why = "I10: a document is deleted before the key is gone"
        swept = project._replace(held=project.held & ~job.extra, swept=job.seen + 1)
        yield f"purge {p} sweeps {job.extra}", self._written(state, job, swept), why

    def _purge_end(self, state: State, job: Job) -> Iterator[Step]:
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
        if project.tomb:
            return "I15: two ends of one project"
        if project.status == FAILED:
            return "I14: a project ends that has been given up"
        if project.swept != project.kept.bit_count() and "slot_alone" not in self.off:
            return "I20: the tombstone's count is not what was swept"
        return ""

    def _ended(self, state: State, job: Job, project: Project) -> State:
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
