"""`python -m emulator COMMAND --state DIR`: what `ce emulator COMMAND` becomes.

It reads arguments and hands on. It must never do a command's work.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emulator import Refused, commands
from emulator.log import Log
from emulator.state import State

ROOT = Path(__file__).resolve().parents[1]
PORTS = ("hosting", "functions", "firestore", "hub")
THREADS = 192  # more than bodies being read (64) and requests worked on (64) in `shared`
ABOUT = "Run everything on this machine: Firestore, the functions, their events and schedules."


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["clock"]:  # argparse would take -1h for an option
        words = [f" {word}" if word[:1] == "-" and word[1:2].isdigit() else word for word in words]
    given = _parser().parse_args(words)
    try:
        code: int = given.run(given, State(given.state.resolve()))
    except Refused as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ce emulator", description=ABOUT)
    group = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[Any, State], int], text: str) -> argparse.ArgumentParser:
        added = group.add_parser(name, help=text, description=text)
        added.add_argument("--state", type=Path, required=True, help=argparse.SUPPRESS)
        added.set_defaults(run=run)
        return added

    _start_options(command("start", _start, "host everything until Ctrl-C"), None)
    run = command("exec", _exec, "run a command against a host, one of its own if none runs")
    _start_options(run, 0)
    run.add_argument("command", nargs="+", metavar="-- CMD")
    command("stop", lambda _, state: commands.stop(state), "stop the host")
    status = command("status", lambda a, s: commands.status(s, bool(a.output)), "show what runs")
    status.add_argument("-o", "--output", choices=["json"], help="as a document")
    status.add_argument(
        "--json", dest="output", action="store_const", const="json", help="the same"
    )
    command("env", lambda _, state: commands.env(state), "print exports to evaluate")
    account = command(
        "account", lambda a, s: commands.account(s, a.role), "make another account, print exports"
    )
    account.add_argument("action", choices=["create"])
    account.add_argument("-r", "--role", action="append", default=[], help="of its key; repeatable")
    keys = command("keys", lambda a, s: commands.keys(s, a.action), "rotate key-encryption keys")
    keys.add_argument("action", choices=["list", "rotate", "prune"])
    command("reset", lambda _, state: commands.reset(state), "forget all data")
    clock = command("clock", lambda a, s: commands.clock(s, a.action, a.value), "move the clock")
    clock.add_argument("action", choices=["show", "set", "advance"])
    clock.add_argument("value", nargs="?", help="7d, 36h, 90s, -1h")
    schedule = command(
        "schedule", lambda a, s: commands.schedule(s, a.action, a.name), "run or rest schedules"
    )
    schedule.add_argument("action", choices=["run", "pause", "resume"])
    schedule.add_argument("name", nargs="?")
    triggers = command(
        "triggers", lambda a, s: commands.triggers(s, a.action, a.last), "hold or repeat events"
    )
    triggers.add_argument("action", choices=["show", "hold", "release", "drop", "repeat"])
    triggers.add_argument("last", nargs="?", type=int)
    return parser


def _start_options(parser: argparse.ArgumentParser, port: int | None) -> None:
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository to host")
    parser.add_argument("--project", default="demo-reprieve")
    text = "default: any free one" if port == 0 else "default: firebase.json's; 0 is any free one"
    for name in PORTS:
        parser.add_argument(f"--{name}-port", type=int, default=port, metavar="PORT", help=text)
    parser.add_argument("--threads", type=int, default=THREADS)
    parser.add_argument("--no-schedule", dest="schedule", action="store_false")
    parser.add_argument("--quiet", action="store_true", help="say only what goes wrong")
    parser.add_argument("--log-format", choices=["human", "json"], default="human")


def _start(given: Any, state: State) -> int:
    # The other commands must not pay for loading the host.
    from emulator import hosting, start  # noqa: PLC0415

    root = given.root.resolve()
    usual, asked = hosting.ports(root), {name: getattr(given, f"{name}_port") for name in PORTS}
    ports = {n: usual.get(n, 0) if port is None else port for n, port in asked.items()}
    options = start.Options(
        root=root,
        project=given.project,
        hosting_port=ports["hosting"],
        functions_port=ports["functions"],
        firestore_port=ports["firestore"],
        hub_port=ports["hub"],
        threads=given.threads,
        schedule=given.schedule,
    )
    return start.run(options, state, Log(given.quiet, given.log_format == "json"))


def _exec(given: Any, state: State) -> int:
    start = ["--root", str(given.root.resolve()), "--project", given.project]
    for name in PORTS:
        start += [f"--{name}-port", str(getattr(given, f"{name}_port"))]
    start += ["--threads", str(given.threads), "--log-format", given.log_format]
    start += ["--quiet"] * given.quiet + ["--no-schedule"] * (not given.schedule)
    return commands.execute(state, start, given.command)


if __name__ == "__main__":
    os.umask(0o077)  # whatever is written here is the user's alone
    sys.exit(main())
