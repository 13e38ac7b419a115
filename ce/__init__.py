"""The command line: asks the API over HTTP and prints what it answers.

Decides nothing, stores no secret and imports nothing else of ours. Commands are rows of the
table in `commands.py`; everything that repeats between them lives once, beside it.
"""
