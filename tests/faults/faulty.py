"""A scripted fault layer between the domain and the wire: Firestore's client and the key store.

A rule says which calls it meets and what happens to them; the first rule that meets one acts.
In a host of its own (run in place of `python -m emulator`) the script is the JSON list in the file
named by FAULT_FILE, read anew when it changes; without the file nothing fails.
"""

import errno
import itertools
import json
import os
import random
import runpy
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from google.api_core import exceptions

from emulator.host import Host

READ, COMMIT, QUERY = "batch_get_documents", "commit", "run_query"
KEYS = ("put", "get", "destroy", "drop", "confirm", "confirmed", "unconfirmed")
INNER = ("lock", "unlock")  # functions of the domain, which are handed values
ERRORS = {
    "down": OSError(errno.EIO, "down"),
    "full": OSError(errno.ENOSPC, "full"),
    "crash": RuntimeError("canary-in-an-exception"),
}


@dataclass
class Rule:
    """What happens to some calls.

    `on` names the method, `about` is part of a path or id that it is about. Of the calls that
    match, a rule meets numbers `first` to `last`, counted from 1, and of these a `share`, for
    `lasting` seconds after the first. `do` is one of

    before, after   it fails, unsent or applied
    twice           it is sent twice
    delay           it takes `seconds` longer
    held            it is applied, and its answer comes `seconds` late
    stale           a read sees the store as it was at the time `at`
    meanwhile       something else happens first: `other` is called
    lie             it does nothing, and says that it is done
    thread          a thread of the client's dies of the error

    The error `quote` quotes all that the call was given.
    """

    on: str
    do: str
    about: str = ""
    first: int = 1
    last: int = 10**9
    share: float = 1.0
    lasting: float = 10**9
    error: str = "ServiceUnavailable"
    seconds: float = 0.0
    at: Any = None
    other: Any = None
    met: int = 0
    _counter: Any = field(default_factory=lambda: itertools.count(1))
    _end: float = 0.0

    def meets(self, method: str, about: str) -> bool:
        """Tell whether this call is one of those."""
        if method != self.on or self.about not in about:
            return False
        if not self.first <= next(self._counter) <= self.last:
            return False
        self._end = self._end or time.monotonic() + self.lasting
        if time.monotonic() > self._end or random.random() >= self.share:
            return False
        self.met += 1
        return True

    def raised(self, request: Any) -> Exception:
        """Give the error it fails with."""
        if self.error == "quote":
            return ValueError(request)
        known = ERRORS.get(self.error)
        return known or getattr(exceptions, self.error)("canary-in-an-exception")


class Script:
    """The rules in force, and the calls there were."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = rules
        self.calls: list[tuple[str, str]] = []

    def set(self, *rules: Rule) -> None:
        """Put other rules in force, and count the calls anew."""
        self.rules, self.calls = rules, []

    def run(
        self, method: str, about: str, act: Any, within: float = 3600, request: Any = None
    ) -> Any:
        """Make a call as the first rule that meets it wants; within some seconds, as its own."""
        self.calls.append((method, about))
        rule = next((rule for rule in self.rules if rule.meets(method, about)), None)
        match rule and rule.do:
            case "before":
                raise rule.raised(request)
            case "after":
                answer = act()
                if method in (READ, QUERY):
                    list(answer)
                raise rule.raised(request)
            case "twice" | "held":
                first = act()
                time.sleep(rule.seconds)
                return act() if rule.do == "twice" else first
            case "delay":
                _late(rule.seconds, within)
            case "lie":
                return None
            case "stale":
                request.read_time.FromDatetime(rule.at)
            case "meanwhile":
                rule.other()
            case "thread":
                threading.Thread(target=_dies, args=[rule.raised(request)]).start()
        return act()


def _late(seconds: float, within: float) -> None:
    time.sleep(min(seconds, within))
    if seconds >= within:
        raise exceptions.DeadlineExceeded("slow")


def _dies(error: Exception) -> None:
    raise error


class Faulty:
    """Firestore's client, with a script between it and the store."""

    def __init__(self, api: Any, script: Script) -> None:
        self.api, self.script = api, script

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.api, name)
        if name not in (READ, COMMIT, QUERY):
            return call

        def scripted(request: Any, **how: Any) -> Any:
            within = how["timeout"]
            return self.script.run(
                name, _paths(request), lambda: call(request, **how), within, request
            )

        return scripted


def _paths(request: Any) -> str:
    """Give the paths a request is about, in a line each."""
    names = [*getattr(request, "documents", ()), getattr(request, "parent", "")]
    names += [write.delete or write.update.name for write in getattr(request, "writes", ())]
    return "\n".join(names)


class FaultyKeys:
    """A key store, with a script in front of it."""

    def __init__(self, halves: Any, script: Script) -> None:
        self.halves, self.script = halves, script

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.halves, name)
        if name not in KEYS:
            return call
        return lambda *args: self.script.run(name, str(args[0]), lambda: call(*args))


def troubled(app: Any, *rules: Rule, script: Script | None = None) -> tuple[Any, Script]:
    """Give the same domain behind a script, and the script."""
    script = script or Script(*rules)
    store, keyring = _copy(app.store), _copy(app.keyring)
    store._api = Faulty(store._api, script)
    keyring._halves = FaultyKeys(keyring._halves, script)
    return replace(app, store=store, keyring=keyring), script


def _copy(part: Any) -> Any:
    """Give another object of the same parts."""
    other = object.__new__(type(part))
    other.__dict__.update(part.__dict__)
    return other


class Filed(Script):
    """The script in a file, in force from when it is there."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file, self._text = file, ""

    def run(self, *args: Any, **how: Any) -> Any:
        """Read the file if it changed, and make the call."""
        text = self._file.read_text() if self._file.exists() else ""
        if text != self._text:
            self._text = text
            self.set(*(Rule(**rule) for rule in json.loads(text or "[]")))
        return super().run(*args, **how)


def install(host: Any, load: Any = Host.load) -> Any:
    """Load the functions as ever, then put the script under what they are wired to."""
    fault = load(host)
    from shared import app
    from shared.resources import sealing

    wire, script = app.App.from_settings, Filed(Path(os.environ["FAULT_FILE"]))
    app.App.from_settings = lambda settings: troubled(wire(settings), script=script)[0]
    for name in INNER:
        setattr(sealing, name, _scripted(script, name, getattr(sealing, name)))
    return fault


def _scripted(script: Script, name: str, act: Any) -> Any:
    return lambda *args: script.run(name, args[1].id, lambda: act(*args), request=args)


if __name__ == "__main__":
    Host.load = install
    runpy.run_module("emulator", run_name="__main__", alter_sys=True)
