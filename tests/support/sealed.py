"""The log as tests make it and see it: entries that wait, and all that is stored, checked whole."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from shared import evidence
from shared.app import App
from shared.keys import RECORD
from shared.log import (
    Checkpoint,
    Frontier,
    Key,
    Place,
    chained,
    consistent,
    dump,
    entry,
    leaf,
    opened,
)
from shared.log import tiles as tiles_of
from shared.log.entries import FIRST
from shared.store import NAME, Write
from tests.support import project_of
from tests.support.certificates import statement

START = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
ACCOUNTS = ("a" * 32, "b" * 32, "c" * 32)


class Log(NamedTuple):
    """What is sealed, by index, and the newest checkpoint, if there is one."""

    entries: list[dict[str, Any]]
    checkpoint: Checkpoint | None
    waiting: int


def write(app: App, count: int, account: str = "", at: datetime = START) -> list[str]:
    """Let entries wait, of one account or of three in turn; give their ids.

    Their times go to and fro.
    """
    made = []
    for number in range(count):
        id_ = f"{uuid.uuid4().hex}"
        project = project_of(account_id=account or ACCOUNTS[number % len(ACCOUNTS)])
        now = at + timedelta(seconds=(number * 7) % 11)
        made.append(evidence.by_system(app, id_, "project.expire", project, now))
    for start in range(0, count, 200):
        app.store.commit(made[start : start + 200])
    return [one.path.partition("/")[2] for one in made]


def whole(app: App) -> Log:
    """Give the log, if all that is stored of it fits together; fail where anything does not."""
    state = app.store.read("log/state")["log/state"].fields or {"size": 0}
    found = _all(app, "audit")
    waiting = [one for one in found if one.contents.get("pending")]
    sealed = sorted(
        (one for one in found if "n" in one.contents), key=lambda one: one.contents["n"]
    )
    assert not [one for one in sealed if "pending" in one.contents]
    assert len(sealed) + len(waiting) == len([one for one in found if "record" in one.contents])
    entries = [one.contents for one in sealed]
    assert [one["n"] for one in entries] == list(range(state["size"]))
    _chains(app, entries)
    leaves = [leaf(one["entry"]) for one in entries]
    tree = Frontier().append(leaves)
    if leaves:
        assert (state["root"], state["frontier"]) == (tree.root, b"".join(tree.hashes))
    _tiles(app, entries, leaves)
    return Log(entries, _checkpoint(app, leaves), len(waiting))


def _all(app: App, collection: str) -> list[Any]:
    return app.store.query(collection, order=NAME, limit=200_000)[1]


def _chains(app: App, entries: list[dict[str, Any]]) -> None:
    """Each account's entries are numbered from 1, and each names what came before it."""
    heads: dict[str, tuple[int, bytes]] = {}
    for one in entries:
        seq, prev = heads.get(one["account_id"], (0, FIRST))
        assert (one["epoch"], one["seq"], one["prev"]) == (1, seq + 1, prev)
        assert one["entry"] == entry(Place(one["salt"], seq + 1, prev), one["record"])
        heads[one["account_id"]] = seq + 1, chained(prev, one["entry"])
    stored = {
        one.id: (one.contents["seq"], one.contents["chain"]) for one in _all(app, "log_accounts")
    }
    assert stored == heads


def _tiles(app: App, entries: list[dict[str, Any]], leaves: list[bytes]) -> None:
    """The tiles are those of the leaves, and the bundles those of the entries."""
    grown = tiles_of.grown(0, leaves, {}.__getitem__)
    wanted = {f"1.{tile.level}.{tile.number}": data for tile, data in grown.items()}
    for start in range(0, len(entries), 256):
        bundle = tiles_of.bundle([one["entry"] for one in entries[start : start + 256]])
        wanted[f"1.e.{start // 256}"] = bundle
    assert {one.id: one.contents["bytes"] for one in _all(app, "log_tiles")} == wanted


def _checkpoint(app: App, leaves: list[bytes]) -> Checkpoint | None:
    """The checkpoint is signed by the log's key, and is of the first leaves."""
    found = app.store.read("log/checkpoint")["log/checkpoint"].fields
    if not found:
        return None
    checkpoint = opened(found["text"].encode(), Key.parse(found["keys"][-1])).checkpoint
    assert checkpoint.size == found["size"] <= len(leaves)
    assert checkpoint.root == Frontier().append(leaves[: checkpoint.size]).root
    return checkpoint


def lines(caplog: Any, severity: str) -> list[dict[str, Any]]:
    """Give what was logged of a severity."""
    said = [json.loads(one.message) for one in caplog.records if one.name == "reprieve"]
    return [one for one in said if one["severity"] == severity]


def certificate(app: App, account: str = ACCOUNTS[0]) -> tuple[str, bytes]:
    """Let a certificate wait, as a purge leaves it; give its id and its record."""
    said = statement(predicate__project__account=account)
    record, project = dump(said), said["predicate"]["project"]["id"]
    salt = app.new_salt()
    mac = app.keyring.state.mac(RECORD, salt + record)
    index = {"account_id": account, "project_id": project, "action": "codeengine.project.erase"}
    at = datetime.fromisoformat(said["predicate"]["timeline"]["erased"])
    proof = {"record": record, "salt": salt, "mac": mac, "at": at, "pending": True}
    app.store.commit([Write.create(f"audit/{project}.erase", proof | index)])
    return f"{project}.erase", record


class Seen:
    """Checkpoints as they were published, each of which the next one goes on from."""

    def __init__(self, app: App) -> None:
        self.app, self.last = app, Checkpoint("", 0, b"")
        self.count = 0

    def look(self) -> None:
        """Look at what is published now."""
        log = whole(self.app)
        if (new := log.checkpoint) is None or new == self.last:
            return
        if self.count:
            assert new.size > self.last.size
            leaves = [leaf(one["entry"]) for one in log.entries]
            held = tiles_of.grown(0, leaves[: new.size], {}.__getitem__)
            path = tiles_of.consistency(self.last.size, new.size, held.__getitem__)
            consistent(self.last.size, new.size, self.last.root, new.root, path)
        self.last, self.count = new, self.count + 1
