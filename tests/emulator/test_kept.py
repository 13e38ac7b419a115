"""What the state folder keeps: all of an import or all of before it, whenever a host dies."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from emulator import commands, exports, files
from emulator.state import State
from tests.support import ROOT, Host, until
from tests.support.emulator import HTTP, repository
from tests.support.exported import APIKEY, kept_by, listed_anew


class KilledError(BaseException):
    """The process ends here."""


def killed_at(step, monkeypatch):
    """Let the process end at a step: whatever it writes, renames or removes."""
    counted = itertools.count()

    def counting(real):
        def done(*arguments, **named):
            if next(counted) == step:
                raise KilledError
            return real(*arguments, **named)

        return done

    monkeypatch.setattr(files, "write", counting(files.write))
    monkeypatch.setattr(shutil, "rmtree", counting(shutil.rmtree))
    for name in ("rename", "unlink"):
        monkeypatch.setattr(f"pathlib.Path.{name}", counting(getattr(Path, name)))


@pytest.mark.claim("F65", "killed at any step of an import: all that was kept before, or all of it")
def test_killed_at_any_step(tmp_path, monkeypatch, subtests):
    """And when it is put back, too."""
    other = kept_by(tmp_path / "other", halves=1).kept()
    for step in range(100):
        state = kept_by(tmp_path / f"state-{step}")
        before, ended = state.kept(), False
        with monkeypatch.context() as patched, contextlib.suppress(KilledError):
            killed_at(step, patched)
            state.keep(other)
            state.settle()
            ended = True
        with monkeypatch.context() as patched, contextlib.suppress(KilledError):
            killed_at(step % 7, patched)
            state.put_back()
        state.put_back()
        with subtests.test(f"step {step}"):
            assert state.kept() in ((other,) if ended else (before, other))
            assert not (state.folder / "before-import").exists()
        if ended:
            return
    raise AssertionError(step)


def start(state, *words):
    """Begin to start a host, as a process of its own."""
    ports = [f"--{port}-port=0" for port in ("hosting", "functions", "firestore", "hub")]
    command = [sys.executable, "-m", "emulator", "start", "--state", str(state.folder), *ports]
    return subprocess.Popen(
        [*command, *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _documents(folder, _):
    next((folder / exports.NAME).rglob("output-0")).write_bytes(b"\xff" * 50)
    listed_anew(folder)
    return (), "is damaged: Firestore ended over its documents"


def _keyring(folder, home):
    shutil.copy(kept_by(home / "another").folder / "keyring.json", folder)
    listed_anew(folder)
    return (), "is damaged: its keys are not those of its documents"


def _functions(_, home):
    broken = repository(home / "root", f=HTTP)
    (broken / "functions" / "main.py").write_text("1 / 0")
    return ("--root", str(broken)), "ZeroDivisionError"


@pytest.mark.slow
@pytest.mark.claim("F65", "an import that fails at its end, or is killed: all is as it was before")
def test_imports_that_fail(tmp_path, subtests):
    """The first account, the keyring, the halves, the clock and the form are those of before."""
    host = Host(tmp_path / "one", "--firestore-port", "0", "--hub-port", "0").start()
    try:
        host.account().project()
        assert commands.export(State(host.state), tmp_path / "saved") == 0
    finally:
        host.stop()
    state = kept_by(tmp_path / "state")
    before = state.kept()
    for change in (_documents, _keyring, _functions):
        folder = tmp_path / change.__name__
        shutil.copytree(tmp_path / "saved", folder)
        words, said = change(folder, tmp_path)
        process = start(state, "--import", str(folder), *words)
        told, error = process.communicate(timeout=120)
        with subtests.test(change.__name__):
            assert (process.returncode, said in told + error) == (1, True), told + error
            assert "Traceback" not in told + error
            assert str(folder) in error.splitlines()[-1]  # the functions say why before it
            assert (state.kept(), (state.folder / "import").exists()) == (before, False)
    process = start(state, "--import", str(tmp_path / "saved"))
    until((state.folder / "before-import").is_dir, 60)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    process = start(state)
    until(lambda: state.read("hub.json") is not None or process.poll(), 60)
    os.kill(process.pid, signal.SIGTERM)
    told, _ = process.communicate(timeout=60)
    assert "import: it did not end: all that was kept before it is back" in told
    assert state.account() == {"account_id": "a" * 32, "apikey": APIKEY}
    assert json.loads(state.kept()["keyring.json"]) == json.loads(before["keyring.json"])
