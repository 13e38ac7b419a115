"""The full check after a fault: what must hold of all that an account has, whatever happened.

To be run when nothing is under way: after the schedule and the events it caused.
"""

from collections import Counter

from tests.support import dump, traces_of

LIVE = {"active", "soft_deleted"}


def unsound(inside, account, *canaries):
    """Give what is wrong with an account, a sentence each; nothing is right.

    `inside` is the store and the key store, `account` an id, `canaries` values of secrets.
    """
    projects, halves = inside.projects(account), inside.key_halves()
    entries = inside.store.query("audit", ("account_id", "==", account), order="at", limit=5000)[1]
    told = [entry.fields for entry in entries]
    done = [entry for entry in told if entry["outcome"] != "denied"]
    below = {project: inside.below(f"projects/{project}") for project in projects}
    wrong = []
    slots = inside.slots(account)
    if slots != {project: fields["name"] for project, fields in projects.items()}:
        wrong.append("I2, I4: slots and projects differ")
    if len(slots) > 20 or len(set(slots.values())) < len(slots):
        wrong.append("I1, I4: too many projects, or two of one name")
    for project, fields in projects.items():
        if fields["status"] not in LIVE:
            wrong.append(f"L1: a project is still {fields['status']}")
        if project not in halves or f"projects/{project}/keys/current" not in below[project]:
            wrong.append("I8: a live project has no whole key")
        wrong += _holdings(f"projects/{project}", below[project])
    wrong += _history(inside, projects, halves, done)
    kept = [piece for fields in (*below.values(), told) for piece in dump(fields)]
    if any(form in piece for text in canaries for form in traces_of(text) for piece in kept):
        wrong.append("I9: plaintext is stored")
    return wrong


def _holdings(path, below):
    """Hold counts and parts of a project against the documents there are."""
    held = [p for p in below if p.count("/") == 3 and p.split("/")[2] not in ("usage", "keys")]
    counts = Counter(p.split("/")[2] for p in held)
    usage = {p.split("/")[3]: fields["count"] for p, fields in below.items() if "/usage/" in p}
    if {kind: count for kind, count in usage.items() if count} != counts:
        yield f"I12: counted {usage}, found {dict(counts)}"
    expected = {
        f"{p}/parts/{below[p]['value_id']}-{n}"
        for p in held
        for n in range(below[p].get("parts") or 0)
    }
    if expected != {p for p in below if "/parts/" in p}:
        yield f"F5: parts of {path} are missing or left over"


def _history(inside, projects, halves, told):
    """Hold the audit trail of each project against its state, its tombstone and its key half."""
    for project in {entry["project_id"] for entry in told if entry["project_id"]}:
        actions = Counter(
            entry["action"].removeprefix("codeengine.project.")
            for entry in told
            if entry["project_id"] == project and ".project." in entry["action"]
        )
        status = projects.get(project, {}).get("status", "gone")
        ended = actions["expire"] + actions["reclaim"] - actions["retry"]
        if actions["delete"] - actions["restore"] != (status != "active"):
            yield f"I15: {status} after {dict(actions)}"
        if (actions["create"], ended, actions["erase"]) != (1, status == "gone", status == "gone"):
            yield f"I15: {status} after {dict(actions)}"
        tombstone = inside.document(f"tombstones/{project}")
        if status == "gone":
            if tombstone is None or project in halves or inside.below(f"projects/{project}"):
                yield "I11, I12: something is left of a destroyed project, or no tombstone"
        elif tombstone is not None:
            yield "I5: a project lives beside its tombstone"
