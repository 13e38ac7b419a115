"""The store on the public emulator: all or nothing, at one instant, and read as written."""

import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from shared import quotas
from shared.errors import Error
from shared.store import Conflict, Store, Write
from tests.faults.hosts import Wire
from tests.support import paths_below, until

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


def fields(db, *paths):
    """Give the fields of documents."""
    read = db.read(*paths)
    return [read[path].fields for path in paths]


def test_read(db):
    """Documents present and missing are read at one instant, in whatever order they come."""
    names = [f"c/d{number}" for number in range(40)]
    db.commit([Write.create(name, {"n": name}) for name in names[::2]])
    read = db.read(*names)
    assert set(read.documents) == set(names)
    assert [read[name].fields for name in names[::2]] == [{"n": name} for name in names[::2]]
    assert [read[name].fields for name in names[1::2]] == [None] * 20
    assert read[names[1]].update_time is None
    assert read[names[0]].update_time is not None
    assert (read[names[0]].path, read[names[0]].id) == ("c/d0", "d0")


def test_some_fields(db):
    """Of what a query finds only the fields that are named come, and of a map what is named."""
    whole = {"name": "a", "n": 1, "body": {"format": "x", "other": "y"}, "sealed": b"z"}
    db.commit([Write.create("c/a", whole), Write.create("c/b", {"name": "b", "sealed": b"z"})])
    some = ("name", "n", "body.format")
    _, found = db.query("c", order="name", limit=9, fields=some)
    assert [document.contents for document in found] == [
        {"name": "a", "n": 1, "body": {"format": "x"}},
        {"name": "b"},
    ]
    assert [document.path for document in found] == ["c/a", "c/b"]
    _, found = db.query("c", ("n", "==", 1), order="__name__", limit=9, fields=["sealed"])
    assert [document.contents for document in found] == [{"sealed": b"z"}]
    assert db.query("c", order="name", limit=1)[1][0].contents == whole


def test_read_only_missing(db):
    """What is missing has a read time too: the store's clock."""
    one, two = db.read("none/x").time, db.read("none/x", "none/y").time
    assert one <= two
    assert abs(two - datetime.now(UTC)) < timedelta(minutes=1)
    assert two.tzinfo is UTC


def test_what_is_decided_was_true_together(db):
    """A commit that verifies what was read stands only if it was all true at one instant."""

    def write(number):
        db.commit([Write("c/a", {"n": number}), Write("c/b", {"n": number})])

    write(0)
    stood = 0
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write, number) for number in range(40)]
        for _ in range(60):
            read = db.read("c/b", "c/a")
            try:
                db.commit([Write.verify(read["c/a"]), Write.verify(read["c/b"])])
            except Conflict:
                continue
            stood += 1
            assert read["c/a"].fields == read["c/b"].fields
        for future in writing:
            future.result()
    assert stood > 0


