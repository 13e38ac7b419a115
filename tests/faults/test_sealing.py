"""The sequencer on its worst days: killed, overtaken, unanswered, with the clock going to and fro.

Whatever happens, nothing is lost or doubled, each account's numbers are dense, and every checkpoint
that was ever seen goes on from the one before.
"""

import itertools
import random
from contextlib import suppress
from datetime import timedelta
from threading import Thread

import pytest

from shared import audit, projects
from shared.errors import Error
from shared.keys.signing import no_log_key
from shared.store import Write
from shared.upkeep import purge
from tests.faults.faulty import COMMIT, QUERY, READ, Rule, troubled
from tests.faults.test_crash import fragile  # noqa: F401 - a fixture
from tests.support import call, reclaim, seed
from tests.support.sealed import START, Seen, whole, write

MOST = 12  # calls of the store in a run, with room; the walk ends by itself
SEED = seed()


def walk(app, seen, do, on, error="crash"):
    """Break each call of a run in turn, and let the next run go on; give how many there were."""
    for number in range(1, MOST):
        write(app, 3)
        rule = Rule(on, do, first=number, last=number, error=error)
        with suppress(RuntimeError, Error):
            audit.seal(troubled(app, rule)[0])
        seen.look()
        audit.seal(app)
        seen.look()
        assert whole(app).waiting == 0
        if not rule.met:
            return number - 1
    raise AssertionError("it does not end")


CALLS = {COMMIT: 2, READ: 4, QUERY: 2}  # of a run that has something to do


@pytest.mark.claim(
    "F6", "killed before or after any call of the store, no entry is lost or doubled"
)
@pytest.mark.parametrize("on", CALLS)
@pytest.mark.parametrize("do", ["before", "after", "twice"])
def test_killed(app, on, do):
    """The next run goes on; the checkpoints it signs are those that would have been."""
    seen = Seen(app)
    assert walk(app, seen, do, on) == CALLS[on]
    assert seen.count > CALLS[on]


@pytest.mark.claim("F6", "an answer of the store that is lost is no second entry")
@pytest.mark.parametrize("on", [COMMIT, READ])
@pytest.mark.slow
def test_lost_answers(app, on):
    """Applied or not, nobody knows: what is stored says it."""
    seen = Seen(app)
    walk(app, seen, "after", on, "ServiceUnavailable")
    walk(app, seen, "before", on, "ServiceUnavailable")


@pytest.mark.claim("F6", "of two runs at once one comes first, wherever the other one is")
@pytest.mark.parametrize("on", [COMMIT, READ])
def test_another_run_in_between(app, on):
    """A whole run between any two calls of another."""
    seen = Seen(app)
    for number in range(1, CALLS[on] + 1):
        write(app, 4)
        other = lambda: (write(app, 1), audit.seal(app))  # noqa: E731
        audit.seal(troubled(app, Rule(on, "meanwhile", first=number, last=number, other=other))[0])
        seen.look()
        audit.seal(app)
        seen.look()
        assert whole(app).waiting == 0


@pytest.mark.claim("F6", "runs at once, while entries come, lose and double nothing")
@pytest.mark.slow
def test_runs_at_once(app):
    """Three runs over and over, beside two writers; the clock of what they write goes anywhere."""
    chance, failed = random.Random(SEED), []

    def writing():
        for _ in range(12):
            away = timedelta(days=chance.randint(-500, 500))
            write(app, chance.randint(1, 30), at=START + away)

    def sealing():
        for _ in range(10):
            try:
                audit.seal(app)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                failed.append(error)

    threads = [Thread(target=act) for act in (writing, writing, sealing, sealing, sealing)]
    for thread in threads:
        thread.start()
    seen = Seen(app)
    for thread in threads:
        thread.join()
    assert failed == []
    audit.seal(app)
    seen.look()
    log = whole(app)
    assert (log.waiting, log.checkpoint.size) == (0, len(log.entries)), SEED


@pytest.mark.claim("I18", "what is signed is what was read back of the store, and nothing else")
def test_only_what_is_committed_is_signed(app):
    """Where the commit never came to be, no checkpoint of it exists."""
    write(app, 5)
    with suppress(RuntimeError):
        audit.seal(troubled(app, Rule(COMMIT, "before", error="crash"))[0])
    log = whole(app)
    assert (log.checkpoint, log.waiting) == (None, 5)


@pytest.mark.claim("F47", "a purge waits for no log: neither for its key, nor for a run")
def test_a_purge_does_not_wait(app):
    """Without a log key, and with a log that is damaged, a project is destroyed as ever."""
    app.keyring.log_key = no_log_key
    app.store.commit([Write.create("log/state", {"size": "rubbish"})])
    made = projects.create(app, call(body={"name": "p"})).body["id"]
    audit.seal(app)
    reclaim(app, made)
    steps = [purge.advance(app, made) for _ in range(4)]
    assert steps[-1] == "tombstone", steps
    assert app.store.read(f"tombstones/{made}")[f"tombstones/{made}"].fields


@pytest.mark.claim("F6", "a host that is killed at any write of a run goes on, and signs the same")
@pytest.mark.slow
def test_a_killed_host(fragile):  # noqa: F811 - the fixture
    """A real process, killed before and after each commit of a run, and as the log key is made."""
    account = fragile.account()
    for number, when in itertools.product(range(1, 5), ("before", "after")):
        account.project()
        fragile.light(number, when)
        with suppress(Exception):
            fragile.hub("POST", "/schedules/sealAudit/run")
        over = fragile.survived()
        fragile.hub("POST", "/schedules/sealAudit/run")
        log = whole(fragile.inside)
        assert (log.waiting, log.checkpoint.size) == (0, len(log.entries))
        if over:
            break
