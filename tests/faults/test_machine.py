"""The lifecycle machine over both drivers, and proof that it fails where the code is wrong.

By itself a short, repeatable search; `make prove` draws anew, and more. A failure is told with the
steps that lead to it, and as a blob for `@reproduce_failure`.
"""

import os
from contextlib import suppress

import pytest
from hypothesis import Phase, settings
from hypothesis.errors import FlakyFailure, FlakyStrategyDefinition
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.drivers import CAP, Inner, Outer
from tests.faults.hosts import troubled_host
from tests.faults.machine import COUNTED, Machine
from tests.faults.mutants import MUTANTS, broken

pytestmark = pytest.mark.slow

PROVING = "HYPOTHESIS_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "8"))
MOST = 100  # examples in which a mutant must be found: one that needs a race takes ten at the mean
BOUNDS = settings(
    deadline=None,  # a step waits for a store, and for a schedule
    print_blob=True,
    database=None,
    derandomize=not PROVING,
    stateful_step_count=30,
)


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    """A host with a script under it, above an emulator that outlives it."""
    home = tmp_path_factory.mktemp("machine")
    with troubled_host(home, CE_PROJECTS_PER_REGION=str(CAP)) as host:
        yield host


@pytest.fixture
def in_process(bad, tmp_path):
    """The machine over the functions in this process."""

    class InProcess(Machine):
        def open(self):
            return Inner(bad.env["FIRESTORE_EMULATOR_HOST"], tmp_path)

    return InProcess


@pytest.fixture
def over_http(bad):
    """The machine over the host."""

    class OverHttp(Machine):
        def open(self):
            return Outer(bad)

    return OverHttp


def searched(machine, examples, **bounds):
    """Run a machine; tell how much was drawn."""
    COUNTED.clear()
    run_state_machine_as_test(machine, settings=settings(BOUNDS, max_examples=examples, **bounds))
    counted = "examples", "steps", "requests", "erased"
    return ", ".join(f"{COUNTED[name]:,} {name}" for name in counted)


def searched_anew(machine):
    """Search for a mutant; where a race goes another way than it went before, draw anew."""
    quick = {"phases": [Phase.generate], "report_multiple_bugs": False}
    for derandomize in (True, False, False, False):
        with suppress(FlakyStrategyDefinition):
            return searched(machine, MOST, **quick, derandomize=derandomize)
    return ""


@pytest.mark.claim("machine", "drawn steps and faults break no invariant of the real functions")
def test_in_process(in_process, record_property):
    """With faults below, and with decisions exactly at the deadline."""
    record_property("said", f"in process: {searched(in_process, EXAMPLES)}")
    assert COUNTED["erased"]


@pytest.mark.claim("machine", "drawn steps and faults break no invariant of the real functions")
def test_over_http(over_http, record_property):
    """Over the wire, with events that the emulator sends and a host that is killed."""
    record_property("said", f"over HTTP: {searched(over_http, max(4, EXAMPLES // 3))}")
    assert COUNTED["erased"]


@pytest.mark.parametrize("reads", ["batch_get_documents", "run_query"])
@pytest.mark.parametrize("kind", ["in_process", "over_http"])
def test_a_stranger_meets_a_fault(request, kind, reads):
    """While the store does not answer a stranger is told to try again, of whatever project."""
    machine = request.getfixturevalue(kind)()
    machine.begin()
    label = machine.create("a")
    machine.restart()
    machine.fail_next(on=reads, how="before", last=10**9, error="ServiceUnavailable")
    machine.stranger(label, "secrets", "s")
    machine.driver.close()


def test_mutants_are_of_the_code(subtests):
    """Each breaks a line that is there, whichever of them are looked for this time."""
    for mutant in MUTANTS:
        with subtests.test(mutant.name), broken(mutant):
            pass


@pytest.mark.claim("machine", "the machine finds each mutant of the code")
@pytest.mark.parametrize("mutant", MUTANTS if PROVING else MUTANTS[::6], ids=lambda one: one.name)
def test_mutant_is_found(in_process, mutant, record_property):
    """With one guard taken out of the code an invariant breaks, within some examples."""
    with broken(mutant), pytest.raises((AssertionError, FlakyFailure)) as found:
        searched_anew(in_process)
    causes = getattr(found.value, "exceptions", [found.value])  # flaky: a race went another way
    assert any(isinstance(cause, AssertionError) for cause in causes)
    record_property("found", f"{mutant.name}: {str(causes[0]).splitlines()[0][:100]}")
