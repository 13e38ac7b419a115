"""What `ce emulator`, `ce doctor` and `ce admin` take for an option, and what they refuse."""

import pytest

from emulator import arguments
from emulator.__main__ import RUN, main

REFUSED = {
    "start --qui": "No such option '--qui'. Did you mean '--quiet'?",
    "start --firestore 0": "No such option '--firestore'. Did you mean '--firestore-port'?",
    "status --out json": "No such option '--out'. Did you mean '--output'?",
    "status -ojson": "No such option '-ojson'. Did you mean '--json'?",
    "account create -rviewer": "No such option '-rviewer'. A value is a word of its own: '-r VAL",
    "migrate -yx": "No such option '-yx'.",
    "migrate --yes=no": "--yes is a switch: it takes no value.",
    "keys --force list": "No such option '--force'.",
    "exec pytest -x": "No such option '-x'.",
    "status --Sesame1=sesame": "No such option.",
    "--foo status": "No such option '--foo'.",
    "stat": "No such command 'stat'. Did you mean 'ce emulator sta",
    "qqqq": "No such command 'qqqq'.",
    "status more": "unrecognized arguments: more",
    "start --hub-port": "argument --hub-port: expected one argument",
    "start --hub-port -x": "argument --hub-port: invalid int value: '-x'",
    "doctor -o yaml": "argument -o/--output: invalid choice: 'yaml'",
}
READ = {
    "status -output json": {"output": "json"},
    "status --o json": {"output": "json"},
    "status --json": {"output": "json"},
    "migrate -yes": {"yes": True},
    "account create -r viewer --role=writer": {"role": ["viewer", "writer"]},
    "start --export-on-exit --quiet -hub-port 0": {"export": "", "quiet": True, "hub_port": 0},
    "start --export-on-exit out": {"export": "out"},
    "start --project -x": {"project": "-x"},
    "exec --quiet -- pytest -q --qui": {"quiet": True, "command": ["pytest", "-q", "--qui"]},
    "triggers repeat -3": {"last": -3},
}


@pytest.mark.parametrize("line", REFUSED)
def test_refused(capsys, tmp_path, line):
    """Nothing is shortened, and nothing is taken for a letter and its value; exit code 2."""
    words = line.split()
    words[1:1] = ["--state", str(tmp_path)] if words[0] in arguments.COMMANDS else []
    with pytest.raises(SystemExit) as end:
        main(words)
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert f"\nError: {REFUSED[line]}" in said
    assert "sesame" not in said


@pytest.mark.parametrize("line", READ)
def test_read(tmp_path, line):
    """One dash or two are the same, a value is taken as it is, and so is all behind `--`."""
    first, *rest = line.split()
    given = arguments.read(RUN, [first, "--state", str(tmp_path), *rest])
    assert {name: getattr(given, name) for name in READ[line]} == READ[line]
    assert given.run is RUN[first]
