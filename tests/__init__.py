"""Tests of the rooms of the same names, and of what the rooms have to keep together.

A folder here holds the tests of the folder of that name in `shared/`, or beside it. `contract/`
keeps the parts in step, `clients/` asks as others' programs do, `faults/` breaks what is running;
`support/` is what they all stand on. Nothing outside imports this, but `tools/`.
"""
