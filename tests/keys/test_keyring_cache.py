"""Data keys in memory: for a minute at most, not many, and not beyond their destruction."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from shared import quotas
from shared.keys import Undecryptable, memory
from shared.keys.local import open_keyring
from shared.keys.local.keyring_file import FileKeys
from tests.support import until

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ID, OTHER = "25bbfb75-e821-4338-9413-d432c6e55f85", "35bbfb75-e821-4338-9413-d432c6e55f85"


@pytest.fixture
def clock(monkeypatch):
    """A monotonic clock that the test moves, as the keyring reads it."""

    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(memory, "time", clock)
    return clock


def expect_undecryptable(ring, project_id, record):
    """Require that no data key is given."""
    with pytest.raises(Undecryptable) as refused:
        ring.open(project_id, record)
    assert str(refused.value) == ""


@pytest.mark.claim("I9", "a key destroyed by another process is forgotten within a minute")
def test_destroyed_by_another_process(file, folder, ring, clock):
    """A key destroyed elsewhere is forgotten here when its minute is over."""
    record = ring.create(ID, NOW)
    ring.open(ID, record)
    open_keyring(file, folder).destroy(ID)
    clock.now += quotas.KEY_CACHE_LIFETIME
    expect_undecryptable(ring, ID, record)


def test_cache_saves_a_read(folder, ring, clock):
    """For a minute a key comes from memory, without the key store."""
    record = ring.create(ID, NOW)
    key = ring.open(ID, record)
    (folder / f"{ID}.new").rename(folder / "elsewhere")
    clock.now += quotas.KEY_CACHE_LIFETIME - 0.001
    assert ring.open(ID, record) == key
    clock.now += 0.002
    expect_undecryptable(ring, ID, record)
    assert quotas.KEY_CACHE_LIFETIME <= 60


def test_cache_use_does_not_prolong(ring, clock):
    """A key that is used all the time is read anew every minute all the same."""
    record = ring.create(ID, NOW)
    ring.open(ID, record)
    for _ in range(10):
        clock.now += quotas.KEY_CACHE_LIFETIME / 10
        ring._halves.folder.joinpath(f"{ID}.new").unlink(missing_ok=True)
        if clock.now < 1000 + quotas.KEY_CACHE_LIFETIME:
            ring.open(ID, record)
    expect_undecryptable(ring, ID, record)


def test_cache_is_bounded(ring, monkeypatch):
    """Not more than a number of keys are in memory, whatever is asked for; the oldest go."""
    monkeypatch.setattr(quotas, "KEY_CACHE_ENTRIES", 3)
    for number in range(10):
        ring.open(f"p{number}", ring.create(f"p{number}", NOW))
    assert [project for project, _ in ring._memory._kept] == ["p7", "p8", "p9"]


def test_cache_outlives_nothing(ring, clock):
    """A key whose minute is over is not in memory any more once others are used."""
    ring.open(ID, ring.create(ID, NOW))
    clock.now += quotas.KEY_CACHE_LIFETIME + 1
    ring.open(OTHER, ring.create(OTHER, NOW))
    assert [project for project, _ in ring._memory._kept] == [OTHER]


@pytest.mark.claim("I9", "a key leaves memory when its minute is over, though nobody asks for any")
def test_cache_empties_by_itself(ring, monkeypatch):
    """A timer drops each key at its time, one for all of them, and there is none without keys."""
    monkeypatch.setattr(quotas, "KEY_CACHE_LIFETIME", 0.2)
    for names in (["p1", "p2", "p3"], ["p4"]):
        for name in names:
            ring.open(name, ring.create(name, NOW))
        timers = [thread for thread in threading.enumerate() if thread is ring._memory._timer]
        assert (len(timers), timers[0].daemon) == (1, True)
        until(lambda: not ring._memory._kept)
        until(lambda: ring._memory._timer is None)


def test_no_timer_no_cache(ring, monkeypatch):
    """Where no thread can be started a key is given and not kept."""

    def refused(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    record = ring.create(ID, NOW)
    assert ring.open(ID, record) == ring.open(ID, record)
    assert not ring._memory._kept


def test_cache_under_threads(ring):
    """Threads that open and destroy at once get the right key or none."""
    records = {f"p{number}": ring.create(f"p{number}", NOW) for number in range(8)}
    keys = {name: ring.open(name, record) for name, record in records.items()}

    def work(number):
        name = f"p{number % 8}"
        if number >= 400 and number % 8 < 4:
            ring.destroy(name)
        try:
            return ring.open(name, records[name]) == keys[name]
        except Undecryptable:
            return number % 8 < 4

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(800)))
    for number in range(8):
        if number < 4:
            expect_undecryptable(ring, f"p{number}", records[f"p{number}"])
        else:
            assert ring.open(f"p{number}", records[f"p{number}"]) == keys[f"p{number}"]


@pytest.mark.claim("I9", "a key destroyed while it is opened is not kept")
def test_destroy_while_opening(ring, monkeypatch):
    """A key destroyed while it is being opened does not come back into memory."""
    record = ring.create(ID, NOW)
    ring.confirm(ID)
    unwrap = FileKeys.unwrap

    def slow(*arguments):
        ring.destroy(ID)  # another thread's, between the two halves
        return unwrap(*arguments)

    monkeypatch.setattr(FileKeys, "unwrap", slow)
    ring.open(ID, record)
    assert not any(project == ID for project, _ in ring._memory._kept)
