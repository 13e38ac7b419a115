"""Documents that are fought for: one request of a process at a time, and out of others' way."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from google.api_core import exceptions

from shared import quotas
from shared.errors import Error, unavailable
from shared.store import Store, Write, one_request
from shared.store.turns import Turns
from tests.store.test_attempts import Faulty
from tests.support import until
from tests.support.counting import Counting

FAR = time.monotonic() + 3600  # a time that does not come


def added(store, number, path="counts/one"):
    """Add one to a document's number, with an entry of its own."""
    operation = f"entries/{number}"

    def decide(read):
        count = (read[path].fields or {}).get("n", 0) + 1
        return [
            Write.replace(read[path], {"n": count}),
            Write.create(operation, {"n": count}),
        ], count

    return store.transact(operation, [path], decide)


@pytest.fixture
def store(app):
    """A store whose calls are counted, and the counting client."""
    api = Counting(app.store._api)
    return Store(api, app.store._database, lambda: 0.5, token="owner")


@pytest.mark.claim(
    "F8", "who is overtaken waits for a turn: 60 writes of a document, few for nothing"
)
def test_nobody_works_for_nothing(store):
    """Each of 60 at once counts once, and most commit once: the others wait before they ask."""
    with ThreadPoolExecutor(60) as pool:
        counts = list(pool.map(lambda number: added(store, number), range(60)))
    assert sorted(counts) == list(range(1, 61))
    calls = Counter(store._api.calls)
    assert calls["commit"] <= 60 + 60 + 10  # one that was overtaken, and one in turn
    assert store._turns._queues == {}


@pytest.mark.claim("F35", "who is overtaken waits outside: the gate is free for others meanwhile")
def test_waits_are_outside(store):
    """A request that is not overtaken never leaves; one that is leaves, and comes back."""
    left = []

    @contextmanager
    def outside():
        left.append("out")
        yield
        left.append("in")

    with one_request(outside):
        assert added(store, "a") == 1
        assert left == []
    real, overtaken = store._api, iter([True, True, False])
    elsewhere = Store(real, store._database, lambda: 0.5, token="owner")  # another process

    class Overtaking:
        """The client, before whose commits another's comes."""

        def __getattr__(self, name):
            if name == "commit" and next(overtaken, False):
                added(elsewhere, f"other {len(left)}")
            return getattr(real, name)

    store._api = Overtaking()
    with one_request(outside):
        assert added(store, "b") == 4
    assert left == ["out", "in"] * 2
    assert store._turns._queues == {}


def test_whoever_comes_later_waits_at_once(store):
    """While somebody has a turn at a document, who reads it to write waits before asking."""
    waits = []

    @contextmanager
    def outside():
        waits.append(threading.current_thread().name)
        yield

    def one(path):
        with one_request(outside):
            return added(store, path.replace("/", " "), path)

    with ThreadPoolExecutor(2, "later") as pool, store._turns.one() as turn:
        assert turn.take(["counts/one"], FAR)
        assert pool.submit(one, "counts/two").result(10) == 1  # nobody is in its way
        assert waits == []
        store._api.calls.clear()
        later = pool.submit(one, "counts/one")
        until(lambda: waits)
        assert not later.done()
        assert store._api.calls == []
        turn.end()
        assert later.result(10) == 1
    assert store._turns._queues == {}


def test_alone_from_the_start(store):
    """What may not be overtaken waits before it asks; uncontended, it stays where it is."""
    left, asked = [], []

    @contextmanager
    def outside():
        left.append(1)
        yield

    def one(number):
        def decide(read):
            asked.append(number)
            time.sleep(0.01)  # long enough to be overtaken
            return [Write.create(f"alone/{number}", {"n": number}), changed(read)], number

        changed = lambda read: Write.replace(read["counts/a"], {"n": number})  # noqa: E731
        with one_request(outside):
            return store.transact(f"alone/{number}", ["counts/a"], decide, alone=["counts/a"])

    assert one(0) == 0
    assert left == []
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(one, range(1, 21)))
    assert sorted(asked) == [*range(21)]  # each decided once
    assert store._turns._queues == {}


def test_a_turn_that_does_not_come(store, monkeypatch):
    """It ends by the request's deadline, 503, and wants nothing any more."""
    monkeypatch.setattr(quotas, "STORE_DEADLINE", 0.3)
    refused = []

    def one():
        with pytest.raises(Error) as refusal:
            added(store, "late")
        refused.append(refusal.value)

    with store._turns.one() as turn:
        turn.take(["counts/one"], FAR)
        thread = threading.Thread(target=one)
        began = time.monotonic()
        thread.start()
        thread.join(10)
        assert time.monotonic() - began < 2
    (error,) = refused
    assert (error.code, error.message) == ("unavailable", "Too many changes at once: try again.")
    assert store._turns._queues == {}


def test_nobody_waits_in_a_circle():
    """Those who want the same documents, in whatever order they name them, get them in one."""
    turns, done = Turns(), []

    def one(number):
        paths = ["a", "b", "c"]
        for _ in range(50):
            with turns.one() as turn:
                assert turn.take(paths[number % 3 :] + paths[: number % 3], time.monotonic() + 20)
                assert turn.take({"a", "b", "c"}, 0)  # they are held already
        done.append(number)

    with ThreadPoolExecutor(9) as pool:
        list(pool.map(one, range(9)))
    assert len(done) == 9
    assert turns._queues == {}


@pytest.fixture
def faulty(app):
    """A store over a client whose line fails as told."""
    return Store(Faulty(app.store._api), app.store._database, lambda: 0.01, token="owner")


@pytest.mark.claim(
    "F8", "whoever is overtaken 20 times is told to come again, and nothing is written"
)
def test_conflicts_are_bounded(faulty):
    """So many tries, and no more: 503, as with all that may be tried again."""
    faulty._api.script["commit"] = [("before", exceptions.Aborted)] * 1000
    with pytest.raises(Error) as refused:
        added(faulty, "a")
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})
    assert faulty._api.calls.count("commit") == quotas.CONFLICT_TRIES
    faulty._api.script["commit"] = [("before", exceptions.Aborted)] * (quotas.CONFLICT_TRIES - 1)
    assert added(faulty, "b") == 1


@pytest.mark.claim(
    "F9", "a commit that was applied is told as done, also where there is no room to wait"
)
def test_no_room_to_wait(faulty):
    """Its answer was lost as a conflict, and where it would wait is full: it is found out first."""

    @contextmanager
    def full():
        raise unavailable("Too many requests at once")
        yield

    faulty._api.script["commit"] = [("after", exceptions.Aborted)]
    with one_request(full):
        assert added(faulty, "a") == 1
    faulty._api.script["commit"] = [("before", exceptions.Aborted)]
    with one_request(full), pytest.raises(Error) as refused:
        added(faulty, "b")
    assert refused.value.message == "Too many changes at once: try again."
    assert faulty.read("counts/one")["counts/one"].fields == {"n": 1}
    assert faulty._turns._queues == {}
