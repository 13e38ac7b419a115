"""Every command that asks the running host, through its hub.

It must never guess at a host: the state folder says which one runs.
"""

import json
import os
import re
import shlex
import signal
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from emulator import ACCOUNT, KEYS, Refused, firestore, gate, terminal, wire
from emulator.exports import HOLDS_KEYS, TAKES
from emulator.log import say
from emulator.state import HUB, State

ASK = 120.0  # seconds the hub may take to answer
# Seconds an export may take: until it is alone, Firestore's part each time, and the files.
EXPORT = gate.PATIENCE + TAKES * firestore.EXPORT + 60.0
STOP = 20.0  # seconds a host may take to stop, an export apart
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def ask(state: State, method: str, path: str, body: Any = None, seconds: float = ASK) -> Any:
    """Ask the hub; a refusal is said as the hub said it."""
    hub = state.hub()
    headers = {"Authorization": f"Bearer {hub['token']}"}
    try:
        url = hub["hub"] + path
        answer = wire.session().request(method, url, json=body, headers=headers, timeout=seconds)
        data = answer.json()
    except (requests.RequestException, ValueError):
        raise Refused(f"The host (pid {hub['pid']}) does not answer.") from None
    if not answer.ok:
        raise Refused(data["errors"][0]["message"])
    return data


def status(state: State, as_json: bool) -> int:
    """Show what runs."""
    found = ask(state, "GET", "/status")
    if as_json:
        say(json.dumps(found, indent=2))
        return 0
    kinds = Counter(found["functions"].values())
    paused = "  (paused)" if found["schedules"]["paused"] else ""
    rows = [("project", found["project"]), ("pid", found["pid"]), *found["emulators"].items()]
    rows += [
        ("clock", _time(found["clock"])),
        ("functions", f"{kinds.total()} ({', '.join(f'{n} {kind}' for kind, n in kinds.items())})"),
        *((f"schedule {name}", due + paused) for name, due in found["schedules"]["next"].items()),
        ("events", _counts(found["triggers"])),
    ]
    wide = max(len(name) for name, _ in rows) + 2
    for name, value in rows:
        say(f"{name:<{wide}}{value}")
    return 0


def env(state: State) -> int:
    """Print the exports to evaluate."""
    terminal.LINES.say("\n".join(exports(environment(state))))  # as it is: a shell evaluates it
    return 0


def account(state: State, roles: list[str]) -> int:
    """Make another account, and print the exports to evaluate; its key is shown here only."""
    if ACCOUNT not in ask(state, "GET", "/status")["functions"]:
        raise Refused(f"The host's functions.yaml has no {ACCOUNT}.")
    made = ask(state, "POST", f"/functions/{ACCOUNT}", {"roles": roles} if roles else {})
    say(f"# account {made['account_id']}; its key is not shown again")
    say("\n".join(exports(environment(state) | _logins(made["apikey"]))))
    return 0


def keys(state: State, action: str) -> int:
    """List, rotate or prune the key-encryption keys; a rotation that was cut short goes on."""
    found = _key_pages(state, "list")
    used, old = found["projects"], found["old"]
    if action == "list":
        for kek in (*old, found["current"]):
            say(f"{kek}  {used.get(kek, 0)}{'  (current)' * (kek == found['current'])}")
        return 0
    if action == "prune":
        for kek in old:
            if not used.get(kek):
                ask(state, "POST", f"/functions/{KEYS}", {"step": "prune", "kek": kek})
                say(f"removed {kek}")
        return 0
    if not any(used.get(kek) for kek in old):
        added = {"step": "add", "kek": found["current"]}
        found = ask(state, "POST", f"/functions/{KEYS}", added)
    done = _key_pages(state, "rewrap")
    say(f"{found['current']}  {done['rewrapped']} rewrapped, {done['failed']} failed")
    return 1 if done["failed"] else 0


def _key_pages(state: State, step: str) -> dict[str, Any]:
    """Take a step page by page; its answer, with the pages' counts added up."""
    projects: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    start: dict[str, str] = {}
    while True:
        page = ask(state, "POST", f"/functions/{KEYS}", {"step": step, **start})
        projects.update(page.get("projects", {}))
        counts.update({name: page.get(name, 0) for name in ("rewrapped", "skipped", "failed")})
        if page.get("next") in {None, start.get("start")}:
            return {**page, **counts, "projects": projects}
        start = {"start": page["next"]}


