"""Clocks that differ between hosts, and the local one moved back while something waits for it.

A host's own clock is asked about tokens and keys alone; lifecycle time is the store's.
"""

import time
from dataclasses import replace

import jwt
import pytest

from shared import access, projects, quotas
from shared.access import api_keys
from shared.access.tokens import HEADER
from shared.errors import Error
from shared.store import Write
from shared.upkeep import purge, schedule
from tests.support import WEEK, call, reclaim

MINUTE, HOUR = 60, 3600
STEPS = ["begin", "shred", "sweep", "tombstone"]
SKEW = quotas.CLOCK_SKEW.total_seconds()


def at(app, seconds):
    """Give the same deployment on a host whose clock is ahead by so much."""
    return replace(app, wall=lambda: time.time() + seconds)


def token(app, apikey):
    """Exchange a key for a token."""
    return access.issue_token(app, call(body={"apikey": apikey})).body["access_token"]


def refused(act):
    """Give the code that something is refused with, None where it is not."""
    try:
        act()
    except Error as error:
        return error.code
    return None


@pytest.mark.claim("F70", "a token is taken by a host whose clock is up to a minute behind")
@pytest.mark.parametrize("ahead", [-HOUR + 60, -3, 0, 3, SKEW - 2, SKEW + 10, HOUR])
def test_a_token_of_a_host_ahead(app, ahead):
    """Behind by less than its lifetime it may be; ahead by more than a minute it may not."""
    shown = token(at(app, ahead), "ce_key_x")
    due = "unauthorized" if ahead > SKEW else None
    assert refused(lambda: access.authenticate(app, shown)) == due


@pytest.mark.claim("F70", "a token ends on the second, by the clock of the host it is shown to")
def test_no_token_lives_longer(app):
    """The minute is for its beginning alone, whether the issuer was behind or the reader ahead."""
    shown, expiry = token(app, "ce_key_x"), int(time.time()) + HOUR
    for seconds, due in ((-1, None), (1, "unauthorized"), (SKEW / 2, "unauthorized")):
        there = replace(app, wall=lambda s=seconds: expiry + s)
        assert refused(lambda there=there: access.authenticate(there, shown)) == due
    late = token(at(app, -HOUR - 1), "ce_key_x")
    assert refused(lambda: access.authenticate(app, late)) == "unauthorized"


@pytest.mark.parametrize(("ahead", "due"), [(SKEW - 2, None), (SKEW + 10, "unauthorized")])
def test_not_before(app, ahead, due):
    """A token that says from when on it holds has the same minute."""
    claims = jwt.decode(token(app, "ce_key_x"), options={"verify_signature": False})
    claims["nbf"] = int(time.time() + ahead)
    shown = jwt.encode(claims, app.keyring.signing_key, HEADER["alg"], headers=HEADER)
    assert refused(lambda: access.authenticate(app, shown)) == due


@pytest.mark.claim("F70", "who logs in again after a key has changed is known to every host")
def test_a_key_that_has_changed(app):
    """A host ahead has found the old token ended; it takes the new one of a host behind."""
    made = api_keys.create(app, call(body={"name": "k", "roles": ["viewer"]})).body
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    ahead, old = at(app, SKEW - 2), token(app, made["apikey"])

    def seen(shown):
        asks = replace(call(id=project), principal=access.authenticate(ahead, shown))
        return projects.get(ahead, asks)

    assert seen(old).body["id"] == project
    path = f"api_keys/{made['id']}"
    record = app.store.read(path)[path]
    changed = access.records.signed(app, record.contents | {"roles": ["operator", "viewer"]})
    app.store.commit([Write.replace(record, changed)])
    assert refused(lambda: seen(old)) == "unauthorized"
    assert refused(lambda: access.authenticate(ahead, old)) == "unauthorized"  # asking nobody
    assert seen(token(app, made["apikey"])).body["id"] == project


def test_what_is_under_way_is_left_alone(app):
    """A purge that has just begun, or was just nudged, is no business of the schedule's."""
    reclaim(app, projects.create(app, call(body={"name": "p"})).body["id"])
    assert schedule.enforce(app)["nudged"] == 0
    app.settings.clock_file.write_text(str(quotas.NUDGE_AFTER.total_seconds()))
    assert [schedule.enforce(app)["nudged"] for _ in range(2)] == [1, 0]


@pytest.mark.claim("F71", "a purge begun under a clock that is moved back is nudged at once")
@pytest.mark.parametrize("ahead", [2 * MINUTE, 20 * MINUTE, 3 * WEEK])
def test_a_purge_begun_in_the_future(app, ahead):
    """Its event is lost: the next run nudges it, once; then it has a day, as any other."""
    clock = app.settings.clock_file
    clock.write_text(str(ahead))
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    reclaim(app, project)
    clock.write_text("0")
    assert [schedule.enforce(app)["nudged"] for _ in range(2)] == [1, 0]
    clock.write_text(str(16 * MINUTE))
    assert schedule.enforce(app)["nudged"] == 1
    clock.write_text(str(24 * HOUR + MINUTE))
    assert schedule.enforce(app)["given_up"] == 1
    clock.write_text(str(26 * HOUR))
    assert schedule.enforce(app)["retried"] == 1
    assert [purge.advance(app, project) for _ in STEPS] == STEPS


@pytest.mark.claim("F71", "one that was nudged or has failed under such a clock waits for no more")
@pytest.mark.parametrize(("after", "count"), [(20 * MINUTE, "nudged"), (25 * HOUR, "given_up")])
def test_a_purge_that_stood_still_in_the_future(app, after, count):
    """Nudged or given up three weeks ahead, it is nudged or tried again now."""
    clock = app.settings.clock_file
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    reclaim(app, project)
    clock.write_text(str(after))
    assert schedule.enforce(app)[count] == 1
    clock.write_text(str(-MINUTE))  # what was stored now is ahead as well
    again = "nudged" if count == "nudged" else "retried"
    assert [schedule.enforce(app)[again] for _ in range(2)] == [1, 0]
    assert [purge.advance(app, project) for _ in STEPS] == STEPS


@pytest.mark.claim("F71", "what is written in place of a time keeps no other waiting")
@pytest.mark.parametrize(
    "odd",
    [
        {"status": "hard_deleting", "progress_at": "soon"},
        {"status": "hard_deletion_failed", "updated_at": 7},
    ],
)
def test_what_is_no_time(app, odd):
    """It is not found, as it never was; what stands still beside it is."""
    app.store.commit([Write.create("projects/odd", odd)])
    reclaim(app, projects.create(app, call(body={"name": "p"})).body["id"])
    app.settings.clock_file.write_text(str(16 * MINUTE))
    done = schedule.enforce(app)
    assert (done["nudged"], done["failed"]) == (1, 0)
