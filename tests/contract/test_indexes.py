"""The queries that the code makes, each with its index, and no index without a query."""

import ast
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared import audit, evidence, projects, resources
from shared.access import api_keys
from shared.audit import certificates, listing
from shared.errors import Error
from shared.kinds import APPS, KINDS
from shared.projects import account, instances, reclamations
from shared.resources import revisions
from shared.store import Store
from shared.upkeep import migration, rotation, schedule
from tests.support import ROOT, call, reclaim

INDEXES = json.loads((ROOT / "firestore.indexes.json").read_text())
OVERRIDES = INDEXES["fieldOverrides"]
EXPIRY = "operations", "expires_at"
ID = "4e49b3e0-27a8-48d2-a784-c7ee48bb863b"


def queries():
    """Give the file of each query in shared/."""
    return [
        file.name
        for file in (ROOT / "shared").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") in {"query", "read_beside"}
        and file.name != "firestore.py"
    ]


# Each query of shared/, by the file it stands in: collection group, equalities, order.
QUERIES = {
    "api_keys.py": [("api_keys", ("account_id",), "id")],
    "migration.py": [("api_keys", (), "__name__"), ("projects", (), "__name__")],
    "key_quota.py": [("api_keys", ("account_id",), "__name__")],
    "rotation.py": [
        ("audit", ("begun",), "__name__"),
        ("audit", ("kek",), "__name__"),
        ("projects", (), "__name__"),
    ],
    "identity.py": [("projects", ("status",), "__name__")],
    "reclamations.py": [("projects", ("reclamation_id",), "__name__")],
    "tombstones.py": [
        ("tombstones", ("reclamation_id",), "__name__"),
        ("tombstones", ("account_id", "region"), "__name__"),
    ],
    "account.py": [("projects", ("account_id", "region"), "name")],
    "listing.py": [
        ("audit", ("account_id",), "at"),
        ("audit", ("account_id", "project_id"), "at"),
        ("audit", ("account_id", "action"), "at"),
        ("audit", ("account_id", "initiator"), "at"),
    ],
    "certificates.py": [("certificates", ("account_id", "region"), "__name__")],
    "metadata.py": [
        *((kind.collection, (), kind.key) for kind in KINDS),
        *(
            (kind.collection, (f"body.{name}",), kind.key)
            for kind in KINDS
            for name in kind.filters
        ),
    ],
    "held.py": [(kind.collection, (), kind.key) for kind in KINDS],
    "reading.py": [
        *((kind.collection, (), kind.key) for kind in KINDS),
        *(
            (kind.collection, (f"body.{name}",), kind.key)
            for kind in KINDS
            for name in kind.filters
        ),
        ("revisions", (), "revision_name"),
    ],
    "sequencer.py": [("audit", ("pending",), "__name__")],
    "schedule.py": [
        ("projects", ("status",), "purge_at"),
        ("projects", ("status",), "progress_at"),
        ("projects", ("status",), "updated_at"),
        ("projects", ("account_id", "region"), "name"),
        ("regions", (), "key"),
        ("operations", (), "expires_at"),
        ("signin_codes", (), "expires_at"),
        ("signin_keys", (), "expires_at"),
    ],
}


def test_queries_are_all_known():
    """The queries below are those in the code: a new one must be entered, and gets its index."""
    once = [f"{n}.py" for n in ("account", "api_keys", "key_quota", "reading", "reclamations")]
    more = ("certificates", "held", "identity", "listing", "metadata", "sequencer")
    once += [f"{n}.py" for n in more]
    twice = ["migration.py", "rotation.py", "tombstones.py"]
    assert sorted(queries()) == sorted([*once, "rotation.py", *["schedule.py"] * 5, *twice * 2])
    assert set(queries()) == set(QUERIES)


