"""The command line: asks the API over HTTP and prints what it answers.

Decides nothing, stores no secret and imports nothing else of ours. The map, from what everything
prints with up to the program; a room imports only from those above it in this list.

- `verify`: an auditor's file, handed on alone: it imports nothing of ours. `ce certificate verify`
  runs it.
- `text`: what a terminal is shown and asked: tables, documents, one line that turns.
- `server`: whom to ask, as whom, how, and what to do when that fails.
- `call`: a command: its row in the table, and one run of it.
- `body`: from options, files and prompts to what is sent.
- `rows`: the table of nouns, what a kind of resource is, and how people see it.
- `verbs`: what the commands do.
- `help`: what the program tells of its commands: options, examples, completion.
- `nouns`: the rows of the commands.
- `cli`: the program, and its exit codes.
"""