# What is there when it is read, and what another does before the commit.
STATES = {
    "same": ({"old": 1}, None),
    "changed": ({"old": 1}, Write("c/d", {"old": 2})),
    "gone": ({"old": 1}, Write.discard("c/d")),
    "missing": (None, None),
    "made": (None, Write("c/d", {"old": 2})),
}
# A write, the states in which it may happen, and what it leaves.
KINDS = {
    "create": (lambda d: Write.create(d.path, {"new": 1}), {"missing", "gone"}, {"new": 1}),
    "replace": (lambda d: Write.replace(d, {"new": 1}), {"same", "missing"}, {"new": 1}),
    "update": (lambda d: Write.update(d, {"new": 1}), {"same"}, {"old": 1, "new": 1}),
    "verify": (Write.verify, {"same"}, {"old": 1}),
    "delete": (Write.delete, {"same"}, None),
    "discard": (lambda d: Write.discard(d.path), set(STATES), None),
    "write": (lambda d: Write(d.path, {"new": 1}), set(STATES), {"new": 1}),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", KINDS)
def test_precondition(db, kind, state):
    """A commit stands only if each precondition holds, and then as a whole; else not at all."""
    (there, meanwhile), (write, met, left) = STATES[state], KINDS[kind]
    if there:
        db.commit([Write.create("c/d", there)])
    document = db.read("c/d")["c/d"]
    if meanwhile:
        db.commit([meanwhile])
    before = fields(db, "c/d")
    if document.fields is None and kind in ("update", "verify", "delete"):
        with pytest.raises(ValueError, match="read as missing"):
            write(document)
        return
    batch = [Write("c/first", {"n": 1}), write(document), Write("c/last", {"n": 1})]
    if state in met:
        db.commit(batch)
        assert fields(db, "c/first", "c/d", "c/last") == [{"n": 1}, left, {"n": 1}]
    else:
        with pytest.raises(Conflict):
            db.commit(batch)
        assert fields(db, "c/first", "c/d", "c/last") == [None, *before, None]


def test_what_must_not_exist_is_not_deleted():
    """Firestore documents `exists` of a delete as "must exist": nothing hangs on the other."""
    with pytest.raises(ValueError, match="c/d"):
        Write("c/d", None, exists=False)
    assert Write("c/d", None, exists=True).changes


def test_verify_changes_nothing(db):
    """Verifying keeps the update time, so that any number may verify at once."""
    db.commit([Write.create("c/d", {"a": 1})])
    document = db.read("c/d")["c/d"]
    with ThreadPoolExecutor(16) as pool:
        list(
            pool.map(lambda n: db.commit([Write.verify(document), Write(f"c/{n}", {})]), range(48))
        )
    assert db.read("c/d")["c/d"] == document


@pytest.mark.parametrize(
    ("mask", "new", "left"),
    [
        (["slots.`b-1`"], {"slots": {"b-1": "new"}}, {"slots": {"a-1": "A", "b-1": "new"}, "x": 1}),
        (["slots.`a-1`"], {"slots": {"a-1": "new"}}, {"slots": {"a-1": "new"}, "x": 1}),
        (["slots.`a-1`"], {}, {"slots": {}, "x": 1}),
        (["slots.`c-1`"], {}, {"slots": {"a-1": "A"}, "x": 1}),
        (["x"], {"x": 2, "slots": {}, "y": 3}, {"slots": {"a-1": "A"}, "x": 2}),
        (["x"], {}, {"slots": {"a-1": "A"}}),
        (["y"], {"y": None}, {"slots": {"a-1": "A"}, "x": 1, "y": None}),
        ([], {"x": 9}, {"slots": {"a-1": "A"}, "x": 1}),
        (None, {"x": 9}, {"x": 9}),
    ],
)
def test_mask(db, mask, new, left):
    """A mask names all that is written: a field in it without a value is removed, others stay."""
    db.commit([Write.create("c/d", {"slots": {"a-1": "A"}, "x": 1})])
    db.commit([Write("c/d", new, mask)])
    assert fields(db, "c/d") == [left]


@pytest.fixture
def people(db):
    """A collection to ask about, and its neighbours."""
    rows = [("a", "x", 1), ("b", "y", 2), ("c", "x", 3), ("d", "x", 4), ("e", "z", 5)]
    writes = [Write(f"p/1/c/{name}", {"name": name, "k": k, "n": n}) for name, k, n in rows]
    others = ["c/a", "p/11/c/a", "p/1/d/a", "p/1/c/a/c/a"]
    db.commit([*writes, *(Write(path, {"name": "other", "k": "x", "n": 9}) for path in others)])
    return lambda *filters, **how: "".join(
        document.id
        for document in db.query("p/1/c", *filters, **{"order": "name", "limit": 99} | how)[1]
    )


@pytest.mark.parametrize(
    ("filters", "how", "found"),
    [
        ([], {}, "abcde"),
        ([], {"order": "n"}, "abcde"),
        ([], {"limit": 2}, "ab"),
        ([], {"limit": 2, "after": "b"}, "cd"),
        ([], {"after": "bb"}, "cde"),
        ([], {"after": ""}, "abcde"),
        ([], {"after": "e"}, ""),
        ([], {"after": "\U0010ffff"}, ""),
        ([("k", "==", "x")], {}, "acd"),
        ([("k", "==", "x")], {"after": "a", "limit": 1}, "c"),
        ([("k", "==", "x"), ("n", "==", 3)], {}, "c"),
        ([("k", "==", "w")], {}, ""),
        ([("n", "<=", 3)], {"order": "n"}, "abc"),
        ([("n", "<=", 0)], {"order": "n"}, ""),
        ([("k", "==", "x"), ("n", "<=", 3)], {"order": "n"}, "ac"),
    ],
)
def test_query(people, filters, how, found):
    """A query gives the documents of one collection that match, in order, from where it is told."""
    assert people(*filters, **how) == found


def test_query_order(db):
    """Order is that of UTF-8 bytes, and what lacks the field is not found."""
    names = ["a", "B", "é", "\uffee", "😀", "", "a\0", "aa"]
    writes = [Write(f"c/d{number}", {"name": name}) for number, name in enumerate(names)]
    db.commit([*writes, Write("c/without", {"other": 1})])
    found = [document.fields["name"] for document in db.query("c", order="name", limit=99)[1]]
    assert found == sorted(names, key=str.encode)


def test_query_time(db):
    """A query tells the store's time, found or not."""
    first, nothing = db.query("none", order="name", limit=1)
    db.commit([Write("none/x", {"name": "x"})])
    second, found = db.query("none", order="name", limit=1)
    assert (nothing, [document.fields for document in found]) == ([], [{"name": "x"}])
    assert timedelta(0) <= second - first < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("weight", "found"),
    [(0, 8), (1, 8), (100, 8), (125, 8), (126, 8), (300, 5), (999, 3), (1001, 2)],
)
def test_query_weigh(db, monkeypatch, weight, found):
    """A query stops one beyond the document whose weight takes the sum over the limit."""
    monkeypatch.setattr(quotas, "PAGE_BYTES", 1000)
    db.commit([Write(f"c/d{number}", {"n": number}) for number in range(8)])
    _, documents = db.query("c", order="n", limit=99, weigh=lambda _: weight)
    assert [document.fields["n"] for document in documents] == list(range(found))


