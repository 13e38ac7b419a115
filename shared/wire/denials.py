"""Attempts that are denied, on record: whoever's key asked for what its roles do not allow.

Each 403 of a known key leaves an entry before it is answered, in the account of that key alone. Of
who is not known (401) there is no account, and of what is not there (404) an entry would tell.

What it may cost is bounded: so many entries a minute for each key, in this process; a second for
each; so many that wait at once. Where there is none the refusal goes out all the same, and the next
entry of the key counts it.
"""

import re
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from shared import evidence, quotas
from shared.access import Denied
from shared.api import Operation
from shared.app import App
from shared.calls import Origin
from shared.errors import Error
from shared.failures import log_failure, tell
from shared.store import Write, one_request
from shared.wire.admission import denying

PROJECT = re.compile("[0-9a-z]{8}(-[0-9a-z]{4}){3}-[0-9a-z]{12}")  # the form of a project's id
OF_ITSELF = ("/v2/projects/{id}", "/v2/resource_instances/{id}")  # paths whose `id` is a project's


@dataclass
class Asked:
    """What a request asks for: one of these operations, and what is known of its parameters."""

    operations: list[Operation]
    given: dict[str, Any] = field(repr=False)
    by_name: bool = False  # a function called by its name: the body says which, and on what


@dataclass(slots=True)
class _Key:
    times: deque[float] = field(default_factory=lambda: deque(maxlen=quotas.DENIALS))
    untold: int = 0


class Denials:
    """When the keys that were denied last had their entries, and how many denials had none."""

    def __init__(
        self, most: int = quotas.BUCKETS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._clock = most, clock
        self._lock = threading.Lock()
        self._keys: OrderedDict[str, _Key] = OrderedDict()

    def take(self, key: str) -> int | None:
        """Give how many denials its entry has to count besides; None where it gets none."""
        now = self._clock()
        with self._lock:
            held = self._keys.pop(key, None) or _Key()
            self._keys[key] = held
            if len(self._keys) > self._most:
                self._keys.popitem(last=False)
            if len(held.times) == quotas.DENIALS and now - held.times[0] < quotas.DENIALS_WITHIN:
                held.untold += 1
                return None
            held.times.append(now)
            untold, held.untold = held.untold, 0
            return untold

    def untold(self, key: str, count: int) -> None:
        """Note denials whose entry could not be written."""
        with self._lock:
            if held := self._keys.get(key):
                held.untold += count


DENIALS = Denials()


@contextmanager
def on_record(app: App, origin: Origin, asked: Asked, environ: Mapping[str, Any]) -> Iterator[None]:
    """Leave the entry of a denial in this block, before it goes on its way.

    A quota that is used up is no denial.
    """
    try:
        yield
    except Error as error:
        if error.code == "forbidden" and origin.principal.account:
            verb = error.verb if isinstance(error, Denied) else ""
            leave(app, origin, asked, environ, verb)
        raise


def leave(
    app: App,
    origin: Origin,
    asked: Asked,
    environ: Mapping[str, Any],
    verb: str = "",
    denials: Denials = DENIALS,
) -> None:
    """Leave an entry, or count the denial where there can be none; raises nothing, soon ends."""
    key = origin.principal.subject
    untold = denials.take(key)
    if untold is None:
        return
    try:
        with denying(app, origin.principal, environ), one_request(seconds=quotas.DENIAL_TIME):
            evidence.leave(app, _entry(app, origin, asked, verb, untold))
    except Exception as error:  # noqa: BLE001 - the refusal goes out whatever becomes of it
        denials.untold(key, untold + 1)
        if isinstance(error, Error):
            tell("WARNING", "a denied attempt is not on record: it is counted", trace=origin.trace)
        else:
            log_failure(error, origin.trace)


def _entry(app: App, origin: Origin, asked: Asked, verb: str, untold: int) -> Write:
    """Give the entry: what was lacking, of which operation if that is known, on which project.

    Where no one permission was, the entry's action is what the operation asks for.
    """
    first, *others = asked.operations
    more: dict[str, Any] = {} if others else {"operation": first.id}
    if untold:
        more["suppressed"] = untold
    lacked, project = verb or str(first.permission), _project(first, asked.given)
    return evidence.denied(app, origin, lacked, project, **more)


def _project(operation: Operation, given: Mapping[str, Any]) -> str | None:
    """Give the project's id that was asked about, if it has the form of one."""
    found = given.get("id" if operation.path in OF_ITSELF else "project_id")
    return found if isinstance(found, str) and PROJECT.fullmatch(found) else None
