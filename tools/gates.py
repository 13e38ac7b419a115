"""What must be covered by tests whole: `python -m tools.gates PATTERN...`, after a run of them.

A pattern names files below the repository's root (`shared/kinds/*`). Exits with 1 unless every
line and branch of each file was run; and where a pattern names no file: it was left behind when
the file moved, and would guard nothing from then on.
"""

import sys
from pathlib import Path

from coverage import Coverage

ROOT = Path(__file__).parents[1]


def named(patterns: list[str], root: Path) -> list[str]:
    """Give the files that the patterns name; each names some."""
    found = [[file for file in root.glob(one) if file.suffix == ".py"] for one in patterns]
    if empty := [one for one, files in zip(patterns, found, strict=True) if not files]:
        sys.exit(f"no file is named by {', '.join(empty)}")
    return sorted({str(file) for files in found for file in files})


def main(patterns: list[str], root: Path = ROOT) -> None:
    """Report on what the patterns name, and fail unless all of it was run."""
    files = named(patterns, root)
    covered = Coverage(data_file=str(root / ".coverage"), config_file=str(root / "pyproject.toml"))
    covered.load()
    if unknown := set(files) - covered.get_data().measured_files():
        sys.exit(f"not measured: {', '.join(sorted(unknown))}")
    if covered.report(include=files, skip_covered=True) < 100:
        sys.exit("what must be covered whole is not")


if __name__ == "__main__":
    main(sys.argv[1:])
