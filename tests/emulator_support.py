"""What the tests of the local host stand on: small repositories, and a real host that loads them.

The functions of such a repository are real too, loaded through functions-framework: each records
what it got, and answers its path, or the next status of a list that a test writes.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emulator import manifest
from emulator.host import Host
from emulator.log import Log

HTTP = "httpsTrigger: {}"
PRIVATE = "httpsTrigger: {invoker: [private]}"
EVENT = (
    "eventTrigger: {eventType: google.cloud.firestore.document.v1.written, "
    "eventFilterPathPatterns: {document: 'projects/{id}'}, retry: true}"
)
SCHEDULE = "scheduleTrigger: {schedule: '*/5 * * * *', retryConfig: {retryCount: 1}}"
RECORDER = """
import flask
import functions_framework

GOT, STATUSES = [], []


def record(name):
    got = flask.request
    GOT.append((name, dict(got.headers), got.get_data()))
    if STATUSES and (status := STATUSES.pop(0)) != 200:
        flask.abort(status)
    return got.path
"""
FUNCTION = """

@functions_framework.{kind}
def {name}(_):
    return record("{name}")
"""


@dataclass(frozen=True)
class Served:
    """A host, and what its functions record: (name, headers, body) each, and statuses to come."""

    root: Path
    host: Host
    got: list[tuple[str, dict[str, str], bytes]]
    statuses: list[int]


def repository(root: Path, **functions: str) -> Path:
    """Write a repository with one endpoint a keyword, its trigger the value."""
    (root / "functions").mkdir(parents=True, exist_ok=True)
    rows = "".join(f"  {n}: {{entryPoint: {n}, {trigger}}}\n" for n, trigger in functions.items())
    (root / "functions" / "functions.yaml").write_text(
        f"specVersion: v1alpha1\nendpoints:\n{rows or '    {}'}"
    )
    return root


@contextmanager
def loaded(root: Path) -> Iterator[Host]:
    """Load a repository's functions into this process, and forget its modules afterwards."""
    written, left = sys.dont_write_bytecode, set(os.environ)
    sys.dont_write_bytecode = True
    host = Host(root, manifest.read(root), Log(quiet=True))
    try:
        assert host.load() is None
        yield host
    finally:
        sys.dont_write_bytecode = written
        for name in {"FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE"} - left:
            os.environ.pop(name, None)  # the framework leaves them behind
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None)).startswith(f"{root}{os.sep}"):
                del sys.modules[name]


@contextmanager
def serving(root: Path, **functions: str) -> Iterator[Served]:
    """Load functions that record what they get, one a keyword, its trigger the value."""
    repository(root, **functions)
    bodies = [
        FUNCTION.format(name=name, kind="cloud_event" if "eventTrigger" in trigger else "http")
        for name, trigger in functions.items()
    ]
    recorder = f"recorder_{root.name}"
    (root / "functions" / f"{recorder}.py").write_text(RECORDER + "".join(bodies))
    # The host runs main.py anew for each function; what they share has to be elsewhere.
    (root / "functions" / "main.py").write_text(f"from {recorder} import {', '.join(functions)}\n")
    with loaded(root) as host:
        module = sys.modules[recorder]
        yield Served(root, host, module.GOT, module.STATUSES)


def firebase(root: Path, hosting: object) -> Path:
    """Write a repository's firebase.json."""
    (root / "firebase.json").write_text(json.dumps({"hosting": hosting}))
    return root
