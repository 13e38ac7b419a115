"""Decides everything: lifecycle, quotas, sealing, purge. Knows no trigger and no function name.

The map, from the words that everyone speaks up to the wire; a room imports only from below it.

- `errors`, `quotas`: the one error type and its statuses; every limit, with its reason.
- `settings`, `lifecycle`, `calls`, `forms`, `failures`: what the environment says; the project and
  its moves, the heart; what passes between the wire and a use case; the forms of what is stored;
  failures without texts.
- `store`: documents in Firestore: read, query, commit, one round trip each.
- `api`: openapi.yaml as the code sees it.
- `kinds`: what a project can hold: a row each, and its rules. Pure.
- `keys`: a project's key: made of two halves, opened, destroyed.
- `app`: settings, store, keyring, time, chance; wired once.
- `evidence`: what is remembered of each change, and how it is proved.
- `log`: the formats of a transparency log: its tree, tiles, notes and proofs. Pure.
- `access`: who calls, and what they may.
- `resources`: the five verbs for any kind, and what a write takes along.
- `projects`: a project until it is destroyed, and the views IBM has of it.
- `audit`: the trail as it is sealed and read: a log that anyone can check, and proofs from it.
- `upkeep`: what no tenant asks for: the event's step, the schedule, the operator's rotation
  and migration.
- `wire`: from an HTTP request to a use case and back.
"""