def test_query_weigh_leaves_the_client_usable(db, monkeypatch):
    """A query that stopped early disturbs no later one."""
    monkeypatch.setattr(quotas, "PAGE_BYTES", 0)
    db.commit([Write(f"c/d{number}", {"n": number, "b": b"x" * 10_000}) for number in range(90)])
    for _ in range(20):
        assert len(db.query("c", order="n", limit=99, weigh=lambda _: 1)[1]) == 2
    assert fields(db, "c/d7")[0]["n"] == 7


CHILDREN = ["p/1/a/x", "p/1/a/x/b/y", "p/1/unheard/z", "p/1/a/none/b/under-nothing", "p/1/é/😀"]


def test_below(db):
    """All below a document is found, nested or unheard of; nothing beside it, and not itself."""
    beside = ["p/1", "p/11", "p/11/a/x", "p/10/a/x", "p/1a/a/x", "p/0/a/x", "q/1/a/x", "p/1-/a/x"]
    db.commit([Write(path, {"n": 1}) for path in CHILDREN + beside])
    assert sorted(paths_below(db, "p/1", 99)) == sorted(CHILDREN)
    assert sorted(paths_below(db, "", 99)) == sorted(CHILDREN + beside)
    assert paths_below(db, "p/2", 99) == []
    found = paths_below(db, "p/1", 3)
    assert len(found) == 3
    assert set(found) < set(CHILDREN)


def test_sweeping(db):
    """Deleting what is below, some at a time, leaves nothing below and all else."""
    db.commit([Write(path, {"n": 1}) for path in [*CHILDREN, "p/1", "p/11/a/x"]])
    while found := paths_below(db, "p/1", 2):
        db.commit(map(Write.discard, found))
    assert sorted(paths_below(db, "", 99)) == ["p/1", "p/11/a/x"]


def count(db, times):
    """Increment a counter some times."""

    def decide(read):
        number = (read["c/n"].fields or {}).get("n", 0) + 1
        return [Write.replace(read["c/n"], {"n": number})], number

    return [db.transact("c/once", ["c/n"], decide) for _ in range(times)]


def test_transact(db):
    """Twenty at once lose no increment, and each gets its own."""
    with ThreadPoolExecutor(20) as pool:
        given = [n for numbers in pool.map(lambda _: count(db, 5), range(20)) for n in numbers]
    assert fields(db, "c/n") == [{"n": 100}]
    assert sorted(given) == list(range(1, 101))