def exports(environment: Mapping[str, str]) -> list[str]:
    """Write variables as lines that a shell reads."""
    return [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]


def environment(state: State) -> dict[str, str]:
    """Give what a program needs to use the running host."""
    found = state.environment()
    account = state.account()
    return found | (_logins(account["apikey"]) if account else {})


def _logins(apikey: str) -> dict[str, str]:
    """Give the key under the names that IBM's two SDKs look for."""
    return {f"{service}_APIKEY": apikey for service in ("CODE_ENGINE", "RESOURCE_CONTROLLER")}


def stop(state: State) -> int:
    """Stop the running host."""
    pid = state.pid()
    if pid is None:
        raise state.idle()
    _end(pid, state)
    say("stopped")
    return 0


def export(state: State, folder: Path) -> int:
    """Export data and keys of the running host."""
    ask(state, "POST", "/export", {"folder": str(folder)}, EXPORT)
    say(f"{folder} is written. {HOLDS_KEYS}")
    return 0


def clock(state: State, action: str, value: str | None) -> int:
    """Show the clock, or move it and wait for what became due."""
    if action == "show":
        say(_time(ask(state, "GET", "/clock")))
        return 0
    if value is None:
        raise Refused(f"'clock {action}' takes a span of time: 7d, 36h, 90s or -1h.")
    if action == "set":
        answer = ask(state, "PUT", "/clock", {"offset": seconds(value)})
    else:
        answer = ask(state, "POST", "/clock/advance", {"seconds": seconds(value)})
    say(_time(answer))
    if not answer["settled"]:
        say("What became due goes on: 'ce emulator status' shows its events.")
    return 0


def reset(state: State) -> int:
    """Forget all data."""
    ask(state, "POST", "/reset")
    say("reset")
    return 0


def schedule(state: State, action: str, name: str | None) -> int:
    """Run a schedule now, or let all of them rest."""
    if action == "run":
        names = ask(state, "GET", "/status")["schedules"]["next"]
        if name not in names:
            raise Refused(f"Name one of the schedules there are: {', '.join(names) or 'none'}.")
        answer = ask(state, "POST", f"/schedules/{name}/run")
        say(f"{name}  {answer['status']}  {answer['body'].strip()}")
        return 0 if 200 <= answer["status"] < 300 else 1
    ask(state, "PUT", "/schedules", {"paused": action == "pause"})
    say("paused" if action == "pause" else "resumed")
    return 0


def triggers(state: State, action: str, last: int | None) -> int:
    """Hold, release, drop, repeat or count deliveries."""
    calls = {
        "show": ("GET", "/triggers", None),
        "hold": ("PUT", "/triggers", {"held": True}),
        "release": ("PUT", "/triggers", {"held": False}),
        "drop": ("POST", "/triggers/drop", None),
        "repeat": ("POST", "/triggers/repeat", {"last": last or 1}),
    }
    answer = ask(state, *calls[action])
    say(_counts(answer))
    return 0


def seconds(text: str) -> float:
    """Read `7d`, `36h`, `90s`, `-1h` or plain seconds."""
    found = re.fullmatch(r"([+-]?\d+(?:\.\d+)?)([smhd]?)", text.strip())
    if not found:
        raise Refused(f"{text!r} is no span of time: write 7d, 36h, 90s or -1h.")
    return float(found[1]) * UNITS[found[2] or "s"]


def _time(clock: Mapping[str, Any]) -> str:
    return f"{clock['now']}  ({clock['offset']:+.0f}s)"


def _counts(counts: Mapping[str, int]) -> str:
    return "  ".join(f"{name} {number}" for name, number in counts.items())


def _end(pid: int, state: State) -> None:
    os.kill(pid, signal.SIGTERM)
    os.killpg(os.getpgid(pid), signal.SIGCONT)  # a host that was suspended must wake up to stop
    patience = STOP + (EXPORT if (state.read(HUB) or {}).get("exports") else 0)
    deadline = time.monotonic() + patience
    while state.pid() == pid:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            raise Refused(f"The host (pid {pid}) did not stop in {patience:.0f}s and was killed.")
        time.sleep(0.05)
