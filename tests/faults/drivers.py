"""Two ways to drive the real functions: in this process under a script, and over HTTP.

Both keep events back until they are told to deliver some, so that between two steps nothing moves.
In process time stands still but for a microsecond a decision: a decision exactly at a deadline is
one. Over HTTP time runs on, and is known to lie between a read before and one after.
"""

import json
import random
import threading
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import cycle
from pathlib import Path
from typing import Any
from unittest import mock

import flask
import requests
from werkzeug.test import EnvironBuilder

from functions.http_api import api, identity
from functions.http_identity import createAccount
from shared.access import key_id
from shared.access.platform import MARK
from shared.app import App
from shared.errors import Error
from shared.keys import check_value
from shared.keys.local import MARKER
from shared.store import Store, Write
from shared.upkeep import purge, schedule
from shared.wire import serving
from tests.faults.faulty import COMMIT, Rule, Script, troubled
from tests.support import GRANT, WEEK, halves_in, paths_below, told, wired

CAP = 3
TICK = timedelta(microseconds=1)
MOST_EVENTS = 400  # that settling may take


@dataclass(frozen=True)
class Reply:
    """An answer, and when it can have been decided: from `since` to `until`."""

    status: int
    text: str
    headers: Mapping[str, str]
    since: datetime
    until: datetime

    @property
    def trace(self) -> str:
        """The request's name, under which a change of it is audited."""
        return self.headers.get(told.TRACE, "")

    @property
    def tag(self) -> str | None:
        """The entity tag of what is answered."""
        return self.headers.get("ETag")

    @property
    def code(self) -> str:
        """The code of a refusal, which must have one; nothing for a success."""
        if self.status < 400:
            return ""
        found = told.code_of(self.text)
        assert found, f"a refusal without a code: {self}"
        return found

    @property
    def busy(self) -> bool:
        """Whether it says that nothing was found out, and when to try again."""
        return told.busy(self.status, self.text, self.headers)

    def body(self, *due: int) -> Any:
        """Give what it holds; its status must be one of those due."""
        assert self.status in due, f"due is {' or '.join(map(str, due))}: {self}"
        return json.loads(self.text) if self.text else None

    def __repr__(self) -> str:  # what an assertion that fails shows
        return told.said(self.status, self.text, self.headers)


@dataclass(frozen=True)
class Snapshot:
    """All that is stored at one instant: documents by path, key halves by project."""

    documents: dict[str, dict[str, Any]]
    halves: dict[str, bytes]
    times: dict[str, tuple[int, int]]  # when the store last wrote a document, by path

    def of(self, collection: str) -> dict[str, dict[str, Any]]:
        """Give the documents of a collection at the top, by id."""
        head = f"{collection}/"
        found = {p.removeprefix(head): f for p, f in self.documents.items() if p.startswith(head)}
        return {name: fields for name, fields in found.items() if "/" not in name}

    def below(self, project: str) -> dict[str, dict[str, Any]]:
        """Give what lies below a project, by path."""
        head = f"projects/{project}/"
        return {path: fields for path, fields in self.documents.items() if path.startswith(head)}


def taken(store: Store, folder: Path) -> Snapshot:
    """Take a snapshot."""
    paths = paths_below(store, "", 10_000)
    read = store.read(*paths).documents if paths else {}
    halves = {
        file.name.removesuffix(".new"): file.read_bytes().partition(b"\n")[2]
        for file in (folder.glob("*") if folder.exists() else ())
        if file.name != MARKER
    }
    times = {path: (d.update_time.seconds, d.update_time.nanos) for path, d in read.items()}
    return Snapshot({path: d.fields or {} for path, d in read.items()}, halves, times)


def replied(answer: Any, text: str, since: datetime, until: datetime) -> Reply:
    """Give an answer of either kind as a reply."""
    return Reply(answer.status_code, text, answer.headers, since, max(since, until))


class Clock:
    """Lifecycle time that goes on by a microsecond a decision."""

    def __init__(self) -> None:
        self.next = datetime(2030, 1, 1, tzinfo=UTC)
        self.last = self.next
        self._lock = threading.Lock()

    def tick(self) -> datetime:
        """Give the time of a decision."""
        with self._lock:
            self.last, self.next = self.next, self.next + TICK
            return self.last


@dataclass(frozen=True)
class Timed(App):
    """The domain, with the time of each decision known beforehand."""

    clock: Any = None

    def now(self, _read: Any) -> datetime:
        """Give the time of a decision."""
        return self.clock.tick()


