"""Programs that are no tests: they play, measure, search and prove.

Each is run as `python -m tools.NAME`, or by the make target of that name. Nothing imports them but
their tests; they are not installed.
"""
