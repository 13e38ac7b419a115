"""The house keeps its doors: who needs something of another room asks the room."""

import ast

import pytest

from tests.support import ROOT

HOUSES = ("shared", "ce")


def imports(file):
    """Give the modules that a file imports by name."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


@pytest.mark.parametrize("top", ["shared", "functions", "ce", "emulator", "tools"])
def test_who_calls_imports_from_the_room(top):
    """`shared.store`, never `shared.store.values`; what lies within a room is that room's alone."""
    files = sorted((ROOT / top).rglob("*.py"))
    assert files
    reached = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files
        for name in imports(file)
        for house, room, *inner in [f"{name}.".split(".")]
        if house in HOUSES and any(inner) and not file.is_relative_to(ROOT / house / room)
    ]
    assert reached == []
