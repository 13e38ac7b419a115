"""The lifecycle machine over both drivers, and proof that it fails where the code is wrong."""

import os

import pytest
from hypothesis import Phase, HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.reliability.drivers import Inner, Outer
from tests.reliability.hosts import troubled_host
from tests.reliability.drivers import CAP
from tests.reliability.mutants import MUTANTS, broken
from tests.reliability.machine import COUNTED, Machine

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "10"))
COMMON = {"deadline": None, "print_blob": True, "phases": [Phase.generate], "report_multiple_bugs": False, "derandomize": "HYPOTHESIS_EXAMPLES" not in os.environ}


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    home = tmp_path_factory.mktemp("machine")
    with troubled_host(home, CE_PROJECTS_PER_REGION=str(CAP)) as host:
        yield host


def inner(host, tmp_path):
    class InProcess(Machine):
        def open(self):
            return Inner(host.env["FIRESTORE_EMULATOR_HOST"], tmp_path)
    return InProcess


def test_in_process(bad, tmp_path, record_property):
    COUNTED.clear()
    import time
    s = time.time()
    run_state_machine_as_test(inner(bad, tmp_path), settings=settings(max_examples=EXAMPLES, stateful_step_count=40, **COMMON))
    record_property("said", str(COUNTED))
    print(COUNTED, time.time() - s)


def test_http(bad, record_property):
    COUNTED.clear()
    class OverHttp(Machine):
        def open(self):
            return Outer(bad)
    import time
    s = time.time()
    run_state_machine_as_test(OverHttp, settings=settings(max_examples=EXAMPLES, stateful_step_count=30, **COMMON))
    print(COUNTED, time.time() - s)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant(bad, tmp_path, mutant):
    COUNTED.clear()
    bounds = settings(max_examples=60, stateful_step_count=30, **{**COMMON, "derandomize": True, "database": None})
    with broken(mutant), pytest.raises(Exception) as found:
        run_state_machine_as_test(inner(bad, tmp_path), settings=bounds)
    error = found.value
    print("FOUND", mutant.name, type(error).__name__, str(error)[:150].splitlines()[:1], COUNTED["examples"], COUNTED["steps"])
