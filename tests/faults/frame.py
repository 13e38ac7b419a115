"""What the steps of the model share: how a state follows a state.

A guard is a sentence of the code that `World.off` takes out; `guards` lists them. A job that loses
its precondition ends: that it reads again is the same as that another one begins.
"""

from tests.faults.model import SOURCES, Job, Project, State, World

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


class Frame:
    """A world, and how its states are made."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.off = world.off
        self.faults = world.faults
        self.bits = [1 << n for n in range(world.resources)]

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
