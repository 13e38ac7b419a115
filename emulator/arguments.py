"""The words `ce emulator` takes: a row a command, with its help and its examples.

It must never do a command's work; `__main__` binds each row to what does.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emulator.words import Parser, spelled

ROOT = Path(__file__).resolve().parents[1]
PORTS = ("hosting", "functions", "firestore", "hub")
THREADS = 336  # more than the gates of `shared` let in together (320)
ABOUT = "Run everything on this machine: Firestore, the functions, their events and schedules."
SPAN = "7d, 36h, 90s or -1h"


@dataclass(frozen=True)
class Command:
    """One command: what it does, how it is used, and which words it takes."""

    text: str
    examples: tuple[str, ...]
    add: Callable[[argparse.ArgumentParser], object] = lambda _: None
    usage: str | None = None  # what it is also called, and shorter


def read(run: dict[str, Callable[..., int]], words: list[str]) -> argparse.Namespace | None:
    """Read the words; None where there are none. `run` says what each command becomes.

    Shows help, or refuses the words, by the end of the process.
    """
    made = Parser(
        prog="ce emulator",
        description=ABOUT,
        epilog=_examples(FIRST_STEPS) + "\n\n'ce emulator COMMAND --help' shows more.",
    )
    commands = {}
    group = made.add_subparsers(metavar="COMMAND", required=True)
    for name, row in COMMANDS.items():
        added = group.add_parser(
            name,
            prog=row.usage,
            help=row.text,
            description=f"{row.text[0].upper()}{row.text[1:]}.",
            epilog=_examples(row.examples),
        )
        added.add_argument("--state", type=Path, required=True, help=argparse.SUPPRESS)
        added.set_defaults(run=run[name])
        row.add(added)
        commands[name] = added
    if not words:
        made.print_help(sys.stderr)
        return None
    return made.parse_args(spelled(made, commands, words))


def _examples(lines: tuple[str, ...]) -> str:
    return "\n".join(("examples:", *(f"  {line}" for line in lines)))


def _start(parser: argparse.ArgumentParser) -> None:
    _options(parser, None)


def _exec(parser: argparse.ArgumentParser) -> None:
    _options(parser, 0)
    parser.add_argument("command", nargs="+", metavar="-- CMD", help="the command, after '--'")


def _options(parser: argparse.ArgumentParser, port: int | None) -> None:
    add = parser.add_argument
    add("--root", type=Path, default=ROOT, metavar="DIR", help="the repository to host")
    add("--project", default="demo-reprieve", metavar="ID", help="a project that begins with demo-")
    add("--import", dest="data", type=Path, metavar="DIR", help="begin with what was exported")
    add(
        "--export-on-exit",
        dest="export",
        nargs="?",
        const="",
        metavar="DIR",
        help="export when the host stops; without DIR to the one imported",
    )
    text = "default: any free one" if port == 0 else "default: firebase.json's; 0 is any free one"
    for name in PORTS:
        add(f"--{name}-port", type=int, default=port, metavar="PORT", help=text)
    add("--threads", type=int, default=THREADS, metavar="N", help=f"default: {THREADS}")
    add("--no-schedule", dest="schedule", action="store_false", help="let the schedules rest")
    add("--quiet", action="store_true", help="say only what goes wrong")
    add("--log-format", choices=["human", "json"], default="human", help="json: one object a line")


def _output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", choices=["json"], metavar="json", help="as a document")
    parser.add_argument(
        "--json", dest="output", action="store_const", const="json", help="the same"
    )


def _account(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["create"])
    parser.add_argument("-r", "--role", action="append", default=[], help="of its key; repeatable")


def _keys(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["list", "rotate", "prune"])


def _migrate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-y", "--yes", action="store_true", help="vouch for all that is listed")


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="made anew, or a former export")


def _clock(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["show", "set", "advance"])
    parser.add_argument("value", nargs="?", metavar="SPAN", help=SPAN)


def _schedule(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["run", "pause", "resume"])
    parser.add_argument("name", nargs="?", help="of the schedule to run")


def _triggers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["show", "hold", "release", "drop", "repeat"])
    parser.add_argument("last", nargs="?", type=int, metavar="N", help="how many to repeat")


FIRST_STEPS = (
    "ce emulator start                     # in a terminal of its own",
    "ce project create --name demo         # from another: it finds the host by itself",
    'eval "$(ce emulator env)"             # points other programs at it',
    "ce emulator clock advance 7d          # a week passes, and what is due runs",
    "ce emulator doctor                    # when something does not work",
)
COMMANDS = {
    "start": Command(
        "host everything until Ctrl-C",
        (
            "ce emulator start",
            "ce emulator start --hosting-port 5005 --firestore-port 0",
            "ce emulator start --import ./saved --export-on-exit",
        ),
        _start,
    ),
    "exec": Command(
        "run a command against a host, one of its own if none runs, and end with its code",
        (
            "ce emulator exec -- pytest",
            "ce emulator exec --import ./saved -- sh -c 'curl $CODE_ENGINE_URL/projects'",
        ),
        _exec,
    ),
    "stop": Command("stop the host", ("ce emulator stop",)),
    "status": Command(
        "show what runs", ("ce emulator status", "ce emulator status -o json"), _output
    ),
    "env": Command("print exports to evaluate", ('eval "$(ce emulator env)"',)),
    "account": Command(
        "make another account, and print the exports to act as it",
        (
            'eval "$(ce emulator account create)"',
            "ce emulator account create --role viewer",
        ),
        _account,
    ),
    "keys": Command(
        "list, rotate or prune the key-encryption keys",
        ("ce admin keys list", "ce admin keys rotate", "ce admin keys prune"),
        _keys,
    ),
    "migrate": Command(
        "give the store the newest form, after a yes to what that vouches for",
        ("ce admin migrate", "ce admin migrate --yes"),
        _migrate,
    ),
    "export": Command(
        "write data and keys of the running host to a folder",
        ("ce emulator export ./saved", "ce emulator start --import ./saved"),
        _export,
    ),
    "reset": Command("forget all data; the first account's key is kept", ("ce emulator reset",)),
    "clock": Command(
        "show lifecycle time, or move it and wait for what became due",
        (
            "ce emulator clock show",
            "ce emulator clock advance 7d",
            "ce emulator clock advance -1h",
            "ce emulator clock set 0s             # back to real time",
        ),
        _clock,
    ),
    "schedule": Command(
        "run a schedule now, or let all of them rest",
        (
            "ce emulator schedule run enforceRetention",
            "ce emulator schedule pause",
            "ce emulator schedule resume",
        ),
        _schedule,
    ),
    "triggers": Command(
        "count events, or make them late, lost or doubled",
        (
            "ce emulator triggers show",
            "ce emulator triggers hold            # keep them back; release lets them go",
            "ce emulator triggers drop            # lose those that are held",
            "ce emulator triggers repeat 3        # deliver the last three again",
        ),
        _triggers,
    ),
    "doctor": Command(
        "check this machine, and say what to do",
        ("ce doctor", "ce doctor -o json", "ce emulator doctor"),
        _output,
        "ce doctor",
    ),
}