def test_transact_decides_anew(db):
    """After a conflict the decision is made again, on what is there by then."""
    seen = []

    def decide(read):
        seen.append(read["c/n"].fields)
        if len(seen) < 4:
            db.commit([Write("c/n", {"by": len(seen)})])
        return [Write.replace(read["c/n"], {"by": "me"})], "mine"

    assert db.transact("c/once", ["c/n"], decide) == "mine"
    assert seen == [None, {"by": 1}, {"by": 2}, {"by": 3}]
    assert fields(db, "c/n") == [{"by": "me"}]


def test_transact_raises_what_is_decided(db):
    """A refusal is not retried, and writes nothing."""
    calls = []

    def decide(read):
        calls.append(read)
        raise Error("name_taken", "Taken.")

    with pytest.raises(Error) as refused:
        db.transact("c/once", ["c/n"], decide)
    assert (refused.value.code, len(calls)) == ("name_taken", 1)


def test_transact_gives_up(db, monkeypatch):
    """Who always comes second is told so within the deadline."""
    monkeypatch.setattr(quotas, "STORE_DEADLINE", 0.5)
    db.commit([Write("c/n", {"n": 0})])
    started = time.monotonic()
    with pytest.raises(Error) as refused:
        db.transact("c/once", ["c/n"], lambda _: ([Write.create("c/n", {})], None))
    assert 0.4 < time.monotonic() - started < 9  # and not the usual ten
    error = refused.value
    assert (error.code, error.status, error.headers) == ("unavailable", 503, {"Retry-After": "1"})
    assert error.message == "Too many changes at once: try again."
    assert fields(db, "c/n") == [{"n": 0}]


def closed_port():
    """Give an address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


CALLS = {
    "read": lambda db: db.read("secret-path/x"),
    "query": lambda db: db.query("secret-path", order="name", limit=1),
    "below": lambda db: paths_below(db, "secret-path/x", 1),
    "commit": lambda db: db.commit([Write("secret-path/x", {})]),
    "transact": lambda db: db.transact("secret-path/y", ["secret-path/x"], lambda _: ([], None)),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("how", ["closed", "mute"])
def test_out_of_reach(monkeypatch, how, call):
    """A store that does not answer is unavailable, soon, and in words of ours."""
    monkeypatch.setattr(quotas, "STORE_DEADLINE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:  # it never says a word
        silent = f"127.0.0.1:{server.getsockname()[1]}"
        address = closed_port() if how == "closed" else silent
        db = Store.connect("demo-x", address, lambda: 0.5, "(default)")
        started = time.monotonic()
        with pytest.raises(Error) as refused:
            call(db)
    assert time.monotonic() - started < 9
    error = refused.value
    assert (error.code, error.status, error.headers) == ("unavailable", 503, {"Retry-After": "1"})
    assert error.message == str(error) == "The store does not answer: try again."


def test_back_in_reach(host, monkeypatch):
    """A store that was out of reach answers again when it is back, with the same client."""
    monkeypatch.setattr(quotas, "STORE_DEADLINE", 2.0)
    target = host.info["firestore"].rpartition(":")
    address = closed_port()
    db = Store.connect(f"demo-{uuid.uuid4().hex[:12]}", address, lambda: 0.5, "(default)")
    with pytest.raises(Error):
        db.read("c/d")
    port = int(address.rpartition(":")[2])
    with closing(Wire((target[0], int(target[2])), port)):
        assert until(lambda: answers(db), 30)


def answers(db):
    """Tell whether a store answers."""
    try:
        return db.read("c/d")["c/d"].path == "c/d"
    except Error:
        return False


def test_large_documents(db):
    """Four times 900 KiB fit into one commit and one read."""
    chunk = bytes(quotas.SEALED_PART_BYTES)
    names = [f"c/{number}" for number in range(4)]
    db.commit([Write.create(name, {"bytes": chunk}) for name in names])
    assert fields(db, *names) == [{"bytes": chunk}] * 4


def test_databases_are_apart(app, host):
    """What one project's database holds is not in another's."""
    app.store.commit([Write("c/d", {"n": 1})])
    other = Store.connect("demo-other-one", host.info["firestore"], lambda: 0.5, "(default)")
    assert fields(other, "c/d") == [None]
