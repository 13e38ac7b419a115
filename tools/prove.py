"""Every claim about the worst day, proved here and now: `make prove`.

Runs the tests that carry a claim, and the bounded searches behind them at greater length, and
prints one line a claim: its id (docs/security.md), what is claimed, and in how many of how many
cases it held. Exits with 1 unless all did. One seed, which is told, is behind what is sampled and
what Hypothesis draws; REPRIEVE_SEED takes the same again. Which requests at once come first, and
of which calls a fault meets a share, no seed decides.
"""

import os
import random
import re
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


class Claims:
    """The pytest plugin that counts: by claim, the cases that passed and all that ran.

    A case is a test; or each of its subtests, where it has some.
    """

    def __init__(self):
        self.results = defaultdict(dict)  # (id, text) -> case -> whether it passed
        self.parts = Counter()  # test -> its subtests
        self.broken = set()  # tests of which a subtest failed
        self.said = defaultdict(list)  # (id, text) -> what tests told beside
        self.failed = {}  # test -> why

    def pytest_runtest_logreport(self, report):
        """Count a subtest, or a phase of a test: it passed if all its phases did."""
        case, part = report.nodeid, hasattr(report, "context")
        if part:
            self.parts[case] += 1
            self.broken |= {case} if report.failed else set()
            case = f"{case}, {report.head_line}, {self.parts[case]}"
        told = [value for name, value in report.user_properties if name == "said"]
        for claim in (tuple(value) for name, value in report.user_properties if name == "claim"):
            passed = self.results[claim].get(case, True) and report.passed
            self.results[claim][case] = passed
            if report.when == "call" and not part:
                self.said[claim].extend(told)
        if report.failed:
            self.failed[case] = report.longreprtext

    def pytest_collectreport(self, report):
        """A file that cannot be read proves nothing, and is told."""
        if report.failed:
            self.failed[report.nodeid] = report.longreprtext

    def told_by_parts(self, case, good):
        """Tell whether a case is a test whose subtests stand for it: no failure but theirs."""
        return self.parts[case] and (good or case in self.broken)

    def lines(self):
        """Give one line a claim, in the order of their ids."""
        for (name, text), tests in sorted(self.results.items(), key=lambda item: order(*item[0])):
            beside = f"  ({'; '.join(self.said[name, text])})" if self.said[name, text] else ""
            held = [good for case, good in tests.items() if not self.told_by_parts(case, good)]
            yield f"{name:6} {sum(held):4} of {len(held):<4} {text}{beside}"


def order(name, text):
    """Sort F2 before F10."""
    letters, digits = re.fullmatch(r"(\D*)(\d*).*", name).groups()
    return letters, int(digits or 0), text


def main():
    """Prove all; more words are pytest's."""
    os.chdir(ROOT)
    os.environ.setdefault("HYPOTHESIS_EXAMPLES", "60")
    seed = os.environ.setdefault("REPRIEVE_SEED", str(random.randrange(10**6)))
    claims, started = Claims(), time.monotonic()
    words = ["-q", "--no-header", "--no-summary", f"--hypothesis-seed={seed}", *sys.argv[1:]]
    beside = ["-m", "claim and not alone", "-n", "2", "--dist", "worksteal"]
    codes = {
        pytest.main([*these, *words], plugins=[claims])
        for these in (beside, ["-m", "claim and alone"])
    }
    print("\n")
    for line in claims.lines():
        print(line)
    for test, why in claims.failed.items():
        print(f"\nFAILED {test}\n{why}")
    proved = sum(all(tests.values()) for tests in claims.results.values())
    took = (time.monotonic() - started) / 60
    print(f"\n{proved} of {len(claims.results)} claims proved in {took:.1f} minutes, seed {seed}")
    fine = codes <= {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
    sys.exit(not fine or not proved or proved < len(claims.results))


if __name__ == "__main__":
    main()
