"""`python -m emulator COMMAND --state DIR`: what `ce emulator COMMAND` becomes.

It reads arguments and hands on. It must never do a command's work.
"""

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    del sys.path[0]  # the folder one stands in, which -m puts first: nothing of ours is there

import os
from pathlib import Path
from typing import Any

from emulator import Refused, arguments, commands, execute, files, migration, shell, terminal
from emulator.arguments import PORTS
from emulator.log import Log
from emulator.state import State


def main(words: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    given_words = sys.argv[1:] if words is None else words
    if (given := arguments.read(RUN, _spans(given_words))) is None:
        return 2
    try:
        state = State(given.state.resolve())
        if (found := shell.of_another(state)) and given.run not in SILENT:
            sys.stderr.write(shell.said(found, state))
        code: int = given.run(given, state)
    except Refused as refused:
        sys.stderr.write(f"{terminal.plain(str(refused))}\n")
        return 1
    except OSError as problem:
        sys.stderr.write(f"{terminal.plain(files.said(problem), keep='')}\n")
        return 1
    except ModuleNotFoundError as missing:
        name = str(missing.name).partition(".")[0]
        sys.stderr.write(
            f"{name} is not installed here: 'pip install -e \".[emulator]\"' brings it.\n"
        )
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _spans(words: list[str]) -> list[str]:
    """Keep argparse from taking -1h for an option."""
    if words[:1] != ["clock"]:
        return words
    return [f" {word}" if word[:1] == "-" and word[1:2].isdigit() else word for word in words]


def _start(given: Any, state: State) -> int:
    # The other commands must not pay for loading the host.
    from emulator import hosting, running, start  # noqa: PLC0415

    root = given.root.resolve()
    usual, asked = hosting.ports(root), {name: getattr(given, f"{name}_port") for name in PORTS}
    ports = {n: usual.get(n, 0) if port is None else port for n, port in asked.items()}
    data, export = _folders(given)
    options = running.Options(
        root=root,
        project=given.project,
        hosting_port=ports["hosting"],
        functions_port=ports["functions"],
        firestore_port=ports["firestore"],
        hub_port=ports["hub"],
        threads=given.threads,
        schedule=given.schedule,
        data=data,
        export=export,
    )
    lively = terminal.lively(sys.stdout, os.environ)
    return start.run(options, state, Log(given.quiet, given.log_format == "json", lively))


def _exec(given: Any, state: State) -> int:
    words = ["--root", str(given.root.resolve()), "--project", given.project]
    for name in PORTS:
        words += [f"--{name}-port", str(getattr(given, f"{name}_port"))]
    words += ["--threads", str(given.threads), "--log-format", given.log_format]
    words += ["--quiet"] * given.quiet + ["--no-schedule"] * (not given.schedule)
    data, export = _folders(given)
    words += ["--import", str(data)] if data else []
    words += ["--export-on-exit", str(export)] if export else []
    own = " and ".join(["--import"] * bool(data) + ["--export-on-exit"] * bool(export))
    lively = terminal.lively(sys.stdout, os.environ)
    return execute.execute(state, words, given.command, own, lively=lively)


def _folders(given: Any) -> tuple[Path | None, Path | None]:
    """Give the folders to import and to export to, which may be the same one."""
    data = given.data.resolve() if given.data else None
    if given.export is None:
        return data, None
    if not given.export and not data:
        raise Refused("--export-on-exit needs a folder, or an --import whose folder it takes.")
    return data, Path(given.export).resolve() if given.export else data


def _doctor(given: Any, state: State) -> int:
    from emulator import doctor  # noqa: PLC0415 - as for `start`

    return doctor.run(state, as_json=bool(given.output))


RUN = {
    "start": _start,
    "exec": _exec,
    "stop": lambda _, state: commands.stop(state),
    "status": lambda given, state: commands.status(state, bool(given.output)),
    "env": lambda _, state: commands.env(state),
    "account": lambda given, state: commands.account(state, given.role),
    "keys": lambda given, state: commands.keys(state, given.action),
    "migrate": lambda given, state: migration.run(state, yes=given.yes),
    "export": lambda given, state: commands.export(state, given.folder.resolve()),
    "reset": lambda _, state: commands.reset(state),
    "clock": lambda given, state: commands.clock(state, given.action, given.value),
    "schedule": lambda given, state: commands.schedule(state, given.action, given.name),
    "triggers": lambda given, state: commands.triggers(state, given.action, given.last),
    "doctor": _doctor,
}

SILENT = (RUN["env"], RUN["doctor"])  # what points the shell elsewhere, and what tells it all

if __name__ == "__main__":
    os.umask(0o077)  # whatever is written here is the user's alone
    sys.exit(main())
