"""The SHA-256 that each document notes of what was written: what the certificate's digest tells."""

import json
from hashlib import sha256

from shared import forms, projects, resources
from shared.kinds import APPS, KINDS, SECRETS
from shared.resources import data_key_path
from tests.support import call
from tests.support.kinds import BY_KIND

LARGE = {"k": "x" * 950_000}
IMAGE = "icr.io/codeengine/helloworld"


def noted(app, project):
    """Give what lies below a project, by path."""
    return {one.path: one.contents for one in app.store.below(f"projects/{project}", 999)}


def written(found, path):
    """Give the bytes that a document holds, as they are digested."""
    fields = found[path]
    if "bytes" in fields:
        return fields["bytes"]
    if "told" in fields:
        return fields["request"] + json.dumps(fields["told"], sort_keys=True).encode()
    if "count" in fields:
        return forms.canonical({name: fields[name] for name in fields.keys() - {"sha256"}})
    if "sealed" not in fields:
        return forms.canonical(fields["body"])
    holder = path.partition("/revisions/")[0]
    parts = [
        found[f"{holder}/parts/{fields['value_id']}-{n}"]["bytes"] for n in range(fields["parts"])
    ]
    return b"".join(parts) if parts else fields["sealed"]


def test_every_document(app):
    """Of every kind, made and replaced, in parts or not, of revisions, counts and answers kept."""
    project = projects.create(app, call(body={"name": "p"})).body["id"]
    on = {"project_id": project}
    for number, kind in enumerate(KINDS, 1):
        body = BY_KIND[kind].body(number, BY_KIND[kind].full)
        resources.create(
            kind, app, call(body=body, **on, operation="o", idempotency_key=f"{number}")
        )
    for value in ("v" * 960_000, "w"):
        variable = [{"type": "literal", "name": "V", "value": value}]
        body = {"name": "a", "image_reference": IMAGE, "run_env_variables": variable}
        if value == "w":
            change = {"run_env_variables": variable}
            resources.update(APPS, app, call(body=change, name="a", if_match="*", **on))
        else:
            resources.create(APPS, app, call(body=body, **on))
    secret = {"name": "large", "format": "generic", "data": LARGE}
    first = resources.create(SECRETS, app, call(body=secret, **on)).body["entity_tag"]
    before = noted(app, project)
    change = {"format": "generic", "data": {"k": "small"}}
    resources.update(SECRETS, app, call(body=change, name="large", if_match=first, **on))
    after = noted(app, project)
    for found in (before, after):
        assert {path.split("/")[2] for path in found} >= {kind.collection for kind in KINDS}
        assert [path for path in found if "/operations/" in path or "/revisions/" in path]
        found.pop(data_key_path(project))
        wrong = [
            path
            for path, fields in found.items()
            if fields.get("sha256") != sha256(written(found, path)).digest()
        ]
        assert wrong == []
    path = f"projects/{project}/secrets/large"
    assert before[path]["sha256"] != after[path]["sha256"]
    shown = resources.get(SECRETS, app, call(name="large", **on)).body
    assert "sha256" not in shown