def asked(app, monkeypatch):
    """Run every list and the schedule, and give what was asked of the store."""
    seen = set()
    query = Store.query

    def noted(self, collection, *filters, order, **more):
        equal = tuple(sorted(field for field, operator, _ in filters if operator == "=="))
        seen.add((collection.rpartition("/")[2], equal, order))
        return query(self, collection, *filters, order=order, **more)

    monkeypatch.setattr(Store, "query", noted)
    origin = call().origin
    app.store.commit([evidence.begun(app, origin, "keys.rotate", datetime.now(UTC), "none")])
    for listed in (rotation.rotate, migration.sign, migration.reseal, migration.vouch):
        listed(app, call(body={"step": "list"}))
    on = {"project_id": projects.create(app, call(body={"name": "p"})).body["id"]}
    api_keys.listing(app, call())
    certificates.listing(app, call())
    # Of more than one of these Firestore joins the indexes of each, which end alike.
    for equal in ({}, on, {"action": "codeengine.secret.read"}, {"initiator": "retention"}):
        listing.listing(app, call(**equal))
    api_keys.create(app, call(body={"name": "k"}))
    projects.listing(app, call())
    reclamations.listing(app, call())
    reclaim(app, projects.create(app, call(body={"name": "q"})).body["id"])
    instances.listing(app, call(state="removed"))
    with pytest.raises(Error):
        reclamations.restore(app, call(id=ID))
    for kind in KINDS:
        resources.listing(kind, app, call(**on))
        resources.metadata.listing(kind, app, call(**on))
        for name in kind.filters:
            resources.listing(kind, app, call(**on, **{name: "x"}))
            resources.metadata.listing(kind, app, call(**on, **{name: "x"}))
    image = {"name": "a", "image_reference": "hello"}
    resources.create(APPS, app, call(body=image, **on))
    revisions.listing(app, call(app_name="a", **on))
    account.contents(app, call(names=True, **on))
    for number in (0, 0.999):
        schedule.enforce(replace(app, random=lambda n=number: n))
    audit.seal(app)
    return seen


def test_indexes(app, monkeypatch):
    """Every composite query that is really made has its index, and no index is without a query."""
    seen = asked(app, monkeypatch)
    known = {row for rows in QUERIES.values() for row in rows}
    assert seen == known
    composite = {
        (group, (*equal, order))
        for group, equal, order in known
        if equal and order != "__name__"  # those of one field are automatic, and joined
    }
    listed = [
        (index["collectionGroup"], tuple(field["fieldPath"] for field in index["fields"]))
        for index in INDEXES["indexes"]
    ]
    assert len(listed) == len(set(listed))
    assert set(listed) == composite
    orders = {field["order"] for index in INDEXES["indexes"] for field in index["fields"]}
    assert orders == {"ASCENDING"}
    assert {index["queryScope"] for index in INDEXES["indexes"]} == {"COLLECTION"}


def test_large_fields_are_not_indexed():
    """Bytes that are never asked for are not indexed: Firestore indexes 1,500 bytes and charges."""
    overrides = {(row["collectionGroup"], row["fieldPath"]) for row in OVERRIDES}
    stored = [(kind.collection, kind) for kind in KINDS] + [("revisions", APPS)]
    known = {("parts", "bytes"), ("keys", "wrapped"), ("operations", "told"), EXPIRY}
    noted = ["parts", "usage", "operations", *(group for group, _ in stored)]
    known |= {(group, "body") for group, _ in stored} | {(group, "sha256") for group in noted}
    known |= {("audit", name) for name in ("record", "salt", "mac", "prev", "entry")}
    known |= {("log", name) for name in ("root", "frontier", "text", "keys")}
    known |= {("log_tiles", "bytes"), ("log_accounts", "chain")}
    assert overrides == known | {(group, "sealed") for group, kind in stored if kind.sealed}
    indexes = {(row["collectionGroup"], row["fieldPath"]): row["indexes"] for row in OVERRIDES}
    everywhere = [{"order": "ASCENDING", "queryScope": "COLLECTION_GROUP"}]  # wherever they lie
    assert indexes.pop(EXPIRY) == everywhere
    assert not any(indexes.values())
