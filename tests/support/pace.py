"""What keeps `make test` quick: a pytest plugin that lets no case take over two seconds, twice.

Loaded by its name (`-p tests.support.pace`), so in `make test` alone. What a case's fixtures take
does not count. A case that took longer is run again in the end, alone, in a process of its own:
that the machine was busy is not its fault. So there a second counts in full only as far as the
machine had a processor for all that wanted to run, and was no slower than the one that the limit
is of. Over the limit again, or failing there, the case has failed: make it quicker, or mark it
`slow`.
"""

import copy
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from tests.support.yardstick import slowness

LIMIT = 2.0  # seconds


def pytest_addoption(parser):
    """Take another limit; and from ourselves, where the seconds of each case are to be written."""
    parser.addoption("--pace-limit", type=float, default=LIMIT, metavar="SECONDS")
    parser.addoption("--pace-to", type=Path, metavar="FILE")


def pytest_configure(config):
    """Judge where reports arrive: here, if this is not one of several workers."""
    if not hasattr(config, "workerinput"):
        to = config.getoption("--pace-to")
        config.pluginmanager.register(Writer(to) if to else Pace(config), "pace-of-cases")


class Seconds:
    """The longest that each case took, of those that passed."""

    def __init__(self):
        self.reports = {}

    def pytest_runtest_logreport(self, report):
        """Keep the report of a case itself: what a part of it reports is never longer."""
        if report.when == "call" and report.passed:
            kept = self.reports.setdefault(report.nodeid, report)
            if report.duration > kept.duration:
                self.reports[report.nodeid] = report


class Crowd:
    """How many wanted to run, for each processor that there is: looked at all the time."""

    LOADS, EVERY = Path("/proc/loadavg"), 0.02

    def __init__(self):
        self.ended = threading.Event()
        self.seen = []
        self.thread = threading.Thread(target=self.look, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def look(self):
        """Count, on systems that tell."""
        while self.LOADS.exists() and not self.ended.wait(self.EVERY):
            running = self.LOADS.read_text().split()[3]  # of all that there are: 2/300
            self.seen.append(int(running.partition("/")[0]))

    @property
    def share(self):
        """The share of a processor that one had who wanted a whole one."""
        crowd = sum(self.seen) / len(self.seen) if self.seen else 1
        return min(1.0, (os.cpu_count() or 1) / max(crowd, 1))


class Writer(Seconds):
    """What runs beside those cases that are run again: it writes how long they took.

    All run once before any runs again, for a host that has just started is slower than the one
    that they met among others; the quicker run counts. Who fails either time has not passed.
    """

    def __init__(self, to):
        super().__init__()
        self.to = to
        self.share, self.spent, self.failed = 1.0, {}, set()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        """Run each case twice, all of them before any again.

        The second time as another item: one that follows itself is not set up anew.
        """
        for item in list(items):
            again = copy.copy(item)
            again._initrequest()
            items.append(again)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self):
        """Look around while a case runs."""
        began = time.perf_counter()
        with Crowd() as crowd:
            result = yield
        seen = time.perf_counter() - began > 1  # else there is little to judge, and little seen
        self.share = crowd.share if seen else 1.0
        return result

    def pytest_runtest_logreport(self, report):
        """Keep the seconds of the quicker run of a case."""
        super().pytest_runtest_logreport(report)
        name = report.nodeid
        if report.failed:
            self.failed.add(name)
        elif report.when == "teardown" and name in self.reports:
            took = self.reports.pop(name).duration * self.share
            self.spent[name] = min(took, self.spent.get(name, took))

    def pytest_sessionfinish(self):
        """Write the seconds of each case that passed."""
        slow = slowness()
        passed = {name: took / slow for name, took in self.spent.items() if name not in self.failed}
        self.to.write_text(json.dumps(passed))


class Pace(Seconds):
    """The judge: runs again what took too long, and fails what takes too long again."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.limit = config.getoption("--pace-limit")
        self.excused = []  # lines

    @pytest.hookimpl(trylast=True)  # when the workers are gone
    def pytest_sessionfinish(self, session, exitstatus):
        """Run the slow cases again, unless the run was broken off."""
        late = {name: one for name, one in self.reports.items() if one.duration > self.limit}
        if not late or exitstatus not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
            return
        again, said = self.again(list(late))
        for name, first in late.items():
            alone = again.get(name)
            took = f"{first.duration:.1f} s among others"
            if alone is None:
                self.fail(session, first, f"{took}; run again alone it did not pass:\n{said}")
            elif alone > self.limit:
                why = f"over {self.limit:g} s twice: {took}, {alone:.1f} s alone"
                self.fail(session, first, f"{why}. Make it quicker, or mark it slow.")
            else:
                self.excused.append(f"{name}: {took}, {alone:.1f} s alone")

    def again(self, names):
        """Run cases in one process; give the seconds of those that passed, and what it printed."""
        with tempfile.TemporaryDirectory() as folder:
            to = Path(folder) / "seconds.json"
            words = ["-q", "-p", __name__, f"--pace-to={to}", *names]
            done = subprocess.run(
                [sys.executable, "-m", "pytest", *words],
                cwd=self.config.rootpath,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            return json.loads(to.read_text()) if to.exists() else {}, done.stdout

    def fail(self, session, first, why):
        """Tell of a case as of any that fails."""
        report = pytest.TestReport(
            first.nodeid, first.location, first.keywords, "failed", why, "call"
        )
        self.config.hook.pytest_runtest_logreport(report=report)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        """Name what took too long once: on a machine at rest it should not."""
        if self.excused:
            terminalreporter.section(f"over {self.limit:g} s, but not alone")
            for line in self.excused:
                terminalreporter.write_line(line)
