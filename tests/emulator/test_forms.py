"""Which store form the local host takes its data to have: as its state folder notes it."""

import pytest

from emulator import exports
from emulator.state import State


@pytest.fixture
def state(tmp_path):
    """A state folder."""
    return State(tmp_path)


def test_noted(state):
    """What is said is noted; what is not, only where nothing is noted yet."""
    state.note_form(1)
    assert state.form() == 1
    state.note_form()
    assert state.form() == 1
    state.note_form(2)
    assert state.form() == 2


@pytest.mark.parametrize(("keyring", "form"), [(False, 2), (True, 1)])
def test_a_store_kept_elsewhere(state, keyring, form):
    """A folder with a keyring and no note is of a version that knew of no forms."""
    if keyring:
        (state.folder / "keyring.json").write_text("{}")
    state.note_form()
    assert state.form() == form


@pytest.mark.parametrize("form", [1, 2])
def test_an_export_carries_the_form(state, tmp_path, form):
    """The manifest's version is the form of what is in it, whichever version wrote the file."""
    (tmp_path / exports.MANIFEST).touch()
    state.note_form(form)
    assert exports._manifest(tmp_path, "demo-x", state.form())["version"] == form