class Watching(Script):
    """A script that notes for which projects the store would send events."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []

    def run(self, method, about, act, within=3600, request=None):
        """Make a call as the first rule that meets it wants."""
        if method != COMMIT:
            return super().run(method, about, act, within, request)

        def watched():
            answer = act()
            for write in request.writes:
                path = (write.delete or write.update.name).partition("/documents/")[2]
                changes = write.delete or write.update.fields or write.update_mask.field_paths
                if changes and path.startswith("projects/") and path.count("/") == 1:
                    self.events.append(path.rpartition("/")[2])
            return answer

        return super().run(method, about, watched, within, request)


class Inner:
    """The functions in this process, over the public emulator and a script."""

    exact = True
    own: frozenset[str] = frozenset()  # what a process that starts may write

    def __init__(self, emulator: str, folder: Path) -> None:
        settings = {"CE_PROJECTS_PER_REGION": str(CAP)}
        base = wired(emulator, folder / uuid.uuid4().hex, **settings)
        names = base.settings.project, emulator, lambda: 0.0, base.settings.database
        self.clock, self.script = Clock(), Watching()
        self.calm = replace(base, store=Store.connect(*names))
        # Two processes, in turn: what one of them does one at a time, the other does meanwhile.
        self.app, other = (self._process(Store.connect(*names)) for _ in range(2))
        each = cycle((self.app, other))
        self._patch = mock.patch.object(serving, "get_app", side_effect=lambda: next(each))
        self._patch.start()

    def _process(self, store: Store) -> Timed:
        app, _ = troubled(replace(self.calm, store=store), script=self.script)
        return Timed(app.settings, app.store, app.keyring, clock=self.clock)

    def close(self) -> None:
        """Take nothing with it."""
        self._patch.stop()

    def account(self, *roles: str, **body: str) -> str:
        """Make an account, or a key of one with these roles; give a token of the key."""
        asked = {**body, **({"roles": [*roles]} if roles else {})}
        environ = EnvironBuilder("/", method="POST", json=asked).get_environ() | {MARK: "host"}
        key = told.body(createAccount(flask.Request(environ)), 201)["apikey"]
        form = {"grant_type": GRANT, "apikey": key, "response_type": "cloud_iam"}
        built = EnvironBuilder("/identity/token", method="POST", data=form)
        return told.body(identity(flask.Request(built.get_environ())), 200)["access_token"]

    def send(self, token, method, path, body=None, headers=None) -> Reply:
        """Make a request, as the Functions Framework hands it on."""
        since, headers = self.clock.next, {"Authorization": f"Bearer {token}", **(headers or {})}
        built = EnvironBuilder(path, method=method, json=body, headers=headers)
        function = identity if path.startswith("/v1/apikeys") else api
        answer = function(flask.Request(built.get_environ()))
        return replied(answer, answer.get_data(as_text=True), since, self.clock.last)

    def enforce(self, times: int = 1) -> bool:
        """Run the schedule so often at once; tell whether all of it could be done."""
        with ThreadPoolExecutor(times) as pool:
            runs = [pool.submit(schedule.enforce, self.app) for _ in range(times)]
        failed = [run for run in runs if run.exception()]
        assert all(isinstance(run.exception(), Error) for run in failed), failed
        return not failed and not any(run.result()["failed"] for run in runs)

    def now(self) -> datetime:
        """Give the time of the next decision."""
        return self.clock.next

    def aim(self, moment: datetime) -> None:
        """Let time go on to a moment, if it is yet to come."""
        self.clock.next = max(self.clock.next, moment)

    def deliver(self, numbers: list[int], copies: int = 1) -> None:
        """Deliver some of the waiting events, whichever the numbers say, in several copies."""
        for number in numbers:
            if not self.script.events:
                return
            project = self.script.events.pop(number % len(self.script.events))
            with ThreadPoolExecutor(copies) as pool:
                runs = [pool.submit(purge.advance, self.app, project) for _ in range(copies)]
            if any(run.exception() for run in runs):
                self.script.events.append(project)  # it comes again
            unforeseen = [run for run in runs if not isinstance(run.exception(), Error | None)]
            assert not unforeseen, unforeseen[0].exception()

    def repeat(self, last: int) -> None:
        """Let the last events come twice."""
        self.script.events += self.script.events[-last:]

    def drop(self) -> None:
        """Lose the events that wait."""
        self.script.events.clear()

    def flush(self) -> None:
        """Deliver events until none is left."""
        for _ in range(MOST_EVENTS):
            if not self.script.events:
                return
            self.deliver([0])
        raise AssertionError("the events do not end")

    def snapshot(self) -> Snapshot:
        """Read everything, past the script."""
        return taken(self.calm.store, self.calm.settings.key_store)

    def arm(self, **rule: Any) -> None:
        """Put a fault in force."""
        self.script.set(Rule(**rule))

    def disarm(self) -> bool:
        """Take the fault away; tell whether there was one (to be slow is none)."""
        met = any(rule.met and rule.do != "delay" for rule in self.script.rules)
        self.script.set()
        return met

    def restart(self) -> None:
        """Start anew: what is in memory is gone, which here are the keys in the cache."""
        self.app.keyring._memory._kept.clear()


class Outer:
    """A host over HTTP, above a Firestore emulator that outlives it.

    Faults meet requests alone: an event that fails is tried again after seconds.
    """

    exact = False

    def __init__(self, host: Any) -> None:
        self.host, self.session, self._armed = host, requests.Session(), ""
        host.script()
        host.hold()
        host.drop()
        store, path = self.inside.store, check_value.PATH
        known = store.read(path)[path].contents  # which key store is its own
        self.inside.clear()  # `reset` leaves a Firestore alone that its host did not start
        store.commit([Write.create(path, known)])
        host.drop()
        for project in halves_in(self.inside.keys):
            for file in self.inside.keys.glob(f"{project}*"):
                file.unlink()
        host.set_clock(0)
        first = json.loads((host.state / "credentials.json").read_text())
        mine = {name: first[name] for name in ("account_id", "apikey")}
        host.hub("POST", "/functions/createAccount", mine)
        key = f"api_keys/{key_id(first['apikey'])}"
        self.own = frozenset({check_value.PATH, key, f"accounts/{first['account_id']}"})

    @cached_property
    def inside(self) -> Any:
        """The store behind the host."""
        return self.host.inside

    def close(self) -> None:
        """Take nothing with it."""
        self.host.script()
        self.session.close()

    def account(self, *roles: str, **body: str) -> str:
        """Make an account, or a key of one with these roles; give a token of the key."""
        return self.host.account(*roles, **body).token

    def send(self, token, method, path, body=None, headers=None) -> Reply:
        """Make a request."""
        since, headers = self.now(), {"Authorization": f"Bearer {token}", **(headers or {})}
        url = self.host.url + path
        answer = self.session.request(method, url, json=body, headers=headers, timeout=60)
        return replied(answer, answer.text, since, self.now())

    def enforce(self, times: int = 1) -> bool:
        """Run the schedule so often at once; tell whether all of it could be done."""
        self.disarm()
        with ThreadPoolExecutor(times) as pool:
            runs = list(pool.map(lambda _: self.host.enforce(), range(times)))
        return not any(run["failed"] for run in runs)

    def _offset(self) -> timedelta:
        file = self.inside.settings.clock_file
        return timedelta(seconds=float(file.read_bytes()) if file.exists() else 0)

    def _read_time(self) -> datetime:
        return self.inside.store.read("retention/clock").time

    def now(self) -> datetime:
        """Give lifecycle time as a decision now would have it."""
        return self._read_time() + self._offset()

    def aim(self, moment: datetime) -> None:
        """Let time go on to a moment, if it is yet to come."""
        ahead = (moment - self._read_time()).total_seconds()
        if ahead > self._offset().total_seconds():
            self.host.set_clock(ahead)

    def deliver(self, _numbers: list[int], copies: int = 1) -> None:
        """Deliver what waits, several at once and in no order, and what comes of it."""
        self.disarm()
        if copies > 1:
            self.repeat(copies)
        self.flush()

    def repeat(self, last: int) -> None:
        """Let the last events come twice."""
        self.host.hub("POST", "/triggers/repeat", {"last": last})

    def drop(self) -> None:
        """Lose the events that wait."""
        self.host.drop()

    def flush(self) -> None:
        """Deliver events until none is left."""
        self.host.release()
        self.host.quiet()
        self.host.hold()

    def snapshot(self) -> Snapshot:
        """Read everything, past the host."""
        return taken(self.inside.store, self.inside.settings.key_store)

    def arm(self, **rule: Any) -> None:
        """Put a fault in force; as no other, so that the file differs."""
        self.host.script({**rule, "lasting": 1e6 + random.random()})
        self._armed = rule["do"]

    def disarm(self) -> bool:
        """Take the fault away; tell whether there was one (to be slow is none)."""
        armed, self._armed = self._armed, ""
        if armed:
            self.host.script()
        return armed not in ("", "delay")

    def restart(self) -> None:
        """Kill the host, and start another; the events that waited are lost with it."""
        offset = self._offset().total_seconds()
        self.host.stop(9)
        self.host.again()
        self.__dict__.pop("inside", None)
        self.session.close()
        self.session = requests.Session()
        self.host.hold()
        self.host.set_clock(offset)


def days(number: float) -> timedelta:
    """Give a time span in days."""
    return timedelta(seconds=number * WEEK / 7)
