"""What is stored, put back into the store's form 1, as version 0.1.0 would have written it.

And the steps of the migration out of it.
"""

import os
import re
from dataclasses import replace

from shared.access import own_key
from shared.calls import OPERATOR
from shared.keys import envelope
from shared.lifecycle import Project
from shared.resources import data_key_path, sealing
from shared.store import Write
from shared.upkeep import migration
from tests.support import call, paths_below

STEPS = {"keys": migration.sign, "values": migration.reseal, "projects": migration.vouch}
NOTHING: dict[str, dict] = {of: {} for of in STEPS}


def sealed_formerly(app, document):
    """Give the envelopes of a value in form 1."""
    parts, now = migration._envelopes(app, document)
    home, project, collection = document.path.split("/")[:3]
    read = app.store.read(f"{home}/{project}", data_key_path(project))
    owner = Project.of(read[f"{home}/{project}"].fields)
    record, kind = read[data_key_path(project)].fields, migration.BY_COLLECTION[collection]
    key, stored = app.keyring.open(project, record), document.fields
    places = [
        sealing._places(owner, record, kind, stored, [old] * len(now)) for old in (False, True)
    ]
    plain = [
        envelope.open_sealed(key, one, place) for one, place in zip(now, places[0], strict=True)
    ]
    return parts, [
        envelope._seal_with(os.urandom(32), key, one, place, envelope.FORMER)
        for one, place in zip(plain, places[1], strict=True)
    ]


def put_back(app):
    """Put all values, projects and records of keys back into form 1; give how many of each.

    But for the key that `call` calls with: what it asks for shall be answered in any form.
    """
    read = app.store.read(*paths_below(app.store, "", 10_000)).documents
    own = own_key(call().principal)
    keys = [d for path, d in read.items() if path.startswith("api_keys/") and path != own]
    homes = [d for path, d in read.items() if re.fullmatch("projects/[^/]+", path)]
    writes, values = [], 0
    for document in (*keys, *homes):
        new = {"signature", "mac", "moves"}
        unsigned = {name: v for name, v in document.fields.items() if name not in new}
        writes.append(Write.replace(document, unsigned))
    for document in filter(migration._is_sealed, read.values()):
        values += 1
        parts, former = sealed_formerly(app, document)
        for part, one in zip(parts, former, strict=False):
            writes.append(Write(part.path, {"bytes": one}))
        if not parts:
            writes.append(Write.update(document, {"sealed": former[0]}))
    unique = {write.path: write for write in writes}  # revisions share the parts of their app
    for write in unique.values():
        app.store.commit([write])
    return len(keys), values, len(homes)


def in_form(app, form):
    """Give the app as a process has it whose setting names a form."""
    return replace(app, settings=replace(app.settings, store_form=form))


def step(app, of, name, **more):
    """Take one step, as the operator."""
    asked = replace(call(body={"step": name, **more}), principal=OPERATOR)
    return STEPS[of](app, asked).body


def listed(app, of, what="found"):
    """List all pages: what has the former form, by path; or the paths of what is `refused`."""
    entries, page = [], step(app, of, "list")
    for _ in range(1000):
        entries += page[what]
        if "next" not in page:
            return {one["path"]: one for one in entries} if what == "found" else sorted(entries)
        page = step(app, of, "list", start=page["next"])
    raise AssertionError("the pages do not end")


def vouch(app, of, found):
    """Say yes to what was listed; give the counts."""
    vouched = {path: one["digest"] for path, one in found.items()}
    return step(app, of, "rewrite", vouched=vouched)


def everything(app):
    """Give every document but the audit trail."""
    paths = [path for path in paths_below(app.store, "", 10_000) if not path.startswith("audit/")]
    return {path: document.fields for path, document in app.store.read(*paths).documents.items()}
