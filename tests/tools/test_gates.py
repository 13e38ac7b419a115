"""What must be covered whole: told when it is not, and when a pattern has nothing to guard."""

import pytest
from coverage import CoverageData

from tools import gates

CODE = {"whole.py": "a = 1\n", "half.py": "a = 1\nb = 2\n", "deep/__init__.py": '"""Deep."""\n'}
RUN = {"whole.py": [1], "half.py": [1], "deep/__init__.py": []}


@pytest.fixture
def root(tmp_path):
    """A repository with three files, one of which was run by half; and one that was not seen."""
    data = CoverageData(str(tmp_path / ".coverage"))
    for name, text in CODE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    data.add_lines({str(tmp_path / name): lines for name, lines in RUN.items()})
    data.write()
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "unseen.py").write_text("a = 1\n")
    (tmp_path / "deep" / "data.json").touch()
    return tmp_path


def test_covered(root, capsys):
    """A file and all files of a folder, each run whole, pass."""
    gates.main(["whole.py", "deep/*"], root)
    assert "100%" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("patterns", "why"),
    [
        (["half.py"], "is not"),
        (["w*.py", "h*.py"], "is not"),
        (["whole.py", "moved.py", "rooms/*"], r"no file is named by moved\.py, rooms/\*"),
        (["deep/*.json"], "no file"),
        (["unseen.py"], "not measured: .*unseen.py"),
    ],
)
def test_not_covered(root, patterns, why):
    """A line that was not run fails, and so does a pattern without a file, or a file unseen."""
    with pytest.raises(SystemExit, match=why):
        gates.main(patterns, root)
