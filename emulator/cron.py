"""The schedules, on the movable clock: one thread, one run at a time.

However far the clock jumps, a schedule fires once: runs that were missed collapse. It must never
move the clock itself.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from emulator import RETENTION, WAKE, wire
from emulator.clock import Clock
from emulator.host import Host
from emulator.log import Log
from emulator.manifest import Schedule

POLL = 0.5  # seconds
NOTHING = 204  # what a function answers that had nothing to do
BACKOFF = timedelta(seconds=5)  # before the first retry; Cloud Scheduler's default
BACKWARD = timedelta(seconds=5)  # more than NTP steps a clock by
DYING = 900  # seconds in which the deaths of workers are counted; as long as a nudge takes to come
WAKING = (1, 2, 4, 8, 16, 0)  # seconds after each try to have lost events sent again


@dataclass
class Job:
    """A schedule and when it fires next."""

    name: str
    schedule: Schedule
    due: datetime
    retries: int = 0
    running: bool = False


class Cron:
    """Fires every scheduled function when the clock says so."""

    def __init__(self, host: Host, clock: Clock, log: Log, *, paused: bool) -> None:
        self._host, self._clock, self._log = host, clock, log
        self._paused = paused
        now = clock.now()
        self.jobs = {
            endpoint.name: Job(endpoint.name, endpoint.trigger, _next(endpoint.trigger, now))
            for endpoint in host.endpoints.values()
            if isinstance(endpoint.trigger, Schedule)
        }

    @property
    def paused(self) -> bool:
        """Whether schedules rest."""
        return self._paused

    def pause(self, paused: bool) -> None:
        """Rest, or go on from now: what was missed meanwhile is not made up for."""
        for job in self.jobs.values():
            job.due = _next(job.schedule, self._clock.now())
        self._paused = paused

    def behind(self) -> bool:
        """Whether a schedule is due or running; while they rest none is."""
        now = self._clock.now()
        return not self._paused and any(job.running or now >= job.due for job in self.jobs.values())

    def start(self) -> None:
        """Begin, for as long as the process lives."""
        threading.Thread(target=self._loop, name="cron", daemon=True).start()

    def wake(self, deaths: Sequence[float]) -> None:
        """Have the events sent again that ended with the worker before this one.

        `deaths` are times of `time.monotonic` at which workers died: the more of late, the later,
        for it may be what they are woken for that ends them.
        """
        lately = sum(time.monotonic() - death < DYING for death in deaths)
        pause = min(2 ** max(lately - 1, 0) - 1, DYING)
        if RETENTION in self.jobs:
            threading.Thread(target=self._wake, args=[pause], name="wake", daemon=True).start()

    def run(self, name: str, due: datetime | None = None, path: str = "/") -> wire.Answer:
        """Call a scheduled function as Cloud Scheduler would; that it did nothing is not told."""
        started = time.monotonic()
        when = (due or self._clock.now()).astimezone(ZoneInfo("UTC"))
        headers = {
            "User-Agent": "Google-Cloud-Scheduler",
            "X-CloudScheduler": "true",
            "X-CloudScheduler-JobName": name,
            "X-CloudScheduler-ScheduleTime": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        answer = wire.call(self._host.app(name), path, headers=headers)
        if answer.status != NOTHING:
            what = path.strip("/") or "schedule"
            self._log.call(name, what, answer.status, time.monotonic() - started)
        return answer

    def tick(self, before: datetime) -> datetime:
        """Fire what is due; `before` is the time of the last tick, to notice a jump back."""
        now = self._clock.now()
        for job in self.jobs.values():
            if now < before - BACKWARD:
                job.due = _next(job.schedule, now)
            elif now >= job.due and not self._paused:
                self._fire(job, now)
        return now

    def _fire(self, job: Job, now: datetime) -> None:
        job.running = True
        due, job.due = job.due, _next(job.schedule, now)
        try:
            answer = self.run(job.name, due)
        finally:
            job.running = False
        if answer.ok or job.retries == job.schedule.retries:
            job.retries = 0
        else:
            job.due = min(job.due, now + BACKOFF * 2**job.retries)
            job.retries += 1

    def _wake(self, first: int) -> None:
        time.sleep(first)
        for pause in WAKING:
            if self.run(RETENTION, path=WAKE).status < 500:
                return
            time.sleep(pause)

    def _loop(self) -> None:
        before = self._clock.now()
        while True:
            time.sleep(POLL)
            try:
                before = self.tick(before)
            except Exception as problem:  # noqa: BLE001 - the schedules must outlive any one run
                self._log.fault("schedules", f"{type(problem).__name__}: {problem}")


def _next(schedule: Schedule, now: datetime) -> datetime:
    return next(CronSim(schedule.cron, now.astimezone(ZoneInfo(schedule.zone))))
